#include "base/table.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const columns[] = { "REGION", "STATE", "WHY", NULL };

static struct wbuf out;

static int
begin(void **state)
{
	wbuf_init(&out);
	return 0;
}

static int
end(void **state)
{
	wbuf_fini(&out);
	return 0;
}

static void
fill_row(struct table *table, enum table_ink ink, const char *region, const char *name,
    const char *why)
{
	size_t row = table_row(table);

	table_cell(table, row, 0, TABLE_PLAIN, region);
	table_cell(table, row, 1, ink, name);
	table_cell(table, row, 2, TABLE_PLAIN, why);
}

static void
test_plain(void **state)
{
	struct table *table = table_new(columns, 80, false);

	fill_row(table, TABLE_RED, "westeurope", "critical", "no such name");
	fill_row(table, TABLE_GREEN, "eu", "ok", "");
	table_print(table, &out);
	assert_string_equal(wbuf_text(&out),
	    "REGION     STATE    WHY\n"
	    "westeurope critical no such name\n"
	    "eu         ok\n");
	table_free(table);
	table_free(NULL);
}

static void
test_colour(void **state)
{
	struct table *table = table_new(columns, 80, true);

	fill_row(table, TABLE_RED, "westeurope", "critical", "x");
	fill_row(table, TABLE_BOLD, "b", "bold", "x");
	table_print(table, &out);
	assert_non_null(strstr(wbuf_text(&out), "\033[31mcritical"));
	assert_non_null(strstr(wbuf_text(&out), "\033[1mbold"));
	assert_non_null(strstr(wbuf_text(&out), "\033[0m"));
	table_free(table);
	wbuf_clear(&out);
	table = table_new(columns, 80, false);
	fill_row(table, TABLE_RED, "westeurope", "critical", "x");
	table_print(table, &out);
	assert_null(strchr(wbuf_text(&out), '\033'));
	table_free(table);
}

/* A wrapped column takes more lines, and no line is wider than the table. */
static void
test_wrap(void **state)
{
	static const char why[] = "the zone is not linked to this network, so that the public "
	                          "address is answered for every name of the account";
	struct table     *table = table_new(columns, 60, false);
	char             *line;
	size_t            letters = 0, lines = 0;

	table_wrap(table, 2);
	fill_row(table, TABLE_RED, "westeurope", "critical", why);
	table_print(table, &out);
	for (line = strtok((char *)wbuf_text(&out), "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		assert_in_range(strlen(line), 1, 60);
		if (lines++ > 0)
			for (const char *at = line + 20; *at != '\0'; at++)
				letters += *at != ' ';
	}
	assert_in_range(lines, 4, 8);
	for (const char *at = why; *at != '\0'; at++)
		letters -= *at != ' ';
	assert_int_equal(letters, 0); /* nothing was cut off */
	table_free(table);
}

/* Lines break at blanks; a word that is longer than any line breaks where it must. */
static void
test_wrap_at_blanks(void **state)
{
	static const char *const wide[] = { "A", "FIRST", "SECOND", NULL };
	struct table            *table = table_new(wide, 31, false);
	size_t                   row;

	table_wrap(table, 1);
	table_wrap(table, 2);
	row = table_row(table);
	table_cell(table, row, 0, TABLE_PLAIN, "a");
	table_cell(table, row, 1, TABLE_RED, "region address shared");
	table_cell(table, row, 2, TABLE_PLAIN, "no private alias, public");
	table_print(table, &out);
	assert_string_equal(wbuf_text(&out),
	    "A FIRST          SECOND\n"
	    "a region address no private\n"
	    "  shared         alias, public\n");
	table_free(table);
	wbuf_clear(&out);
	table = table_new(wide, 14, false);
	table_wrap(table, 1);
	row = table_row(table);
	table_cell(table, row, 1, TABLE_PLAIN, "abcdefghij kl");
	table_print(table, &out);
	assert_string_equal(wbuf_text(&out),
	    "A FIRST SECOND\n"
	    "  abcde\n"
	    "  fghij\n"
	    "  kl\n");
	table_free(table);
}

/* Without colour there is nothing but the text. */
static void
test_ink(void **state)
{
	assert_string_equal(table_ink_on(TABLE_RED, true), "\033[31m");
	assert_string_equal(table_ink_off(TABLE_RED, true), "\033[0m");
	assert_string_equal(table_ink_on(TABLE_RED, false), "");
	assert_string_equal(table_ink_off(TABLE_RED, false), "");
	assert_string_equal(table_ink_on(TABLE_PLAIN, true), "");
	assert_string_equal(table_ink_off(TABLE_PLAIN, true), "");
}

static void
test_locale(void **state)
{
	assert_false(table_utf8());
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	assert_true(table_utf8());
	setlocale(LC_CTYPE, "C");
}

static void
test_no_rows(void **state)
{
	struct table *table = table_new(columns, 0, false);

	table_print(table, &out);
	assert_string_equal(wbuf_text(&out), "");
	table_free(table);
}

/* Characters of several bytes are one column wide, when the locale knows them. */
static void
test_utf8(void **state)
{
	struct table *table;

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		skip();
	table = table_new(columns, 80, false);
	fill_row(table, TABLE_PLAIN, "\xc3\xa9t\xc3\xa9", "ok", "x");
	fill_row(table, TABLE_PLAIN, "region", "ok", "x");
	table_print(table, &out);
	assert_non_null(strstr(wbuf_text(&out), "\xc3\xa9t\xc3\xa9    ok    x\n"));
	setlocale(LC_CTYPE, "C");
	table_free(table);
}

static void
test_whether_to_colour(void **state)
{
	int terminal = posix_openpt(2), ends[2];

	assert_true(terminal >= 0);
	assert_int_equal(pipe(ends), 0);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	assert_true(table_colour(terminal, false));
	assert_false(table_colour(terminal, true));
	assert_false(table_colour(ends[1], false));
	setenv("NO_COLOR", "", 1); /* empty does not count */
	assert_true(table_colour(terminal, false));
	setenv("NO_COLOR", "1", 1);
	assert_false(table_colour(terminal, false));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	assert_false(table_colour(terminal, false));
	unsetenv("TERM");
	assert_false(table_colour(terminal, false));
	close(terminal);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, begin, end),
		cmocka_unit_test_setup_teardown(test_colour, begin, end),
		cmocka_unit_test_setup_teardown(test_wrap, begin, end),
		cmocka_unit_test_setup_teardown(test_wrap_at_blanks, begin, end),
		cmocka_unit_test(test_ink),
		cmocka_unit_test(test_locale),
		cmocka_unit_test_setup_teardown(test_no_rows, begin, end),
		cmocka_unit_test_setup_teardown(test_utf8, begin, end),
		cmocka_unit_test_setup_teardown(test_whether_to_colour, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
