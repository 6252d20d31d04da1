#include "agent/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { DRAWS = 100000, BINS = 20 };

/* Uniform from 0 to the limit: each of 20 bins within 6 standard deviations, which a right
 * generator misses once in 10^7 runs. */
static void
check_uniform(unsigned failures, int64_t limit_ms)
{
	unsigned bins[BINS] = { 0 };
	int64_t  least = limit_ms, most = 0;

	for (unsigned i = 0; i < DRAWS; i++) {
		struct backoff backoff = { .failures = failures, .waited_ms = INT32_MAX };
		int64_t        wait_ms = backoff_next_ms(&backoff);

		assert_in_range(wait_ms, 0, limit_ms);
		assert_int_equal(backoff.failures, failures + 1);
		bins[wait_ms * BINS / (limit_ms + 1)]++;
		least = wait_ms < least ? wait_ms : least;
		most = wait_ms > most ? wait_ms : most;
	}
	for (unsigned i = 0; i < BINS; i++)
		assert_in_range(bins[i], DRAWS / BINS - 414, DRAWS / BINS + 414);
	assert_true(least <= limit_ms / 1000);
	assert_true(most >= limit_ms - limit_ms / 1000);
}

static void
test_full_jitter(void **state)
{
	check_uniform(0, 1000);
	check_uniform(1, 2000);
	check_uniform(5, 32000);
	check_uniform(8, 256000);
	check_uniform(9, 300000);
	check_uniform(4000000000u, 300000);
}

/* Ten thousand that lose it together for a while: when the last is back, how often they tried. */
static void
check_outage(int64_t outage_ms)
{
	uint64_t tries = 0;
	int64_t  last_ms = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct backoff backoff = { 0 };
		int64_t        at_ms = 0;

		for (; at_ms < outage_ms; tries++)
			at_ms += backoff_next_ms(&backoff);
		last_ms = at_ms > last_ms ? at_ms : last_ms;
	}
	assert_true(last_ms > 2 * outage_ms);
	assert_true(last_ms <= 3 * outage_ms + BACKOFF_FIRST_MS);
	assert_true(tries < 10000 * 12);
}

static void
test_nobody_stays_away(void **state)
{
	check_outage(10 * 1000);
	check_outage(25 * 1000);
	check_outage(60 * 1000);
}

static const struct asked_case {
	int64_t asked_s, least_ms, most_ms;
} asked_cases[] = {
	{ 0, 1000, 2000 },
	{ -5, 1000, 2000 },
	{ 1, 1000, 2000 },
	{ 30, 30000, 60000 },
	{ 900, 900000, 1800000 },
	{ 315360000, 900000, 1800000 },
	{ INT64_MAX, 900000, 1800000 },
};

static void
test_asked(void **state)
{
	for (size_t i = 0; i < sizeof(asked_cases) / sizeof(asked_cases[0]); i++) {
		for (unsigned draw = 0; draw < 1000; draw++) {
			struct backoff backoff = { 0 };

			assert_in_range(backoff_asked_ms(&backoff, asked_cases[i].asked_s),
			    asked_cases[i].least_ms, asked_cases[i].most_ms);
			assert_int_equal(backoff.failures, 1);
		}
	}
}

/* A name that nobody resolves is asked for less than once in half a minute, and ever less. */
static void
test_nameless(void **state)
{
	static const int64_t limits_ms[] = { 60000, 120000, 240000, 300000, 300000 };

	for (unsigned round = 0; round < 1000; round++) {
		struct backoff backoff = { 0 };

		for (unsigned i = 0; i < sizeof(limits_ms) / sizeof(limits_ms[0]); i++)
			assert_in_range(
			    backoff_nameless_ms(&backoff), limits_ms[i] / 2, limits_ms[i]);
		assert_int_equal(backoff.failures, 5);
	}
}

static void
test_reset(void **state)
{
	struct backoff backoff = { .failures = 20 };

	backoff_reset(&backoff);
	assert_in_range(backoff_next_ms(&backoff), 0, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_jitter),
		cmocka_unit_test(test_nobody_stays_away),
		cmocka_unit_test(test_asked),
		cmocka_unit_test(test_nameless),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
