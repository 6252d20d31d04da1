#include "proto/encode.h"

#include "proto/decode.h"
#include "tests/support/support_records.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { ROUNDS = 300 };

static void
assert_bytes(const struct wbuf *out, const char *bytes, size_t count)
{
	assert_int_equal(out->count, count);
	assert_memory_equal(out->bytes, bytes, count);
}

/* Ids and their order are promises to every peer there is. */
static void
test_ids_ascend(void **state)
{
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];

		assert_in_range(desc->field_count, 1, 64);
		assert_in_range(desc->fields[0].id, 1, 127);
		for (size_t j = 1; j < desc->field_count; j++)
			assert_true(desc->fields[j].id > desc->fields[j - 1].id);
	}
}

static void
test_known_bytes(void **state)
{
	struct hop    hop = { .owner = "a.b", .target = NULL, .ttl_s = 300 };
	struct vitals vitals = { .at_ms = -1, .boot_ns = UINT64_MAX, .version = "" };
	struct wbuf   out;

	wbuf_init(&out);
	encode_message(&hop_desc, &hop, &out);
	assert_bytes(&out,
	    "\x82\x01\xa3"
	    "a.b"
	    "\x03\xcd\x01\x2c",
	    10);
	wbuf_clear(&out);
	encode_message(&vitals_desc, &vitals, &out);
	assert_bytes(&out, "\x82\x01\xff\x02\xcf\xff\xff\xff\xff\xff\xff\xff\xff", 13);
	wbuf_fini(&out);
}

static void
test_defaults_are_left_out(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		struct arena *arena = arena_new();

		wbuf_clear(&out);
		encode_message(
		    message_descs[i], arena_alloc(arena, message_descs[i]->bytes), &out);
		assert_bytes(&out, "\x80", 1);
		arena_free(arena);
	}
	wbuf_fini(&out);
}

static void
test_lists_and_messages(void **state)
{
	struct gap    gap = { .last_seq = 7 };
	struct record records[2] = { { .gap = &gap }, { .vitals = NULL } };
	struct batch  batch = { .v = 1, .records = records, .records_count = 2 };
	struct wbuf   out;

	wbuf_init(&out);
	encode_message(&batch_desc, &batch, &out);
	assert_bytes(&out, "\x82\x01\x01\x0a\x92\x81\x03\x81\x03\x07\x80", 11);
	wbuf_fini(&out);
}

/* The same struct always gives the same bytes, and what comes back is the same struct. */
static void
test_round_trip(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           out, again;
	struct err            err;

	wbuf_init(&out);
	wbuf_init(&again);
	for (size_t i = 0; message_descs[i] != NULL; i++) {
		const struct message_desc *desc = message_descs[i];

		for (int round = 0; round < ROUNDS; round++) {
			struct arena *arena = arena_new();
			void         *sent = support_records_make(desc, arena, &random, 3);
			void         *got;

			wbuf_clear(&out);
			wbuf_clear(&again);
			encode_message(desc, sent, &out);
			got = decode_message(desc, arena, out.bytes, out.count, &err);
			if (got == NULL)
				fail_msg("%s", err.text);
			if (support_records_differ(desc, sent, got) != NULL)
				fail_msg("%s differs", support_records_differ(desc, sent, got));
			encode_message(desc, got, &again);
			assert_bytes(&again, (char *)out.bytes, out.count);
			arena_free(arena);
		}
	}
	wbuf_fini(&out);
	wbuf_fini(&again);
}

static void
test_batch_of_encoded_records(void **state)
{
	struct support_random random = support_random_new();
	struct wbuf           whole, parts, records;

	wbuf_init(&whole);
	wbuf_init(&parts);
	wbuf_init(&records);
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *arena = arena_new();
		struct batch *batch = support_records_make(&batch_desc, arena, &random, 20);
		size_t        count = batch->records_count;

		wbuf_clear(&whole);
		wbuf_clear(&parts);
		wbuf_clear(&records);
		encode_message(&batch_desc, batch, &whole);
		for (size_t i = 0; i < count; i++)
			encode_message(&record_desc, &batch->records[i], &records);
		batch->records = NULL;
		batch->records_count = 12345; /* not to be looked at */
		encode_batch_of(batch, records.bytes, records.count, count, &parts);
		assert_bytes(&parts, (char *)whole.bytes, whole.count);
		arena_free(arena);
	}
	wbuf_fini(&whole);
	wbuf_fini(&parts);
	wbuf_fini(&records);
}

/* Appends: what is in the buffer stays. */
static void
test_appends(void **state)
{
	struct rdata rdata = { .ttl_s = 5 };
	struct wbuf  out;

	wbuf_init(&out);
	wbuf_puts(&out, "head");
	encode_message(&rdata_desc, &rdata, &out);
	assert_bytes(&out, "head\x81\x02\x05", 7);
	wbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_ascend),
		cmocka_unit_test(test_known_bytes),
		cmocka_unit_test(test_defaults_are_left_out),
		cmocka_unit_test(test_lists_and_messages),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_batch_of_encoded_records),
		cmocka_unit_test(test_appends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
