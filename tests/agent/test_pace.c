#include "agent/pace.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* How often it may begin within span_us, when it is asked every step_us. */
static unsigned
count_begun(struct pace *pace, int64_t from_us, int64_t span_us, int64_t step_us)
{
	unsigned begun = 0;

	for (int64_t at_us = from_us; at_us < from_us + span_us; at_us += step_us)
		begun += pace_take(pace, at_us);
	return begun;
}

static const struct rate_case {
	const char *name;
	int64_t     count, span_us, asked_us;
	unsigned    at_once, within_minute; /* beside those at once */
} rate_cases[] = {
	{ "ten a second", 10, US_PER_S, 1000, 10, 600 },
	{ "three a second, which do not divide it", 3, US_PER_S, 1000, 3, 179 },
	{ "sixty a minute", 60, 60 * US_PER_S, 1000, 1, 60 },
	{ "one a minute", 1, 60 * US_PER_S, 1000, 1, 1 },
	{ "6000 a minute, asked seldom", 6000, 60 * US_PER_S, US_PER_S, 100, 60 },
	{ "ten thousand a second", 10000, US_PER_S, 50, 10000, 600000 },
};

static void
test_rates(void **state)
{
	for (size_t i = 0; i < sizeof(rate_cases) / sizeof(rate_cases[0]); i++) {
		const struct rate_case *row = &rate_cases[i];
		const int64_t           now_us = 1000000000;
		struct pace             pace;
		unsigned                at_once = 0, later;

		pace_init(&pace, row->count, row->span_us, now_us);
		while (pace_take(&pace, now_us))
			at_once++;
		/* What does not divide a second leaves a part of one. */
		assert_in_range(at_once, row->at_once - 1, row->at_once);
		later = count_begun(
		    &pace, now_us + row->asked_us, 60 * US_PER_S, row->asked_us);
		if (later > row->within_minute + 1 || later + 1 < row->within_minute)
			fail_msg("%s: %u within a minute", row->name, later);
	}
}

static void
test_wait(void **state)
{
	struct pace pace;
	int64_t     wait_us, now_us = 5;

	pace_init(&pace, 60, 60 * US_PER_S, now_us);
	assert_int_equal(pace_wait_us(&pace, now_us), 0);
	assert_true(pace_take(&pace, now_us));
	wait_us = pace_wait_us(&pace, now_us + 400000);
	assert_int_equal(wait_us, 600000);
	assert_false(pace_take(&pace, now_us + 400000 + wait_us - 1));
	assert_int_equal(pace_wait_us(&pace, now_us + 999999), 1);
	assert_true(pace_take(&pace, now_us + US_PER_S));
	/* Nothing is saved up for longer than it takes to use it. */
	now_us += 3600 * US_PER_S;
	assert_true(pace_take(&pace, now_us));
	assert_false(pace_take(&pace, now_us));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
