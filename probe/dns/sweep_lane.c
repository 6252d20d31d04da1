#include "probe/dns/sweep_lane.h"

#include "base/arena.h"
#include "base/clock.h"
#include "probe/dns/dns_socket.h"
#include "probe/dns/sweep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* One question, and what may be saved up: one second's worth. */
static const int64_t price = US_PER_S;

static int64_t
most_credit(const struct sweep_lane *lane)
{
	return lane->queries_per_s * price;
}

/* To send to "any address" is to send to this host, which answers by another name. */
static void
name_loopback(struct addr *peer)
{
	static const uint8_t none[sizeof(peer->bytes)];

	if (memcmp(peer->bytes, none, sizeof(none)) != 0)
		return;
	if (peer->family == 4)
		peer->bytes[0] = 127;
	peer->bytes[peer->family == 4 ? 3 : 15] = 1;
}

void
sweep_lane_init(struct sweep_lane *lane, int64_t now_us)
{
	lane->credit = most_credit(lane);
	lane->counted_us = now_us;
	name_loopback(&lane->peer);
	lane->peer_bytes = addr_to_sockaddr(&lane->peer, &lane->peer_name);
}

static void
free_list(struct sweep_socket *first)
{
	while (first != NULL) {
		struct sweep_socket *next = first->next;

		if (first->fd != -1)
			close(first->fd);
		free(first);
		first = next;
	}
}

void
sweep_lane_fini(struct sweep_lane *lane)
{
	free_list(lane->rested);
	free_list(lane->empty);
}

int64_t
sweep_lane_wait_us(struct sweep_lane *lane, int64_t now_us)
{
	int64_t passed_us = now_us - lane->counted_us;

	if (lane->queries_per_s == 0)
		return 0;
	if (passed_us > US_PER_S)
		passed_us = US_PER_S;
	lane->credit += passed_us * lane->queries_per_s;
	lane->counted_us = now_us;
	if (lane->credit > most_credit(lane))
		lane->credit = most_credit(lane);
	if (lane->credit >= price)
		return 0;
	return (price - lane->credit) / lane->queries_per_s + 1;
}

/* The question that tries again after a rest begins the next one, lest all names that come
 * meanwhile try with it. */
void
sweep_lane_pay(struct sweep_lane *lane, int64_t now_us)
{
	lane->credit -= price;
	if (lane->silent >= SWEEP_SILENT_MAX)
		lane->rest_until_us = now_us + SWEEP_REST_MS * US_PER_MS;
}

bool
sweep_lane_is_silent(const struct sweep_lane *lane, int64_t now_us)
{
	return lane->silent >= SWEEP_SILENT_MAX && now_us < lane->rest_until_us;
}

void
sweep_lane_heard(struct sweep_lane *lane, int64_t now_us)
{
	lane->heard_us = now_us;
	lane->silent = 0;
}

void
sweep_lane_missed(struct sweep_lane *lane, int64_t asked_us, int64_t now_us)
{
	if (lane->heard_us >= asked_us)
		return; /* it lives: the name is at fault */
	lane->silent++;
	if (lane->silent >= SWEEP_SILENT_MAX)
		lane->rest_until_us = now_us + SWEEP_REST_MS * US_PER_MS;
}

static struct sweep_socket *
pop(struct sweep_socket **list)
{
	struct sweep_socket *first = *list;

	if (first != NULL)
		*list = first->next;
	return first;
}

static void
push(struct sweep_socket **list, struct sweep_socket *socket)
{
	socket->next = *list;
	*list = socket;
}

static void
drop_descriptor(struct sweep_lane *lane, struct sweep_socket *socket)
{
	int cause = errno;

	close(socket->fd); /* takes it out of epoll too */
	socket->fd = -1;
	lane->sockets--;
	push(&lane->empty, socket);
	errno = cause;
}

static struct sweep_socket *
open_new(struct sweep_lane *lane)
{
	struct sweep_socket *socket = pop(&lane->empty);

	if (socket == NULL)
		socket = mem_alloc(sizeof(*socket));
	socket->lane = lane;
	socket->watched = false;
	socket->fd = dns_socket_open_loose(&lane->source, &lane->peer);
	if (socket->fd == -1) {
		push(&lane->empty, socket);
		return NULL;
	}
	if (++lane->sockets > lane->sockets_most)
		lane->sockets_most = lane->sockets;
	return socket;
}

struct sweep_socket *
sweep_lane_open(struct sweep_lane *lane, void *user)
{
	struct sweep_socket *socket = pop(&lane->rested);

	if (socket == NULL)
		socket = open_new(lane);
	if (socket != NULL)
		socket->user = user;
	return socket;
}

static bool
stop_watching(struct sweep_lane *lane, struct sweep_socket *socket)
{
	if (socket->watched && epoll_ctl(lane->epoll, EPOLL_CTL_DEL, socket->fd, NULL) != 0)
		return false;
	socket->watched = false;
	return true;
}

void
sweep_lane_close(struct sweep_lane *lane, struct sweep_socket *socket, bool clean)
{
	socket->user = NULL;
	if (clean && stop_watching(lane, socket) && dns_socket_leave(socket->fd))
		push(&lane->rested, socket);
	else
		drop_descriptor(lane, socket);
}

/* Without it an answer waits until the deadline, where every socket is heard once more. */
void
sweep_lane_watch(struct sweep_lane *lane, struct sweep_socket *socket)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = socket };

	if (!socket->watched && epoll_ctl(lane->epoll, EPOLL_CTL_ADD, socket->fd, &event) == 0)
		socket->watched = true;
}

ssize_t
sweep_lane_send(struct sweep_socket *socket, const void *bytes, size_t count)
{
	const struct sweep_lane *lane = socket->lane;

	return sendto(socket->fd, bytes, count, MSG_DONTWAIT,
	    (const struct sockaddr *)&lane->peer_name, lane->peer_bytes);
}

ssize_t
sweep_lane_recv(struct sweep_socket *socket, void *bytes, size_t room, bool *foreign)
{
	const struct addr      *peer = &socket->lane->peer;
	struct sockaddr_storage name;
	socklen_t               name_bytes = sizeof(name);
	struct addr             from;
	ssize_t got = recvfrom(socket->fd, bytes, room, MSG_DONTWAIT | MSG_TRUNC,
	    (struct sockaddr *)&name, &name_bytes);

	if (got < 0)
		return got;
	from = addr_from_sockaddr((struct sockaddr *)&name);
	*foreign = !addr_equal(&from, peer) || from.port != peer->port ||
	    (peer->scope != 0 && from.scope != peer->scope);
	return got;
}
