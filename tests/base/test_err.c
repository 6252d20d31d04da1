#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

static void
test_set(void **state)
{
	struct err err;

	assert_false(err_set(&err, ERR_LIMIT, "%d of %s", 7, "these"));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(err.text, "7 of these");
	assert_false(err_set(NULL, ERR_LIMIT, "nobody listens"));
}

static void
test_errno(void **state)
{
	struct err err;

	errno = ENOENT;
	assert_false(err_errno(&err, "%s", "/a/b"));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_string_equal(err.text, "/a/b: No such file or directory");
	assert_false(err_errno(NULL, "nobody listens"));
}

static void
test_context(void **state)
{
	struct err err;

	err_set(&err, ERR_PARSE, "cut short");
	assert_false(err_in(&err, "record %d", 3));
	assert_false(err_in(&err, "batch"));
	assert_int_equal(err.kind, ERR_PARSE);
	assert_string_equal(err.text, "batch: record 3: cut short");
	assert_false(err_in(NULL, "nobody listens"));
}

/* Long texts are cut, never written behind the end. */
static void
test_long_text(void **state)
{
	char       text[2000];
	struct err err;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	err_set(&err, ERR_PARSE, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_in(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_set(&err, ERR_PARSE, "%s", text + 1500);
	err_in(&err, "outside");
	assert_int_equal(strncmp(err.text, "outside: xxx", 12), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
