#include "probe/cassandra/cassandra_record.h"

#include "probe/cassandra/cassandra_dialog.h"
#include "probe/conn_probe.h"
#include "probe/greeting_record.h"

/* [cql-protocol 9] */
enum {
	CODE_SERVER = 0x0000,
	CODE_PROTOCOL = 0x000a,
	CODE_BAD_CREDENTIALS = 0x0100,
	CODE_OVERLOADED = 0x1001,
	CODE_IS_BOOTSTRAPPING = 0x1002,
	CODE_UNAUTHORIZED = 0x2100
};

static const char *
name_code(uint32_t code)
{
	switch (code) {
	case CODE_SERVER: return "server error";
	case CODE_PROTOCOL: return "protocol error";
	case CODE_BAD_CREDENTIALS: return "bad credentials";
	case CODE_OVERLOADED: return "overloaded";
	case CODE_IS_BOOTSTRAPPING: return "is bootstrapping";
	case CODE_UNAUTHORIZED: return "unauthorized";
	default: return "error";
	}
}

static void
record_refusal(
    struct greeting *greeting, const struct cassandra_dialog *dialog, struct arena *arena)
{
	const char   *request = dialog->supported_heard ? "STARTUP" : "OPTIONS";
	unsigned long code = dialog->error.code;

	greeting_record_refusal(
	    greeting, arena_printf(arena, "0x%04lX", code), dialog->error.words, arena);
	greeting->detail = arena_printf(
	    arena, "%s is refused: %s (0x%04lX)", request, name_code(dialog->error.code), code);
}

void
cassandra_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct cassandra_dialog *dialog, struct arena *arena)
{
	struct greeting *greeting = greeting_record(endpoint, seen, dialog->broken.text, arena);

	if (dialog->supported_heard) {
		greeting->versions = dialog->supported.versions;
		greeting->compression = dialog->supported.compression;
	}
	if (dialog->authenticator != NULL) {
		greeting->authenticator = dialog->authenticator;
		greeting->wants_login = true;
	}
	if (dialog->refused)
		record_refusal(greeting, dialog, arena);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct cassandra_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));

	dialog->arena = ask->arena;
	return dialog;
}

static void
record_cassandra(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	cassandra_record(ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.dialog = &cassandra_ops,
	.spec = make_dialog,
	.record = record_cassandra,
};

static void *
start_cassandra(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_cassandra = {
	.name = "cassandra",
	.start = start_cassandra,
	.cancel = conn_probe_cancel,
};
