#include "probe/dns/dns_tcp.h"

#include "base/arena.h"
#include "base/wbuf.h"
#include "probe/dns/dns_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENGTH_BYTES = 2 }; /* before every message [rfc1035 4.2.2] */

/* In the order of life.  enter() alone writes tcp->state. */
enum tcp_state { TCP_CONNECT, TCP_SAY, TCP_HEAR, TCP_OVER };

struct dns_tcp {
	struct dns_tcp_ask ask;
	enum tcp_state     state, reached; /* reached: the last before the end */
	int                fd;             /* owned; -1: could not be opened */
	int                open_cause;     /* errno of that */
	struct loop_watch  watch;
	uint8_t            out[LENGTH_BYTES + DNS_QUERY_BYTES];
	size_t             out_count, out_at;
	struct wbuf        in;
};

static void
enter(struct dns_tcp *tcp, enum tcp_state next)
{
	if (next != TCP_OVER)
		tcp->reached = next;
	tcp->state = next;
	if (next == TCP_OVER)
		loop_watch_stop(&tcp->watch);
	else
		loop_watch_set(
		    &tcp->watch, tcp->fd, next == TCP_HEAR ? LOOP_READ : LOOP_WRITE, -1);
}

static void
finish(struct dns_tcp *tcp, enum outcome how, int cause)
{
	enter(tcp, TCP_OVER);
	tcp->ask.on_over(tcp->ask.arg, how, cause);
}

static void
finish_failed(struct dns_tcp *tcp, int cause)
{
	finish(tcp, dns_socket_outcome(cause), cause);
}

/* The bytes that the message has with its length in front, as far as that is known. */
static size_t
measure_message(const struct dns_tcp *tcp)
{
	if (tcp->in.count < LENGTH_BYTES)
		return LENGTH_BYTES;
	return LENGTH_BYTES + ((size_t)tcp->in.bytes[0] << 8 | tcp->in.bytes[1]);
}

static void
step_hear(struct dns_tcp *tcp)
{
	uint8_t bytes[4096];
	size_t  room;
	ssize_t got;

	while (tcp->in.count < LENGTH_BYTES || tcp->in.count < measure_message(tcp)) {
		room = measure_message(tcp) - tcp->in.count;
		got = recv(
		    tcp->fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes), MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			enter(tcp, TCP_HEAR);
			return;
		}
		if (got <= 0) {
			finish(tcp, got == 0 ? OUTCOME_CLOSED : dns_socket_outcome(errno),
			    got == 0 ? 0 : errno);
			return;
		}
		wbuf_put(&tcp->in, bytes, (size_t)got);
	}
	finish(tcp, OUTCOME_OK, 0);
}

static void
step_say(struct dns_tcp *tcp)
{
	while (tcp->out_at < tcp->out_count) {
		ssize_t sent = send(tcp->fd, tcp->out + tcp->out_at,
		    tcp->out_count - tcp->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			if (errno == EAGAIN)
				enter(tcp, TCP_SAY);
			else
				finish_failed(tcp, errno);
			return;
		}
		tcp->out_at += (size_t)sent;
	}
	enter(tcp, TCP_HEAR);
	step_hear(tcp);
}

static void
step_connect(struct dns_tcp *tcp)
{
	struct pollfd ready = { .fd = tcp->fd, .events = POLLOUT };
	int           cause = 0;
	socklen_t     bytes = sizeof(cause);

	if (poll(&ready, 1, 0) <= 0) {
		enter(tcp, TCP_CONNECT);
		return;
	}
	getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &cause, &bytes);
	if (cause != 0) {
		finish_failed(tcp, cause);
		return;
	}
	enter(tcp, TCP_SAY);
	step_say(tcp);
}

void
dns_tcp_hear(struct dns_tcp *tcp)
{
	if (tcp->fd == -1 && tcp->state != TCP_OVER) {
		finish_failed(tcp, tcp->open_cause);
		return;
	}
	switch (tcp->state) {
	case TCP_CONNECT: step_connect(tcp); break;
	case TCP_SAY: step_say(tcp); break;
	case TCP_HEAR: step_hear(tcp); break;
	case TCP_OVER: break;
	}
}

static void
on_event(void *arg, unsigned what)
{
	dns_tcp_hear(arg);
}

struct dns_tcp *
dns_tcp_start(const struct dns_tcp_ask *ask)
{
	struct dns_tcp *tcp = mem_alloc(sizeof(*tcp));

	tcp->ask = *ask;
	wbuf_init(&tcp->in);
	tcp->out[0] = (uint8_t)(ask->query->count >> 8);
	tcp->out[1] = (uint8_t)ask->query->count;
	memcpy(tcp->out + LENGTH_BYTES, ask->query->bytes, ask->query->count);
	tcp->out_count = LENGTH_BYTES + ask->query->count;
	loop_watch_init(&tcp->watch, ask->loop, on_event, tcp);
	tcp->fd = dns_socket_open(SOCK_STREAM, &ask->source, &ask->peer);
	tcp->open_cause = errno;
	if (tcp->fd != -1)
		enter(tcp, TCP_CONNECT);
	else
		loop_watch_set(&tcp->watch, -1, 0, 0); /* to say so from the loop */
	return tcp;
}

void
dns_tcp_free(struct dns_tcp *tcp)
{
	if (tcp == NULL)
		return;
	loop_watch_fini(&tcp->watch);
	if (tcp->fd != -1)
		close(tcp->fd);
	wbuf_fini(&tcp->in);
	free(tcp);
}

const char *
dns_tcp_doing(const struct dns_tcp *tcp)
{
	switch (tcp->reached) {
	case TCP_CONNECT: return "connecting";
	case TCP_SAY: return "sending the question";
	case TCP_HEAR: return "waiting for the answer";
	case TCP_OVER: return "ending";
	}
	return "?";
}

const uint8_t *
dns_tcp_answer(const struct dns_tcp *tcp, size_t *count)
{
	*count = tcp->in.count - LENGTH_BYTES;
	return tcp->in.bytes + LENGTH_BYTES;
}
