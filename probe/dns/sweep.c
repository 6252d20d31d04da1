#include "probe/dns/sweep.h"

#include "base/text.h"
#include "probe/dns/sweep_ask.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* EVENTS_MAX: sockets heard in one go.  BUSY_MIN: with so many names under way it is cheaper to
 * look again soon than to be woken for each.  MISSED_MAX: sockets asked in vain in one look. */
enum { EVENTS_MAX = 256, BUSY_MIN = 16, MISSED_MAX = 8 };

/* Between two looks: the least, and the most before it waits to be woken. */
static const int64_t look_least_us = 250, look_most_us = 2000;
/* A timer that fires later than this says that our own loop was late. */
static const int64_t late_us = 100 * US_PER_MS;

/* Seldom, so that a walk over all will do. */
static void
take_all_tcp(struct sweep *sweep)
{
	struct sweep_slot *slot = sweep->first, *next;

	for (; slot != NULL && sweep->tcp_over > 0; slot = next) {
		next = slot->next;
		slot->open++; /* held, lest it goes while we walk over it */
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			if (slot->asks[i].tcp_over)
				sweep_ask_take_tcp(&slot->asks[i]);
		}
		if (--slot->open == 0)
			sweep_ask_leave(slot);
	}
}

static int64_t
read_clock(const struct sweep *sweep)
{
	return clock_mono_us(sweep->options.clock);
}

/* Takes what is there, without waiting; says how many questions that ended. */
static unsigned
hear_watched(struct sweep *sweep)
{
	struct epoll_event events[EVENTS_MAX];
	unsigned           ended = 0;
	int                count;

	do {
		count = epoll_wait(sweep->epoll, events, EVENTS_MAX, 0);
		for (int i = 0; i < count; i++)
			ended += sweep_ask_hear(sweep, events[i].data.ptr);
	} while (count == EVENTS_MAX && ended < SWEEP_WINDOW_MAX);
	return ended;
}

/* While much is under way most answers come in the order of the questions, and asking the sockets
 * one by one is cheaper than asking epoll which of them to ask. */
static unsigned
hear_in_order(struct sweep *sweep)
{
	unsigned           ended = 0, missed = 0;
	struct sweep_slot *slot = sweep->first, *next;

	for (; slot != NULL && missed < MISSED_MAX; slot = next) {
		next = slot->next;
		slot->open++; /* held, lest it goes while we walk over it */
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			struct sweep_socket *socket = slot->asks[i].tries[0].socket;

			if (socket == NULL)
				continue;
			if (sweep_ask_hear(sweep, socket))
				ended++;
			else
				missed++;
		}
		if (--slot->open == 0)
			sweep_ask_leave(slot);
	}
	return ended;
}

static struct sweep_slot *
new_slot(struct sweep *sweep)
{
	struct sweep_slot *slot = sweep->unused;
	size_t bytes = sizeof(*slot) + sweep->options.resolver_count * sizeof(struct sweep_ask);

	if (slot != NULL)
		sweep->unused = slot->next;
	else
		slot = mem_alloc(bytes);
	slot->sweep = sweep;
	slot->next = NULL;
	slot->previous = sweep->last;
	if (sweep->last != NULL)
		sweep->last->next = slot;
	else
		sweep->first = slot;
	sweep->last = slot;
	if (sweep->fresh == NULL)
		sweep->fresh = slot;
	if (++sweep->stats.under_way > sweep->stats.under_way_most)
		sweep->stats.under_way_most = sweep->stats.under_way;
	return slot;
}

static void
copy_host(struct sweep_slot *slot, const char *host)
{
	size_t count = strnlen(host, sizeof(slot->host) - 1);

	if (count > 1 && host[count - 1] == '.')
		count--;
	for (size_t i = 0; i < count; i++)
		slot->host[i] = text_lower(host[i]);
	slot->host[count] = '\0';
}

static void
start_name(struct sweep *sweep, const struct sweep_name *name, int64_t now_us)
{
	size_t             count = sweep->options.resolver_count;
	struct sweep_slot *slot = new_slot(sweep);
	struct err         err;
	bool               good = dns_skim_query(&slot->query, name->host, DNS_TYPE_A, &err);

	sweep->stats.names++;
	slot->arg = name->arg;
	slot->started_us = now_us;
	slot->open = (unsigned)count;
	copy_host(slot, name->host);
	for (size_t i = 0; i < count; i++)
		sweep_ask_reset(&slot->asks[i], slot);
	for (size_t i = 0; i < count; i++) {
		if (good)
			sweep_ask_start(&slot->asks[i], now_us);
		else
			sweep_ask_refuse(&slot->asks[i], err.text);
	}
}

/* Until every resolver that is asked may get one more question; 0: now. */
static int64_t
find_wait_us(struct sweep *sweep, int64_t now_us)
{
	int64_t most_us = 0;

	for (size_t i = 0; i < sweep->options.resolver_count; i++) {
		struct sweep_lane *lane = &sweep->lanes[i];
		int64_t            wait_us;

		if (sweep_lane_is_silent(lane, now_us))
			continue;
		wait_us = sweep_lane_wait_us(lane, now_us);
		if (wait_us > most_us)
			most_us = wait_us;
	}
	return most_us;
}

/* As many names as window and pace allow. */
static void
start_names(struct sweep *sweep, int64_t now_us)
{
	struct sweep_name name;

	for (unsigned i = 0; i < SWEEP_WINDOW_MAX && !sweep->dry &&
	     sweep->stats.under_way < sweep->options.window && find_wait_us(sweep, now_us) == 0;
	     i++) {
		if (sweep->options.next(sweep->options.arg, &name))
			start_name(sweep, &name, now_us);
		else
			sweep->dry = true;
	}
}

static int64_t
repeat_due_us(const struct sweep *sweep, const struct sweep_slot *slot)
{
	return slot->started_us + sweep->options.limit_ms * US_PER_MS / 2;
}

static int64_t
deadline_us(const struct sweep *sweep, const struct sweep_slot *slot)
{
	return slot->started_us + sweep->options.limit_ms * US_PER_MS;
}

static void
repeat_names(struct sweep *sweep, int64_t now_us)
{
	size_t             count = sweep->options.resolver_count;
	struct sweep_slot *slot;

	while ((slot = sweep->fresh) != NULL && repeat_due_us(sweep, slot) <= now_us &&
	    find_wait_us(sweep, now_us) == 0) {
		sweep->fresh = slot->next;
		slot->open++;
		for (size_t i = 0; i < count; i++)
			sweep_ask_repeat(&slot->asks[i], now_us);
		if (--slot->open == 0)
			sweep_ask_leave(slot);
	}
}

static void
expire_names(struct sweep *sweep, int64_t now_us, bool late)
{
	size_t             count = sweep->options.resolver_count;
	struct sweep_slot *slot;

	while ((slot = sweep->first) != NULL && deadline_us(sweep, slot) <= now_us) {
		slot->open++;
		for (size_t i = 0; i < count; i++)
			sweep_ask_expire(&slot->asks[i], now_us, late);
		slot->open--;
		sweep_ask_leave(slot);
	}
}

static int64_t
earlier(int64_t left_us, int64_t right_us)
{
	return left_us < right_us ? left_us : right_us;
}

/* Looking again soon is for times when answers come in masses. */
static void
choose_look(struct sweep *sweep, bool moved)
{
	if (sweep->stats.under_way < BUSY_MIN)
		sweep->look_us = 0;
	else if (moved)
		sweep->look_us = look_least_us;
	else
		sweep->look_us = sweep->look_us < look_most_us ? 2 * sweep->look_us : 0;
}

static void
watch_sockets(struct sweep *sweep)
{
	for (struct sweep_slot *slot = sweep->first; slot != NULL; slot = slot->next) {
		for (size_t i = 0; i < sweep->options.resolver_count * SWEEP_TRIES_MAX; i++) {
			struct sweep_ask    *ask = &slot->asks[i / SWEEP_TRIES_MAX];
			struct sweep_socket *socket = ask->tries[i % SWEEP_TRIES_MAX].socket;

			if (socket != NULL)
				sweep_lane_watch(socket->lane, socket);
		}
	}
}

/* Waits for an answer, or until there is something to do. */
static void
wait_on(struct sweep *sweep)
{
	int64_t now_us = read_clock(sweep), due_us = INT64_MAX;
	int64_t wait_us = find_wait_us(sweep, now_us);

	if (!sweep->dry && sweep->stats.under_way < sweep->options.window)
		due_us = now_us + wait_us;
	if (sweep->first != NULL)
		due_us = earlier(due_us, deadline_us(sweep, sweep->first));
	if (sweep->fresh != NULL && repeat_due_us(sweep, sweep->fresh) > now_us)
		due_us = earlier(due_us, repeat_due_us(sweep, sweep->fresh));
	else if (sweep->fresh != NULL)
		due_us = earlier(due_us, now_us + wait_us);
	if (sweep->look_us > 0)
		due_us = earlier(due_us, now_us + sweep->look_us);
	else
		watch_sockets(sweep);
	sweep->due_us = due_us;
	if (due_us == INT64_MAX)
		loop_watch_stop(&sweep->watch);
	else
		loop_watch_set(&sweep->watch, sweep->look_us > 0 ? -1 : sweep->epoll,
		    sweep->look_us > 0 ? 0 : LOOP_READ, due_us > now_us ? due_us - now_us : 0);
}

static void
free_sweep(struct sweep *sweep)
{
	struct sweep_slot *slot;

	while ((slot = sweep->first) != NULL) {
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			sweep_ask_free(&slot->asks[i]);
		}
		sweep_ask_leave(slot);
	}
	while ((slot = sweep->unused) != NULL) {
		sweep->unused = slot->next;
		free(slot);
	}
	for (size_t i = 0; i < sweep->options.resolver_count; i++)
		sweep_lane_fini(&sweep->lanes[i]);
	loop_watch_fini(&sweep->watch);
	if (sweep->epoll != -1)
		close(sweep->epoll);
	dns_skim_free(sweep->skim);
	free(sweep);
}

/* The one way out: on_over() may do as it likes. */
static void
end_sweep(struct sweep *sweep)
{
	void (*on_over)(void *arg) = sweep->options.on_over;
	void *arg = sweep->options.arg;

	free_sweep(sweep);
	on_over(arg);
}

static void
on_event(void *arg, unsigned what)
{
	struct sweep *sweep = arg;
	uint64_t      sent = sweep->stats.sent;
	unsigned      ended;
	int64_t       now_us;
	bool          late;

	sweep->now_us = read_clock(sweep);
	late = sweep->now_us - sweep->due_us > late_us;
	ended = sweep->look_us > 0 ? hear_in_order(sweep) : hear_watched(sweep);
	take_all_tcp(sweep);
	now_us = read_clock(sweep);
	expire_names(sweep, now_us, late);
	repeat_names(sweep, now_us);
	start_names(sweep, now_us);
	choose_look(sweep, ended > 0 || sweep->stats.sent != sent);
	if (sweep->first == NULL && sweep->dry && !sweep->options.standing)
		end_sweep(sweep);
	else
		wait_on(sweep);
}

struct sweep *
sweep_start(const struct sweep_options *options, struct err *err)
{
	struct sweep *sweep = mem_alloc(sizeof(*sweep));

	assert(options->resolver_count >= 1 && options->resolver_count <= SWEEP_RESOLVERS_MAX);
	assert(options->window <= SWEEP_WINDOW_MAX && options->limit_ms > 0);
	sweep->options = *options;
	if (sweep->options.window == 0)
		sweep->options.window = SWEEP_WINDOW_PRESET;
	sweep->skim = dns_skim_new();
	loop_watch_init(&sweep->watch, options->loop, on_event, sweep);
	sweep->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sweep->epoll == -1) {
		err_errno(err, "epoll");
		free_sweep(sweep);
		return NULL;
	}
	for (size_t i = 0; i < options->resolver_count; i++) {
		sweep->lanes[i] = (struct sweep_lane){ .peer = options->resolvers[i],
			.source = options->source,
			.epoll = sweep->epoll,
			.queries_per_s = options->queries_per_s };
		sweep_lane_init(&sweep->lanes[i], read_clock(sweep));
	}
	sweep->options.resolvers = NULL;
	sweep_wake(sweep);
	return sweep;
}

void
sweep_wake(struct sweep *sweep)
{
	sweep->dry = false;
	sweep->due_us = read_clock(sweep);
	loop_watch_set(&sweep->watch, -1, 0, 0);
}

void
sweep_cancel(struct sweep *sweep)
{
	if (sweep != NULL)
		free_sweep(sweep);
}

struct sweep_stats
sweep_stats(const struct sweep *sweep)
{
	struct sweep_stats stats = sweep->stats;

	for (size_t i = 0; i < sweep->options.resolver_count; i++)
		stats.sockets_most += sweep->lanes[i].sockets_most;
	return stats;
}
