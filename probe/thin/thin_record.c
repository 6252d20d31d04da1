#include "probe/thin/thin_record.h"

#include "probe/conn_probe.h"
#include "probe/thin/thin_dialog.h"
#include "probe/tls/tls_record.h"

#include <string.h>

static const char wanted_alpn[] = "h2"; /* HTTP/2 over TLS [rfc9113 3.2] */

/* What a server says that speaks nothing of what was offered [rfc7301 3.2]. */
enum { ALERT_NO_PROTOCOL = 120 };

/* The two answers that the proxy itself gives [cosmos-thin-client]. */
enum { STATUS_READY = 200, STATUS_SWITCHED_OFF = 503 };

/* An answer is judged by its status; else the dialogue knows more than conn of why it broke. */
static enum outcome
judge(const struct conn_seen *seen, const struct thin_dialog *dialog)
{
	if (seen->dialog == OUTCOME_OK)
		return dialog->status == STATUS_READY ? OUTCOME_OK : OUTCOME_HTTP_OTHER;
	return dialog->how != OUTCOME_NOT_RUN ? dialog->how : seen->dialog;
}

static const char *
describe_status(uint32_t status, struct arena *arena)
{
	if (status == STATUS_READY)
		return "";
	if (status == STATUS_SWITCHED_OFF)
		return "reachable, switched off for this federation";
	return arena_printf(arena, "status %u, %d wanted", status, STATUS_READY);
}

/* How far the peer came before it went silent or away. */
static const char *
describe_progress(const struct thin_dialog *dialog, struct arena *arena)
{
	const char *goodbye = dialog->goodbye != NULL ? dialog->goodbye : "";
	const char *comma = dialog->goodbye != NULL ? ", " : "";

	if (dialog->status != 0)
		return arena_printf(arena, "status %u%s%s, and no end of the answer",
		    dialog->status, comma, goodbye);
	if (dialog->settled)
		return arena_printf(
		    arena, "SETTINGS%s%s, and no answer to the request", comma, goodbye);
	return "nothing of HTTP/2 came";
}

static const char *
describe(const struct conn_seen *seen, const struct thin_dialog *dialog, struct arena *arena)
{
	if (seen->dialog == OUTCOME_OK)
		return describe_status(dialog->status, arena);
	if (dialog->how != OUTCOME_NOT_RUN)
		return dialog->detail;
	if (strcmp(seen->facts.alpn, wanted_alpn) != 0)
		return arena_printf(arena, "no HTTP/2: %s", seen->detail);
	if (seen->dialog == OUTCOME_AGENT_LATE)
		return seen->detail;
	return arena_printf(arena, "%s: %s", seen->detail, describe_progress(dialog, arena));
}

void
thin_record(struct thin *thin, const struct conn_seen *seen, const struct thin_dialog *dialog,
    struct arena *arena)
{
	thin->alpn = seen->facts.alpn;
	thin->outcome = OUTCOME_NOT_RUN;
	if (seen->tls == OUTCOME_TLS_FAILED && seen->facts.alert == ALERT_NO_PROTOCOL) {
		thin->outcome = OUTCOME_BROKE_PROTOCOL;
		thin->detail = "no HTTP/2: the peer does not take h2 in the handshake";
	}
	if (dialog == NULL || seen->dialog == OUTCOME_NOT_RUN)
		return;
	thin->outcome = judge(seen, dialog);
	thin->status = dialog->status;
	thin->wait_us = seen->dialog_us;
	thin->detail = describe(seen, dialog, arena);
}

/* What went wrong behind the handshake is the request's, not the connection's. */
static void
record_connection(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena)
{
	struct conn_seen connection = *seen;

	if (seen->dialog != OUTCOME_NOT_RUN) {
		connection.detail = "";
		connection.os_errno = 0;
	}
	tls_record(endpoint, &connection, arena);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct thin_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));

	dialog->arena = ask->arena;
	return thin_spec_make(&dialog->spec, ask->host, ask->peer.port, ask->arena, err)
	    ? dialog
	    : NULL;
}

static void
free_dialog(void *self)
{
	thin_dialog_fini(self);
}

static void
record_thin(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	record_connection(ask->endpoint, seen, ask->arena);
	thin_record(ask->thin, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.alpn = wanted_alpn,
	.dialog = &thin_ops,
	.spec = make_dialog,
	.fini = free_dialog,
	.record = record_thin,
};

static void *
start_thin(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_thin = {
	.name = "thin",
	.start = start_thin,
	.cancel = conn_probe_cancel,
};
