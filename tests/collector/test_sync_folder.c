/* The files of an account that were fetched: replaced by documents alone, and taken away only when
 * all was seen. */
#include "collector/sync_folder.h"

#include "base/file.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD(name)                                                                          \
	"{\"id\":\"/x/privateDnsZones/z.example/A/" name "\",\"aRecords\":[{\"ipv4Address\":" \
	"\"10.0.0.4\"}]}"

static enum sync_put
put(struct sync_folder *folder, const char *file, const char *etag, const char *text)
{
	const struct sync_entry entry = { file, "/id", etag, "2026-11-24T00:00:00.000Z" };
	struct err              err;

	return sync_folder_put(folder, &entry, text, strlen(text), &err);
}

static struct sync_folder *
open_folder(const char *dir)
{
	struct err          err;
	struct sync_folder *folder = sync_folder_open(dir, "contoso", &err);

	if (folder == NULL)
		fail_msg("%s", err.text);
	return folder;
}

static size_t
close_folder(struct sync_folder *folder, bool all_seen)
{
	size_t     removed;
	struct err err;

	if (!sync_folder_close(folder, all_seen, &removed, &err))
		fail_msg("%s", err.text);
	sync_folder_free(folder);
	return removed;
}

static bool
is_there(const char *dir, const char *file)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/contoso/%s", dir, file);
	return access(path, F_OK) == 0;
}

static void
write_file(const char *dir, const char *file, const char *text)
{
	char       path[256];
	struct err err;

	snprintf(path, sizeof(path), "%s/contoso/%s", dir, file);
	if (!file_replace(path, text, strlen(text), 0644, &err))
		fail_msg("%s", err.text);
}

static void
test_life(void **state)
{
	char               *dir = support_dir_new();
	struct sync_folder *folder = open_folder(dir);
	struct arena       *arena = arena_new();
	const char         *text;
	size_t              count;

	assert_string_equal(sync_folder_etag(folder, "a.json"), "");
	assert_int_equal(put(folder, "a.json", "e1", RECORD("a")), SYNC_PUT_NEW);
	assert_int_equal(put(folder, "b.json", "", RECORD("b")), SYNC_PUT_NEW);
	assert_int_equal(put(folder, "c.json", "", RECORD("c")), SYNC_PUT_NEW);
	assert_int_equal(close_folder(folder, true), 0);
	write_file(dir, "mine.json", RECORD("m"));

	/* Not a document: what was there stays, and is not taken away. */
	folder = open_folder(dir);
	assert_string_equal(sync_folder_etag(folder, "a.json"), "e1");
	assert_int_equal(put(folder, "a.json", "e2", "{\"a\":"), SYNC_PUT_FAILED);
	assert_int_equal(put(folder, "a.json", "e2", "{\"a\":1}"), SYNC_PUT_FAILED);
	assert_int_equal(put(folder, "b.json", "", RECORD("b")), SYNC_PUT_SAME);
	assert_int_equal(close_folder(folder, false), 0);
	assert_true(is_there(dir, "c.json"));

	/* Its etag is still that of what is there. */
	folder = open_folder(dir);
	assert_string_equal(sync_folder_etag(folder, "a.json"), "e1");
	text = sync_folder_read(folder, arena, "a.json", &count);
	assert_string_equal(text, RECORD("a"));
	sync_folder_stay(folder, "a.json");
	sync_folder_stay(folder, "never_seen.json");
	assert_int_equal(close_folder(folder, true), 2);
	assert_true(is_there(dir, "a.json"));
	assert_false(is_there(dir, "b.json"));
	assert_false(is_there(dir, "c.json"));
	assert_true(is_there(dir, "mine.json"));

	/* A person took the file: its etag must not keep it away. */
	write_file(dir, "a.json", RECORD("a"));
	assert_int_equal(unlink(arena_printf(arena, "%s/contoso/a.json", dir)), 0);
	folder = open_folder(dir);
	assert_string_equal(sync_folder_etag(folder, "a.json"), "");
	sync_folder_free(folder);
	arena_free(arena);
	support_dir_free(dir);
}

/* A list that somebody has broken is none, and nothing is taken away by it. */
static void
test_broken_list(void **state)
{
	char               *dir = support_dir_new();
	struct sync_folder *folder = open_folder(dir);

	assert_int_equal(put(folder, "a.json", "e1", RECORD("a")), SYNC_PUT_NEW);
	close_folder(folder, true);
	write_file(dir, ".sync.json", "{\"documents\":[{\"file\":\"../contoso/a.json\"}");
	folder = open_folder(dir);
	assert_string_equal(sync_folder_etag(folder, "a.json"), "");
	assert_int_equal(close_folder(folder, true), 0);
	assert_true(is_there(dir, "a.json"));
	support_dir_free(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_broken_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
