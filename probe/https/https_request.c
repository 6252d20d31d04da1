#include "probe/https/https_request.h"

#include "base/digest.h"
#include "base/wbuf.h"
#include "probe/https/https_multi.h"
#include "probe/https/https_spec.h"
#include "probe/https/https_tls.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A gateway's head is some 500 bytes. */
enum { HEAD_MAX = 16 * 1024, IDLE_MAX = 16 };

struct https_requests {
	struct probes        *probes;        /* borrowed; outlives us */
	struct https_multi   *multi;         /* owned */
	struct https_request *idle, *active; /* owned; lists */
	struct https_line    *lines;         /* list */
	unsigned              idle_count;
	char                 *proxy; /* owned; host:port, NULL: none */
};

struct https_line {
	struct https_requests *requests; /* borrowed; outlives us */
	struct https_line     *next;     /* in requests->lines */
	CURLSH                *pool;     /* owned; holds no connection but ours */
	int                    fd;       /* libcurl's; -1: none */
};

/* One request, or between two of them an easy handle that waits for the next. */
struct https_request {
	struct https_requests *requests; /* borrowed; outlives us */
	struct https_request  *next;     /* in requests->idle or ->active */
	CURL                  *easy;     /* owned */
	char                   text[CURL_ERROR_SIZE];

	struct https_request_ask ask;
	struct curl_slist       *connect_to, *headers; /* owned */
	struct https_seen        seen;
	struct https_answer      answer; /* its texts are in the probe's arena */
	struct wbuf              body;
	struct err               why;                /* for seen.why */
	int                      fd;                 /* libcurl's; -1: none yet */
	int64_t                  started_us, due_us; /* monotonic */
	int64_t                  connected_us;       /* since the start; 0: not yet */
	struct loop_watch        refusal;            /* ends one that never came to ask */
	bool                     asking;             /* libcurl has the handle */
};

static const struct clock *
clock_of(const struct https_request *request)
{
	return probes_options(request->requests->probes)->clock;
}

/* libcurl's callbacks. */

static size_t
on_head(char *line, size_t size, size_t count, void *arg)
{
	struct https_request *request = arg;

	request->seen.head_bytes += size * count;
	if (request->seen.head_bytes > HEAD_MAX) {
		request->seen.stop = HTTPS_STOP_HEAD;
		return 0;
	}
	https_answer_line(
	    &request->answer, probe_ask(request->ask.probe)->arena, line, size * count);
	return size * count;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct https_request *request = arg;
	size_t                room = request->ask.body_kept - request->body.count;

	count *= size;
	request->seen.body_bytes += count;
	if (request->seen.body_bytes > request->ask.body_max) {
		request->seen.stop = HTTPS_STOP_BODY;
		return 0;
	}
	wbuf_put(&request->body, bytes, count < room ? count : room);
	return count;
}

/* The handshake is about to begin: connected. */
static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct https_request *request = arg;

	request->connected_us = clock_mono_us(clock_of(request)) - request->started_us;
	https_tls_apply(ssl_ctx, probes_roots(request->requests->probes));
	return CURLE_OK;
}

static curl_socket_t
refuse_socket(struct https_request *request, enum https_stop stop)
{
	request->seen.stop = stop;
	return CURL_SOCKET_BAD;
}

/* Through a proxy, the address is the proxy's own. */
static bool
may_connect(const struct https_request *request, const struct addr *peer)
{
	const struct https_seen *seen = &request->seen;

	if (seen->proxy == NULL &&
	    (!addr_equal(peer, &seen->wanted) || peer->port != seen->wanted.port))
		return false;
	return probe_allows(request->ask.probe, peer);
}

/* The address that stands here goes to connect() unchanged: the policy is asked about it, not
 * about what we meant to connect to. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct https_request *request = arg;
	struct addr           peer = addr_from_sockaddr(&address->addr);

	if (purpose != CURLSOCKTYPE_IPCXN || !may_connect(request, &peer))
		return refuse_socket(request, HTTPS_STOP_POLICY);
	request->fd = https_socket_open(
	    &peer, &probe_options(request->ask.probe)->source, &request->why);
	if (request->fd < 0)
		return refuse_socket(request, HTTPS_STOP_SOCKET);
	request->seen.kept = false;
	if (request->ask.line != NULL)
		request->ask.line->fd = request->fd;
	return request->fd;
}

/* libcurl does not say whether the peer closed or reset; the kernel does, as long as the
 * descriptor is open.  Some versions close after the handle has gone back: so look it up. */
static int
on_close(void *arg, curl_socket_t fd)
{
	struct https_requests *requests = arg;

	for (struct https_line *line = requests->lines; line != NULL; line = line->next) {
		if (line->fd == fd)
			line->fd = -1;
	}
	for (struct https_request *request = requests->active; request != NULL;
	     request = request->next) {
		if (request->fd == fd) {
			request->seen.tcp = https_socket_tcp(fd);
			request->fd = -1;
		}
	}
	return close(fd);
}

/* The handle: what never changes is set once. */

static void
set_transport(CURL *easy, struct https_request *request)
{
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, request->requests);
	if (request->requests->proxy != NULL) {
		curl_easy_setopt(easy, CURLOPT_PROXY, request->requests->proxy);
		curl_easy_setopt(easy, CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP);
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
		/* Its answer to CONNECT is not the gateway's. */
		curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	}

	/* The roots come from the shared store alone. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, request);
}

static void
set_ends(CURL *easy, struct https_request *request)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->text);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
}

static void on_refusal(void *arg, unsigned what);

static struct https_request *
make_request(struct https_requests *requests)
{
	struct https_request *request = mem_alloc(sizeof(*request));

	request->requests = requests;
	request->easy = curl_easy_init();
	assert(request->easy != NULL); /* fails for want of memory only */
	wbuf_init(&request->body);
	loop_watch_init(
	    &request->refusal, probes_options(requests->probes)->loop, on_refusal, request);
	https_multi_prepare(request->easy);
	set_transport(request->easy, request);
	set_ends(request->easy, request);
	return request;
}

/* A header may be a credential. */
static void
drop_headers(struct https_request *request)
{
	for (struct curl_slist *at = request->headers; at != NULL; at = at->next)
		digest_wipe(at->data, strlen(at->data));
	curl_slist_free_all(request->headers);
	request->headers = NULL;
}

static void
free_request(struct https_request *request)
{
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->connect_to);
	drop_headers(request);
	wbuf_fini(&request->body);
	loop_watch_fini(&request->refusal);
	free(request);
}

static struct https_request *
take_request(struct https_requests *requests)
{
	struct https_request *request = requests->idle;

	if (request != NULL) {
		requests->idle = request->next;
		requests->idle_count--;
	} else {
		request = make_request(requests);
	}
	request->next = requests->active;
	requests->active = request;
	return request;
}

static void
give_back(struct https_request *request)
{
	struct https_requests *requests = request->requests;
	struct https_request **link = &requests->active;

	if (request->asking)
		https_multi_remove(requests->multi, request->easy);
	request->asking = false;
	curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, NULL);
	drop_headers(request);
	if (request->ask.line != NULL)
		curl_easy_setopt(request->easy, CURLOPT_SHARE, NULL);
	request->ask.line = NULL;
	loop_watch_stop(&request->refusal);
	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
	if (requests->idle_count == IDLE_MAX) {
		free_request(request);
		return;
	}
	request->next = requests->idle;
	requests->idle = request;
	requests->idle_count++;
}

/* The end. */

static int64_t
time_of(CURL *easy, CURLINFO info)
{
	curl_off_t value = 0;

	curl_easy_getinfo(easy, info, &value);
	return value;
}

static void
look_at_transfer(struct https_request *request)
{
	struct https_seen *seen = &request->seen;
	const char        *reached = NULL;
	long               os_errno = 0;

	curl_easy_getinfo(request->easy, CURLINFO_PRIMARY_IP, &reached);
	if (reached == NULL || !addr_parse(&seen->reached, reached, 0, NULL))
		seen->reached = (struct addr){ 0 };
	curl_easy_getinfo(request->easy, CURLINFO_NUM_CONNECTS, &seen->connections);
	curl_easy_getinfo(request->easy, CURLINFO_HTTP_CONNECTCODE, &seen->proxy_status);
	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_errno);
	seen->os_errno = (int)os_errno;
	seen->times = (struct https_times){
		.lookup_us = time_of(request->easy, CURLINFO_NAMELOOKUP_TIME_T),
		.connect_us = time_of(request->easy, CURLINFO_CONNECT_TIME_T),
		.tls_us = time_of(request->easy, CURLINFO_APPCONNECT_TIME_T),
		.sent_us = time_of(request->easy, CURLINFO_PRETRANSFER_TIME_T),
		.first_us = time_of(request->easy, CURLINFO_STARTTRANSFER_TIME_T),
		.total_us = time_of(request->easy, CURLINFO_TOTAL_TIME_T),
	};
	/* Some versions stamp "connected" only when the handshake is finished too. */
	if (seen->times.connect_us == 0)
		seen->times.connect_us = request->connected_us;
}

/* The last thing that happens to the request: what it leaves outlives it for the callback. */
static void
finish(struct https_request *request, int code)
{
	const struct https_request_ask ask = request->ask;
	struct https_seen              seen = request->seen;
	struct https_answer            answer = request->answer;
	struct arena                  *arena = probe_ask(ask.probe)->arena;
	struct wbuf                    body = request->body;

	seen.code = code;
	seen.late_us = clock_mono_us(clock_of(request)) - request->due_us;
	if (code != CURLE_OK)
		seen.text = arena_strdup(arena,
		    request->text[0] != '\0' ? request->text
		                             : curl_easy_strerror((CURLcode)code));
	seen.why = request->why.text[0] != '\0' ? arena_strdup(arena, request->why.text) : "";
	answer.body = (const char *)body.bytes;
	answer.body_bytes = body.count;
	wbuf_init(&request->body);
	give_back(request);
	ask.on_over(ask.arg, &seen, &answer);
	wbuf_fini(&body);
}

static void
on_done(void *arg, void *easy, int code)
{
	void *private = NULL;

	curl_easy_getinfo((CURL *)easy, CURLINFO_PRIVATE, &private);
	look_at_transfer(private);
	finish(private, code);
}

static void
on_refusal(void *arg, unsigned what)
{
	finish(arg, CURLE_FAILED_INIT);
}

/* The beginning. */

static struct curl_slist *
copy_list(const char *const *texts)
{
	struct curl_slist *list = NULL;

	for (; texts != NULL && *texts != NULL; texts++)
		list = curl_slist_append(list, *texts);
	return list;
}

static void
set_question(struct https_request *request, const struct https_spec *spec)
{
	const struct https_request_ask *ask = &request->ask;
	CURL                           *easy = request->easy;

	curl_slist_free_all(request->connect_to);
	request->connect_to = curl_slist_append(NULL, spec->connect_to);
	request->headers = copy_list(ask->headers);
	curl_easy_setopt(easy, CURLOPT_URL, spec->url);
	curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, spec->target);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECT_TO, request->seen.proxy != NULL ? NULL : request->connect_to);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ask->limit_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)ask->limit_ms);
}

/* Without a line each request has its own connection. */
static void
set_line(struct https_request *request)
{
	struct https_line *line = request->ask.line;

	curl_easy_setopt(request->easy, CURLOPT_FRESH_CONNECT, line == NULL ? 1L : 0L);
	curl_easy_setopt(request->easy, CURLOPT_FORBID_REUSE, line == NULL ? 1L : 0L);
	if (line != NULL)
		curl_easy_setopt(request->easy, CURLOPT_SHARE, line->pool);
}

static void
clear(struct https_request *request, const struct https_request_ask *ask)
{
	request->ask = *ask;
	request->seen = (struct https_seen){
		.text = "",
		.wanted = ask->peer,
		.proxy = request->requests->proxy,
		.kept = ask->line != NULL && ask->line->fd >= 0,
		.target = ask->target,
		.body_max = ask->body_max,
		.limit_ms = ask->limit_ms,
	};
	request->answer = (struct https_answer){ 0 };
	request->why = (struct err){ 0 };
	request->text[0] = '\0';
	request->fd = ask->line != NULL ? ask->line->fd : -1;
	request->started_us = clock_mono_us(clock_of(request));
	request->due_us = request->started_us + ask->limit_ms * US_PER_MS;
	request->connected_us = 0;
}

struct https_request *
https_request_start(struct https_requests *requests, const struct https_request_ask *ask)
{
	struct https_request *request = take_request(requests);
	struct https_spec     spec;

	assert(ask->limit_ms > 0 && ask->body_kept <= ask->body_max);
	clear(request, ask);
	if (!https_spec_make(&spec, ask->host, &ask->peer, ask->target,
	        probe_ask(ask->probe)->arena, &request->why)) {
		request->seen.stop = HTTPS_STOP_SPEC;
		loop_watch_set(&request->refusal, -1, 0, 0);
		return request;
	}
	request->seen.target = spec.path;
	set_question(request, &spec);
	set_line(request);
	request->asking = true;
	https_multi_add(requests->multi, request->easy);
	return request;
}

void
https_request_cancel(struct https_request *request)
{
	wbuf_clear(&request->body);
	give_back(request);
}

struct https_line *
https_line_new(struct https_requests *requests)
{
	struct https_line *line = mem_alloc(sizeof(*line));

	line->requests = requests;
	line->fd = -1;
	line->pool = curl_share_init();
	assert(line->pool != NULL); /* fails for want of memory only */
	curl_share_setopt(line->pool, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	line->next = requests->lines;
	requests->lines = line;
	return line;
}

void
https_line_free(struct https_line *line)
{
	struct https_line **link;

	if (line == NULL)
		return;
	curl_share_cleanup(line->pool); /* closes the connection */
	for (link = &line->requests->lines; *link != line; link = &(*link)->next)
		;
	*link = line->next;
	free(line);
}

struct https_requests *
https_requests_new(struct probes *probes, struct err *err)
{
	const struct probe_options *options = probes_options(probes);
	struct https_requests      *requests = mem_alloc(sizeof(*requests));

	requests->probes = probes;
	if (options->proxy != NULL && !https_spec_proxy(&requests->proxy, options->proxy, err))
		goto fail;
	requests->multi = https_multi_new(options->loop, on_done, requests, err);
	if (requests->multi == NULL)
		goto fail;
	return requests;
fail:
	https_requests_free(requests);
	return NULL;
}

void
https_requests_free(struct https_requests *requests)
{
	if (requests == NULL)
		return;
	assert(requests->active == NULL && requests->lines == NULL);
	while (requests->idle != NULL) {
		struct https_request *request = requests->idle;

		requests->idle = request->next;
		free_request(request);
	}
	https_multi_free(requests->multi);
	free(requests->proxy);
	free(requests);
}
