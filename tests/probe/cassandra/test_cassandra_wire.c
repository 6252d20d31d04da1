#include "probe/cassandra/cassandra_wire.h"

#include "tests/support/support_dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* As the Python driver encodes them, and another decoder reads them. */
static void
test_requests(void **state)
{
	struct wbuf out, wanted;

	wbuf_init(&out);
	wbuf_init(&wanted);
	cassandra_options_put(&out, 0);
	cassandra_startup_put(&out, 1, "3.0.0");
	support_hex_put(&wanted, "040000000500000000");
	support_hex_put(
	    &wanted, "0400000101000000160001000b43514c5f56455253494f4e0005332e302e30");
	assert_int_equal(out.count, 9 + 31);
	assert_int_equal(out.count, wanted.count);
	assert_memory_equal(out.bytes, wanted.bytes, wanted.count);
	wbuf_fini(&out);
	wbuf_fini(&wanted);
}

static const struct frame_case {
	const char          *name, *hex;
	int16_t              stream;
	enum cassandra_parse parse;
	size_t               body_bytes;
	const char          *words;
} frame_cases[] = {
	{ "empty body", "84 00 0000 02 00000000", 0, CASSANDRA_WHOLE, 0, NULL },
	{ "version 3", "83 00 0000 02 00000000", 0, CASSANDRA_WHOLE, 0, NULL },
	{ "version 5", "85 00 0001 02 00000001 aa", 1, CASSANDRA_WHOLE, 1, NULL },
	{ "one behind", "84 00 0000 02 00000000 84", 0, CASSANDRA_WHOLE, 0, NULL },
	{ "warnings", "84 08 0000 02 00000009 0001 0002 6869 010203", 0, CASSANDRA_WHOLE, 3,
	    NULL },
	{ "no warnings", "84 08 0000 02 00000002 0000", 0, CASSANDRA_WHOLE, 0, NULL },
	{ "nothing", "", 0, CASSANDRA_MORE, 0, NULL },
	{ "at our limit", "84 00 0000 06 00010000", 0, CASSANDRA_MORE, 0, NULL },
	{ "over our limit", "84 00 0000 06 00010001", 0, CASSANDRA_BAD, 0, "65537 bytes" },
	{ "claims 2 GiB", "84 00 0000 06 7fffffff", 0, CASSANDRA_BAD, 0, "2147483647 bytes" },
	{ "negative", "84 00 0000 06 ffffffff", 0, CASSANDRA_BAD, 0, "4294967295 bytes" },
	{ "another stream", "84 00 0001 06 00000000", 0, CASSANDRA_BAD, 0,
	    "stream 1, ours was 0" },
	{ "stream of an event", "84 00 ffff 0c 00000000", 0, CASSANDRA_BAD, 0,
	    "stream -1, ours was 0" },
	{ "compressed", "84 01 0000 06 00000000", 0, CASSANDRA_BAD, 0, "flags 0x01" },
	{ "traced", "84 0a 0000 06 00000000", 0, CASSANDRA_BAD, 0, "flags 0x0a" },
	{ "a request", "04", 0, CASSANDRA_BAD, 0, "begins with 0x04" },
	{ "version 2", "82", 0, CASSANDRA_BAD, 0, "protocol version 2, 3 to 5" },
	{ "version 6", "86", 0, CASSANDRA_BAD, 0, "protocol version 6, 3 to 5" },
	{ "HTTP", "48545450", 0, CASSANDRA_BAD, 0, "speaks HTTP" },
	{ "almost HTTP", "48545451", 0, CASSANDRA_BAD, 0, "begins with 0x48" },
	{ "a TLS alert", "15030300020228", 0, CASSANDRA_BAD, 0, "begins with 0x15" },
	{ "warnings cut short", "84 08 0000 02 00000004 0001 0001", 0, CASSANDRA_BAD, 0,
	    "warnings that are cut short" },
	{ "more warnings than bytes", "84 08 0000 02 00000002 ffff", 0, CASSANDRA_BAD, 0,
	    "warnings that are cut short" },
};

/* At the end of its block, so that the sanitizer sees a read behind the end. */
static enum cassandra_parse
parse(const struct frame_case *c, const struct wbuf *bytes, size_t count,
    struct cassandra_frame *frame, size_t *left, struct err *err)
{
	uint8_t             *copy = mem_alloc(count + 1), *start = copy + 1;
	struct rcur          in;
	enum cassandra_parse how;

	for (size_t i = 0; i < count; i++)
		start[i] = bytes->bytes[i];
	in = rcur_of(start, count);
	how = cassandra_frame_parse(frame, c->stream, &in, err);
	*left = rcur_left(&in);
	free(copy);
	return how;
}

static void
test_frames(void **state)
{
	for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		const struct frame_case *c = &frame_cases[i];
		struct cassandra_frame   frame;
		struct wbuf              bytes;
		struct err               err = { ERR_NONE, "" };
		size_t                   left, length;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		support_hex_put(&bytes, c->hex);
		assert_int_equal(parse(c, &bytes, bytes.count, &frame, &left, &err), c->parse);
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
		if (c->parse == CASSANDRA_WHOLE) {
			assert_int_equal(frame.version, bytes.bytes[0] & 0x7f);
			assert_int_equal(frame.opcode, 2);
			assert_int_equal(rcur_left(&frame.body), c->body_bytes);
			length = CASSANDRA_HEAD_BYTES + bytes.bytes[8];
			assert_int_equal(left, bytes.count - length);
			for (size_t cut = 0; cut < length; cut++) {
				assert_int_equal(
				    parse(c, &bytes, cut, &frame, &left, &err), CASSANDRA_MORE);
				assert_int_equal(left, cut);
			}
		} else {
			assert_int_equal(left, bytes.count);
		}
		wbuf_fini(&bytes);
	}
}

#define COMPRESSION "000b434f4d5052455353494f4e"
#define CQL_VERSION "000b43514c5f56455253494f4e"

static const struct supported_case {
	const char *name, *hex;
	const char *words; /* NULL: it is one */
	const char *versions, *compression, *first;
} supported_cases[] = {
	{ "as recorded",
	    "0002 " COMPRESSION " 0002 00036c7a34 0006736e61707079 " CQL_VERSION
	    " 0001 0005332e342e34",
	    NULL, "3.4.4", "lz4 snappy", "3.4.4" },
	{ "nothing", "0000", NULL, "", "", "3.0.0" },
	{ "another key", "0001 000161 0001 000162", NULL, "", "", "3.0.0" },
	{ "two versions", "0001 " CQL_VERSION " 0002 0005332e342e35 0005332e302e30", NULL,
	    "3.4.5 3.0.0", "", "3.4.5" },
	{ "empty list", "0001 " CQL_VERSION " 0000", NULL, "", "", "3.0.0" },
	{ "empty version", "0001 " CQL_VERSION " 0001 0000", NULL, "", "", "3.0.0" },
	{ "version that is none", "0001 " CQL_VERSION " 0001 0003332e78", NULL, "3.x", "",
	    "3.0.0" },
	{ "longest version", "0001 " CQL_VERSION " 0001 0010 31313131313131313131313131313131",
	    NULL, "1111111111111111", "", "1111111111111111" },
	{ "version too long",
	    "0001 " CQL_VERSION " 0001 0011 3131313131313131313131313131313131", NULL,
	    "11111111111111111", "", "3.0.0" },
	{ "blank and escape", "0001 " CQL_VERSION " 0001 0003 20 1b 61", NULL, "??a", "",
	    "3.0.0" },
	{ "empty", "", "cut short", "", "", "3.0.0" },
	{ "more pairs than there are", "ffff 000161 0000", "cut short", "", "", "3.0.0" },
	{ "more strings than there are", "0001 " CQL_VERSION " ffff 000133", "cut short", "3",
	    "", "3" },
	{ "string beyond the end", "0001 " CQL_VERSION " 0001 ffff 33", "cut short", "", "",
	    "3.0.0" },
	{ "key beyond the end", "0001 ffff 33", "cut short", "", "", "3.0.0" },
	{ "bytes behind", "0000 00", "1 bytes behind", "", "", "3.0.0" },
};

static void
test_supported(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(supported_cases) / sizeof(supported_cases[0]); i++) {
		const struct supported_case *c = &supported_cases[i];
		struct cassandra_supported   supported;
		struct wbuf                  bytes;
		struct err                   err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		support_hex_put(&bytes, c->hex);
		assert_int_equal(cassandra_supported_parse(&supported,
		                     rcur_of(bytes.bytes, bytes.count), arena, &err),
		    c->words == NULL);
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
		assert_string_equal(supported.versions, c->versions);
		assert_string_equal(supported.compression, c->compression);
		assert_string_equal(supported.first, c->first);
		for (size_t cut = 0; c->words == NULL && cut < bytes.count; cut++)
			assert_false(cassandra_supported_parse(
			    &supported, rcur_of(bytes.bytes, cut), arena, NULL));
		wbuf_fini(&bytes);
	}
	arena_free(arena);
}

/* As many strings as a body holds: what is kept of them is bounded, and whole. */
static void
test_many_strings(void **state)
{
	enum { STRINGS = 10000 };
	struct arena              *arena = arena_new();
	struct cassandra_supported supported;
	struct wbuf                bytes;

	wbuf_init(&bytes);
	support_hex_put(&bytes, "0001 " CQL_VERSION);
	wbuf_u16be(&bytes, STRINGS);
	for (int i = 0; i < STRINGS; i++)
		support_hex_put(&bytes, "0003 332e34");
	assert_true(bytes.count < CASSANDRA_BODY_MAX_BYTES);
	assert_true(cassandra_supported_parse(
	    &supported, rcur_of(bytes.bytes, bytes.count), arena, NULL));
	assert_int_equal(strlen(supported.versions), 255); /* 64 of "3.4", a blank between */
	assert_string_equal(supported.versions + 252, "3.4");
	wbuf_fini(&bytes);
	arena_free(arena);
}

static void
test_authenticate(void **state)
{
	struct arena *arena = arena_new();
	const char *class;
	struct err err = { ERR_NONE, "" };

	assert_true(cassandra_authenticate_parse(&class, rcur_of("\0\3a.b", 5), arena, &err));
	assert_string_equal(class, "a.b");
	assert_true(cassandra_authenticate_parse(&class, rcur_of("\0\0", 2), arena, &err));
	assert_string_equal(class, "");
	assert_false(cassandra_authenticate_parse(&class, rcur_of("\0\4a.b", 5), arena, &err));
	assert_non_null(strstr(err.text, "not one string"));
	assert_false(cassandra_authenticate_parse(&class, rcur_of("\0\2a.b", 5), arena, &err));
	assert_false(cassandra_authenticate_parse(&class, rcur_of("\0", 1), arena, &err));
	arena_free(arena);
}

static void
test_error(void **state)
{
	struct arena          *arena = arena_new();
	struct cassandra_error error;
	struct err             err = { ERR_NONE, "" };

	assert_true(
	    cassandra_error_parse(&error, rcur_of("\0\0\0\12\0\3no\n", 9), arena, &err));
	assert_int_equal(error.code, 0x0a);
	assert_string_equal(error.words, "no?");
	/* More behind the words, as some codes have. */
	assert_true(
	    cassandra_error_parse(&error, rcur_of("\0\0\x10\1\0\2noxyz", 11), arena, &err));
	assert_int_equal(error.code, 0x1001);
	assert_string_equal(error.words, "no");
	assert_false(
	    cassandra_error_parse(&error, rcur_of("\0\0\0\12\0\4no\n", 9), arena, &err));
	assert_non_null(strstr(err.text, "ERROR is cut short"));
	assert_false(cassandra_error_parse(&error, rcur_of("\0\0\0", 3), arena, &err));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_supported),
		cmocka_unit_test(test_many_strings),
		cmocka_unit_test(test_authenticate),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
