#include "analyze/verdict.h"

#include "base/json.h"
#include "tests/support/support_witness.h"

#include <glob.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
write_text(
    struct wbuf *out, const struct support_witness *witness, const struct verdict *verdict)
{
	json_t *json = verdict_json(witness->account, verdict);

	wbuf_init(out);
	json_write(out, json, 0);
	json_decref(json);
	for (size_t i = 0; i < verdict->place_count; i++)
		wbuf_printf(out, "%s %s %u\n", verdict->places[i].target->account,
		    verdict->places[i].target->region, verdict->places[i].target->port);
}

/* What the judge left is gone when the copy is read. */
static void
check_copy(const char *path)
{
	struct arena           *arena = arena_new(), *judged = arena_new(), *kept = arena_new();
	struct support_witness *witness = support_witness_read(arena, path);
	struct verdict         *verdict = support_witness_judge(judged, witness), *copy;
	struct wbuf             wanted, got;

	write_text(&wanted, witness, verdict);
	copy = verdict_copy(kept, verdict);
	assert_true(arena_bytes(kept) < arena_bytes(judged));
	arena_free(judged);
	write_text(&got, witness, copy);
	assert_string_equal(wbuf_text(&got), wbuf_text(&wanted));
	wbuf_fini(&wanted);
	wbuf_fini(&got);
	arena_free(kept);
	arena_free(arena);
}

static void
test_of_every_witness(void **state)
{
	glob_t found;

	assert_int_equal(glob("tests/analyze/witness/*/*.json", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 100);
	for (size_t i = 0; i < found.gl_pathc; i++)
		check_copy(found.gl_pathv[i]);
	globfree(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_of_every_witness) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
