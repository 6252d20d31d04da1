/* direct: what a target of Direct mode asks beside DNS: where its replicas are, and whether they
 * answer.
 *
 * Addresses come from the feed of the gateway that the target's name leads to, or from a person
 * who pasted them; each that is picked gets an rntbd probe.  Without either, ports may be sampled:
 * then TCP and TLS alone are tried, slowly, and nothing is shown of RNTBD.  It judges nothing.
 */
#ifndef PROBE_DIRECT_H
#define PROBE_DIRECT_H

#include "probe/feed/feed.h"
#include "probe/measure.h"

enum {
	DIRECT_REPLICAS_PRESET = 16,
	DIRECT_REPLICAS_MAX = 128, /* what fits into one record */
	DIRECT_SAMPLE_MAX = 64
};

/* How addresses may be come by.  All is borrowed, and outlives what uses it. */
struct direct_means {
	const struct signer    *signer; /* NULL: no credentials */
	const struct rntbd_uri *pasted; /* of whatever account; each target takes its own */
	size_t                  pasted_count;
	const char *database, *container; /* whose addresses; "": see struct feed_ask */
	unsigned    sample_ports;         /* 0: no sample; at most DIRECT_SAMPLE_MAX */
	unsigned    replicas_max; /* to try; 0: the preset; at most DIRECT_REPLICAS_MAX */
};

struct direct_ask {
	const struct measure_ask *measure; /* target, arena, vantages, means */
	struct measurement       *seen;    /* gets origin, feed and replicas */
	const struct addr        *addrs; /* of the target's host, with its port; at least one */
	size_t                    addr_count;
	int64_t                   limit_ms; /* for all of it, > 0 */
	void (*on_over)(void *arg); /* last thing that happens; may call direct_free() */
	void *arg;
};

struct direct;

/* on_over() is called from the loop, once. */
struct direct *direct_start(struct probes *probes, const struct direct_ask *ask);
/* Ends in any state, also from on_over(); no callback after.  What was not over is recorded as
 * given up for want of time when `late` is set.  NULL is fine. */
void direct_free(struct direct *direct, bool late);

#endif
