/* https_answer: what an HTTP answer says about who gave it.  Pure: bytes in, fields out.
 *
 * OUTCOME_OK is said of one answer only, the one that a Cosmos DB gateway gives to GET / without
 * credentials [cosmos-unauthorized].  All of this is required:
 *   - status 401;
 *   - a body that is one JSON object with "code" equal to "Unauthorized" and a "message" that
 *     begins with "Required Header authorization is missing" (without case);
 *   - a header x-ms-gatewayversion or x-ms-activity-id that is not empty.
 * The headers alone prove nothing, and neither does the sentence: Azure's control plane sends
 * both kinds too.  What ties the answer to the account is that the certificate was verified for
 * the account's own name.  Server, Content-Type and Strict-Transport-Security are not required: a
 * service may change them and still be the service.
 *
 * Every other HTTP answer is OUTCOME_HTTP_OTHER, with http_detail saying what it looks like.
 */
#ifndef PROBE_HTTPS_HTTPS_ANSWER_H
#define PROBE_HTTPS_HTTPS_ANSWER_H

#include "base/arena.h"
#include "proto/record.h"

/* A longer x-ms-continuation is kept one byte longer than this, and is of no use. */
enum { HTTPS_CONTINUATION_MAX = 4096 };

struct https_answer {
	unsigned    status;       /* 0: no status line yet */
	const char *content_type; /* these in the arena; NULL: header absent */
	const char *server, *gateway_version, *activity_id, *location, *substatus;
	const char *retry_after, *retry_after_ms, *date, *continuation, *via;
	const char *proxy_hint; /* value of a header that only a proxy sends */
	const char *body;       /* borrowed; decoded of transfer codings, not NUL-terminated */
	size_t      body_bytes;
};

/* One line of the head as it arrives, with or without its line end.  A status line starts anew,
 * so that an interim answer leaves nothing behind [rfc9110 15.2]. */
void https_answer_line(
    struct https_answer *answer, struct arena *arena, const char *line, size_t count);

/* Fills the header fields of the endpoint: also for an answer that did not come whole. */
void https_answer_head(const struct https_answer *answer, struct endpoint *endpoint);

/* Whether a header stands there that the service alone sends. */
bool https_answer_is_marked(const struct https_answer *answer);
/* How long it asks to wait; 0: it does not. */
uint32_t https_answer_retry_after_ms(const struct https_answer *answer);
uint32_t https_answer_substatus(const struct https_answer *answer); /* 0: none */

/* For an answer that came whole: fills http, error_*, path, seen_as, http_detail. */
void https_answer_judge(
    const struct https_answer *answer, struct arena *arena, struct endpoint *endpoint);

#endif
