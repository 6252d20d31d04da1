#include "probe/rntbd/rntbd_record.h"

#include "base/digest.h"
#include "probe/conn_probe.h"
#include "probe/rntbd/rntbd_dialog.h"
#include "probe/rntbd/rntbd_stage.h"
#include "probe/tls/tls_record.h"

#include <string.h>

enum { HEX_SHOWN_BYTES = 16 };

/* How long the first line is when it is text, else 0. */
static size_t
measure_line(const uint8_t *bytes, size_t count)
{
	size_t line = 0;

	while (line < count && bytes[line] >= 0x20 && bytes[line] <= 0x7e)
		line++;
	return line == count || bytes[line] == '\r' || bytes[line] == '\n' ? line : 0;
}

/* For what is no context response: its first line, or its first bytes in hex. */
static const char *
describe_first(const struct rntbd_dialog *dialog)
{
	size_t count = dialog->heard_bytes < RNTBD_FIRST_BYTES ? dialog->heard_bytes
	                                                       : RNTBD_FIRST_BYTES;
	size_t line = measure_line(dialog->first, count);
	char   hex[2 * HEX_SHOWN_BYTES + 1];

	if (line > 0)
		return arena_printf(
		    dialog->arena, "'%.*s'", (int)line, (const char *)dialog->first);
	digest_hex(dialog->first, count < HEX_SHOWN_BYTES ? count : HEX_SHOWN_BYTES, hex);
	return arena_strdup(dialog->arena, hex);
}

/* How far the peer came when the dialogue did not end by itself. */
static const char *
describe_progress(const struct rntbd_dialog *dialog)
{
	struct arena *arena = dialog->arena;
	size_t        body = dialog->heard_bytes - dialog->taken_bytes;

	if (dialog->heard_bytes == 0)
		return "no byte of the context response came";
	if (dialog->answered && dialog->wanted_bytes == 0)
		return arena_printf(arena,
		    "status %u, and %zu bytes of the 4 that tell the length of its error body",
		    dialog->answer.status, body);
	if (dialog->answered)
		return arena_printf(arena,
		    "status %u, and %zu of the %u bytes of its error body",
		    dialog->answer.status, body - 4, dialog->wanted_bytes);
	if (dialog->wanted_bytes == 0 || dialog->heard_bytes < RNTBD_HEAD_BYTES)
		return arena_printf(arena, "%zu of the %d bytes of its head came: %s",
		    dialog->heard_bytes, RNTBD_HEAD_BYTES, describe_first(dialog));
	return arena_printf(arena, "%zu of the %u bytes of the context response came",
	    dialog->heard_bytes, dialog->wanted_bytes);
}

static const char *
describe_broken(const struct rntbd_dialog *dialog)
{
	if (dialog->answered)
		return arena_strdup(dialog->arena, dialog->broken.text);
	return arena_printf(dialog->arena, "%s; it begins with %s", dialog->broken.text,
	    describe_first(dialog));
}

static const char *
describe_refusal(const struct rntbd_dialog *dialog)
{
	const struct rntbd_answer *answer = &dialog->answer;

	if (answer->thumbprint[0] != '\0')
		return arena_printf(dialog->arena,
		    "the back end refuses with status %u, and the client certificate %s",
		    answer->status, answer->thumbprint);
	return arena_printf(
	    dialog->arena, "the back end refuses with status %u", answer->status);
}

static const char *
describe(const struct replica *replica, const struct conn_seen *seen,
    const struct rntbd_dialog *dialog)
{
	switch ((enum outcome)replica->context) {
	case OUTCOME_NOT_RUN:
	case OUTCOME_OK: return "";
	case OUTCOME_REFUSED_BY_PEER: return describe_refusal(dialog);
	case OUTCOME_BROKE_PROTOCOL: return describe_broken(dialog);
	case OUTCOME_CLOSED:
		if (dialog->heard_bytes == 0)
			return arena_printf(dialog->arena,
			    "closed without a word on the context request: %s", seen->detail);
		break;
	default: break;
	}
	return arena_printf(dialog->arena, "%s; %s", seen->detail, describe_progress(dialog));
}

static void
fill_answer(struct replica *replica, const struct rntbd_answer *answer)
{
	replica->status = answer->status;
	replica->server_agent = answer->server_agent;
	replica->server_version = answer->server_version;
	replica->protocol_version = answer->protocol_version;
	replica->client_version = answer->client_version;
	replica->idle_timeout_s = answer->idle_timeout_s;
	replica->unauthenticated_timeout_s = answer->unauthenticated_timeout_s;
	replica->error_code = answer->error_code;
	replica->error_text = answer->error_text;
}

/* What went wrong behind the handshake is the context's, not the connection's. */
static void
fill_endpoint(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena)
{
	const char *before = endpoint->detail;

	tls_record(endpoint, seen, arena);
	if (seen->tls == OUTCOME_OK) {
		endpoint->detail = before;
		endpoint->os_errno = 0;
	}
}

void
rntbd_record(struct replica *replica, struct endpoint *endpoint, const struct conn_seen *seen,
    const struct rntbd_dialog *dialog, struct arena *arena)
{
	fill_endpoint(endpoint, seen, arena);
	replica->end = endpoint;
	replica->context = seen->dialog;
	replica->context_us = seen->dialog_us;
	if (dialog != NULL && dialog->answered) {
		fill_answer(replica, &dialog->answer);
		replica->trailing = dialog->trailing;
		if (seen->dialog == OUTCOME_OK && dialog->answer.refuses)
			replica->context = OUTCOME_REFUSED_BY_PEER;
	}
	replica->detail = describe(replica, seen, dialog);
	rntbd_stage(replica);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct rntbd_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));
	uint8_t              random[RNTBD_ID_BYTES];

	dialog->arena = ask->arena;
	digest_random(random, sizeof(random));
	return rntbd_spec_make(&dialog->spec, ask->host, &ask->peer, random, err) ? dialog
	                                                                          : NULL;
}

static void
record_rntbd(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	rntbd_record(ask->replica, ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.dialog = &rntbd_ops,
	.spec = make_dialog,
	.record = record_rntbd,
};

static void *
start_rntbd(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_rntbd = {
	.name = "rntbd",
	.start = start_rntbd,
	.cancel = conn_probe_cancel,
};
