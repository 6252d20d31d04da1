#include "probe/mongo/mongo_answer.h"

#include "probe/mongo/mongo_bson.h"
#include "tests/fake/backend/bson.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* One document, and what is read of it. */
struct read {
	struct arena       *arena;
	struct wbuf         bytes;
	size_t              at;
	struct mongo_answer answer;
};

static struct wbuf *
begin(struct read *read)
{
	read->arena = arena_new();
	wbuf_init(&read->bytes);
	read->at = bson_open(&read->bytes, NULL);
	return &read->bytes;
}

static const struct mongo_answer *
read_it(struct read *read)
{
	struct mongo_reply reply;
	struct err         err = { ERR_NONE, "" };

	bson_close(&read->bytes, read->at);
	if (!mongo_bson_check(read->bytes.bytes, read->bytes.count, &reply.elements, &err))
		fail_msg("%s", err.text);
	mongo_answer_read(&read->answer, &reply, read->arena);
	wbuf_fini(&read->bytes);
	return &read->answer;
}

static void
end(struct read *read)
{
	arena_free(read->arena);
}

/* As recorded of the service. */
static void
test_recorded(void **state)
{
	static const char host[] = "contoso-germanywestcentral.mongo.cosmos.azure.com:10255";
	struct read       read;
	struct wbuf      *out = begin(&read);
	const struct mongo_answer *answer;
	size_t                     at;

	bson_put_bool(out, "ismaster", true);
	bson_put_int(out, "maxBsonObjectSize", 16777216);
	bson_put_int(out, "maxMessageSizeBytes", 48000000);
	bson_put_int(out, "maxWriteBatchSize", 1000);
	bson_put_date(out, "localTime", 1700000000000);
	bson_put_int(out, "logicalSessionTimeoutMinutes", 30);
	bson_put_int(out, "minWireVersion", 0);
	bson_put_int(out, "maxWireVersion", 18);
	bson_put_bool(out, "readOnly", false);
	at = bson_open(out, "tags");
	bson_put_text(out, "region", "Germany West Central");
	bson_close(out, at);
	bson_put_words(out, "hosts", host);
	bson_put_text(out, "setName", "globaldb");
	bson_put_int(out, "setVersion", 1);
	bson_put_text(out, "primary", host);
	bson_put_text(out, "me", host);
	bson_put_int(out, "ok", 1);
	answer = read_it(&read);
	assert_true(answer->ok);
	assert_true(answer->is_server);
	assert_int_equal(answer->wire_least, 0);
	assert_int_equal(answer->wire_most, 18);
	assert_string_equal(answer->set_name, "globaldb");
	assert_string_equal(answer->me, host);
	assert_string_equal(answer->hosts, host);
	assert_int_equal(answer->hosts_left, 0);
	assert_string_equal(answer->region, "Germany West Central");
	assert_int_equal(answer->code, 0);
	assert_string_equal(answer->words, "");
	end(&read);
}

static void
test_refusal(void **state)
{
	struct read                read;
	struct wbuf               *out = begin(&read);
	const struct mongo_answer *answer;

	bson_put_double(out, "ok", 0);
	bson_put_text(out, "errmsg", "not\nyet");
	bson_put_int(out, "code", 115);
	bson_put_text(out, "codeName", "CommandNotSupported");
	answer = read_it(&read);
	assert_false(answer->ok);
	assert_false(answer->is_server);
	assert_int_equal(answer->code, 115);
	assert_string_equal(answer->code_name, "CommandNotSupported");
	assert_string_equal(answer->words, "not?yet");
	end(&read);
}

static void
test_nothing(void **state)
{
	struct read                read;
	const struct mongo_answer *answer;

	begin(&read);
	answer = read_it(&read);
	assert_false(answer->ok);
	assert_false(answer->is_server);
	assert_string_equal(answer->set_name, "");
	assert_string_equal(answer->hosts, "");
	end(&read);
}

/* Numbers may be of any type, and "$err" is how old servers refuse. */
static void
test_other_types(void **state)
{
	struct read                read;
	struct wbuf               *out = begin(&read);
	const struct mongo_answer *answer;

	bson_put_double(out, "ok", 1);
	bson_put_bool(out, "isWritablePrimary", false);
	bson_put_long(out, "minWireVersion", -1);
	bson_put_double(out, "maxWireVersion", 6);
	bson_put_long(out, "code", 1LL << 40);
	bson_put_text(out, "$err", "old");
	answer = read_it(&read);
	assert_true(answer->ok);
	assert_true(answer->is_server);
	assert_int_equal(answer->wire_least, 0);
	assert_int_equal(answer->wire_most, 6);
	assert_int_equal(answer->code, 1LL << 40);
	assert_string_equal(answer->words, "old");
	end(&read);
}

static void
test_wrong_types(void **state)
{
	struct read                read;
	struct wbuf               *out = begin(&read);
	const struct mongo_answer *answer;

	bson_put_text(out, "ok", "1");
	bson_put_text(out, "ismaster", "true");
	bson_put_text(out, "maxWireVersion", "18");
	bson_put_text(out, "hosts", "a.example:1");
	bson_put_text(out, "tags", "region");
	bson_put_int(out, "setName", 1);
	bson_put_text(out, "code", "13");
	answer = read_it(&read);
	assert_false(answer->ok);
	assert_false(answer->is_server);
	assert_int_equal(answer->wire_most, 0);
	assert_string_equal(answer->hosts, "");
	assert_string_equal(answer->region, "");
	assert_string_equal(answer->set_name, "");
	assert_int_equal(answer->code, 0);
	end(&read);
}

#define LABEL63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
#define HOST253                             \
	LABEL63 "." LABEL63 "." LABEL63 "." \
	        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi"

static const struct hosts_case {
	const char *name, *words, *hosts;
	unsigned    left;
} hosts_cases[] = {
	{ "one", "a.example:10255", "a.example:10255", 0 },
	{ "three", "a:1 b-c_d:65535 E.F:27017", "a:1 b-c_d:65535 E.F:27017", 0 },
	{ "longest name", HOST253 ":1", HOST253 ":1", 0 },
	{ "one longer", HOST253 "j:1", "", 1 },
	{ "no port", "a.example b:1", "b:1", 1 },
	{ "empty port", "a.example: b:1", "b:1", 1 },
	{ "port 0", "a:0", "", 1 },
	{ "port 65536", "a:65536", "", 1 },
	{ "port of six digits", "a:000001", "", 1 },
	{ "no digits", "a:1b a:-1 a:+1", "", 3 },
	{ "no name", ":1 b:1", "b:1", 1 },
	{ "escape", "a\x1b[2J:1", "", 1 },
	{ "two colons", "a:1:2 [::1]:1", "", 2 },
	{ "empty", "", "", 1 },
};

static void
test_hosts(void **state)
{
	for (size_t i = 0; i < sizeof(hosts_cases) / sizeof(hosts_cases[0]); i++) {
		const struct hosts_case   *c = &hosts_cases[i];
		const struct mongo_answer *answer;
		struct read                read;

		print_message("%s\n", c->name);
		bson_put_words(begin(&read), "hosts", c->words);
		answer = read_it(&read);
		assert_string_equal(answer->hosts, c->hosts);
		assert_int_equal(answer->hosts_left, c->left);
		end(&read);
	}
}

/* A blank within a name would make two of it; a number is no host. */
static void
test_hosts_of_other_types(void **state)
{
	struct read                read;
	struct wbuf               *out = begin(&read);
	size_t                     at = bson_open_array(out, "hosts");
	const struct mongo_answer *answer;

	bson_put_int(out, "0", 1);
	bson_put_text(out, "1", "a b:1");
	bson_put_text(out, "2", "c:1");
	bson_close(out, at);
	answer = read_it(&read);
	assert_string_equal(answer->hosts, "c:1");
	assert_int_equal(answer->hosts_left, 2);
	end(&read);
}

static const struct many_case {
	const char *name, *host;
	unsigned    count, kept;
} many_cases[] = {
	{ "as many as we take", "a:1", 32, 32 }, { "one more", "a:1", 33, 32 },
	{ "a flood", "a:1", 1000, 32 },
	{ "long ones", HOST253 ":1", 32, 8 }, /* of 255 bytes and a blank, in 2048 */
};

static void
test_many_hosts(void **state)
{
	for (size_t i = 0; i < sizeof(many_cases) / sizeof(many_cases[0]); i++) {
		const struct many_case    *c = &many_cases[i];
		const struct mongo_answer *answer;
		struct read                read;
		struct wbuf               *out = begin(&read);
		size_t                     at = bson_open_array(out, "hosts");
		size_t                     length = strlen(c->host);

		print_message("%s\n", c->name);
		for (unsigned j = 0; j < c->count; j++)
			bson_put_text(out, "", c->host);
		bson_close(out, at);
		answer = read_it(&read);
		assert_int_equal(answer->hosts_left, c->count - c->kept);
		assert_int_equal(strlen(answer->hosts), c->kept * (length + 1) - 1);
		end(&read);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_other_types),
		cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_hosts_of_other_types),
		cmocka_unit_test(test_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
