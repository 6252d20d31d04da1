#include "base/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <string.h>

static const struct refusal {
	const char *name, *text;
	const char *wanted;
} refusals[] = {
	{ "nothing", "", "acc.json:1:1: '[' or '{' expected" },
	{ "a scalar", "5", "acc.json:1:1: '[' or '{' expected" },
	{ "cut short", "{\"a\": [1,", "acc.json:1:9: " },
	{ "second line", "{\n  \"a\": nope\n}", "acc.json:2:11: invalid token near 'nope'" },
	{ "twice", "{\"a\": 1, \"a\": 2}", "duplicate object key" },
	{ "twice inside", "{\"x\": {\"a\": 1,\n\"a\": 2}}", "acc.json:2:3: duplicate" },
	{ "behind the end", "{} x", "end of file expected" },
	{ "leading zero", "[01]", "acc.json:1:2: " },
	{ "trailing comma", "[1,]", "acc.json:1:4: " },
	{ "comment", "[/* */]", "acc.json:1:2: " },
	{ "single quotes", "['a']", "acc.json:1:2: " },
	{ "too large", "[99999999999999999999]", "too big integer" },
	{ "too large a float", "[1e999]", "real number overflow" },
	{ "NUL", "[\"\\u0000\"]", "\\u0000 is not allowed" },
	{ "bad UTF-8", "[\"\xff\"]", "unable to decode byte 0xff" },
	{ "control", "[\"a\x1b[31m\"]", "control character 0x1b" },
	{ "lone surrogate", "[\"\\ud800\"]", "invalid Unicode" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *c = &refusals[i];
		struct err            err = { .text = "" };

		if (json_read(c->text, strlen(c->text), "acc.json", &err) != NULL)
			fail_msg("%s: taken", c->name);
		assert_int_equal(err.kind, ERR_PARSE);
		if (strstr(err.text, c->wanted) == NULL)
			fail_msg("%s: '%s', '%s' wanted", c->name, err.text, c->wanted);
		if (strpbrk(err.text, "\x1b\r\n\t") != NULL)
			fail_msg("%s: the document's own bytes in '%s'", c->name, err.text);
	}
}

static void
test_depth(void **state)
{
	char       text[100000];
	struct err err;

	memset(text, '[', sizeof(text));
	assert_null(json_read(text, sizeof(text), "deep", &err));
	assert_non_null(strstr(err.text, "maximum parsing depth"));
}

static void
test_there_and_back(void **state)
{
	static const char text[] =
	    "{\"z\":1,\"a\":[true,null,-9223372036854775808,0.5],\"e\":\"\xc3\xa9\\n\"}";
	struct wbuf out;
	struct err  err;
	json_t     *value = json_read(text, strlen(text), "x", &err);

	assert_non_null(value);
	wbuf_init(&out);
	json_write(&out, value, 0);
	assert_string_equal(wbuf_text(&out), text); /* order kept */
	wbuf_clear(&out);
	json_write(&out, json_object_get(value, "z"), 0); /* a scalar too */
	assert_string_equal(wbuf_text(&out), "1");
	wbuf_clear(&out);
	json_write(&out, json_object_get(value, "a"), 2);
	assert_int_equal(strncmp(wbuf_text(&out), "[\n  true,\n", 10), 0);
	wbuf_fini(&out);
	json_decref(value);
}

/* Only the bytes that are given are read. */
static void
test_count(void **state)
{
	struct err err;
	json_t    *value = json_read("[1]garbage", 3, "x", &err);

	assert_non_null(value);
	json_decref(value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
