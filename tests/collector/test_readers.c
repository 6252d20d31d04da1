#include "collector/readers.h"

#include "base/file.h"
#include "collector/readers_edit.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

enum { NOW_MS = 1000000 };

static char *dir, *path;

static int
set_up(void **state)
{
	dir = support_dir_new();
	path = mem_printf("%s/readers", dir);
	return 0;
}

static int
tear_down(void **state)
{
	free(path);
	support_dir_free(dir);
	return 0;
}

static void
make_token(const char *name, int64_t ends_ms, char *token)
{
	struct err err = { 0 };

	if (!readers_edit_token(path, name, NOW_MS, ends_ms, token, &err))
		fail_msg("%s", err.text);
}

static void
write_file(const char *text, unsigned mode)
{
	assert_true(file_replace(path, text, strlen(text), mode, NULL));
}

static struct readers *
open_well(void)
{
	struct err      err = { 0 };
	struct readers *readers = readers_open(path, &err);

	if (readers == NULL)
		fail_msg("%s", err.text);
	return readers;
}

static void
test_tokens(void **state)
{
	char                 token[READERS_TOKEN_ROOM], other[READERS_TOKEN_ROOM], id[13];
	char                 wrong[READERS_TOKEN_ROOM + 1];
	struct readers      *readers = open_well();
	const struct reader *reader;
	struct arena        *arena = arena_new();
	struct stat          seen;
	size_t               count, ended;
	const char          *content;

	assert_int_equal(readers_count(readers), 0);
	make_token("prometheus", 0, token);
	make_token("grafana", NOW_MS + 5, other);
	assert_null(readers_of_token(readers, token));
	readers_look(readers); /* without a restart */
	reader = readers_of_token(readers, token);
	assert_non_null(reader);
	assert_string_equal(reader->name, "prometheus");
	assert_false(readers_has_ended(reader, INT64_MAX));
	reader = readers_of_token(readers, other);
	assert_non_null(reader);
	assert_false(readers_has_ended(reader, NOW_MS + 4));
	assert_true(readers_has_ended(reader, NOW_MS + 5));
	assert_null(readers_of_name(readers, "prometheus")); /* no person */
	for (size_t i = 0; i < strlen(token); i++) {
		memcpy(wrong, token, sizeof(token));
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		assert_null(readers_of_token(readers, wrong));
		wrong[i] = '\0';
		assert_null(readers_of_token(readers, wrong));
	}
	snprintf(wrong, sizeof(wrong), "%sA", token);
	assert_null(readers_of_token(readers, wrong));
	assert_null(readers_of_token(readers, ""));

	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0600);
	content = file_read(arena, path, 10000, &count, NULL);
	assert_non_null(content);
	assert_null(strstr(content, strchr(token, '.') + 1)); /* the secret is not kept */

	snprintf(id, sizeof(id), "%.12s", token + strlen(READERS_TOKEN_PREFIX));
	assert_true(readers_edit_end_token(path, id, &ended, NULL));
	assert_int_equal(ended, 1);
	readers_look(readers);
	assert_null(readers_of_token(readers, token));
	assert_non_null(readers_of_token(readers, other));
	assert_true(readers_edit_end_token(path, id, &ended, NULL));
	assert_int_equal(ended, 0);
	readers_free(readers);
	arena_free(arena);
}

static void
test_people(void **state)
{
	struct readers      *readers;
	const struct reader *reader;
	struct err           err = { 0 };
	size_t               ended;

	assert_true(readers_edit_person(path, "ann@example", "twelve chars", false, 1, &err));
	readers = open_well();
	reader = readers_of_name(readers, "ann@example");
	assert_non_null(reader);
	assert_true(password_is(&reader->password, "twelve chars"));
	assert_null(readers_of_name(readers, "ann"));
	assert_null(readers_of_name(readers, ""));

	assert_false(readers_edit_person(path, "ann@example", "another one!", false, 1, &err));
	assert_non_null(strstr(err.text, "--replace"));
	assert_false(readers_edit_person(path, "bob", "another one!", true, 1, &err));
	assert_non_null(strstr(err.text, "no user bob"));
	assert_false(readers_edit_person(path, "bob", "short", false, 1, &err));
	assert_false(readers_edit_person(path, "a:b", "another one!", false, 1, &err));
	assert_true(readers_edit_person(path, "ann@example", "another one!", true, 1, &err));
	readers_look(readers);
	reader = readers_of_name(readers, "ann@example");
	assert_non_null(reader);
	assert_false(password_is(&reader->password, "twelve chars"));
	assert_true(password_is(&reader->password, "another one!"));

	assert_true(readers_edit_end_token(path, "ann@example", &ended, &err));
	assert_int_equal(ended, 0); /* no token */
	assert_true(readers_edit_end_person(path, "ann@example", &ended, &err));
	assert_int_equal(ended, 1);
	readers_look(readers);
	assert_int_equal(readers_count(readers), 0);
	readers_free(readers);
}

#define HASH                                              \
	"scrypt:14:8:1:00112233445566778899aabbccddeeff:" \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SHA "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static const struct file_case {
	const char *text;
	size_t      count;
	const char *words; /* of the refusal; NULL: none */
} file_cases[] = {
	{ "", 0, NULL },
	{ "# nobody\n\n", 0, NULL },
	{ "person ann " HASH " 5\n", 1, NULL },
	{ "token 0123456789ab prom " SHA " 5 -\ntoken 0123456789ac prom " SHA " 5 7", 2, NULL },
	{ "person ann " HASH " 5\nperson ann " HASH " 6\n", 0, ":2: ann is there already" },
	{ "person ann " HASH "\n", 0, ":1: want a line" },
	{ "person ann plain-text 5\n", 0, "scrypt" },
	{ "person a/b " HASH " 5\n", 0, ":1: want \"person" },
	{ "person ann " HASH " later\n", 0, ":1: want \"person" },
	{ "\ntoken 0123 prom " SHA " 5 -\n", 0, ":2: want \"token" },
	{ "token 0123456789ab prom 00 5 -\n", 0, ":1: want \"token" },
	{ "token 0123456789ab prom " SHA " 5 soon\n", 0, ":1: want \"token" },
	{ "token 0123456789ab prom " SHA " 5 - more\n", 0, ":1: want a line" },
	{ "agent 0123456789ab prom " SHA " 5 -\n", 0, ":1: want a line" },
};

/* Each is written again as it was read. */
static void
test_files(void **state)
{
	for (size_t i = 0; i < sizeof(file_cases) / sizeof(file_cases[0]); i++) {
		const struct file_case *row = &file_cases[i];
		struct arena           *arena = arena_new();
		struct readers_list     list;
		struct err              err = { 0 };
		char                   *text = arena_strdup(arena, row->text);

		if (readers_parse(&list, arena, text, "file", &err) != (row->words == NULL))
			fail_msg("'%s': %s", row->text, err.text);
		if (row->words == NULL)
			assert_int_equal(list.count, row->count);
		else if (strstr(err.text, row->words) == NULL)
			fail_msg("'%s': %s", row->text, err.text);
		arena_free(arena);
	}
}

static void
test_broken_file_keeps(void **state)
{
	struct readers *readers;
	struct err      err = { 0 };

	write_file("person ann " HASH " 5\n", 0600);
	readers = open_well();
	write_file("person ann " HASH " 5\nperson bob", 0600);
	assert_false(readers_reload(readers, &err));
	assert_non_null(strstr(err.text, ":2: want"));
	assert_false(readers_is_current(readers));
	assert_non_null(readers_of_name(readers, "ann"));
	assert_null(readers_open(path, &err));
	write_file("person bob " HASH " 5\n", 0600);
	readers_look(readers);
	assert_true(readers_is_current(readers));
	assert_null(readers_of_name(readers, "ann"));
	assert_non_null(readers_of_name(readers, "bob"));
	readers_free(readers);
}

static void
test_mode(void **state)
{
	static const unsigned bad[] = { 0640, 0604, 0620, 0602, 0666 };
	struct err            err = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file("person ann " HASH " 5\n", bad[i]);
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_null(readers_open(path, &err));
		assert_non_null(strstr(err.text, "chmod 600"));
	}
	write_file("person ann " HASH " 5\n", 0400);
	readers_free(open_well());
}

static void
test_names(void **state)
{
	static const char *const good[] = { "a", "Ann.Lee", "ann@example.com", "7", "a+b_c-d" };
	static const char *const bad[] = { "", " ", "a b", "-x", ".x", "@x", "a\n", "a/b",
		"a:b", "\xc3\xa9",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(readers_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(readers_is_name(bad[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_people, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken_file_keeps, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_mode, set_up, tear_down),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
