#include "probe/rntbd/rntbd_dialog.h"

#include "probe/rntbd/rntbd_json.h"
#include "tests/support/support_rntbd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { PEER_PORT = 14031 };

static const char host[] = "cdb-ms-prod-westus1-be169.documents.azure.com";

static struct addr
some_peer(void)
{
	return addr_from_bytes("\x0a\0\0\x05", 4, PEER_PORT);
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

static void
open_dialog(struct rntbd_dialog *dialog)
{
	struct addr peer = some_peer();

	memset(dialog, 0, sizeof(*dialog));
	dialog->arena = arena_new();
	assert_true(rntbd_spec_make(&dialog->spec, host, &peer, support_rntbd_id, NULL));
	/* The vectors' id is a version 4 GUID already, and stays what it is. */
	assert_memory_equal(dialog->spec.request.activity_id, support_rntbd_id, RNTBD_ID_BYTES);
}

/* What conn would do with so many bytes at a time; each offer stands in memory of its own size. */
static enum next
listen_to(struct rntbd_dialog *dialog, const uint8_t *bytes, size_t count, size_t stride)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	while (next == NEXT_HEAR && offered < count) {
		uint8_t    *copy;
		struct rcur in;

		offered = count - offered > stride ? offered + stride : count;
		copy = malloc(offered - taken + 1);
		in = rcur_of(memcpy(copy, bytes + taken, offered - taken), offered - taken);
		next = rntbd_ops.hear(dialog, &in);
		if (rcur_ok(&in))
			taken = offered - rcur_left(&in);
		free(copy);
	}
	return next;
}

static void
test_says(void **state)
{
	static const char   agent[] = "plprobe/" PLPROBE_VERSION;
	struct rntbd_dialog dialog;
	struct wbuf         out, wanted;

	open_dialog(&dialog);
	wbuf_init(&out);
	wbuf_init(&wanted);
	rntbd_ops.say(&dialog, &out);
	wbuf_u32le(&wanted, (uint32_t)(24 + 7 + 14 + 4 + strlen(agent)));
	wbuf_u32le(&wanted, 0);
	wbuf_put(&wanted, support_rntbd_id, sizeof(support_rntbd_id));
	wbuf_put(&wanted, "\0\0\x02\x01\0\0\0", 7);
	wbuf_put(&wanted, "\x01\0\x07\x0a", 4);
	wbuf_puts(&wanted, "2020-07-15");
	wbuf_put(&wanted, "\x02\0\x07", 3);
	wbuf_u8(&wanted, (uint8_t)strlen(agent));
	wbuf_puts(&wanted, agent);
	assert_int_equal(out.count, wanted.count);
	assert_memory_equal(out.bytes, wanted.bytes, wanted.count);
	wbuf_fini(&out);
	wbuf_fini(&wanted);
	arena_free(dialog.arena);
}

static const struct answer_case {
	enum support_rntbd  which;
	struct rntbd_answer answer;
} answer_cases[] = {
	{ SUPPORT_RNTBD_R1,
	    { 200, false, "DocumentDB Server", "version=2.14.0.0", "", "", 0, 120, 25, "",
	        "" } },
	{ SUPPORT_RNTBD_R2,
	    { 200, false, "RntbdServer", "version=2.14.0.0", "2020-07-15", "", 1, 120, 15, "",
	        "" } },
	{ SUPPORT_RNTBD_R3,
	    { 200, false, "DocumentDB Server", "version=2.14.0.0", "", "", 0, 0, 0, "", "" } },
	{ SUPPORT_RNTBD_E1,
	    { 400, true, "DocumentDB Server", "version=2.14.0.0", "2014-08-21", "", 1, 0, 0,
	        "BadRequest", "Unsupported protocol version" } },
};

static void
expect_answer(const struct rntbd_answer *answer, const struct rntbd_answer *wanted)
{
	assert_int_equal(answer->status, wanted->status);
	assert_int_equal(answer->refuses, wanted->refuses);
	assert_string_equal(answer->server_agent, wanted->server_agent);
	assert_string_equal(answer->server_version, wanted->server_version);
	assert_string_equal(answer->client_version, wanted->client_version);
	assert_string_equal(answer->thumbprint, wanted->thumbprint);
	assert_int_equal(answer->protocol_version, wanted->protocol_version);
	assert_int_equal(answer->idle_timeout_s, wanted->idle_timeout_s);
	assert_int_equal(answer->unauthenticated_timeout_s, wanted->unauthenticated_timeout_s);
	assert_string_equal(answer->error_code, wanted->error_code);
	assert_string_equal(answer->error_text, wanted->error_text);
}

/* Whatever the segments: from one byte each to all at once. */
static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];
		uint8_t                   bytes[SUPPORT_RNTBD_MAX];
		size_t                    count = support_rntbd_bytes(c->which, bytes);

		for (size_t stride = 1; stride <= count; stride++) {
			struct rntbd_dialog dialog;

			open_dialog(&dialog);
			assert_int_equal(listen_to(&dialog, bytes, count, stride), NEXT_DONE);
			expect_answer(&dialog.answer, &c->answer);
			assert_int_equal(dialog.heard_bytes, count);
			assert_false(dialog.trailing);
			assert_string_equal(dialog.broken.text, "");
			arena_free(dialog.arena);
		}
	}
}

/* Cut anywhere, it goes on waiting, and knows how far the peer came. */
static void
test_cut_short(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		uint8_t bytes[SUPPORT_RNTBD_MAX];
		size_t  whole = support_rntbd_bytes(answer_cases[i].which, bytes);
		size_t  frame = bytes[0];

		for (size_t count = 0; count < whole; count++) {
			for (size_t stride = 1; stride < 100; stride += 98) {
				struct rntbd_dialog dialog;

				open_dialog(&dialog);
				assert_int_equal(
				    listen_to(&dialog, bytes, count, stride), NEXT_HEAR);
				assert_int_equal(dialog.heard_bytes, count);
				assert_int_equal(dialog.answered, count >= frame);
				if (count < frame)
					assert_int_equal(
					    dialog.wanted_bytes, count < 4 ? 0 : frame);
				else
					assert_int_equal(dialog.wanted_bytes,
					    count < frame + 4 ? 0 : whole - frame - 4);
				arena_free(dialog.arena);
			}
		}
	}
}

static void
test_trailing(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		uint8_t             bytes[SUPPORT_RNTBD_MAX + 1];
		size_t              count = support_rntbd_bytes(answer_cases[i].which, bytes);
		struct rntbd_dialog dialog;

		bytes[count] = 'x';
		open_dialog(&dialog);
		assert_int_equal(listen_to(&dialog, bytes, count + 1, count + 1), NEXT_DONE);
		assert_true(dialog.trailing);
		expect_answer(&dialog.answer, &answer_cases[i].answer);
		arena_free(dialog.arena);
	}
}

/* Each of the 16 bytes counts, and so do they in a refusal. */
static void
test_wrong_echo(void **state)
{
	for (size_t at = 0; at < RNTBD_ID_BYTES; at++) {
		for (int which = SUPPORT_RNTBD_R1; which <= SUPPORT_RNTBD_E1; which += 3) {
			uint8_t bytes[SUPPORT_RNTBD_MAX];
			size_t  count = support_rntbd_bytes((enum support_rntbd)which, bytes);
			struct rntbd_dialog dialog;

			bytes[SUPPORT_RNTBD_ID_AT + at] ^= 0x01;
			open_dialog(&dialog);
			assert_int_equal(listen_to(&dialog, bytes, count, count), NEXT_BROKEN);
			assert_false(dialog.answered);
			expect_words(dialog.broken.text,
			    "asked was 8f3322cc-1786-4db4-9b97-b229c2c6f0aa");
			arena_free(dialog.arena);
		}
	}
}

static const struct broken_case {
	const char *name, *bytes;
	size_t      count;
	const char *words;
} broken_cases[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ "HTTP", BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), "speaks HTTP" },
	{ "TLS", BYTES("\x15\x03\x03\0\x02\x02\x28"), "TLS once more" },
	{ "oversized", BYTES("\xff\xff\xff\xff"), "4294967295 bytes" },
	{ "length 0", BYTES("\0\0\0\0\0\0\0\0"), "0 bytes, 24 to 65536" },
	{ "SSH", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), "a frame of 759714643 bytes" },
#undef BYTES
};

static void
test_broken(void **state)
{
	for (size_t i = 0; i < sizeof(broken_cases) / sizeof(broken_cases[0]); i++) {
		const struct broken_case *c = &broken_cases[i];

		print_message("%s\n", c->name);
		for (size_t stride = 1; stride <= c->count; stride++) {
			struct rntbd_dialog dialog;

			open_dialog(&dialog);
			assert_int_equal(
			    listen_to(&dialog, (const uint8_t *)c->bytes, c->count, stride),
			    NEXT_BROKEN);
			expect_words(dialog.broken.text, c->words);
			assert_memory_equal(dialog.first, c->bytes, 4);
			arena_free(dialog.arena);
		}
	}
}

static void
test_oversized_body(void **state)
{
	uint8_t             bytes[SUPPORT_RNTBD_MAX];
	size_t              count = support_rntbd_bytes(SUPPORT_RNTBD_E1, bytes);
	struct rntbd_dialog dialog;

	memset(bytes + bytes[0], 0xff, 4);
	open_dialog(&dialog);
	assert_int_equal(listen_to(&dialog, bytes, count, 1), NEXT_BROKEN);
	assert_true(dialog.answered);
	assert_int_equal(dialog.answer.status, 400);
	expect_words(dialog.broken.text, "a body of 4294967295 bytes");
	arena_free(dialog.arena);
}

/* What a peer says is made sane here, and nowhere else. */
static void
test_sane(void **state)
{
	uint8_t             bytes[SUPPORT_RNTBD_MAX];
	size_t              count = support_rntbd_bytes(SUPPORT_RNTBD_R1, bytes);
	struct rntbd_dialog dialog;

	bytes[28] = '\x1b';
	bytes[29] = 0xff;
	open_dialog(&dialog);
	assert_int_equal(listen_to(&dialog, bytes, count, count), NEXT_DONE);
	assert_string_equal(dialog.answer.server_agent, "??cumentDB Server");
	arena_free(dialog.arena);
}

static const struct json_case {
	const char *name, *body;
	const char *code, *message;
} json_cases[] = {
	{ "as it should be", "{\"code\":\"a\",\"message\":\"b\"}", "a", "b" },
	{ "others beside", "{\"x\":[1,{}],\"message\":\"b\",\"code\":\"a\"}", "a", "b" },
	{ "code alone", "{\"code\":\"a\"}", "a", "" },
	{ "not text", "{\"code\":1,\"message\":\"b\"}", "", "b" },
	{ "neither", "{\"x\":1}", "", "{\"x\":1}" },
	{ "no object", "[\"a\"]", "", "[\"a\"]" },
	{ "no JSON", "go away\n", "", "go away" },
	{ "cut short", "{\"code\":\"a\"", "", "{\"code\":\"a\"" },
	{ "controls", "{\"code\":\"a\\u001b\",\"message\":\"\\u202e\"}", "a?", "?" },
	{ "nothing", "", "", "" },
};

static void
test_json(void **state)
{
	struct arena *arena = arena_new();
	char          longest[2 * RNTBD_MESSAGE_MAX_BYTES];
	const char   *code, *message;

	for (size_t i = 0; i < sizeof(json_cases) / sizeof(json_cases[0]); i++) {
		const struct json_case *c = &json_cases[i];

		print_message("%s\n", c->name);
		rntbd_json_read(
		    (const uint8_t *)c->body, strlen(c->body), arena, &code, &message);
		assert_string_equal(code, c->code);
		assert_string_equal(message, c->message);
	}
	memset(longest, 'x', sizeof(longest));
	rntbd_json_read((const uint8_t *)longest, sizeof(longest), arena, &code, &message);
	assert_int_equal(strlen(message), RNTBD_MESSAGE_MAX_BYTES);
	arena_free(arena);
}

static const struct spec_case {
	const char *host;
	uint16_t    port;
	const char *words; /* NULL: it can be asked */
} spec_cases[] = {
	{ "a.documents.azure.com", 1, NULL },
	{ "127.0.0.1", 65535, NULL },
	{ "::1", 10251, NULL },
	{ "a_b-c.", 10251, NULL },
	{ "", 10251, "no host" },
	{ NULL, 10251, "no host" },
	{ "a b", 10251, "character 2 of the host" },
	{ "a\n", 10251, "character 2 of the host" },
	{ "a", 0, "no address and port" },
};

static void
test_spec(void **state)
{
	struct rntbd_spec spec;
	struct err        err = { ERR_NONE, "" };
	char              longest[255];

	for (size_t i = 0; i < sizeof(spec_cases) / sizeof(spec_cases[0]); i++) {
		struct addr peer = some_peer();
		bool        done;

		peer.port = spec_cases[i].port;
		done = rntbd_spec_make(
		    &spec, spec_cases[i].host, &peer, support_rntbd_id, &err);
		assert_int_equal(done, spec_cases[i].words == NULL);
		if (!done)
			expect_words(err.text, spec_cases[i].words);
	}
	memset(longest, 'a', sizeof(longest));
	longest[254] = '\0';
	assert_false(
	    rntbd_spec_make(&spec, longest, &(struct addr){ 0 }, support_rntbd_id, &err));
	expect_words(err.text, "host of 254 characters, at most 253");
}

/* Version 4, variant 1, and all else as random as it came. */
static void
test_activity_id(void **state)
{
	static const uint8_t ones[RNTBD_ID_BYTES] = { 255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255 };
	struct addr          peer = some_peer();
	struct rntbd_spec    spec;
	char                 text[RNTBD_ID_TEXT];

	assert_true(rntbd_spec_make(&spec, host, &peer, ones, NULL));
	assert_string_equal(rntbd_id_render(spec.request.activity_id, text),
	    "ffffffff-ffff-4fff-bfff-ffffffffffff");
	assert_true(
	    rntbd_spec_make(&spec, host, &peer, (const uint8_t[RNTBD_ID_BYTES]){ 0 }, NULL));
	assert_string_equal(rntbd_id_render(spec.request.activity_id, text),
	    "00000000-0000-4000-8000-000000000000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_says),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_wrong_echo),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_oversized_body),
		cmocka_unit_test(test_sane),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_spec),
		cmocka_unit_test(test_activity_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
