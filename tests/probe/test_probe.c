#include "probe/probe.h"

#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 20, LIMIT_MS = 5000, SHORT_MS = 60 };

/* Many probes on one loop, against one peer. */
struct crowd;

struct member {
	struct crowd   *crowd;
	struct probe   *probe; /* NULL when over or cancelled */
	struct endpoint endpoint;
	unsigned        overs;
};

struct crowd {
	struct loop   *loop;
	struct arena  *arena;
	struct probes *probes;
	struct member  members[MANY];
	struct addr    peer;
	unsigned       begun, ended; /* policy asked; on_over() called */
	unsigned       most;         /* begun and not ended, at the worst moment */
	unsigned       wanted;       /* the loop stops when so many ended */
	bool           starting;     /* inside probe_start() */
	struct member *kills;        /* cancelled from the next on_over() */
	bool           repeats;      /* start the same again from on_over() */
};

static bool
note_begin(void *arg, const struct addr *peer)
{
	struct crowd *crowd = arg;

	assert_false(crowd->starting);
	crowd->begun++;
	if (crowd->begun - crowd->ended > crowd->most)
		crowd->most = crowd->begun - crowd->ended;
	return true;
}

static void start(struct member *member, int64_t limit_ms);

static void
note_over(void *arg)
{
	struct member *member = arg;
	struct crowd  *crowd = member->crowd;

	assert_false(crowd->starting);
	assert_non_null(member->probe);
	member->probe = NULL;
	member->overs++;
	crowd->ended++;
	if (crowd->kills != NULL) {
		probe_cancel(crowd->kills->probe);
		crowd->kills->probe = NULL;
		crowd->kills = NULL;
	}
	if (crowd->repeats && crowd->ended < crowd->wanted)
		start(member, LIMIT_MS);
	if (crowd->ended == crowd->wanted)
		loop_stop(crowd->loop);
}

static void
start(struct member *member, int64_t limit_ms)
{
	struct crowd    *crowd = member->crowd;
	struct probe_ask ask = { .kind = "tcp",
		.peer = crowd->peer,
		.limit_ms = limit_ms,
		.arena = crowd->arena,
		.endpoint = &member->endpoint,
		.on_over = note_over,
		.arg = member };

	crowd->starting = true;
	member->probe = probe_start(crowd->probes, &ask);
	crowd->starting = false;
	assert_non_null(member->probe);
}

static void
open_crowd(struct crowd *crowd, struct addr peer, unsigned in_flight_max)
{
	struct probe_options options = { .clock = clock_system(),
		.in_flight_max = in_flight_max,
		.allows = note_begin,
		.allows_arg = crowd };
	struct err           err;

	memset(crowd, 0, sizeof(*crowd));
	crowd->peer = peer;
	crowd->loop = options.loop = loop_new(&err);
	crowd->arena = arena_new();
	crowd->probes = probes_new(&options, &err);
	assert_non_null(crowd->probes);
	for (size_t i = 0; i < MANY; i++)
		crowd->members[i].crowd = crowd;
}

static void
close_crowd(struct crowd *crowd)
{
	unsigned ended = crowd->ended;

	probes_free(crowd->probes);
	loop_run_once(crowd->loop, false);
	loop_run_once(crowd->loop, false);
	assert_int_equal(crowd->ended, ended); /* freeing calls nobody back */
	loop_free(crowd->loop);
	arena_free(crowd->arena);
}

static void
test_each_calls_back_once(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct crowd         crowd;

	open_crowd(&crowd, support_peer_addr(peer), 0);
	for (size_t i = 0; i < MANY; i++)
		start(&crowd.members[i], LIMIT_MS);
	assert_int_equal(crowd.begun, 0);
	crowd.wanted = MANY;
	loop_run(crowd.loop);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(crowd.members[i].overs, 1);
		assert_int_equal(crowd.members[i].endpoint.tcp, OUTCOME_OK);
	}
	close_crowd(&crowd);
	support_peer_stop(peer);
}

/* All that may run do run side by side, and no more.  The limit of a probe counts from when it
 * runs: who waits in line loses nothing. */
static void
test_in_flight_limit(void **state)
{
	static const unsigned limits[] = { 1, 3, 6 };
	struct support_peer  *peer = support_peer_start_full();

	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		int64_t      start_us = clock_mono_us(clock_system()), least_us;
		struct crowd crowd;

		open_crowd(&crowd, support_peer_addr(peer), limits[k]);
		for (size_t i = 0; i < 6; i++)
			start(&crowd.members[i], SHORT_MS);
		crowd.wanted = 6;
		loop_run(crowd.loop);
		assert_int_equal(crowd.begun, 6);
		assert_int_equal(crowd.most, limits[k]);
		for (size_t i = 0; i < 6; i++)
			assert_int_equal(crowd.members[i].endpoint.tcp, OUTCOME_TIMEOUT);
		least_us = (int64_t)(6 / limits[k]) * SHORT_MS * US_PER_MS;
		assert_in_range(
		    clock_mono_us(clock_system()) - start_us, least_us, least_us + 500000);
		close_crowd(&crowd);
	}
	support_peer_stop(peer);
}

static void
test_in_order(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct crowd         crowd;

	open_crowd(&crowd, support_peer_addr(peer), 1);
	for (size_t i = 0; i < MANY; i++)
		start(&crowd.members[i], LIMIT_MS);
	for (size_t i = 0; i < MANY; i++) {
		crowd.wanted = (unsigned)i + 1;
		loop_run(crowd.loop);
		for (size_t j = 0; j < MANY; j++)
			assert_int_equal(crowd.members[j].overs, j <= i ? 1 : 0);
	}
	close_crowd(&crowd);
	support_peer_stop(peer);
}

/* Cancels one after so many rounds of the loop: waiting, opening, connecting. */
static void
test_cancel_at_every_point(void **state)
{
	struct support_peer *peer = support_peer_start_full();

	for (unsigned rounds = 0; rounds < 6; rounds++) {
		struct crowd crowd;

		open_crowd(&crowd, support_peer_addr(peer), 2);
		for (size_t i = 0; i < 4; i++)
			start(&crowd.members[i], SHORT_MS);
		for (unsigned i = 0; i < rounds; i++)
			loop_run_once(crowd.loop, true);
		for (size_t i = 0; i < 4; i += 3) {
			probe_cancel(crowd.members[i].probe);
			crowd.members[i].probe = NULL;
		}
		crowd.wanted = crowd.ended + (crowd.members[1].probe != NULL) +
		    (crowd.members[2].probe != NULL);
		if (crowd.wanted > crowd.ended)
			loop_run(crowd.loop);
		assert_int_equal(crowd.members[1].overs, 1);
		assert_int_equal(crowd.members[2].overs, 1);
		close_crowd(&crowd);
	}
	support_peer_stop(peer);
	probe_cancel(NULL);
}

/* One that ends cancels one that runs, and one that waits. */
static void
test_cancel_another_from_on_over(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);

	for (size_t victim = 1; victim < 4; victim++) {
		struct crowd crowd;

		open_crowd(&crowd, support_peer_addr(peer), 2);
		for (size_t i = 0; i < 5; i++)
			start(&crowd.members[i], LIMIT_MS);
		crowd.kills = &crowd.members[victim];
		crowd.wanted = 4;
		/* The victim may be the first to end; then it cancels itself, which is nothing. */
		loop_run(crowd.loop);
		assert_int_equal(crowd.ended, 4);
		close_crowd(&crowd);
	}
	support_peer_stop(peer);
}

static void
test_start_from_on_over(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct crowd         crowd;

	open_crowd(&crowd, support_peer_addr(peer), 1);
	crowd.repeats = true;
	crowd.wanted = 10;
	start(&crowd.members[0], LIMIT_MS);
	loop_run(crowd.loop);
	assert_int_equal(crowd.members[0].overs, 10);
	assert_int_equal(crowd.most, 1);
	close_crowd(&crowd);
	support_peer_stop(peer);
}

static void
test_free_with_probes_left(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);

	for (unsigned rounds = 0; rounds < 4; rounds++) {
		struct crowd crowd;

		open_crowd(&crowd, support_peer_addr(peer), 2);
		for (size_t i = 0; i < 6; i++)
			start(&crowd.members[i], LIMIT_MS);
		for (unsigned i = 0; i < rounds; i++)
			loop_run_once(crowd.loop, true);
		close_crowd(&crowd);
	}
	support_peer_stop(peer);
	probes_free(NULL);
}

static void
test_bad_ca_file(void **state)
{
	static const char *const paths[] = { "/nonexistent/ca.pem", "/dev/null",
		"/etc/passwd" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct probe_options options = { .clock = clock_system(), .ca_file = paths[i] };
		struct err           err = { ERR_NONE, "" };

		options.loop = loop_new(&err);
		assert_null(probes_new(&options, &err));
		assert_non_null(strstr(err.text, paths[i]));
		loop_free(options.loop);
	}
}

/* A kind that keeps its own order, and ends when it is told to. */
static struct probe *asides[3];
static unsigned      asides_begun, asides_cancelled;

static void *
start_aside(struct probe *probe, void *shared)
{
	asides[asides_begun++] = probe;
	return probe;
}

static void
cancel_aside(void *run)
{
	asides_cancelled++;
}

static const struct probe_kind aside = {
	.name = "aside", .own_line = true, .start = start_aside, .cancel = cancel_aside
};

static void
note_aside_over(void *arg)
{
	++*(unsigned *)arg;
}

static struct probe *
add_aside(struct crowd *crowd, unsigned *overs)
{
	return probe_start(crowd->probes,
	    &(struct probe_ask){ .kind = "aside",
	        .limit_ms = LIMIT_MS,
	        .arena = crowd->arena,
	        .on_over = note_aside_over,
	        .arg = overs });
}

/* All that can happen without waiting. */
static void
settle(struct crowd *crowd)
{
	for (unsigned i = 0; i < 6; i++)
		loop_run_once(crowd->loop, false);
}

/* It runs whatever waits in line, takes nobody's place there, and gives none when it ends. */
static void
test_own_line(void **state)
{
	const struct probe_kind *kinds[] = { probe_kind_find("tcp"), &aside, NULL };
	struct support_peer     *peer = support_peer_start_full();
	struct probe_options     options = { .clock = clock_system(),
		    .in_flight_max = 1,
		    .allows = note_begin,
		    .kinds = kinds };
	struct crowd             crowd;
	struct probe            *waiting;
	unsigned                 overs = 0;

	open_crowd(&crowd, support_peer_addr(peer), 1);
	probes_free(crowd.probes);
	options.loop = crowd.loop;
	options.allows_arg = &crowd;
	crowd.probes = probes_new(&options, NULL);
	for (size_t i = 0; i < 3; i++)
		start(&crowd.members[i], 5 * SHORT_MS);
	add_aside(&crowd, &overs);
	add_aside(&crowd, &overs);
	waiting = add_aside(&crowd, &overs);
	probe_cancel(waiting);
	assert_int_equal(asides_begun, 0);
	settle(&crowd);
	assert_int_equal(asides_begun, 2);
	assert_int_equal(asides_cancelled, 0); /* what never began needs no end */
	assert_int_equal(crowd.begun, 1);
	probe_over(asides[0]);
	assert_int_equal(overs, 1);
	settle(&crowd);
	assert_int_equal(crowd.begun, 1);
	probe_cancel(asides[1]);
	assert_int_equal(asides_cancelled, 1);
	settle(&crowd);
	assert_int_equal(crowd.begun, 1);
	crowd.wanted = 3;
	loop_run(crowd.loop);
	assert_int_equal(crowd.most, 1);
	assert_int_equal(overs, 1);
	add_aside(&crowd, &overs); /* left in line when all are freed */
	close_crowd(&crowd);
	support_peer_stop(peer);
}

static void
test_registry(void **state)
{
	assert_string_equal(probe_kind_find("tcp")->name, "tcp");
	assert_string_equal(probe_kind_find("tls")->name, "tls");
	assert_string_equal(probe_kind_find("rntbd")->name, "rntbd");
	assert_null(probe_kind_find("skeleton"));
	assert_null(probe_kind_find(""));
	for (size_t i = 0; probe_kinds[i] != NULL; i++) {
		/* No name twice: the second would never be found. */
		assert_ptr_equal(probe_kind_find(probe_kinds[i]->name), probe_kinds[i]);
		assert_non_null(probe_kinds[i]->start);
		assert_non_null(probe_kinds[i]->cancel);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_calls_back_once),
		cmocka_unit_test(test_in_flight_limit),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_cancel_at_every_point),
		cmocka_unit_test(test_cancel_another_from_on_over),
		cmocka_unit_test(test_start_from_on_over),
		cmocka_unit_test(test_free_with_probes_left),
		cmocka_unit_test(test_bad_ca_file),
		cmocka_unit_test(test_own_line),
		cmocka_unit_test(test_registry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
