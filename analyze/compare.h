/* compare: what verdicts on several accounts, measured from one machine, say together.
 *
 * An address leads to one private endpoint, and an endpoint to one account: so two accounts with
 * one address are a fault.  Whose it is only documents of endpoints tell, and then judge says it;
 * where there are none, this says that one of them cannot be right.
 */
#ifndef ANALYZE_COMPARE_H
#define ANALYZE_COMPARE_H

#include "analyze/judge.h"

/* Adds to the unknowns of each verdict concerned. */
void compare_verdicts(struct arena *arena, struct verdict *const *verdicts, size_t count);

#endif
