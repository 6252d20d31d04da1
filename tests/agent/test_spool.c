#include "agent/spool.h"
#include "agent/segment.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rcur.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_dir.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static struct clock_hand hand;

static struct spool_options
options_in(const char *dir)
{
	return (struct spool_options){ .dir = dir,
		.agent = "test",
		.clock = &hand.clock,
		.limit_bytes = 64 << 20,
		.age_ms = 7 * MS_PER_DAY,
		.flush_ms = 1000,
		.seal_age_ms = 60000 };
}

static struct spool *
open_with(const struct spool_options *options)
{
	struct err    err;
	struct spool *spool = spool_open(options, &err);

	if (spool == NULL)
		fail_msg("%s", err.text);
	return spool;
}

static struct spool *
open_in(const char *dir)
{
	struct spool_options options = options_in(dir);

	return open_with(&options);
}

/* A record that says which it is: a measurement whose detail is the number. */
static void
append_number(struct spool *spool, unsigned number)
{
	char               text[16];
	struct measurement seen = { .detail = text, .started_ms = 1000 + number };
	struct wbuf        out;

	snprintf(text, sizeof(text), "%u", number);
	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .measurement = &seen }, &out);
	spool_append(spool, out.bytes, out.count);
	wbuf_fini(&out);
}

/* All records of a batch, through the very encoding that goes to the collector. */
static struct batch *
load_batch(struct arena *arena, struct spool *spool, const struct spool_batch *which)
{
	struct spool_batch copy = *which;
	struct wbuf        records, whole;
	struct err         err;
	struct batch      *batch = NULL;

	wbuf_init(&records);
	wbuf_init(&whole);
	if (spool_load(spool, &copy, &records) == SPOOL_LOADED) {
		encode_batch_of(&(struct batch){ .v = 1, .epoch = copy.epoch, .seq = copy.seq },
		    records.bytes, records.count, copy.records, &whole);
		batch = decode_message(&batch_desc, arena, whole.bytes, whole.count, &err);
		if (batch == NULL)
			fail_msg("%s", err.text);
	}
	wbuf_fini(&records);
	wbuf_fini(&whole);
	return batch;
}

static unsigned
number_of(const struct record *record)
{
	return (unsigned)strtoul(record->measurement->detail, NULL, 10);
}

/* Takes everything out, oldest first; counts[n] is how often the number n came.  Returns how many
 * records gaps speak of. */
static uint64_t
take_all(struct spool *spool, unsigned *counts, unsigned room)
{
	const struct spool_batch *oldest;
	uint64_t                  missing = 0;

	while ((oldest = spool_oldest(spool)) != NULL) {
		struct arena *arena = arena_new();
		uint64_t      epoch = oldest->epoch;
		uint32_t      seq = oldest->seq;
		struct batch *batch = load_batch(arena, spool, oldest);

		for (size_t i = 0; batch != NULL && i < batch->records_count; i++) {
			if (batch->records[i].gap != NULL)
				missing += batch->records[i].gap->records;
			else if (number_of(&batch->records[i]) < room)
				counts[number_of(&batch->records[i])]++;
		}
		spool_delivered(spool, epoch, seq);
		arena_free(arena);
	}
	return missing;
}

/* The one file that fits the pattern. */
static char *
find_file(const char *dir, const char *pattern)
{
	char  *whole = mem_printf("%s/%s", dir, pattern);
	char  *path;
	glob_t found;

	assert_int_equal(glob(whole, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	path = mem_strdup(found.gl_pathv[0]);
	globfree(&found);
	free(whole);
	return path;
}

static uint64_t
sum_sealed(const char *dir)
{
	char       *pattern = mem_printf("%s/*.seg", dir);
	glob_t      found;
	struct stat facts;
	uint64_t    sum = 0;

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			assert_int_equal(stat(found.gl_pathv[i], &facts), 0);
			sum += (uint64_t)facts.st_size;
		}
		globfree(&found);
	}
	free(pattern);
	return sum;
}

static int
setup(void **state)
{
	log_open("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	clock_hand_init(&hand, 1700000000000);
	*state = support_dir_new();
	return 0;
}

static int
teardown(void **state)
{
	support_dir_free(*state);
	return 0;
}

static void
test_what_goes_in_comes_out(void **state)
{
	struct spool *spool = open_in(*state);
	unsigned      counts[100] = { 0 };

	assert_null(spool_oldest(spool));
	assert_int_equal(spool_wait_ms(spool), -1);
	for (unsigned i = 0; i < 100; i++)
		append_number(spool, i);
	assert_null(spool_oldest(spool)); /* only sealed ones are sent */
	spool_seal(spool);
	assert_int_equal(spool_count(spool), 1);
	assert_int_equal(spool_oldest(spool)->records, 100);
	assert_int_equal(spool_oldest(spool)->seq, 1);
	assert_int_equal(take_all(spool, counts, 100), 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(counts[i], 1);
	assert_int_equal(spool_stats(spool).bytes, 0);
	spool_close(spool);
}

static void
test_seals_by_age_and_by_bytes(void **state)
{
	struct spool_options options = options_in(*state);
	struct spool        *spool;

	options.seal_bytes = 2000;
	spool = open_with(&options);
	append_number(spool, 0);
	assert_int_equal(spool_wait_ms(spool), 1001); /* to the flush */
	clock_hand_wind(&hand, 1000 * US_PER_MS);
	spool_tick(spool);
	assert_int_equal(spool_wait_ms(spool), 59001); /* to the seal */
	clock_hand_wind(&hand, 58999 * US_PER_MS);
	spool_tick(spool);
	assert_int_equal(spool_count(spool), 0);
	clock_hand_wind(&hand, 1 * US_PER_MS);
	spool_tick(spool);
	assert_int_equal(spool_count(spool), 1);
	for (unsigned i = 0; spool_count(spool) < 2 && i < 1000; i++)
		append_number(spool, i);
	assert_int_equal(spool_count(spool), 2);
	assert_in_range(spool_newest(spool)->bytes, 2000, 4000);
	spool_close(spool);
}

static void
test_newest_and_oldest(void **state)
{
	struct spool *spool = open_in(*state);
	uint32_t      first, last;

	for (unsigned i = 0; i < 5; i++) {
		append_number(spool, i);
		spool_seal(spool);
		clock_hand_wind(&hand, US_PER_S);
	}
	first = spool_oldest(spool)->seq;
	last = spool_newest(spool)->seq;
	assert_int_equal(first, 1);
	assert_int_equal(last, 5);
	spool_delivered(spool, spool_newest(spool)->epoch, last);
	assert_int_equal(spool_newest(spool)->seq, 4);
	spool_delivered(spool, 1, 1); /* an id that is not there */
	assert_int_equal(spool_count(spool), 4);
	spool_close(spool);
}

static void
test_one_owner(void **state)
{
	struct spool_options options = options_in(*state);
	struct spool        *spool = open_with(&options);
	struct err           err;

	assert_null(spool_open(&options, &err));
	assert_non_null(strstr(err.text, "another agent"));
	spool_close(spool);
	spool_close(open_with(&options));
}

static void
test_next_start_has_its_own_epoch_and_keeps_the_old(void **state)
{
	struct spool *spool = open_in(*state);
	uint64_t      epoch;
	unsigned      counts[3] = { 0 };

	append_number(spool, 0);
	spool_seal(spool);
	epoch = spool_oldest(spool)->epoch;
	append_number(spool, 1); /* stays open */
	spool_close(spool);

	clock_hand_wind(&hand, US_PER_S);
	spool = open_in(*state);
	assert_int_equal(spool_count(spool), 2);
	assert_true(spool_oldest(spool)->epoch == epoch);
	assert_int_equal(spool_newest(spool)->seq, 2);
	assert_true(spool_newest(spool)->epoch == epoch);
	append_number(spool, 2);
	spool_seal(spool);
	assert_true(spool_newest(spool)->epoch != epoch);
	assert_int_equal(spool_newest(spool)->seq, 1);
	take_all(spool, counts, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(counts[i], 1);
	spool_close(spool);
}

/* A crash may cut the open file anywhere: what is whole before the cut is there, in order. */
static void
test_cut_at_every_byte(void **state)
{
	enum { RECORDS = 6 };
	struct arena *arena = arena_new();
	struct spool *spool = open_in(*state);
	struct err    err;
	size_t        ends[RECORDS + 1], count;
	char         *path, *bytes;

	ends[0] = SEGMENT_HEAD_BYTES;
	for (unsigned i = 0; i < RECORDS; i++) {
		append_number(spool, i);
		ends[i + 1] = spool_stats(spool).bytes;
	}
	spool_close(spool);
	path = find_file(*state, "*.open");
	bytes = file_read(arena, path, 1 << 20, &count, &err);
	assert_non_null(bytes);
	assert_int_equal(count, ends[RECORDS]);
	unlink(path);

	for (size_t cut = 0; cut <= count; cut++) {
		unsigned counts[RECORDS] = { 0 };
		unsigned whole = 0;

		assert_true(file_replace(path, bytes, cut, 0600, &err));
		while (whole < RECORDS && ends[whole + 1] <= cut)
			whole++;
		spool = open_in(*state);
		assert_int_equal(spool_count(spool), whole > 0);
		assert_int_equal(take_all(spool, counts, RECORDS), 0);
		for (unsigned i = 0; i < RECORDS; i++)
			assert_int_equal(counts[i], i < whole);
		/* What is torn was a record, and is declared lost. */
		spool_seal(spool);
		assert_int_equal(take_all(spool, counts, RECORDS),
		    cut > SEGMENT_HEAD_BYTES && cut != ends[whole]);
		spool_close(spool);
	}
	free(path);
	arena_free(arena);
}

/* A torn tail is found and counted; what a power cut has left as zeroes was promised to nobody. */
static void
test_torn_tails(void **state)
{
	static const struct {
		const char *name, *tail;
		size_t      count;
		unsigned    lost;
	} cases[] = {
		{ "nothing", "", 0, 0 },
		{ "zeroes", "\0\0\0\0\0\0\0\0\0\0\0\0", 12, 0 },
		{ "half a frame", "\x05\0\0", 3, 1 },
		{ "one whose sum is wrong", "\x01\0\0\0\1\2\3\4x", 9, 1 },
		{ "two, the last one cut", "\x01\0\0\0\1\2\3\4x\x05\0\0\0\1\2\3\4yy", 19, 2 },
		{ "a length beyond the end", "\xff\xff\xff\xff\1\2\3\4", 8, 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct spool *spool = open_in(*state);
		unsigned      counts[1] = { 0 };
		char         *path;
		int           fd;

		append_number(spool, 0);
		spool_close(spool);
		path = find_file(*state, "*.open");
		fd = open(path, O_WRONLY | O_APPEND);
		assert_int_equal(write(fd, cases[i].tail, cases[i].count), cases[i].count);
		close(fd);
		spool = open_in(*state);
		spool_seal(spool);
		print_message("%s\n", cases[i].name);
		assert_int_equal(spool_stats(spool).dropped, cases[i].lost);
		assert_int_equal(spool_stats(spool).lost[SPOOL_LOST_DAMAGED], cases[i].lost);
		assert_int_equal(take_all(spool, counts, 1), cases[i].lost);
		assert_int_equal(counts[0], 1);
		spool_close(spool);
		free(path);
	}
}

/* The wall clock is set back by a year, and to the future: what was sealed last is the newest all
 * the same, and what goes first when there is no room is what was sealed first. */
static void
test_order_is_not_the_wall_clock(void **state)
{
	struct spool_options options = options_in(*state);
	struct spool        *spool;
	uint32_t             last = 0;

	options.files_max = 4;
	spool = open_with(&options);
	for (unsigned i = 0; i < 8; i++) {
		clock_hand_wind(&hand, US_PER_S);
		hand.epoch_ms += i % 2 == 0 ? -365 * MS_PER_DAY : 366 * MS_PER_DAY;
		append_number(spool, i);
		spool_seal(spool);
		assert_int_equal(spool_newest(spool)->seq, i + 1);
		assert_in_range(spool_age_s(spool, spool_newest(spool)), 0, 1);
	}
	assert_int_equal(spool_oldest(spool)->seq, 5);
	for (size_t left = spool_count(spool); left > 0; left--) {
		assert_true(spool_oldest(spool)->seq > last);
		last = spool_oldest(spool)->seq;
		spool_delivered(spool, spool_oldest(spool)->epoch, last);
	}
	spool_close(spool);
}

/* No descriptor is left: that is no damage, and the batch is there when one is free again. */
static void
test_no_descriptors(void **state)
{
	struct spool      *spool = open_in(*state);
	struct rlimit      limit, none;
	struct spool_batch copy;
	struct wbuf        records;
	unsigned           counts[3] = { 0 };

	append_number(spool, 0);
	spool_seal(spool);
	copy = *spool_oldest(spool);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wbuf_init(&records);
	assert_int_equal(spool_load(spool, &copy, &records), SPOOL_LATER);
	append_number(spool, 1); /* in memory */
	spool_seal(spool);
	assert_true(spool_stats(spool).degraded);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(spool_load(spool, &copy, &records), SPOOL_LOADED);
	wbuf_fini(&records);
	append_number(spool, 2);
	spool_seal(spool);
	assert_int_equal(take_all(spool, counts, 3), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(counts[i], 1);
	assert_false(spool_stats(spool).degraded);
	assert_int_equal(spool_stats(spool).set_aside, 0);
	spool_close(spool);
}

/* The folder is deleted under the agent: what lay there is declared lost, what comes goes into a
 * new folder. */
static void
test_folder_vanishes(void **state)
{
	char         *dir = mem_printf("%s/spool", (char *)*state);
	char         *away = mem_printf("%s/away", (char *)*state);
	struct spool *spool = open_in(dir);
	unsigned      counts[2] = { 0 };

	append_number(spool, 0);
	spool_seal(spool);
	assert_int_equal(rename(dir, away), 0);
	support_dir_free(mem_strdup(away));
	append_number(spool, 1);
	spool_seal(spool);
	assert_false(spool_stats(spool).degraded);
	assert_int_equal(sum_sealed(dir), spool_newest(spool)->bytes);
	take_all(spool, counts, 2);
	assert_int_equal(counts[0], 0);
	assert_int_equal(counts[1], 1);
	spool_seal(spool);
	assert_int_equal(take_all(spool, counts, 2), 1);
	spool_close(spool);
	free(dir);
	free(away);
}

/* A record that would make the batch too large for the collector begins a new one. */
static void
test_large_record(void **state)
{
	struct spool      *spool = open_in(*state);
	char              *text = mem_alloc(200 << 10);
	struct measurement seen = { .detail = text };
	struct wbuf        out;

	memset(text, 'x', (200 << 10) - 1);
	for (unsigned i = 0; i < 600; i++)
		append_number(spool, i);
	assert_int_equal(spool_count(spool), 0);
	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .measurement = &seen }, &out);
	spool_append(spool, out.bytes, out.count);
	wbuf_fini(&out);
	assert_int_equal(spool_count(spool), 2);
	assert_int_equal(spool_oldest(spool)->records, 600);
	assert_int_equal(spool_newest(spool)->records, 1);
	spool_close(spool);
	free(text);
}

/* One flipped bit, anywhere in a sealed file: every record that comes out is one that went in,
 * the rest is declared, and the other batches are as they were. */
static void
test_flip_at_every_byte(void **state)
{
	enum { RECORDS = 4 };
	struct arena *arena = arena_new();
	struct spool *spool = open_in(*state);
	struct err    err;
	size_t        count;
	char         *path, *bytes;

	for (unsigned i = 0; i < RECORDS; i++)
		append_number(spool, i);
	spool_seal(spool);
	spool_close(spool);
	path = find_file(*state, "*.seg");
	bytes = file_read(arena, path, 1 << 20, &count, &err);
	assert_non_null(bytes);

	for (size_t at = 0; at < count; at++) {
		unsigned counts[RECORDS + 2] = { 0 };
		unsigned came = 0;
		uint64_t missing;

		bytes[at] ^= (char)(1 << at % 8);
		assert_true(file_replace(path, bytes, count, 0600, &err));
		bytes[at] ^= (char)(1 << at % 8);
		spool = open_in(*state);
		append_number(spool, RECORDS);
		spool_seal(spool);
		missing = take_all(spool, counts, RECORDS + 2);
		spool_seal(spool); /* the gap record */
		missing += take_all(spool, counts, RECORDS + 2);
		for (unsigned i = 0; i < RECORDS; i++) {
			assert_in_range(counts[i], 0, 1);
			came += counts[i];
		}
		assert_int_equal(came + missing, RECORDS);
		assert_true(missing > 0);
		assert_int_equal(counts[RECORDS], 1);
		assert_int_equal(counts[RECORDS + 1], 0);
		spool_close(spool);
	}
	free(path);
	arena_free(arena);
}

static void
test_salvaged_batch_that_the_collector_has(void **state)
{
	struct spool      *spool = open_in(*state);
	struct spool_batch copy;
	struct wbuf        records;
	char              *path;
	int                fd;

	append_number(spool, 0);
	append_number(spool, 1);
	spool_seal(spool);
	copy = *spool_oldest(spool);
	path = find_file(*state, "*.seg");
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)copy.bytes - 1), 1);
	close(fd);
	for (int starts = 0; starts < 2; starts++) { /* the next one knows it too */
		wbuf_init(&records);
		assert_int_equal(spool_load(spool, &copy, &records), SPOOL_LOADED);
		wbuf_fini(&records);
		assert_int_equal(copy.records, 1);
		assert_true(copy.salvaged);
		spool_close(spool);
		spool = open_in(*state);
	}
	wbuf_init(&records);
	assert_int_equal(spool_load(spool, &copy, &records), SPOOL_LOADED);
	wbuf_fini(&records);
	/* It keeps its id; a conflict says that the whole is stored already. */
	assert_int_equal(copy.seq, 1);
	spool_conflicted(spool, copy.epoch, copy.seq);
	assert_null(spool_find(spool, copy.epoch, copy.seq));
	assert_int_equal(spool_stats(spool).conflicts, 0);
	free(path);
	spool_close(spool);
}

static void
test_rejected_is_set_aside_and_declared(void **state)
{
	struct spool *spool = open_in(*state);
	char         *bad = mem_printf("%s/bad", (char *)*state);
	unsigned      counts[1] = { 0 };

	for (unsigned i = 0; i < 12; i++) {
		append_number(spool, i);
		spool_seal(spool);
		spool_rejected(spool, spool_oldest(spool)->epoch, spool_oldest(spool)->seq);
	}
	spool_seal(spool);
	assert_int_equal(support_dir_count(bad), 8);
	assert_int_equal(spool_stats(spool).set_aside, 12);
	assert_true(take_all(spool, counts, 1) > 0);
	free(bad);
	spool_close(spool);
}

static void
test_expired_is_declared(void **state)
{
	struct spool *spool = open_in(*state);
	unsigned      counts[2] = { 0 };

	append_number(spool, 0);
	append_number(spool, 1);
	spool_seal(spool);
	spool_expired(spool, spool_oldest(spool)->epoch, spool_oldest(spool)->seq);
	assert_null(spool_oldest(spool));
	spool_seal(spool);
	assert_int_equal(take_all(spool, counts, 2), 2);
	assert_int_equal(counts[0] + counts[1], 0);
	spool_close(spool);
}

/* A machine that was cloned: the same number with other results.  They get a new number, once,
 * and survive a restart under it. */
static void
test_conflict_gets_a_new_id(void **state)
{
	struct spool *spool = open_in(*state);
	uint64_t      epoch;
	unsigned      counts[3] = { 0 };

	append_number(spool, 0);
	spool_seal(spool);
	append_number(spool, 1);
	spool_seal(spool);
	append_number(spool, 2);
	epoch = spool_oldest(spool)->epoch;
	spool_conflicted(spool, epoch, 1);
	assert_int_equal(spool_stats(spool).conflicts, 1);
	assert_null(spool_find(spool, epoch, 1));
	assert_non_null(spool_find(spool, epoch, 2));
	assert_int_equal(
	    spool_count(spool), 3); /* the open one was sealed under the old epoch */
	spool_close(spool);
	spool = open_in(*state);
	assert_int_equal(take_all(spool, counts, 3), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(counts[i], 1);
	spool_close(spool);
}

/* The instant between the two renames of a new id: the header counts, not the name. */
static void
test_name_of_another_id(void **state)
{
	struct spool *spool = open_in(*state);
	char         *path, *other;
	uint64_t      epoch;
	unsigned      counts[1] = { 0 };

	append_number(spool, 0);
	spool_seal(spool);
	epoch = spool_oldest(spool)->epoch;
	spool_close(spool);
	path = find_file(*state, "*.seg");
	other = mem_printf("%s/00000000000000aa-00000007.1.seg", (char *)*state);
	assert_int_equal(rename(path, other), 0);
	spool = open_in(*state);
	assert_int_equal(spool_count(spool), 1);
	assert_true(spool_oldest(spool)->epoch == epoch);
	assert_int_equal(take_all(spool, counts, 1), 0);
	assert_int_equal(counts[0], 1);
	free(path);
	free(other);
	spool_close(spool);
}

/* Every record is there or declared missing, and the bound holds at every moment. */
static void
test_bytes_are_bounded(void **state)
{
	enum { RECORDS = 3000 };
	struct spool_options options = options_in(*state);
	unsigned             counts[RECORDS] = { 0 };
	struct spool        *spool;
	uint64_t             came = 0, missing;

	options.limit_bytes = 20000;
	options.seal_bytes = 1000;
	spool = open_with(&options);
	for (unsigned i = 0; i < RECORDS; i++) {
		append_number(spool, i);
		clock_hand_wind(&hand, US_PER_MS);
		if (i % 100 == 0)
			assert_in_range(sum_sealed(*state), 0, 20000);
	}
	spool_seal(spool);
	assert_true(spool_stats(spool).dropped > 0);
	assert_int_equal(spool_stats(spool).lost[SPOOL_LOST_BYTES], spool_stats(spool).dropped);
	missing = take_all(spool, counts, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++)
		came += counts[i];
	assert_int_equal(counts[RECORDS - 1], 1); /* the newest stay */
	assert_int_equal(counts[0], 0);
	/* Gap records that were dropped themselves have been carried into later ones. */
	assert_int_equal(came + missing, RECORDS);
	spool_close(spool);
}

static void
test_files_and_age_are_bounded(void **state)
{
	struct spool_options options = options_in(*state);
	struct spool        *spool;

	options.files_max = 10;
	spool = open_with(&options);
	for (unsigned i = 0; i < 30; i++) {
		append_number(spool, i);
		spool_seal(spool);
		clock_hand_wind(&hand, US_PER_S);
	}
	assert_in_range(spool_count(spool), 9, 10);
	clock_hand_wind(&hand, 8 * MS_PER_DAY * US_PER_MS);
	append_number(spool, 0);
	spool_seal(spool);
	assert_int_equal(spool_count(spool), 1);
	/* A clock that jumps by years is no age. */
	clock_hand_wind(&hand, 3650 * MS_PER_DAY * US_PER_MS);
	append_number(spool, 1);
	spool_seal(spool);
	assert_int_equal(spool_count(spool), 2);
	spool_close(spool);
}

/* A disk that takes nothing: results go on in memory, are sent from there, and the disk is used
 * again when it can be. */
static void
test_goes_on_in_memory(void **state)
{
	char         *above = mem_printf("%s/above", (char *)*state);
	char         *dir = mem_printf("%s/spool", above);
	struct spool *spool;
	unsigned      counts[300] = { 0 };

	/* The folder is gone from under it, with the one above: it cannot be made again. */
	assert_int_equal(mkdir(above, 0700), 0);
	spool = open_in(dir);
	support_dir_free(mem_strdup(above));
	append_number(spool, 0);
	append_number(spool, 1);
	spool_seal(spool);
	assert_true(spool_stats(spool).degraded);
	assert_int_equal(spool_count(spool), 1);
	assert_non_null(spool_oldest(spool)->memory);
	take_all(spool, counts, 2);
	assert_int_equal(counts[0], 1);
	assert_int_equal(counts[1], 1);
	/* Bounded: 1 MiB of what nobody takes. */
	for (unsigned i = 0; i < 150000; i++)
		append_number(spool, i % 300);
	assert_in_range(spool_stats(spool).bytes, 900000, (1 << 20) + (64 << 10) + 1000);
	assert_true(spool_stats(spool).dropped > 0);
	assert_int_equal(spool_stats(spool).lost[SPOOL_LOST_DISK], spool_stats(spool).dropped);
	/* When it is there again, so is the spool. */
	assert_int_equal(mkdir(above, 0700), 0);
	spool_seal(spool);
	append_number(spool, 0);
	spool_seal(spool);
	assert_null(spool_newest(spool)->memory);
	spool_close(spool);
	free(dir);
	free(above);
}

/* What a record must survive: a kill at any instant after spool_append() has returned. */
enum { ROUNDS = 60, ROUND_MOST = 5000 };

struct shared {
	_Atomic unsigned appended[ROUNDS];
};

static void
write_for_ever(const char *dir, _Atomic unsigned *appended, unsigned from)
{
	struct spool_options options = options_in(dir);
	struct spool        *spool;

	options.clock = clock_system();
	options.seal_bytes = 700;
	spool = open_with(&options);
	for (unsigned i = 0; i < ROUND_MOST; i++) {
		append_number(spool, from + i);
		*appended = i + 1;
	}
	for (;;)
		pause();
}

static unsigned
random_below(unsigned limit)
{
	unsigned bits;

	digest_random(&bits, sizeof(bits));
	return bits % limit;
}

static void
test_killed_at_random(void **state)
{
	struct shared *shared = mmap(
	    NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned     *counts = mem_array(ROUNDS * ROUND_MOST, sizeof(*counts));
	unsigned      tried = 0;
	struct spool *spool;

	for (unsigned round = 0; round < ROUNDS; round++) {
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0)
			write_for_ever(*state, &shared->appended[round], round * ROUND_MOST);
		usleep(5000 + random_below(60000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	spool = open_in(*state);
	assert_int_equal(take_all(spool, counts, ROUNDS * ROUND_MOST), 0);
	for (unsigned i = 0; i < ROUNDS * ROUND_MOST; i++) {
		unsigned appended = shared->appended[i / ROUND_MOST];
		unsigned number = i % ROUND_MOST;

		tried += number < appended;
		/* The one at the kill may be there: appended, and not yet counted. */
		assert_in_range(counts[i], number < appended, number <= appended);
	}
	assert_true(tried > ROUNDS); /* else nothing was tried */
	spool_close(spool);
	free(counts);
	munmap(shared, sizeof(*shared));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_goes_in_comes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_seals_by_age_and_by_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest_and_oldest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_next_start_has_its_own_epoch_and_keeps_the_old, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_at_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_tails, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_order_is_not_the_wall_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_large_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flip_at_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_salvaged_batch_that_the_collector_has, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_rejected_is_set_aside_and_declared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expired_is_declared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_gets_a_new_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_name_of_another_id, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_files_and_age_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_goes_on_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_at_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
