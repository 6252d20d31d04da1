#include "collector/listen_conn.h"

#include "base/arena.h"
#include "base/clock.h"
#include "collector/listen_share.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* What every request may take unasked: a head, and the body of an enrolment; and in what steps the
 * room for more is taken. */
enum { FREE_BYTES = 24 << 10, STEP_BYTES = 16 << 10 };

/* So many may be there beyond the limit for a moment: who is cut and not gone yet, and who has come
 * and not been asked for its address. */
enum { SPARE = 32 };

/* Requests of one connection, and those of them that were not well. */
enum { REQUESTS_MAX = 1000, FAULTS_MAX = 16 };

/* The life of a connection, in order; from SEND it may go back to READ.  enter() alone writes
 * conn->state. */
enum conn_state {
	CONN_NEW, /* just accepted: its address is known before anything else of it is looked at */
	CONN_SHAKE, /* nothing of a request has come so far */
	CONN_READ,
	CONN_PARKED, /* a request waits for our answer */
	CONN_SEND,
	CONN_IDLE,
	CONN_CUT /* its socket is shut; evhttp will see that, and free it */
};

/* Hangs on the SSL of its connection and dies with it: the only sign of a connection's end that
 * evhttp leaves us. */
struct listen_conn {
	struct listen_crowd     *crowd;   /* borrowed; outlives us */
	const struct listen_tls *tls;     /* borrowed; only for requests */
	struct bufferevent      *stream;  /* borrowed; owns the SSL that owns us */
	struct listen_address   *address; /* of the crowd's share; NULL: it has no seat */
	struct loop_watch        timer;
	enum conn_state          state;
	int64_t                  born_us;
	size_t   read_bytes, taken_bytes; /* of the request that is being read */
	unsigned requests, faults;
	bool     proven;
	TAILQ_ENTRY(listen_conn) stranger; /* while it has a seat, and is not proven */
	struct listen_peer peer;
	unsigned           trusted; /* when peer was read; 0: never */
};

TAILQ_HEAD(stranger_list, listen_conn);

struct listen_crowd {
	struct loop               *loop; /* borrowed */
	struct listen_crowd_limits limits;
	struct listen_crowd_counts counts;
	struct listen_share       *share;     /* owned */
	struct stranger_list       strangers; /* with a seat; who came first is first */
	unsigned                   seated;    /* neither new nor cut */
	void (*on_change)(void *arg);
	void *arg;
};

static int            conn_index = -1;
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

struct listen_crowd *
listen_crowd_new(struct loop *loop, const struct listen_crowd_limits *limits,
    void (*on_change)(void *arg), void                               *arg)
{
	const struct listen_share_limits shares = { .connections = limits->of_address,
		.bytes = limits->room_bytes / 2,
		.all_bytes = limits->room_bytes };
	struct listen_crowd             *crowd = mem_alloc(sizeof(*crowd));

	crowd->loop = loop;
	crowd->limits = *limits;
	crowd->share = listen_share_new(&shares);
	crowd->on_change = on_change;
	crowd->arg = arg;
	TAILQ_INIT(&crowd->strangers);
	return crowd;
}

void
listen_crowd_free(struct listen_crowd *crowd)
{
	if (crowd == NULL)
		return;
	listen_share_free(crowd->share);
	free(crowd);
}

struct listen_crowd_counts
listen_crowd_counts(const struct listen_crowd *crowd)
{
	return crowd->counts;
}

bool
listen_crowd_is_full(const struct listen_crowd *crowd)
{
	return crowd->counts.live >= crowd->limits.connections + SPARE ||
	    (crowd->seated >= crowd->limits.connections && TAILQ_EMPTY(&crowd->strangers));
}

static void
give_back(struct listen_conn *conn)
{
	if (conn->taken_bytes > 0)
		listen_share_give(conn->crowd->share, conn->address, conn->taken_bytes);
	conn->taken_bytes = 0;
}

static void
leave_seat(struct listen_conn *conn)
{
	struct listen_crowd *crowd = conn->crowd;

	if (conn->address == NULL)
		return;
	give_back(conn);
	if (!conn->proven)
		TAILQ_REMOVE(&crowd->strangers, conn, stranger);
	listen_share_leave(crowd->share, conn->address, clock_mono_us(clock_system()));
	conn->address = NULL;
	crowd->seated--;
}

static void
free_conn(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
	struct listen_conn  *conn = ptr;
	struct listen_crowd *crowd;

	if (conn == NULL)
		return;
	crowd = conn->crowd;
	leave_seat(conn);
	loop_watch_fini(&conn->timer);
	free(conn);
	crowd->counts.live--;
	crowd->on_change(crowd->arg);
}

static void
make_index(void)
{
	conn_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_conn);
}

static int64_t
age_left_ms(const struct listen_conn *conn)
{
	int64_t age_ms = (clock_mono_us(clock_system()) - conn->born_us) / US_PER_MS;
	int64_t left_ms = conn->crowd->limits.age_ms - age_ms;

	return left_ms > 0 ? left_ms : 0;
}

/* Of the state that it is in; negative: none. */
static int64_t
limit_ms(const struct listen_conn *conn)
{
	const struct listen_crowd_limits *limits = &conn->crowd->limits;

	switch (conn->state) {
	case CONN_NEW: return 0;
	case CONN_SHAKE: return limits->shake_ms > 0 ? limits->shake_ms : -1;
	case CONN_READ:
	case CONN_SEND: return limits->request_ms > 0 ? limits->request_ms : -1;
	case CONN_IDLE: return limits->age_ms > 0 ? age_left_ms(conn) : -1;
	case CONN_PARKED:
	case CONN_CUT: break;
	}
	return -1;
}

static void
enter(struct listen_conn *conn, enum conn_state next)
{
	int64_t limit;

	conn->state = next;
	limit = limit_ms(conn);
	if (limit >= 0)
		loop_watch_set(&conn->timer, -1, 0, limit * US_PER_MS);
	else
		loop_watch_stop(&conn->timer);
}

/* evhttp frees a connection only when its socket says so.  What the peer does not read must not stay
 * in the kernel after that, so that it ends with a reset, but for one that only waited. */
static void
cut(struct listen_conn *conn, uint64_t *counter)
{
	const struct linger reset = { .l_onoff = 1 };
	int                 fd = bufferevent_getfd(conn->stream);

	if (conn->state == CONN_CUT)
		return;
	if (fd >= 0 && conn->state != CONN_IDLE)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	leave_seat(conn);
	enter(conn, CONN_CUT);
	++*counter;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

static struct addr
find_address(const struct listen_conn *conn)
{
	struct sockaddr_storage from;
	socklen_t               count = sizeof(from);
	struct addr             none = { 0 };

	if (getpeername(bufferevent_getfd(conn->stream), (struct sockaddr *)&from, &count) != 0)
		return none;
	return addr_from_sockaddr((const struct sockaddr *)&from);
}

/* False: there is nobody who could go. */
static bool
make_room(struct listen_crowd *crowd)
{
	struct listen_conn *first = TAILQ_FIRST(&crowd->strangers);

	if (crowd->seated < crowd->limits.connections)
		return true;
	if (first == NULL)
		return false;
	cut(first, &crowd->counts.evicted);
	return true;
}

/* evhttp tells us of a connection before its socket, so that this is a timer of no time; and an urgent
 * one, so that neither work with keys nor a peer that has gone already comes before it.  Nobody has
 * to go for an address that has had its share. */
static void
take_seat(struct listen_conn *conn)
{
	struct listen_crowd   *crowd = conn->crowd;
	struct addr            from = find_address(conn);
	int64_t                now_us = clock_mono_us(clock_system());
	struct listen_address *address = NULL;

	if (from.family != 0)
		address = listen_share_enter(crowd->share, &from, now_us);
	if (address == NULL) {
		cut(conn, &crowd->counts.refused);
		return;
	}
	if (!make_room(crowd)) {
		listen_share_leave(crowd->share, address, now_us);
		cut(conn, &crowd->counts.evicted);
		return;
	}
	conn->address = address;
	crowd->seated++;
	TAILQ_INSERT_TAIL(&crowd->strangers, conn, stranger);
	enter(conn, CONN_SHAKE);
}

static void
on_timer(void *arg, unsigned what)
{
	struct listen_conn *conn = arg;

	if (conn->state == CONN_NEW)
		take_seat(conn);
	else
		cut(conn, &conn->crowd->counts.overdue);
}

/* What is beyond the free part needs room of its own. */
static bool
can_afford(struct listen_conn *conn)
{
	while (conn->read_bytes > FREE_BYTES + conn->taken_bytes) {
		if (conn->address == NULL ||
		    !listen_share_take(conn->crowd->share, conn->address, STEP_BYTES))
			return false;
		conn->taken_bytes += STEP_BYTES;
	}
	return true;
}

static void
begin_request(struct listen_conn *conn, size_t bytes)
{
	conn->read_bytes = bytes;
	enter(conn, CONN_READ);
	if (!can_afford(conn))
		cut(conn, &conn->crowd->counts.starved);
}

/* Bytes have come out of TLS, and nobody has looked at them yet. */
static void
on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct listen_conn *conn = arg;

	if (info->n_added == 0)
		return;
	if (conn->state == CONN_SHAKE || conn->state == CONN_IDLE) {
		begin_request(conn, info->n_added);
	} else if (conn->state == CONN_READ) {
		conn->read_bytes += info->n_added;
		if (!can_afford(conn))
			cut(conn, &conn->crowd->counts.starved);
	}
}

/* The next request may be there already, with the one before. */
static void
on_output(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
	struct listen_conn *conn = arg;
	size_t              waiting;

	if (conn->state != CONN_SEND || info->n_deleted == 0 || evbuffer_get_length(buffer) > 0)
		return;
	give_back(conn);
	waiting = evbuffer_get_length(bufferevent_get_input(conn->stream));
	if (waiting > 0)
		begin_request(conn, waiting);
	else
		enter(conn, CONN_IDLE);
}

static void
watch_stream(struct listen_conn *conn)
{
	if (evbuffer_add_cb(bufferevent_get_input(conn->stream), on_input, conn) == NULL ||
	    evbuffer_add_cb(bufferevent_get_output(conn->stream), on_output, conn) == NULL)
		abort();
}

struct bufferevent *
listen_conn_new(struct listen_tls *tls, struct listen_crowd *crowd)
{
	SSL                *ssl = listen_tls_ssl(tls);
	struct listen_conn *conn = mem_alloc(sizeof(*conn));

	pthread_once(&index_once, make_index);
	conn->crowd = crowd;
	conn->tls = tls;
	conn->born_us = clock_mono_us(clock_system());
	loop_watch_init(&conn->timer, crowd->loop, on_timer, conn);
	loop_watch_rank(&conn->timer, LOOP_FIRST);
	/* NULL from here would make evhttp speak without TLS on the TLS port.  What fails here is
	 * memory, which is fatal everywhere. */
	if (SSL_set_ex_data(ssl, conn_index, conn) != 1)
		abort();
	conn->stream = bufferevent_openssl_socket_new(
	    loop_base(crowd->loop), -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (conn->stream == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(conn->stream, 1);
	watch_stream(conn);
	crowd->counts.accepted++;
	crowd->counts.live++;
	enter(conn, CONN_NEW);
	crowd->on_change(crowd->arg);
	return conn->stream;
}

struct listen_conn *
listen_conn_of(struct bufferevent *stream)
{
	SSL *ssl = bufferevent_openssl_get_ssl(stream);

	return ssl != NULL ? SSL_get_ex_data(ssl, conn_index) : NULL;
}

void
listen_conn_ask(struct listen_conn *conn)
{
	conn->requests++;
	give_back(conn);
	if (conn->state != CONN_CUT)
		enter(conn, CONN_PARKED);
}

bool
listen_conn_afford(struct listen_conn *conn, size_t bytes)
{
	conn->read_bytes = bytes;
	if (can_afford(conn))
		return true;
	give_back(conn);
	return false;
}

/* What a peer did wrong; that a batch is known in another form is nobody's fault. */
static bool
is_fault(unsigned status)
{
	return status >= 400 && status < 500 && status != 409 && status != 410;
}

bool
listen_conn_tell(struct listen_conn *conn, unsigned status)
{
	conn->faults += is_fault(status);
	if (conn->state != CONN_CUT)
		enter(conn, CONN_SEND);
	return conn->requests >= REQUESTS_MAX || conn->faults >= FAULTS_MAX ||
	    (conn->crowd->limits.age_ms > 0 && age_left_ms(conn) == 0);
}

void
listen_conn_prove(struct listen_conn *conn)
{
	if (conn->proven)
		return;
	if (conn->address != NULL)
		TAILQ_REMOVE(&conn->crowd->strangers, conn, stranger);
	conn->proven = true;
	conn->crowd->on_change(conn->crowd->arg);
}

const struct listen_peer *
listen_conn_peer(struct listen_conn *conn)
{
	const struct listen_trust *trust = listen_tls_trusted(conn->tls);

	if (trust == NULL)
		return NULL;
	if (conn->trusted != listen_tls_changes(conn->tls))
		listen_peer_read(&conn->peer, trust, bufferevent_openssl_get_ssl(conn->stream));
	conn->trusted = listen_tls_changes(conn->tls);
	return &conn->peer;
}
