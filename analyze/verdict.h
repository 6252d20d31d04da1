/* verdict: a verdict for people and programs: table, JSON, Nagios line. */
#ifndef ANALYZE_VERDICT_H
#define ANALYZE_VERDICT_H

#include "analyze/judge.h"
#include "base/wbuf.h"

struct json_t;

/* All of it in the arena, but for the measurements: judging leaves a hundred times as much behind.
 * In verdict_copy.c; a member that points somewhere needs its line there. */
struct verdict *verdict_copy(struct arena *arena, const struct verdict *verdict);

/* Stable JSON of a verdict; a new reference.  In verdict_json.c. */
struct json_t *verdict_json(const struct account *account, const struct verdict *verdict);
struct json_t *finding_json(const struct finding *finding);

enum verdict_trees {
	VERDICT_NO_TREES,
	VERDICT_ODD_TREES, /* of the names that have a finding */
	VERDICT_ALL_TREES
};

struct verdict_look {
	unsigned           width;
	bool               colour, utf8;
	enum verdict_trees trees; /* tree_print() of names, behind the table */
};

/* APIs and modes in short, a row each, when there are several; a table of places for each; then
 * trees; then each finding with evidence, owner and fix; then what is unknown. */
void verdict_print(const struct account *account, const struct verdict *verdict,
    const struct verdict_look *look, struct wbuf *out);
/* One line with performance data [nagios-plugins]. */
void verdict_nagios(
    const struct account *account, const struct verdict *verdict, struct wbuf *out);

/* Exit code of the Nagios convention: 0 ok, 1 warning, 2 critical, 3 unknown. */
int verdict_exit(enum state state);

#endif
