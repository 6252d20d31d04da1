#include "probe/dns/dns_question.h"

#include "base/digest.h"
#include "probe/dns/dns_socket.h"
#include "probe/dns/dns_tcp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* TRIES_MAX: with EDNS, again with EDNS, without.  DRAIN_MAX: datagrams taken in one go, so that
 * a flood cannot hold the loop. */
enum { TRIES_MAX = 3, DRAIN_MAX = 64 };

/* A timer that fires later than this says that our own loop was late. */
static const int64_t late_us = 100 * US_PER_MS;

/* One datagram that was sent, and the socket that waits for its answer. */
struct
try {
	struct dns_question *question; /* borrowed: whose member this is */
	struct dns_query     query;
	int                  fd; /* owned; -1: closed */
	struct loop_watch    watch;
	int64_t              sent_us;
};

/* In the order of life. */
enum question_state { QUESTION_UDP, QUESTION_TCP, QUESTION_OVER };

struct dns_question {
	struct probe       *probe; /* borrowed; outlives us */
	enum question_state state;
	struct dns_query    query;
	const char         *name; /* in the arena */
	struct loop_watch   timer;
	int64_t             timer_due_us, deadline_us;
	struct try          tries[TRIES_MAX];
	bool                edns_off, case_off; /* ask without EDNS; in lower case */
	struct dns_tcp     *tcp;                /* owned; NULL before truncation */
	struct dns_query    tcp_query;
	int64_t             tcp_sent_us; /* when the datagram went whose answer was truncated */
	struct dns_heard    heard;
	void (*on_over)(void *arg);
	void *arg;
};

static void send_try(struct dns_question *q);

static int64_t
read_clock(const struct dns_question *q)
{
	return clock_mono_us(probe_options(q->probe)->clock);
}

static struct arena *
arena_of(const struct dns_question *q)
{
	return probe_ask(q->probe)->arena;
}

static void
close_tries(struct dns_question *q)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		struct try *try = &q->tries[i];

		if (try->fd == -1)
			continue;
		loop_watch_stop(&try->watch);
		close(try->fd);
		try->fd = -1;
	}
}

/* The one way out. */
static void
finish(struct dns_question *q, enum outcome how, const char *detail)
{
	q->state = QUESTION_OVER;
	close_tries(q);
	loop_watch_stop(&q->timer);
	q->heard.how = how;
	q->heard.detail = detail;
	q->on_over(q->arg);
}

/* A socket gave an errno. */
static void
finish_failed(struct dns_question *q, const char *doing, int fd, int cause)
{
	char        text[ADDR_TEXT];
	struct addr router;
	const char *said_by = "";

	if (fd != -1 && dns_socket_blame(fd, &router))
		said_by = arena_printf(
		    arena_of(q), ", says %s by ICMP", addr_render(&router, text, sizeof(text)));
	finish(q, dns_socket_outcome(cause),
	    arena_printf(arena_of(q), "%s: %s%s", doing, strerror(cause), said_by));
}

static void
set_timer(struct dns_question *q)
{
	int64_t now_us = read_clock(q), wait_us = probe_ask(q->probe)->limit_ms * US_PER_MS / 3;

	q->timer_due_us = q->deadline_us;
	if (q->state == QUESTION_UDP && q->heard.tries < TRIES_MAX &&
	    now_us + wait_us < q->deadline_us)
		q->timer_due_us = now_us + wait_us;
	wait_us = q->timer_due_us - now_us;
	loop_watch_set(&q->timer, -1, 0, wait_us > 0 ? wait_us : 0);
}

/* What came, whether it can be read or not: flags, length, and the beginning as evidence. */
static void
keep_bytes(struct dns_question *q, const uint8_t *bytes, size_t count)
{
	size_t   kept = count < DNS_RAW_BYTES ? count : DNS_RAW_BYTES;
	uint8_t *copy;

	q->heard.flags = dns_answer_flags(bytes);
	q->heard.size = count;
	if (!probe_ask(q->probe)->keep_raw)
		return;
	copy = arena_alloc(arena_of(q), kept);
	memcpy(copy, bytes, kept);
	q->heard.bytes = copy;
}

static void
accept_answer(struct dns_question *q, const struct dns_query *query, const uint8_t *bytes,
    size_t count, enum transport transport, int64_t sent_us)
{
	struct dns_answer *answer = arena_alloc(arena_of(q), sizeof(*answer));
	struct err         err;

	keep_bytes(q, bytes, count);
	q->heard.transport = transport;
	q->heard.took_us = read_clock(q) - sent_us;
	if (!dns_answer_parse(answer, arena_of(q), query, bytes, count, &err)) {
		finish(q, err.kind == ERR_LIMIT ? OUTCOME_TOO_LARGE : OUTCOME_BROKE_PROTOCOL,
		    arena_printf(arena_of(q), "malformed answer: %s", err.text));
		return;
	}
	q->heard.answer = answer;
	q->heard.edns_failed = !query->edns && answer->rcode != DNS_RCODE_FORMERR &&
	    answer->rcode != DNS_RCODE_NOTIMP;
	finish(q, OUTCOME_OK, NULL);
}

static void
on_tcp_over(void *arg, enum outcome how, int cause)
{
	struct dns_question *q = arg;
	const char          *doing;
	const uint8_t       *bytes;
	size_t               count;

	if (q->state == QUESTION_OVER)
		return; /* the deadline was faster */
	doing = arena_printf(
	    arena_of(q), "truncated over UDP; over TCP, %s", dns_tcp_doing(q->tcp));
	if (how == OUTCOME_CLOSED)
		finish(q, how,
		    arena_printf(arena_of(q), "%s: the server closed the connection", doing));
	else if (how != OUTCOME_OK)
		finish_failed(q, doing, -1, cause);
	if (how != OUTCOME_OK)
		return;
	bytes = dns_tcp_answer(q->tcp, &count);
	if (dns_answer_match(&q->tcp_query, bytes, count) == DNS_MATCH_STRAY)
		finish(q, OUTCOME_BROKE_PROTOCOL,
		    "truncated over UDP; over TCP an answer to another question");
	else if (dns_answer_is_truncated(bytes))
		finish(q, OUTCOME_BROKE_PROTOCOL, "truncated over UDP and over TCP");
	else
		accept_answer(q, &q->tcp_query, bytes, count, TRANSPORT_TCP, q->tcp_sent_us);
}

static bool
allow_peer(struct dns_question *q)
{
	char        text[ADDR_TEXT];
	struct addr peer = probe_ask(q->probe)->peer;

	if (probe_allows(q->probe, &peer))
		return true;
	finish(q, OUTCOME_POLICY,
	    arena_printf(arena_of(q), "policy does not allow %s",
	        addr_render_port(&peer, text, sizeof(text))));
	return false;
}

static uint16_t
draw_id(void)
{
	uint16_t id;

	digest_random(&id, sizeof(id));
	return id;
}

static void
turn_to_tcp(struct dns_question *q, const struct try *try, const uint8_t *bytes, size_t count)
{
	const struct probe_options *options = probe_options(q->probe);
	struct dns_tcp_ask          ask = { .loop = options->loop,
		         .source = options->source,
		         .peer = probe_ask(q->probe)->peer,
		         .query = &q->tcp_query,
		         .on_over = on_tcp_over,
		         .arg = q };

	q->heard.truncated = true;
	keep_bytes(q, bytes, count); /* all there is, should TCP fail */
	q->tcp_sent_us = try->sent_us;
	q->tcp_query = q->query;
	dns_query_stamp(&q->tcp_query, draw_id(), try->query.edns);
	close_tries(q);
	if (!allow_peer(q))
		return;
	q->state = QUESTION_TCP;
	q->tcp = dns_tcp_start(&ask);
	set_timer(q);
}

/* The server does not understand EDNS: ask once more without, unless that was done. */
static void
give_up_edns(struct dns_question *q)
{
	if (q->edns_off)
		return;
	q->edns_off = true;
	send_try(q);
}

/* The server does not keep letter case, or somebody guessed all but that: ask again in lower
 * case, which takes another guess of socket and id. */
static void
give_up_case(struct dns_question *q)
{
	if (q->case_off) {
		q->heard.strays++;
		return;
	}
	q->case_off = true;
	q->heard.case_changed = true;
	send_try(q);
}

static bool
rejects_edns(const struct try *try, const uint8_t *bytes)
{
	unsigned rcode = bytes[3] & 15;

	return try->query.edns && (rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_NOTIMP);
}

/* count may be more than was read. */
static void
take_datagram(struct try *try, const uint8_t *bytes, size_t count)
{
	struct dns_question *q = try->question;
	size_t               read = count < DNS_UDP_BYTES ? count : DNS_UDP_BYTES;

	switch (dns_answer_match(&try->query, bytes, read)) {
	case DNS_MATCH_STRAY: q->heard.strays++; return;
	case DNS_MATCH_OTHER_CASE: give_up_case(q); return;
	case DNS_MATCH_BARE:
	case DNS_MATCH_ANSWER: break;
	}
	if (rejects_edns(try, bytes))
		give_up_edns(q);
	else if (dns_answer_is_truncated(bytes))
		turn_to_tcp(q, try, bytes, read);
	else if (count > DNS_UDP_BYTES)
		finish(q, OUTCOME_TOO_LARGE,
		    arena_printf(arena_of(q), "a datagram of %zu bytes, at most %d are taken",
		        count, DNS_UDP_BYTES));
	else
		accept_answer(q, &try->query, bytes, count, TRANSPORT_UDP, try->sent_us);
}

/* Takes what is there, without waiting. */
static void
hear(struct try *try)
{
	uint8_t bytes[DNS_UDP_BYTES];
	int     cause;

	for (unsigned i = 0; i < DRAIN_MAX && try->fd != -1; i++) {
		ssize_t got = recv(try->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);

		if (got >= 0) {
			take_datagram(try, bytes, (size_t)got);
			continue;
		}
		cause = errno;
		if (cause == EINTR)
			continue;
		if (cause == EAGAIN)
			return;
		finish_failed(try->question, "waiting for the answer", try->fd, cause);
	}
}

static void
on_readable(void *arg, unsigned what)
{
	struct try *try = arg;

	hear(try);
	if (try->fd != -1)
		loop_watch_set(&try->watch, try->fd, LOOP_READ, -1);
}

/* Our own loop was late, so the answer may be waiting: look before speaking of silence. */
static void
hear_late(struct dns_question *q)
{
	for (unsigned i = 0; i < TRIES_MAX; i++)
		hear(&q->tries[i]);
	if (q->state == QUESTION_TCP)
		dns_tcp_hear(q->tcp);
}

static void
finish_silent(struct dns_question *q, bool late)
{
	struct arena *arena = arena_of(q);
	const char   *strays = "";

	if (late) {
		finish(q, OUTCOME_AGENT_LATE,
		    "our own loop was late; nothing is said of the server");
		return;
	}
	if (q->heard.strays > 0)
		strays = arena_printf(
		    arena, "; %u datagrams did not match the question", q->heard.strays);
	if (q->state == QUESTION_TCP)
		finish(q, OUTCOME_TIMEOUT,
		    arena_printf(arena, "truncated over UDP; over TCP, %s until the deadline%s",
		        dns_tcp_doing(q->tcp), strays));
	else
		finish(q, OUTCOME_TIMEOUT,
		    arena_printf(arena, "no answer within %lld ms, asked %u times%s",
		        (long long)probe_ask(q->probe)->limit_ms, q->heard.tries, strays));
}

static void
on_timer(void *arg, unsigned what)
{
	struct dns_question *q = arg;
	int64_t              now_us = read_clock(q);
	bool                 late = now_us - q->timer_due_us > late_us;

	if (late)
		hear_late(q);
	if (q->state == QUESTION_OVER)
		return;
	if (now_us < q->deadline_us && q->state == QUESTION_UDP && q->heard.tries < TRIES_MAX)
		send_try(q);
	else
		finish_silent(q, late);
}

/* Want of descriptors does not end a question whose earlier sockets still listen. */
static void
fail_to_open(struct dns_question *q, int cause)
{
	if (q->heard.tries > 1 && dns_socket_outcome(cause) == OUTCOME_LOCAL)
		set_timer(q);
	else
		finish_failed(q, "opening a UDP socket", -1, cause);
}

/* Opens a socket and sends the question with an id of its own. */
static void
send_try(struct dns_question *q)
{
	const struct probe_options *options = probe_options(q->probe);
	const struct probe_ask     *ask = probe_ask(q->probe);
	struct try                 *try = &q->tries[q->heard.tries];

	assert(q->heard.tries < TRIES_MAX);
	if (!allow_peer(q))
		return;
	if (q->heard.tries == TRIES_MAX - 1)
		q->edns_off = q->case_off = true;
	q->heard.tries++;
	try->query = q->query;
	dns_query_stamp(&try->query, draw_id(), !q->edns_off);
	if (!q->case_off)
		dns_query_shuffle(&try->query);
	try->fd = dns_socket_open(SOCK_DGRAM, &options->source, &ask->peer);
	if (try->fd == -1) {
		fail_to_open(q, errno);
		return;
	}
	try->sent_us = read_clock(q);
	if (send(try->fd, try->query.bytes, try->query.count, MSG_DONTWAIT) < 0 &&
	    errno != EAGAIN && errno != ENOBUFS) {
		finish_failed(q, "sending the question", try->fd, errno);
		return;
	}
	loop_watch_set(&try->watch, try->fd, LOOP_READ, -1);
	set_timer(q);
}

struct dns_question *
dns_question_start(struct probe *probe, uint16_t type, void (*on_over)(void *arg), void *arg)
{
	const struct probe_ask *ask = probe_ask(probe);
	struct loop            *loop = probe_options(probe)->loop;
	struct dns_question    *q = mem_alloc(sizeof(*q));
	struct err              err;

	*q = (struct dns_question){ .probe = probe, .on_over = on_over, .arg = arg };
	q->deadline_us = read_clock(q) + ask->limit_ms * US_PER_MS;
	loop_watch_init(&q->timer, loop, on_timer, q);
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		q->tries[i].question = q;
		q->tries[i].fd = -1;
		loop_watch_init(&q->tries[i].watch, loop, on_readable, &q->tries[i]);
	}
	if (!dns_query_build(&q->query, ask->host, type, &err)) {
		finish(q, OUTCOME_LOCAL, arena_strdup(ask->arena, err.text));
		return q;
	}
	q->name = dns_query_name(&q->query, ask->arena);
	send_try(q);
	return q;
}

void
dns_question_free(struct dns_question *q)
{
	if (q == NULL)
		return;
	close_tries(q);
	for (unsigned i = 0; i < TRIES_MAX; i++)
		loop_watch_fini(&q->tries[i].watch);
	loop_watch_fini(&q->timer);
	dns_tcp_free(q->tcp);
	free(q);
}

const struct dns_heard *
dns_question_heard(const struct dns_question *q)
{
	return &q->heard;
}

const char *
dns_question_name(const struct dns_question *q)
{
	return q->name;
}
