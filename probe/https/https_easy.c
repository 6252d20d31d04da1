#include "probe/https/https_easy.h"

#include "base/digest.h"
#include "probe/https/https_multi.h"
#include "probe/https/https_tls.h"

#include <assert.h>
#include <curl/curl.h>
#include <string.h>
#include <unistd.h>

static_assert(CURL_ERROR_SIZE <= HTTPS_EASY_TEXT, "libcurl writes so much");

/* A gateway's head is some 500 bytes. */
enum { HEAD_MAX = 16 * 1024 };

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

	request->connected_us = clock_mono_us(
	                            probes_options(request->requests->probes)->clock) -
	    request->started_us;
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

void
https_easy_open(struct https_request *request)
{
	request->easy = curl_easy_init();
	assert(request->easy != NULL); /* fails for want of memory only */
	https_multi_prepare(request->easy);
	set_transport(request->easy, request);
	set_ends(request->easy, request);
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

void
https_easy_close(struct https_request *request)
{
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->connect_to);
	drop_headers(request);
}

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

void
https_easy_ask(struct https_request *request, const struct https_spec *spec)
{
	set_question(request, spec);
	set_line(request);
}

void
https_easy_forget(struct https_request *request)
{
	curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, NULL);
	drop_headers(request);
	if (request->ask.line != NULL)
		curl_easy_setopt(request->easy, CURLOPT_SHARE, NULL);
}

static int64_t
time_of(CURL *easy, CURLINFO info)
{
	curl_off_t value = 0;

	curl_easy_getinfo(easy, info, &value);
	return value;
}

void
https_easy_look(struct https_request *request)
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

void *
https_easy_pool_open(void)
{
	CURLSH *pool = curl_share_init();

	assert(pool != NULL); /* fails for want of memory only */
	curl_share_setopt(pool, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
	return pool;
}

void
https_easy_pool_close(void *pool)
{
	curl_share_cleanup(pool);
}
