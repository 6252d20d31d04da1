/* tree: one name so that a person understands it at a glance.
 *
 * Name -> who was asked -> aliases -> addresses -> what was met there -> verdict, a branch each.
 * Says what a measurement holds and what the judge found; judges nothing itself.
 */
#ifndef ANALYZE_TREE_H
#define ANALYZE_TREE_H

#include "analyze/judge.h"
#include "base/wbuf.h"

struct tree_look {
	unsigned width;  /* columns; longer lines break at blanks */
	bool     colour; /* ink as base/table.h has it */
	bool     utf8;   /* draw branches with lines, else with ASCII */
};

/* The place is one of the verdict's. */
void tree_print(const struct place *place, const struct verdict *verdict,
    const struct tree_look *look, struct wbuf *out);

#endif
