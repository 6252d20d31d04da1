#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <time.h>

static const struct render_case {
	int64_t     wall_ms;
	const char *text;
} render_cases[] = {
	{ 0, "1970-01-01T00:00:00.000Z" },
	{ 1, "1970-01-01T00:00:00.001Z" },
	{ -1, "1969-12-31T23:59:59.999Z" },
	{ -1000, "1969-12-31T23:59:59.000Z" },
	{ -1001, "1969-12-31T23:59:58.999Z" },
	{ 1795468085678, "2026-11-23T21:08:05.678Z" },
	{ 951782399999, "2000-02-28T23:59:59.999Z" },
	{ 951782400000, "2000-02-29T00:00:00.000Z" },
	{ 253402300799999, "9999-12-31T23:59:59.999Z" },
};

static void
test_render(void **state)
{
	char text[CLOCK_TEXT];

	for (size_t i = 0; i < sizeof(render_cases) / sizeof(render_cases[0]); i++)
		assert_string_equal(clock_render(render_cases[i].wall_ms, text, sizeof(text)),
		    render_cases[i].text);
	/* A peer may send any number: it must fit. */
	clock_render(INT64_MAX, text, sizeof(text));
	clock_render(INT64_MIN, text, sizeof(text));
}

static void
test_hand(void **state)
{
	struct clock_hand hand;

	clock_hand_init(&hand, 1000);
	assert_int_equal(clock_wall_ms(&hand.clock), 1000);
	clock_hand_wind(&hand, 2500);
	assert_int_equal(clock_mono_us(&hand.clock), 2500);
	assert_int_equal(clock_boot_ns(&hand.clock), 2500000);
	assert_int_equal(clock_wall_ms(&hand.clock), 1002);
}

static void
test_system(void **state)
{
	const struct clock *clock = clock_system();
	int64_t             mono_us = clock_mono_us(clock), boot_ns = clock_boot_ns(clock);
	int64_t             seconds = time(NULL);
	struct timespec     wait = { .tv_nsec = 2000000 };

	assert_in_range(clock_wall_ms(clock) / MS_PER_S - seconds + 1, 0, 2);
	nanosleep(&wait, NULL);
	assert_true(clock_mono_us(clock) - mono_us >= 2000);
	assert_true(clock_boot_ns(clock) - boot_ns >= 2000000);
	assert_true(clock_mono_us(clock) - mono_us < 60 * US_PER_S);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render),
		cmocka_unit_test(test_hand),
		cmocka_unit_test(test_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
