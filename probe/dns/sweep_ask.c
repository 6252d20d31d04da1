#include "probe/dns/sweep_ask.h"

#include "base/digest.h"
#include "probe/dns/dns_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { DRAIN_MAX = 64 }; /* datagrams of one socket, in one go */

static int64_t
read_clock(const struct sweep *sweep)
{
	return clock_mono_us(sweep->options.clock);
}

static const uint8_t *
roll_dice(struct sweep *sweep, size_t count)
{
	if (sweep->dice_left < count) {
		digest_random(sweep->dice, SWEEP_DICE_BYTES);
		sweep->dice_left = SWEEP_DICE_BYTES;
	}
	sweep->dice_left -= count;
	return sweep->dice + sweep->dice_left;
}

static struct sweep_lane *
lane_of(struct sweep_ask *ask)
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
close_tries(struct sweep_ask *ask, bool clean)
{
	for (unsigned i = 0; i < SWEEP_TRIES_MAX; i++) {
		if (ask->tries[i].socket != NULL)
			sweep_lane_close(lane_of(ask), ask->tries[i].socket, clean);
		ask->tries[i].socket = NULL;
	}
}

void
sweep_ask_leave(struct sweep_slot *slot)
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
finish(struct sweep_ask *ask, struct sweep_result *result)
{
	struct sweep_slot *slot = ask->slot;
	struct sweep      *sweep = slot->sweep;

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
		sweep_ask_leave(slot);
}

static void
finish_badly(struct sweep_ask *ask, enum outcome how, const char *detail)
{
	struct sweep_result result = { .heard = { .how = how, .detail = detail } };

	finish(ask, &result);
}

/* A socket gave an errno. */
static void
finish_failed(struct sweep_ask *ask, const char *doing, int fd, int cause)
{
	struct sweep *sweep = ask->slot->sweep;
	enum outcome  how = dns_socket_outcome(cause);
	char          text[ADDR_TEXT];
	struct addr   router;

	if (how != OUTCOME_LOCAL)
		sweep_lane_missed(lane_of(ask), ask->slot->started_us, read_clock(sweep));
	if (fd != -1 && dns_socket_blame(fd, &router))
		finish_badly(ask, how,
		    explain(sweep, "%s: %s, says %s by ICMP", doing, strerror(cause),
		        addr_render(&router, text, sizeof(text))));
	else
		finish_badly(ask, how, explain(sweep, "%s: %s", doing, strerror(cause)));
}

static void
accept_answer(struct sweep_ask *ask, const struct dns_query *query, const uint8_t *bytes,
    size_t count, enum transport transport)
{
	struct sweep       *sweep = ask->slot->sweep;
	struct sweep_result result = { .heard = { .transport = transport,
		                           .flags = dns_answer_flags(bytes),
		                           .size = count } };
	struct err          err;

	sweep_lane_heard(lane_of(ask), sweep->now_us);
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
allow_peer(struct sweep_ask *ask)
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
send_try(struct sweep_ask *ask)
{
	struct sweep     *sweep = ask->slot->sweep;
	struct sweep_try *try = &ask->tries[ask->sent];

	assert(ask->sent < SWEEP_TRIES_MAX);
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
	if (sweep_lane_send(try->socket, try->query.bytes, try->query.count) < 0 &&
	    errno != EAGAIN && errno != ENOBUFS && ask->sent == 1)
		finish_failed(ask, "sending the question", try->socket->fd, errno);
}

/* The connection must not be freed from inside its own callback. */
static void
on_tcp_over(void *arg, enum outcome how, int cause)
{
	struct sweep_ask *ask = arg;
	struct sweep     *sweep = ask->slot->sweep;

	ask->tcp_over = true;
	ask->tcp_how = how;
	ask->tcp_cause = cause;
	sweep->tcp_over++;
	loop_watch_set(&sweep->watch, -1, 0, 0);
}

void
sweep_ask_take_tcp(struct sweep_ask *ask)
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

static void
turn_to_tcp(struct sweep_ask *ask)
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
give_up_case(struct sweep_ask *ask)
{
	if (ask->case_off || ask->sent == SWEEP_TRIES_MAX) {
		ask->strays++;
		return;
	}
	ask->case_off = ask->case_changed = true;
	send_try(ask);
}

/* count may be more than was read. */
static void
take_datagram(
    struct sweep_ask *ask, const struct dns_query *query, const uint8_t *bytes, size_t count)
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

static const struct sweep_try *
find_try(const struct sweep_ask *ask, const struct sweep_socket *socket)
{
	for (unsigned i = 0; i < ask->sent; i++) {
		if (ask->tries[i].socket == socket)
			return &ask->tries[i];
	}
	return NULL;
}

/* Takes what a socket has, mostly one answer.  Says whether that ended anything. */
bool
sweep_ask_hear(struct sweep *sweep, struct sweep_socket *socket)
{
	struct sweep_ask *ask = socket->user;

	if (ask == NULL)
		return false; /* it was closed a moment ago */
	for (unsigned i = 0; i < DRAIN_MAX && socket->user == ask; i++) {
		bool    foreign = false;
		ssize_t got = sweep_lane_recv(
		    socket, sweep->heard, sizeof(sweep->heard), &foreign);

		if (got >= 0 && foreign)
			ask->strays++;
		else if (got >= 0)
			take_datagram(
			    ask, &find_try(ask, socket)->query, sweep->heard, (size_t)got);
		else if (errno == EAGAIN)
			return false;
		else if (errno != EINTR)
			finish_failed(ask, "waiting for the answer", socket->fd, errno);
	}
	return socket->user != ask;
}

/* Before silence is spoken of.  May end the ask. */
static void
hear_ask(struct sweep_ask *ask)
{
	struct sweep *sweep = ask->slot->sweep;

	for (unsigned i = 0; i < SWEEP_TRIES_MAX && ask->state == ASK_UDP; i++) {
		if (ask->tries[i].socket != NULL)
			sweep_ask_hear(sweep, ask->tries[i].socket);
	}
}

void
sweep_ask_reset(struct sweep_ask *ask, struct sweep_slot *slot)
{
	ask->slot = slot;
	ask->state = ASK_UDP;
	for (unsigned i = 0; i < SWEEP_TRIES_MAX; i++)
		ask->tries[i].socket = NULL;
	ask->sent = ask->strays = 0;
	ask->case_off = ask->case_changed = ask->truncated = false;
	ask->tcp = NULL;
	ask->tcp_over = false;
}

void
sweep_ask_start(struct sweep_ask *ask, int64_t now_us)
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

/* A question had half its time: once more, unless the resolver says nothing at all. */
void
sweep_ask_repeat(struct sweep_ask *ask, int64_t now_us)
{
	struct sweep_lane *lane = lane_of(ask);

	hear_ask(ask);
	if (ask->state != ASK_UDP)
		return;
	sweep_lane_missed(lane, ask->slot->started_us, now_us);
	if (ask->sent == SWEEP_TRIES_MAX || sweep_lane_is_silent(lane, now_us))
		return;
	sweep_lane_pay(lane, now_us);
	ask->case_off = true; /* a slow one that does not keep the case would not be heard */
	send_try(ask);
}

void
sweep_ask_expire(struct sweep_ask *ask, int64_t now_us, bool late)
{
	struct sweep *sweep = ask->slot->sweep;

	hear_ask(ask);
	if (ask->tcp_over)
		sweep_ask_take_tcp(ask);
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
	sweep_lane_missed(lane_of(ask), ask->slot->started_us, now_us);
	finish_badly(ask, OUTCOME_TIMEOUT,
	    explain(sweep, "no answer within %lld ms, asked %u times, %u stray datagrams",
	        (long long)sweep->options.limit_ms, ask->sent, ask->strays));
}

void
sweep_ask_refuse(struct sweep_ask *ask, const char *why)
{
	finish_badly(ask, OUTCOME_LOCAL,
	    explain(ask->slot->sweep, "'%.80s' is no host name: %s", ask->slot->host, why));
}

void
sweep_ask_free(struct sweep_ask *ask)
{
	close_tries(ask, false);
	dns_tcp_free(ask->tcp);
}
