#include "collector/auth.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];

static const struct auth_agent *
check(struct auth *auth, const char *scheme, const char *token)
{
	char text[2 * AUTH_TOKEN_ROOM];

	snprintf(text, sizeof(text), "%s%s", scheme, token);
	return auth_check(auth, text);
}

static void
create(const char *agent, const char *network, char *token)
{
	struct err err = { 0 };

	if (!auth_create(path, agent, network, 1234, token, &err))
		fail_msg("%s", err.text);
}

static void
test_token_opens(void **state)
{
	char                     token[AUTH_TOKEN_ROOM], other[AUTH_TOKEN_ROOM];
	struct auth             *auth = auth_open(path, clock_system(), NULL);
	const struct auth_agent *who;
	struct stat              seen;
	FILE                    *file;
	char                     content[1000] = "";

	assert_int_equal(auth_count(auth), 0);
	create("vm-a", "vnet-a/default", token);
	create("vm-b", NULL, other);
	who = check(auth, "Bearer ", token); /* without a restart */
	assert_non_null(who);
	assert_string_equal(who->agent, "vm-a");
	assert_string_equal(who->network, "vnet-a/default");
	who = check(auth, "bearer ", other);
	assert_non_null(who);
	assert_string_equal(who->agent, "vm-b");
	assert_string_equal(who->network, "");
	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0600);
	file = fopen(path, "r");
	assert_true(fread(content, 1, sizeof(content) - 1, file) > 0);
	fclose(file);
	assert_null(strstr(content, strchr(token, '.') + 1)); /* the secret is not kept */
	auth_free(auth);
}

static void
test_wrong_tokens(void **state)
{
	char         token[AUTH_TOKEN_ROOM], wrong[AUTH_TOKEN_ROOM + 1];
	struct auth *auth;

	create("vm-a", NULL, token);
	auth = auth_open(path, clock_system(), NULL);
	assert_non_null(check(auth, "Bearer ", token));
	assert_null(auth_check(auth, NULL));
	assert_null(auth_check(auth, ""));
	assert_null(check(auth, "", token));
	assert_null(check(auth, "Basic ", token));
	assert_null(check(auth, "Bearer  ", token));
	for (size_t i = 0; i < strlen(token); i++) {
		memcpy(wrong, token, sizeof(token));
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		assert_null(check(auth, "Bearer ", wrong));
		memcpy(wrong, token, sizeof(token));
		wrong[i] = '\0';
		assert_null(check(auth, "Bearer ", wrong));
	}
	snprintf(wrong, sizeof(wrong), "%sA", token);
	assert_null(check(auth, "Bearer ", wrong));
	auth_free(auth);
}

static void
test_revoked(void **state)
{
	char         first[AUTH_TOKEN_ROOM], second[AUTH_TOKEN_ROOM], other[AUTH_TOKEN_ROOM];
	char         id[13];
	struct auth *auth;
	struct err   err;
	size_t       removed;

	create("vm-a", NULL, first);
	create("vm-a", NULL, second); /* two of one agent are valid: that is how to rotate */
	create("vm-b", NULL, other);
	auth = auth_open(path, clock_system(), NULL);
	assert_non_null(check(auth, "Bearer ", first));
	assert_non_null(check(auth, "Bearer ", second));
	snprintf(id, sizeof(id), "%.12s", first);
	assert_true(auth_revoke(path, id, &removed, &err));
	assert_int_equal(removed, 1);
	assert_null(check(auth, "Bearer ", first)); /* at once, and unasked */
	assert_non_null(check(auth, "Bearer ", second));
	assert_true(auth_revoke(path, "vm-a", &removed, &err));
	assert_int_equal(removed, 1);
	assert_null(check(auth, "Bearer ", second));
	assert_non_null(check(auth, "Bearer ", other));
	assert_true(auth_revoke(path, "nobody", &removed, &err));
	assert_int_equal(removed, 0);
	auth_free(auth);
}

static void
test_broken_file_keeps(void **state)
{
	char         token[AUTH_TOKEN_ROOM];
	struct auth *auth;
	struct err   err = { 0 };
	FILE        *file;

	create("vm-a", NULL, token);
	auth = auth_open(path, clock_system(), NULL);
	file = fopen(path, "a");
	fputs("half a li", file);
	fclose(file);
	assert_false(auth_reload(auth, &err));
	assert_non_null(strstr(err.text, ":2: want"));
	assert_false(auth_is_current(auth));
	assert_non_null(check(auth, "Bearer ", token));
	assert_null(auth_open(path, clock_system(), &err));
	auth_free(auth);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", " ", "a b", "-x", ".x", "a\n", "a/b", "\xc3\xa9",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	char                     token[AUTH_TOKEN_ROOM];
	struct err               err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (auth_create(path, bad[i], NULL, 0, token, &err))
			fail_msg("agent '%s' was taken", bad[i]);
	}
	assert_false(auth_create(path, "a", "vnet a", 0, token, &err));
	assert_false(auth_create(path, "a", "vnet\na", 0, token, &err));
	assert_int_equal(access(path, F_OK), -1);
}

static int
make_path(void **state)
{
	char folder[] = "/tmp/plprobe-auth-XXXXXX";

	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/tokens", folder);
	return 0;
}

static int
remove_path(void **state)
{
	char *command = mem_printf("rm -rf %.*s", (int)(strrchr(path, '/') - path), path);
	int   code = system(command);

	free(command);
	return code;
}

/* Root makes tokens for a collector that is not root: the file is the collector's. */
static void
test_owner_of_the_folder(void **state)
{
	char        folder[] = "/tmp/plprobe-auth-XXXXXX", file[64], token[AUTH_TOKEN_ROOM];
	struct stat status;
	size_t      removed = 0;

	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chown(folder, 1234, 1235), 0);
	snprintf(file, sizeof(file), "%s/tokens", folder);
	assert_true(auth_create(file, "vm-a", NULL, 1, token, NULL));
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_uid, 1234);
	assert_int_equal(status.st_gid, 1235);
	assert_int_equal(status.st_mode & 0777, 0600);
	assert_true(auth_revoke(file, "vm-a", &removed, NULL));
	assert_int_equal(removed, 1);
	assert_int_equal(stat(file, &status), 0);
	assert_int_equal(status.st_uid, 1234);
	unlink(file);
	snprintf(file, sizeof(file), "%s/tokens.lock", folder);
	unlink(file);
	assert_int_equal(rmdir(folder), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_of_the_folder),
		cmocka_unit_test_setup_teardown(test_token_opens, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_wrong_tokens, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_revoked, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_broken_file_keeps, make_path, remove_path),
		cmocka_unit_test_setup_teardown(test_names, make_path, remove_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
