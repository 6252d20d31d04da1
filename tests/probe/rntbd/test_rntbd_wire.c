#include "probe/rntbd/rntbd_wire.h"

#include "tests/support/support_rntbd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define ID    "\xcc\x22\x33\x8f\x86\x17\xb4\x4d\x9b\x97\xb2\x29\xc2\xc6\xf0\xaa"
#define OK200 "\xc8\0\0\0" ID
#define AGENT            \
	"\x02\0\x07\x01" \
	"a"
#define BUILD            \
	"\x03\0\x07\x01" \
	"b"

/* Bytes that may hold NUL, and their number. */
#define BYTES(text) text, sizeof(text) - 1

static void
expect_words(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text, words);
}

static void
expect_text(const struct rntbd_text *text, const char *wanted)
{
	assert_int_equal(text->count, strlen(wanted));
	assert_memory_equal(text->bytes, wanted, text->count);
}

static void
test_request(void **state)
{
	struct rntbd_request request = { .client_version = "2020-07-15",
		.user_agent = "cosmos-probe/1.0" };
	uint8_t              wanted[SUPPORT_RNTBD_MAX];
	size_t               count = support_rntbd_bytes(SUPPORT_RNTBD_A, wanted);
	struct wbuf          out;

	memcpy(request.activity_id, support_rntbd_id, RNTBD_ID_BYTES);
	wbuf_init(&out);
	rntbd_request_put(&out, &request);
	assert_int_equal(out.count, count);
	assert_memory_equal(out.bytes, wanted, count);
	wbuf_fini(&out);
}

static void
test_id(void **state)
{
	char text[RNTBD_ID_TEXT];

	assert_string_equal(
	    rntbd_id_render(support_rntbd_id, text), "8f3322cc-1786-4db4-9b97-b229c2c6f0aa");
	assert_string_equal(
	    rntbd_id_render((const uint8_t *)"\x33\x22\x11\0\x55\x44\x77\x66\x88\x99\xaa\xbb"
	                                     "\xcc\xdd\xee\xff",
	        text),
	    "00112233-4455-6677-8899-aabbccddeeff");
}

static const struct token_case {
	const char     *name, *bytes;
	size_t          count;
	enum rntbd_type type;
	size_t          value_bytes;
	uint64_t        number;
} token_cases[] = {
	{ "byte", BYTES("\x07\x01\x00\xff"), RNTBD_BYTE, 1, 0xff },
	{ "ushort", BYTES("\x07\x01\x01\x02\x01"), RNTBD_USHORT, 2, 0x0102 },
	{ "ulong", BYTES("\x07\x01\x02\x04\x03\x02\x81"), RNTBD_ULONG, 4, 0x81020304 },
	{ "long", BYTES("\x07\x01\x03\xff\xff\xff\xff"), RNTBD_LONG, 4, 0xffffffff },
	{ "ulonglong", BYTES("\x07\x01\x04\x08\x07\x06\x05\x04\x03\x02\x01"), RNTBD_ULONGLONG,
	    8, 0x0102030405060708 },
	{ "longlong", BYTES("\x07\x01\x05\x01\0\0\0\0\0\0\x80"), RNTBD_LONGLONG, 8,
	    0x8000000000000001 },
	{ "guid", BYTES("\x07\x01\x06" ID), RNTBD_GUID, 16, 0 },
	{ "small string", BYTES("\x07\x01\x07\x02hi"), RNTBD_SMALL_STRING, 2, 0 },
	{ "empty small string", BYTES("\x07\x01\x07\0"), RNTBD_SMALL_STRING, 0, 0 },
	{ "string", BYTES("\x07\x01\x08\x03\0abc"), RNTBD_STRING, 3, 0 },
	{ "ulong string", BYTES("\x07\x01\x09\x01\0\0\0a"), RNTBD_ULONG_STRING, 1, 0 },
	{ "small bytes", BYTES("\x07\x01\x0a\x01\xff"), RNTBD_SMALL_BYTES, 1, 0 },
	{ "bytes", BYTES("\x07\x01\x0b\0\0"), RNTBD_BYTES, 0, 0 },
	{ "ulong bytes", BYTES("\x07\x01\x0c\x02\0\0\0\0\0"), RNTBD_ULONG_BYTES, 2, 0 },
	{ "float", BYTES("\x07\x01\x0d\0\0\x80\x3f"), RNTBD_FLOAT, 4, 0 },
	{ "double", BYTES("\x07\x01\x0e\0\0\0\0\0\0\xf0\x3f"), RNTBD_DOUBLE, 8, 0 },
};

/* Each type there is, whole and cut at every byte, in memory of its own size. */
static void
test_tokens(void **state)
{
	assert_int_equal(sizeof(token_cases) / sizeof(token_cases[0]), RNTBD_TYPE_COUNT + 1);
	for (size_t i = 0; i < sizeof(token_cases) / sizeof(token_cases[0]); i++) {
		const struct token_case *c = &token_cases[i];

		print_message("%s\n", c->name);
		for (size_t count = 1; count <= c->count; count++) {
			uint8_t           *copy = malloc(count);
			struct rcur        in = rcur_of(memcpy(copy, c->bytes, count), count);
			struct rntbd_token token;
			struct err         err = { ERR_NONE, "" };
			bool               done = rntbd_token_parse(&token, &in, &err);

			assert_int_equal(done, count == c->count);
			assert_true(done || err.text[0] != '\0');
			if (done) {
				assert_int_equal(token.id, 0x0107);
				assert_int_equal(token.type, c->type);
				assert_int_equal(token.count, c->value_bytes);
				assert_true(token.number == c->number);
				assert_int_equal(rcur_left(&in), 0);
			}
			free(copy);
		}
	}
}

static void
test_responses(void **state)
{
	uint8_t              bytes[SUPPORT_RNTBD_MAX];
	struct rntbd_context context;
	struct rntbd_body    body;
	struct rcur          in;

	in = rcur_of(bytes, support_rntbd_bytes(SUPPORT_RNTBD_R1, bytes));
	assert_int_equal(rntbd_context_parse(&context, &in, NULL), RNTBD_WHOLE);
	assert_int_equal(context.length, 80);
	assert_int_equal(context.status, 200);
	assert_false(rntbd_context_is_refusal(&context));
	assert_memory_equal(context.activity_id, support_rntbd_id, RNTBD_ID_BYTES);
	expect_text(&context.server_agent, "DocumentDB Server");
	expect_text(&context.server_version, " version=2.14.0.0");
	assert_int_equal(context.idle_timeout_s, 120);
	assert_int_equal(context.unauthenticated_timeout_s, 25);
	assert_int_equal(context.protocol_version, 0);
	assert_null(context.client_version.bytes);
	assert_null(context.thumbprint.bytes);
	assert_int_equal(rcur_left(&in), 0);

	in = rcur_of(bytes, support_rntbd_bytes(SUPPORT_RNTBD_R2, bytes));
	assert_int_equal(rntbd_context_parse(&context, &in, NULL), RNTBD_WHOLE);
	assert_int_equal(context.protocol_version, 1);
	expect_text(&context.client_version, "2020-07-15");
	expect_text(&context.server_agent, "RntbdServer");
	assert_int_equal(context.unauthenticated_timeout_s, 15);

	in = rcur_of(bytes, support_rntbd_bytes(SUPPORT_RNTBD_R3, bytes));
	assert_int_equal(rntbd_context_parse(&context, &in, NULL), RNTBD_WHOLE);
	expect_text(&context.server_agent, "DocumentDB Server");
	assert_int_equal(context.idle_timeout_s, 0);

	in = rcur_of(bytes, support_rntbd_bytes(SUPPORT_RNTBD_E1, bytes));
	assert_int_equal(rntbd_context_parse(&context, &in, NULL), RNTBD_WHOLE);
	assert_int_equal(context.status, 400);
	assert_true(rntbd_context_is_refusal(&context));
	expect_text(&context.client_version, "2014-08-21");
	assert_int_equal(rcur_left(&in), 66);
	assert_int_equal(rntbd_body_parse(&body, &in, NULL), RNTBD_WHOLE);
	assert_int_equal(body.count, 62);
	assert_memory_equal(body.bytes, "{\"code\":\"BadRequest\",", 21);
	assert_int_equal(rcur_left(&in), 0);
}

/* More bytes are wanted until all are there, and the cursor stays where it was. */
static void
test_cut_at_every_byte(void **state)
{
	uint8_t bytes[SUPPORT_RNTBD_MAX];

	for (int which = SUPPORT_RNTBD_R1; which < SUPPORT_RNTBD_COUNT; which++) {
		size_t whole = support_rntbd_bytes((enum support_rntbd)which, bytes);
		size_t frame = bytes[0];

		for (size_t count = 0; count <= whole; count++) {
			uint8_t             *copy = malloc(count + 1);
			struct rcur          in = rcur_of(memcpy(copy, bytes, count), count);
			struct rntbd_context context;
			struct rntbd_body    body = { 0 };
			struct err           err = { ERR_NONE, "" };
			enum rntbd_parse     parse = rntbd_context_parse(&context, &in, &err);

			assert_int_equal(parse, count < frame ? RNTBD_MORE : RNTBD_WHOLE);
			assert_int_equal(rcur_left(&in), count < frame ? count : count - frame);
			assert_int_equal(context.length, count < 4 ? 0 : frame);
			if (count >= frame && frame < whole) {
				assert_int_equal(rntbd_body_parse(&body, &in, &err),
				    count < whole ? RNTBD_MORE : RNTBD_WHOLE);
				assert_int_equal(body.count, count < frame + 4 ? 0 : 62);
			}
			assert_string_equal(err.text, "");
			free(copy);
		}
	}
}

static const struct bad_case {
	const char      *name, *bytes;
	size_t           count;
	enum rntbd_parse parse;
	const char      *words;
} bad_cases[] = {
	{ "length 0", BYTES("\0\0\0\0"), RNTBD_BAD, "a frame of 0 bytes, 24 to 65536 wanted" },
	{ "length 3", BYTES("\x03\0\0\0"), RNTBD_BAD, "a frame of 3 bytes" },
	{ "length 23", BYTES("\x17\0\0\0"), RNTBD_BAD, "a frame of 23 bytes" },
	{ "longest", BYTES("\0\0\x01\0"), RNTBD_MORE, NULL },
	{ "over our limit", BYTES("\x01\0\x01\0"), RNTBD_BAD, "a frame of 65537 bytes" },
	{ "length -1", BYTES("\xff\xff\xff\xff"), RNTBD_BAD, "a frame of 4294967295 bytes" },
	{ "HTTP", BYTES("HTTP/1.1 400 Bad Request\r\n"), RNTBD_BAD, "speaks HTTP" },
	{ "HTTP, its first bytes", BYTES("HTTP"), RNTBD_BAD, "speaks HTTP" },
	{ "HTTP not yet", BYTES("HTT"), RNTBD_MORE, NULL },
	{ "a TLS alert", BYTES("\x15\x03\x03\x00\x02\x02\x28"), RNTBD_BAD, "TLS once more" },
	{ "a TLS handshake", BYTES("\x16\x03\x01\x02\x00\x01"), RNTBD_BAD, "TLS once more" },
	/* 0x0316 bytes are a length that may be. */
	{ "no TLS", BYTES("\x16\x03\0\0"), RNTBD_MORE, NULL },
	{ "no TLS version", BYTES("\x16\x03\x05\0"), RNTBD_BAD, "a frame of 328470 bytes" },
	{ "no token", BYTES("\x18\0\0\0" OK200), RNTBD_BAD, "lacks ServerAgent" },
	{ "no token in a refusal", BYTES("\x18\0\0\0\x90\x01\0\0" ID), RNTBD_BAD,
	    "lacks ServerAgent" },
	{ "no version", BYTES("\x1d\0\0\0" OK200 AGENT), RNTBD_BAD, "lacks ServerVersion" },
	{ "no agent", BYTES("\x1d\0\0\0" OK200 BUILD), RNTBD_BAD, "lacks ServerAgent" },
	{ "least", BYTES("\x22\0\0\0" OK200 AGENT BUILD), RNTBD_WHOLE, NULL },
	{ "the other way round", BYTES("\x22\0\0\0" OK200 BUILD AGENT), RNTBD_WHOLE, NULL },
	{ "bytes that are no token", BYTES("\x24\0\0\0" OK200 AGENT BUILD "\x04\0"), RNTBD_BAD,
	    "byte 34 of the context response: 2 bytes are no token" },
	{ "type 0x0f", BYTES("\x26\0\0\0" OK200 AGENT BUILD "\xf0\0\x0f\0"), RNTBD_BAD,
	    "byte 34 of the context response: token 0x00f0 has type 0x0f, 0x00 to 0x0e" },
	{ "type 0xff", BYTES("\x26\0\0\0" OK200 AGENT BUILD "\xf0\0\xff\0"), RNTBD_BAD,
	    "type 0xff" },
	{ "string passes the end",
	    BYTES("\x22\0\0\0" OK200 AGENT "\x03\0\x07\x02"
	          "b"),
	    RNTBD_BAD, "byte 29 of the context response: token 0x0003 passes the end" },
	{ "string passes the end, but not the bytes",
	    BYTES("\x22\0\0\0" OK200 AGENT "\x03\0\x07\x02"
	          "bc"),
	    RNTBD_BAD, "passes the end" },
	{ "string of 4 GiB",
	    BYTES("\x2a\0\0\0" OK200 AGENT BUILD "\xf0\0\x09\xff\xff\xff\xff"
	          "x"),
	    RNTBD_BAD, "token 0x00f0 passes the end" },
	{ "twice", BYTES("\x27\0\0\0" OK200 AGENT AGENT BUILD), RNTBD_BAD,
	    "byte 29 of the context response: ServerAgent stands twice" },
	{ "unknown id twice", BYTES("\x2a\0\0\0" OK200 AGENT BUILD "\xf0\0\0x\xf0\0\0y"),
	    RNTBD_WHOLE, NULL },
	{ "wrong type",
	    BYTES("\x23\0\0\0" OK200 "\x02\0\x08\x01\0"
	          "a" BUILD),
	    RNTBD_BAD, "ServerAgent has type 0x08, 0x07 wanted" },
	{ "number of wrong type", BYTES("\x29\0\0\0" OK200 AGENT BUILD "\x04\0\x03\0\0\0\0"),
	    RNTBD_BAD, "IdleTimeoutInSeconds has type 0x03, 0x02 wanted" },
	{ "thumbprint",
	    BYTES("\x28\0\0\0" OK200 AGENT BUILD "\x06\0\x07\x02"
	          "ab"),
	    RNTBD_WHOLE, NULL },
	{ "first id that is unknown", BYTES("\x26\0\0\0" OK200 AGENT BUILD "\x07\0\0\0"),
	    RNTBD_WHOLE, NULL },
	{ "empty strings",
	    BYTES("\x20\0\0\0" OK200 "\x02\0\x07\0"
	          "\x03\0\x07\0"),
	    RNTBD_WHOLE, NULL },
};

static void
test_malformed(void **state)
{
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
		const struct bad_case *c = &bad_cases[i];
		uint8_t               *copy = malloc(c->count);
		struct rcur            in = rcur_of(memcpy(copy, c->bytes, c->count), c->count);
		struct rntbd_context   context;
		struct err             err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(rntbd_context_parse(&context, &in, &err), c->parse);
		assert_int_equal(rcur_left(&in), c->parse == RNTBD_WHOLE ? 0 : c->count);
		if (c->words != NULL)
			expect_words(err.text, c->words);
		else
			assert_string_equal(err.text, "");
		free(copy);
	}
}

static const struct status_case {
	uint32_t status;
	bool     refuses;
} status_cases[] = { { 0, true }, { 199, true }, { 200, false }, { 399, false }, { 400, true },
	{ 0xffffffff, true } };

static void
test_statuses(void **state)
{
	for (size_t i = 0; i < sizeof(status_cases) / sizeof(status_cases[0]); i++)
		assert_int_equal(rntbd_context_is_refusal(&(struct rntbd_context){
		                     .status = status_cases[i].status }),
		    status_cases[i].refuses);
}

static const struct body_case {
	const char      *name, *bytes;
	size_t           count;
	enum rntbd_parse parse;
	const char      *words;
} body_cases[] = {
	{ "nothing", BYTES(""), RNTBD_MORE, NULL },
	{ "half a length", BYTES("\x01\0"), RNTBD_MORE, NULL },
	{ "empty", BYTES("\0\0\0\0"), RNTBD_WHOLE, NULL },
	{ "one", BYTES("\x01\0\0\0x"), RNTBD_WHOLE, NULL },
	{ "cut short", BYTES("\x02\0\0\0x"), RNTBD_MORE, NULL },
	{ "longest", BYTES("\0\0\x01\0x"), RNTBD_MORE, NULL },
	{ "over our limit", BYTES("\x01\0\x01\0"), RNTBD_BAD, "65537 bytes, at most 65536" },
	{ "length -1", BYTES("\xff\xff\xff\xff"), RNTBD_BAD, "4294967295 bytes" },
};

static void
test_bodies(void **state)
{
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
		const struct body_case *c = &body_cases[i];
		struct rcur             in = rcur_of(c->bytes, c->count);
		struct rntbd_body       body;
		struct err              err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(rntbd_body_parse(&body, &in, &err), c->parse);
		assert_int_equal(rcur_left(&in), c->parse == RNTBD_WHOLE ? 0 : c->count);
		if (c->words != NULL)
			expect_words(err.text, c->words);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_id),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
