#include "probe/mongo/mongo_record.h"

#include "base/text.h"
#include "probe/conn_probe.h"
#include "probe/greeting_record.h"
#include "probe/mongo/mongo_dialog.h"
#include "probe/refusal.h"

/* Error codes of the server [mongo-errors]. */
enum { CODE_UNAUTHORIZED = 13, CODE_COMMAND_NOT_SUPPORTED = 115 };

/* "isMaster is refused: Unauthorized (13)" */
static const char *
describe_refusal(const char *question, const struct mongo_answer *answer, struct arena *arena)
{
	return arena_printf(arena, "%s is refused: %s (%lld)", question,
	    answer->code_name[0] != '\0' ? answer->code_name : "error",
	    (long long)answer->code);
}

static void
record_refusal(struct greeting *greeting, const char *question,
    const struct mongo_answer *answer, struct arena *arena)
{
	greeting_record_refusal(greeting, arena_printf(arena, "%lld", (long long)answer->code),
	    answer->words, arena);
	greeting->detail = describe_refusal(question, answer, arena);
}

static bool
is_of_firewall(const struct mongo_answer *answer)
{
	return answer->code == CODE_UNAUTHORIZED && refusal_is_of_firewall(answer->words);
}

static bool
wants_login(const struct mongo_answer *answer)
{
	return (answer->code == CODE_UNAUTHORIZED ||
	           answer->code == CODE_COMMAND_NOT_SUPPORTED) &&
	    text_find_nocase(answer->words, "authentication") != NULL;
}

static void
record_hello(struct greeting *greeting, const struct mongo_answer *hello, struct arena *arena)
{
	if (hello->ok)
		return;
	greeting->hello_code = hello->code > 0 && hello->code <= INT32_MAX
	    ? (uint32_t)hello->code
	    : UINT32_MAX; /* refused, by a code that is none */
	greeting->wants_login = wants_login(hello);
	if (is_of_firewall(hello))
		record_refusal(greeting, "hello", hello, arena);
	else
		greeting->detail = describe_refusal("hello", hello, arena);
}

/* isMaster was answered, so the front end stands; what became of hello is told beside. */
static void
record_without_hello(struct greeting *greeting, const struct mongo_dialog *dialog,
    const struct conn_seen *seen, struct arena *arena)
{
	const char *why = greeting->detail;

	greeting->outcome = OUTCOME_OK;
	if (!dialog->asked_hello)
		greeting->detail = arena_printf(arena,
		    "hello was not asked: wire version %lu has no OP_MSG",
		    (unsigned long)dialog->ismaster.wire_most);
	else
		greeting->detail = arena_printf(
		    arena, "hello: %s, %s", outcome_name(seen->dialog), why);
}

static void
record_ismaster(
    struct greeting *greeting, const struct mongo_answer *ismaster, struct arena *arena)
{
	greeting->wire_least = ismaster->wire_least;
	greeting->wire_most = ismaster->wire_most;
	greeting->set_name = ismaster->set_name;
	greeting->hosts = ismaster->hosts;
	greeting->region = ismaster->region;
}

/* A driver would go to them, and the record does not name them. */
static void
note_hosts(struct greeting *greeting, const struct mongo_answer *ismaster, struct arena *arena)
{
	if (ismaster->hosts_left > 0)
		greeting->detail = arena_printf(arena, "%s%s%u of the hosts left out",
		    greeting->detail, greeting->detail[0] != '\0' ? "; " : "",
		    ismaster->hosts_left);
}

void
mongo_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct mongo_dialog *dialog, struct arena *arena)
{
	const struct mongo_answer *ismaster = &dialog->ismaster;
	struct greeting *greeting = greeting_record(endpoint, seen, dialog->broken.text, arena);

	if (!dialog->knows)
		return;
	if (!ismaster->ok) {
		record_refusal(greeting, "isMaster", ismaster, arena);
		return;
	}
	record_ismaster(greeting, ismaster, arena);
	if (dialog->knows_hello)
		record_hello(greeting, &dialog->hello, arena);
	else
		record_without_hello(greeting, dialog, seen, arena);
	note_hosts(greeting, ismaster, arena);
}

static void *
make_dialog(const struct probe_ask *ask, struct err *err)
{
	struct mongo_dialog *dialog = arena_alloc(ask->arena, sizeof(*dialog));

	dialog->arena = ask->arena;
	return dialog;
}

static void
record_mongo(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	mongo_record(ask->endpoint, seen, self, ask->arena);
}

static const struct conn_recipe recipe = {
	.tls = true,
	.dialog = &mongo_ops,
	.spec = make_dialog,
	.record = record_mongo,
};

static void *
start_mongo(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_mongo = {
	.name = "mongo",
	.start = start_mongo,
	.cancel = conn_probe_cancel,
};
