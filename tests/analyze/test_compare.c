/* Two accounts with one private address: told where no document tells whose it is. */
#include "analyze/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { ACCOUNTS = 3, NAMES = 2 };

struct fleet {
	struct target        targets[ACCOUNTS][NAMES];
	struct place_address addresses[ACCOUNTS][NAMES];
	struct place         places[ACCOUNTS][NAMES];
	struct verdict       verdicts[ACCOUNTS];
	struct verdict      *list[ACCOUNTS];
};

static const char *const accounts[] = { "a", "b", "c" };
static const char *const hosts[] = { "a.x", "a-1.x", "b.x", "b-1.x", "c.x", "c-1.x" };

/* Each account with two names, each name with one address; none of them told. */
static void
make_fleet(struct fleet *fleet, const char *const addresses[ACCOUNTS * NAMES])
{
	memset(fleet, 0, sizeof(*fleet));
	for (int i = 0; i < ACCOUNTS; i++) {
		for (int j = 0; j < NAMES; j++) {
			int at = i * NAMES + j;

			fleet->targets[i][j].account = accounts[i];
			fleet->targets[i][j].host = hosts[at];
			fleet->addresses[i][j].address = addresses[at];
			fleet->places[i][j].target = &fleet->targets[i][j];
			fleet->places[i][j].addresses = &fleet->addresses[i][j];
			fleet->places[i][j].address_count = 1;
		}
		fleet->verdicts[i].places = fleet->places[i];
		fleet->verdicts[i].place_count = NAMES;
		fleet->list[i] = &fleet->verdicts[i];
	}
}

static void
assert_notes(const struct fleet *fleet, size_t a, size_t b, size_t c)
{
	assert_int_equal(fleet->verdicts[0].unknown_count, a);
	assert_int_equal(fleet->verdicts[1].unknown_count, b);
	assert_int_equal(fleet->verdicts[2].unknown_count, c);
}

static void
test_one_address(void **state)
{
	static const char *const addresses[] = { "10.0.0.4", "10.0.0.5", "10.0.0.8", "10.0.0.5",
		"10.0.0.10", "10.0.0.11" };
	struct arena            *arena = arena_new();
	struct fleet             fleet;
	const char              *before = "before";

	make_fleet(&fleet, addresses);
	fleet.verdicts[0].unknowns = &before;
	fleet.verdicts[0].unknown_count = 1;
	compare_verdicts(arena, fleet.list, ACCOUNTS);
	assert_notes(&fleet, 2, 1, 0);
	assert_string_equal(fleet.verdicts[0].unknowns[0], "before");
	assert_non_null(strstr(fleet.verdicts[0].unknowns[1],
	    "whose address 10.0.0.5 is: both a-1.x and b-1.x of account b"));
	assert_non_null(strstr(fleet.verdicts[1].unknowns[0],
	    "whose address 10.0.0.5 is: both b-1.x and a-1.x of account a"));
	arena_free(arena);
}

/* A wildcard: every account is told once. */
static void
test_all_have_it(void **state)
{
	static const char *const addresses[] = { "10.0.0.4", "10.0.0.4", "10.0.0.4", "10.0.0.4",
		"10.0.0.4", "10.0.0.4" };
	struct arena            *arena = arena_new();
	struct fleet             fleet;

	make_fleet(&fleet, addresses);
	compare_verdicts(arena, fleet.list, ACCOUNTS);
	assert_notes(&fleet, 1, 1, 1);
	arena_free(arena);
}

/* Names of one account, public addresses, and what documents tell: none of it is for here. */
static void
test_no_note(void **state)
{
	static const char *const addresses[] = { "10.0.0.4", "10.0.0.4", "20.61.0.1",
		"10.0.0.5", "20.61.0.1", "10.0.0.5" };
	struct arena            *arena = arena_new();
	struct fleet             fleet;

	make_fleet(&fleet, addresses);
	fleet.addresses[1][1].told = true;
	compare_verdicts(arena, fleet.list, ACCOUNTS);
	assert_notes(&fleet, 0, 0, 0);
	compare_verdicts(arena, fleet.list, 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_address),
		cmocka_unit_test(test_all_have_it),
		cmocka_unit_test(test_no_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
