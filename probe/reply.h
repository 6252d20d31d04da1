/* reply: one HTTP/1 answer, head and body, as it comes over a conn; and who may have given it.
 *
 * Shared by the dialogues that speak HTTP themselves (gremlin, tables); the kind https has libcurl.
 * It keeps the beginning of the body, which is all that is ever read of it, and copies everything
 * into the arena, since conn's bytes move.
 */
#ifndef PROBE_REPLY_H
#define PROBE_REPLY_H

#include "probe/head.h"
#include "proto/record.h"

/* No error of a service is larger than what is kept; interim answers come before the answer
 * [rfc9110 15.2]. */
enum { REPLY_BODY_MAX = 16 * 1024, REPLY_TEXT_MAX = 255, REPLY_INTERIMS_MAX = 8 };

enum reply_state { REPLY_HEAD, REPLY_BODY, REPLY_CHUNK_HEAD, REPLY_TRAILER, REPLY_WHOLE };

/* All zero before the first reply_hear(), but for the arena. */
struct reply {
	struct arena     *arena; /* borrowed; outlives us */
	enum reply_state  state;
	unsigned          interims;
	unsigned          status, minor; /* 0: no head yet */
	enum head_framing framing;
	uint64_t          left; /* bytes of body, or of this chunk with its line end */
	char             *body; /* in the arena; decoded; NULL when there is none */
	size_t            body_bytes, body_room;
	bool cut; /* there was more of a body than is kept, and nobody waited for it */
	/* In the arena, sane, "" when absent. */
	const char *server, *content_type, *location, *request_id, *activity_id;
	const char *gateway_version;
};

/* Takes the head off in: HEAD_WHOLE once it is there, with *head for the fields that are not kept
 * here; interim answers but for 101 are passed over. */
enum head_parse reply_hear_head(
    struct reply *reply, struct head *head, struct rcur *in, struct err *err) MUST_CHECK;
/* Head and body.  A body that ends with the connection is never whole: see reply_is_ended(). */
enum head_parse reply_hear(struct reply *reply, struct rcur *in, struct err *err) MUST_CHECK;

/* Whether the end of the connection is also that of the answer. */
bool reply_is_ended(const struct reply *reply);

bool reply_is_html(const struct reply *reply);
bool reply_is_xml(const struct reply *reply);

/* Who answers when it is not the service: redirect, portal, proxy, other server; in the arena. */
const char *reply_stranger(const struct reply *reply);

/* The answer's head as fields: status, server, request_id where it has one; and in front of the
 * detail of a dialogue that went wrong after it, that it had come.  outcome and detail are set. */
void reply_record(const struct reply *reply, struct greeting *greeting);

#endif
