#include "base/rcur.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

static void
test_numbers(void **state)
{
	struct rcur in = rcur_of(bytes, sizeof(bytes));

	assert_int_equal(rcur_u8(&in), 1);
	assert_int_equal(rcur_u16be(&in), 0x0203);
	assert_int_equal(rcur_u32be(&in), 0x04050607);
	assert_true(rcur_u64be(&in) == UINT64_C(0x08090a0b0c0d0e0f));
	assert_true(rcur_ok(&in));
	assert_int_equal(rcur_left(&in), 0);
	in = rcur_of(bytes, sizeof(bytes));
	rcur_skip(&in, 1);
	assert_int_equal(rcur_u16le(&in), 0x0302);
	assert_int_equal(rcur_u32le(&in), 0x07060504);
	assert_true(rcur_u64le(&in) == UINT64_C(0x0f0e0d0c0b0a0908));
	assert_true(rcur_ok(&in));
}

/* One read too far yields zero, and so does all that follows, though bytes are left. */
static void
test_remembers(void **state)
{
	struct rcur in = rcur_of(bytes, 3);

	assert_int_equal(rcur_u8(&in), 1);
	assert_int_equal(rcur_u32be(&in), 0);
	assert_false(rcur_ok(&in));
	assert_int_equal(rcur_u8(&in), 0);
	assert_int_equal(rcur_u16le(&in), 0);
	assert_null(rcur_bytes(&in, 1));
	assert_false(rcur_ok(&in));
}

static void
test_bytes(void **state)
{
	struct rcur in = rcur_of(bytes, 4);

	assert_ptr_equal(rcur_bytes(&in, 4), bytes);
	assert_non_null(rcur_bytes(&in, 0));
	assert_true(rcur_ok(&in));
	assert_null(rcur_bytes(&in, 1));
	assert_false(rcur_ok(&in));
	in = rcur_of(bytes, 4);
	rcur_skip(&in, SIZE_MAX);
	assert_false(rcur_ok(&in));
	in = rcur_of(bytes, 4);
	rcur_skip(&in, 4);
	assert_true(rcur_ok(&in));
}

static void
test_nothing(void **state)
{
	struct rcur in = rcur_of(NULL, 0);

	assert_true(rcur_ok(&in));
	assert_int_equal(rcur_left(&in), 0);
	assert_int_equal(rcur_u8(&in), 0);
	assert_false(rcur_ok(&in));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_remembers),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
