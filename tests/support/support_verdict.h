/* support_verdict: a verdict against what a witness expects, exactly.
 *
 * Beside what the witness says, every verdict owes this: each finding is worded, has evidence and,
 * where somebody is to act, a fix that opens nothing; and no place is judged by a finding that is
 * not told.  It fails nothing itself: a test does.
 */
#ifndef TESTS_SUPPORT_VERDICT_H
#define TESTS_SUPPORT_VERDICT_H

#include "tests/support/support_witness.h"

/* Of what every verdict owes, what this one does not pay, in words; NULL: nothing.  In the arena. */
const char *support_verdict_unsound(struct arena *arena, const struct verdict *verdict);
/* What is not as expected, in words, with the findings that are there; NULL when all is.  In the
 * arena. */
const char *support_verdict_differs(
    struct arena *arena, const struct support_witness *witness, const struct verdict *verdict);

#endif
