/* The writer over a store that can be held, and that fails in named ways. */
#include "collector/writer.h"

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One group may be with the store while the queue fills behind it. */
enum { BATCHES = WRITER_JOBS_MAX + WRITER_GROUP_MAX + 1 };

/* A store that waits at a gate, and refuses each group that holds the batch `poison`. */
struct gated {
	struct store    store;
	pthread_mutex_t lock;
	pthread_cond_t  open;
	bool            closed;
	uint32_t        poison;
	unsigned        appends, puts, largest;
	int64_t         seen_ms; /* of the last finding that was put */
	bool            mixed_up;
};

static bool
append_gated(struct store *store, const struct store_batch *const *batches, size_t count,
    enum store_answer *answers, struct err *err)
{
	struct gated *gated = (struct gated *)store;

	pthread_mutex_lock(&gated->lock);
	while (gated->closed)
		pthread_cond_wait(&gated->open, &gated->lock);
	gated->appends++;
	if (count > gated->largest)
		gated->largest = (unsigned)count;
	pthread_mutex_unlock(&gated->lock);
	for (size_t i = 0; i < count; i++) {
		if (batches[i]->seq == gated->poison)
			return err_set(err, ERR_STORE, "poison");
		answers[i] = STORE_STORED;
	}
	return true;
}

static bool
put_gated(
    struct store *store, const struct store_finding *findings, size_t count, struct err *err)
{
	struct gated *gated = (struct gated *)store;

	gated->puts++;
	for (size_t i = 0; i < count; i++) {
		gated->mixed_up |= findings[i].last_seen_ms <= gated->seen_ms;
		gated->seen_ms = findings[i].last_seen_ms;
	}
	return true;
}

static const struct store_ops gated_ops = {
	.scheme = "gated", .append = append_gated, .put = put_gated
};

struct fixture {
	struct gated       gated;
	struct loop       *loop;
	struct writer     *writer;
	struct store_batch batches[BATCHES];
	unsigned           outcomes[WRITER_FAILED + 1], over, troubles;
};

static void
on_trouble(void *arg, const struct err *err)
{
	((struct fixture *)arg)->troubles++;
}

static void
on_over(void *arg, enum writer_outcome outcome)
{
	struct fixture *fixture = arg;

	fixture->outcomes[outcome]++;
	fixture->over++;
}

static struct fixture *
make_fixture(bool closed)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));
	struct err      err;

	fixture->gated.store.ops = &gated_ops;
	fixture->gated.closed = closed;
	pthread_mutex_init(&fixture->gated.lock, NULL);
	pthread_cond_init(&fixture->gated.open, NULL);
	for (uint32_t i = 0; i < BATCHES; i++)
		fixture->batches[i] = (struct store_batch){ .agent = "a", .seq = i + 1 };
	fixture->loop = loop_new(&err);
	fixture->writer = writer_new(
	    fixture->loop, &fixture->gated.store, on_trouble, fixture, &err);
	assert_non_null(fixture->writer);
	return fixture;
}

static void
open_gate(struct fixture *fixture)
{
	pthread_mutex_lock(&fixture->gated.lock);
	fixture->gated.closed = false;
	pthread_cond_signal(&fixture->gated.open);
	pthread_mutex_unlock(&fixture->gated.lock);
}

static void
wait_over(struct fixture *fixture, unsigned count)
{
	while (fixture->over < count)
		loop_run_once(fixture->loop, true);
}

static void
free_fixture(struct fixture *fixture)
{
	writer_free(fixture->writer);
	loop_free(fixture->loop);
	free(fixture);
}

/* What waits while a commit runs goes into the next one together. */
static void
test_groups(void **state)
{
	struct fixture *fixture = make_fixture(true);

	for (int i = 0; i < 200; i++)
		assert_true(
		    writer_append(fixture->writer, &fixture->batches[i], on_over, fixture));
	assert_int_equal(fixture->over, 0); /* never from inside */
	open_gate(fixture);
	wait_over(fixture, 200);
	assert_int_equal(fixture->outcomes[WRITER_STORED], 200);
	assert_true(fixture->gated.appends <= 6);
	assert_int_equal(fixture->gated.largest, WRITER_GROUP_MAX);
	assert_int_equal(writer_counts(fixture->writer).stored, 200);
	assert_int_equal(writer_counts(fixture->writer).queued_jobs, 0);
	free_fixture(fixture);
}

static void
test_full(void **state)
{
	struct fixture *fixture = make_fixture(true);
	unsigned        taken = 0;

	while (taken < BATCHES &&
	    writer_append(fixture->writer, &fixture->batches[taken], on_over, fixture))
		taken++;
	assert_in_range(taken, WRITER_JOBS_MAX, WRITER_JOBS_MAX + WRITER_GROUP_MAX);
	assert_true(writer_is_full(fixture->writer));
	assert_in_range(writer_wait_s(fixture->writer), 1, 60);
	open_gate(fixture);
	wait_over(fixture, taken);
	assert_false(writer_is_full(fixture->writer));
	free_fixture(fixture);
}

static void
test_full_of_bytes(void **state)
{
	struct fixture *fixture = make_fixture(true);
	unsigned        taken = 0;

	for (int i = 0; i < BATCHES; i++)
		fixture->batches[i].body_bytes = WRITER_BYTES_MAX / 8;
	while (taken < BATCHES &&
	    writer_append(fixture->writer, &fixture->batches[taken], on_over, fixture))
		taken++;
	assert_in_range(taken, 8, 8 + WRITER_GROUP_MAX);
	open_gate(fixture);
	wait_over(fixture, taken);
	assert_int_equal(writer_counts(fixture->writer).queued_bytes, 0);
	free_fixture(fixture);
}

static void
test_poison_fails_alone(void **state)
{
	struct fixture *fixture = make_fixture(true);

	fixture->gated.poison = 7;
	for (int i = 0; i < 20; i++)
		assert_true(
		    writer_append(fixture->writer, &fixture->batches[i], on_over, fixture));
	open_gate(fixture);
	wait_over(fixture, 20);
	assert_int_equal(fixture->outcomes[WRITER_FAILED], 1);
	assert_int_equal(fixture->outcomes[WRITER_STORED], 19);
	assert_true(fixture->troubles >= 1);
	assert_int_equal(writer_counts(fixture->writer).stored, 19);
	free_fixture(fixture);
}

static void
put_one(struct fixture *fixture, int64_t seen_ms)
{
	struct arena         *arena = arena_new();
	struct store_finding *finding = arena_alloc(arena, sizeof(*finding));

	finding->last_seen_ms = seen_ms;
	writer_put(fixture->writer, arena, finding, 1);
}

/* Findings between batches cut no group short, and keep their own order. */
static void
test_mixed(void **state)
{
	struct fixture *fixture = make_fixture(true);

	for (int i = 0; i < 200; i++) {
		assert_true(
		    writer_append(fixture->writer, &fixture->batches[i], on_over, fixture));
		put_one(fixture, i + 1);
	}
	open_gate(fixture);
	wait_over(fixture, 200);
	writer_free(fixture->writer);
	fixture->writer = NULL;
	assert_int_equal(fixture->outcomes[WRITER_STORED], 200);
	assert_true(fixture->gated.appends <= 6);
	assert_true(fixture->gated.puts <= 6);
	assert_int_equal(fixture->gated.seen_ms, 200);
	assert_false(fixture->gated.mixed_up);
	free_fixture(fixture);
}

/* The end does all that is queued and tells it. */
static void
test_drains(void **state)
{
	struct fixture *fixture = make_fixture(true);

	for (int i = 0; i < 100; i++)
		assert_true(
		    writer_append(fixture->writer, &fixture->batches[i], on_over, fixture));
	writer_put(fixture->writer, arena_new(), NULL, 0);
	open_gate(fixture);
	writer_free(fixture->writer);
	fixture->writer = NULL;
	assert_int_equal(fixture->over, 100);
	assert_int_equal(fixture->outcomes[WRITER_STORED], 100);
	assert_int_equal(fixture->gated.puts, 1);
	free_fixture(fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_full_of_bytes),
		cmocka_unit_test(test_poison_fails_alone),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_drains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
