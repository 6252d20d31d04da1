/* measure: one run of one target: which probes, in which order, into one measurement.
 *
 * Every resolver is asked for the name at the same time; as soon as an address is known, each
 * distinct one gets a tls and an https probe side by side.  One deadline covers all.  It judges
 * nothing.
 */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include "probe/probe.h"

enum { MEASURE_RESOLVERS_MAX = 8 };

struct measure;

struct measure_ask {
	const struct target *target;         /* borrowed until on_over() has returned */
	const struct addr   *resolvers;      /* borrowed likewise; with ports */
	size_t               resolver_count; /* 1 to MEASURE_RESOLVERS_MAX */
	int64_t              limit_ms;       /* for the whole measurement, > 0 */
	struct arena        *arena; /* the measurement is allocated here; outlives it */
	/* Last thing that happens; what is in the arena, with its own copy of the target. */
	void (*on_over)(void *arg, struct measurement *seen);
	void *arg;
};

/* Returns at once; on_over() is called from the loop, once unless cancelled. */
struct measure *measure_start(struct probes *probes, const struct measure_ask *ask);
void            measure_cancel(struct measure *measure); /* NULL is fine; no callback after */

#endif
