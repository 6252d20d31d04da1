/* What the store has answered survives a power cut.
 *
 * SQLite writes through a layer (VFS) that remembers what of each file was synced.  After each
 * answer power fails: of what was not synced nothing is left, or some sectors, drawn at random.
 * From that a store is opened, and has to be whole and to have every batch that was answered.
 */
#include "collector/store/store.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILES = 8, SECTOR = 512, BATCHES = 60, CUTS_EACH = 3 };

static char     folder[64];
static unsigned seed;

struct content {
	uint8_t *bytes; /* owned */
	size_t   count;
};

/* A file that SQLite has open, or had. */
static struct file {
	char                      path[160];
	sqlite3_file             *handle; /* NULL: closed */
	const sqlite3_io_methods *real;
	sqlite3_io_methods        ours;
	struct content            synced;
} files[FILES];

static struct content
read_file(const char *path)
{
	struct content content = { 0 };
	FILE          *file = fopen(path, "r");
	long           end;

	if (file == NULL)
		return content;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	end = ftell(file);
	rewind(file);
	content.bytes = mem_alloc((size_t)end + 1);
	content.count = fread(content.bytes, 1, (size_t)end, file);
	fclose(file);
	return content;
}

static struct file *
find_handle(sqlite3_file *handle)
{
	for (size_t i = 0; i < FILES; i++) {
		if (files[i].handle == handle)
			return &files[i];
	}
	fail_msg("a file that was never opened");
	return NULL;
}

static int
on_sync(sqlite3_file *handle, int flags)
{
	struct file *file = find_handle(handle);
	int          code = file->real->xSync(handle, flags);

	if (code == SQLITE_OK) {
		free(file->synced.bytes);
		file->synced = read_file(file->path);
	}
	return code;
}

static int
on_close(sqlite3_file *handle)
{
	struct file *file = find_handle(handle);

	file->handle = NULL;
	return file->real->xClose(handle);
}

static sqlite3_vfs *real_vfs, our_vfs;

static int
on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *handle, int flags, int *out)
{
	int          code = real_vfs->xOpen(real_vfs, name, handle, flags, out);
	struct file *file = files;

	if (code != SQLITE_OK || name == NULL)
		return code;
	while (file < files + FILES && file->path[0] != '\0' && strcmp(file->path, name) != 0)
		file++;
	assert_true(file < files + FILES);
	snprintf(file->path, sizeof(file->path), "%s", name);
	file->handle = handle;
	file->real = handle->pMethods;
	file->ours = *file->real;
	file->ours.xSync = on_sync;
	file->ours.xClose = on_close;
	handle->pMethods = &file->ours;
	return code;
}

/* What a cut leaves of a file: what was synced, and of the rest sectors as they are drawn. */
static void
leave(const struct file *file, const char *to, bool some)
{
	struct content now = read_file(file->path);
	size_t         count = file->synced.count;
	uint8_t       *left = mem_alloc(now.count + file->synced.count + 1);
	FILE          *out;

	if (file->synced.count > 0)
		memcpy(left, file->synced.bytes, file->synced.count);
	for (size_t at = 0; some && at < now.count; at += SECTOR) {
		size_t most = now.count - at < SECTOR ? now.count - at : SECTOR;

		if (rand_r(&seed) % 2 == 0)
			continue;
		memcpy(left + at, now.bytes + at, most);
		count = at + most > count ? at + most : count;
	}
	out = fopen(to, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(left, 1, count, out), count);
	assert_int_equal(fclose(out), 0);
	free(left);
	free(now.bytes);
}

static void
count_batch(void *arg, const struct store_batch *batch)
{
	uint64_t *seen = arg;

	assert_in_range(batch->seq, 1, BATCHES);
	seen[batch->seq]++;
}

static void
check_after_cut(const char *path, uint32_t answered, bool some)
{
	uint64_t            seen[BATCHES + 1] = { 0 };
	struct store_reader reader = { .on_batch = count_batch, .arg = seen };
	struct store       *store;
	struct err          err;
	char               *url = mem_printf("sqlite:%s/left", folder);
	char               *left = mem_printf("%s/left", folder);
	char               *wal = mem_printf("%s/left-wal", folder);
	char               *index = mem_printf("%s/left-shm", folder);

	remove(index);
	remove(wal);
	for (size_t i = 0; i < FILES; i++) {
		size_t length = strlen(path);

		if (strncmp(files[i].path, path, length) != 0)
			continue;
		if (files[i].path[length] == '\0')
			leave(&files[i], left, some);
		else if (strcmp(files[i].path + length, "-wal") == 0)
			leave(&files[i], wal, some);
	}
	store = store_open(url, false, &err);
	if (store == NULL || !store_check(store, &err) || !store_load(store, &reader, &err))
		fail_msg("%s", err.text);
	for (uint32_t seq = 1; seq <= answered; seq++) {
		if (seen[seq] != 1)
			fail_msg("batch %u was answered, and is there %u times after a cut",
			    seq, (unsigned)seen[seq]);
	}
	store_close(store);
	free(url);
	free(left);
	free(wal);
	free(index);
}

static void
test_answered_survives_power_cut(void **state)
{
	char         *path = mem_printf("%s/store", folder);
	char         *url = mem_printf("sqlite:%s", path);
	struct err    err;
	struct store *store = store_open(url, false, &err);

	assert_non_null(store);
	for (uint32_t seq = 1; seq <= BATCHES; seq++) {
		char                      body[3000];
		struct store_batch        batch = { .agent = "vm-a",
			       .network = "vnet-a",
			       .epoch = 7,
			       .seq = seq,
			       .received_ms = 1000,
			       .created_ms = 1000,
			       .body = (const uint8_t *)body,
			       .body_bytes = 1 + rand_r(&seed) % sizeof(body) };
		const struct store_batch *batches[] = { &batch };
		enum store_answer         answer;

		memset(body, (int)seq, sizeof(body));
		digest_sha256(body, batch.body_bytes, batch.digest);
		if (!store_append(store, batches, 1, &answer, &err))
			fail_msg("%s", err.text);
		assert_int_equal(answer, STORE_STORED);
		/* Our own layer is not asked about what it has left. */
		sqlite3_vfs_register(real_vfs, 1);
		for (int i = 0; i < CUTS_EACH; i++)
			check_after_cut(path, seq, i > 0);
		sqlite3_vfs_register(&our_vfs, 1);
	}
	store_close(store);
	print_message(
	    "%d power cuts, %d batches answered, 0 lost\n", BATCHES * CUTS_EACH, BATCHES);
	free(url);
	free(path);
}

static int
setup(void **state)
{
	const char *text = getenv("SEED");

	seed = text != NULL ? (unsigned)strtoul(text, NULL, 10) : (unsigned)time(NULL);
	print_message("SEED=%u\n", seed);
	snprintf(folder, sizeof(folder), "/tmp/plprobe-power-XXXXXX");
	real_vfs = sqlite3_vfs_find(NULL);
	our_vfs = *real_vfs;
	our_vfs.zName = "forgetful";
	our_vfs.xOpen = on_open;
	return mkdtemp(folder) != NULL && sqlite3_vfs_register(&our_vfs, 1) == SQLITE_OK ? 0
	                                                                                 : -1;
}

static int
teardown(void **state)
{
	char *command = mem_printf("rm -rf %s", folder);
	int   code = system(command);

	for (size_t i = 0; i < FILES; i++)
		free(files[i].synced.bytes);
	free(command);
	return code;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered_survives_power_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
