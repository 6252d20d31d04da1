#include "collector/strikes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

static struct clock_hand hand;

static struct addr
make_addr(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(&addr, text, 0, NULL));
	return addr;
}

static unsigned
take(struct strikes *strikes, const char *text)
{
	struct addr addr = make_addr(text);

	return strikes_take(strikes, &addr);
}

static struct strikes *
start(void)
{
	clock_hand_init(&hand, 1000000);
	clock_hand_wind(&hand, 1000 * US_PER_S);
	return strikes_new(&hand.clock);
}

static void
test_one_address(void **state)
{
	struct strikes *strikes = start();
	struct addr     addr = make_addr("10.0.0.1");

	for (int i = 0; i < STRIKES_EACH; i++)
		assert_int_equal(take(strikes, "10.0.0.1"), 0);
	assert_int_equal(take(strikes, "10.0.0.1"), 30);
	assert_int_equal(strikes_wait_s(strikes, &addr), 30);
	assert_int_equal(take(strikes, "10.0.0.2"), 0); /* somebody else */
	clock_hand_wind(&hand, 29 * US_PER_S);
	assert_int_equal(take(strikes, "10.0.0.1"), 1);
	clock_hand_wind(&hand, 1 * US_PER_S);
	assert_int_equal(take(strikes, "10.0.0.1"), 0); /* one has come back, and no more */
	assert_int_equal(take(strikes, "10.0.0.1"), 30);
	clock_hand_wind(&hand, 3600 * US_PER_S);
	for (int i = 0; i < STRIKES_EACH; i++)
		assert_int_equal(take(strikes, "10.0.0.1"), 0);
	assert_int_not_equal(take(strikes, "10.0.0.1"), 0);
	strikes_free(strikes);
}

static void
test_right_ones_cost_nothing(void **state)
{
	struct strikes *strikes = start();
	struct addr     addr = make_addr("10.0.0.1");

	for (int i = 0; i < 10 * STRIKES_ALL; i++) {
		assert_int_equal(strikes_take(strikes, &addr), 0);
		strikes_forgive(strikes, &addr);
	}
	assert_int_equal(strikes_wait_s(strikes, &addr), 0);
	strikes_free(strikes);
}

/* One machine has a whole /64. */
static void
test_networks_of_ipv6(void **state)
{
	struct strikes *strikes = start();
	char            text[ADDR_TEXT];

	for (int i = 0; i < STRIKES_EACH; i++) {
		snprintf(text, sizeof(text), "2001:db8:0:1::%x", i + 1);
		assert_int_equal(take(strikes, text), 0);
	}
	assert_int_not_equal(take(strikes, "2001:db8:0:1:ffff::1"), 0);
	assert_int_equal(take(strikes, "2001:db8:0:2::1"), 0);
	strikes_free(strikes);
}

/* Many addresses are no way around it, not even more than the table holds. */
static void
test_all_together(void **state)
{
	struct strikes *strikes = start();
	struct addr     fresh = make_addr("192.0.2.1");
	char            text[ADDR_TEXT];
	int             taken = 0;

	for (int i = 0; i < 3 * STRIKES_TABLE; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d", i / 200, i % 200 + 1);
		taken += take(strikes, text) == 0;
	}
	assert_int_equal(taken, STRIKES_ALL);
	assert_int_equal(strikes_wait_s(strikes, &fresh), 0); /* that is asked of it alone */
	assert_int_equal(strikes_take(strikes, &fresh), 2);
	/* Over an hour, at the pace at which they come back. */
	for (int i = 0; i < 3600; i++) {
		clock_hand_wind(&hand, 1 * US_PER_S);
		snprintf(text, sizeof(text), "10.2.%d.%d", i / 200, i % 200 + 1);
		taken += take(strikes, text) == 0;
		snprintf(text, sizeof(text), "10.3.%d.%d", i / 200, i % 200 + 1);
		taken += take(strikes, text) == 0;
	}
	assert_int_equal(taken, STRIKES_ALL + 1800);
	strikes_free(strikes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_address),
		cmocka_unit_test(test_right_ones_cost_nothing),
		cmocka_unit_test(test_networks_of_ipv6),
		cmocka_unit_test(test_all_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
