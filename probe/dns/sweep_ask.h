/* sweep_ask: one name of a sweep asked of one resolver, from the first datagram to its end.
 *
 * The inside of sweep.h, which keeps pace and time; nobody else includes it.  By the rules of
 * dns_question.h, with one repeat.
 */
#ifndef PROBE_DNS_SWEEP_ASK_H
#define PROBE_DNS_SWEEP_ASK_H

#include "probe/dns/dns_skim.h"
#include "probe/dns/dns_tcp.h"
#include "probe/dns/sweep.h"
#include "probe/dns/sweep_lane.h"

enum { SWEEP_TRIES_MAX = 2, SWEEP_DICE_BYTES = 4096, SWEEP_DETAIL_BYTES = 256 };

struct sweep_try {
	struct sweep_socket *socket; /* owned by the lane; NULL: closed */
	struct dns_query     query;
};

/* In the order of life. */
enum sweep_ask_state { ASK_UDP, ASK_TCP, ASK_OVER };

/* One name and one resolver. */
struct sweep_ask {
	struct sweep_slot   *slot; /* borrowed; owns us */
	enum sweep_ask_state state;
	struct sweep_try     tries[SWEEP_TRIES_MAX];
	unsigned             sent, strays;
	bool                 case_off, case_changed, truncated;
	struct dns_tcp      *tcp; /* owned */
	struct dns_query     tcp_query;
	bool                 tcp_over; /* and how it ended, until on_event() takes it up */
	enum outcome         tcp_how;
	int                  tcp_cause;
};

/* One name under way.  All its questions start together. */
struct sweep_slot {
	struct sweep      *sweep; /* borrowed; owns us */
	void              *arg;
	char               host[DNS_NAME_BYTES];
	struct dns_query   query;
	int64_t            started_us;
	unsigned           open; /* asks that are not over */
	struct sweep_slot *previous, *next;
	struct sweep_ask   asks[];
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
	struct sweep_slot   *first, *last; /* under way, by start */
	struct sweep_slot   *fresh;        /* the first that was not repeated yet */
	struct sweep_slot   *unused;
	unsigned         tcp_over; /* asks whose TCP has ended, and that wait for on_event() */
	struct dns_skim *skim;     /* owned */
	uint8_t          dice[SWEEP_DICE_BYTES];
	size_t           dice_left;
	char             detail[SWEEP_DETAIL_BYTES];
	uint8_t          heard[DNS_UDP_BYTES];
	struct sweep_stats stats;
};

/* Each of these may end the ask, and so the slot, when all its asks are over. */
void sweep_ask_reset(struct sweep_ask *ask, struct sweep_slot *slot);
void sweep_ask_start(struct sweep_ask *ask, int64_t now_us);
void sweep_ask_refuse(struct sweep_ask *ask, const char *why); /* the name is none */
/* Had half its time: once more, unless the resolver says nothing at all. */
void sweep_ask_repeat(struct sweep_ask *ask, int64_t now_us);
void sweep_ask_expire(struct sweep_ask *ask, int64_t now_us, bool late);
void sweep_ask_take_tcp(struct sweep_ask *ask); /* when tcp_over */
/* What a socket has; says whether that ended anything. */
bool sweep_ask_hear(struct sweep *sweep, struct sweep_socket *socket);

/* The slot is no longer under way. */
void sweep_ask_leave(struct sweep_slot *slot);
void sweep_ask_free(struct sweep_ask *ask); /* its sockets; no callback */

#endif
