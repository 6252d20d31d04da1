#include "probe/dns/dns_alone.h"

#include "base/digest.h"
#include "probe/dns/dns_socket.h"
#include "probe/dns/dns_tcp.h"

#include <stdlib.h>
#include <string.h>

/* A timer that fires later than this says that our own loop was late. */
static const int64_t late_us = 100 * US_PER_MS;

/* With EDNS, and again without for a server that does not understand it. */
enum { TRIES_MAX = 2 };

struct dns_alone {
	struct probe     *probe; /* borrowed; outlives us */
	struct dns_query  query;
	struct dns_tcp   *tries[TRIES_MAX]; /* owned */
	unsigned          try_count;
	struct loop_watch timer;
	int64_t           started_us, deadline_us;
	bool              over;
	struct dns_heard  heard;
	void (*on_over)(void *arg);
	void *arg;
};

static void send_try(struct dns_alone *alone, bool edns);

static int64_t
read_clock(const struct dns_alone *alone)
{
	return clock_mono_us(probe_options(alone->probe)->clock);
}

static struct arena *
arena_of(const struct dns_alone *alone)
{
	return probe_ask(alone->probe)->arena;
}

static struct dns_tcp *
last_try(const struct dns_alone *alone)
{
	return alone->tries[alone->try_count - 1];
}

/* The one way out. */
static void
finish(struct dns_alone *alone, enum outcome how, const char *detail)
{
	alone->over = true;
	loop_watch_stop(&alone->timer);
	alone->heard.how = how;
	alone->heard.detail = detail;
	alone->heard.took_us = read_clock(alone) - alone->started_us;
	alone->on_over(alone->arg);
}

static void
finish_failed(struct dns_alone *alone, enum outcome how, int cause)
{
	finish(alone, how,
	    arena_printf(arena_of(alone), "%s: %s", dns_tcp_doing(last_try(alone)),
	        how == OUTCOME_CLOSED ? "the server closed the connection" : strerror(cause)));
}

static void
accept_answer(struct dns_alone *alone, const uint8_t *bytes, size_t count)
{
	struct arena      *arena = arena_of(alone);
	struct dns_answer *answer = arena_alloc(arena, sizeof(*answer));
	struct err         err;

	if (!dns_answer_parse(answer, arena, &alone->query, bytes, count, &err)) {
		finish(alone,
		    err.kind == ERR_LIMIT ? OUTCOME_TOO_LARGE : OUTCOME_BROKE_PROTOCOL,
		    arena_printf(arena, "malformed answer: %s", err.text));
		return;
	}
	alone->heard.answer = answer;
	alone->heard.transport = TRANSPORT_TCP;
	finish(alone, OUTCOME_OK, NULL);
}

static bool
rejects_edns(const struct dns_alone *alone, const uint8_t *bytes)
{
	unsigned rcode = dns_answer_flags(bytes) & 15;

	return alone->query.edns && (rcode == DNS_RCODE_FORMERR || rcode == DNS_RCODE_NOTIMP);
}

static void
on_tcp_over(void *arg, enum outcome how, int cause)
{
	struct dns_alone *alone = arg;
	const uint8_t    *bytes;
	size_t            count;

	if (alone->over)
		return; /* the deadline was faster */
	if (how != OUTCOME_OK) {
		finish_failed(alone, how, cause);
		return;
	}
	bytes = dns_tcp_answer(last_try(alone), &count);
	if (dns_answer_match(&alone->query, bytes, count) == DNS_MATCH_STRAY)
		finish(alone, OUTCOME_BROKE_PROTOCOL, "an answer to another question");
	else if (rejects_edns(alone, bytes))
		send_try(alone, false);
	else if (dns_answer_is_truncated(bytes))
		finish(alone, OUTCOME_BROKE_PROTOCOL, "a truncated answer");
	else
		accept_answer(alone, bytes, count);
}

static void
on_timer(void *arg, unsigned what)
{
	struct dns_alone *alone = arg;
	bool              late = read_clock(alone) - alone->deadline_us > late_us;

	/* Our own loop was late, so the answer may be waiting. */
	if (late)
		dns_tcp_hear(last_try(alone));
	if (alone->over)
		return;
	if (late)
		finish(alone, OUTCOME_AGENT_LATE,
		    "our own loop was late; nothing is said of the server");
	else
		finish(alone, OUTCOME_TIMEOUT,
		    arena_printf(arena_of(alone), "%s until the deadline",
		        dns_tcp_doing(last_try(alone))));
}

static void
send_try(struct dns_alone *alone, bool edns)
{
	const struct probe_options *options = probe_options(alone->probe);
	const struct probe_ask     *ask = probe_ask(alone->probe);
	uint16_t                    id;

	digest_random(&id, sizeof(id));
	dns_query_stamp(&alone->query, id, edns);
	alone->tries[alone->try_count++] = dns_tcp_start(
	    &(struct dns_tcp_ask){ .loop = options->loop,
	        .source = options->source,
	        .peer = ask->peer,
	        .query = &alone->query,
	        .on_over = on_tcp_over,
	        .arg = alone });
}

/* Says that it is over when there is no way to ask. */
static void
ask_peer(struct dns_alone *alone, uint16_t type)
{
	const struct probe_ask *ask = probe_ask(alone->probe);
	char                    text[ADDR_TEXT];
	struct err              err;

	if (!probe_allows(alone->probe, &ask->peer)) {
		finish(alone, OUTCOME_POLICY,
		    arena_printf(ask->arena, "policy does not allow %s",
		        addr_render_port(&ask->peer, text, sizeof(text))));
		return;
	}
	if (!dns_query_build(&alone->query, ask->host, type, &err)) {
		finish(alone, OUTCOME_LOCAL, arena_strdup(ask->arena, err.text));
		return;
	}
	send_try(alone, true);
	loop_watch_set(&alone->timer, -1, 0, ask->limit_ms * US_PER_MS);
}

struct dns_alone *
dns_alone_start(struct probe *probe, uint16_t type, void (*on_over)(void *arg), void *arg)
{
	struct dns_alone *alone = mem_alloc(sizeof(*alone));

	*alone = (struct dns_alone){ .probe = probe, .on_over = on_over, .arg = arg };
	alone->started_us = read_clock(alone);
	alone->deadline_us = alone->started_us + probe_ask(probe)->limit_ms * US_PER_MS;
	loop_watch_init(&alone->timer, probe_options(probe)->loop, on_timer, alone);
	ask_peer(alone, type);
	return alone;
}

void
dns_alone_free(struct dns_alone *alone)
{
	if (alone == NULL)
		return;
	loop_watch_fini(&alone->timer);
	for (unsigned i = 0; i < alone->try_count; i++)
		dns_tcp_free(alone->tries[i]);
	free(alone);
}

const struct dns_heard *
dns_alone_heard(const struct dns_alone *alone)
{
	return &alone->heard;
}
