#include "base/loop.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t short_us = 20 * US_PER_MS;

struct seen {
	struct loop *loop;
	unsigned     what, calls;
	int64_t      at_us;
};

static void
on_event(void *arg, unsigned what)
{
	struct seen *seen = arg;

	seen->what |= what;
	seen->calls++;
	seen->at_us = clock_mono_us(clock_system());
	loop_stop(seen->loop);
}

struct fixture {
	struct loop *loop;
	int          pair[2];
};

static int
begin(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct err      err;

	fixture->loop = loop_new(&err);
	*state = fixture;
	return fixture->loop == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fixture->pair) != 0;
}

static int
end(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->pair[0]);
	close(fixture->pair[1]);
	loop_free(fixture->loop);
	free(fixture);
	return 0;
}

/* Never early, not even by the part of a millisecond that epoll's own clock would lose. */
static void
test_timer(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch watch;

	loop_watch_init(&watch, fixture->loop, on_event, &seen);
	for (int round = 0; round < 10; round++) {
		int64_t begun_us = clock_mono_us(clock_system());

		loop_watch_set(&watch, -1, 0, short_us + round * 137);
		loop_run(fixture->loop);
		assert_true(seen.at_us - begun_us >= short_us + round * 137);
	}
	assert_int_equal(seen.what, LOOP_TIMEOUT);
	assert_int_equal(seen.calls, 10);
	loop_watch_fini(&watch);
}

static void
test_descriptor(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch watch;

	loop_watch_init(&watch, fixture->loop, on_event, &seen);
	loop_watch_set(&watch, fixture->pair[0], LOOP_READ | LOOP_WRITE, -1);
	loop_run(fixture->loop);
	assert_int_equal(seen.what, LOOP_WRITE);
	seen.what = 0;
	assert_int_equal(write(fixture->pair[1], "x", 1), 1);
	loop_watch_set(&watch, fixture->pair[0], LOOP_READ, 10 * US_PER_S);
	loop_run(fixture->loop);
	assert_int_equal(seen.what, LOOP_READ);
	loop_watch_fini(&watch);
}

/* One wait is one call, whether the time or the descriptor came first. */
static void
test_waits_once(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch watch;

	loop_watch_init(&watch, fixture->loop, on_event, &seen);
	loop_watch_set(&watch, fixture->pair[0], LOOP_READ, short_us);
	loop_run(fixture->loop);
	assert_int_equal(seen.what, LOOP_TIMEOUT);
	assert_int_equal(write(fixture->pair[1], "x", 1), 1);
	loop_run_once(fixture->loop, false);
	assert_int_equal(seen.calls, 1);
	loop_watch_fini(&watch);
}

static void
test_stop_and_replace(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       stopped = { .loop = fixture->loop };
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch one, other;

	loop_watch_init(&one, fixture->loop, on_event, &stopped);
	loop_watch_init(&other, fixture->loop, on_event, &seen);
	loop_watch_set(&one, -1, 0, 0);
	loop_watch_stop(&one);
	loop_watch_set(&other, -1, 0, 0);
	loop_watch_set(&other, -1, 0, short_us); /* instead of at once */
	loop_run(fixture->loop);
	assert_int_equal(stopped.calls, 0);
	assert_int_equal(seen.calls, 1);
	loop_watch_set(&one, -1, 0, 0); /* may be set again */
	loop_run(fixture->loop);
	assert_int_equal(stopped.calls, 1);
	loop_watch_fini(&one);
	loop_watch_fini(&one); /* twice is fine */
	loop_watch_fini(&other);
}

static void
on_signal(void *arg)
{
	on_event(arg, LOOP_READ);
}

static void
test_signal(void **state)
{
	struct fixture *fixture = *state;
	struct seen     seen = { .loop = fixture->loop };
	struct err      err;

	assert_true(loop_signal(fixture->loop, SIGUSR1, on_signal, &seen, &err));
	for (unsigned round = 1; round <= 2; round++) {
		raise(SIGUSR1);
		loop_run(fixture->loop);
		assert_int_equal(seen.calls, round);
	}
}

static void
test_signals_are_bounded(void **state)
{
	struct fixture *fixture = *state;
	struct err      err;
	unsigned        count = 0;

	while (count < 20 &&
	    loop_signal(fixture->loop, SIGRTMIN + (int)count, on_signal, NULL, &err))
		count++;
	assert_int_equal(count, 8);
	assert_int_equal(err.kind, ERR_LIMIT);
}

/* A child that goes on with the loop after fork() has events of its own. */
static void
test_fork(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch watch;
	int               status;
	pid_t             child;

	loop_watch_init(&watch, fixture->loop, on_event, &seen);
	child = fork();
	if (child == 0) {
		struct err err;

		if (!loop_reinit(fixture->loop, &err))
			_exit(1);
		loop_watch_set(&watch, -1, 0, short_us);
		loop_run(fixture->loop);
		_exit(seen.calls == 1 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	loop_watch_fini(&watch);
}

static void
on_late(void *arg, unsigned what)
{
	usleep(700000); /* the beat that comes every 500 ms has to wait */
}

static void
test_lag(void **state)
{
	struct fixture   *fixture = *state;
	struct seen       seen = { .loop = fixture->loop };
	struct loop_watch late, last;
	int64_t           lag_us;

	loop_watch_init(&late, fixture->loop, on_late, NULL);
	loop_watch_init(&last, fixture->loop, on_event, &seen);
	loop_watch_set(&late, -1, 0, 0);
	loop_watch_set(&last, -1, 0, 900 * US_PER_MS);
	loop_run(fixture->loop);
	lag_us = loop_lag_us(fixture->loop);
	assert_true(lag_us >= 150 * US_PER_MS);
	assert_true(loop_lag_us(fixture->loop) == 0); /* since the last call */
	loop_watch_fini(&late);
	loop_watch_fini(&last);
}

enum { CROWD = 1000 };

struct crowd {
	struct loop_watch watches[CROWD], bell;
	int               out; /* rings the bell */
	struct loop_watch last;
	unsigned          called, before_bell, last_called;
	bool              rung;
};

static void
on_one_of_crowd(void *arg, unsigned what)
{
	struct crowd *crowd = arg;
	ssize_t       written = 1;

	if (crowd->called++ == 0)
		written = write(crowd->out, "", 1);
	assert_int_equal(written, 1);
}

static void
on_bell(void *arg, unsigned what)
{
	struct crowd *crowd = arg;

	crowd->rung = true;
	crowd->before_bell = crowd->called;
}

static void
on_last(void *arg, unsigned what)
{
	struct crowd *crowd = arg;

	crowd->last_called = crowd->called;
}

/* A thousand are ready; what rings when the first is called need not wait for the others, and what
 * was ready before them lets them go first. */
static void
test_ranks(void **state)
{
	struct fixture *fixture = *state;
	struct crowd   *crowd = calloc(1, sizeof(*crowd));

	crowd->out = fixture->pair[1];
	loop_watch_init(&crowd->bell, fixture->loop, on_bell, crowd);
	loop_watch_rank(&crowd->bell, LOOP_FIRST);
	loop_watch_set(&crowd->bell, fixture->pair[0], LOOP_READ, -1);
	loop_watch_init(&crowd->last, fixture->loop, on_last, crowd);
	loop_watch_rank(&crowd->last, LOOP_LAST);
	loop_watch_set(&crowd->last, -1, 0, 0);
	for (unsigned i = 0; i < CROWD; i++) {
		loop_watch_init(&crowd->watches[i], fixture->loop, on_one_of_crowd, crowd);
		loop_watch_set(&crowd->watches[i], -1, 0, 0);
	}
	while (crowd->called < CROWD || crowd->last_called == 0)
		loop_run_once(fixture->loop, true);
	assert_true(crowd->rung);
	assert_in_range(crowd->before_bell, 1, 300);
	assert_true(crowd->last_called == CROWD);
	for (unsigned i = 0; i < CROWD; i++)
		loop_watch_fini(&crowd->watches[i]);
	loop_watch_fini(&crowd->bell);
	loop_watch_fini(&crowd->last);
	free(crowd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_timer, begin, end),
		cmocka_unit_test_setup_teardown(test_descriptor, begin, end),
		cmocka_unit_test_setup_teardown(test_waits_once, begin, end),
		cmocka_unit_test_setup_teardown(test_stop_and_replace, begin, end),
		cmocka_unit_test_setup_teardown(test_signal, begin, end),
		cmocka_unit_test_setup_teardown(test_signals_are_bounded, begin, end),
		cmocka_unit_test_setup_teardown(test_fork, begin, end),
		cmocka_unit_test_setup_teardown(test_ranks, begin, end),
		cmocka_unit_test_setup_teardown(test_lag, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
