#include "probe/tables/tables_record.h"

#include "base/clock.h"
#include "base/text.h"
#include "probe/conn_probe.h"
#include "probe/greeting_record.h"
#include "probe/refusal.h"
#include "probe/reply_json.h"
#include "probe/tables/tables_dialog.h"
#include "probe/tls/tls_record.h"

#include <string.h>

/* It serves the same protocol under the same kind of name [storage-table-errors]. */
static bool
is_storage(const struct reply *reply)
{
	return text_starts_nocase(reply->server, "Windows-Azure-Table") ||
	    text_starts_nocase(reply->server, "Windows-Azure-Blob") ||
	    (reply_is_xml(reply) && reply->request_id[0] != '\0');
}

static bool
is_redirect(const struct reply *reply)
{
	return reply->status >= 300 && reply->status < 400;
}

static bool
is_front_end(const struct reply *reply, enum reply_form form)
{
	if (is_storage(reply) || is_redirect(reply))
		return false;
	if (form == REPLY_ODATA)
		return true;
	return reply->request_id[0] != '\0' && form != REPLY_GATEWAY && !reply_is_html(reply) &&
	    !reply_is_xml(reply);
}

/* What a front end says to a request without authorization is documented nowhere: 401 and 403 are
 * both taken, the latter where it speaks of authorization. */
static bool
wants_login(const struct reply *reply, const struct reply_error *error)
{
	if (reply->status == 401)
		return true;
	return reply->status == 403 &&
	    (text_starts_nocase(error->code, "Auth") ||
	        text_starts_nocase(error->code, "Unauthorized") ||
	        text_find_nocase(error->message, "authorization header") != NULL);
}

static const char *
describe_stranger(const struct reply *reply, enum reply_form form)
{
	if (is_storage(reply))
		return "this is Azure Storage, not Cosmos DB";
	if (is_redirect(reply))
		return reply_stranger(reply);
	if (form == REPLY_GATEWAY)
		return arena_printf(reply->arena,
		    "status %u with a JSON error that is not of the Table API: a gateway of "
		    "another API",
		    reply->status);
	if (reply_is_xml(reply))
		return arena_printf(
		    reply->arena, "status %u with an XML body: not Cosmos DB", reply->status);
	return reply_stranger(reply);
}

static void
record_error(
    struct greeting *greeting, const struct reply *reply, const struct reply_error *error)
{
	struct arena *arena = reply->arena;

	greeting_record_error(greeting, error, arena);
	greeting->request_id = refusal_activity_id(error->message, arena);
	if (is_front_end(reply, error->form)) {
		greeting->outcome = OUTCOME_OK;
		greeting->wants_login = wants_login(reply, error);
		greeting->detail = "";
	} else {
		greeting->outcome = OUTCOME_HTTP_OTHER;
		greeting->detail = describe_stranger(reply, error->form);
	}
}

static void
record_answer(struct greeting *greeting, const struct reply *reply)
{
	struct reply_error error;

	reply_error_read(&error, reply->body, reply->body_bytes, reply->arena);
	if (is_storage(reply) || !greeting_record_rules(greeting, reply, &error))
		record_error(greeting, reply, &error);
	if (reply->request_id[0] != '\0')
		greeting->request_id = reply->request_id;
}

void
tables_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct tables_dialog *dialog, struct arena *arena)
{
	struct greeting *greeting;

	if (dialog == NULL) {
		tls_record(endpoint, seen, arena);
		return;
	}
	greeting = greeting_record(endpoint, seen, dialog->broken.text, arena);
	reply_record(&dialog->reply, greeting);
	if (greeting_record_has_answer(seen, &dialog->reply))
		record_answer(greeting, &dialog->reply);
}

/* The date is no measurement: the machine's own clock will do. */
static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct tables_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));
	int64_t               now_ms = clock_wall_ms(clock_system());

	dialog->reply.arena = ask->arena;
	return tables_spec_make(&dialog->spec, ask->host, now_ms, err) ? dialog : NULL;
}

static void
record_tables(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	tables_record(ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.dialog = &tables_ops,
	.spec = make_dialog,
	.record = record_tables,
};

static void *
start_tables(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_tables = {
	.name = "table",
	.start = start_tables,
	.cancel = conn_probe_cancel,
};
