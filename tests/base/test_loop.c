#include "base/loop.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { WAIT_US = 20000, WORK_US = 10000 };

struct stopwatch {
	struct loop_watch watch;
	int64_t           set_us, fired_us;
};

static void
on_second(void *arg, unsigned what)
{
	struct stopwatch *stopwatch = arg;

	stopwatch->fired_us = clock_mono_us(clock_system());
}

/* Works for a while, as a callback with a lot to parse does, and sets a timer then. */
static void
on_first(void *arg, unsigned what)
{
	struct stopwatch *stopwatch = arg;
	int64_t           until_us = clock_mono_us(clock_system()) + WORK_US;

	while (clock_mono_us(clock_system()) < until_us)
		continue;
	stopwatch->watch.on_event = on_second;
	stopwatch->set_us = clock_mono_us(clock_system());
	loop_watch_set(&stopwatch->watch, -1, 0, WAIT_US);
}

static void
test_timer_set_in_a_callback_is_not_early(void **state)
{
	struct err       err;
	struct loop     *loop = loop_new(&err);
	struct stopwatch stopwatch = { 0 };

	loop_watch_init(&stopwatch.watch, loop, on_first, &stopwatch);
	loop_watch_set(&stopwatch.watch, -1, 0, 0);
	while (stopwatch.fired_us == 0)
		loop_run_once(loop, true);
	assert_true(stopwatch.fired_us - stopwatch.set_us >= WAIT_US);
	loop_watch_fini(&stopwatch.watch);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_set_in_a_callback_is_not_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
