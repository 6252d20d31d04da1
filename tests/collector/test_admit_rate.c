/* How often one may knock. */
#include "collector/admit_rate.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

static struct addr
from(const char *text)
{
	struct addr addr;
	struct err  err;

	assert_true(addr_parse(&addr, text, 1, &err));
	return addr;
}

/* So many guesses in a minute, and not one more, from all that one machine can call its address. */
static void
test_guesses(void **state)
{
	static const struct {
		const char *addresses[2];
		unsigned    guesses;
	} cases[] = { { { "10.0.0.4", "10.0.0.4" }, 10 }, { { "10.0.0.4", "10.0.0.5" }, 20 },
		{ { "fd00::1", "fd00::2" }, 10 }, { { "fd00::1", "fd00:0:0:1::1" }, 20 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct admit_rate *rate = admit_rate_new(0);
		unsigned           guesses = 0;

		for (unsigned k = 0; k < 100; k++) {
			struct addr who = from(cases[i].addresses[k % 2]);

			if (!admit_rate_take(rate, &who, k))
				continue;
			admit_rate_fault(rate, &who, k);
			guesses++;
		}
		assert_int_equal(guesses, cases[i].guesses);
		admit_rate_free(rate);
	}
}

static void
test_a_minute_later(void **state)
{
	struct admit_rate *rate = admit_rate_new(0);
	struct addr        who = from("10.0.0.4");

	for (unsigned i = 0; i < 10; i++)
		admit_rate_fault(rate, &who, 0);
	assert_false(admit_rate_take(rate, &who, 60 * US_PER_S - 1));
	assert_true(admit_rate_take(rate, &who, 60 * US_PER_S));
	admit_rate_free(rate);
}

/* A roll-out behind one address is a burst, and then a pace. */
static void
test_pace_of_all(void **state)
{
	struct admit_rate *rate = admit_rate_new(0);
	struct addr        who = from("10.0.0.4");
	unsigned           taken = 0;

	for (int64_t ms = 0; ms < 10000; ms++)
		taken += admit_rate_take(rate, &who, ms * US_PER_MS);
	assert_in_range(taken, 399, 401);
	admit_rate_free(rate);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_a_minute_later),
		cmocka_unit_test(test_pace_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
