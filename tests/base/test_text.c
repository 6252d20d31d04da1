#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <limits.h>
#include <string.h>

static const struct sane_case {
	const char *name, *bytes;
	size_t      count, limit;
	const char *wanted;
} sane_cases[] = {
	{ "plain", "abc", 3, 10, "abc" },
	{ "cut", "abcdef", 6, 3, "abc" },
	{ "nothing", "", 0, 10, "" },
	{ "no room", "abc", 3, 0, "" },
	{ "NUL inside", "a\0b", 3, 10, "a?b" },
	{ "controls", "a\x1b[31m\n\r\t\x7f", 10, 20, "a?[31m????" },
	{ "two bytes", "\xc3\xa9", 2, 10, "\xc3\xa9" },
	{ "three bytes", "\xe2\x82\xac", 3, 10, "\xe2\x82\xac" },
	{ "four bytes", "\xf0\x9f\x98\x80", 4, 10, "\xf0\x9f\x98\x80" },
	{ "cut at a character", "a\xe2\x82\xac", 4, 3, "a" },
	{ "lone continuation", "\x80", 1, 10, "?" },
	{ "overlong slash", "\xc0\xaf", 2, 10, "??" },
	{ "overlong three", "\xe0\x80\xaf", 3, 10, "???" },
	{ "surrogate", "\xed\xa0\x80", 3, 10, "???" },
	{ "above the last", "\xf4\x90\x80\x80", 4, 10, "????" },
	{ "the last", "\xf4\x8f\xbf\xbd", 4, 10, "\xf4\x8f\xbf\xbd" },
	{ "never begins one", "\xff\xfe", 2, 10, "??" },
	{ "cut short", "\xe2\x82", 2, 10, "??" },
	{ "C1", "\xc2\x85", 2, 10, "?" },
	{ "right to left",
	    "a\xe2\x80\xae"
	    "b",
	    5, 10, "a?b" },
	{ "isolate", "\xe2\x81\xa6", 3, 10, "?" },
	{ "byte order mark", "\xef\xbb\xbfx", 4, 10, "?x" },
	{ "line separator", "\xe2\x80\xa8", 3, 10, "?" },
};

static void
test_sane(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(sane_cases) / sizeof(sane_cases[0]); i++) {
		const struct sane_case *c = &sane_cases[i];
		char                   *got = text_sane(arena, c->bytes, c->count, c->limit);

		if (strcmp(got, c->wanted) != 0)
			fail_msg("%s: '%s', '%s' wanted", c->name, got, c->wanted);
	}
	arena_free(arena);
}

static void
test_line(void **state)
{
	static const struct {
		const char *text, *wanted;
		size_t      limit;
	} cases[] = {
		{ "get\n\n\ntue, 24 nov", "get tue, 24 nov", 255 },
		{ "a\r\nActivityId: x\r\n", "a ActivityId: x", 255 },
		{ "\n \ta", "a", 255 },
		{ "two  blanks \t and a tab", "two  blanks and a tab", 255 },
		{ " a ", " a ", 255 },
		{ "\n", "", 255 },
		{ "", "", 255 },
		{ "a\x1b[31m\nb", "a?[31m b", 255 },
		{ "abc\ndef", "abc d", 5 },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
		    text_line(arena, cases[i].text, strlen(cases[i].text), cases[i].limit),
		    cases[i].wanted);
	arena_free(arena);
}

/* In place it does the same, but for the cutting and what a C string cannot hold. */
static void
test_clean(void **state)
{
	for (size_t i = 0; i < sizeof(sane_cases) / sizeof(sane_cases[0]); i++) {
		const struct sane_case *c = &sane_cases[i];
		char                    text[32] = "";

		if (c->count > c->limit || memchr(c->bytes, 0, c->count) != NULL)
			continue;
		memcpy(text, c->bytes, c->count);
		text_clean(text);
		if (strcmp(text, c->wanted) != 0)
			fail_msg("%s: '%s', '%s' wanted", c->name, text, c->wanted);
	}
}

static void
test_hex(void **state)
{
	static const char digits[] = "0123456789abcdef", capitals[] = "ABCDEF",
	                  none[] = "/:@G`g ";

	for (int i = 0; i < 16; i++)
		assert_int_equal(text_hex(digits[i]), i);
	for (int i = 0; i < 6; i++)
		assert_int_equal(text_hex(capitals[i]), 10 + i);
	for (size_t i = 0; i < sizeof(none); i++)
		assert_int_equal(text_hex(none[i]), -1);
}

static void
test_nocase(void **state)
{
	assert_true(text_equal_nocase("West Europe", "wEST eUROPE"));
	assert_false(text_equal_nocase("west", "west "));
	assert_true(text_starts_nocase("Privatelink.x", "privatelink."));
	assert_false(text_starts_nocase("priv", "privatelink"));
	assert_true(text_ends_nocase("a.documents.AZURE.com", ".documents.azure.com"));
	assert_false(text_ends_nocase(".com", "x.com"));
	assert_true(text_ends_nocase("x", ""));
	assert_string_equal(text_find_nocase("abcABC", "cab"), "cABC");
	assert_string_equal(text_find_nocase("abc", ""), "abc");
	assert_null(text_find_nocase("abc", "abcd"));
	assert_null(text_find_nocase("", "a"));
	/* ASCII only: '@' and '`' are 32 apart as letters are, and so are bytes above. */
	assert_false(text_equal_nocase("@", "`"));
	assert_false(text_equal_nocase("\xc3\x89", "\xc3\xa9"));
}

static void
test_distance(void **state)
{
	static const struct {
		const char *left, *right;
		unsigned    edits;
	} cases[] = {
		{ "", "", 0 },
		{ "privatelink.Documents.azure.com", "privatelink.documents.azure.com", 0 },
		{ "privatelink.document.azure.com", "privatelink.documents.azure.com", 1 },
		{ "privatelink.documents.azure.con", "privatelink.documents.azure.com", 1 },
		{ "privatelink.mongodb.cosmos.azure.com", "privatelink.mongo.cosmos.azure.com",
		    2 },
		{ "abc", "", 3 },
		{ "kitten", "sitting", 3 },
	};
	char huge[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(text_distance(cases[i].left, cases[i].right), cases[i].edits);
		assert_int_equal(text_distance(cases[i].right, cases[i].left), cases[i].edits);
	}
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(text_distance(huge, huge), UINT_MAX);
}

static void
test_nearest(void **state)
{
	static const char *const words[] = { "interval", "timeout", "in_flight", "ca_file",
		NULL };
	char                     huge[200];

	assert_string_equal(text_nearest("intervall", words), "interval");
	assert_string_equal(text_nearest("Timeout", words), "timeout");
	assert_string_equal(text_nearest("time_out", words), "timeout");
	assert_string_equal(text_nearest("cafile", words), "ca_file");
	assert_null(text_nearest("listen", words));
	assert_null(text_nearest("", words));
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_null(text_nearest(huge, words));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sane),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_nocase),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
