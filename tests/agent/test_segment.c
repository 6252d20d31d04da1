#include "agent/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct segment_head head = { .epoch = UINT64_C(0x1122334455667788),
	.seq = 7,
	.schema = 1,
	.created_ms = 1700000000123,
	.boot_ns = 42,
	.agent_hash = 9 };

/* The layout is fixed for ever: a later agent must read what this one wrote. */
static void
test_layout(void **state)
{
	static const uint8_t wanted[] = {
		'p', 'l', 'p', 's', 'p', 'o', 'o', 'l', 1, 0, 1, 0, 0, 0, 0, 0,         /* */
		0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 7, 0, 0, 0, 0, 0, 0, 0, /* */
		0x7b, 0x68, 0xe5, 0xcf, 0x8b, 0x01, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0,      /* */
		9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* the checksum follows */
	};
	struct wbuf out;

	wbuf_init(&out);
	segment_head_write(&head, &out);
	assert_int_equal(out.count, SEGMENT_HEAD_BYTES);
	assert_memory_equal(out.bytes, wanted, sizeof(wanted));
	segment_record_write(&head, "abc", 3, &out);
	assert_int_equal(out.count, SEGMENT_HEAD_BYTES + SEGMENT_FRAME_BYTES + 3);
	assert_memory_equal(out.bytes + SEGMENT_HEAD_BYTES, "\x03\0\0\0", 4);
	assert_memory_equal(out.bytes + SEGMENT_HEAD_BYTES + 8, "abc", 3);
	wbuf_fini(&out);
}

static void
test_head_comes_back(void **state)
{
	struct segment_head back = { 0 };
	struct wbuf         out;
	struct err          err;

	wbuf_init(&out);
	segment_head_write(&head, &out);
	assert_true(segment_head_parse(&back, out.bytes, out.count, &err));
	assert_true(back.epoch == head.epoch);
	assert_int_equal(back.seq, head.seq);
	assert_int_equal(back.created_ms, head.created_ms);
	for (size_t i = 0; i < SEGMENT_HEAD_BYTES; i++) {
		assert_false(segment_head_parse(&back, out.bytes, i, &err));
		out.bytes[i] ^= 0x20;
		assert_false(segment_head_parse(&back, out.bytes, out.count, &err));
		assert_true(err.text[0] != '\0');
		out.bytes[i] ^= 0x20;
	}
	wbuf_fini(&out);
}

/* A record of an older file, in a block that the disk has used again, is none of ours. */
static void
test_record_of_another_file(void **state)
{
	struct segment_head other = head;
	struct segment_scan scan;
	struct wbuf         out, payload;

	wbuf_init(&out);
	wbuf_init(&payload);
	segment_head_write(&head, &out);
	segment_record_write(&head, "mine", 4, &out);
	other.seq = 6;
	segment_record_write(&other, "older", 5, &out);
	segment_record_write(&head, "behind", 6, &out);
	scan = segment_scan(&head, out.bytes, out.count, &payload);
	assert_int_equal(scan.records, 1);
	assert_int_equal(scan.bytes, SEGMENT_HEAD_BYTES + SEGMENT_FRAME_BYTES + 4);
	assert_int_equal(payload.count, 4);
	assert_memory_equal(payload.bytes, "mine", 4);
	wbuf_fini(&out);
	wbuf_fini(&payload);
}

/* Lengths that lie. */
static void
test_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 5, SEGMENT_RECORD_MAX, SEGMENT_RECORD_MAX + 1,
		UINT32_MAX };
	struct wbuf           out;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		wbuf_init(&out);
		segment_head_write(&head, &out);
		wbuf_u32le(&out, lengths[i]);
		wbuf_u32le(&out, 0);
		wbuf_put(&out, "abcd", 4);
		assert_int_equal(segment_scan(&head, out.bytes, out.count, NULL).records, 0);
		assert_int_equal(
		    segment_scan(&head, out.bytes, out.count, NULL).bytes, SEGMENT_HEAD_BYTES);
		wbuf_fini(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_head_comes_back),
		cmocka_unit_test(test_record_of_another_file),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
