/* sweep_lane: what a sweep keeps of one resolver: its pace, its silence, its sockets.
 *
 * The sockets are not connected: that would be one more call for each question, and the kernel
 * does no more with it than sweep_lane_recv() does.  A socket whose question was answered is not closed: it gives its port back, and later gets a
 * new one that the kernel draws for the next question.  Where nothing tells the two apart, a
 * close() and a socket() cost more than all the rest.  A socket that heard anything else than its
 * one answer is closed.
 */
#ifndef PROBE_DNS_SWEEP_LANE_H
#define PROBE_DNS_SWEEP_LANE_H

#include "base/addr.h"

#include <sys/socket.h>
#include <sys/types.h>

/* epoll hands it out when something came, if it watches it: to be watched costs more for each
 * datagram than to be asked in vain now and then. */
struct sweep_socket {
	int                  fd;   /* owned; -1: none */
	void                *user; /* borrowed: whose question; NULL: at rest */
	struct sweep_lane   *lane; /* borrowed; owns us */
	bool                 watched;
	struct sweep_socket *next;
};

struct sweep_lane {
	struct addr             peer, source;
	struct sockaddr_storage peer_name; /* the same as peer, for the kernel */
	unsigned                peer_bytes;
	int                     epoll;         /* borrowed */
	unsigned                queries_per_s; /* 0: without limit */
	int64_t                 credit;        /* questions that may go, in millionths */
	int64_t                 counted_us;    /* when credit was right */
	unsigned                silent;        /* questions in a row without an answer */
	int64_t                 rest_until_us; /* 0: not at rest */
	int64_t                 heard_us;      /* when an answer last came; 0: never */
	struct sweep_socket    *rested;        /* open, without a port */
	struct sweep_socket    *empty; /* without a descriptor: never freed meanwhile, since
	                                     * epoll may have handed them out already */
	unsigned                sockets, sockets_most; /* descriptors */
};

/* peer, source, epoll and queries_per_s are set by the owner before. */
void sweep_lane_init(struct sweep_lane *lane, int64_t now_us);
void sweep_lane_fini(struct sweep_lane *lane);

/* Until a question may go; 0: now. */
int64_t sweep_lane_wait_us(struct sweep_lane *lane, int64_t now_us);
void    sweep_lane_pay(struct sweep_lane *lane, int64_t now_us); /* one question goes */

/* Whether to leave the resolver alone. */
bool sweep_lane_is_silent(const struct sweep_lane *lane, int64_t now_us);
void sweep_lane_heard(struct sweep_lane *lane, int64_t now_us);
/* A question that went at asked_us has no answer; it counts when nothing else was heard since. */
void sweep_lane_missed(struct sweep_lane *lane, int64_t asked_us, int64_t now_us);

/* Without a port: sweep_lane_send() gets a fresh one.  Not watched; NULL with errno. */
struct sweep_socket *sweep_lane_open(struct sweep_lane *lane, void *user);
/* clean: it heard one answer and nothing else. */
void sweep_lane_close(struct sweep_lane *lane, struct sweep_socket *socket, bool clean);
void sweep_lane_watch(struct sweep_lane *lane, struct sweep_socket *socket);

/* As send(); to the resolver, from a port that the kernel draws. */
ssize_t sweep_lane_send(struct sweep_socket *socket, const void *bytes, size_t count);
/* As recv() with MSG_TRUNC.  foreign: it does not come from the resolver, which no connection
 * sees to here. */
ssize_t sweep_lane_recv(struct sweep_socket *socket, void *bytes, size_t room, bool *foreign);

#endif
