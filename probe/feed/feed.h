/* feed: the kind "feed": what one gateway, at one address, tells to signed requests.
 *
 * The chain of GETs of an SDK that starts in Direct mode [cosmos-address-feed]: the account, and
 * when it is wanted databases, containers, partition key ranges and the addresses of their
 * replicas.  It only reads, asks the least that answers the question, and holds no secret: each
 * request is signed by a struct signer.  Every answer comes from the address under test, since
 * the service tells other replicas to who came another way.
 */
#ifndef PROBE_FEED_FEED_H
#define PROBE_FEED_FEED_H

#include "probe/probe.h"
#include "probe/rntbd/rntbd_uri.h"
#include "probe/signer.h"

/* How far to go. */
enum feed_depth {
	FEED_ACCOUNT,  /* GET / alone */
	FEED_ADDRESSES /* on to the addresses of replicas */
};

/* FEED_REPLICAS_MAX bounds what a gateway may tell; beyond it the feed is TOO_LARGE. */
enum { FEED_REPLICAS_MAX = 16384, FEED_RANGES_PRESET = 50 };

struct feed_ask {
	const char          *account; /* name, for the signer */
	const struct signer *signer;  /* borrowed; outlives the probe */
	enum feed_depth      depth;
	/* Whose addresses; "": the first that is listed, and for an account without any container
	 * the master partition. */
	const char *database, *container;
	unsigned
	     ranges_max; /* partition key ranges to ask for at most; 0: FEED_RANGES_PRESET */
	bool refresh;    /* x-ms-force-refresh: after a dead replica, and only then */
};

/* One replica of the feed. */
struct feed_replica {
	struct rntbd_uri uri;
	const char      *partition; /* id of its partition key range; "M": the master's */
};

/* In the order of the feed. */
struct feed_found {
	struct feed_replica *replicas; /* in the arena of the ask */
	size_t               count;
};

extern const struct probe_kind probe_feed;

#endif
