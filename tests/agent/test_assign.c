#include "agent/assign.h"

#include "proto/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct older_case {
	const char         *name;
	struct assign_facts in_force, offered;
	bool                older;
} older_cases[] = {
	{ "the first", { "", 0, "" }, { "v1", 5, "s" }, false },
	{ "newer", { "v1", 5, "s" }, { "v2", 6, "s" }, false },
	{ "the same", { "v1", 5, "s" }, { "v1", 5, "s" }, false },
	{ "older", { "v2", 6, "s" }, { "v1", 5, "s" }, true },
	{ "of another collector", { "v2", 6, "s" }, { "v1", 5, "t" }, false },
	{ "does not tell", { "v2", 6, "s" }, { "v1", 0, "" }, false },
};

static void
test_older(void **state)
{
	for (size_t i = 0; i < sizeof(older_cases) / sizeof(older_cases[0]); i++) {
		const struct older_case *row = &older_cases[i];
		struct assign_older      older = { 0 };

		if (assign_is_older(&row->offered, &row->in_force) != row->older ||
		    assign_takes(&older, &row->offered, &row->in_force, 1) == row->older)
			fail_msg("%s", row->name);
		assert_int_equal(older.offered, row->older);
	}
}

/* The newer one stays for a day, in one stretch; then who does nothing else is believed. */
static void
test_a_day(void **state)
{
	const struct assign_facts newer = { "v2", 6, "s" }, older = { "v1", 5, "s" };
	struct assign_older       seen = { 0 };
	int64_t                   now_us = 1000;

	assert_false(assign_takes(&seen, &older, &newer, now_us));
	assert_false(assign_takes(&seen, &older, &newer, now_us + ASSIGN_OLDER_US - 1));
	/* It had found its way back, and the day begins anew. */
	assert_true(assign_takes(&seen, &newer, &newer, now_us + ASSIGN_OLDER_US));
	now_us += 2 * ASSIGN_OLDER_US;
	assert_false(assign_takes(&seen, &older, &newer, now_us));
	assert_true(assign_takes(&seen, &older, &newer, now_us + ASSIGN_OLDER_US));
	assert_int_equal(seen.offered, 4);
}

static void
test_facts(void **state)
{
	struct arena       *arena = arena_new();
	struct assign_facts facts;
	struct err          err;
	struct wbuf         out;

	wbuf_init(&out);
	encode_message(&assignment_desc,
	    &(struct assignment){
	        .v = PROTO_VERSION, .version = "v1", .edition = 7, .series = "s" },
	    &out);
	assert_true(assign_facts(&facts, arena, out.bytes, out.count, &err));
	assert_string_equal(facts.version, "v1");
	assert_int_equal(facts.edition, 7);
	assert_string_equal(facts.series, "s");
	/* What does not decode says nothing, and is none. */
	assert_false(assign_facts(&facts, arena, out.bytes, out.count - 1, &err));
	assert_int_equal(facts.edition, 0);
	assert_string_equal(facts.version, "");
	wbuf_fini(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_older),
		cmocka_unit_test(test_a_day),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
