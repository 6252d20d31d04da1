#include "probe/mongo/mongo_wire.h"

#include "base/arena.h"
#include "probe/mongo/mongo_bson.h"
#include "tests/support/support_dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* As another decoder reads them, and official drivers send them. */
static const struct question_case {
	enum mongo_question question;
	const char         *hex;
	size_t              count;
} question_cases[] = {
	{ MONGO_ISMASTER,
	    "3a0000000100000000000000d40700000000000061646d696e2e24636d640000000000ffffffff"
	    "130000001069736d6173746572000100000000",
	    58 },
	{ MONGO_HELLO,
	    "340000000300000000000000dd07000000000000001f0000001068656c6c6f00010000000224646200"
	    "0600000061646d696e0000",
	    52 },
};

static void
test_questions(void **state)
{
	for (size_t i = 0; i < sizeof(question_cases) / sizeof(question_cases[0]); i++) {
		const struct question_case *c = &question_cases[i];
		struct wbuf                 out, wanted;

		wbuf_init(&out);
		wbuf_init(&wanted);
		mongo_question_put(&out, c->question);
		support_hex_put(&wanted, c->hex);
		assert_int_equal(out.count, c->count);
		assert_int_equal(wanted.count, c->count);
		assert_memory_equal(out.bytes, wanted.bytes, c->count);
		wbuf_fini(&wanted);
		wbuf_fini(&out);
	}
}

/* Heads of OP_REPLY to request 1 and OP_MSG to request 3, of so many bytes in all. */
#define REPLY(length) \
	length " 07000000 01000000 01000000 08000000 0000000000000000 00000000 01000000 "
#define MSG(length) length " 07000000 03000000 dd070000 00000000 00 "
#define EMPTY       "05000000 00"

static const struct reply_case {
	const char         *name;
	enum mongo_question question;
	const char         *hex;
	enum mongo_parse    parse;
	const char         *words;
} reply_cases[] = {
	{ "empty document", MONGO_ISMASTER, REPLY("29000000") EMPTY, MONGO_WHOLE, NULL },
	{ "OP_MSG", MONGO_HELLO, MSG("1a000000") EMPTY, MONGO_WHOLE, NULL },
	{ "one byte behind", MONGO_HELLO, MSG("1a000000") EMPTY "ff", MONGO_WHOLE, NULL },
	{ "nothing", MONGO_ISMASTER, "", MONGO_MORE, NULL },
	{ "below its head", MONGO_ISMASTER, "0f000000", MONGO_BAD, "message of 15 bytes" },
	{ "at our limit", MONGO_ISMASTER, "00000100", MONGO_MORE, NULL },
	{ "over our limit", MONGO_ISMASTER, "01000100", MONGO_BAD, "message of 65537 bytes" },
	{ "claims 2 GiB", MONGO_ISMASTER, "ffffff7f", MONGO_BAD, "of 2147483647 bytes" },
	{ "negative", MONGO_ISMASTER, "ffffffff", MONGO_BAD, "of 4294967295 bytes" },
	{ "HTTP", MONGO_ISMASTER, "48545450", MONGO_BAD, "speaks HTTP" },
	{ "another request", MONGO_ISMASTER, "29000000 07000000 02000000 01000000", MONGO_BAD,
	    "answer to request 2, ours was 1" },
	{ "a request of its own", MONGO_ISMASTER, "3a000000 01000000 00000000 d4070000",
	    MONGO_BAD, "opcode 2004, 1 wanted" },
	{ "OP_MSG to OP_QUERY", MONGO_ISMASTER, MSG("1a000000") EMPTY, MONGO_BAD,
	    "opcode 2013, 1 wanted" },
	{ "OP_REPLY to OP_MSG", MONGO_HELLO, REPLY("29000000") EMPTY, MONGO_BAD,
	    "opcode 1, 2013 wanted" },
	{ "no document", MONGO_ISMASTER,
	    "29000000 07000000 01000000 01000000 08000000 0000000000000000 00000000 "
	    "00000000 " EMPTY,
	    MONGO_BAD, "reply of 0 documents" },
	{ "two documents", MONGO_ISMASTER,
	    "2e000000 07000000 01000000 01000000 08000000 0000000000000000 00000000 "
	    "02000000 " EMPTY EMPTY,
	    MONGO_BAD, "reply of 2 documents" },
	{ "one said, two there", MONGO_ISMASTER, REPLY("2e000000") EMPTY EMPTY, MONGO_BAD,
	    "5 bytes behind the document" },
	{ "reply without its head", MONGO_ISMASTER, "10000000 07000000 01000000 01000000",
	    MONGO_BAD, "too short for its head" },
	{ "reply without a document", MONGO_ISMASTER, REPLY("24000000"), MONGO_BAD,
	    "where 0 are left" },
	{ "message without its head", MONGO_HELLO,
	    "14000000 07000000 03000000 dd070000 00000000", MONGO_BAD,
	    "too short for its head" },
	{ "checksum", MONGO_HELLO, "1a000000 07000000 03000000 dd070000 01000000 00 " EMPTY,
	    MONGO_BAD, "flags 0x1" },
	{ "more to come", MONGO_HELLO, "1a000000 07000000 03000000 dd070000 02000000 00 " EMPTY,
	    MONGO_BAD, "flags 0x2" },
	{ "flag that may be ignored", MONGO_HELLO,
	    "1a000000 07000000 03000000 dd070000 00000100 00 " EMPTY, MONGO_WHOLE, NULL },
	{ "sequence of documents", MONGO_HELLO,
	    "1a000000 07000000 03000000 dd070000 00000000 01 " EMPTY, MONGO_BAD, "kind 1" },
};

/* In a block of its own size, so that the sanitizer sees a read behind the end. */
static enum mongo_parse
parse(const struct reply_case *c, const struct wbuf *bytes, size_t count, size_t *left,
    struct err *err)
{
	uint8_t           *copy = mem_alloc(count + 1), *start = copy + 1;
	struct rcur        in;
	struct mongo_reply reply;
	enum mongo_parse   how;

	for (size_t i = 0; i < count; i++)
		start[i] = bytes->bytes[i];
	in = rcur_of(start, count);
	how = mongo_reply_parse(&reply, c->question, &in, err);
	*left = rcur_left(&in);
	free(copy);
	return how;
}

static void
test_replies(void **state)
{
	for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++) {
		const struct reply_case *c = &reply_cases[i];
		struct wbuf              bytes;
		struct err               err = { ERR_NONE, "" };
		size_t                   left, length;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		support_hex_put(&bytes, c->hex);
		assert_int_equal(parse(c, &bytes, bytes.count, &left, &err), c->parse);
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
		if (c->parse == MONGO_WHOLE) {
			length = bytes.bytes[0];
			assert_int_equal(left, bytes.count - length);
			for (size_t cut = 0; cut < length; cut++) {
				assert_int_equal(
				    parse(c, &bytes, cut, &left, &err), MONGO_MORE);
				assert_int_equal(left, cut);
			}
		} else {
			assert_int_equal(left, bytes.count);
		}
		wbuf_fini(&bytes);
	}
}

static const struct bson_case {
	const char *name, *hex;
	const char *words; /* NULL: it is one document */
	unsigned    elements;
} bson_cases[] = {
	{ "empty", "05000000 00", NULL, 0 },
	{ "every type",
	    "85000000"
	    "01 6100 000000000000f03f"                 /* double */
	    "02 6200 03000000 686900"                  /* string */
	    "03 6300 05000000 00"                      /* document */
	    "04 6400 05000000 00"                      /* array */
	    "05 6500 02000000 00 ffff"                 /* binary */
	    "07 6600 000102030405060708090a0b"         /* object id */
	    "08 6700 01"                               /* bool */
	    "09 6800 0000000000000000"                 /* datetime */
	    "0a 6900"                                  /* null */
	    "10 6a00 01000000"                         /* int32 */
	    "11 6b00 0000000000000000"                 /* timestamp */
	    "12 6c00 ffffffffffffffff"                 /* int64 */
	    "13 6d00 00000000000000000000000000000000" /* decimal */
	    "00",
	    NULL, 13 },
	{ "element without a name", "08000000 0a 00 00", "claims 8 bytes where 7", 0 },
	{ "empty name", "07000000 0a 00 00", NULL, 1 },
	{ "nothing", "", "where 0 are left", 0 },
	{ "half a size", "0500", "where 2 are left", 0 },
	{ "smaller than any", "04000000", "claims 4 bytes", 0 },
	{ "claims 2 GiB", "ffffff7f 00", "claims 2147483647 bytes where 5", 0 },
	{ "negative", "fbffffff 00", "claims 4294967291 bytes", 0 },
	{ "without its end", "05000000 01", "does not end with NUL", 0 },
	{ "bytes behind", "05000000 00 00", "1 bytes behind", 0 },
	{ "name without an end", "07000000 0a 61 00", "name of an element does not end", 0 },
	{ "type alone", "06000000 0a 00", "name of an element does not end", 0 },
	{ "int32 cut short", "0b000000 10 6100 0100 00 00", "'a' is cut short", 0 },
	{ "string of 2 GiB", "0d000000 02 6100 ffffff7f 00 00", "string of 2147483647 bytes",
	    0 },
	{ "negative string", "0d000000 02 6100 ffffffff 00 00", "string of 4294967295 bytes",
	    0 },
	{ "string of no bytes", "0d000000 02 6100 00000000 00 00", "string of 0 bytes", 0 },
	{ "string that has no end", "0d000000 02 6100 01000000 61 00", "does not end with NUL",
	    0 },
	{ "binary of 2 GiB", "0d000000 05 6100 ffffff7f 00 00", "'a' is cut short", 0 },
	{ "bool of 2", "09000000 08 6100 02 00", "bool 'a' is 2", 0 },
	{ "document larger than its own", "0d000000 03 6100 06000000 00 00",
	    "claims 6 bytes where 5", 0 },
	{ "array of 2 GiB", "0d000000 04 6100 ffffff7f 00 00", "claims 2147483647 bytes", 0 },
	{ "type 0", "08000000 00 6100 00", "type 0x00", 0 },
	{ "regular expression", "0c000000 0b 6100 612a 00 00 00", "type 0x0b", 0 },
	{ "least key", "08000000 ff 6100 00", "type 0xff", 0 },
};

static void
test_bson(void **state)
{
	for (size_t i = 0; i < sizeof(bson_cases) / sizeof(bson_cases[0]); i++) {
		const struct bson_case *c = &bson_cases[i];
		struct wbuf             bytes;
		struct rcur             elements;
		struct mongo_bson       element;
		struct err              err = { ERR_NONE, "" };
		unsigned                count = 0;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		support_hex_put(&bytes, c->hex);
		if (mongo_bson_check(bytes.bytes, bytes.count, &elements, &err)) {
			assert_null(c->words);
			while (mongo_bson_next(&elements, &element))
				count++;
			assert_int_equal(count, c->elements);
			for (size_t cut = 0; cut < bytes.count; cut++)
				assert_false(
				    mongo_bson_check(bytes.bytes, cut, &elements, NULL));
		} else {
			print_message("  %s\n", err.text);
			assert_non_null(c->words);
			assert_non_null(strstr(err.text, c->words));
		}
		wbuf_fini(&bytes);
	}
}

/* {d: {d: ... {}}}, so many in all. */
static bool
check_nested(uint32_t depth, struct err *err)
{
	enum { EACH_BYTES = 8 }; /* size, type, name, end */
	struct wbuf bytes;
	struct rcur elements;
	bool        good;

	wbuf_init(&bytes);
	for (uint32_t left = depth; left > 1; left--) {
		wbuf_u32le(&bytes, (left - 1) * EACH_BYTES + MONGO_BSON_LEAST_BYTES);
		support_hex_put(&bytes, "03 6400");
	}
	wbuf_u32le(&bytes, MONGO_BSON_LEAST_BYTES);
	for (uint32_t left = depth; left > 0; left--)
		wbuf_u8(&bytes, 0);
	good = mongo_bson_check(bytes.bytes, bytes.count, &elements, err);
	wbuf_fini(&bytes);
	return good;
}

static void
test_depth(void **state)
{
	struct err err = { ERR_NONE, "" };

	assert_true(check_nested(1, &err));
	assert_true(check_nested(MONGO_BSON_DEPTH_MAX, &err));
	assert_false(check_nested(MONGO_BSON_DEPTH_MAX + 1, &err));
	assert_non_null(strstr(err.text, "nested more than 16 deep"));
	assert_false(check_nested(8000, &err));
}

/* {"": null, ...} */
static bool
check_wide(uint32_t count, struct err *err)
{
	struct wbuf bytes;
	struct rcur elements;
	bool        good;

	wbuf_init(&bytes);
	wbuf_u32le(&bytes, count * 2 + MONGO_BSON_LEAST_BYTES);
	for (uint32_t i = 0; i < count; i++)
		support_hex_put(&bytes, "0a00");
	wbuf_u8(&bytes, 0);
	good = mongo_bson_check(bytes.bytes, bytes.count, &elements, err);
	wbuf_fini(&bytes);
	return good;
}

static void
test_width(void **state)
{
	struct err err = { ERR_NONE, "" };

	assert_true(check_wide(MONGO_BSON_ELEMENTS_MAX, &err));
	assert_false(check_wide(MONGO_BSON_ELEMENTS_MAX + 1, &err));
	assert_non_null(strstr(err.text, "more than 2048 elements"));
}

static const struct number_case {
	const char *name, *hex; /* of one element, "" its name */
	bool        good;
	int64_t     number;
} number_cases[] = {
	{ "int32", "10 00 01000000", true, 1 },
	{ "negative int32", "10 00 ffffffff", true, -1 },
	{ "int64", "12 00 ffffffffffffff7f", true, INT64_MAX },
	{ "double 1", "01 00 000000000000f03f", true, 1 },
	{ "double 1.5", "01 00 000000000000f83f", true, 1 },
	{ "double -2^63", "01 00 000000000000e0c3", true, INT64_MIN },
	{ "double 2^63", "01 00 000000000000e043", false, 0 },
	{ "infinite", "01 00 000000000000f07f", false, 0 },
	{ "not a number", "01 00 000000000000f87f", false, 0 },
	{ "bool", "08 00 01", false, 0 },
	{ "string", "02 00 02000000 3100", false, 0 },
};

static void
test_numbers(void **state)
{
	for (size_t i = 0; i < sizeof(number_cases) / sizeof(number_cases[0]); i++) {
		const struct number_case *c = &number_cases[i];
		struct wbuf               bytes;
		struct rcur               elements;
		struct mongo_bson         element;
		int64_t                   number = 0;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		support_hex_put(&bytes, "00000000");
		support_hex_put(&bytes, c->hex);
		wbuf_u8(&bytes, 0);
		bytes.bytes[0] = (uint8_t)bytes.count;
		assert_true(mongo_bson_check(bytes.bytes, bytes.count, &elements, NULL));
		assert_true(mongo_bson_next(&elements, &element));
		assert_int_equal(mongo_bson_number(&element, &number), c->good);
		assert_int_equal(number, c->number);
		wbuf_fini(&bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_bson),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
