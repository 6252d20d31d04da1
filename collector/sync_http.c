#include "collector/sync_http.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/text.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* LEAST: with less time than that left no try is begun, so that the last answer is what is told. */
enum { TRIES_MAX = 8, LEAST_MS = 500 };

static const int64_t request_preset_ms = 30 * MS_PER_S;
static const int64_t connect_ms = 10 * MS_PER_S;
static const int64_t pause_first_ms = 500, pause_most_ms = 30 * MS_PER_S;
static const int64_t spread_ms = MS_PER_S; /* behind what a service names: not all at once */

struct sync_http {
	CURL   *easy;    /* owned */
	char   *ca_file; /* owned */
	int64_t ends_us, request_ms;
	/* Of the try that is out. */
	struct sync_http_answer *answer;
	size_t                   head_count;
	bool                     too_large;
};

struct sync_http *
sync_http_new(const struct sync_http_options *options)
{
	struct sync_http *http = mem_alloc(sizeof(*http));

	http->easy = curl_easy_init();
	assert(http->easy != NULL);
	http->ca_file = mem_strdup(options->ca_file);
	http->request_ms = options->request_ms > 0 ? options->request_ms : request_preset_ms;
	http->ends_us = clock_mono_us(clock_system()) + options->limit_ms * US_PER_MS;
	return http;
}

void
sync_http_free(struct sync_http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->easy);
	free(http->ca_file);
	free(http);
}

static int64_t
left_ms(const struct sync_http *http)
{
	return (http->ends_us - clock_mono_us(clock_system())) / US_PER_MS;
}

/* One try. */

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct sync_http *http = arg;

	if (count > SYNC_BODY_MAX - http->answer->body.count) {
		http->too_large = true;
		return 0;
	}
	wbuf_put(&http->answer->body, bytes, count);
	return count;
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	static const char name[] = "etag:";
	struct sync_http *http = arg;
	size_t            skip = strlen(name), end = count;

	http->head_count += count;
	if (http->head_count > SYNC_HEAD_MAX) {
		http->too_large = true;
		return 0;
	}
	if (count <= skip || strncasecmp(line, name, skip) != 0)
		return count;
	while (skip < end && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	while (end > skip && (unsigned char)line[end - 1] <= ' ')
		end--;
	if (end - skip < SYNC_ETAG_ROOM) {
		memcpy(http->answer->etag, line + skip, end - skip);
		http->answer->etag[end - skip] = '\0';
	}
	return count;
}

/* NULL value: none. */
static struct curl_slist *
add_header(struct curl_slist *headers, const char *name, const char *value)
{
	char              *line;
	struct curl_slist *grown;

	if (value == NULL || *value == '\0')
		return headers;
	line = mem_printf("%s: %s", name, value);
	grown = curl_slist_append(headers, line);
	assert(grown != NULL);
	digest_wipe(line, strlen(line));
	free(line);
	return grown;
}

static void
free_headers(struct curl_slist *headers)
{
	for (struct curl_slist *at = headers; at != NULL; at = at->next)
		digest_wipe(at->data, strlen(at->data));
	curl_slist_free_all(headers);
}

static struct curl_slist *
make_headers(const struct sync_http_ask *ask)
{
	struct curl_slist *headers = add_header(NULL, "Accept", "application/json");
	char              *bearer = NULL;

	headers = add_header(headers, "If-None-Match", ask->etag);
	headers = add_header(headers, "Metadata", ask->metadata ? "true" : NULL);
	if (ask->bearer != NULL) {
		bearer = mem_printf("Bearer %s", ask->bearer);
		headers = add_header(headers, "Authorization", bearer);
		digest_wipe(bearer, strlen(bearer));
		free(bearer);
	}
	return headers;
}

static void
set_options(struct sync_http *http, const struct sync_http_ask *ask, struct curl_slist *headers)
{
	CURL   *easy = http->easy;
	int64_t limit_ms = left_ms(http);

	if (limit_ms > http->request_ms)
		limit_ms = http->request_ms;
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, ask->url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, ask->metadata ? "http,https" : "https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
	    (long)(CURLPROTO_HTTPS | (ask->metadata ? CURLPROTO_HTTP : 0)));
#endif
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(limit_ms > 0 ? limit_ms : 1));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "plprobe-collector/" PLPROBE_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (http->ca_file[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (ask->metadata) /* else the environment's proxy, as other clients of Azure have it */
		curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (ask->form != NULL)
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ask->form);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
}

static CURLcode
try_once(
    struct sync_http *http, const struct sync_http_ask *ask, struct sync_http_answer *answer)
{
	struct curl_slist *headers = make_headers(ask);
	CURLcode           code;
	long               status = 0;

	http->answer = answer;
	http->head_count = 0;
	http->too_large = false;
	answer->etag[0] = '\0';
	wbuf_clear(&answer->body);
	set_options(http, ask, headers);
	code = curl_easy_perform(http->easy);
	curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
	answer->status = code == CURLE_OK ? (unsigned)status : 0;
	free_headers(headers);
	return code;
}

/* Again, and when. */

static bool
is_passing(const struct sync_http *http, const struct sync_http_ask *ask, CURLcode code,
    unsigned status)
{
	if (http->too_large)
		return false;
	switch (code) {
	case CURLE_OK: break;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE: return true;
	default: return false;
	}
	if (ask->metadata && (status == 404 || status == 410))
		return true;
	return status == 408 || status == 429 || status == 500 || status == 502 ||
	    status == 503 || status == 504;
}

/* From 0 to below, by the kernel's generator. */
static int64_t
pick_ms(int64_t below_ms)
{
	uint32_t dice;

	digest_random(&dice, sizeof(dice));
	return (int64_t)((uint64_t)dice * (uint64_t)below_ms >> 32);
}

/* How long to wait before the next try, ms. */
static int64_t
plan_pause(struct sync_http *http, unsigned tries)
{
	curl_off_t after_s = 0;
	int64_t    room_ms = pause_first_ms << (tries - 1);

	curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &after_s);
	if (after_s > 0)
		return (int64_t)(after_s > 86400 ? 86400 : after_s) * MS_PER_S +
		    pick_ms(spread_ms);
	return pick_ms(room_ms < pause_most_ms ? room_ms : pause_most_ms);
}

static void
pause_for(int64_t pause_ms)
{
	struct timespec left = { pause_ms / 1000, pause_ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) != 0)
		;
}

static bool
tell_silence(const struct sync_http *http, const struct sync_http_ask *ask, CURLcode code,
    struct err *err)
{
	int shown = (int)strcspn(ask->url, "?");

	if (http->too_large)
		return err_set(
		    err, ERR_LIMIT, "%.*s: the answer is too large", shown, ask->url);
	return err_set(err, ERR_PEER, "%.*s: %s", shown, ask->url, curl_easy_strerror(code));
}

bool
sync_http_ask(struct sync_http *http, const struct sync_http_ask *ask,
    struct sync_http_answer *answer, struct err *err)
{
	for (unsigned tries = 1;; tries++) {
		CURLcode code;
		int64_t  pause_ms;

		if (left_ms(http) <= 0)
			return err_set(err, ERR_PEER, "%.*s: the time is up",
			    (int)strcspn(ask->url, "?"), ask->url);
		code = try_once(http, ask, answer);
		if (!is_passing(http, ask, code, answer->status))
			return code == CURLE_OK || tell_silence(http, ask, code, err);
		pause_ms = plan_pause(http, tries);
		if (tries == TRIES_MAX || pause_ms + LEAST_MS > left_ms(http))
			return code == CURLE_OK || tell_silence(http, ask, code, err);
		pause_for(pause_ms);
	}
}

bool
sync_http_is_over(const struct sync_http *http)
{
	return left_ms(http) <= 0;
}

/* URLs. */

/* "https://host:port" in lower case, to be freed; NULL: no URL, no HTTPS, or one with a user. */
static char *
find_origin(const char *text)
{
	CURLU *url = curl_url();
	char  *scheme = NULL, *host = NULL, *port = NULL, *user = NULL, *origin = NULL;

	assert(url != NULL);
	if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_NO_USER &&
	    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
	    text_equal_nocase(scheme, "https"))
		origin = mem_printf("%s:%s", host, port);
	for (char *c = origin; c != NULL && *c != '\0'; c++)
		*c = text_lower(*c);
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(user);
	curl_url_cleanup(url);
	return origin;
}

bool
sync_http_same_origin(const char *left, const char *right)
{
	char *one = find_origin(left), *other = find_origin(right);
	bool  same = one != NULL && other != NULL && strcmp(one, other) == 0;

	free(one);
	free(other);
	return same;
}

char *
sync_http_escape(const char *text)
{
	char *escaped = curl_easy_escape(NULL, text, 0), *copy;

	assert(escaped != NULL);
	copy = mem_strdup(escaped);
	digest_wipe(escaped, strlen(escaped));
	curl_free(escaped);
	return copy;
}
