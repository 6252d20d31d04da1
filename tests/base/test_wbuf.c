#include "base/wbuf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct wbuf out;

static int
begin(void **state)
{
	wbuf_init(&out);
	return 0;
}

static int
end(void **state)
{
	wbuf_fini(&out);
	return 0;
}

static void
test_numbers(void **state)
{
	static const uint8_t wanted[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 3,
		2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8 };

	wbuf_u8(&out, 1);
	wbuf_u16be(&out, 0x0203);
	wbuf_u32be(&out, 0x04050607);
	wbuf_u64be(&out, UINT64_C(0x08090a0b0c0d0e0f));
	wbuf_u16le(&out, 0x0203);
	wbuf_u32le(&out, 0x04050607);
	wbuf_u64le(&out, UINT64_C(0x08090a0b0c0d0e0f));
	assert_int_equal(out.count, sizeof(wanted));
	assert_memory_equal(out.bytes, wanted, sizeof(wanted));
}

static void
test_text(void **state)
{
	assert_string_equal(wbuf_text(&out), "");
	wbuf_puts(&out, "a");
	wbuf_printf(&out, "%d%s", 12, "");
	wbuf_printf(&out, "%s", "");
	wbuf_put(&out, NULL, 0);
	assert_string_equal(wbuf_text(&out), "a12");
	assert_int_equal(out.count, 3); /* the NUL does not count */
	wbuf_puts(&out, "b");
	assert_string_equal(wbuf_text(&out), "a12b");
	wbuf_clear(&out);
	assert_string_equal(wbuf_text(&out), "");
}

/* Pieces of every size around the steps in which the memory grows. */
static void
test_growth(void **state)
{
	char   piece[700];
	size_t total = 0;

	memset(piece, 'p', sizeof(piece));
	for (size_t size = 0; size < sizeof(piece); size++) {
		memset(wbuf_space(&out, size), 'q', size);
		wbuf_put(&out, piece, size);
		wbuf_printf(&out, "%.*s", (int)size, piece);
		total += 3 * size;
		assert_int_equal(out.count, total);
		assert_int_equal(strlen(wbuf_text(&out)), total);
	}
}

static void
test_take(void **state)
{
	char *text;

	wbuf_puts(&out, "taken");
	text = wbuf_take(&out);
	assert_string_equal(text, "taken");
	free(text);
	assert_int_equal(out.count, 0);
	text = wbuf_take(&out);
	assert_string_equal(text, "");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_numbers, begin, end),
		cmocka_unit_test_setup_teardown(test_text, begin, end),
		cmocka_unit_test_setup_teardown(test_growth, begin, end),
		cmocka_unit_test_setup_teardown(test_take, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
