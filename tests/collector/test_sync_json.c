/* What the resource manager answers, as far as the way to the next question needs it. */
#include "collector/sync_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct json_t *
read_object(const char *text)
{
	struct err     err;
	struct json_t *value = sync_json_object(text, strlen(text), "in", &err);

	if (value == NULL)
		fail_msg("%s", err.text);
	return value;
}

static const struct find_case {
	const char *name, *text, *path, *found; /* found: each with a blank behind it */
} find_cases[] = {
	{ "at the top", "{\"a\":\"x\"}", "a", "x " },
	{ "below properties", "{\"properties\":{\"a\":\"x\"},\"a\":\"y\"}", "a", "x " },
	{ "null is absent", "{\"properties\":{\"a\":null},\"a\":\"y\"}", "a", "y " },
	{ "in lists of lists",
	    "{\"value\":[{\"l\":[{\"properties\":{\"id\":\"1\"}},{\"id\":\"2\"}]},{\"l\":[{"
	    "\"id\":"
	    "\"3\"}]}]}",
	    "value[].l[].id", "1 2 3 " },
	{ "once, whatever its case", "{\"l\":[{\"id\":\"/A\"},{\"id\":\"/a\"}]}", "l[].id",
	    "/A " },
	{ "a member of a member", "{\"a\":{\"b\":\"x\"}}", "a.b", "x " },
	{ "no list where one is wanted", "{\"l\":{\"id\":\"1\"}}", "l[].id", "" },
	{ "no text", "{\"a\":5,\"b\":\"\"}", "a", "" },
	{ "an empty text", "{\"a\":\"\"}", "a", "" },
	{ "control characters", "{\"a\":\"x\\u001by\"}", "a", "x?y " },
};

static void
test_find(void **state)
{
	for (size_t i = 0; i < sizeof(find_cases) / sizeof(find_cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct sync_ids ids = { NULL, 0 };
		struct json_t  *value = read_object(find_cases[i].text);
		char            found[256] = "";

		print_message("%s\n", find_cases[i].name);
		sync_json_find(arena, value, find_cases[i].path, &ids);
		for (size_t j = 0; j < ids.count; j++) {
			strcat(found, ids.texts[j]);
			strcat(found, " ");
		}
		assert_string_equal(found, find_cases[i].found);
		sync_json_free(value);
		arena_free(arena);
	}
}

static void
test_pages(void **state)
{
	static const char *const refused[][2] = {
		{ "{}", "in: value: an array wanted" },
		{ "{\"value\":{}}", "in: value: an array wanted" },
		{ "{\"value\":[],\"nextLink\":5}", "in: nextLink: a text wanted" },
	};
	struct arena  *arena = arena_new();
	struct json_t *list = NULL, *page;
	const char    *next;
	struct err     err;

	page = read_object("{\"value\":[{\"id\":\"1\"}],\"nextLink\":\"https://x/2\"}");
	assert_true(sync_json_add_page(arena, &list, page, "in", &next, &err));
	sync_json_free(page);
	assert_string_equal(next, "https://x/2");
	page = read_object("{\"value\":[{\"id\":\"2\"},{\"id\":\"3\"}],\"nextLink\":null}");
	assert_true(sync_json_add_page(arena, &list, page, "in", &next, &err));
	sync_json_free(page);
	assert_string_equal(next, "");
	assert_int_equal(sync_json_count(list), 3);
	assert_int_equal(sync_json_count(NULL), 0);

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		page = read_object(refused[i][0]);
		assert_false(sync_json_add_page(arena, &list, page, "in", &next, &err));
		assert_string_equal(err.text, refused[i][1]);
		sync_json_free(page);
	}
	assert_int_equal(sync_json_count(list), 3);
	sync_json_free(list);
	assert_null(sync_json_object("[]", 2, "in", &err));
	assert_string_equal(err.text, "in: an object wanted");
	arena_free(arena);
}

static void
test_trouble(void **state)
{
	static const char *const cases[][3] = {
		{ "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client may "
		  "not.\"}}",
		    "AuthorizationFailed: The client may not.", "AuthorizationFailed" },
		{ "{\"code\":\"NotFound\",\"message\":\"no\"}", "NotFound: no", "NotFound" },
		{ "{\"error\":\"x\"}", "", "" },
		{ "<html>", "", "" },
		{ "", "", "" },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *code;

		assert_string_equal(
		    sync_json_trouble(arena, cases[i][0], strlen(cases[i][0]), &code),
		    cases[i][1]);
		assert_string_equal(code, cases[i][2]);
	}
	arena_free(arena);
}

/* Written, and read again; a name that leads out of the folder is none. */
static void
test_entries(void **state)
{
	static const char   odd[] = "{\"documents\":[{\"file\":\"../"
	                            "x.json\"},{\"file\":\".sync.json\"},{\"file\":\"\"},"
	                            "{\"file\":\"good.json\",\"etag\":5},7]}";
	struct sync_entry   rows[] = { { "a.json", "/s/a", "W/\"1\"",
		                           "2026-11-24T00:00:00.000Z" },
		  { "b-1.json", "/s/b", "", "" } };
	struct sync_entries entries = { rows, 2 }, again;
	struct arena       *arena = arena_new();
	struct wbuf         out;

	wbuf_init(&out);
	sync_json_write_entries(&out, &entries);
	sync_json_read_entries(arena, (const char *)out.bytes, out.count, &again);
	assert_int_equal(again.count, 2);
	assert_string_equal(again.rows[0].etag, "W/\"1\"");
	assert_string_equal(again.rows[0].seen, "2026-11-24T00:00:00.000Z");
	assert_string_equal(again.rows[1].file, "b-1.json");
	wbuf_fini(&out);

	sync_json_read_entries(arena, odd, strlen(odd), &again);
	assert_int_equal(again.count, 1);
	assert_string_equal(again.rows[0].file, "good.json");
	assert_string_equal(again.rows[0].etag, "");
	sync_json_read_entries(arena, "{", 1, &again);
	assert_int_equal(again.count, 0);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
