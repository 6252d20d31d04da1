/* feed_secret: takes from a record what somebody echoed of our credential.
 *
 * A server, or whatever stands in its place, may quote our authorization header in the words of an
 * error; the record travels further than the request did.
 */
#ifndef PROBE_FEED_FEED_SECRET_H
#define PROBE_FEED_FEED_SECRET_H

#include "probe/feed/feed.h"
#include "proto/record.h"

/* Enough of a signature or token to know it again; the rest follows it wherever it stands. */
enum { FEED_SECRET_MARK = 24 };
struct feed_secret {
	char marks[2][FEED_SECRET_MARK + 1]; /* as sent, and decoded; "" matches nothing */
};

/* header: the value of `authorization`, URL-encoded or not. */
void feed_secret_note(struct feed_secret *secret, const char *header);
/* Whether the text, as it is or without case, holds what was noted. */
bool feed_secret_is_in(const struct feed_secret *secret, const char *text);
/* Puts other words in the place of each text of *feed that does. */
void feed_secret_withhold(const struct feed_secret *secret, struct feed *feed);
/* Drops each replica whose host, path or partition does, before it becomes a name to resolve; how
 * many. */
size_t feed_secret_drop(const struct feed_secret *secret, struct feed_found *found);

#endif
