/* listen_conn: the life of each TLS connection of a server, and of all of them together.
 *
 * evhttp has no limit on the number, the age or the slowness of connections; this adds them.  Each
 * state of a connection has a deadline for the whole of it, however busy the peer looks meanwhile.
 * Where room is short, who has proved to be somebody stays, and of the others the one that came
 * first goes.
 */
#ifndef COLLECTOR_LISTEN_CONN_H
#define COLLECTOR_LISTEN_CONN_H

#include "base/loop.h"
#include "collector/listen_tls.h"

struct bufferevent;
struct listen_conn;
struct listen_crowd;

/* 0 is no limit, but for `connections`. */
struct listen_crowd_limits {
	unsigned connections;
	unsigned of_address; /* connections of one address: at a time, and begun in a minute */
	int64_t  shake_ms;   /* from the start to the first byte of the first request */
	int64_t request_ms; /* from a request's first byte to its last, and so for its answer */
	int64_t age_ms;     /* of a connection that waits for its next request */
	/* For requests that are being read and answers that have not left, of all; of one address
	 * half of it.  The first 24 KiB of each do not count. */
	size_t room_bytes;
};

struct listen_crowd_counts {
	uint64_t accepted;
	uint64_t overdue; /* ended for age or slowness */
	uint64_t refused; /* at once: their address had had its share */
	uint64_t evicted; /* ended to make room */
	uint64_t starved; /* ended for want of room to read their request */
	unsigned live;
};

/* on_change is told whenever `live` has changed. */
struct listen_crowd *listen_crowd_new(struct loop *loop,
    const struct listen_crowd_limits *limits, void (*on_change)(void *arg), void *arg);
void listen_crowd_free(struct listen_crowd *crowd); /* none may live; NULL is fine */
struct listen_crowd_counts listen_crowd_counts(const struct listen_crowd *crowd);
/* There is no room for one more, and nobody to be ended for it. */
bool listen_crowd_is_full(const struct listen_crowd *crowd);

/* A bufferevent that waits for the handshake of a connection still to be accepted, never NULL.
 * tls and crowd are borrowed; the crowd outlives all connections, the tls all requests. */
struct bufferevent *listen_conn_new(struct listen_tls *tls, struct listen_crowd *crowd);
/* The connection behind a bufferevent that listen_conn_new() made. */
struct listen_conn *listen_conn_of(struct bufferevent *stream);
/* A request has come in whole. */
void listen_conn_ask(struct listen_conn *conn);
/* Room for an answer of that size until it has left, from where there is room to read; false: there
 * is none. */
bool listen_conn_afford(struct listen_conn *conn, size_t bytes) MUST_CHECK;
/* Its answer is about to be written.  True: it had better be the connection's last. */
bool listen_conn_tell(struct listen_conn *conn, unsigned status);
/* The peer has shown that it is somebody. */
void listen_conn_prove(struct listen_conn *conn);
/* Who it is by its certificate; after the handshake, while the tls is there.  NULL: nobody is asked
 * for one. */
const struct listen_peer *listen_conn_peer(struct listen_conn *conn);

#endif
