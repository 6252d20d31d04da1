/* feed_request: the GETs of the chain [cosmos-address-feed]: what is sent, and what is signed.
 *
 * Pure.  A name is percent-encoded in the path and stands as it is in what is signed; an rid is
 * signed alone and in lower case [cosmos-signing].
 */
#ifndef PROBE_FEED_FEED_REQUEST_H
#define PROBE_FEED_FEED_REQUEST_H

#include "base/arena.h"

/* One GET; texts live in the arena, or are constant. */
struct feed_request {
	const char *target;       /* as it is sent */
	const char *type, *link;  /* for the signer */
	const char *continuation; /* x-ms-continuation; NULL: none */
	bool        thin;         /* x-ms-cosmos-use-thinclient */
	bool        refresh;      /* x-ms-force-refresh */
};

struct feed_request feed_request_account(void);
struct feed_request feed_request_databases(void);
struct feed_request feed_request_containers(struct arena *arena, const char *database);
struct feed_request feed_request_container(
    struct arena *arena, const char *database, const char *container);
struct feed_request feed_request_ranges(
    struct arena *arena, const char *database, const char *container);

/* rid: of the container, which feed_json_container() has found good; ids: of ranges, comma
 * between. */
struct feed_request feed_request_addresses(
    struct arena *arena, const char *rid, const char *ids);
/* Of the master partition, which every account has. */
struct feed_request feed_request_master(void);

/* "dbs/x/colls/y", not encoded. */
const char *feed_request_link(struct arena *arena, const char *database, const char *container);

#endif
