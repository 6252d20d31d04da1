#include "probe/gremlin/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct frame_case {
	const char          *name, *bytes;
	size_t               count;
	enum websocket_parse parse;
	size_t               payload;
	const char          *words;
} frame_cases[] = {
	{ "text of [rfc6455 5.7]", "\x81\x05Hello", 7, WEBSOCKET_WHOLE, 5, NULL },
	{ "first piece", "\x01\x03Hel", 5, WEBSOCKET_WHOLE, 3, NULL },
	{ "last piece", "\x80\x02lo", 4, WEBSOCKET_WHOLE, 2, NULL },
	{ "ping", "\x89\x05Hello", 7, WEBSOCKET_WHOLE, 5, NULL },
	{ "empty close", "\x88\x00", 2, WEBSOCKET_WHOLE, 0, NULL },
	{ "nothing", "", 0, WEBSOCKET_SHORT, 0, NULL },
	{ "one byte", "\x81", 1, WEBSOCKET_SHORT, 0, NULL },
	{ "half a length of 16 bits", "\x82\x7e\x01", 3, WEBSOCKET_SHORT, 0, NULL },
	{ "half a length of 64 bits", "\x82\x7f\0\0\0\0\0\1", 8, WEBSOCKET_SHORT, 0, NULL },
	{ "half a payload", "\x81\x05Hell", 6, WEBSOCKET_SHORT, 0, NULL },
	{ "largest", "\x82\x7f\0\0\0\0\0\1\0\0", 10, WEBSOCKET_SHORT, 0, NULL },
	{ "over our limit", "\x82\x7f\0\0\0\0\0\1\0\1", 10, WEBSOCKET_BAD, 0,
	    "65537 bytes, at most 65536" },
	{ "beyond all", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, WEBSOCKET_BAD, 0,
	    "at most 65536" },
	{ "16 bits for 125", "\x82\x7e\0\x7d", 4, WEBSOCKET_BAD, 0, "shortest" },
	{ "64 bits for 65535", "\x82\x7f\0\0\0\0\0\0\xff\xff", 10, WEBSOCKET_BAD, 0,
	    "shortest" },
	{ "masked", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, WEBSOCKET_BAD, 0,
	    "masked" },
	{ "compressed", "\xc1\x05Hello", 7, WEBSOCKET_BAD, 0, "reserved bits" },
	{ "kind 3", "\x83\x00", 2, WEBSOCKET_BAD, 0, "unknown kind 3" },
	{ "kind 11", "\x8b\x00", 2, WEBSOCKET_BAD, 0, "unknown kind 11" },
	{ "ping in pieces", "\x09\x00", 2, WEBSOCKET_BAD, 0, "in pieces" },
	{ "long ping", "\x89\x7e\0\x7e", 4, WEBSOCKET_BAD, 0, "126 bytes, at most 125" },
	{ "HTTP", "HTTP/1.1", 8, WEBSOCKET_BAD, 0, "reserved bits" },
};

static void
test_frames(void **state)
{
	for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		const struct frame_case *c = &frame_cases[i];
		struct rcur              in = rcur_of(c->bytes, c->count);
		struct websocket_frame   frame;
		struct err               err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(websocket_frame_parse(&frame, &in, &err), c->parse);
		assert_true(rcur_ok(&in));
		if (c->parse == WEBSOCKET_WHOLE) {
			assert_int_equal(frame.count, c->payload);
			assert_int_equal(rcur_left(&in), 0);
		} else {
			assert_int_equal(rcur_left(&in), c->count);
		}
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
	}
}

/* The masked "Hello" of [rfc6455 5.7]. */
static void
test_put(void **state)
{
	static const uint8_t mask[] = { 0x37, 0xfa, 0x21, 0x3d };
	char                 text[200];
	struct wbuf          out;

	wbuf_init(&out);
	websocket_frame_put(&out, WEBSOCKET_TEXT, mask, "Hello", 5);
	assert_int_equal(out.count, 11);
	assert_memory_equal(out.bytes, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
	wbuf_clear(&out);
	memset(text, 'x', sizeof(text));
	websocket_frame_put(&out, WEBSOCKET_BINARY, mask, text, sizeof(text));
	assert_int_equal(out.count, 8 + sizeof(text));
	assert_memory_equal(out.bytes, "\x82\xfe\x00\xc8\x37\xfa\x21\x3d", 8);
	for (size_t i = 0; i < sizeof(text); i++)
		assert_int_equal(out.bytes[8 + i] ^ mask[i % 4], 'x');
	wbuf_fini(&out);
}

static void
test_accept(void **state)
{
	char accept[WEBSOCKET_ACCEPT_ROOM];

	/* [rfc6455 1.3] */
	assert_string_equal(websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept),
	    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void
test_close_code(void **state)
{
	struct websocket_frame frame = { .payload = (const uint8_t *)"\x03\xf0why",
		.count = 5 };

	assert_int_equal(websocket_close_code(&frame), 1008);
	frame.count = 1;
	assert_int_equal(websocket_close_code(&frame), WEBSOCKET_NO_CODE);
	frame.count = 0;
	assert_int_equal(websocket_close_code(&frame), WEBSOCKET_NO_CODE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_close_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
