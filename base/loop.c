#include "base/loop.h"

#include "base/arena.h"
#include "base/clock.h"

#include <event2/event.h>
#include <stdlib.h>

/* After so many callbacks the kernel is asked whether something urgent has come. */
enum { SIGNALS_MAX = 8, ROUND_MAX = 128 };

/* libevent's priorities are the ranks: what is lower goes first.  The middle is its own default. */
_Static_assert(LOOP_USUAL == LOOP_RANKS / 2, "events of others are usual");

static const int64_t beat_us = 500 * US_PER_MS;
static const int64_t gap_us = 100 * US_PER_MS;

struct signal_watch {
	struct event *event; /* owned */
	void (*on_signal)(void *arg);
	void *arg;
};

struct loop {
	struct event_base  *base; /* owned */
	struct signal_watch signals[SIGNALS_MAX];
	unsigned            signal_count;
	struct event       *beat; /* owned; measures how late timers fire */
	int64_t             beat_due_us;
	int64_t             lag_us;
	int64_t             lost_us;
};

static void
set_beat(struct loop *loop)
{
	struct timeval wait = { .tv_usec = beat_us };

	loop->beat_due_us = clock_mono_us(clock_system()) + beat_us;
	evtimer_add(loop->beat, &wait);
}

static void
on_beat(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	int64_t      late_us = clock_mono_us(clock_system()) - loop->beat_due_us;

	if (late_us > loop->lag_us)
		loop->lag_us = late_us;
	if (late_us > gap_us)
		loop->lost_us += late_us;
	set_beat(loop);
}

struct loop *
loop_new(struct err *err)
{
	struct event_config *config = event_config_new();
	struct loop         *loop = mem_alloc(sizeof(*loop));

	/* Without this flag timers use the coarse clock and fire up to 7 ms early. */
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	/* Without this one a timer that is set in a callback counts from the beginning of the
	 * round of events, and fires early by what the round took so far. */
	event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_set_max_dispatch_interval(config, NULL, ROUND_MAX, LOOP_USUAL);
	loop->base = event_base_new_with_config(config);
	event_config_free(config);
	if (loop->base == NULL || event_base_priority_init(loop->base, LOOP_RANKS) != 0) {
		err_errno(err, "event loop");
		free(loop);
		return NULL;
	}
	loop->beat = evtimer_new(loop->base, on_beat, loop);
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	for (unsigned i = 0; i < loop->signal_count; i++)
		event_free(loop->signals[i].event);
	event_free(loop->beat);
	event_base_free(loop->base);
	free(loop);
}

void
loop_run(struct loop *loop)
{
	set_beat(loop);
	event_base_dispatch(loop->base);
	event_del(loop->beat);
}

void
loop_run_once(struct loop *loop, bool wait)
{
	event_base_loop(loop->base, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
}

void
loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

bool
loop_reinit(struct loop *loop, struct err *err)
{
	if (event_reinit(loop->base) != 0)
		return err_set(err, ERR_SYSTEM, "event loop: cannot start again after fork");
	return true;
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

int64_t
loop_lost_us(const struct loop *loop)
{
	return loop->lost_us;
}

int64_t
loop_lag_us(struct loop *loop)
{
	int64_t lag_us = loop->lag_us;

	loop->lag_us = 0;
	return lag_us;
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct loop_watch *watch = arg;
	unsigned           seen = 0;

	seen |= what & EV_READ ? LOOP_READ : 0u;
	seen |= what & EV_WRITE ? LOOP_WRITE : 0u;
	seen |= what & EV_TIMEOUT ? LOOP_TIMEOUT : 0u;
	watch->on_event(watch->arg, seen);
}

void
loop_watch_init(struct loop_watch *watch, struct loop *loop,
    void (*on_event)(void *arg, unsigned what), void  *arg)
{
	*watch = (struct loop_watch){
		.loop = loop, .on_event = on_event, .arg = arg, .rank = LOOP_USUAL
	};
	watch->event = event_new(loop->base, -1, 0, on_watch, watch);
}

static void
assign(struct loop_watch *watch, int fd, unsigned want, short how)
{
	how |= want & LOOP_READ ? EV_READ : 0;
	how |= want & LOOP_WRITE ? EV_WRITE : 0;
	event_del(watch->event);
	event_assign(watch->event, watch->loop->base, fd, how, on_watch, watch);
	event_priority_set(watch->event, (int)watch->rank);
}

void
loop_watch_set(struct loop_watch *watch, int fd, unsigned want, int64_t limit_us)
{
	struct timeval limit = { .tv_sec = limit_us / US_PER_S,
		.tv_usec = limit_us % US_PER_S };

	assign(watch, fd, want, 0);
	event_add(watch->event, limit_us >= 0 ? &limit : NULL);
}

void
loop_watch_keep(struct loop_watch *watch, int fd, unsigned want)
{
	assign(watch, fd, want, EV_PERSIST);
	event_add(watch->event, NULL);
}

void
loop_watch_rank(struct loop_watch *watch, enum loop_rank rank)
{
	watch->rank = rank;
}

void
loop_watch_stop(struct loop_watch *watch)
{
	if (watch->event != NULL)
		event_del(watch->event);
}

void
loop_watch_fini(struct loop_watch *watch)
{
	if (watch->event != NULL)
		event_free(watch->event);
	watch->event = NULL;
}

static void
on_signal_event(evutil_socket_t number, short what, void *arg)
{
	struct signal_watch *watch = arg;

	watch->on_signal(watch->arg);
}

bool
loop_signal(struct loop *loop, int signal_number, void (*on_signal)(void *arg), void *arg,
    struct err *err)
{
	struct signal_watch *watch = &loop->signals[loop->signal_count];

	if (loop->signal_count == SIGNALS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d signals watched", SIGNALS_MAX);
	*watch = (struct signal_watch){ .on_signal = on_signal, .arg = arg };
	watch->event = evsignal_new(loop->base, signal_number, on_signal_event, watch);
	if (watch->event == NULL || event_add(watch->event, NULL) != 0)
		return err_set(err, ERR_SYSTEM, "cannot watch signal %d", signal_number);
	loop->signal_count++;
	return true;
}
