/* failures: the ways in which something between a client and an account is known to go wrong, and
 * which findings each shows as.
 *
 * The labels are ours: D is name resolution, N the path, T is TLS, A account and application, P the
 * prober.  What no finding can tell stands in unseen.def, with the reason; each label is in one of
 * the two, or in both where a part of it is seen.
 */
#ifndef ANALYZE_FAILURES_H
#define ANALYZE_FAILURES_H

#include "analyze/judge.h"

enum { FAILURE_CODES_MAX = 6 };

struct failure {
	const char       *label;                        /* "D13" */
	const char       *words;                        /* what is wrong */
	enum finding_code codes[FAILURE_CODES_MAX + 1]; /* FINDING_COUNT at the end */
};

struct unseen {
	const char *label; /* likewise; "": beside them */
	const char *what, *why, *hint;
};

extern const struct failure failure_table[]; /* label NULL at the end */
extern const struct unseen  unseen_table[];  /* label NULL at the end */

/* By label, without case; NULL when there is none. */
const struct failure *failure_find(const char *label);
const struct unseen  *failure_unseen(const char *label);
/* "D1, D3": of those that show as the finding; "" for none. */
const char *failure_labels(struct arena *arena, enum finding_code code);

#endif
