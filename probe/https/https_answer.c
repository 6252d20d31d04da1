#include "probe/https/https_answer.h"

#include "base/text.h"
#include "probe/https/https_answer_json.h"
#include "probe/refusal.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 255, ERROR_TEXT_MAX = 255 };

/* What a credential-free request is told by a gateway [cosmos-unauthorized]. */
static const char *const healthy_code = "Unauthorized";
static const char *const healthy_message = "Required Header authorization is missing";

static const struct header {
	const char *name;
	size_t      at;
} headers[] = {
	{ "content-type", offsetof(struct https_answer, content_type) },
	{ "server", offsetof(struct https_answer, server) },
	{ "x-ms-gatewayversion", offsetof(struct https_answer, gateway_version) },
	{ "x-ms-activity-id", offsetof(struct https_answer, activity_id) },
	{ "x-ms-substatus", offsetof(struct https_answer, substatus) },
	{ "location", offsetof(struct https_answer, location) },
	{ "retry-after", offsetof(struct https_answer, retry_after) },
	{ "via", offsetof(struct https_answer, via) },
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
		*kept = text_sane(arena, value, count, HEADER_MAX);
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
	unsigned long value = text != NULL ? strtoul(text, NULL, 10) : 0;

	return value <= UINT32_MAX ? (uint32_t)value : 0;
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
	endpoint->substatus = read_number(answer->substatus);
}

static bool
has_gateway_header(const struct https_answer *answer)
{
	return text_or_empty(answer->gateway_version)[0] != '\0' ||
	    text_or_empty(answer->activity_id)[0] != '\0';
}

static const char *
say_refused(const struct https_error *error, struct arena *arena, struct endpoint *endpoint)
{
	endpoint->path = refusal_path(error->message);
	endpoint->seen_as = "";
	switch (endpoint->path) {
	case PATH_PUBLIC_INTERNET:
		endpoint->seen_as = refusal_client(error->message, arena);
		if (endpoint->seen_as[0] == '\0')
			return "the account's firewall refuses what comes through the public "
			       "internet";
		return arena_printf(arena,
		    "the account's firewall refuses what comes from %s through the public "
		    "internet",
		    endpoint->seen_as);
	case PATH_SERVICE_ENDPOINT:
		return "the account's firewall refuses what comes through this service "
		       "endpoint";
	case PATH_PRIVATE_ENDPOINT:
		return "the account refuses what comes through this private endpoint";
	default: break;
	}
	if (text_find_nocase(error->message, "encryption in transit protocol") != NULL)
		return "the account wants a newer TLS version or cipher than was negotiated";
	if (text_find_nocase(error->message, "Request is blocked") != NULL)
		return "the request is blocked; the service does not say by which way it came";
	return "forbidden, and the service does not say by which way the request came";
}

/* A JSON error of the service, but not the healthy one. */
static const char *
say_error(const struct https_answer *answer, const struct https_error *error,
    struct arena *arena, struct endpoint *endpoint)
{
	switch (answer->status) {
	case 401:
		if (!has_gateway_header(answer))
			return "a 401 without the headers of a Cosmos DB gateway";
		return "a 401, but not the one about a missing authorization header";
	case 403: return say_refused(error, arena, endpoint);
	case 429: return "the service is throttling";
	default:
		return arena_printf(
		    arena, "status %u with a JSON body, not a gateway's 401", answer->status);
	}
}

static bool
is_html(const struct https_answer *answer)
{
	const char *type = text_or_empty(answer->content_type);

	return text_starts_nocase(type, "text/html") ||
	    text_starts_nocase(type, "application/xhtml") ||
	    (answer->body_bytes > 0 && answer->body[0] == '<');
}

/* Something answers that does not speak as the service does. */
static const char *
say_stranger(const struct https_answer *answer, struct arena *arena)
{
	const char *location = text_or_empty(answer->location);
	unsigned    status = answer->status;

	if (status >= 300 && status < 400)
		return arena_printf(arena,
		    "status %u redirects to %s: a portal or proxy stands in between", status,
		    location[0] != '\0' ? location : "nowhere");
	if (status == 407 || status == 511)
		return arena_printf(
		    arena, "status %u: a proxy or network wants authentication", status);
	if (status == 404 && answer->body_bytes == 0)
		return "a 404 without a body: another server, or an old firewall's refusal";
	if (is_html(answer))
		return arena_printf(arena,
		    "status %u with an HTML page: a portal, proxy or other server", status);
	if (status == 429)
		return "status 429: throttled";
	if (status >= 500)
		return arena_printf(arena, "status %u without a body of the service", status);
	return arena_printf(
	    arena, "status %u without the JSON body of a Cosmos DB gateway", status);
}

static bool
is_healthy(const struct https_answer *answer, const struct https_error *error)
{
	return answer->status == 401 && strcmp(error->code, healthy_code) == 0 &&
	    text_starts_nocase(error->message, healthy_message) && has_gateway_header(answer);
}

void
https_answer_judge(
    const struct https_answer *answer, struct arena *arena, struct endpoint *endpoint)
{
	struct https_error error;

	https_answer_head(answer, endpoint);
	endpoint->http = OUTCOME_HTTP_OTHER;
	if (!https_error_read(&error, answer->body, answer->body_bytes, arena)) {
		endpoint->http_detail = say_stranger(answer, arena);
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
