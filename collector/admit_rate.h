/* admit_rate: how often somebody may try to get a certificate.
 *
 * All together at a pace, and one address only so often in a minute with nothing that we know.  Pure.
 */
#ifndef COLLECTOR_ADMIT_RATE_H
#define COLLECTOR_ADMIT_RATE_H

#include "base/addr.h"

struct admit_rate;

struct admit_rate *admit_rate_new(int64_t now_us);
void               admit_rate_free(struct admit_rate *rate); /* NULL is fine */

/* Whether one more may try now; that is counted. */
bool admit_rate_take(
    struct admit_rate *rate, const struct addr *from, int64_t now_us) MUST_CHECK;
/* It had neither a token nor a certificate of ours.  Many machines may share an address: what they
 * bring in good faith does not count against it. */
void admit_rate_fault(struct admit_rate *rate, const struct addr *from, int64_t now_us);

#endif
