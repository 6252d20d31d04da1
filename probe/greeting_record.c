#include "probe/greeting_record.h"

#include "base/text.h"
#include "probe/conn.h"
#include "probe/refusal.h"
#include "probe/reply.h"
#include "probe/reply_json.h"
#include "probe/tls/tls_record.h"

#include <string.h>

enum { ERROR_TEXT_MAX = 255 };

struct greeting *
greeting_record(struct endpoint *endpoint, const struct conn_seen *seen, const char *broken,
    struct arena *arena)
{
	struct greeting *greeting = arena_alloc(arena, sizeof(*greeting));
	struct conn_seen stood = *seen;

	/* Once there is a dialogue, what went wrong did so in it. */
	if (seen->dialog != OUTCOME_NOT_RUN) {
		stood.detail = "";
		greeting->detail = seen->detail;
	}
	tls_record(endpoint, &stood, arena);
	greeting->outcome = seen->dialog;
	greeting->took_us = seen->dialog_us;
	if (seen->dialog == OUTCOME_BROKE_PROTOCOL)
		greeting->detail = arena_strdup(arena, broken);
	endpoint->greeting = greeting;
	return greeting;
}

void
greeting_record_refusal(
    struct greeting *greeting, const char *code, const char *words, struct arena *arena)
{
	greeting->outcome = OUTCOME_REFUSED_BY_PEER;
	greeting->error_code = code;
	greeting->error_text = text_sane(arena, words, strlen(words), ERROR_TEXT_MAX);
	greeting->request_id = refusal_activity_id(words, arena);
	greeting->path = refusal_path(words);
	/* In other words "IP" may be anybody's. */
	if (greeting->path != PATH_NOT_TOLD)
		greeting->seen_as = refusal_client(words, arena);
}

bool
greeting_record_has_answer(const struct conn_seen *seen, const struct reply *reply)
{
	return reply_is_ended(reply) &&
	    (seen->dialog == OUTCOME_OK || seen->dialog == OUTCOME_CLOSED);
}

bool
greeting_record_rules(
    struct greeting *greeting, const struct reply *reply, const struct reply_error *error)
{
	if (reply->status != 403 || !refusal_is_of_firewall(error->message))
		return false;
	greeting_record_refusal(greeting, error->code, error->message, reply->arena);
	greeting->detail = "the account's network rules refuse the request";
	return true;
}

void
greeting_record_error(
    struct greeting *greeting, const struct reply_error *error, struct arena *arena)
{
	greeting->error_code = error->code;
	greeting->error_text = text_sane(
	    arena, error->message, strlen(error->message), ERROR_TEXT_MAX);
}
