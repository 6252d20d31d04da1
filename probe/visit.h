/* visit: one address of a name, tried as the target's API and mode want it.
 *
 * The one place that says which probes belong to which target.  It waits for all of them; it has
 * no deadline but theirs, and judges nothing.
 */
#ifndef PROBE_VISIT_H
#define PROBE_VISIT_H

#include "probe/probe.h"

enum { VISIT_PROBES_MAX = 2 };

struct visit {
	struct addr addr; /* with the target's port */
	struct endpoint
	    endpoint;     /* connection, handshake, and what the gateway or front end says */
	struct thin thin; /* Gateway V2 only */
	/* The rest is visit.c's. */
	struct probe *probes[VISIT_PROBES_MAX]; /* NULL: over */
	unsigned      pending;
	void (*on_over)(void *arg);
	void *arg;
};

struct visit_ask {
	const struct target *target; /* borrowed; outlives the visit */
	struct addr          addr;
	int64_t              limit_ms; /* > 0 */
	struct arena        *arena;
	void (*on_over)(void *arg); /* once, from the loop, when all probes are over */
	void *arg;
};

/* Whether there are probes for the API in that mode; without them no visit may be started. */
bool visit_knows(uint32_t api, uint32_t mode);

/* In the arena of the ask. */
struct visit *visit_start(struct probes *probes, const struct visit_ask *ask);
/* No callback after.  What was not over is recorded as given up because of `why`; NULL: as it
 * stands. */
void visit_cancel(struct visit *visit, const char *why);
/* One of its probes ended because our own loop was late. */
bool visit_was_late(const struct visit *visit);

#endif
