#include "probe/conn.h"

#include "probe/conn_socket.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The life of a connection, in order.  enter() alone writes conn->state. */
enum conn_state {
	CONN_OPEN,    /* nothing done yet: the first round of the loop is awaited */
	CONN_CONNECT, /* SYN sent */
	CONN_TLS,     /* ClientHello sent */
	CONN_SETTLE,  /* it wanted a certificate of ours: does it object to having none? */
	CONN_SAY,
	CONN_HEAR,
	CONN_OVER
};

enum { CHUNK_BYTES = 4096 };

/* A timer that fires later than this after its time says more of us than of the peer. */
static const int64_t late_us = 100 * US_PER_MS;
/* How long a TLS 1.3 server that asked for a certificate may take to object, at least. */
static const int64_t settle_us = 200 * US_PER_MS;

struct conn {
	struct conn_ask   ask;
	struct conn_seen  seen;
	enum conn_state   state;
	int64_t           entered_us[CONN_OVER + 1];
	int64_t           deadline_us;
	int               fd; /* owned; -1 while there is none */
	struct loop_watch watch;
	int64_t           lost_before_us; /* of the loop, when the connection began */
	int64_t           over_us;        /* now less deadline_us, at the last event */
	struct conn_tls  *tls;            /* owned; NULL before CONN_TLS */
	struct wbuf       out;            /* of which said_bytes are sent */
	size_t            said_bytes;
	struct wbuf       in;    /* heard and not consumed */
	bool              fresh; /* hear() has not seen `in` as it is */
	size_t            heard_bytes;
	bool              leaving; /* the dialogue is done but for its farewell */
};

static int64_t
now_us(const struct conn *conn)
{
	return clock_mono_us(conn->ask.clock);
}

static void
enter(struct conn *conn, enum conn_state next)
{
	conn->state = next;
	if (conn->entered_us[next] == 0) /* a dialogue says more than once */
		conn->entered_us[next] = now_us(conn);
}

/* For one event, and no longer than until limit_us after now or the deadline. */
static void
wait_until(struct conn *conn, unsigned want, int64_t limit_us)
{
	int64_t left_us = conn->deadline_us - now_us(conn);

	if (limit_us < left_us)
		left_us = limit_us;
	loop_watch_set(&conn->watch, conn->fd, want, left_us > 0 ? left_us : 0);
}

static void
wait_for(struct conn *conn, unsigned want)
{
	wait_until(conn, want, INT64_MAX);
}

static uint32_t
passed_us(const struct conn *conn, enum conn_state since)
{
	int64_t us = now_us(conn) - conn->entered_us[since];

	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

/* The outcome of the stage in which the connection is. */
static enum outcome *
find_stage(struct conn *conn)
{
	if (conn->state <= CONN_CONNECT)
		return &conn->seen.tcp;
	return conn->state <= CONN_SETTLE ? &conn->seen.tls : &conn->seen.dialog;
}

/* The stage ended so, and with it the connection; on_event() calls on_over(). */
static void
end(struct conn *conn, enum outcome how, const char *detail)
{
	*find_stage(conn) = how;
	if (detail != NULL)
		conn->seen.detail = detail;
	if (conn->tls != NULL)
		conn_tls_facts(conn->tls, &conn->seen.facts);
	loop_watch_stop(&conn->watch);
	enter(conn, CONN_OVER);
}

static void
end_errno(struct conn *conn, int error, const char *what)
{
	conn->seen.os_errno = error;
	end(conn, conn_socket_outcome(error),
	    conn_socket_cause(conn->fd, error, what, conn->ask.arena));
}

static void
step_open(struct conn *conn)
{
	struct sockaddr_storage to;
	unsigned                count = addr_to_sockaddr(&conn->ask.peer, &to);
	struct addr             peer = addr_from_sockaddr((struct sockaddr *)&to);
	const char             *what;
	int                     result, error;

	if (conn->ask.refused != NULL) {
		end(conn, OUTCOME_LOCAL, conn->ask.refused);
		return;
	}
	if (conn->ask.allows != NULL && !conn->ask.allows(conn->ask.allows_arg, &peer)) {
		end(conn, OUTCOME_POLICY,
		    "the policy of this machine does not allow the address");
		return;
	}
	conn->fd = conn_socket_open(&peer, &conn->ask.source, &what);
	if (conn->fd < 0) {
		conn->seen.os_errno = errno;
		end(conn, OUTCOME_LOCAL,
		    conn_socket_cause(-1, conn->seen.os_errno, what, conn->ask.arena));
		return;
	}
	enter(conn, CONN_CONNECT);
	result = connect(conn->fd, (struct sockaddr *)&to, count);
	error = errno;
	/* Now, so that it is known of a connection that fails, too. */
	conn->seen.local = conn_socket_local(conn->fd);
	if (result == 0 || error == EINPROGRESS)
		wait_for(conn, LOOP_WRITE);
	else
		end_errno(conn, error, "connect");
}

static bool
has_more(const struct conn *conn)
{
	return conn->ask.roots != NULL || conn->ask.dialog != NULL;
}

/* What was offered is what the dialogue speaks: a peer that did not take it [rfc7301 3.2] would
 * hear noise. */
static void
check_alpn(struct conn *conn)
{
	const char *agreed = conn_tls_alpn(conn->tls);

	if (strcmp(agreed, conn->ask.alpn) == 0)
		return;
	if (agreed[0] == '\0')
		agreed = "no protocol";
	end(conn, OUTCOME_BROKE_PROTOCOL,
	    arena_printf(conn->ask.arena, "the handshake agreed on %s, %s was offered", agreed,
	        conn->ask.alpn));
}

/* What comes behind a stage that went well. */
static void
go_on(struct conn *conn, enum conn_state next)
{
	if (next == CONN_TLS && conn->ask.roots == NULL)
		next = CONN_SAY;
	if (next == CONN_SAY && conn->ask.dialog == NULL) {
		end(conn, OUTCOME_OK, NULL);
		return;
	}
	*find_stage(conn) = OUTCOME_OK;
	enter(conn, next);
	if (next == CONN_SAY && conn->ask.alpn != NULL)
		check_alpn(conn);
}

static void
step_connect(struct conn *conn)
{
	int error;

	if (!conn_socket_is_writable(conn->fd)) {
		wait_for(conn, LOOP_WRITE);
		return;
	}
	error = conn_socket_error(conn->fd);
	/* A RST that overtook us shows that the connection had stood; whether it is seen here or
	 * by the next stage is chance, so where there is a next stage it is that one's. */
	if (error == ECONNRESET && has_more(conn))
		error = 0;
	if (error != 0) {
		end_errno(conn, error, "connect");
		return;
	}
	conn->seen.connect_us = passed_us(conn, CONN_CONNECT);
	conn_socket_stands(conn->fd);
	go_on(conn, CONN_TLS);
}

/* Waits for what the layer below wants; false when it can never be. */
static bool
wait_io(struct conn *conn, enum conn_io io)
{
	if (io == CONN_IO_OVER)
		return false;
	wait_for(conn, io == CONN_IO_WANT_WRITE ? LOOP_WRITE : LOOP_READ);
	return true;
}

static void
end_tls(struct conn *conn)
{
	conn->seen.os_errno = conn_tls_errno(conn->tls);
	end(conn, conn_tls_outcome(conn->tls), conn_tls_detail(conn->tls));
}

static void
open_tls(struct conn *conn)
{
	conn->tls = conn_tls_new(conn->ask.roots, conn->fd, conn->ask.host,
	    clock_wall_ms(conn->ask.clock), conn->ask.arena);
	if (conn->ask.alpn != NULL)
		conn_tls_offer(conn->tls, conn->ask.alpn);
}

static void
step_tls(struct conn *conn)
{
	enum conn_io io;

	if (conn->tls == NULL)
		open_tls(conn);
	io = conn_tls_shake(conn->tls);
	if (io != CONN_IO_DONE) {
		if (!wait_io(conn, io))
			end_tls(conn);
		return;
	}
	conn->seen.tls_us = passed_us(conn, CONN_TLS);
	if (conn_tls_outcome(conn->tls) != OUTCOME_OK)
		end_tls(conn);
	else
		go_on(conn, conn_tls_is_asked(conn->tls) ? CONN_SETTLE : CONN_SAY);
}

/* A handshake that went well without our certificate being asked for is the peer's last word;
 * no time is spent here then.  Else its objection needs a round trip, and silence is none. */
static void
step_settle(struct conn *conn)
{
	int64_t      limit_us = 2 * (int64_t)conn->seen.tls_us;
	int64_t      left_us;
	enum conn_io io = conn_tls_settle(conn->tls);

	if (limit_us < settle_us)
		limit_us = settle_us;
	left_us = conn->entered_us[CONN_SETTLE] + limit_us - now_us(conn);
	if (io == CONN_IO_OVER)
		end_tls(conn);
	else if (io == CONN_IO_DONE || left_us <= 0 || conn->over_us >= 0)
		go_on(conn, CONN_SAY);
	else
		wait_until(conn, io == CONN_IO_WANT_WRITE ? LOOP_WRITE : LOOP_READ, left_us);
}

/* Over plain TCP as conn_tls_read() and conn_tls_write() over TLS. */
static enum conn_io
judge_plain(struct conn *conn, ssize_t count, enum conn_io want)
{
	if (count >= 0)
		return CONN_IO_DONE;
	if (errno == EAGAIN || errno == EINTR)
		return want;
	conn->seen.os_errno = errno;
	return CONN_IO_OVER;
}

static enum conn_io
send_some(struct conn *conn, size_t *sent)
{
	const uint8_t *bytes = conn->out.bytes + conn->said_bytes;
	size_t         count = conn->out.count - conn->said_bytes;
	ssize_t        result;

	if (conn->tls != NULL)
		return conn_tls_write(conn->tls, bytes, count, sent);
	result = conn_socket_send(conn->fd, bytes, count);
	*sent = result > 0 ? (size_t)result : 0;
	return judge_plain(conn, result, CONN_IO_WANT_WRITE);
}

static enum conn_io
receive_some(struct conn *conn, uint8_t *bytes, size_t room, size_t *count)
{
	ssize_t result;

	if (conn->tls != NULL)
		return conn_tls_read(conn->tls, bytes, room, count);
	result = conn_socket_receive(conn->fd, bytes, room);
	*count = result > 0 ? (size_t)result : 0;
	return result == 0 ? CONN_IO_OVER : judge_plain(conn, result, CONN_IO_WANT_READ);
}

/* The layer below is over while the dialogue was not. */
static void
end_io(struct conn *conn)
{
	int error = conn->seen.os_errno;

	if (conn->tls != NULL)
		end_tls(conn);
	else if (error != 0)
		end_errno(conn, error, conn->ask.dialog->name);
	else
		end(conn, OUTCOME_CLOSED, "the peer closed before it had answered");
}

static void
step_say(struct conn *conn)
{
	enum conn_io io;
	size_t       sent;

	if (conn->said_bytes == 0 && conn->out.count == 0)
		conn->ask.dialog->say(conn->ask.dialog_self, &conn->out);
	while (conn->said_bytes < conn->out.count) {
		io = send_some(conn, &sent);
		if (io != CONN_IO_DONE && conn->leaving)
			break;
		if (io != CONN_IO_DONE) {
			if (!wait_io(conn, io))
				end_io(conn);
			return;
		}
		conn->said_bytes += sent;
	}
	wbuf_clear(&conn->out);
	conn->said_bytes = 0;
	if (conn->leaving)
		end(conn, OUTCOME_OK, NULL);
	else
		enter(conn, CONN_HEAR);
}

/* Shows the dialogue what is there; true when it wants more of it. */
static bool
hear(struct conn *conn)
{
	struct rcur in = rcur_of(conn->in.bytes, conn->in.count);
	enum next   next = conn->ask.dialog->hear(conn->ask.dialog_self, &in);
	size_t      left = rcur_ok(&in) ? rcur_left(&in) : conn->in.count;

	assert(next != NEXT_SAY || left < conn->in.count);
	memmove(conn->in.bytes, conn->in.bytes + conn->in.count - left, left);
	conn->in.count = left;
	conn->fresh = left > 0 && next == NEXT_SAY;
	switch (next) {
	case NEXT_HEAR: return true;
	case NEXT_SAY: enter(conn, CONN_SAY); return false;
	case NEXT_DONE:
		conn->seen.dialog_us = passed_us(conn, CONN_SAY);
		end(conn, OUTCOME_OK, NULL);
		return false;
	case NEXT_LEAVE:
		conn->seen.dialog_us = passed_us(conn, CONN_SAY);
		conn->leaving = true;
		enter(conn, CONN_SAY);
		return false;
	case NEXT_BROKEN:
		end(conn, OUTCOME_BROKE_PROTOCOL, "the answer does not follow the protocol");
		return false;
	}
	return false;
}

/* Until the layer below is empty: TLS may hold bytes that the socket does not show. */
static void
step_hear(struct conn *conn)
{
	enum conn_io io;
	uint8_t      bytes[CHUNK_BYTES];
	size_t       count;

	while (!conn->fresh || hear(conn)) {
		io = receive_some(conn, bytes, sizeof(bytes), &count);
		if (io != CONN_IO_DONE) {
			if (!wait_io(conn, io))
				end_io(conn);
			return;
		}
		conn->heard_bytes += count;
		if (conn->heard_bytes > CONN_HEARD_MAX_BYTES) {
			end(conn, OUTCOME_TOO_LARGE, "the peer's answer does not end");
			return;
		}
		wbuf_put(&conn->in, bytes, count);
		conn->fresh = true;
	}
}

static void
step(struct conn *conn)
{
	switch (conn->state) {
	case CONN_OPEN: step_open(conn); break;
	case CONN_CONNECT: step_connect(conn); break;
	case CONN_TLS: step_tls(conn); break;
	case CONN_SETTLE: step_settle(conn); break;
	case CONN_SAY: step_say(conn); break;
	case CONN_HEAR: step_hear(conn); break;
	case CONN_OVER: break;
	}
}

/* What the peer owes us. */
static const char *
describe_wait(const struct conn *conn)
{
	if (conn->state <= CONN_CONNECT)
		return "no answer to our SYN";
	if (conn->state == CONN_TLS && conn_tls_heard_bytes(conn->tls) == 0)
		return "connected, but no answer to the ClientHello";
	if (conn->state == CONN_TLS)
		return "the peer began the handshake and went silent";
	return conn->state == CONN_SAY ? "the peer takes nothing more" : "no whole answer";
}

/* After the last look.  When we were late ourselves, an answer that is not there proves nothing:
 * on a machine that was paused the deadline passes before the packets are let in. */
static void
end_past(struct conn *conn)
{
	long long over_ms = conn->over_us / US_PER_MS, limit_ms = conn->ask.limit_ms;

	if (conn->over_us > late_us)
		end(conn, OUTCOME_AGENT_LATE,
		    arena_printf(conn->ask.arena, "our own loop was %lld ms late", over_ms));
	else
		end(conn, OUTCOME_TIMEOUT,
		    arena_printf(
		        conn->ask.arena, "%s within %lld ms", describe_wait(conn), limit_ms));
}

/* A timer that fires on time may still end a wait during most of which the machine stood still:
 * what the loop lost meanwhile is given back, at most once over. */
static void
note_time(struct conn *conn)
{
	int64_t limit_us = conn->ask.limit_ms * US_PER_MS;
	int64_t lost_us = loop_lost_us(conn->ask.loop) - conn->lost_before_us;

	conn->over_us = now_us(conn) - conn->deadline_us;
	if (conn->over_us < 0 || conn->over_us > late_us)
		return;
	conn->deadline_us = conn->entered_us[CONN_OPEN] + limit_us +
	    (lost_us < limit_us ? lost_us : limit_us);
	conn->over_us = now_us(conn) - conn->deadline_us;
}

/* Looks at the socket in any case: libevent drops "readable" when the time is up in the same
 * round.  on_over() is the last thing that happens to conn, and may free it. */
static void
on_event(void *arg, unsigned what)
{
	struct conn    *conn = arg;
	enum conn_state before;

	note_time(conn);
	do {
		before = conn->state;
		step(conn);
	} while (conn->state != before && conn->state != CONN_OVER);
	if (conn->over_us >= 0 && conn->state != CONN_OVER)
		end_past(conn);
	if (conn->state == CONN_OVER)
		conn->ask.on_over(conn->ask.arg);
}

struct conn *
conn_start(const struct conn_ask *ask)
{
	struct conn *conn = mem_alloc(sizeof(*conn));

	assert(ask->limit_ms > 0 && ask->on_over != NULL && ask->peer.family != 0);
	assert(ask->roots == NULL || ask->host != NULL);
	assert(ask->alpn == NULL || ask->roots != NULL);
	conn->ask = *ask;
	conn->fd = -1;
	conn->seen.detail = "";
	conn->seen.facts = (struct conn_tls_facts){ "", "", 0, "", "", "", "", 0, 0, 0, 0 };
	conn->lost_before_us = loop_lost_us(ask->loop);
	loop_watch_init(&conn->watch, ask->loop, on_event, conn);
	enter(conn, CONN_OPEN);
	conn->deadline_us = conn->entered_us[CONN_OPEN] + ask->limit_ms * US_PER_MS;
	loop_watch_set(&conn->watch, -1, 0, 0);
	return conn;
}

void
conn_free(struct conn *conn)
{
	if (conn == NULL)
		return;
	loop_watch_fini(&conn->watch);
	conn_tls_free(conn->tls);
	if (conn->fd >= 0)
		close(conn->fd);
	wbuf_fini(&conn->out);
	wbuf_fini(&conn->in);
	free(conn);
}

const struct conn_seen *
conn_seen(const struct conn *conn)
{
	return &conn->seen;
}
