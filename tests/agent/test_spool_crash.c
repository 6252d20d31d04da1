/* The spool against a disk that loses power at every instant, in every way, and against one whose
 * calls fail: what the spool promises (agent/spool.h) is counted in what a collector gets.
 *
 * A few plays that are the same with every seed, then random scenarios; and before each call that changes the disk all states that a power cut may
 * leave; from each of them the real recovery, and the judge.  SEED and STATES (how many to judge)
 * are taken from the environment and printed.
 */
#include "agent/spool.h"
#include "base/arena.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/agent/disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum {
	RECORDS = 64,
	BATCHES = 256,
	GAPS = 256,
	STEPS = 26,
	CUTS = 400,
	CUTS_OF_FAILING = 24,
	SEEN = 1 << 16
};
enum { FLUSH_MS = 1000, SEAL_MS = 60000 };

static struct clock_hand hand;
static unsigned          seed;
static char              failing[96]; /* which call fails, and how */
static uint64_t          random_state;

/* What was tried, of all tests. */
static struct {
	unsigned long scenarios, cuts, judged, kills, failures, promised, found, declared,
	    repeats;
} told;

static unsigned
draw(unsigned below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (unsigned)(random_state >> 33) % below;
}

/* A collector: what agents/ingest and store do with identities, and nothing else. */
struct collector {
	struct {
		uint64_t epoch;
		uint32_t seq, sum;
	} batches[BATCHES];
	struct {
		uint64_t epoch;
		uint32_t first_seq, last_seq;
		bool     moved;
	} gaps[GAPS];
	size_t   batch_count, gap_count;
	unsigned counts[RECORDS]; /* how often each record is stored */
	uint64_t declared;        /* lost, as the gaps say */
	unsigned conflicts, repeats;
};

/* An agent's life: one spool after the other on one disk. */
struct world {
	struct disk         *disk;
	struct spool        *spool;
	struct spool_options options;
	struct collector     collector;
	unsigned             appended;          /* whose append has returned */
	bool                 promised[RECORDS]; /* against a power cut */
	bool                 written[RECORDS];  /* against a kill */
	bool                 frail[RECORDS];    /* was in memory alone when it was appended */
	bool                 bounded, sound;    /* drops for want of room; no call has failed */
	bool                 restarts;          /* an orderly end may be a step */
	bool                 uncounted;         /* damage may hide how many records it took */
	uint64_t            *seen;              /* sums of states that were judged */
	size_t               cuts_each;         /* at one instant, at most */
	const char          *instant;
};

static struct spool *
open_spool(const struct spool_options *options)
{
	struct err    err;
	struct spool *spool = spool_open(options, &err);

	if (spool == NULL)
		fail_msg("SEED=%u: %s", seed, err.text);
	return spool;
}

static void
append_number(struct spool *spool, unsigned number)
{
	char               text[8];
	struct measurement seen = { .detail = text, .started_ms = 1000 + number };
	struct wbuf        out;

	snprintf(text, sizeof(text), "%u", number);
	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .measurement = &seen }, &out);
	spool_append(spool, out.bytes, out.count);
	wbuf_fini(&out);
}

/* The collector. */

static void
take_gap(struct collector *collector, const struct gap *gap)
{
	bool moved = strcmp(gap->reason, GAP_MOVED) == 0;

	assert_true(collector->gap_count < GAPS);
	collector->gaps[collector->gap_count].epoch = gap->epoch;
	collector->gaps[collector->gap_count].first_seq = gap->first_seq;
	collector->gaps[collector->gap_count].last_seq = gap->last_seq;
	collector->gaps[collector->gap_count++].moved = moved;
	collector->declared += gap->records;
}

static void
take_records(struct collector *collector, const struct batch *batch)
{
	for (size_t i = 0; i < batch->records_count; i++) {
		const struct record *record = &batch->records[i];
		unsigned             number;

		if (record->gap != NULL) {
			take_gap(collector, record->gap);
			continue;
		}
		number = (unsigned)strtoul(record->measurement->detail, NULL, 10);
		if (number >= RECORDS || record->measurement->started_ms != 1000 + number)
			fail_msg("SEED=%u: a record that nobody made", seed);
		collector->counts[number]++;
	}
}

static bool
has_moved(const struct collector *collector, const struct spool_batch *batch)
{
	for (size_t i = 0; i < collector->gap_count; i++) {
		if (collector->gaps[i].moved && collector->gaps[i].epoch == batch->epoch &&
		    collector->gaps[i].first_seq <= batch->seq &&
		    collector->gaps[i].last_seq >= batch->seq)
			return true;
	}
	return false;
}

enum answer { STORED, DUPLICATE, CONFLICT };

static enum answer
store(struct collector *collector, const struct spool_batch *batch, const struct wbuf *records)
{
	uint32_t      sum = crc32c(batch->records, records->bytes, records->count);
	struct arena *arena;
	struct wbuf   whole;
	struct batch *decoded;

	if (has_moved(collector, batch))
		return DUPLICATE;
	for (size_t i = 0; i < collector->batch_count; i++) {
		if (collector->batches[i].epoch == batch->epoch &&
		    collector->batches[i].seq == batch->seq)
			return collector->batches[i].sum == sum ? DUPLICATE : CONFLICT;
	}
	assert_true(collector->batch_count < BATCHES);
	collector->batches[collector->batch_count].epoch = batch->epoch;
	collector->batches[collector->batch_count].seq = batch->seq;
	collector->batches[collector->batch_count++].sum = sum;
	arena = arena_new();
	wbuf_init(&whole);
	encode_batch_of(
	    &(struct batch){ .v = 1 }, records->bytes, records->count, batch->records, &whole);
	decoded = decode_message(&batch_desc, arena, whole.bytes, whole.count, NULL);
	assert_non_null(decoded);
	take_records(collector, decoded);
	wbuf_fini(&whole);
	arena_free(arena);
	return STORED;
}

/* Sends one batch; false when there is none that can be sent now. */
static bool
send_one(struct spool *spool, struct collector *collector, const struct spool_batch *which,
    bool answer_comes)
{
	struct spool_batch copy;
	struct wbuf        records;
	enum spool_load    loaded;
	enum answer        answer;

	if (which == NULL)
		return false;
	copy = *which;
	wbuf_init(&records);
	loaded = spool_load(spool, &copy, &records);
	if (loaded == SPOOL_LOADED) {
		answer = store(collector, &copy, &records);
		collector->repeats += answer == DUPLICATE;
		collector->conflicts += answer == CONFLICT && !copy.salvaged;
		if (answer == CONFLICT && answer_comes)
			spool_conflicted(spool, copy.epoch, copy.seq);
		else if (answer_comes)
			spool_delivered(spool, copy.epoch, copy.seq);
	}
	wbuf_fini(&records);
	return loaded != SPOOL_LATER;
}

static void
drain(struct spool *spool, struct collector *collector)
{
	for (int i = 0; i < 3; i++) { /* what is sent may declare something */
		spool_seal(spool);
		while (send_one(spool, collector, spool_oldest(spool), true))
			;
	}
	assert_null(spool_oldest(spool));
}

/* The judge. */

static void
judge(struct world *world, const struct collector *got, const bool *owed)
{
	unsigned stored = 0, missing = 0;

	for (unsigned i = 0; i < RECORDS; i++) {
		if (got->counts[i] > 1)
			fail_msg("SEED=%u: %s%s: record %u is stored %u times", seed, failing,
			    world->instant, i, got->counts[i]);
		if (got->counts[i] > 0 && i > world->appended)
			fail_msg("SEED=%u: %s%s: record %u was never made", seed, failing,
			    world->instant, i);
		stored += got->counts[i];
		missing += owed[i] && got->counts[i] == 0;
		told.promised += owed[i];
		told.found += owed[i] && got->counts[i] > 0;
	}
	told.declared += missing;
	told.repeats += got->repeats;
	if (missing > (world->uncounted && got->declared > 0 ? RECORDS : got->declared) ||
	    (missing > 0 && !world->bounded && world->sound))
		fail_msg("SEED=%u: %s%s: %u promised records are missing, %u are declared lost",
		    seed, failing, world->instant, missing, (unsigned)got->declared);
	if (got->conflicts > 0)
		fail_msg("SEED=%u: %s%s: the same number with other content", seed, failing,
		    world->instant);
	if (!world->bounded && world->sound && stored + got->declared > world->appended + 1)
		fail_msg("SEED=%u: %s%s: %u stored and %u declared lost, of %u", seed, failing,
		    world->instant, stored, (unsigned)got->declared, world->appended);
}

/* The next start, on what a crash has left, until all has been delivered. */
static void
judge_disk(struct world *world, struct disk *left, const bool *owed)
{
	struct collector *got = mem_alloc(sizeof(*got));
	struct spool     *spool;

	*got = world->collector;
	got->conflicts = got->repeats = 0;
	disk_insert(left);
	spool = open_spool(&world->options);
	drain(spool, got);
	spool_close(spool);
	disk_insert(world->disk);
	judge(world, got, owed);
	free(got);
}

static void
on_cut(void *arg, struct disk *left)
{
	struct world *world = arg;
	uint64_t      sum = disk_sum(left) + world->appended;
	uint64_t     *slot = &world->seen[sum % SEEN];

	told.cuts++;
	if (*slot == sum)
		return; /* judged already, of the same promises or fewer */
	*slot = sum;
	told.judged++;
	world->instant = "after a power cut";
	judge_disk(world, left, world->promised);
}

static void
forget_seen(struct world *world)
{
	memset(world->seen, 0, SEEN * sizeof(*world->seen));
}

static void
on_change(void *arg)
{
	struct world *world = arg;
	struct disk  *left;

	disk_cuts(world->disk, world->cuts_each, draw, on_cut, world);
	left = disk_copy(world->disk);
	world->instant = "after a kill";
	judge_disk(world, left, world->written);
	disk_free(left);
	told.kills++;
}

/* Scenarios. */

static void
keep_promise(struct world *world, bool *promises, unsigned upto)
{
	if (spool_stats(world->spool).degraded)
		return;
	for (unsigned i = 0; i < upto; i++)
		promises[i] = promises[i] || !world->frail[i];
	forget_seen(world);
}

static void
step_append(struct world *world)
{
	if (world->appended == RECORDS - 1)
		return;
	append_number(world->spool, world->appended);
	world->appended++;
	keep_promise(world, world->written, world->appended);
	if (world->options.flush_ms == 0)
		keep_promise(world, world->promised, world->appended);
}

static void
step_flush(struct world *world)
{
	clock_hand_wind(&hand, FLUSH_MS * US_PER_MS);
	spool_tick(world->spool);
	keep_promise(world, world->promised, world->appended);
}

static void
step_seal(struct world *world)
{
	clock_hand_wind(&hand, SEAL_MS * US_PER_MS);
	spool_tick(world->spool);
	keep_promise(world, world->promised, world->appended);
}

static void
step_restart(struct world *world)
{
	spool_close(world->spool);
	world->spool = open_spool(&world->options);
	/* What a failing disk did not let the new one read, it did not sync. */
	for (unsigned i = 0; !world->sound && i < world->appended; i++)
		world->frail[i] = !world->promised[i];
}

/* One letter of a play. */
static void
act(struct world *world, char letter)
{
	switch (letter) {
	case 'a': step_append(world); break;
	case 'f': step_flush(world); break;
	case 's': step_seal(world); break;
	case 'o':
		send_one(world->spool, &world->collector, spool_oldest(world->spool), true);
		break;
	case 'n':
		send_one(world->spool, &world->collector, spool_newest(world->spool), true);
		break;
	case 'l': /* the answer is lost */
		send_one(world->spool, &world->collector, spool_oldest(world->spool), false);
		break;
	case 'r':
		if (world->restarts)
			step_restart(world);
		break;
	default: fail_msg("'%c' is no step", letter);
	}
	for (unsigned i = 0; spool_stats(world->spool).degraded && i < world->appended; i++)
		world->frail[i] = !world->promised[i];
	/* The bound and one segment, which is somewhat larger than what it is sealed at. */
	if (world->sound &&
	    disk_bytes(world->disk, ".seg") >
	        (size_t)world->options.limit_bytes + 2 * world->options.seal_bytes)
		fail_msg("SEED=%u: more on the disk than spool_limit", seed);
}

static char
draw_step(void)
{
	unsigned what = draw(100);

	return what < 45 ? 'a'
	    : what < 57  ? 'f'
	    : what < 67  ? 's'
	    : what < 82  ? 'o'
	    : what < 88  ? 'n'
	    : what < 95  ? 'l'
	                 : 'r';
}

static struct world *
new_world(bool bounded, int64_t flush_ms, size_t seal_bytes)
{
	struct world *world = mem_alloc(sizeof(*world));

	world->disk = disk_new();
	world->cuts_each = CUTS;
	world->seen = mem_array(SEEN, sizeof(*world->seen));
	world->bounded = bounded;
	world->sound = world->restarts = true;
	world->options = (struct spool_options){ .dir = "spool",
		.agent = "test",
		.clock = &hand.clock,
		.limit_bytes = 1 << 20,
		.age_ms = 7 * MS_PER_DAY,
		.flush_ms = flush_ms,
		.seal_age_ms = SEAL_MS,
		.seal_bytes = seal_bytes };
	if (world->bounded) {
		world->options.limit_bytes = (int64_t)world->options.seal_bytes + 300;
		world->options.files_max = 3;
	}
	disk_insert(world->disk);
	world->spool = open_spool(&world->options);
	told.scenarios++;
	return world;
}

static struct world *
draw_world(bool bounded)
{
	int64_t flush_ms = draw(4) == 0 ? 0 : FLUSH_MS;

	return new_world(bounded, flush_ms, 100 + draw(200));
}

static void
free_world(struct world *world)
{
	disk_insert(world->disk);
	spool_close(world->spool);
	disk_free(world->disk);
	free(world->seen);
	free(world);
}

/* All that is still there is delivered; then each record is stored once or declared. */
static void
finish(struct world *world)
{
	uint64_t stored = 0;

	disk_watch(world->disk, NULL, NULL);
	disk_heal(world->disk);
	drain(world->spool, &world->collector);
	for (unsigned i = 0; i < RECORDS; i++)
		stored += world->collector.counts[i] > 0;
	world->instant = "at the end";
	world->collector.conflicts = 0;
	judge(world, &world->collector, world->promised);
	if (stored + world->collector.declared < world->appended &&
	    !(world->uncounted && world->collector.declared > 0))
		fail_msg("SEED=%u: %s: %u were appended, %u are stored and %u declared lost",
		    seed, failing, world->appended, (unsigned)stored,
		    (unsigned)world->collector.declared);
}

static size_t
from_environment(const char *name, size_t preset)
{
	const char *text = getenv(name);

	return text != NULL && text[0] != '\0' ? strtoull(text, NULL, 10) : preset;
}

/* A power cut, and a kill, before each call that changes the disk. */
static void
test_every_cut(void **state)
{
	size_t states = from_environment("STATES", 10000), before = told.judged;

	/* Until each thing that is promised has been put to the test. */
	while (told.judged - before < states ||
	    (states > 0 && (told.declared == 0 || told.repeats == 0))) {
		struct world *world = draw_world(told.scenarios % 4 == 0);

		disk_watch(world->disk, on_change, world);
		for (unsigned i = 0; i < STEPS; i++)
			act(world, draw_step());
		finish(world);
		free_world(world);
		seed++;
		random_state = seed;
	}
}

static const int causes[] = { EIO, ENOSPC, EROFS, EMFILE };

/* What the at-th call does, and how the world ends. */
struct failure {
	unsigned at;
	bool     for_ever;
	int      cause;
	bool cuts; /* a kill or power cut with the failure still there; else the disk heals */
};

/* One life in which a call fails, and from there on all do when it is for ever.  How many calls
 * there were. */
static unsigned
run_failing(
    struct world *world, const char *name, const char *steps, const struct failure *failure)
{
	unsigned calls;

	snprintf(failing, sizeof(failing), "%s, call %u%s: %s, ", name, failure->at,
	    failure->for_ever ? " and all after it" : "", strerror(failure->cause));
	world->sound = false;
	world->uncounted = world->bounded; /* a gap record may itself be what cannot be read */
	world->restarts = failure->cuts;   /* what is in memory does not survive one */
	disk_fail(world->disk, failure->at, failure->for_ever, failure->cause);
	world->cuts_each = CUTS_OF_FAILING;
	for (; *steps != '\0'; steps++) {
		act(world, *steps);
		if (failure->cuts && failure->cause == EIO &&
		    disk_calls(world->disk) > failure->at)
			on_change(world);
	}
	calls = disk_calls(world->disk);
	disk_heal(world->disk);
	if (failure->cuts)
		on_change(world);
	else
		finish(world);
	told.failures++;
	free_world(world);
	failing[0] = '\0';
	return calls;
}

/* A drawn one.  The same for the same scenario. */
static unsigned
run_scenario(unsigned scenario, const struct failure *failure)
{
	char          name[32], steps[STEPS + 1] = "";
	struct world *world;

	snprintf(name, sizeof(name), "scenario %u", scenario);
	random_state = scenario;
	world = draw_world(scenario % 2 == 1);
	for (unsigned i = 0; i < STEPS; i++)
		steps[i] = draw_step();
	return run_failing(world, name, steps, failure);
}

static void
test_every_failure(void **state)
{
	size_t scenarios = from_environment("FAILURES", 1);

	for (unsigned i = 0; i < scenarios; i++) {
		unsigned calls = run_scenario(
		    seed + i, &(struct failure){ UINT32_MAX, false, EIO, false });

		for (unsigned at = 0; at < calls; at++) {
			for (size_t j = 0; j < sizeof(causes) / sizeof(causes[0]); j++) {
				struct failure failure = { at, false, causes[j], false };

				run_scenario(seed + i, &failure);
				failure.for_ever = true;
				run_scenario(seed + i, &failure);
				failure.for_ever = draw(2) == 0;
				failure.cuts = true;
				run_scenario(seed + i, &failure);
			}
		}
	}
	seed += (unsigned)scenarios;
}

/* Lives that have to be tried whatever the seed is: see act() for the letters. */
static const struct play {
	const char *name, *steps;
	bool        bounded;
} plays[] = {
	{ "drops for want of room", "asasasasasasfas", true },
	{ "drops while answers are lost", "aslaslasnasasasl", true },
	{ "one file, synced thrice", "afaafafs", false },
	{ "sent twice, and found again", "aaslafrloaafro", false },
};

static struct world *
new_play(const struct play *play)
{
	random_state = 1;
	return new_world(play->bounded, FLUSH_MS, 400);
}

static void
test_plays_cut(void **state)
{
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++) {
		struct world *world = new_play(&plays[i]);

		snprintf(failing, sizeof(failing), "%s, ", plays[i].name);
		disk_watch(world->disk, on_change, world);
		for (const char *letter = plays[i].steps; *letter != '\0'; letter++)
			act(world, *letter);
		finish(world);
		free_world(world);
		failing[0] = '\0';
	}
}

static void
fail_play(const struct play *play)
{
	unsigned calls = run_failing(new_play(play), play->name, play->steps,
	    &(struct failure){ UINT32_MAX, false, EIO, false });

	for (unsigned at = 0; at < calls; at++) {
		for (unsigned i = 0; i < 4 * sizeof(causes) / sizeof(causes[0]); i++)
			run_failing(new_play(play), play->name, play->steps,
			    &(struct failure){ at, i % 2 == 1, causes[i / 4], i % 4 > 1 });
	}
}

static void
test_plays_fail(void **state)
{
	for (size_t i = 0; i < sizeof(plays) / sizeof(plays[0]); i++)
		fail_play(&plays[i]);
}

/* What would be delivered after a kill now is owed after a power cut as well. */
static void
owe_what_is_found(struct world *world)
{
	struct disk      *left = disk_copy(world->disk);
	struct collector *got = mem_alloc(sizeof(*got));
	struct spool     *spool;

	disk_insert(left);
	spool = open_spool(&world->options);
	drain(spool, got);
	spool_close(spool);
	disk_insert(world->disk);
	disk_free(left);
	for (unsigned i = 0; i < RECORDS; i++)
		world->promised[i] = got->counts[i] > 0;
	free(got);
}

/* A call fails, the agent is killed, and the next one finds the file: what it takes from there is
 * promised again, also where the cache has it and the disk does not. */
static unsigned
run_found_again(unsigned at)
{
	struct world *world = new_world(false, FLUSH_MS, 400);
	unsigned      calls;

	snprintf(failing, sizeof(failing), "call %u failed, and a restart: ", at);
	disk_fail(world->disk, at, false, EIO);
	for (const char *letter = "aaf"; *letter != '\0'; letter++)
		act(world, *letter);
	calls = disk_calls(world->disk);
	disk_heal(world->disk);
	spool_close(world->spool);
	world->spool = open_spool(&world->options);
	owe_what_is_found(world);
	memset(world->written, 0, sizeof(world->written));
	on_change(world);
	free_world(world);
	failing[0] = '\0';
	return calls;
}

static void
test_found_again(void **state)
{
	unsigned calls = run_found_again(UINT32_MAX);

	assert_true(calls > 0);
	for (unsigned at = 0; at < calls; at++)
		run_found_again(at);
}

/* One flipped bit at any place of any file, found at the next start. */
static void
test_every_flip(void **state)
{
	for (unsigned scenario = 0; scenario < 8; scenario++) {
		struct world *world;

		random_state = seed++;
		world = draw_world(false);
		for (unsigned i = 0; i < STEPS; i++)
			act(world, draw_step());
		world->sound = false;
		for (int sealed = 0; sealed < 2; sealed++) {
			const char *ending = sealed != 0 ? ".seg" : ".open";

			world->uncounted = sealed == 0; /* no name says how many it holds */
			for (size_t at = 0; at < disk_bytes(world->disk, ending); at++) {
				struct disk *left = disk_copy(world->disk);

				world->instant = "after a flipped bit";
				if (disk_flip(left, ending, at, (unsigned)at % 8))
					judge_disk(world, left, world->written);
				disk_free(left);
			}
		}
		disk_insert(world->disk);
		finish(world);
		free_world(world);
	}
}

static int
setup(void **state)
{
	log_open("test", getenv("TALK") != NULL ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    LOG_FORMAT_LOGFMT);
	clock_hand_init(&hand, 1700000000000);
	seed = (unsigned)from_environment("SEED", (size_t)time(NULL) % 1000000);
	random_state = seed;
	print_message("SEED=%u\n", seed);
	return 0;
}

static int
teardown(void **state)
{
	print_message(
	    "%lu scenarios; %lu power cuts of which %lu differ, %lu kills, %lu failing "
	    "disks: %lu results promised, %lu found, %lu declared lost, %lu repeats "
	    "recognised; 0 lost, 0 twice\n",
	    told.scenarios, told.cuts, told.judged, told.kills, told.failures, told.promised,
	    told.found, told.declared, told.repeats);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plays_cut),
		cmocka_unit_test(test_plays_fail),
		cmocka_unit_test(test_found_again),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_failure),
		cmocka_unit_test(test_every_flip),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
