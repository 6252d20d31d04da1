#include "collector/edition.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/plprobe-edition-XXXXXX";
static char path[64];

static struct edition
ask(const char *version, int64_t now_ms)
{
	struct edition edition;
	struct err     err;

	if (!edition_of(&edition, folder, version, now_ms, &err))
		fail_msg("%s", err.text);
	return edition;
}

static void
test_grows(void **state)
{
	struct edition first = ask("aa", 1000), same = ask("aa", 5000), next;

	assert_int_equal(first.number, 1000);
	assert_int_equal(same.number, 1000);
	assert_string_equal(same.series, first.series);
	next = ask("bb", 6000);
	assert_int_equal(next.number, 6000);
	assert_string_equal(next.series, first.series);
	assert_int_equal(ask("aa", 7000).number, 7000); /* as before, and newer all the same */
	/* A clock that was set back does not make it older. */
	assert_int_equal(ask("cc", 10).number, 7001);
}

static void
test_restored(void **state)
{
	struct edition before = ask("dd", 8000), later, found;
	char           copy[80];

	snprintf(copy, sizeof(copy), "%s/backup", folder);
	assert_int_equal(link(path, copy), 0); /* the file is replaced, never changed */
	later = ask("ee", 9000);
	assert_int_equal(rename(copy, path), 0);
	found = ask("dd", 10000);
	assert_int_equal(found.number, before.number);
	assert_true(found.number < later.number);
	assert_string_equal(found.series, later.series);
	/* Whatever is changed then is newer than all that was said before. */
	assert_true(ask("ff", 11000).number > later.number);
}

static void
test_lost(void **state)
{
	struct edition before = ask("gg", 12000), after;
	FILE          *file;

	assert_int_equal(unlink(path), 0);
	after = ask("gg", 13000);
	assert_string_not_equal(before.series, after.series);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("nonsense 12", file);
	fclose(file);
	before = ask("gg", 14000);
	assert_int_equal(before.number, 14000);
	assert_string_not_equal(before.series, after.series);
}

static void
test_not_kept(void **state)
{
	struct edition edition;
	struct err     err;

	assert_false(edition_of(&edition, "/not/there", "aa", 77, &err));
	assert_int_equal(edition.number, 77);
	assert_int_equal(strlen(edition.series), EDITION_SERIES_ROOM - 1);
}

static int
setup(void **state)
{
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/edition", folder);
	return 0;
}

static int
teardown(void **state)
{
	unlink(path);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_restored),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_not_kept),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
