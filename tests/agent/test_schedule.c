#include "agent/schedule.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NAMES = 20, INTERVAL_MS = 60000 };

static const int64_t interval_us = INTERVAL_MS * US_PER_MS;

static struct target
target_named(const char *host)
{
	return (struct target){ .account = "contoso", .host = host, .region = "", .port = 443 };
}

static void
fill(struct target *targets, char (*hosts)[64], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		snprintf(hosts[i], sizeof(hosts[i]), "contoso-region%u.documents.azure.com", i);
		targets[i] = target_named(hosts[i]);
	}
}

/* Runs everything that comes due, at once, until the time is over; starts[] in order. */
static unsigned
run_until(
    struct schedule *schedule, int64_t *now_us, int64_t end_us, int64_t *starts, unsigned room)
{
	unsigned count = 0;

	for (;;) {
		int64_t     wait_us = schedule_wait_us(schedule, *now_us);
		struct job *job;

		if (wait_us < 0 || *now_us + wait_us > end_us)
			return count;
		*now_us += wait_us;
		job = schedule_take(schedule, *now_us);
		assert_non_null(job);
		if (count < room)
			starts[count] = *now_us;
		count++;
		schedule_done(schedule, job);
	}
}

static void
test_first_soon_then_once_an_interval(void **state)
{
	struct schedule *schedule = schedule_new("agent");
	struct target    targets[NAMES];
	char             hosts[NAMES][64];
	int64_t          now_us = 1000 * US_PER_S, from_us = now_us;
	int64_t          starts[NAMES * 20];

	assert_int_equal(schedule_wait_us(schedule, now_us), -1);
	assert_null(schedule_take(schedule, now_us));
	fill(targets, hosts, NAMES);
	schedule_set(schedule, targets, NAMES, INTERVAL_MS, now_us);
	assert_int_equal(schedule_count(schedule), NAMES);
	/* All once within the first 10 s. */
	assert_int_equal(
	    run_until(schedule, &now_us, from_us + 10 * US_PER_S, starts, NAMES * 20), NAMES);
	/* Then each of them once in each interval; the first gap is half to one and a half. */
	now_us = from_us + 10 * US_PER_S;
	assert_in_range(
	    run_until(schedule, &now_us, from_us + 100 * US_PER_S, starts, NAMES * 20), NAMES,
	    2 * NAMES);
	from_us = now_us = from_us + 100 * US_PER_S;
	assert_int_equal(
	    run_until(schedule, &now_us, from_us + 10 * interval_us - 1, starts, NAMES * 20),
	    10 * NAMES);
	schedule_free(schedule);
}

/* One name on 10000 agents that start at the same instant, and 10000 names on one: no second of
 * the minute has more than twice its share, nor at the start. */
static void
check_spread(const int64_t *times, unsigned count, int64_t span_us, unsigned bins)
{
	unsigned *counts = calloc(bins, sizeof(*counts));

	assert_non_null(counts);
	for (unsigned i = 0; i < count; i++)
		counts[times[i] % span_us * bins / span_us]++;
	for (unsigned i = 0; i < bins; i++)
		assert_in_range(counts[i], count / bins / 2, count / bins * 2);
	free(counts);
}

static void
test_a_fleet_is_spread(void **state)
{
	enum { AGENTS = 10000 };
	static int64_t first[AGENTS], later[AGENTS];
	struct target  target = target_named("contoso.documents.azure.com");
	char           agent[32];

	for (unsigned i = 0; i < AGENTS; i++) {
		struct schedule *schedule;
		struct job      *job;
		int64_t          now_us = 0;

		snprintf(agent, sizeof(agent), "vm-%u", i);
		schedule = schedule_new(agent);
		schedule_set(schedule, &target, 1, INTERVAL_MS, now_us);
		first[i] = now_us = schedule_wait_us(schedule, now_us);
		job = schedule_take(schedule, now_us);
		assert_non_null(job);
		schedule_done(schedule, job);
		later[i] = now_us + schedule_wait_us(schedule, now_us);
		assert_in_range(later[i] - first[i], interval_us / 2, interval_us * 3 / 2);
		schedule_free(schedule);
	}
	check_spread(first, AGENTS, 10 * US_PER_S, 10);
	check_spread(later, AGENTS, interval_us, 60);
}

static void
test_names_are_spread(void **state)
{
	enum { COUNT = 4000 };
	static struct target targets[COUNT];
	static char          hosts[COUNT][64];
	static int64_t       starts[COUNT];
	struct schedule     *schedule = schedule_new("agent");
	int64_t              now_us = 0;

	fill(targets, hosts, COUNT);
	schedule_set(schedule, targets, COUNT, INTERVAL_MS, now_us);
	run_until(schedule, &now_us, 100 * US_PER_S, starts, 0);
	now_us = 100 * US_PER_S;
	assert_int_equal(
	    run_until(schedule, &now_us, 160 * US_PER_S - 1, starts, COUNT), COUNT);
	check_spread(starts, COUNT, interval_us, 30);
	schedule_free(schedule);
}

static void
test_same_agent_same_place(void **state)
{
	struct target target = target_named("contoso.documents.azure.com");
	int64_t       waits[2];

	for (unsigned i = 0; i < 2; i++) {
		struct schedule *schedule = schedule_new("agent");

		schedule_set(schedule, &target, 1, INTERVAL_MS, 0);
		waits[i] = schedule_wait_us(schedule, 0);
		schedule_free(schedule);
	}
	assert_int_equal(waits[0], waits[1]);
}

static void
test_running_is_not_started_again(void **state)
{
	struct schedule *schedule = schedule_new("agent");
	struct target    target = target_named("contoso.documents.azure.com");
	int64_t          now_us = 0;
	struct job      *job;

	schedule_set(schedule, &target, 1, INTERVAL_MS, now_us);
	now_us += schedule_wait_us(schedule, now_us);
	job = schedule_take(schedule, now_us);
	assert_non_null(job);
	assert_int_equal(schedule_wait_us(schedule, now_us), -1);
	now_us += 10 * interval_us;
	assert_null(schedule_take(schedule, now_us));
	schedule_done(schedule, job);
	/* Its turns meanwhile are lost, but for one that is late. */
	job = schedule_take(schedule, now_us);
	assert_non_null(job);
	schedule_done(schedule, job);
	assert_null(schedule_take(schedule, now_us));
	assert_true(schedule_wait_us(schedule, now_us) >= interval_us / 2);
	schedule_free(schedule);
}

/* What is still assigned keeps its turn; what is running goes on; what is gone ends. */
static void
test_new_assignment(void **state)
{
	struct schedule *schedule = schedule_new("agent");
	struct target    targets[4];
	char             hosts[4][64];
	int64_t          now_us = 0, wait_us;
	struct job      *job;

	fill(targets, hosts, 4);
	schedule_set(schedule, targets, 1, INTERVAL_MS, now_us);
	wait_us = schedule_wait_us(schedule, now_us);
	schedule_set(schedule, targets, 1, INTERVAL_MS, now_us + 1000);
	assert_int_equal(schedule_wait_us(schedule, now_us), wait_us);

	now_us += wait_us;
	job = schedule_take(schedule, now_us);
	assert_non_null(job);
	schedule_set(schedule, targets + 1, 3, INTERVAL_MS, now_us);
	assert_true(job->gone);
	assert_string_equal(job->target->host, hosts[0]); /* still there while it runs */
	assert_int_equal(schedule_count(schedule), 3);
	schedule_set(schedule, targets, 4, INTERVAL_MS, now_us); /* and back again */
	assert_int_equal(schedule_count(schedule), 4);
	schedule_done(schedule, job);
	assert_int_equal(schedule_count(schedule), 4);
	schedule_set(schedule, NULL, 0, INTERVAL_MS, now_us);
	assert_int_equal(schedule_count(schedule), 0);
	assert_int_equal(schedule_wait_us(schedule, now_us), -1);
	schedule_free(schedule);
}

static void
test_own_interval(void **state)
{
	struct schedule *schedule = schedule_new("agent");
	struct target    target = target_named("contoso.documents.azure.com");
	int64_t          now_us = 0, starts[100];

	target.interval_ms = 5000;
	schedule_set(schedule, &target, 1, INTERVAL_MS, now_us);
	assert_in_range(schedule_wait_us(schedule, now_us), 0, 5 * US_PER_S);
	run_until(schedule, &now_us, 20 * US_PER_S, starts, 100);
	now_us = 20 * US_PER_S;
	assert_int_equal(run_until(schedule, &now_us, 70 * US_PER_S - 1, starts, 100), 10);
	schedule_free(schedule);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_soon_then_once_an_interval),
		cmocka_unit_test(test_a_fleet_is_spread),
		cmocka_unit_test(test_names_are_spread),
		cmocka_unit_test(test_same_agent_same_place),
		cmocka_unit_test(test_running_is_not_started_again),
		cmocka_unit_test(test_new_assignment),
		cmocka_unit_test(test_own_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
