#include "agent/courier.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/wbuf.h"
#include "probe/https/https_multi.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_MAX = 16 << 10 };

struct courier {
	struct https_multi *multi; /* owned */
	char               *url, *ca_file;
	char               *authorization, *identity; /* NULL: not shown */
	int64_t             limit_ms;
	struct courier_news news;
};

struct errand {
	struct courier *courier; /* borrowed */
	void (*on_answer)(void *arg, const struct courier_answer *answer);
	void              *arg;
	CURL              *easy; /* owned */
	struct curl_slist *headers;
	struct wbuf        body;
	size_t             body_max, head_bytes;
	bool               out, too_large;
	int64_t            retry_after_s;
	int64_t            began_ms, dated_ms; /* wall clocks: ours, the answer's; 0: none */
	char               etag[COURIER_ETAG_MAX];
	char               trouble[CURL_ERROR_SIZE];
};

/* The header has whole seconds, and was written somewhere between our two looks at the clock. */
static void
take_news(struct errand *errand, const struct courier_answer *answer)
{
	struct courier_news *news = &errand->courier->news;

	news->status = answer->status;
	news->ended_ms = clock_wall_ms(clock_system());
	snprintf(news->trouble, sizeof(news->trouble), "%s", answer->trouble);
	if (errand->dated_ms == 0)
		return;
	news->clock_known = true;
	news->clock_ahead_ms = (errand->began_ms + news->ended_ms) / 2 -
	    (errand->dated_ms + MS_PER_S / 2);
}

static void
finish(struct errand *errand, CURLcode code)
{
	struct courier_answer answer = { .retry_after_s = errand->retry_after_s,
		.etag = errand->etag,
		.trouble = "",
		.body = errand->body.bytes,
		.count = errand->body.count };
	long                  status = 0;

	answer.nameless = code == CURLE_COULDNT_RESOLVE_HOST;
	https_multi_remove(errand->courier->multi, errand->easy);
	errand->out = false;
	curl_easy_getinfo(errand->easy, CURLINFO_RESPONSE_CODE, &status);
	if (errand->too_large)
		answer.trouble = "the answer is too large";
	else if (code != CURLE_OK)
		answer.trouble = errand->trouble[0] != '\0' ? errand->trouble
		                                            : curl_easy_strerror(code);
	else
		answer.status = (unsigned)status;
	take_news(errand, &answer);
	errand->on_answer(errand->arg, &answer);
}

int64_t
courier_wait_ms(const struct courier_answer *answer, struct backoff *backoff)
{
	if (answer->nameless)
		return backoff_nameless_ms(backoff);
	return answer->retry_after_s >= 0 ? backoff_asked_ms(backoff, answer->retry_after_s)
	                                  : backoff_next_ms(backoff);
}

static void
on_done(void *arg, void *easy, int code)
{
	struct errand *errand = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&errand);
	finish(errand, (CURLcode)code);
}

struct courier *
courier_new(const struct courier_options *options, struct err *err)
{
	struct courier *courier = mem_alloc(sizeof(*courier));
	size_t          count;

	courier->multi = https_multi_new(options->loop, on_done, courier, err);
	if (courier->multi == NULL) {
		free(courier);
		return NULL;
	}
	/* Else each agent has a second one, for the assignment, whenever both are due at once. */
	https_multi_share(courier->multi, 1);
	courier->url = mem_strdup(options->url);
	count = strlen(courier->url);
	while (count > 0 && courier->url[count - 1] == '/')
		courier->url[--count] = '\0'; /* paths begin with one */
	courier->ca_file = mem_strdup(options->ca_file);
	if (options->token != NULL)
		courier->authorization = mem_printf("Authorization: Bearer %s", options->token);
	if (options->identity != NULL)
		courier->identity = mem_strdup(options->identity);
	courier->limit_ms = options->limit_ms;
	return courier;
}

static void
free_secret(char *text)
{
	if (text != NULL)
		digest_wipe(text, strlen(text));
	free(text);
}

void
courier_free(struct courier *courier)
{
	if (courier == NULL)
		return;
	https_multi_free(courier->multi);
	free_secret(courier->authorization);
	free_secret(courier->identity);
	free(courier->ca_file);
	free(courier->url);
	free(courier);
}

struct courier_news
courier_news(const struct courier *courier)
{
	return courier->news;
}

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct errand *errand = arg;

	if (errand->body.count + count > errand->body_max) {
		errand->too_large = true;
		return 0;
	}
	wbuf_put(&errand->body, bytes, count);
	return count;
}

/* The value of a header line, without the spaces around it; NULL for another header. */
static const char *
find_value(const char *line, size_t count, const char *name, size_t *length)
{
	size_t name_length = strlen(name);
	size_t from = name_length + 1;

	if (count < from || strncasecmp(line, name, name_length) != 0 ||
	    line[name_length] != ':')
		return NULL;
	while (from < count && (line[from] == ' ' || line[from] == '\t'))
		from++;
	while (count > from && strchr(" \t\r\n", line[count - 1]) != NULL)
		count--;
	*length = count - from;
	return line + from;
}

static void
take_date(struct errand *errand, const char *value, size_t length)
{
	char    date[DATE_TEXT];
	int64_t seconds;

	if (length >= sizeof(date))
		return;
	memcpy(date, value, length);
	date[length] = '\0';
	if (date_parse(&seconds, date) && seconds > 0)
		errand->dated_ms = seconds * MS_PER_S;
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	struct errand *errand = arg;
	size_t         length;
	const char    *value = find_value(line, count, "ETag", &length);

	errand->head_bytes += count;
	if (errand->head_bytes > HEAD_MAX) {
		errand->too_large = true;
		return 0;
	}
	if (value != NULL && length < sizeof(errand->etag)) {
		memcpy(errand->etag, value, length);
		errand->etag[length] = '\0';
	}
	value = find_value(line, count, "Retry-After", &length);
	if (value != NULL && length > 0 && length < 10 && strspn(value, "0123456789") >= length)
		errand->retry_after_s = strtoll(value, NULL, 10);
	value = find_value(line, count, "Date", &length);
	if (value != NULL)
		take_date(errand, value, length);
	return count;
}

struct errand *
errand_new(struct courier *courier,
    void (*on_answer)(void *arg, const struct courier_answer *answer), void *arg)
{
	struct errand *errand = mem_alloc(sizeof(*errand));

	errand->courier = courier;
	errand->on_answer = on_answer;
	errand->arg = arg;
	wbuf_init(&errand->body);
	errand->easy = curl_easy_init();
	assert(errand->easy != NULL);
	return errand;
}

void
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return;
	errand_cancel(errand);
	curl_easy_cleanup(errand->easy);
	curl_slist_free_all(errand->headers);
	wbuf_fini(&errand->body);
	free(errand);
}

bool
errand_is_out(const struct errand *errand)
{
	return errand->out;
}

void
errand_cancel(struct errand *errand)
{
	if (errand->out)
		https_multi_remove(errand->courier->multi, errand->easy);
	errand->out = false;
}

static void
add_header(struct errand *errand, const char *line)
{
	errand->headers = curl_slist_append(errand->headers, line);
}

/* From memory: a file could be exchanged between two connections. */
static void
show_identity(CURL *easy, char *identity)
{
	struct curl_blob blob = { identity, strlen(identity), CURL_BLOB_NOCOPY };

	curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob);
	curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
	curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob);
	curl_easy_setopt(easy, CURLOPT_SSLKEYTYPE, "PEM");
}

/* What every request has.  Reset first: nothing of the one before is left but the connection. */
static void
prepare(struct errand *errand, const char *path, size_t body_max)
{
	const struct courier *courier = errand->courier;
	CURL                 *easy = errand->easy;
	char                 *url = mem_printf("%s%s", courier->url, path);

	assert(!errand->out);
	curl_easy_reset(easy);
	curl_slist_free_all(errand->headers);
	errand->headers = NULL;
	if (courier->authorization != NULL)
		add_header(errand, courier->authorization);
	wbuf_clear(&errand->body);
	errand->body_max = body_max;
	errand->head_bytes = 0;
	errand->too_large = false;
	errand->retry_after_s = -1;
	errand->dated_ms = 0;
	errand->began_ms = clock_wall_ms(clock_system());
	errand->etag[0] = errand->trouble[0] = '\0';

	https_multi_prepare(easy);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	free(url);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)courier->limit_ms);
	if (courier->ca_file[0] != '\0') {
		curl_easy_setopt(easy, CURLOPT_CAINFO, courier->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (courier->identity != NULL)
		show_identity(easy, courier->identity);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, errand);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, errand);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, errand->trouble);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, errand);
}

static void
send_out(struct errand *errand)
{
	curl_easy_setopt(errand->easy, CURLOPT_HTTPHEADER, errand->headers);
	errand->out = true;
	https_multi_add(errand->courier->multi, errand->easy);
}

void
errand_post(struct errand *errand, const char *path, const char *type, const char *header,
    const uint8_t *bytes, size_t count)
{
	uint8_t digest[DIGEST_BYTES];
	char    text[BASE64_ROOM(DIGEST_BYTES)];
	char    line[128];

	prepare(errand, path, COURIER_BODY_MAX);
	digest_sha256(bytes, count, digest);
	snprintf(line, sizeof(line),
	    "Content-Digest: sha-256=:%s:", base64_encode(digest, sizeof(digest), text));
	add_header(errand, line);
	snprintf(line, sizeof(line), "Content-Type: %s", type);
	add_header(errand, line);
	if (header[0] != '\0')
		add_header(errand, header);
	add_header(errand, "Expect:"); /* a round trip more, and not every server answers it */
	curl_easy_setopt(errand->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(errand->easy, CURLOPT_POSTFIELDS, (const char *)bytes);
	curl_easy_setopt(errand->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
	send_out(errand);
}

void
errand_get(struct errand *errand, const char *path, const char *etag, size_t body_max)
{
	char line[COURIER_ETAG_MAX + 32];

	prepare(errand, path, body_max);
	if (etag[0] != '\0') {
		snprintf(line, sizeof(line), "If-None-Match: %s", etag);
		add_header(errand, line);
	}
	send_out(errand);
}
