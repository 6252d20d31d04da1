#include "probe/https/https.h"
#include "probe/https/https_multi.h"
#include "probe/https/https_record.h"
#include "probe/https/https_spec.h"
#include "probe/https/https_tls.h"

#include "base/wbuf.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A gateway's 401 is some 500 bytes of head and 200 of body.  Of the body the first 16 KiB are
 * kept: an error that is worth decoding fits. */
enum { HEAD_MAX = 16 * 1024, BODY_MAX = 64 * 1024, BODY_KEPT = 16 * 1024, IDLE_MAX = 16 };

/* What all requests of a process share. */
struct https {
	struct https_multi *multi;         /* owned */
	struct tls_roots   *roots;         /* borrowed; outlives us */
	struct run         *idle, *active; /* owned; lists */
	unsigned            idle_count;
};

/* One request, or between two of them an easy handle that waits for the next. */
struct run {
	struct https *https; /* borrowed; outlives us */
	struct run   *next;  /* in https->idle or https->active */
	struct probe *probe; /* borrowed; lives as long as the request */
	CURL         *easy;  /* owned */
	char          text[CURL_ERROR_SIZE];

	struct curl_slist  *connect_to; /* owned */
	struct https_seen   seen;
	struct https_answer answer; /* its texts are in the probe's arena */
	struct wbuf         body;
	struct err          why;                /* for seen.why */
	int                 fd;                 /* libcurl's; -1: none yet */
	int64_t             started_us, due_us; /* monotonic */
	int64_t             connected_us;       /* since the start; 0: not yet */
	struct loop_watch   refusal;            /* ends a run that never came to ask */
	bool                asking;             /* libcurl has the handle */
};

static const struct clock *
clock_of(const struct run *run)
{
	return probe_options(run->probe)->clock;
}

/* libcurl's callbacks. */

static size_t
on_head(char *line, size_t size, size_t count, void *arg)
{
	struct run *run = arg;

	run->seen.head_bytes += size * count;
	if (run->seen.head_bytes > HEAD_MAX) {
		run->seen.stop = HTTPS_STOP_HEAD;
		return 0;
	}
	https_answer_line(&run->answer, probe_ask(run->probe)->arena, line, size * count);
	return size * count;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct run *run = arg;
	size_t      room = run->body.count < BODY_KEPT ? BODY_KEPT - run->body.count : 0;

	count *= size;
	run->seen.body_bytes += count;
	if (run->seen.body_bytes > BODY_MAX) {
		run->seen.stop = HTTPS_STOP_BODY;
		return 0;
	}
	wbuf_put(&run->body, bytes, count < room ? count : room);
	return count;
}

/* The handshake is about to begin: connected. */
static CURLcode
on_ssl_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct run *run = arg;

	run->connected_us = clock_mono_us(clock_of(run)) - run->started_us;
	https_tls_apply(ssl_ctx, run->https->roots);
	return CURLE_OK;
}

static bool
bind_source(int fd, const struct addr *source, const struct addr *peer, struct err *err)
{
	struct sockaddr_storage storage;
	struct addr             from = *source;
	char                    text[ADDR_TEXT];
	unsigned                length;
	int                     yes = 1;

	if (source->family == 0)
		return true;
	addr_render(source, text, sizeof(text));
	if (source->family != peer->family)
		return err_set(
		    err, ERR_USAGE, "source address %s is of the other family", text);
	from.port = 0;
	length = addr_to_sockaddr(&from, &storage);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&storage, length) != 0)
		return err_errno(err, "source address %s", text);
	return true;
}

static curl_socket_t
refuse_socket(struct run *run, enum https_stop stop)
{
	run->seen.stop = stop;
	return CURL_SOCKET_BAD;
}

/* The address that stands here goes to connect() unchanged: the policy is asked about it, not
 * about what we meant to connect to. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct run *run = arg;
	struct addr peer = addr_from_sockaddr(&address->addr);
	int         fd;

	if (purpose != CURLSOCKTYPE_IPCXN || !addr_equal(&peer, &run->seen.wanted) ||
	    peer.port != run->seen.wanted.port || !probe_allows(run->probe, &peer))
		return refuse_socket(run, HTTPS_STOP_POLICY);
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    address->protocol);
	if (fd < 0) {
		err_errno(&run->why, "no socket");
		return refuse_socket(run, HTTPS_STOP_SOCKET);
	}
	if (!bind_source(fd, &probe_options(run->probe)->source, &peer, &run->why)) {
		close(fd);
		return refuse_socket(run, HTTPS_STOP_SOCKET);
	}
	run->fd = fd;
	return fd;
}

static enum https_tcp
look_at_tcp(int fd)
{
	struct tcp_info info;
	socklen_t       length = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return HTTPS_TCP_UNKNOWN;
	switch (info.tcpi_state) {
	case TCP_CLOSE: return HTTPS_TCP_RESET;
	case TCP_CLOSE_WAIT:
	case TCP_LAST_ACK: return HTTPS_TCP_PEER_CLOSED;
	default: return HTTPS_TCP_STANDS;
	}
}

/* libcurl does not say whether the peer closed or reset; the kernel does, as long as the
 * descriptor is open.  Some versions close after the handle has gone back: so look the run up. */
static int
on_close(void *arg, curl_socket_t fd)
{
	struct https *https = arg;

	for (struct run *run = https->active; run != NULL; run = run->next) {
		if (run->fd == fd) {
			run->seen.tcp = look_at_tcp(fd);
			run->fd = -1;
		}
	}
	return close(fd);
}

/* The handle: what never changes is set once. */

static void
set_transport(CURL *easy, struct run *run)
{
	/* Each request its own connection, and no way around the pinned address. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, run);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, run->https);

	/* The roots come from the shared store alone. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, run);
}

static void
set_request(CURL *easy, struct run *run)
{
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, run);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, run);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, run->text);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, run);
}

static void on_refusal(void *arg, unsigned what);

static struct run *
make_run(struct https *https, struct loop *loop)
{
	struct run *run = mem_alloc(sizeof(*run));

	run->https = https;
	run->easy = curl_easy_init();
	assert(run->easy != NULL); /* fails for want of memory only */
	wbuf_init(&run->body);
	loop_watch_init(&run->refusal, loop, on_refusal, run);
	https_multi_prepare(run->easy);
	set_transport(run->easy, run);
	set_request(run->easy, run);
	return run;
}

static void
free_run(struct run *run)
{
	curl_easy_cleanup(run->easy);
	curl_slist_free_all(run->connect_to);
	wbuf_fini(&run->body);
	loop_watch_fini(&run->refusal);
	free(run);
}

static struct run *
take_run(struct https *https, struct loop *loop)
{
	struct run *run = https->idle;

	if (run != NULL) {
		https->idle = run->next;
		https->idle_count--;
	} else {
		run = make_run(https, loop);
	}
	run->next = https->active;
	https->active = run;
	return run;
}

static void
give_back(struct run *run)
{
	struct https *https = run->https;
	struct run  **link = &https->active;

	if (run->asking)
		https_multi_remove(https->multi, run->easy);
	run->asking = false;
	loop_watch_stop(&run->refusal);
	while (*link != run)
		link = &(*link)->next;
	*link = run->next;
	if (https->idle_count == IDLE_MAX) {
		free_run(run);
		return;
	}
	run->next = https->idle;
	https->idle = run;
	https->idle_count++;
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
look_at_transfer(struct run *run)
{
	struct https_seen *seen = &run->seen;
	const char        *reached = NULL;
	long               os_errno = 0;

	curl_easy_getinfo(run->easy, CURLINFO_PRIMARY_IP, &reached);
	if (reached == NULL || !addr_parse(&seen->reached, reached, 0, NULL))
		seen->reached = (struct addr){ 0 };
	curl_easy_getinfo(run->easy, CURLINFO_NUM_CONNECTS, &seen->connections);
	curl_easy_getinfo(run->easy, CURLINFO_OS_ERRNO, &os_errno);
	seen->os_errno = (int)os_errno;
	seen->times = (struct https_times){
		.lookup_us = time_of(run->easy, CURLINFO_NAMELOOKUP_TIME_T),
		.connect_us = time_of(run->easy, CURLINFO_CONNECT_TIME_T),
		.tls_us = time_of(run->easy, CURLINFO_APPCONNECT_TIME_T),
		.sent_us = time_of(run->easy, CURLINFO_PRETRANSFER_TIME_T),
		.first_us = time_of(run->easy, CURLINFO_STARTTRANSFER_TIME_T),
		.total_us = time_of(run->easy, CURLINFO_TOTAL_TIME_T),
	};
	/* Some versions stamp "connected" only when the handshake is finished too. */
	if (seen->times.connect_us == 0)
		seen->times.connect_us = run->connected_us;
}

/* The last thing that happens to the probe. */
static void
finish(struct run *run, int code)
{
	struct probe           *probe = run->probe;
	const struct probe_ask *ask = probe_ask(probe);
	struct https_seen      *seen = &run->seen;

	seen->code = code;
	seen->late_us = clock_mono_us(clock_of(run)) - run->due_us;
	seen->text = run->text[0] != '\0' ? run->text : curl_easy_strerror((CURLcode)code);
	seen->why = run->why.text;
	run->answer.body = (const char *)run->body.bytes;
	run->answer.body_bytes = run->body.count;
	https_record(seen, &run->answer, ask->arena, ask->endpoint);
	give_back(run);
	probe_over(probe);
}

static void
on_done(void *arg, void *easy, int code)
{
	void *private = NULL;
	struct run *run;

	curl_easy_getinfo((CURL *)easy, CURLINFO_PRIVATE, &private);
	run = private;
	look_at_transfer(run);
	finish(run, code);
}

static void
on_refusal(void *arg, unsigned what)
{
	finish(arg, CURLE_FAILED_INIT);
}

/* The beginning. */

static void
pin(struct run *run, const struct https_spec *spec, int64_t limit_ms)
{
	curl_slist_free_all(run->connect_to);
	run->connect_to = curl_slist_append(NULL, spec->connect_to);
	curl_easy_setopt(run->easy, CURLOPT_URL, spec->url);
	curl_easy_setopt(run->easy, CURLOPT_CONNECT_TO, run->connect_to);
	curl_easy_setopt(run->easy, CURLOPT_TIMEOUT_MS, (long)limit_ms);
	curl_easy_setopt(run->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)limit_ms);
}

static void *
start_https(struct probe *probe, void *shared)
{
	const struct probe_ask *ask = probe_ask(probe);
	struct run             *run = take_run(shared, probe_options(probe)->loop);
	struct https_spec       spec;

	run->probe = probe;
	run->seen = (struct https_seen){ .wanted = ask->peer, .limit_ms = ask->limit_ms };
	run->answer = (struct https_answer){ 0 };
	run->why = (struct err){ 0 };
	run->text[0] = '\0';
	run->fd = -1;
	run->started_us = clock_mono_us(clock_of(run));
	run->due_us = run->started_us + ask->limit_ms * US_PER_MS;
	run->connected_us = 0;
	wbuf_clear(&run->body);
	if (!https_spec_make(&spec, ask->host, &ask->peer, ask->arena, &run->why)) {
		run->seen.stop = HTTPS_STOP_SPEC;
		loop_watch_set(&run->refusal, -1, 0, 0);
		return run;
	}
	pin(run, &spec, ask->limit_ms);
	https_multi_add(run->https->multi, run->easy);
	run->asking = true;
	return run;
}

static void
cancel_https(void *arg)
{
	give_back(arg);
}

static void
free_https(void *shared)
{
	struct https *https = shared;

	assert(https->active == NULL);
	while (https->idle != NULL) {
		struct run *run = https->idle;

		https->idle = run->next;
		free_run(run);
	}
	https_multi_free(https->multi);
	free(https);
}

static bool
init_https(struct probes *probes, void **shared, struct err *err)
{
	const struct probe_options *options = probes_options(probes);
	struct https               *https = mem_alloc(sizeof(*https));

	https->multi = https_multi_new(options->loop, on_done, https, err);
	if (https->multi == NULL) {
		free_https(https);
		return false;
	}
	https->roots = probes_roots(probes);
	*shared = https;
	return true;
}

const struct probe_kind probe_https = {
	.name = "https",
	.init = init_https,
	.fini = free_https,
	.start = start_https,
	.cancel = cancel_https,
};
