/* feed_json: the documents of the chain [cosmos-address-feed]: account, lists, addresses.  Pure.
 *
 * Members that nobody knows are skipped; what is told is bounded before it is kept, and before a
 * tree is made of it.  A refusal is ERR_PARSE for what is no JSON, ERR_LIMIT for more than we take
 * and ERR_PEER for JSON that is another document.
 */
#ifndef PROBE_FEED_FEED_JSON_H
#define PROBE_FEED_FEED_JSON_H

#include "probe/feed/feed.h"

enum {
	FEED_REGIONS_MAX = 128,  /* as fields.def says */
	FEED_NAME_MAX = 1020,    /* bytes: 255 characters of a name */
	FEED_RANGE_MAX = 64,     /* bytes of the id of a range: fifty go into one request */
	FEED_BODY_MAX = 4 << 20, /* bytes */
};

/* The answer to GET /: account, multi_write and regions of *feed.  A location whose endpoint is
 * no URL keeps its name, and has no host. */
bool feed_json_account(struct feed *feed, const char *body, size_t count, struct arena *arena,
    struct err *err) MUST_CHECK;

/* Databases, containers or ranges. */
struct feed_item {
	const char
	    *id; /* as the service writes it: no control character, 1 to FEED_NAME_MAX bytes */
	const char *rid; /* its _rid; "" when absent */
};
struct feed_list {
	struct feed_item *items; /* in the arena */
	size_t            count, room;
	size_t            told;   /* all that stood there, kept or not */
	size_t            id_max; /* a longer id is not kept; 0: FEED_NAME_MAX */
};

/* Appends the elements of the array `member` ("Databases"), until there are `most`. */
bool feed_json_list(struct feed_list *list, const char *member, size_t most, const char *body,
    size_t count, struct arena *arena, struct err *err) MUST_CHECK;

/* The _rid of a container; refused unless it is one. */
bool feed_json_container(const char **rid, const char *body, size_t count, struct arena *arena,
    struct err *err) MUST_CHECK;

/* The rid of the database of a container: base64 of the first four of its eight bytes, where '-'
 * stands for '/'; NULL when rid is no container's. */
const char *feed_json_database_rid(const char *rid, struct arena *arena);

/* The address feed.  Replicas and the target sizes of their partitions, side by side. */
struct feed_addresses {
	struct feed_replica *replicas; /* in the arena */
	uint32_t            *targets;  /* likewise; 0: not told */
	size_t               count, room;
	size_t               told; /* entries for rntbd, good or bad */
	size_t               bad;  /* whose URI is none */
	const char          *why;  /* of the first bad one; NULL */
};

/* Appends. */
bool feed_json_addresses(struct feed_addresses *addresses, const char *body, size_t count,
    struct arena *arena, struct err *err) MUST_CHECK;

#endif
