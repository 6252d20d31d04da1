/* Two faults at once, in two regions, or in one and in the account: each is told as it would be alone,
 * and nothing else is.  The pairs are made of witnesses: one that is of one region, and another of one
 * with the regions exchanged, or one that leaves that region as it is. */
#include "analyze/judge.h"

#include "base/file.h"
#include "base/json.h"
#include "tests/support/support_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#define FOLDER "tests/analyze/witness"

enum { FILE_MAX = 1 << 20, SINGLES_MIN = 40, WIDES_MIN = 15 };

/* Members that hold something for each region. */
static const char *const by_region[] = { "seen", "direct", "thin" };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* How a gateway is out of reach. */
static const enum finding_code unreachable[] = { FINDING_TCP_REFUSED, FINDING_TCP_TIMEOUT,
	FINDING_TCP_UNREACHABLE };

/* Of the account as a whole, and so are these not told beside the fault of a region: the mode in which
 * it shows was not asked for; the record's own fault is told; the connection carries no traffic. */
static const enum finding_code covering[] = { FINDING_MODE_UNSUPPORTED, FINDING_MONGO_TOO_OLD,
	FINDING_RECORD_BY_HAND, FINDING_LAST_ENDPOINT_GONE };

struct single {
	enum finding_code code;
	json_t           *root;
	json_t           *mirrored;
};

struct singles {
	struct single of[FINDING_COUNT];
	size_t        count;
};

static bool
is_unreachable(enum finding_code code)
{
	for (size_t i = 0; i < COUNT_OF(unreachable); i++) {
		if (unreachable[i] == code)
			return true;
	}
	return false;
}

static bool
is_of_region(const char *member)
{
	for (size_t i = 0; i < COUNT_OF(by_region); i++) {
		if (strcmp(by_region[i], member) == 0)
			return true;
	}
	return false;
}

/* Of North Europe alone, and so are all findings; documents of zones and of the account are of both
 * regions. */
static bool
is_single(json_t *root)
{
	const char *name, *region;
	json_t     *value, *change;
	size_t      index;

	if (json_object_get(root, "document") != NULL || json_object_get(root, "zones") != NULL)
		return false;
	json_object_foreach (root, name, value) {
		if (!is_of_region(name))
			continue;
		json_object_foreach (value, region, change) {
			if (strcmp(region, "northeurope") != 0)
				return false;
		}
	}
	json_array_foreach (json_object_get(root, "expect"), index, value) {
		if (strcmp(json_string_value(json_object_get(value, "region")),
		        "northeurope") != 0)
			return false;
	}
	return json_object_get(root, "seen") != NULL ||
	    json_object_get(root, "direct") != NULL || json_object_get(root, "thin") != NULL;
}

/* The other one of two words that begin here; NULL: neither does. */
static const char *
find_other(const char *at, size_t *length)
{
	static const char *const pairs[][2] = { { "northeurope", "westeurope" },
		{ "North Europe", "West Europe" }, { "10.1.0.6", "10.1.0.5" } };

	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		for (size_t j = 0; j < 2; j++) {
			*length = strlen(pairs[i][j]);
			if (strncmp(at, pairs[i][j], *length) == 0 &&
			    !isdigit((unsigned char)at[*length]))
				return pairs[i][1 - j];
		}
	}
	return NULL;
}

/* West Europe in the place of North Europe, and the reverse. */
static json_t *
mirror(const char *text, const char *path)
{
	struct wbuf out;
	struct err  err;
	json_t     *root;
	size_t      length;

	wbuf_init(&out);
	for (const char *at = text; *at != '\0';) {
		const char *other = find_other(at, &length);

		if (other != NULL)
			wbuf_puts(&out, other);
		else
			wbuf_put(&out, at, length = 1);
		at += length;
	}
	root = json_read(wbuf_text(&out), strlen(wbuf_text(&out)), path, &err);
	assert_non_null(root);
	wbuf_fini(&out);
	return root;
}

/* Leaves North Europe as it is. */
static bool
is_wide(json_t *root)
{
	const char *name, *region;
	json_t     *value, *change;

	if (json_object_get(root, "every") != NULL)
		return false;
	json_object_foreach (root, name, value) {
		if (!json_is_object(value) || strcmp(name, "document") == 0)
			continue;
		json_object_foreach (value, region, change) {
			if (strcmp(region, "northeurope") == 0 || strcmp(region, "*") == 0)
				return false;
		}
	}
	return true;
}

static void
read_causes(struct arena *arena, struct singles *found, bool (*is_wanted)(json_t *root))
{
	for (unsigned code = 0; code < FINDING_COUNT; code++) {
		const char *path = arena_printf(
		    arena, FOLDER "/%s/causes.json", finding_table[code].code);
		struct single *single = &found->of[found->count];
		size_t         count;
		struct err     err;
		char          *bytes = file_read(arena, path, FILE_MAX, &count, &err);

		assert_non_null(bytes);
		bytes = arena_strndup(arena, bytes, count);
		single->code = (enum finding_code)code;
		single->root = json_read(bytes, count, path, &err);
		assert_non_null(single->root);
		if (is_wanted(single->root)) {
			single->mirrored = mirror(bytes, path);
			found->count++;
		} else {
			json_decref(single->root);
		}
	}
}

static void
free_causes(struct singles *found)
{
	for (size_t i = 0; i < found->count; i++) {
		json_decref(found->of[i].root);
		json_decref(found->of[i].mirrored);
	}
}

/* Documents put names and addresses into what is said of others. */
static void
forget_words(json_t *both)
{
	json_t *value;
	size_t  index;

	if (json_object_get(both, "endpoints") == NULL &&
	    json_object_get(both, "document") == NULL && json_object_get(both, "zones") == NULL)
		return;
	json_array_foreach (json_object_get(both, "expect"), index, value) {
		json_object_del(value, "evidence");
		json_object_del(value, "fix");
	}
}

static void
add_copies(json_t *list, const json_t *more)
{
	json_t *value;
	size_t  index;

	json_array_foreach ((json_t *)more, index, value)
		json_array_append_new(list, json_deep_copy(value));
}

/* False when the two say different things of the same member. */
static bool
add_members(json_t *both, const json_t *other)
{
	const char *name;
	json_t     *value;

	json_object_foreach ((json_t *)other, name, value) {
		json_t *known = json_object_get(both, name);

		if (strcmp(name, "expect") == 0)
			add_copies(known, value);
		else if (known == NULL)
			json_object_set(both, name, value);
		else if (is_of_region(name))
			json_object_update(known, value);
		else if (strcmp(name, "title") != 0 && strcmp(name, "state") != 0 &&
		    !json_equal(known, value))
			return false;
	}
	json_object_del(both, "state");
	forget_words(both);
	return true;
}

/* Whether the second makes more of the first than it is alone. */
static bool
changes(const struct single *left, const struct single *right)
{
	bool documents = json_object_get(right->root, "endpoints") != NULL;
	bool direct = json_object_get(right->root, "direct") != NULL;

	/* Direct mode was measured, and is well behind a gateway that is not. */
	if (is_unreachable(left->code) && direct)
		return true;
	/* The address is right, and of one of two endpoints; or of none that is known. */
	return documents &&
	    (left->code == FINDING_RESOLVERS_DISAGREE || is_unreachable(left->code) ||
	        left->code == FINDING_GATEWAY_ONLY_DOWN);
}

static void
assert_verdict(struct arena *arena, const char *text, const char *name)
{
	struct support_witness *witness = support_witness_parse(arena, text, name, false);
	struct verdict         *verdict = support_witness_judge(arena, witness);
	const char             *words = support_verdict_differs(arena, witness, verdict);

	if (words != NULL)
		fail_msg("%s: %s", name, words);
}

/* False when they cannot both be. */
static bool
try_pair(struct arena *arena, const struct single *left, const json_t *other,
    enum finding_code other_code)
{
	json_t     *both = json_deep_copy(left->root);
	const char *name = arena_printf(arena, "%s and, elsewhere, %s",
	    finding_table[left->code].code, finding_table[other_code].code);
	bool        fits = add_members(both, other);
	struct wbuf text;

	wbuf_init(&text);
	json_write(&text, both, 0);
	json_decref(both);
	if (fits)
		assert_verdict(arena, wbuf_text(&text), name);
	wbuf_fini(&text);
	return fits;
}

static void
test_each_stands_beside_any_other(void **state)
{
	struct arena  *arena = arena_new();
	struct singles singles = { .count = 0 };
	size_t         tried = 0;

	read_causes(arena, &singles, is_single);
	assert_in_range(singles.count, SINGLES_MIN, FINDING_COUNT);
	for (size_t i = 0; i < singles.count; i++) {
		for (size_t j = 0; j < singles.count; j++) {
			const struct single *left = &singles.of[i], *right = &singles.of[j];
			struct arena        *pair = arena_new();

			if (i != j && !changes(left, right) && !changes(right, left))
				tried += try_pair(pair, left, right->mirrored, right->code);
			arena_free(pair);
		}
	}
	assert_in_range(tried, SINGLES_MIN * SINGLES_MIN, SIZE_MAX);
	free_causes(&singles);
	arena_free(arena);
}

static bool
covers(enum finding_code code)
{
	for (size_t i = 0; i < COUNT_OF(covering); i++) {
		if (covering[i] == code)
			return true;
	}
	return false;
}

static void
test_each_stands_beside_the_account(void **state)
{
	struct arena  *arena = arena_new();
	struct singles singles = { .count = 0 }, wides = { .count = 0 };
	size_t         tried = 0;

	read_causes(arena, &singles, is_single);
	read_causes(arena, &wides, is_wide);
	assert_in_range(wides.count, WIDES_MIN, FINDING_COUNT);
	for (size_t i = 0; i < wides.count; i++) {
		for (size_t j = 0; j < singles.count; j++) {
			const struct single *wide = &wides.of[i], *single = &singles.of[j];
			struct arena        *pair = arena_new();

			if (!covers(wide->code) && !changes(single, wide))
				tried += try_pair(pair, wide, single->root, single->code);
			arena_free(pair);
		}
	}
	assert_in_range(tried, WIDES_MIN * SINGLES_MIN, SIZE_MAX);
	free_causes(&wides);
	free_causes(&singles);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_stands_beside_any_other),
		cmocka_unit_test(test_each_stands_beside_the_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
