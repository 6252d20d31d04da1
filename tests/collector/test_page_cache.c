#include "collector/page_cache.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MS = 1000, S = 1000 * MS };

static struct page_cache_ask
ask_of(const char *path, const char *query, uint64_t version, int64_t now_us)
{
	return (struct page_cache_ask){ path, query, version, now_us };
}

static void
keep(struct page_cache *cache, const struct page_cache_ask *ask, int64_t took_us,
    const char *text)
{
	page_cache_keep(cache, ask, took_us,
	    &(struct page_cache_bytes){ (const uint8_t *)text, strlen(text) });
}

static bool
finds(struct page_cache *cache, const struct page_cache_ask *ask, const char *text)
{
	struct page_cache_bytes found;

	if (!page_cache_find(cache, ask, &found))
		return false;
	assert_int_equal(found.count, strlen(text));
	assert_memory_equal(found.bytes, text, found.count);
	return true;
}

static const struct age_case {
	const char *name;
	int64_t     took_us, age_us;
	bool        same_board, kept;
} age_cases[] = {
	{ "quick: never", 4 * MS, 0, true, false },
	{ "dear, and nothing has changed", 20 * MS, 5 * S, true, true },
	{ "but for the clock", 20 * MS, 5 * S + 1, true, false },
	{ "the board has changed, but just now", 20 * MS, 500 * MS, false, true },
	{ "and a while ago", 20 * MS, 501 * MS, false, false },
	{ "twenty times as long as it took", 100 * MS, 2 * S, false, true },
	{ "and no longer", 100 * MS, 2 * S + 1, false, false },
	{ "very dear, nothing has changed", S, 20 * S, true, true },
};

static void
test_ages(void **state)
{
	for (size_t i = 0; i < sizeof(age_cases) / sizeof(age_cases[0]); i++) {
		const struct age_case *one = &age_cases[i];
		struct page_cache     *cache = page_cache_new();
		struct page_cache_ask  ask = ask_of("/v1/state", NULL, 7, 1000);

		keep(cache, &ask, one->took_us, "text");
		ask.now_us += one->age_us;
		ask.version += one->same_board ? 0 : 1;
		if (finds(cache, &ask, "text") != one->kept)
			fail_msg("%s", one->name);
		page_cache_free(cache);
	}
}

/* The path and the query are the question; a new answer takes the place of the old one. */
static void
test_questions(void **state)
{
	struct page_cache    *cache = page_cache_new();
	struct page_cache_ask one = ask_of("/v1/findings", NULL, 1, 0);
	struct page_cache_ask other = ask_of("/v1/findings", "skip=1", 1, 0);

	keep(cache, &one, S, "one");
	assert_false(finds(cache, &other, ""));
	keep(cache, &other, S, "other");
	assert_true(finds(cache, &one, "one"));
	assert_true(finds(cache, &other, "other"));
	keep(cache, &one, S, "one more");
	assert_true(finds(cache, &one, "one more"));
	/* What has become quick again is let go of. */
	keep(cache, &one, 1, "quick");
	assert_false(finds(cache, &one, ""));
	page_cache_free(cache);
}

/* Who asks for ever new things gets no more memory for it. */
static void
test_room(void **state)
{
	enum { BIG = 20 << 20, MANY = 40 };
	struct page_cache *cache = page_cache_new();
	char              *big = malloc(BIG + 1);
	char               query[32];
	size_t             kept = 0;

	for (int i = 0; i < MANY; i++) {
		struct page_cache_ask ask;

		snprintf(query, sizeof(query), "skip=%d", i);
		ask = ask_of("/v1/findings", query, 1, i);
		keep(cache, &ask, S, "x");
	}
	for (int i = 0; i < MANY; i++) {
		struct page_cache_ask ask;

		snprintf(query, sizeof(query), "skip=%d", i);
		ask = ask_of("/v1/findings", query, 1, MANY);
		kept += finds(cache, &ask, "x");
		if (i == MANY - 1)
			assert_true(finds(cache, &ask, "x")); /* the newest */
	}
	assert_int_equal(kept, 16);
	memset(big, 'b', BIG);
	big[BIG] = '\0';
	kept = 0;
	for (int i = 0; i < 4; i++) {
		struct page_cache_ask ask;

		snprintf(query, sizeof(query), "big=%d", i);
		ask = ask_of("/v1/state", query, 1, MANY + i);
		keep(cache, &ask, S, big);
	}
	for (int i = 0; i < 4; i++) {
		struct page_cache_ask ask;

		snprintf(query, sizeof(query), "big=%d", i);
		ask = ask_of("/v1/state", query, 1, MANY + 4);
		kept += finds(cache, &ask, big);
	}
	assert_int_equal(kept, 3);
	free(big);
	page_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages),
		cmocka_unit_test(test_questions),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
