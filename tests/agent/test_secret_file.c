#include "agent/secret_file.h"

#include "base/arena.h"
#include "base/file.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

enum { ROOM = 64 };

struct fixture {
	char *dir, *path;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->dir = support_dir_new();
	f->path = mem_printf("%s/secret", f->dir);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void
write_bytes(const char *path, const char *bytes, size_t count, unsigned mode)
{
	struct err err;

	if (!file_replace(path, bytes, count, mode, &err))
		fail_msg("%s", err.text);
}

#define BYTES(text) text, sizeof(text) - 1

/* wanted: the line, or NULL and what the refusal says. */
static const struct content_case {
	const char *name, *bytes;
	size_t      count;
	const char *wanted, *why;
} content_cases[] = {
	{ "a line", BYTES("s3cret\n"), "s3cret", NULL },
	{ "no end of line", BYTES("s3cret"), "s3cret", NULL },
	{ "CR LF", BYTES("s3cret\r\n"), "s3cret", NULL },
	{ "empty lines behind", BYTES("s3cret\n\r\n\n"), "s3cret", NULL },
	{ "blanks are kept", BYTES(" s3 cret \n"), " s3 cret ", NULL },
	{ "as long as there is room",
	    BYTES("s3cret7890123456789012345678901234567890123456789012345678901\n"),
	    "s3cret7890123456789012345678901234567890123456789012345678901", NULL },
	{ "longer", BYTES("s3cret789012345678901234567890123456789012345678901234567890123\n"),
	    NULL, "larger than 63 bytes" },
	{ "nothing", BYTES(""), NULL, "empty; one line wanted" },
	{ "only an end of line", BYTES("\n"), NULL, "empty; one line wanted" },
	{ "two lines", BYTES("s3cret\nmore\n"), NULL, "several lines; one wanted" },
	{ "a first line of nothing", BYTES("\ns3cret\n"), NULL, "several lines; one wanted" },
	{ "a NUL", BYTES("s3cret\0more\n"), NULL, "a NUL" },
};

static void
test_contents(void **state)
{
	static const char zero[ROOM];
	struct fixture   *f = *state;

	for (size_t i = 0; i < sizeof(content_cases) / sizeof(content_cases[0]); i++) {
		const struct content_case *c = &content_cases[i];
		char                       text[ROOM] = "untouched";
		struct err                 err = { .text = "" };

		write_bytes(f->path, c->bytes, c->count, 0600);
		if (secret_file_read(f->path, text, sizeof(text), &err)) {
			if (c->wanted == NULL || strcmp(text, c->wanted) != 0)
				fail_msg("%s: '%s'", c->name, text);
			continue;
		}
		if (c->wanted != NULL || strstr(err.text, c->why) == NULL)
			fail_msg("%s: %s", c->name, err.text);
		assert_non_null(strstr(err.text, f->path));
		assert_null(strstr(err.text, "s3cret"));
		assert_memory_equal(text, zero, sizeof(text));
	}
}

static const struct mode_case {
	unsigned mode;
	bool     good, credential_good;
} mode_cases[] = {
	{ 0600, true, true },
	{ 0400, true, true },
	{ 0440, false, true },
	{ 0640, false, true },
	{ 0620, false, true },
	{ 0610, false, true },
	{ 0604, false, false },
	{ 0602, false, false },
	{ 0644, false, false },
	{ 0777, false, false },
};

static void
test_modes(void **state)
{
	struct fixture *f = *state;
	char            text[ROOM];
	struct err      err;

	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	for (size_t i = 0; i < sizeof(mode_cases) / sizeof(mode_cases[0]); i++) {
		const struct mode_case *c = &mode_cases[i];

		write_bytes(f->path, BYTES("s3cret\n"), 0600);
		assert_int_equal(chmod(f->path, c->mode), 0);
		if (secret_file_read(f->path, text, sizeof(text), &err) != c->good)
			fail_msg("mode %04o of a file", c->mode);
		if (!c->good)
			assert_non_null(strstr(err.text, "chmod 0600 wanted"));
		if (secret_file_read("credential:secret", text, sizeof(text), &err) !=
		    c->credential_good)
			fail_msg("mode %04o of a credential", c->mode);
	}
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
make_socket(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(at.sun_path));
	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

/* A FIFO that nobody writes to, and a device that never ends, must not hold us up. */
static void
test_other_kinds(void **state)
{
	struct fixture *f = *state;
	char            text[ROOM];
	struct err      err;

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_false(secret_file_read(f->path, text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "a folder; a regular file wanted"));
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_false(secret_file_read(f->path, text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "not a file; a regular file wanted"));
	assert_int_equal(unlink(f->path), 0);
	make_socket(f->path);
	assert_false(secret_file_read(f->path, text, sizeof(text), &err));
	assert_int_equal(unlink(f->path), 0);
	assert_false(secret_file_read("/dev/zero", text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "a regular file wanted"));
	assert_false(secret_file_read(f->path, text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "No such file"));
	assert_non_null(strstr(err.text, f->path));
}

static void
test_credential_names(void **state)
{
	static const char *const wrong[] = { "credential:", "credential:../passwd",
		"credential:a/b", "credential:.hidden", "credential:/etc/passwd" };
	struct fixture          *f = *state;
	char                     text[ROOM];
	struct err               err;

	write_bytes(f->path, BYTES("s3cret\n"), 0600);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_false(secret_file_read("credential:secret", text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "LoadCredential=secret:PATH wanted"));
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	assert_true(secret_file_read("credential:secret", text, sizeof(text), &err));
	assert_string_equal(text, "s3cret");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (secret_file_read(wrong[i], text, sizeof(text), &err) ||
		    strstr(err.text, "credential:NAME wanted") == NULL)
			fail_msg("%s: %s", wrong[i], err.text);
	}
	assert_false(secret_file_read("credential:other", text, sizeof(text), &err));
	assert_non_null(strstr(err.text, "No such file"));
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_true(secret_file_is_placed("credential:x"));
	assert_false(secret_file_is_placed("/etc/credential:x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credential_names, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
