#include "probe/gremlin/gremlin_record.h"

#include "base/text.h"
#include "probe/conn_probe.h"
#include "probe/gremlin/gremlin_dialog.h"
#include "probe/greeting_record.h"
#include "probe/refusal.h"
#include "probe/reply_json.h"
#include "probe/tls/tls_record.h"

#include <string.h>

/* Status codes of a response [tinkerpop-drivers]. */
enum {
	STATUS_SUCCESS = 200,
	STATUS_NO_CONTENT = 204,
	STATUS_PARTIAL = 206,
	STATUS_UNAUTHORIZED = 401,
	STATUS_FORBIDDEN = 403,
	STATUS_AUTHENTICATE = 407
};

enum { ERROR_TEXT_MAX = 255 };

static const char *
describe_status(uint32_t code, struct arena *arena)
{
	switch (code) {
	case STATUS_AUTHENTICATE:
	case STATUS_UNAUTHORIZED: return "";
	case STATUS_SUCCESS:
	case STATUS_NO_CONTENT:
	case STATUS_PARTIAL: return "it ran the request without a login";
	default:
		return arena_printf(
		    arena, "status %lu in band, not a wish for a login", (unsigned long)code);
	}
}

static void
record_status(
    struct greeting *greeting, const struct gremlin_status *status, struct arena *arena)
{
	const char *code = arena_printf(arena, "%lu", (unsigned long)status->code);
	const char *words = status->message;

	greeting->status = status->code;
	if (status->code == STATUS_FORBIDDEN || refusal_is_of_firewall(words)) {
		greeting_record_refusal(greeting, code, words, arena);
		greeting->detail = arena_printf(arena,
		    "status %lu in band: it refuses the request", (unsigned long)status->code);
	} else {
		greeting->outcome = OUTCOME_OK;
		greeting->error_code = status->code >= 400 ? code : "";
		greeting->error_text = text_sane(arena, words, strlen(words), ERROR_TEXT_MAX);
		greeting->wants_login = status->code == STATUS_AUTHENTICATE ||
		    status->code == STATUS_UNAUTHORIZED;
		greeting->detail = describe_status(status->code, arena);
		greeting->request_id = refusal_activity_id(words, arena);
	}
	if (status->activity[0] != '\0')
		greeting->request_id = status->activity;
}

static const char *
describe_answer(const struct reply *reply, enum reply_form form)
{
	if (form == REPLY_GATEWAY)
		return arena_printf(reply->arena,
		    "status %u with a JSON error: a gateway of another API, or none for "
		    "Gremlin",
		    reply->status);
	if (reply->status == 200 && !reply_is_html(reply))
		return "status 200 in place of 101: the host has no Gremlin front end, as an "
		       "emulator";
	return reply_stranger(reply);
}

/* An HTTP answer in place of the upgrade. */
static void
record_answer(struct greeting *greeting, const struct reply *reply, struct arena *arena)
{
	struct reply_error error;

	reply_error_read(&error, reply->body, reply->body_bytes, arena);
	greeting->outcome = OUTCOME_HTTP_OTHER;
	if (greeting_record_rules(greeting, reply, &error))
		return;
	greeting_record_error(greeting, &error, arena);
	greeting->detail = describe_answer(reply, error.form);
}

/* The 101 was good; what came after it was not. */
static void
record_upgraded(
    struct greeting *greeting, const struct gremlin_dialog *dialog, struct arena *arena)
{
	if (dialog->closed)
		greeting->outcome = OUTCOME_REFUSED_BY_PEER;
	greeting->detail = arena_printf(
	    arena, "upgraded to a WebSocket, then: %s", greeting->detail);
}

void
gremlin_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct gremlin_dialog *dialog, struct arena *arena)
{
	struct greeting *greeting;

	if (dialog == NULL) {
		tls_record(endpoint, seen, arena);
		return;
	}
	greeting = greeting_record(endpoint, seen, dialog->broken.text, arena);
	reply_record(&dialog->reply, greeting);
	if (dialog->status.code != 0)
		record_status(greeting, &dialog->status, arena);
	else if (dialog->state >= GREMLIN_ASK)
		record_upgraded(greeting, dialog, arena);
	else if (greeting_record_has_answer(seen, &dialog->reply))
		record_answer(greeting, &dialog->reply, arena);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct gremlin_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));
	uint8_t                nonce[WEBSOCKET_NONCE_BYTES], id[GREMLIN_ID_BYTES];

	digest_random(nonce, sizeof(nonce));
	digest_random(id, sizeof(id));
	dialog->arena = dialog->reply.arena = ask->arena;
	return gremlin_spec_make(&dialog->spec, ask->host, nonce, id, err) ? dialog : NULL;
}

static void
record_gremlin(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	gremlin_record(ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.dialog = &gremlin_ops,
	.spec = make_dialog,
	.record = record_gremlin,
};

static void *
start_gremlin(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_gremlin = {
	.name = "gremlin",
	.start = start_gremlin,
	.cancel = conn_probe_cancel,
};
