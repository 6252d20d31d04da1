/* Shares of addresses: one takes no more than its own, whatever the others do. */
#include "collector/listen_share.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

enum { MOST = 6, BYTES = 1000, ALL_BYTES = 1500 };

static struct listen_share *share;

static struct addr
from(const char *text)
{
	struct addr addr;
	struct err  err;

	assert_true(addr_parse(&addr, text, 1, &err));
	return addr;
}

static struct listen_address *
enter(const char *text, int64_t at_s)
{
	struct addr addr = from(text);

	return listen_share_enter(share, &addr, at_s * US_PER_S);
}

static void
test_connections_of_one(void **state)
{
	struct listen_address *seats[MOST], *other;

	for (int i = 0; i < MOST; i++)
		assert_non_null(seats[i] = enter("10.0.0.4", 0));
	assert_null(enter("10.0.0.4", 0));
	assert_non_null(other = enter("10.0.0.5", 0));
	assert_null(enter("10.0.0.4", 3600)); /* however long they stay */
	listen_share_leave(share, seats[0], 3600 * US_PER_S);
	assert_non_null(seats[0] = enter("10.0.0.4", 3600));
	assert_null(enter("10.0.0.4", 3600));
	listen_share_leave(share, other, 3600 * US_PER_S);
	for (int i = 0; i < MOST; i++)
		listen_share_leave(share, seats[i], 3600 * US_PER_S);
}

/* Coming and going is no way around it: so many in a minute. */
static void
test_pace(void **state)
{
	unsigned begun = 0;

	for (int second = 0; second < 600; second++) {
		for (int i = 0; i < 10; i++) {
			struct listen_address *seat = enter("10.0.0.4", second);

			if (seat == NULL)
				continue;
			listen_share_leave(share, seat, second * US_PER_S);
			begun++;
		}
	}
	assert_in_range(begun, MOST + 9 * MOST, MOST + 10 * MOST);
}

/* One machine has a whole /64, and IPv4 in IPv6 is IPv4. */
static void
test_what_is_one_address(void **state)
{
	struct listen_address *seats[MOST], *other;

	for (int i = 0; i < MOST; i++)
		assert_non_null(seats[i] = enter(i % 2 != 0 ? "fd00::1" : "fd00::ffff:2", 0));
	assert_null(enter("fd00::3", 0));
	assert_non_null(other = enter("fd00:0:0:1::1", 0));
	assert_int_equal(listen_share_count(share), 2);
	listen_share_leave(share, other, 0);
	for (int i = 0; i < MOST; i++)
		listen_share_leave(share, seats[i], 0);
}

static void
test_bytes(void **state)
{
	struct listen_address *one = enter("10.0.0.4", 0), *two = enter("10.0.0.5", 0);

	assert_true(listen_share_take(share, one, BYTES));
	assert_false(listen_share_take(share, one, 1));
	assert_true(listen_share_take(share, two, ALL_BYTES - BYTES));
	assert_false(listen_share_take(share, two, 1));
	listen_share_give(share, one, BYTES);
	assert_true(listen_share_take(share, two, BYTES - (ALL_BYTES - BYTES)));
	assert_false(listen_share_take(share, two, 1));
	listen_share_give(share, two, BYTES);
	listen_share_leave(share, one, 0);
	listen_share_leave(share, two, 0);
}

/* What is remembered of who is gone is bounded in time and number. */
static void
test_forgets(void **state)
{
	for (uint32_t i = 0; i < 100000; i++) {
		const uint8_t          bytes[] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
			         (uint8_t)i };
		struct addr            addr = addr_from_bytes(bytes, sizeof(bytes), 1);
		struct listen_address *seat = listen_share_enter(share, &addr, i);

		assert_non_null(seat);
		listen_share_leave(share, seat, i);
	}
	assert_in_range(listen_share_count(share), 1, 20000);
	listen_share_leave(share, enter("10.0.0.4", 120), 120 * US_PER_S);
	assert_int_equal(listen_share_count(share), 1);
}

static int
set_up(void **state)
{
	const struct listen_share_limits limits = { MOST, BYTES, ALL_BYTES };

	share = listen_share_new(&limits);
	return 0;
}

static int
tear_down(void **state)
{
	listen_share_free(share);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_connections_of_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_one_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_forgets, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
