/* merge: the verdicts of an account's APIs as one: each API is judged by itself, and a person
 * reads one verdict of the account.
 */
#ifndef ANALYZE_MERGE_H
#define ANALYZE_MERGE_H

#include "analyze/judge.h"

/* count is at least 1; of one it is that.  Places stay in the order of the APIs.  What several
 * tell of the account in the same place, such as a connection that waits for approval, is told
 * once, and so is what is not known, and what one DNS server does to all names of each. */
struct verdict *merge_verdicts(
    struct arena *arena, struct verdict *const *verdicts, size_t count);

#endif
