/* feed_chain: the requests of the kind "feed", one after the other, without I/O.
 *
 * The request to make comes out, the answer goes in, until it is over; what was seen stands in
 * struct feed and struct feed_found then.  Every list of the service is read to a limit.
 */
#ifndef PROBE_FEED_FEED_CHAIN_H
#define PROBE_FEED_FEED_CHAIN_H

#include "probe/feed/feed.h"
#include "probe/feed/feed_request.h"
#include "probe/https/https_answer.h"

enum {
	FEED_PAGES_MAX = 16,    /* pages of one list */
	FEED_DATABASES_MAX = 16 /* databases that are looked into for a container */
};

struct feed_chain;

enum feed_next {
	FEED_ASK,  /* make feed_chain_request() */
	FEED_WAIT, /* the same again, but not before *wait_ms; whoever cannot wait is over */
	FEED_OVER
};

/* All are borrowed until the chain is no more used; it is in the arena.  found may be NULL. */
struct feed_chain *feed_chain_new(const struct feed_ask *ask, struct feed *feed,
    struct feed_found *found, struct arena *arena);

/* Valid after feed_chain_new(), and after FEED_ASK and FEED_WAIT. */
const struct feed_request *feed_chain_request(const struct feed_chain *chain);

/* An answer that came whole; wall_ms is our clock at that moment.  Borrowed for the call. */
enum feed_next feed_chain_hear(struct feed_chain *chain, const struct https_answer *answer,
    int64_t wall_ms, uint32_t *wait_ms);

/* There is no such answer: the end.  Its head may have come (NULL: not); detail lives as long as
 * the arena does. */
void feed_chain_break(struct feed_chain *chain, const struct https_answer *answer,
    enum outcome outcome, const char *detail);
/* Likewise, before a request was sent: the credential failed. */
void feed_chain_unsigned(struct feed_chain *chain, enum outcome outcome, const char *detail);

#endif
