#include "probe/https/https_answer.h"

#include "base/clock.h"
#include "base/text.h"
#include "probe/https/https_answer_json.h"
#include "base/date.h"
#include "probe/https/https_words.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 255, ERROR_TEXT_MAX = 255 };

/* What a credential-free request is told by a gateway [cosmos-unauthorized]. */
static const char *const healthy_code = "Unauthorized";
static const char *const healthy_message = "Required Header authorization is missing";

static const struct header {
	const char *name;
	size_t      at;
	size_t      limit; /* bytes kept */
} headers[] = {
	{ "content-type", offsetof(struct https_answer, content_type), HEADER_MAX },
	{ "server", offsetof(struct https_answer, server), HEADER_MAX },
	{ "x-ms-gatewayversion", offsetof(struct https_answer, gateway_version), HEADER_MAX },
	{ "x-ms-activity-id", offsetof(struct https_answer, activity_id), HEADER_MAX },
	{ "x-ms-substatus", offsetof(struct https_answer, substatus), HEADER_MAX },
	{ "location", offsetof(struct https_answer, location), HEADER_MAX },
	{ "retry-after", offsetof(struct https_answer, retry_after), HEADER_MAX },
	{ "x-ms-retry-after-ms", offsetof(struct https_answer, retry_after_ms), HEADER_MAX },
	{ "date", offsetof(struct https_answer, date), HEADER_MAX },
	{ "x-ms-continuation", offsetof(struct https_answer, continuation),
	    HTTPS_CONTINUATION_MAX + 1 },
	{ "via", offsetof(struct https_answer, via), HEADER_MAX },
	/* The first that stands there. */
	{ "proxy-authenticate", offsetof(struct https_answer, proxy_hint), HEADER_MAX },
	{ "proxy-agent", offsetof(struct https_answer, proxy_hint), HEADER_MAX },
	{ "proxy-connection", offsetof(struct https_answer, proxy_hint), HEADER_MAX },
	{ "x-squid-error", offsetof(struct https_answer, proxy_hint), HEADER_MAX },
	{ "x-bluecoat-via", offsetof(struct https_answer, proxy_hint), HEADER_MAX },
};

/* "HTTP/1.1 401 Unauthorized": the three digits [rfc9112 4]. */
static bool
read_status(struct https_answer *answer, const char *line, size_t count)
{
	const char *blank = memchr(line, ' ', count);
	unsigned    status = 0;

	if (count < 5 || memcmp(line, "HTTP/", 5) != 0 || blank == NULL)
		return false;
	if (count - (size_t)(blank - line) < 4)
		return false;
	for (int i = 1; i <= 3; i++) {
		if (blank[i] < '0' || blank[i] > '9')
			return false;
		status = status * 10 + (unsigned)(blank[i] - '0');
	}
	*answer = (struct https_answer){ .status = status };
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The first of several equal headers counts. */
static void
keep_header(struct https_answer *answer, const struct header *header, struct arena *arena,
    const char *value, size_t count)
{
	const char **kept = (const char **)(void *)((char *)answer + header->at);

	while (count > 0 && is_blank(value[0])) {
		value++;
		count--;
	}
	while (count > 0 && is_blank(value[count - 1]))
		count--;
	if (*kept == NULL)
		*kept = text_sane(arena, value, count, header->limit);
}

void
https_answer_line(
    struct https_answer *answer, struct arena *arena, const char *line, size_t count)
{
	if (read_status(answer, line, count))
		return;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		size_t length = strlen(headers[i].name);

		if (count > length && line[length] == ':' &&
		    text_starts_nocase(line, headers[i].name)) {
			keep_header(
			    answer, &headers[i], arena, line + length + 1, count - length - 1);
			return;
		}
	}
}

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static uint32_t
read_number(const char *text)
{
	bool          digit = text != NULL && text[0] >= '0' && text[0] <= '9';
	unsigned long value = digit ? strtoul(text, NULL, 10) : 0;

	return value <= UINT32_MAX ? (uint32_t)value : 0;
}

/* Milliseconds of the service's own header, seconds or a date of the common one [rfc9110 10.2.3]. */
uint32_t
https_answer_retry_after_ms(const struct https_answer *answer)
{
	const char *text = text_or_empty(answer->retry_after);
	int64_t     until_s, now_s;
	uint32_t    seconds;

	if (text_or_empty(answer->retry_after_ms)[0] != '\0')
		return read_number(answer->retry_after_ms);
	if (date_parse(&until_s, text) && date_parse(&now_s, answer->date))
		seconds = until_s > now_s && until_s - now_s < MS_PER_DAY
		    ? (uint32_t)(until_s - now_s)
		    : 0;
	else
		seconds = read_number(text);
	return seconds <= UINT32_MAX / MS_PER_S ? seconds * MS_PER_S : UINT32_MAX;
}

uint32_t
https_answer_substatus(const struct https_answer *answer)
{
	return read_number(answer->substatus);
}

void
https_answer_head(const struct https_answer *answer, struct endpoint *endpoint)
{
	endpoint->http_status = answer->status;
	endpoint->content_type = text_or_empty(answer->content_type);
	endpoint->server = text_or_empty(answer->server);
	endpoint->gateway_version = text_or_empty(answer->gateway_version);
	endpoint->activity_id = text_or_empty(answer->activity_id);
	endpoint->location = text_or_empty(answer->location);
	endpoint->substatus = https_answer_substatus(answer);
	if (answer->status == 429 || answer->status == 503)
		endpoint->retry_after_ms = https_answer_retry_after_ms(answer);
}

bool
https_answer_is_marked(const struct https_answer *answer)
{
	return text_or_empty(answer->gateway_version)[0] != '\0' ||
	    text_or_empty(answer->activity_id)[0] != '\0';
}

/* A JSON error of the service, but not the healthy one. */
static const char *
say_error(const struct https_answer *answer, const struct https_error *error,
    struct arena *arena, struct endpoint *endpoint)
{
	struct https_refusal refusal;

	switch (answer->status) {
	case 401:
		if (!https_answer_is_marked(answer))
			return "a 401 without the headers of a Cosmos DB gateway";
		return "a 401, but not the one about a missing authorization header";
	case 403:
		refusal = https_words_refusal(error->message, arena);
		endpoint->path = refusal.path;
		endpoint->seen_as = refusal.seen_as;
		return refusal.words;
	default: return https_words_error(answer, arena);
	}
}

static bool
is_healthy(const struct https_answer *answer, const struct https_error *error)
{
	return answer->status == 401 && strcmp(error->code, healthy_code) == 0 &&
	    text_starts_nocase(error->message, healthy_message) &&
	    https_answer_is_marked(answer);
}

void
https_answer_judge(
    const struct https_answer *answer, struct arena *arena, struct endpoint *endpoint)
{
	struct https_error error;

	https_answer_head(answer, endpoint);
	endpoint->http = OUTCOME_HTTP_OTHER;
	if (!https_error_read(&error, answer->body, answer->body_bytes, arena)) {
		endpoint->http_detail = https_words_stranger(answer, arena);
		return;
	}
	endpoint->error_code = error.code;
	endpoint->error_text = text_sane(
	    arena, error.message, strlen(error.message), ERROR_TEXT_MAX);
	if (is_healthy(answer, &error)) {
		endpoint->http = OUTCOME_OK;
		return;
	}
	endpoint->http_detail = say_error(answer, &error, arena, endpoint);
}
