/* The catalogue: no code is out of reach, each alone is reached by what causes it, and none by what
 * is well or what barely does not cause it. */
#include "analyze/judge.h"

#include "tests/support/support_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "tests/analyze/witness"

/* Findings that by their nature come beside another, of the fault that lies under both. */
static const struct {
	enum finding_code code, beside;
} pairs[] = {
	{ FINDING_TTL_DELAYS_FIX, FINDING_STALE_ADDRESS },
	{ FINDING_LAST_ENDPOINT_GONE, FINDING_CONNECTION_DISCONNECTED },
	{ FINDING_GATEWAY_ONLY_DOWN, FINDING_TCP_TIMEOUT },
};

static struct verdict *
run_witness(struct arena *arena, const char *path)
{
	struct support_witness *witness = support_witness_read(arena, path);
	struct verdict         *verdict = support_witness_judge(arena, witness);
	const char             *words = support_verdict_differs(arena, witness, verdict);

	if (words != NULL)
		fail_msg("%s: %s", path, words);
	return verdict;
}

static bool
may_come(enum finding_code code, enum finding_code beside)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (pairs[i].code == code && pairs[i].beside == beside)
			return true;
	}
	return code == beside;
}

static bool
has_code(const struct verdict *verdict, enum finding_code code)
{
	for (size_t i = 0; i < verdict->finding_count; i++) {
		if (verdict->findings[i].code == code)
			return true;
	}
	return false;
}

static void
assert_alone(const char *path, const struct verdict *verdict, enum finding_code code)
{
	if (!has_code(verdict, code))
		fail_msg("%s does not cause it", path);
	for (size_t i = 0; i < verdict->finding_count; i++) {
		enum finding_code other = verdict->findings[i].code;

		if (!may_come(code, other))
			fail_msg("%s causes %s too", path, finding_table[other].code);
	}
}

static void
test_each_is_reached_alone(void **state)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		struct arena *arena = arena_new();
		const char   *path = arena_printf(
		      arena, FOLDER "/%s/causes.json", finding_table[i].code);

		if (access(path, R_OK) != 0)
			fail_msg("there is no %s", path);
		assert_alone(path, run_witness(arena, path), (enum finding_code)i);
		arena_free(arena);
	}
}

static void
test_each_is_barely_missed(void **state)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		struct arena *arena = arena_new();
		const char   *path = arena_printf(
		      arena, FOLDER "/%s/barely_not.json", finding_table[i].code);

		if (access(path, R_OK) != 0)
			fail_msg("there is no %s", path);
		if (has_code(run_witness(arena, path), (enum finding_code)i))
			fail_msg("%s does cause it", path);
		arena_free(arena);
	}
}

/* One that comes alone, too, has no business in the list. */
static void
test_pairs_are_needed(void **state)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct arena   *arena = arena_new();
		struct verdict *verdict = run_witness(arena,
		    arena_printf(
		        arena, FOLDER "/%s/causes.json", finding_table[pairs[i].code].code));

		assert_true(has_code(verdict, pairs[i].beside));
		arena_free(arena);
	}
}

static void
see_well(const char *path)
{
	struct arena   *arena = arena_new();
	struct verdict *verdict = run_witness(arena, path);

	assert_int_equal(verdict->finding_count, 0);
	assert_int_equal(verdict->state, STATE_OK);
	arena_free(arena);
}

static void
test_what_is_well_gives_nothing(void **state)
{
	assert_in_range(support_witness_walk(FOLDER "/well", see_well), 5, 1000);
}

/* Several roots, none of which follows from another; what does follow is in none of them. */
static void
see_combined(const char *path)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = support_witness_read(arena, path);

	run_witness(arena, path);
	if (witness->expected_count < 2)
		fail_msg("%s: two faults at least are wanted", path);
	for (size_t i = 0; i < witness->expected_count; i++) {
		if (witness->expected[i].folds == NULL)
			fail_msg("%s: %s folds what?", path, witness->expected[i].code);
	}
	arena_free(arena);
}

static void
test_combinations(void **state)
{
	assert_in_range(support_witness_walk(FOLDER "/combined", see_combined), 10, 1000);
}

static void
see_any(const char *path)
{
	struct arena *arena = arena_new();

	run_witness(arena, path);
	arena_free(arena);
}

static void
test_every_witness(void **state)
{
	assert_in_range(support_witness_walk(FOLDER, see_any), 2 * FINDING_COUNT, 10000);
}

static void
see_rest(const char *path)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = support_witness_read_rest(arena, path);
	struct verdict         *verdict = support_witness_judge(arena, witness);
	const char             *words = support_verdict_differs(arena, witness, verdict);

	if (words != NULL)
		fail_msg("%s, as the Resource Manager tells it: %s", path, words);
	arena_free(arena);
}

/* What the Resource Manager tells is what `az` prints, in another shape. */
static void
test_shape_does_not_matter(void **state)
{
	support_witness_walk(FOLDER, see_rest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_reached_alone),
		cmocka_unit_test(test_each_is_barely_missed),
		cmocka_unit_test(test_pairs_are_needed),
		cmocka_unit_test(test_what_is_well_gives_nothing),
		cmocka_unit_test(test_combinations),
		cmocka_unit_test(test_every_witness),
		cmocka_unit_test(test_shape_does_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
