/* measure: one run of one target: which probes, in which order, into one measurement.
 *
 * Every resolver is asked for the name at the same time, and beside them the system as an
 * application would; as soon as an address is known, each distinct one is tried as the target's
 * mode wants it, but for those that only Azure's own server knows, when it is asked beside others:
 * no client would connect there.
 *
 *    gateway     a tls and an https probe side by side; with credentials, at the first address a
 *                signed request too
 *    direct      what direct.h does, at the addresses of the first answer
 *    gateway-v2  a thin probe
 *
 * Where a resolver outside is named, a configured name's public address is tried beside (negative.h).
 * One deadline covers all.  It judges nothing.
 */
#ifndef PROBE_MEASURE_H
#define PROBE_MEASURE_H

#include "probe/probe.h"

enum { MEASURE_VANTAGES_MAX = 9 };

struct direct_means;
struct measure;

/* A server to ask, and why. */
struct measure_vantage {
	struct addr resolver; /* with port */
	enum source source;
};

struct measure_ask {
	const struct target          *target;   /* borrowed until on_over() has returned */
	const struct measure_vantage *vantages; /* borrowed likewise */
	size_t vantage_count; /* at most MEASURE_VANTAGES_MAX; 0 only with system */
	bool   system;        /* ask getaddrinfo() too; its view comes last in seen->dns */
	bool   tcp_too;       /* ask each server over TCP as well */
	/* Servers outside of this network, with ports: what they say, and what is met at the public
	 * address, goes into seen->outside (negative.h).  Borrowed likewise; at most
	 * NEGATIVE_RESOLVERS_MAX. */
	const struct addr *outside;
	size_t             outside_count;
	/* Credentials and addresses: a gateway is then asked with a signature too, and a target of
	 * Direct mode has something to try.  NULL: none.  Borrowed; outlives the measurement. */
	const struct direct_means *means;
	const char                *proxy;    /* for the record's `proxy`; NULL: none */
	int64_t                    limit_ms; /* for the whole measurement, > 0 */
	struct arena              *arena; /* the measurement is allocated here; outlives it */
	/* Last thing that happens; what is in the arena, with its own copy of the target. */
	void (*on_over)(void *arg, struct measurement *seen);
	void *arg;
};

/* What is known before anything was asked: a copy of the target, the time, and who is to be asked
 * (room for one more view with `system`).  All in the arena. */
struct measurement *measure_blank(const struct measure_ask *ask, const struct clock *clock);

/* Returns at once; on_over() is called from the loop, once unless cancelled. */
struct measure *measure_start(struct probes *probes, const struct measure_ask *ask);
void            measure_cancel(struct measure *measure); /* NULL is fine; no callback after */

#endif
