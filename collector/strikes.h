/* strikes: how often somebody may still be wrong: from one address, and all together.
 *
 * An attempt is taken before it is tried, and given back when it was right, so that many at once
 * are no way around it.  Addresses of IPv6 count by their /64, which one machine has whole.  The
 * table is bounded: who has more addresses than it holds meets the bound of all together.
 */
#ifndef COLLECTOR_STRIKES_H
#define COLLECTOR_STRIKES_H

#include "base/addr.h"
#include "base/clock.h"

enum { STRIKES_EACH = 10, STRIKES_ALL = 100, STRIKES_TABLE = 1024 };

struct strikes;

struct strikes *strikes_new(const struct clock *clock); /* borrowed */
void            strikes_free(struct strikes *strikes);  /* NULL is fine */

/* 0: an attempt from there may be made, and counts as wrong until strikes_forgive().  Else in how
 * many seconds. */
unsigned strikes_take(struct strikes *strikes, const struct addr *from) MUST_CHECK;
void     strikes_forgive(struct strikes *strikes, const struct addr *from);
/* The same question of the address alone, without taking: 0 or seconds. */
unsigned strikes_wait_s(const struct strikes *strikes, const struct addr *from);

#endif
