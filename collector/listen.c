#include "collector/listen.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/local.h"
#include "base/log.h"
#include "collector/listen_head.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

/* BACKLOG: of who comes beyond it the kernel drops the SYN, and he tries again after seconds.  TURN:
 * so many are accepted at a time. */
enum { HEADERS_BYTES_MAX = 8192, HEADERS_MAX = 128, BACKLOG = 4096, TURN = 64 };

/* So long nothing is accepted when there is no descriptor for it. */
static const int64_t stall_us = 200 * US_PER_MS;
/* The longest wait for the next turn: 64 handshakes a second are what a slow machine can do. */
static const int64_t turn_us = 1 * US_PER_S;

struct listen {
	struct listen_options  options;
	struct evhttp         *http;     /* owned; owns the listener */
	struct evconnlistener *listener; /* borrowed from http */
	struct listen_crowd   *crowd;    /* owned; NULL without TLS */
	struct loop_watch      stall;
	struct listen_counts   counts;
	struct addr            at;
	bool                   draining, stalled;
	unsigned               turn; /* with TLS: how many may still be accepted in it */
	struct loop_watch      idle, patience; /* each begins the next one */
	int64_t                told_us;        /* when the log last told of a stall; 0: never */
	LIST_ENTRY(listen) all;
};

/* Whose listener it is: evhttp keeps the argument of its callbacks for itself. */
static LIST_HEAD(, listen) servers = LIST_HEAD_INITIALIZER(servers);
static pthread_mutex_t servers_lock = PTHREAD_MUTEX_INITIALIZER;

/* Lives from the callback to the answer. */
struct request {
	struct listen         *server; /* borrowed */
	struct evhttp_request *http;   /* evhttp's; gone with the answer */
	char                  *path;   /* owned; the query is cut off */
	const char            *query;  /* in path */
	struct addr            from;
	char                   peer[ADDR_TEXT];
};

static const struct {
	unsigned    status;
	const char *phrase;
} phrases[] = { { 200, "OK" }, { 304, "Not Modified" }, { 400, "Bad Request" },
	{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 409, "Conflict" }, { 410, "Gone" },
	{ 411, "Length Required" }, { 413, "Content Too Large" }, { 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" }, { 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
	{ 500, "Internal Server Error" }, { 503, "Service Unavailable" }, { 0, "" } };

static const char *
find_phrase(unsigned status)
{
	size_t at = 0;

	while (phrases[at].status != 0 && phrases[at].status != status)
		at++;
	return phrases[at].phrase;
}

/* Who comes while nothing is accepted waits in the kernel's backlog. */
static void
choose_accept(struct listen *server)
{
	bool full = server->crowd != NULL && listen_crowd_is_full(server->crowd);

	if (server->listener == NULL)
		return;
	if (full || server->draining || server->stalled || server->turn == 0)
		evconnlistener_disable(server->listener);
	else
		evconnlistener_enable(server->listener);
}

static void
on_change(void *arg)
{
	choose_accept(arg);
}

static void
on_stall_over(void *arg, unsigned what)
{
	struct listen *server = arg;

	server->stalled = false;
	choose_accept(server);
}

/* Nothing else is to be done, or nobody was let in for long enough. */
static void
on_turn(void *arg, unsigned what)
{
	struct listen *server = arg;

	loop_watch_stop(&server->idle);
	loop_watch_stop(&server->patience);
	server->turn = TURN;
	choose_accept(server);
}

/* Who was let in is served before others are.  When all agents come back at once to a machine that
 * has no time for them, each handshake would else be finished after its peer's patience, or our own,
 * and be done again. */
static void
take_turn(struct listen *server)
{
	if (server->turn > 0 && --server->turn > 0)
		return;
	choose_accept(server);
	loop_watch_set(&server->idle, -1, 0, 0);
	loop_watch_set(&server->patience, -1, 0, turn_us);
}

static struct listen *
find_server(const struct evconnlistener *listener)
{
	struct listen *server;

	pthread_mutex_lock(&servers_lock);
	LIST_FOREACH(server, &servers, all)
	{
		if (server->listener == listener)
			break;
	}
	pthread_mutex_unlock(&servers_lock);
	return server;
}

/* The listener stays readable, and the loop would do nothing but fail. */
static void
on_accept_error(struct evconnlistener *listener, void *arg)
{
	int            cause = errno;
	struct listen *server = find_server(listener);
	int64_t        now_us = clock_mono_us(clock_system());

	server->counts.stalls++;
	server->stalled = true;
	choose_accept(server);
	loop_watch_set(&server->stall, -1, 0, stall_us);
	if (server->told_us != 0 && now_us - server->told_us < 60 * US_PER_S)
		return;
	server->told_us = now_us;
	log_warn("listen",
	    "a connection cannot be accepted: %s; tried again every %d ms, told once a minute",
	    strerror(cause), (int)(stall_us / US_PER_MS));
}

static struct bufferevent *
make_stream(struct event_base *base, void *arg)
{
	struct listen *server = arg;

	take_turn(server);
	return listen_conn_new(server->options.tls, server->crowd);
}

static struct listen_conn *
find_conn(const struct request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request->http);

	if (request->server->options.tls == NULL || connection == NULL)
		return NULL;
	return listen_conn_of(evhttp_connection_get_bufferevent(connection));
}

/* 0, or the status of the refusal. */
static unsigned
check_head(struct evhttp_request *http, const char **why)
{
	struct listen_head_line lines[HEADERS_MAX];
	struct listen_head      head = { .target = evhttp_request_get_uri(http),
		     .minor = (unsigned char)http->minor,
		     .lines = lines };
	struct evkeyval        *header;

	TAILQ_FOREACH(header, evhttp_request_get_input_headers(http), next)
	{
		if (head.count == HEADERS_MAX) {
			*why = "too many headers";
			return 400;
		}
		lines[head.count++] = (struct listen_head_line){ header->key, header->value };
	}
	return listen_head_check(&head, why);
}

static void
refuse(struct request *request, unsigned status, const char *why)
{
	char *text = mem_printf("%s\n", why);

	request->server->counts.garbled++;
	request_set(request, "Connection", "close");
	request_answer(request, status, "text/plain", text, strlen(text));
	free(text);
}

static void
write_peer(struct request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request->http);
	const struct sockaddr    *peer = NULL;

	request->from = (struct addr){ 0 };
	if (connection != NULL && request->server->options.local == NULL)
		peer = evhttp_connection_get_addr(connection);
	if (peer != NULL)
		request->from = addr_from_sockaddr(peer);
	addr_render_port(&request->from, request->peer, sizeof(request->peer));
}

static struct request *
make_request(struct listen *server, struct evhttp_request *http)
{
	struct request *request = mem_alloc(sizeof(*request));
	char           *mark;

	request->server = server;
	request->http = http;
	request->path = mem_strdup(evhttp_request_get_uri(http));
	mark = strchr(request->path, '?');
	if (mark != NULL)
		*mark++ = '\0';
	request->query = mark != NULL ? mark : "";
	write_peer(request);
	return request;
}

static void
on_http(struct evhttp_request *http, void *arg)
{
	struct listen      *server = arg;
	struct request     *request = make_request(server, http);
	struct listen_conn *conn = find_conn(request);
	const char         *why;
	unsigned            status;

	server->counts.requests++;
	server->counts.waiting++;
	if (conn != NULL)
		listen_conn_ask(conn);
	status = check_head(http, &why);
	if (status != 0)
		refuse(request, status, why);
	else
		server->options.on_request(server->options.arg, request);
}

/* A socket of our own: evhttp would leave out TCP_NODELAY, without which each answer waits 44 ms
 * for the peer's delayed acknowledgement.  Accepted sockets inherit it. */
static int
open_socket(const struct addr *at, struct err *err)
{
	struct sockaddr_storage to;
	unsigned                count = addr_to_sockaddr(at, &to);
	int                     one = 1;
	int  fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDR_TEXT];

	addr_render_port(at, text, sizeof(text));
	if (fd < 0) {
		err_errno(err, "%s", text);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&to, count) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_errno(err, "cannot listen on %s", text);
	close(fd);
	return -1;
}

static bool
start_listener(struct listen *server, struct err *err)
{
	struct sockaddr_storage bound;
	socklen_t               count = sizeof(bound);
	const char             *local = server->options.local;
	int                     fd = local != NULL ? local_listen(local, 0600, BACKLOG, err)
	                                           : open_socket(&server->options.at, err);

	if (fd < 0)
		return false;
	if (local == NULL && getsockname(fd, (struct sockaddr *)&bound, &count) == 0)
		server->at = addr_from_sockaddr((const struct sockaddr *)&bound);
	server->listener = evconnlistener_new(loop_base(server->options.loop), NULL, NULL,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (server->listener == NULL) {
		close(fd);
		return err_set(err, ERR_SYSTEM, "cannot listen");
	}
	if (evhttp_bind_listener(server->http, server->listener) == NULL) {
		evconnlistener_free(server->listener);
		return err_set(err, ERR_SYSTEM, "cannot listen");
	}
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	return true;
}

static void
set_limits(struct listen *server)
{
	const struct listen_options *options = &server->options;
	struct timeval               idle = { .tv_sec = options->idle_ms / 1000,
		              .tv_usec = options->idle_ms % 1000 * 1000 };

	evhttp_set_max_headers_size(server->http, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)options->body_bytes_max);
	evhttp_set_timeout_tv(server->http, &idle);
	/* All that it knows, so that our own answer says which are allowed. */
	evhttp_set_allowed_methods(server->http,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
	        EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(server->http, on_http, server);
	if (options->tls != NULL)
		evhttp_set_bevcb(server->http, make_stream, server);
}

struct listen *
listen_new(const struct listen_options *options, struct err *err)
{
	struct listen *server;

	assert(options->tls != NULL || options->local != NULL || options->proxied ||
	    addr_class(&options->at) == ADDR_LOOPBACK);
	server = mem_alloc(sizeof(*server));
	server->options = *options;
	pthread_mutex_lock(&servers_lock);
	LIST_INSERT_HEAD(&servers, server, all);
	pthread_mutex_unlock(&servers_lock);
	loop_watch_init(&server->stall, options->loop, on_stall_over, server);
	if (options->tls != NULL)
		server->crowd = listen_crowd_new(
		    options->loop, &options->limits, on_change, server);
	server->http = evhttp_new(loop_base(options->loop));
	if (server->http == NULL)
		abort();
	server->turn = TURN;
	loop_watch_init(&server->idle, options->loop, on_turn, server);
	loop_watch_rank(&server->idle, LOOP_LAST);
	loop_watch_init(&server->patience, options->loop, on_turn, server);
	set_limits(server);
	if (start_listener(server, err))
		return server;
	server->listener = NULL;
	listen_free(server);
	return NULL;
}

void
listen_free(struct listen *server)
{
	if (server == NULL)
		return;
	server->draining = true;
	pthread_mutex_lock(&servers_lock);
	LIST_REMOVE(server, all);
	pthread_mutex_unlock(&servers_lock);
	server->listener = NULL; /* goes with evhttp */
	evhttp_free(server->http);
	/* Freed streams are finalized in a later round, and their end is told to us. */
	for (int i = 0; i < 100 && listen_counts(server).crowd.live > 0; i++)
		loop_run_once(server->options.loop, false);
	loop_watch_fini(&server->stall);
	loop_watch_fini(&server->idle);
	loop_watch_fini(&server->patience);
	listen_crowd_free(server->crowd);
	free(server);
}

struct addr
listen_addr(const struct listen *server)
{
	return server->at;
}

struct listen_counts
listen_counts(const struct listen *server)
{
	struct listen_counts counts = server->counts;

	if (server->crowd != NULL)
		counts.crowd = listen_crowd_counts(server->crowd);
	return counts;
}

void
listen_drain(struct listen *server)
{
	server->draining = true;
	choose_accept(server);
}

enum request_method
request_method(const struct request *request)
{
	switch (evhttp_request_get_command(request->http)) {
	case EVHTTP_REQ_GET: return REQUEST_GET;
	case EVHTTP_REQ_HEAD: return REQUEST_HEAD;
	case EVHTTP_REQ_POST: return REQUEST_POST;
	default: return REQUEST_OTHER;
	}
}

const char *
request_path(const struct request *request)
{
	return request->path;
}

const char *
request_query(const struct request *request)
{
	return request->query;
}

const char *
request_header(const struct request *request, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(request->http), name);
}

unsigned
request_headers(const struct request *request, const char *name)
{
	struct evkeyval *header;
	unsigned         count = 0;

	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request->http), next)
	count += strcasecmp(header->key, name) == 0;
	return count;
}

const void *
request_body(const struct request *request, size_t *count)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(request->http);

	*count = evbuffer_get_length(body);
	return *count > 0 ? (const void *)evbuffer_pullup(body, -1) : "";
}

const char *
request_peer(const struct request *request)
{
	return request->peer;
}

const struct addr *
request_from(const struct request *request)
{
	return &request->from;
}

const struct listen_peer *
request_shown(const struct request *request)
{
	struct listen_conn *conn = find_conn(request);

	return conn != NULL ? listen_conn_peer(conn) : NULL;
}

void
request_prove(struct request *request)
{
	struct listen_conn *conn = find_conn(request);

	if (conn != NULL)
		listen_conn_prove(conn);
}

void
request_set(struct request *request, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request->http);

	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

static void
set_rank(struct evhttp_request *http, enum loop_rank rank)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(http);

	if (connection != NULL)
		bufferevent_priority_set(
		    evhttp_connection_get_bufferevent(connection), (int)rank);
}

/* The next request is as good as all others'. */
static void
on_written(struct evhttp_request *http, void *arg)
{
	set_rank(http, LOOP_USUAL);
}

void
request_answer(struct request *request, unsigned status, const char *content_type,
    const void *bytes, size_t count)
{
	struct evbuffer    *body = evbuffer_new();
	struct listen_conn *conn = find_conn(request);

	if (body == NULL)
		abort();
	if (conn != NULL && !listen_conn_afford(conn, count)) {
		static const char busy[] = "too much is on its way to you\n";

		status = 503;
		content_type = "text/plain";
		bytes = busy;
		count = sizeof(busy) - 1;
		request_set(request, "Retry-After", "5");
	}
	if (content_type != NULL)
		request_set(request, "Content-Type", content_type);
	if (conn != NULL && listen_conn_tell(conn, status))
		request_set(request, "Connection", "close");
	if (request->server->draining)
		request_set(request, "Connection", "close");
	if (count > 0)
		evbuffer_add(body, bytes, count);
	request->server->counts.waiting--;
	/* Else it would be written when all requests have been read that came meanwhile. */
	set_rank(request->http, LOOP_FIRST);
	evhttp_request_set_on_complete_cb(request->http, on_written, NULL);
	evhttp_send_reply(request->http, (int)status, find_phrase(status), body);
	evbuffer_free(body);
	free(request->path);
	free(request);
}
