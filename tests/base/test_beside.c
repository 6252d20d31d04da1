#include "base/beside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>

enum { RINGS = 1000 };

struct work {
	struct loop    *loop;
	struct beside   beside;
	pthread_mutex_t lock;
	unsigned        done, heard; /* done: under the lock */
	bool            deaf;        /* the thread has all signals blocked */
};

static void
on_bell(void *arg)
{
	struct work *work = arg;

	pthread_mutex_lock(&work->lock);
	work->heard = work->done;
	pthread_mutex_unlock(&work->lock);
	if (work->heard == RINGS)
		loop_stop(work->loop);
}

static void *
run(void *arg)
{
	struct work *work = arg;
	sigset_t     blocked;

	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	work->deaf = sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1;
	for (int i = 0; i < RINGS; i++) {
		pthread_mutex_lock(&work->lock);
		work->done++;
		pthread_mutex_unlock(&work->lock);
		beside_ring(&work->beside);
	}
	return NULL;
}

/* The last ring is heard, however many went before; and the loop's thread hears its signals. */
static void
test_heard(void **state)
{
	struct work work = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err  err;
	sigset_t    blocked;

	work.loop = loop_new(&err);
	assert_non_null(work.loop);
	beside_init(&work.beside, work.loop, LOOP_USUAL, on_bell, &work);
	assert_true(beside_start(&work.beside, "test", run, &err));
	loop_run(work.loop);
	assert_int_equal(work.heard, RINGS);
	beside_fini(&work.beside);
	assert_true(work.deaf);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	assert_int_equal(sigismember(&blocked, SIGTERM), 0);
	loop_free(work.loop);
}

/* What was never started has nothing to wait for. */
static void
test_not_started(void **state)
{
	struct work work = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err  err;

	work.loop = loop_new(&err);
	beside_init(&work.beside, work.loop, LOOP_FIRST, on_bell, &work);
	beside_fini(&work.beside);
	loop_free(work.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_not_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
