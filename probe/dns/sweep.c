#include "probe/dns/sweep.h"

#include "base/digest.h"
#include "base/text.h"
#include "probe/dns/dns_skim.h"
#include "probe/dns/dns_socket.h"
#include "probe/dns/dns_tcp.h"
#include "probe/dns/sweep_lane.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* EVENTS_MAX: sockets heard in one go.  DRAIN_MAX: datagrams of one socket.  BUSY_MIN: with so
 * many names under way it is cheaper to look again soon than to be woken for each. */
enum { TRIES_MAX = 2, EVENTS_MAX = 256, DRAIN_MAX = 64, BUSY_MIN = 16, MISSED_MAX = 8 };
enum { DICE_BYTES = 4096, DETAIL_BYTES = 256 };

/* Between two looks: the least, and the most before it waits to be woken. */
static const int64_t look_least_us = 250, look_most_us = 2000;
/* A timer that fires later than this says that our own loop was late. */
static const int64_t late_us = 100 * US_PER_MS;

struct
try {
	struct sweep_socket *socket; /* owned by the lane; NULL: closed */
	struct dns_query     query;
};

/* In the order of life. */
enum ask_state { ASK_UDP, ASK_TCP, ASK_OVER };

/* One name and one resolver. */
struct ask {
	struct slot     *slot; /* borrowed; owns us */
	enum ask_state   state;
	struct try       tries[TRIES_MAX];
	unsigned         sent, strays;
	bool             case_off, case_changed, truncated;
	struct dns_tcp  *tcp; /* owned */
	struct dns_query tcp_query;
	bool             tcp_over; /* and how it ended, until on_event() takes it up */
	enum outcome     tcp_how;
	int              tcp_cause;
};

/* One name under way.  All its questions start together. */
struct slot {
	struct sweep    *sweep; /* borrowed; owns us */
	void            *arg;
	char             host[DNS_NAME_BYTES];
	struct dns_query query;
	int64_t          started_us;
	unsigned         open; /* asks that are not over */
	struct slot     *previous, *next;
	struct ask       asks[];
};

struct sweep {
	struct sweep_options options;
	struct sweep_lane    lanes[SWEEP_RESOLVERS_MAX];
	int                  epoll; /* owned; watches all sockets */
	struct loop_watch    watch;
	int64_t              now_us;       /* when we began to hear */
	int64_t              due_us;       /* when the watch is to fire at the latest */
	bool                 dry;          /* next() had nothing */
	int64_t              look_us;      /* look again after this; 0: wait to be woken */
	struct slot         *first, *last; /* under way, by start */
	struct slot         *fresh;        /* the first that was not repeated yet */
	struct slot         *unused;
	unsigned         tcp_over; /* asks whose TCP has ended, and that wait for on_event() */
	struct dns_skim *skim;     /* owned */
	uint8_t          dice[DICE_BYTES];
	size_t           dice_left;
	char             detail[DETAIL_BYTES];
	uint8_t          heard[DNS_UDP_BYTES];
	struct sweep_stats stats;
};

static int64_t
read_clock(const struct sweep *sweep)
{
	return clock_mono_us(sweep->options.clock);
}

static const uint8_t *
roll_dice(struct sweep *sweep, size_t count)
{
	if (sweep->dice_left < count) {
		digest_random(sweep->dice, DICE_BYTES);
		sweep->dice_left = DICE_BYTES;
	}
	sweep->dice_left -= count;
	return sweep->dice + sweep->dice_left;
}

static struct sweep_lane *
lane_of(struct ask *ask)
{
	return &ask->slot->sweep->lanes[ask - ask->slot->asks];
}

static const char *explain(struct sweep *sweep, const char *format, ...) PRINTF_LIKE(2, 3);

static const char *
explain(struct sweep *sweep, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sweep->detail, sizeof(sweep->detail), format, arguments);
	va_end(arguments);
	return sweep->detail;
}

static void
close_tries(struct ask *ask, bool clean)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		if (ask->tries[i].socket != NULL)
			sweep_lane_close(lane_of(ask), ask->tries[i].socket, clean);
		ask->tries[i].socket = NULL;
	}
}

static void
free_slot(struct slot *slot)
{
	struct sweep *sweep = slot->sweep;

	if (sweep->fresh == slot)
		sweep->fresh = slot->next;
	if (slot->previous != NULL)
		slot->previous->next = slot->next;
	else
		sweep->first = slot->next;
	if (slot->next != NULL)
		slot->next->previous = slot->previous;
	else
		sweep->last = slot->previous;
	slot->next = sweep->unused;
	sweep->unused = slot;
	sweep->stats.under_way--;
}

/* The one way out of an ask; it may be gone after. */
static void
finish(struct ask *ask, struct sweep_result *result)
{
	struct slot  *slot = ask->slot;
	struct sweep *sweep = slot->sweep;

	ask->state = ASK_OVER;
	close_tries(ask, result->heard.how == OUTCOME_OK && ask->sent == 1 && ask->strays == 0);
	result->host = slot->host;
	result->arg = slot->arg;
	result->resolver = (size_t)(ask - slot->asks);
	result->heard.tries = ask->sent;
	result->heard.strays = ask->strays;
	result->heard.truncated = ask->truncated;
	result->heard.case_changed = ask->case_changed;
	sweep->options.on_answer(sweep->options.arg, result);
	dns_tcp_free(ask->tcp);
	ask->tcp = NULL;
	if (--slot->open == 0)
		free_slot(slot);
}

static void
finish_badly(struct ask *ask, enum outcome how, const char *detail)
{
	struct sweep_result result = { .heard = { .how = how, .detail = detail } };

	finish(ask, &result);
}

/* A socket gave an errno. */
static void
finish_failed(struct ask *ask, const char *doing, int fd, int cause)
{
	struct sweep *sweep = ask->slot->sweep;
	enum outcome  how = dns_socket_outcome(cause);
	char          text[ADDR_TEXT];
	struct addr   router;

	if (how != OUTCOME_LOCAL)
		sweep_lane_missed(lane_of(ask), read_clock(sweep));
	if (fd != -1 && dns_socket_blame(fd, &router))
		finish_badly(ask, how,
		    explain(sweep, "%s: %s, says %s by ICMP", doing, strerror(cause),
		        addr_render(&router, text, sizeof(text))));
	else
		finish_badly(ask, how, explain(sweep, "%s: %s", doing, strerror(cause)));
}

static void
accept_answer(struct ask *ask, const struct dns_query *query, const uint8_t *bytes,
    size_t count, enum transport transport)
{
	struct sweep       *sweep = ask->slot->sweep;
	struct sweep_result result = { .heard = { .transport = transport,
		                           .flags = dns_answer_flags(bytes),
		                           .size = count } };
	struct err          err;

	sweep_lane_heard(lane_of(ask));
	result.heard.took_us = sweep->now_us - ask->slot->started_us;
	result.heard.answer = dns_skim_parse(sweep->skim, query, bytes, count, &err);
	if (result.heard.answer == NULL) {
		result.heard.how = err.kind == ERR_LIMIT ? OUTCOME_TOO_LARGE
		                                         : OUTCOME_BROKE_PROTOCOL;
		result.heard.detail = explain(sweep, "malformed answer: %s", err.text);
	} else {
		result.heard.how = OUTCOME_OK;
	}
	finish(ask, &result);
}

static bool
allow_peer(struct ask *ask)
{
	const struct sweep_options *options = &ask->slot->sweep->options;
	const struct addr          *peer = &lane_of(ask)->peer;
	char                        text[ADDR_TEXT];

	if (options->allows == NULL || options->allows(options->allows_arg, peer))
		return true;
	finish_badly(ask, OUTCOME_POLICY,
	    explain(ask->slot->sweep, "policy does not allow %s",
	        addr_render_port(peer, text, sizeof(text))));
	return false;
}

/* Only what is used of it. */
static void
copy_query(struct dns_query *to, const struct dns_query *from)
{
	memcpy(to, from, offsetof(struct dns_query, bytes) + from->count);
}

static void
stamp_query(struct sweep *sweep, struct dns_query *query, bool shuffle)
{
	const uint8_t *dice = roll_dice(sweep, 2 + (query->question_bytes + 7) / 8);

	dns_query_stamp(query, (uint16_t)(dice[0] << 8 | dice[1]), false);
	if (shuffle)
		dns_skim_shuffle(query, dice + 2);
}

/* From a socket of its own.  A first question that cannot be sent ends the ask; a repeat that
 * cannot leaves the first one waiting. */
static void
send_try(struct ask *ask)
{
	struct sweep *sweep = ask->slot->sweep;
	struct try   *try = &ask->tries[ask->sent];

	assert(ask->sent < TRIES_MAX);
	if (!allow_peer(ask))
		return;
	copy_query(&try->query, &ask->slot->query);
	stamp_query(sweep, &try->query, !ask->case_off);
	try->socket = sweep_lane_open(lane_of(ask), ask);
	if (try->socket == NULL && ask->sent > 0)
		return;
	if (try->socket == NULL) {
		finish_failed(ask, "opening a UDP socket", -1, errno);
		return;
	}
	ask->sent++;
	sweep->stats.sent++;
	if (send(try->socket->fd, try->query.bytes, try->query.count, MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN && errno != ENOBUFS)
		finish_failed(ask, "sending the question", try->socket->fd, errno);
}

/* The connection must not be freed from inside its own callback. */
static void
on_tcp_over(void *arg, enum outcome how, int cause)
{
	struct ask   *ask = arg;
	struct sweep *sweep = ask->slot->sweep;

	ask->tcp_over = true;
	ask->tcp_how = how;
	ask->tcp_cause = cause;
	sweep->tcp_over++;
	loop_watch_set(&sweep->watch, -1, 0, 0);
}

static void
take_tcp(struct ask *ask)
{
	struct sweep  *sweep = ask->slot->sweep;
	const uint8_t *bytes;
	size_t         count;

	ask->tcp_over = false;
	sweep->tcp_over--;
	if (ask->tcp_how != OUTCOME_OK) {
		finish_badly(ask, ask->tcp_how,
		    explain(sweep, "truncated over UDP; over TCP, %s: %s",
		        dns_tcp_doing(ask->tcp),
		        ask->tcp_how == OUTCOME_CLOSED ? "the server closed the connection"
		                                       : strerror(ask->tcp_cause)));
		return;
	}
	bytes = dns_tcp_answer(ask->tcp, &count);
	if (dns_answer_match(&ask->tcp_query, bytes, count) == DNS_MATCH_STRAY)
		finish_badly(ask, OUTCOME_BROKE_PROTOCOL,
		    "truncated over UDP; over TCP an answer to another question");
	else if (dns_answer_is_truncated(bytes))
		finish_badly(ask, OUTCOME_BROKE_PROTOCOL, "truncated over UDP and over TCP");
	else
		accept_answer(ask, &ask->tcp_query, bytes, count, TRANSPORT_TCP);
}

/* Seldom, so that a walk over all will do. */
static void
take_all_tcp(struct sweep *sweep)
{
	struct slot *slot = sweep->first, *next;

	for (; slot != NULL && sweep->tcp_over > 0; slot = next) {
		next = slot->next;
		slot->open++; /* held, lest it goes while we walk over it */
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			if (slot->asks[i].tcp_over)
				take_tcp(&slot->asks[i]);
		}
		if (--slot->open == 0)
			free_slot(slot);
	}
}

static void
turn_to_tcp(struct ask *ask)
{
	struct sweep      *sweep = ask->slot->sweep;
	struct dns_tcp_ask tcp = { .loop = sweep->options.loop,
		.source = sweep->options.source,
		.peer = lane_of(ask)->peer,
		.query = &ask->tcp_query,
		.on_over = on_tcp_over,
		.arg = ask };

	ask->truncated = true;
	close_tries(ask, false);
	if (!allow_peer(ask))
		return;
	copy_query(&ask->tcp_query, &ask->slot->query);
	stamp_query(sweep, &ask->tcp_query, !ask->case_off);
	ask->state = ASK_TCP;
	ask->tcp = dns_tcp_start(&tcp);
}

/* As dns_question.c: the server does not keep letter case, or somebody guessed all but that. */
static void
give_up_case(struct ask *ask)
{
	if (ask->case_off || ask->sent == TRIES_MAX) {
		ask->strays++;
		return;
	}
	ask->case_off = ask->case_changed = true;
	send_try(ask);
}

/* count may be more than was read. */
static void
take_datagram(
    struct ask *ask, const struct dns_query *query, const uint8_t *bytes, size_t count)
{
	size_t read = count < DNS_UDP_BYTES ? count : DNS_UDP_BYTES;

	switch (dns_answer_match(query, bytes, read)) {
	case DNS_MATCH_STRAY: ask->strays++; return;
	case DNS_MATCH_OTHER_CASE: give_up_case(ask); return;
	case DNS_MATCH_BARE:
	case DNS_MATCH_ANSWER: break;
	}
	if (dns_answer_is_truncated(bytes))
		turn_to_tcp(ask);
	else if (count > DNS_UDP_BYTES)
		finish_badly(ask, OUTCOME_TOO_LARGE, "a datagram that is larger than we take");
	else
		accept_answer(ask, query, bytes, count, TRANSPORT_UDP);
}

static const struct try *
find_try(const struct ask *ask, const struct sweep_socket *socket)
{
	for (unsigned i = 0; i < ask->sent; i++) {
		if (ask->tries[i].socket == socket)
			return &ask->tries[i];
	}
	return NULL;
}

/* Takes what a socket has, mostly one answer.  Says whether that ended anything. */
static bool
hear(struct sweep *sweep, struct sweep_socket *socket)
{
	struct ask *ask = socket->user;

	if (ask == NULL)
		return false; /* it was closed a moment ago */
	for (unsigned i = 0; i < DRAIN_MAX && socket->user == ask; i++) {
		ssize_t got = recv(
		    socket->fd, sweep->heard, sizeof(sweep->heard), MSG_DONTWAIT | MSG_TRUNC);

		if (got >= 0)
			take_datagram(
			    ask, &find_try(ask, socket)->query, sweep->heard, (size_t)got);
		else if (errno == EAGAIN)
			return false;
		else if (errno != EINTR)
			finish_failed(ask, "waiting for the answer", socket->fd, errno);
	}
	return socket->user != ask;
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
			ended += hear(sweep, events[i].data.ptr);
	} while (count == EVENTS_MAX && ended < SWEEP_WINDOW_MAX);
	return ended;
}

/* While much is under way most answers come in the order of the questions, and asking the sockets
 * one by one is cheaper than asking epoll which of them to ask. */
static unsigned
hear_in_order(struct sweep *sweep)
{
	unsigned     ended = 0, missed = 0;
	struct slot *slot = sweep->first, *next;

	for (; slot != NULL && missed < MISSED_MAX; slot = next) {
		next = slot->next;
		slot->open++; /* held, lest it goes while we walk over it */
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			struct sweep_socket *socket = slot->asks[i].tries[0].socket;

			if (socket == NULL)
				continue;
			if (hear(sweep, socket))
				ended++;
			else
				missed++;
		}
		if (--slot->open == 0)
			free_slot(slot);
	}
	return ended;
}

static void
start_ask(struct ask *ask, int64_t now_us)
{
	struct sweep_lane *lane = lane_of(ask);

	if (sweep_lane_is_silent(lane, now_us)) {
		finish_badly(ask, OUTCOME_NOT_RUN,
		    explain(ask->slot->sweep,
		        "not asked: the last %u questions to this resolver had no answer",
		        lane->silent));
		return;
	}
	sweep_lane_pay(lane, now_us);
	send_try(ask);
}

static struct slot *
new_slot(struct sweep *sweep)
{
	struct slot *slot = sweep->unused;
	size_t       bytes = sizeof(*slot) + sweep->options.resolver_count * sizeof(struct ask);

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
reset_ask(struct ask *ask, struct slot *slot)
{
	ask->slot = slot;
	ask->state = ASK_UDP;
	for (unsigned i = 0; i < TRIES_MAX; i++)
		ask->tries[i].socket = NULL;
	ask->sent = ask->strays = 0;
	ask->case_off = ask->case_changed = ask->truncated = false;
	ask->tcp = NULL;
	ask->tcp_over = false;
}

static void
copy_host(struct slot *slot, const char *host)
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
	size_t       count = sweep->options.resolver_count;
	struct slot *slot = new_slot(sweep);
	struct err   err;
	bool         good = dns_skim_query(&slot->query, name->host, DNS_TYPE_A, &err);

	sweep->stats.names++;
	slot->arg = name->arg;
	slot->started_us = now_us;
	slot->open = (unsigned)count;
	copy_host(slot, name->host);
	for (size_t i = 0; i < count; i++)
		reset_ask(&slot->asks[i], slot);
	for (size_t i = 0; i < count; i++) {
		if (good)
			start_ask(&slot->asks[i], now_us);
		else
			finish_badly(&slot->asks[i], OUTCOME_LOCAL,
			    explain(
			        sweep, "'%.80s' is no host name: %s", slot->host, err.text));
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
repeat_due_us(const struct sweep *sweep, const struct slot *slot)
{
	return slot->started_us + sweep->options.limit_ms * US_PER_MS / 2;
}

static int64_t
deadline_us(const struct sweep *sweep, const struct slot *slot)
{
	return slot->started_us + sweep->options.limit_ms * US_PER_MS;
}

/* Before silence is spoken of.  May end the ask. */
static void
hear_ask(struct ask *ask)
{
	struct sweep *sweep = ask->slot->sweep;

	for (unsigned i = 0; i < TRIES_MAX && ask->state == ASK_UDP; i++) {
		if (ask->tries[i].socket != NULL)
			hear(sweep, ask->tries[i].socket);
	}
}

/* A question had half its time: once more, unless the resolver says nothing at all. */
static void
repeat_ask(struct ask *ask, int64_t now_us)
{
	struct sweep_lane *lane = lane_of(ask);

	hear_ask(ask);
	if (ask->state != ASK_UDP)
		return;
	sweep_lane_missed(lane, now_us);
	if (ask->sent == TRIES_MAX || sweep_lane_is_silent(lane, now_us))
		return;
	sweep_lane_pay(lane, now_us);
	send_try(ask);
}

static void
repeat_names(struct sweep *sweep, int64_t now_us)
{
	size_t       count = sweep->options.resolver_count;
	struct slot *slot;

	while ((slot = sweep->fresh) != NULL && repeat_due_us(sweep, slot) <= now_us &&
	    find_wait_us(sweep, now_us) == 0) {
		sweep->fresh = slot->next;
		slot->open++;
		for (size_t i = 0; i < count; i++)
			repeat_ask(&slot->asks[i], now_us);
		if (--slot->open == 0)
			free_slot(slot);
	}
}

static void
expire_ask(struct ask *ask, int64_t now_us, bool late)
{
	struct sweep *sweep = ask->slot->sweep;

	hear_ask(ask);
	if (ask->tcp_over)
		take_tcp(ask);
	if (ask->state == ASK_OVER)
		return;
	if (late) {
		finish_badly(ask, OUTCOME_AGENT_LATE,
		    "our own loop was late; nothing is said of the server");
		return;
	}
	if (ask->state == ASK_TCP) {
		finish_badly(ask, OUTCOME_TIMEOUT,
		    explain(sweep, "truncated over UDP; over TCP, %s until the deadline",
		        dns_tcp_doing(ask->tcp)));
		return;
	}
	sweep_lane_missed(lane_of(ask), now_us);
	finish_badly(ask, OUTCOME_TIMEOUT,
	    explain(sweep, "no answer within %lld ms, asked %u times, %u stray datagrams",
	        (long long)sweep->options.limit_ms, ask->sent, ask->strays));
}

static void
expire_names(struct sweep *sweep, int64_t now_us, bool late)
{
	size_t       count = sweep->options.resolver_count;
	struct slot *slot;

	while ((slot = sweep->first) != NULL && deadline_us(sweep, slot) <= now_us) {
		slot->open++;
		for (size_t i = 0; i < count; i++)
			expire_ask(&slot->asks[i], now_us, late);
		slot->open--;
		free_slot(slot);
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
	for (struct slot *slot = sweep->first; slot != NULL; slot = slot->next) {
		for (size_t i = 0; i < sweep->options.resolver_count * TRIES_MAX; i++) {
			struct ask          *ask = &slot->asks[i / TRIES_MAX];
			struct sweep_socket *socket = ask->tries[i % TRIES_MAX].socket;

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
	struct slot *slot;

	while ((slot = sweep->first) != NULL) {
		for (size_t i = 0; i < sweep->options.resolver_count; i++) {
			close_tries(&slot->asks[i], false);
			dns_tcp_free(slot->asks[i].tcp);
		}
		free_slot(slot);
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
