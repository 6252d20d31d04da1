#include "proto/decode.h"

#include "proto/encode.h"
#include "tests/support/support_records.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static int
begin(void **state)
{
	arena = arena_new();
	return 0;
}

static int
end(void **state)
{
	arena_free(arena);
	return 0;
}

/* A copy on the heap of just that size, so that a read behind the end is seen. */
static void *
decode_exactly(
    const struct message_desc *desc, const void *bytes, size_t count, struct err *err)
{
	uint8_t *copy = malloc(count != 0 ? count : 1);
	void    *message;

	memcpy(copy, bytes, count);
	message = decode_message(desc, arena, copy, count, err);
	free(copy);
	return message;
}

static void
assert_refused(const struct message_desc *desc, const char *name, const char *bytes,
    size_t count, const char *wanted)
{
	struct err err = { .text = "" };

	if (decode_exactly(desc, bytes, count, &err) != NULL)
		fail_msg("%s: taken", name);
	if (strstr(err.text, wanted) == NULL)
		fail_msg("%s: '%s', '%s' wanted", name, err.text, wanted);
}

#define BYTES(text) text, sizeof(text) - 1

static const struct check_case {
	const char *name, *bytes;
	size_t      count;
	const char *why; /* NULL: well formed */
} check_cases[] = {
	{ "nothing", BYTES(""), "cut short" },
	{ "nil", BYTES("\xc0"), NULL },
	{ "no object", BYTES("\xc1"), "0xc1" },
	{ "two objects", BYTES("\xc0\xc0"), "byte 1: bytes behind" },
	{ "fixint and its end", BYTES("\x7f"), NULL },
	{ "negative fixint", BYTES("\xe0"), NULL },
	{ "bin 8", BYTES("\xc4\x02xy"), NULL },
	{ "bin 8 cut", BYTES("\xc4\x02x"), "cut short" },
	{ "bin 16", BYTES("\xc5\x00\x01x"), NULL },
	{ "bin 32 cut", BYTES("\xc6\xff\xff\xff\xff"), "cut short" },
	{ "ext 8 of nothing", BYTES("\xc7\x00\x05"), NULL },
	{ "ext 8 cut", BYTES("\xc7\x01\x05"), "cut short" },
	{ "ext 16", BYTES("\xc8\x00\x01\x05x"), NULL },
	{ "ext 32", BYTES("\xc9\x00\x00\x00\x01\x05x"), NULL },
	{ "ext 32 of 4 GiB", BYTES("\xc9\xff\xff\xff\xff\x05x"), "cut short" },
	{ "float 32", BYTES("\xca\x7f\xc0\x00\x00"), NULL },
	{ "float 32 cut", BYTES("\xca\x7f\xc0\x00"), "cut short" },
	{ "float 64", BYTES("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), NULL },
	{ "uint 64 cut", BYTES("\xcf\x01\x02\x03\x04\x05\x06\x07"), "cut short" },
	{ "int 16", BYTES("\xd1\x80\x00"), NULL },
	{ "fixext 1", BYTES("\xd4\x01x"), NULL },
	{ "fixext 16 cut", BYTES("\xd8\x01xxxxxxxxxxxxxxx"), "cut short" },
	{ "fixext 16", BYTES("\xd8\x01xxxxxxxxxxxxxxxx"), NULL },
	{ "str 8", BYTES("\xd9\x01x"), NULL },
	{ "str 16 cut", BYTES("\xda\x00\x02x"), "cut short" },
	{ "str 32 length cut", BYTES("\xdb\x00\x00\x00"), "cut short" },
	{ "array in array", BYTES("\x92\x91\x01\x02"), NULL },
	{ "array lacks one", BYTES("\x92\x01"), "more elements" },
	{ "map lacks a value", BYTES("\x81\x01"), "more elements" },
	{ "map 16", BYTES("\xde\x00\x01\x01\x02"), NULL },
	{ "inner takes what outer needs", BYTES("\x92\x92\x01\x02"), "more elements" },
	{ "depth 10", BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"), NULL },
	{ "depth 11", BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
	    "nested too deeply" },
	{ "depth 10 and an empty list", BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90"),
	    NULL },
	/* The bombs: what each would make msgpack-c ask for stands behind. */
	{ "bomb array", BYTES("\xdd\xff\xff\xff\xff"), "more elements" },   /* 137 GB */
	{ "bomb map", BYTES("\xdf\xff\xff\xff\xff"), "more elements" },     /* 275 GB */
	{ "bomb granted", BYTES("\xdd\x10\x00\x00\x00"), "more elements" }, /* 8.6 GB */
	{ "bomb map that wraps", BYTES("\xdf\x80\x00\x00\x00"), "more elements" },
};

static void
test_check(void **state)
{
	for (size_t i = 0; i < sizeof(check_cases) / sizeof(check_cases[0]); i++) {
		const struct check_case *c = &check_cases[i];
		struct err               err = { .text = "" };
		uint8_t                 *copy = malloc(c->count + 1);

		memcpy(copy, c->bytes, c->count);
		copy = realloc(copy, c->count != 0 ? c->count : 1);
		if (decode_check(copy, c->count, &err) != (c->why == NULL))
			fail_msg("%s: %s", c->name, err.text);
		if (c->why != NULL && strstr(err.text, c->why) == NULL)
			fail_msg("%s: '%s', '%s' wanted", c->name, err.text, c->why);
		free(copy);
	}
}

/* 30 lists of 2^24 in each other, 150 bytes, would be 16 GB. */
static void
test_check_nested_bomb(void **state)
{
	uint8_t    bytes[150];
	struct err err;

	for (size_t i = 0; i < sizeof(bytes); i += 5)
		memcpy(bytes + i, "\xdd\x01\x00\x00\x00", 5);
	assert_false(decode_check(bytes, sizeof(bytes), &err));
	/* Each list alone fits into what is left; together they do not. */
	memset(bytes, 0xc0, sizeof(bytes));
	for (size_t i = 0; i < 9 * 3; i += 3)
		memcpy(bytes + i, "\xdc\x00\x46", 3);
	assert_false(decode_check(bytes, sizeof(bytes), &err));
	assert_non_null(strstr(err.text, "byte 9: more elements"));
}

static void
test_check_bounds(void **state)
{
	size_t     count = DECODE_BYTES_MAX + 1;
	uint8_t   *bytes = malloc(count);
	uint32_t   most = DECODE_ITEMS_MAX - 1; /* the list itself is one more */
	struct err err;

	memset(bytes, 0xc0, count);
	bytes[0] = 0xdd;
	for (unsigned i = 0; i < 4; i++)
		bytes[1 + i] = (uint8_t)(most >> (24 - 8 * i));
	assert_true(decode_check(bytes, 5 + most, &err));
	bytes[4]++;
	assert_false(decode_check(bytes, 6 + most, &err));
	assert_non_null(strstr(err.text, "too many elements"));
	assert_int_equal(err.kind, ERR_LIMIT);

	memcpy(bytes, "\xdb\x00\x0f\xff\xfb", 5);
	assert_true(decode_check(bytes, count - 1, &err));
	assert_false(decode_check(bytes, count, &err));
	assert_non_null(strstr(err.text, "1048577 bytes"));
	free(bytes);
}

/* The refusal comes before anything is allocated. */
static void
test_bombs_allocate_nothing(void **state)
{
	static const char *const bombs[] = { "\xdd\xff\xff\xff\xff", "\xdf\xff\xff\xff\xff" };
	struct err               err;

	for (size_t i = 0; i < 2; i++) {
		size_t before = arena_bytes(arena);

		assert_null(
		    decode_message(&batch_desc, arena, (const uint8_t *)bombs[i], 5, &err));
		assert_int_equal(arena_bytes(arena), before);
		assert_int_equal(err.kind, ERR_PARSE);
	}
}

/* The largest tree that the fewest bytes can ask for: lists of empty messages. */
static void
test_worst_batch_is_bounded(void **state)
{
	enum { ENDPOINTS = 32, RECORDS = 4096 };
	struct wbuf   out;
	struct batch *batch;
	struct err    err;

	wbuf_init(&out);
	wbuf_put(&out, "\x81\x0a\xdc\x10\x00", 5);
	for (int i = 0; i < RECORDS; i++) {
		wbuf_put(&out, "\x81\x01\x81\x0b\xdc\x00\x20", 7);
		memset(wbuf_space(&out, ENDPOINTS), 0x80, ENDPOINTS);
	}
	batch = decode_exactly(&batch_desc, out.bytes, out.count, &err);
	if (batch == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(batch->records[RECORDS - 1].measurement->endpoints_count, ENDPOINTS);
	assert_true(arena_bytes(arena) < (64u << 20));
	wbuf_fini(&out);
}

static const struct refusal {
	const char                *name;
	const struct message_desc *desc;
	const char                *bytes;
	size_t                     count;
	const char                *wanted;
} refusals[] = {
	{ "not a map", &hop_desc, BYTES("\x91\x01"), "hop: a list, a map wanted" },
	{ "nil", &hop_desc, BYTES("\xc0"), "hop: nil, a map wanted" },
	{ "u32 one above", &hop_desc, BYTES("\x81\x03\xcf\0\0\0\1\0\0\0\0"),
	    "hop.ttl_s: 4294967296, 0 to 4294967295 wanted" },
	{ "u32 negative", &hop_desc, BYTES("\x81\x03\xff"), "hop.ttl_s: -1, 0 to" },
	{ "u32 float", &hop_desc, BYTES("\x81\x03\xca\x3f\x80\0\0"),
	    "hop.ttl_s: a float, a whole number wanted" },
	{ "u32 NaN", &hop_desc, BYTES("\x81\x03\xcb\x7f\xf8\0\0\0\0\0\0"), "a float" },
	{ "u32 nil", &hop_desc, BYTES("\x81\x03\xc0"), "hop.ttl_s: nil" },
	{ "u32 text", &hop_desc,
	    BYTES("\x81\x03\xa1"
	          "7"),
	    "hop.ttl_s: a text" },
	{ "u32 boolean", &hop_desc, BYTES("\x81\x03\xc3"), "hop.ttl_s: a boolean" },
	{ "text bytes", &hop_desc, BYTES("\x81\x01\xc4\x01x"), "hop.owner: bytes, a text" },
	{ "text ext", &hop_desc, BYTES("\x81\x01\xd4\x01x"), "hop.owner: an extension" },
	{ "text list", &hop_desc, BYTES("\x81\x01\x90"), "hop.owner: a list" },
	{ "bool number", &target_desc, BYTES("\x81\x08\x01"),
	    "target.dns_only: a whole number, a boolean wanted" },
	{ "i64 above", &gap_desc, BYTES("\x81\x06\xcf\x80\0\0\0\0\0\0\0"),
	    "gap.at_ms: 9223372036854775808, 0 to 9223372036854775807 wanted" },
	{ "u64 negative", &gap_desc, BYTES("\x81\x01\xd0\x80"), "gap.epoch: -128" },
	{ "enum negative", &dns_desc, BYTES("\x81\x02\xff"), "dns.outcome: -1" },
	{ "twice", &hop_desc, BYTES("\x82\x03\x01\x03\x02"), "hop.ttl_s: key 3 stands twice" },
	{ "twice, in two widths", &hop_desc, BYTES("\x82\x03\x01\xcd\0\x03\x02"),
	    "key 3 stands twice" },
	{ "deep", &batch_desc,
	    BYTES("\x81\x0a\x91\x81\x01\x81\x0a\x92\x80\x81\x14\x91\x81\x03\xa0"),
	    "batch.records[0].measurement.dns[1].hops[0].ttl_s: a text, a whole number" },
	{ "list of scalars", &batch_desc, BYTES("\x81\x0a\x92\x80\x05"),
	    "batch.records[1]: a whole number, a map wanted" },
	{ "list is a map", &batch_desc, BYTES("\x81\x0a\x80"), "batch.records: a map, a list" },
	{ "message is nil", &record_desc, BYTES("\x81\x01\xc0"), "record.measurement: nil" },
	{ "list too long", &measurement_desc,
	    BYTES("\x81\x0a\x9b\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
	    "measurement.dns: 11 elements, 10 at most" },
	{ "bad msgpack", &batch_desc, BYTES("\x81\x0a"), "batch: msgpack: byte 1" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		assert_refused(refusals[i].desc, refusals[i].name, refusals[i].bytes,
		    refusals[i].count, refusals[i].wanted);
}

static void
test_list_of_the_longest(void **state)
{
	static const char   bytes[] = "\x81\x0a\x9a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80";
	struct measurement *seen;
	struct err          err;

	seen = decode_exactly(&measurement_desc, BYTES(bytes), &err);
	assert_non_null(seen);
	assert_int_equal(seen->dns_count, 10);
	assert_string_equal(seen->dns[9].resolver, "");
}

/* Numbers in any width and sign that holds them. */
static void
test_number_formats(void **state)
{
	static const struct {
		const char *bytes;
		size_t      count;
	} fives[] = { { BYTES("\x81\x03\x05") }, { BYTES("\x81\x03\xcc\x05") },
		{ BYTES("\x81\x03\xcf\0\0\0\0\0\0\0\x05") }, { BYTES("\x81\x03\xd0\x05") },
		{ BYTES("\x81\x03\xd3\0\0\0\0\0\0\0\x05") },
		{ BYTES("\xdf\0\0\0\1\xd3\0\0\0\0\0\0\0\x03\xd1\0\x05") } };
	struct err err;

	for (size_t i = 0; i < sizeof(fives) / sizeof(fives[0]); i++) {
		struct hop *hop = decode_exactly(
		    &hop_desc, fives[i].bytes, fives[i].count, &err);

		assert_non_null(hop);
		assert_int_equal(hop->ttl_s, 5);
	}
}

static void
test_number_edges(void **state)
{
	struct gap *gap;
	struct err  err;

	gap = decode_exactly(&gap_desc,
	    BYTES("\x83\x01\xcf\xff\xff\xff\xff\xff\xff\xff\xff\x02\xce\xff\xff\xff\xff"
	          "\x06\xd3\x80\0\0\0\0\0\0\0"),
	    &err);
	assert_non_null(gap);
	assert_true(gap->epoch == UINT64_MAX);
	assert_true(gap->first_seq == UINT32_MAX);
	assert_true(gap->at_ms == INT64_MIN);
}

static void
test_absent_is_default(void **state)
{
	struct err err;

	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];
		const char                *got = decode_exactly(desc, "\x80", 1, &err);

		assert_non_null(got);
		for (size_t j = 0; j < desc->field_count; j++) {
			assert_true(field_is_default(&desc->fields[j], got));
			if (desc->fields[j].type == FIELD_TEXT)
				assert_string_equal(
				    *(const char *const *)(got + desc->fields[j].at), "");
		}
	}
}

static void
test_text_is_made_safe(void **state)
{
	struct hop *hop;
	struct err  err;
	char        bytes[5000 + 4] = "\x81\x01\xda\x13\x88";

	hop = decode_exactly(&hop_desc,
	    BYTES("\x82\x01\xa5"
	          "a\0b\x1b\xff"
	          "\x02\xa3\xe2\x82\xac"),
	    &err);
	assert_non_null(hop);
	assert_string_equal(hop->owner, "a?b??");
	assert_string_equal(hop->target, "\xe2\x82\xac");
	memset(bytes + 5, 'x', sizeof(bytes) - 5);
	memcpy(bytes + 2, "\xda\x13\x87", 3); /* 4999 bytes */
	hop = decode_exactly(&hop_desc, bytes, sizeof(bytes), &err);
	assert_non_null(hop);
	assert_int_equal(strlen(hop->owner), DECODE_TEXT_MAX);
}

/* What a newer peer may put under a key that we do not know. */
static const struct {
	const char *bytes;
	size_t      count;
} unknowns[] = {
	{ BYTES("\xc0") },
	{ BYTES("\xc3") },
	{ BYTES("\x2a") },
	{ BYTES("\xff") },
	{ BYTES("\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18") },
	{ BYTES("\xca\x7f\xc0\x00\x00") },
	{ BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff") },
	{ BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00") },
	{ BYTES("\xa3xyz") },
	{ BYTES("\xc4\x03\x00\x01\x02") },
	{ BYTES("\xd6\xff\x00\x00\x00\x00") },
	{ BYTES("\xc7\x03\x05"
	        "abc") },
	{ BYTES("\x92\x01\x92\xa1x\xc0") },
	{ BYTES("\x82\xa1k\x01\x07\x81\x01\x90") },
};
/* 127 and the name are keys of nobody; so are a negative one and one of another type. */
static const struct {
	const char *bytes;
	size_t      count;
} unknown_keys[] = { { BYTES("\x7f") }, { BYTES("\xa3new") }, { BYTES("\xe0") },
	{ BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff") }, { BYTES("\xc0") },
	{ BYTES("\x90") } };

/* Each message with one more pair at the end, as a newer peer would write it. */
static void
test_newer_peer(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out;
	struct err            err;

	wbuf_init(&out);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];
		void                      *sent = support_records_make(desc, arena, &random, 2);

		for (size_t j = 0; j < sizeof(unknowns) / sizeof(unknowns[0]); j++) {
			void  *got;
			size_t k = j % (sizeof(unknown_keys) / sizeof(unknown_keys[0]));

			wbuf_clear(&out);
			encode_message(desc, sent, &out);
			if (out.bytes[0] < 0x80 || out.bytes[0] >= 0x8f)
				continue; /* map 16: the head would grow */
			out.bytes[0]++;
			wbuf_put(&out, unknown_keys[k].bytes, unknown_keys[k].count);
			wbuf_put(&out, unknowns[j].bytes, unknowns[j].count);
			got = decode_exactly(desc, out.bytes, out.count, &err);
			if (got == NULL)
				fail_msg("%s, unknown %zu: %s", desc->name, j, err.text);
			assert_null(support_records_differ(desc, sent, got));
		}
	}
	wbuf_fini(&out);
}

/* Unknown keys in the middle of nested messages, and a value that only a newer peer has a word
 * for. */
static void
test_newer_peer_nested(void **state)
{
	struct batch *batch;
	struct err    err;

	batch = decode_exactly(&batch_desc,
	    BYTES("\x83\x00\xa1x\x01\x02\x0a\x92"
	          "\x81\x63\x81\x01\x02" /* a kind of record we do not know */
	          "\x81\x01\x83\x09\xc0\x02\x07\x0a\x91\x83\x02\xcd\x03\xe7\x70\x90\x04\x63"),
	    &err);
	if (batch == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(batch->v, 2);
	assert_int_equal(batch->records_count, 2);
	assert_null(batch->records[0].measurement);
	assert_int_equal(batch->records[1].measurement->started_ms, 7);
	assert_int_equal(batch->records[1].measurement->dns[0].outcome, 999);
	assert_int_equal(batch->records[1].measurement->dns[0].transport, 99);
	assert_string_equal(outcome_name(999), "unknown");
}

/* An older peer's message is ours with fields taken away: any of them. */
static void
test_older_peer(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out;
	struct err            err;

	wbuf_init(&out);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];
		void                      *sent = support_records_make(desc, arena, &random, 2);

		for (size_t known = 0; known <= desc->field_count; known++) {
			struct message_desc old = *desc;
			const char         *got;

			old.field_count = known;
			wbuf_clear(&out);
			encode_message(&old, sent, &out);
			got = decode_exactly(desc, out.bytes, out.count, &err);
			if (got == NULL)
				fail_msg("%s with %zu: %s", desc->name, known, err.text);
			assert_null(support_records_differ(&old, sent, got));
			for (size_t j = known; j < desc->field_count; j++)
				assert_true(field_is_default(&desc->fields[j], got));
		}
	}
	wbuf_fini(&out);
}

static bool
is_full(const struct batch *batch)
{
	return batch->records_count == 2 && batch->records[0].measurement != NULL &&
	    batch->records[0].measurement->dns_count != 0 &&
	    batch->records[0].measurement->endpoints_count != 0;
}

/* A batch with something of everything in `out`: the smallest of a few, since the tests below
 * decode it once or more for each of its bits. */
static void
encode_full_batch(struct support_random *random, struct wbuf *out)
{
	struct wbuf other;

	wbuf_init(&other);
	for (int found = 0; found < 20;) {
		struct batch *batch = support_records_make(&batch_desc, arena, random, 2);

		if (!is_full(batch))
			continue;
		wbuf_clear(&other);
		encode_message(&batch_desc, batch, &other);
		if (found++ == 0 || other.count < out->count) {
			wbuf_clear(out);
			wbuf_put(out, other.bytes, other.count);
		}
	}
	wbuf_fini(&other);
}

/* No beginning of a batch is a batch. */
static void
test_truncation(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out;
	struct err            err;

	wbuf_init(&out);
	encode_full_batch(&random, &out);
	assert_non_null(decode_exactly(&batch_desc, out.bytes, out.count, &err));
	for (size_t count = 0; count < out.count; count++) {
		err.text[0] = '\0';
		assert_null(decode_exactly(&batch_desc, out.bytes, count, &err));
		assert_true(strlen(err.text) > strlen("batch: "));
	}
	wbuf_fini(&out);
}

/* Taken or refused with a reason, never worse; what is taken can be written and read again. */
static void
test_bit_flips(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out, again;
	size_t                taken = 0;

	wbuf_init(&out);
	wbuf_init(&again);
	encode_full_batch(&random, &out);
	for (size_t bit = 0; bit < out.count * 8; bit++) {
		struct arena *outer = arena;
		struct err    err = { .text = "" };
		void         *got;

		arena = arena_new();
		out.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		got = decode_exactly(&batch_desc, out.bytes, out.count, &err);
		out.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		taken += got != NULL;
		assert_true((got != NULL) == (err.text[0] == '\0'));
		if (got != NULL) {
			wbuf_clear(&again);
			encode_message(&batch_desc, got, &again);
			assert_non_null(
			    decode_exactly(&batch_desc, again.bytes, again.count, &err));
		}
		arena_free(arena);
		arena = outer;
	}
	/* Text bits mostly go through, heads mostly do not: both ways are walked. */
	assert_in_range(taken, 1, out.count * 8 - 1);
	wbuf_fini(&out);
	wbuf_fini(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check, begin, end),
		cmocka_unit_test_setup_teardown(test_check_nested_bomb, begin, end),
		cmocka_unit_test_setup_teardown(test_check_bounds, begin, end),
		cmocka_unit_test_setup_teardown(test_bombs_allocate_nothing, begin, end),
		cmocka_unit_test_setup_teardown(test_worst_batch_is_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_list_of_the_longest, begin, end),
		cmocka_unit_test_setup_teardown(test_number_formats, begin, end),
		cmocka_unit_test_setup_teardown(test_number_edges, begin, end),
		cmocka_unit_test_setup_teardown(test_absent_is_default, begin, end),
		cmocka_unit_test_setup_teardown(test_text_is_made_safe, begin, end),
		cmocka_unit_test_setup_teardown(test_newer_peer, begin, end),
		cmocka_unit_test_setup_teardown(test_newer_peer_nested, begin, end),
		cmocka_unit_test_setup_teardown(test_older_peer, begin, end),
		cmocka_unit_test_setup_teardown(test_truncation, begin, end),
		cmocka_unit_test_setup_teardown(test_bit_flips, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
