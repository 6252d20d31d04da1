#include "base/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/test_local.XXXXXX";
static char path[64];

static unsigned
see_mode(void)
{
	struct stat seen;

	assert_int_equal(lstat(path, &seen), 0);
	assert_true(S_ISSOCK(seen.st_mode));
	return seen.st_mode & 0777;
}

/* Whatever the umask. */
static void
test_mode(void **state)
{
	static const unsigned modes[] = { 0600, 0660 };
	mode_t                before = umask(0777);

	for (size_t i = 0; i < 2; i++) {
		struct err err;
		int        fd = local_listen(path, modes[i], 1, &err);

		assert_true(fd >= 0);
		assert_int_equal(see_mode(), modes[i]);
		close(fd);
	}
	umask(before);
	assert_int_equal(unlink(path), 0);
}

/* What was left behind goes; who answers stays. */
static void
test_in_use(void **state)
{
	struct err err;
	int        first = local_listen(path, 0600, 1, &err), second;

	assert_int_equal(local_listen(path, 0600, 1, &err), -1);
	assert_non_null(strstr(err.text, path));
	assert_non_null(strstr(err.text, "another program answers there"));
	close(first);
	second = local_listen(path, 0600, 1, &err);
	assert_true(second >= 0);
	close(second);
	assert_int_equal(unlink(path), 0);
}

/* A file that is no socket is somebody's. */
static void
test_refused(void **state)
{
	struct err err;
	char       text[200];
	int        fd = open(path, O_CREAT | O_WRONLY, 0600);

	close(fd);
	assert_int_equal(local_listen(path, 0600, 1, &err), -1);
	assert_non_null(strstr(err.text, "Address already in use"));
	assert_int_equal(unlink(path), 0);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(local_listen(text, 0600, 1, &err), -1);
	assert_non_null(strstr(err.text, "longer than 107 bytes"));
}

static int
begin(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int
end(void **state)
{
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_in_use),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
