#include "base/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char          folder[64], path[96];
static struct arena *arena;

static int
begin(void **state)
{
	strcpy(folder, "/tmp/test_file.XXXXXX");
	arena = arena_new();
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/x", folder);
	return 0;
}

static int
end(void **state)
{
	unlink(path);
	arena_free(arena);
	return rmdir(folder); /* fails when anything was left behind */
}

static void
test_there_and_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 100000 };
	struct err          err;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char  *bytes = arena_alloc(arena, sizes[i] + 1), *got;
		size_t count = 77;

		memset(bytes, 'a' + (int)i, sizes[i]);
		assert_true(file_replace(path, bytes, sizes[i], 0600, &err));
		got = file_read(arena, path, sizes[i], &count, &err);
		assert_non_null(got);
		assert_int_equal(count, sizes[i]);
		assert_string_equal(got, bytes);
	}
}

static void
test_limit(void **state)
{
	size_t     count;
	struct err err;

	assert_true(file_replace(path, "0123456789", 10, 0600, &err));
	assert_non_null(file_read(arena, path, 10, &count, &err));
	assert_null(file_read(arena, path, 9, &count, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "/x: larger than 9 bytes"));
	assert_null(file_read(arena, "/dev/zero", 100000, &count, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
}

static void
test_cannot_read(void **state)
{
	size_t     count;
	struct err err;

	assert_null(file_read(arena, path, 10, &count, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_non_null(strstr(err.text, "/x: No such file or directory"));
	assert_null(file_read(arena, folder, 10, &count, &err));
	assert_non_null(strstr(err.text, "Is a directory"));
}

static void
test_standard_input(void **state)
{
	int        kept = dup(STDIN_FILENO), ends[2];
	char      *got;
	size_t     count;
	struct err err;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	got = file_read(arena, "-", 10, &count, &err);
	dup2(kept, STDIN_FILENO);
	close(kept);
	assert_non_null(got);
	assert_string_equal(got, "abc");
}

static void
test_mode(void **state)
{
	struct stat seen;
	struct err  err;
	mode_t      mask = umask(077);

	assert_true(file_replace(path, "x", 1, 0644, &err));
	umask(mask);
	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0644);
	assert_true(file_replace(path, "x", 1, 0600, &err));
	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0600);
}

/* A reader that holds the old file goes on to see all of it. */
static void
test_replaced_in_one_step(void **state)
{
	char       bytes[8] = "";
	struct err err;
	int        old;

	assert_true(file_replace(path, "old", 3, 0600, &err));
	old = open(path, O_RDONLY);
	assert_true(file_replace(path, "newer", 5, 0600, &err));
	assert_int_equal(read(old, bytes, sizeof(bytes)), 3);
	assert_string_equal(bytes, "old");
	close(old);
}

static void
test_cannot_write(void **state)
{
	char       nowhere[128];
	struct err err = { .text = "" };

	snprintf(nowhere, sizeof(nowhere), "%s/no/x", folder);
	assert_false(file_replace(nowhere, "x", 1, 0600, &err));
	assert_non_null(strstr(err.text, "/no/x: No such file or directory"));
	/* The name is a directory: what was written beside it is gone again (see end()). */
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(file_replace(path, "x", 1, 0600, &err));
	assert_non_null(strstr(err.text, "Is a directory"));
	assert_int_equal(rmdir(path), 0);
}

/* One at a time, and the next when it is closed. */
static void
test_lock(void **state)
{
	char       name[128];
	struct err err;
	int        lock = file_lock(path, &err), other;

	assert_true(lock >= 0);
	snprintf(name, sizeof(name), "%s.lock", path);
	other = open(name, O_RDWR);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	close(lock);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	close(other);
	assert_int_equal(unlink(name), 0);
	snprintf(name, sizeof(name), "%s/no/x", folder);
	assert_int_equal(file_lock(name, &err), -1);
	assert_non_null(strstr(err.text, "/no/x.lock: No such file or directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(test_limit, begin, end),
		cmocka_unit_test_setup_teardown(test_cannot_read, begin, end),
		cmocka_unit_test_setup_teardown(test_standard_input, begin, end),
		cmocka_unit_test_setup_teardown(test_mode, begin, end),
		cmocka_unit_test_setup_teardown(test_replaced_in_one_step, begin, end),
		cmocka_unit_test_setup_teardown(test_cannot_write, begin, end),
		cmocka_unit_test_setup_teardown(test_lock, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
