/* A full disk: nothing is acknowledged that is not stored, what is there is read, and what is too old
 * can be deleted, which SQLite alone cannot do then.  On a small tmpfs in a mount namespace of our
 * own: as root, or it is left out.
 */
#include "collector/store/store.h"

#include "base/arena.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { BODY_BYTES = 16000, CHUNK = 100, CHUNKS = 15, ROUNDS = 3 };

static char folder[64];
static char url[96], filler[96], reserve[96];
static bool ours; /* the disk */

static bool
append(struct store *store, uint32_t seq)
{
	static uint8_t            body[BODY_BYTES];
	struct store_batch        batch = { .agent = "vm-a",
		       .network = "",
		       .epoch = 1,
		       .seq = seq,
		       .received_ms = 1000 + seq,
		       .created_ms = 1000,
		       .body = body,
		       .body_bytes = sizeof(body) };
	const struct store_batch *list = &batch;
	enum store_answer         answer = STORE_CONFLICT;

	memset(body, (int)seq, sizeof(body));
	digest_sha256(body, sizeof(body), batch.digest);
	if (!store_append(store, &list, 1, &answer, NULL))
		return false;
	assert_int_equal(answer, STORE_STORED);
	return true;
}

static void
on_batch(void *arg, const struct store_batch *batch)
{
	unsigned *count = arg;

	assert_int_equal(batch->body_bytes, BODY_BYTES);
	(*count)++;
}

static void
skip_agent(void *arg, const struct store_agent *agent)
{
}

static unsigned
count_batches(struct store *store)
{
	unsigned            count = 0;
	struct store_reader reader = {
		.on_agent = skip_agent, .on_batch = on_batch, .arg = &count
	};
	struct err err;

	if (!store_load(store, &reader, &err))
		fail_msg("%s", err.text);
	return count;
}

/* To the last byte. */
static void
fill_disk(void)
{
	static const uint8_t bytes[4096];
	int                  fd = open(filler, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	size_t               count = sizeof(bytes);

	assert_true(fd >= 0);
	while (count > 0) {
		if (write(fd, bytes, count) < 0)
			count /= 2;
	}
	close(fd);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static struct store *
open_store(void)
{
	struct err    err;
	struct store *store = store_open(url, false, &err);

	if (store == NULL)
		fail_msg("%s", err.text);
	return store;
}

static void
test_full(void **state)
{
	struct store *store;
	struct err    err;
	uint32_t      seq = 0, first = 0;
	size_t        removed;

	if (!ours)
		skip();
	store = open_store();
	assert_true(is_there(reserve));
	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned before;

		while (append(store, seq))
			seq++;
		fill_disk();
		assert_false(append(store, seq));
		/* What is new does not get at the room for deleting. */
		assert_true(is_there(reserve));
		before = count_batches(store);
		assert_int_equal(before, seq - first);
		if (!store_expire(store, 1000 + first + 20, 100, &removed, &err))
			fail_msg("round %u: %s", round, err.text);
		assert_true(removed >= 20);
		first += 20;
		assert_int_equal(count_batches(store), before - 20);
		assert_true(append(store, seq));
		seq++;
		/* As soon as there is room it is set aside again. */
		unlink(filler);
		for (int i = 0; i < CHUNKS; i++, first += CHUNK) {
			if (!store_expire(store, 1000 + first + CHUNK, CHUNK, &removed, &err))
				fail_msg("round %u: %s", round, err.text);
		}
		for (int i = 0; i < 60 && !is_there(reserve); i++)
			assert_true(store_expire(store, 0, 100, &removed, &err));
		assert_true(is_there(reserve));
	}
	store_close(store);
}

/* A collector that starts while its disk is full shows what it has. */
static void
test_opened_full(void **state)
{
	struct store *store;
	unsigned      before;

	if (!ours)
		skip();
	store = open_store();
	before = count_batches(store);
	assert_true(is_there(reserve));
	store_close(store);
	fill_disk();
	store = open_store();
	assert_int_equal(count_batches(store), before);
	assert_false(is_there(reserve));
	store_close(store);
	unlink(filler);
}

static int
setup(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/plprobe-full-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(url, sizeof(url), "sqlite:%s/store.db", folder);
	snprintf(filler, sizeof(filler), "%s/filler", folder);
	snprintf(reserve, sizeof(reserve), "%s/store.db.reserve", folder);
	ours = unshare(CLONE_NEWNS) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("store", folder, "tmpfs", 0, "size=64m") == 0;
	if (!ours)
		print_message("left out: no disk of our own: %s\n", strerror(errno));
	return 0;
}

static int
teardown(void **state)
{
	if (ours)
		umount2(folder, MNT_DETACH);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_opened_full),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
