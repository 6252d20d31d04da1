/* direct_pick: from the replicas that were told to the addresses that are tried.  Pure.
 *
 * An account has thousands of replicas and a measurement tries a few: the fewest that cover every
 * host, then every partition, then as many different ports as there is room for.
 */
#ifndef PROBE_DIRECT_PICK_H
#define PROBE_DIRECT_PICK_H

#include "probe/feed/feed.h"

/* A host and port, with all the replicas that share them. */
struct direct_spot {
	const char *host; /* borrowed from the first replica, as it was told */
	uint16_t    port;
	enum origin origin;
	bool        primary;  /* of one of its partitions */
	uint32_t    replicas; /* that share it */
	const char
	    *partitions; /* "0 3 M"; whole ids up to 255 bytes, then "..."; in the arena */
};

struct direct_spots {
	struct direct_spot *spots;  /* in the arena; those to try first */
	size_t              count;  /* distinct */
	size_t              picked; /* the first so many are to be tried */
};

/* At most `most` are picked.  Stable: what is told in the same order is picked alike. */
void direct_pick(struct arena *arena, const struct feed_found *found, enum origin origin,
    size_t most, struct direct_spots *picked);

/* Which target a pasted address is for: the host is the target's own, or one of the service's in
 * the target's region ("cdb-ms-prod-westeurope1-fd2.documents.azure.com"), or, for an account of
 * which no region is known, any of the two [rntbd-sdk]. */
bool direct_is_for(const struct rntbd_uri *uri, const struct target *target);

/* The port number `at` of a sample on this host: half of them in 10000 to 20000, where public
 * endpoints have theirs, the others below and above [cosmos-connection-modes].  The same each
 * time, and other ones for another host. */
uint16_t direct_sample_port(const char *host, unsigned at);

#endif
