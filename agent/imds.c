#include "agent/imds.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/token_json.h"
#include "probe/https/https_multi.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BODY_MAX = 32 << 10, HEAD_MAX = 16 << 10, WHY_MAX = 400 };

static const int64_t limit_preset_ms = 5 * MS_PER_S;
static const int64_t try_ms = 2 * MS_PER_S, connect_ms = MS_PER_S;
static const int64_t pause_first_ms = 200;
/* Before its end a token is asked for anew, and no clock is trusted longer than a day. */
static const int64_t margin_s = 300, keep_most_s = 86400;
static const int64_t hold_us = 10 * US_PER_S; /* a failure is the answer to others as well */

/* The life of one question, again and again. */
enum imds_state { IMDS_IDLE, IMDS_ASK, IMDS_PAUSE };

struct imds_ask {
	struct imds_ask **at, *next; /* of the list that it is in */
	void (*on_token)(void *arg, const char *token, const char *why);
	void *arg;
};

struct imds {
	const struct clock *clock; /* borrowed */
	char               *url, *client_id;
	int64_t             limit_us;

	enum imds_state     state;
	struct https_multi *multi;   /* owned */
	CURL               *easy;    /* owned */
	struct curl_slist  *headers; /* owned */
	struct loop_watch   timer;
	int64_t             begun_us;
	unsigned            tries;
	struct imds_ask    *waiting, *answered; /* owned */

	/* Of the request that is out. */
	char    body[BODY_MAX]; /* may be secret */
	size_t  body_count, head_count;
	bool    too_large;
	int64_t retry_after_s; /* 0: not said */

	struct token_answer token;    /* secret */
	int64_t             token_us; /* boot time until which it is good; 0: there is none */
	char                why[WHY_MAX]; /* of the last failure */
	int64_t             why_us;       /* monotonic time until which it is the answer */
};

static int64_t
now_us(const struct imds *imds)
{
	return clock_mono_us(imds->clock);
}

static int64_t
boot_us(const struct imds *imds)
{
	return clock_boot_ns(imds->clock) / 1000;
}

/* The list of those who ask. */

static void
link_ask(struct imds_ask **list, struct imds_ask *ask)
{
	while (*list != NULL)
		list = &(*list)->next;
	*list = ask;
	ask->at = list;
	ask->next = NULL;
}

static void
free_ask(struct imds_ask *ask)
{
	*ask->at = ask->next;
	if (ask->next != NULL)
		ask->next->at = ask->at;
	free(ask);
}

/* Who asks from inside an answer waits for the next one. */
static void
answer_all(struct imds *imds, const char *token, const char *why)
{
	while (imds->waiting != NULL) {
		struct imds_ask *ask = imds->waiting;

		imds->waiting = ask->next;
		if (ask->next != NULL)
			ask->next->at = &imds->waiting;
		link_ask(&imds->answered, ask);
	}
	while (imds->answered != NULL) {
		struct imds_ask ask = *imds->answered;

		free_ask(imds->answered);
		ask.on_token(ask.arg, token, why);
	}
}

/* The end of a question. */

static void
finish(struct imds *imds, const char *token)
{
	imds->state = IMDS_IDLE;
	digest_wipe(imds->body, sizeof(imds->body));
	answer_all(imds, token, token != NULL ? NULL : imds->why);
	if (imds->token_us == 0)
		digest_wipe(&imds->token, sizeof(imds->token));
	if (imds->waiting != NULL && imds->state == IMDS_IDLE)
		loop_watch_set(&imds->timer, -1, 0, 0);
}

static void PRINTF_LIKE(2, 3) fail(struct imds *imds, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(imds->why, sizeof(imds->why), format, args);
	va_end(args);
	imds->why_us = now_us(imds) + hold_us;
	finish(imds, NULL);
}

/* How long the token is good from now on, s: what is less, by either way of saying it.  A clock
 * that is wrong can only make it less. */
static int64_t
measure_left(const struct imds *imds)
{
	const struct token_answer *token = &imds->token;
	int64_t                    left_s = keep_most_s;
	int64_t                    wall_s = clock_wall_ms(imds->clock) / MS_PER_S;

	if (token->expires_s < 0 && token->left_s < 0)
		return 0;
	if (token->left_s >= 0 && token->left_s < left_s)
		left_s = token->left_s;
	if (token->expires_s >= 0 && token->expires_s - wall_s < left_s)
		left_s = token->expires_s - wall_s;
	left_s -= left_s > 2 * margin_s ? margin_s : left_s / 2;
	return left_s > 0 ? left_s : 0;
}

static void
take_token(struct imds *imds)
{
	int64_t    left_s;
	struct err err;

	if (!token_json_read(&imds->token, "answer of the instance metadata service",
	        imds->body, imds->body_count, &err)) {
		fail(imds, "%s", err.text);
		return;
	}
	left_s = measure_left(imds);
	imds->token_us = left_s > 0 ? boot_us(imds) + left_s * US_PER_S : 0;
	imds->why_us = 0;
	finish(imds, imds->token.text);
}

/* Errors, told apart. */

static void
fail_refused(struct imds *imds, unsigned status)
{
	struct arena *arena = arena_new();
	const char   *trouble = token_json_trouble(arena, imds->body, imds->body_count);
	bool          named = imds->client_id[0] != '\0';

	if (status == 400 && text_find_nocase(trouble, "multiple") != NULL)
		fail(imds,
		    "this VM has several managed identities: the client id of one wanted (%s)",
		    trouble);
	else if (status == 400 && text_find_nocase(trouble, "not found") != NULL)
		fail(imds, "this VM has no managed identity%s%.40s (%s)",
		    named ? " with the client id " : "", imds->client_id, trouble);
	else if (status >= 300 && status < 400)
		fail(imds, "%s answers %u, which is not followed: no instance metadata service",
		    imds->url, status);
	else
		fail(imds, "%s answers %u%s%s", imds->url, status,
		    trouble[0] != '\0' ? ": " : "", trouble);
	arena_free(arena);
}

static void
fail_silent(struct imds *imds, CURLcode code)
{
	if (imds->too_large)
		fail(imds, "%s: the answer is too large", imds->url);
	else if (code == CURLE_COULDNT_CONNECT)
		fail(imds,
		    "%s cannot be reached: no Azure VM, or a firewall of this machine or unit",
		    imds->url);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		fail(imds, "%s does not answer: no Azure VM, or a firewall of this machine",
		    imds->url);
	else
		fail(imds, "%s: %s", imds->url, curl_easy_strerror(code));
}

static bool
is_passing(CURLcode code, unsigned status)
{
	if (code != CURLE_OK)
		return code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
		    code == CURLE_RECV_ERROR;
	return status == 404 || status == 410 || status == 429 || status >= 500;
}

/* How long to wait before the next try; -1 when the time does not suffice for one. */
static int64_t
plan_pause(struct imds *imds)
{
	int64_t left_us = imds->begun_us + imds->limit_us - now_us(imds);
	int64_t pause_us = (pause_first_ms << (imds->tries - 1)) * US_PER_MS;

	if (imds->retry_after_s > 0)
		pause_us = imds->retry_after_s * US_PER_S;
	return pause_us + connect_ms * US_PER_MS <= left_us ? pause_us : -1;
}

static void
judge(struct imds *imds, CURLcode code)
{
	long    status = 0;
	int64_t pause_us = -1;

	curl_easy_getinfo(imds->easy, CURLINFO_RESPONSE_CODE, &status);
	if (!imds->too_large && is_passing(code, (unsigned)status))
		pause_us = plan_pause(imds);
	if (pause_us >= 0) {
		imds->state = IMDS_PAUSE;
		loop_watch_set(&imds->timer, -1, 0, pause_us);
	} else if (code != CURLE_OK) {
		fail_silent(imds, code);
	} else if (status == 200) {
		take_token(imds);
	} else {
		fail_refused(imds, (unsigned)status);
	}
}

static void
on_done(void *arg, void *easy, int code)
{
	struct imds *imds = arg;

	https_multi_remove(imds->multi, easy);
	judge(imds, (CURLcode)code);
}

/* One request. */

static size_t
on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct imds *imds = arg;

	if (count > sizeof(imds->body) - imds->body_count) {
		imds->too_large = true;
		return 0;
	}
	memcpy(imds->body + imds->body_count, bytes, count);
	imds->body_count += count;
	return count;
}

static size_t
on_header(char *line, size_t size, size_t count, void *arg)
{
	static const char name[] = "Retry-After:";
	struct imds      *imds = arg;
	char              value[16] = "";

	imds->head_count += count;
	if (imds->head_count > HEAD_MAX) {
		imds->too_large = true;
		return 0;
	}
	if (count > strlen(name) && strncasecmp(line, name, strlen(name)) == 0)
		snprintf(value, sizeof(value), "%.*s", (int)(count - strlen(name)),
		    line + strlen(name));
	if (value[0] != '\0')
		imds->retry_after_s = strtol(value, NULL, 10);
	if (imds->retry_after_s > keep_most_s)
		imds->retry_after_s = keep_most_s;
	return count;
}

static void
set_url(struct imds *imds)
{
	char *escaped = curl_easy_escape(imds->easy, imds->client_id, 0);
	char *url = mem_printf("%s/metadata/identity/oauth2/token?api-version=2018-02-01"
	                       "&resource=https%%3A%%2F%%2Fcosmos.azure.com%%2F%s%s",
	    imds->url, imds->client_id[0] != '\0' ? "&client_id=" : "",
	    escaped != NULL ? escaped : "");

	curl_easy_setopt(imds->easy, CURLOPT_URL, url);
	curl_free(escaped);
	free(url);
}

static void
set_options(struct imds *imds)
{
	CURL   *easy = imds->easy;
	int64_t left_ms = (imds->begun_us + imds->limit_us - now_us(imds)) / US_PER_MS;

	curl_easy_reset(easy);
	https_multi_prepare(easy); /* no proxy, no redirect */
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
	if (left_ms > try_ms)
		left_ms = try_ms;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(left_ms > 0 ? left_ms : 1));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, imds->headers);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, imds);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, imds);
	set_url(imds);
}

static void
ask_service(struct imds *imds)
{
	imds->state = IMDS_ASK;
	imds->tries++;
	imds->body_count = imds->head_count = 0;
	imds->too_large = false;
	imds->retry_after_s = 0;
	set_options(imds);
	https_multi_add(imds->multi, imds->easy);
}

/* Somebody waits, and nothing is under way. */
static void
begin(struct imds *imds)
{
	if (imds->waiting == NULL)
		return;
	if (imds->token_us > boot_us(imds)) {
		finish(imds, imds->token.text);
	} else if (imds->why_us > now_us(imds)) {
		finish(imds, NULL);
	} else {
		imds->token_us = 0;
		imds->tries = 0;
		imds->begun_us = now_us(imds);
		ask_service(imds);
	}
}

static void
on_timer(void *arg, unsigned what)
{
	struct imds *imds = arg;

	switch (imds->state) {
	case IMDS_IDLE: begin(imds); break;
	case IMDS_ASK: break;
	case IMDS_PAUSE: ask_service(imds); break;
	}
}

struct imds *
imds_new(const struct imds_options *options, struct err *err)
{
	struct imds *imds = mem_alloc(sizeof(*imds));

	imds->multi = https_multi_new(options->loop, on_done, imds, err);
	if (imds->multi == NULL) {
		free(imds);
		return NULL;
	}
	imds->clock = options->clock;
	imds->url = mem_strdup(options->url[0] != '\0' ? options->url : IMDS_URL);
	imds->client_id = mem_strdup(options->client_id);
	imds->limit_us = (options->limit_ms > 0 ? options->limit_ms : limit_preset_ms) *
	    US_PER_MS;
	imds->easy = curl_easy_init();
	imds->headers = curl_slist_append(NULL, "Metadata: true");
	assert(imds->easy != NULL && imds->headers != NULL);
	loop_watch_init(&imds->timer, options->loop, on_timer, imds);
	return imds;
}

void
imds_free(struct imds *imds)
{
	if (imds == NULL)
		return;
	assert(imds->answered == NULL); /* not from inside an answer */
	while (imds->waiting != NULL)
		free_ask(imds->waiting);
	if (imds->state == IMDS_ASK)
		https_multi_remove(imds->multi, imds->easy);
	curl_easy_cleanup(imds->easy);
	curl_slist_free_all(imds->headers);
	https_multi_free(imds->multi);
	loop_watch_fini(&imds->timer);
	free(imds->url);
	free(imds->client_id);
	digest_wipe(imds, sizeof(*imds));
	free(imds);
}

struct imds_ask *
imds_start(struct imds *imds, void (*on_token)(void *arg, const char *token, const char *why),
    void               *arg)
{
	struct imds_ask *ask = mem_alloc(sizeof(*ask));

	ask->on_token = on_token;
	ask->arg = arg;
	link_ask(&imds->waiting, ask);
	if (imds->state == IMDS_IDLE)
		loop_watch_set(&imds->timer, -1, 0, 0);
	return ask;
}

void
imds_cancel(struct imds_ask *ask)
{
	if (ask != NULL)
		free_ask(ask);
}
