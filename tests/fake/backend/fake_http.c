#include "tests/fake/backend/fake_http.h"

#include "base/text.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD_END "\r\n\r\n"

static bool
hear_more(struct fake_request *request, struct fake_talk *talk)
{
	size_t got = 0;

	if (request->count < FAKE_REQUEST_MAX)
		got = fake_talk_hear(
		    talk, request->bytes + request->count, FAKE_REQUEST_MAX - request->count);
	request->count += got;
	request->bytes[request->count] = '\0';
	return got > 0;
}

static void
split_target(struct fake_request *request, const char *target)
{
	const char *mark = strchr(target, '?');
	size_t      count = mark != NULL ? (size_t)(mark - target) : strlen(target);

	snprintf(request->path, sizeof(request->path), "%.*s", (int)count, target);
	snprintf(request->query, sizeof(request->query), "%s", mark != NULL ? mark + 1 : "");
}

static bool
read_first_line(struct fake_request *request)
{
	char target[8192];

	if (sscanf(request->bytes, "%15s %8191s HTTP/1.", request->verb, target) != 2)
		return false;
	split_target(request, target);
	return true;
}

bool
fake_request_hear(struct fake_request *request, struct fake_talk *talk)
{
	char        length[FAKE_HEADER_MAX];
	const char *end;

	memmove(request->bytes, request->bytes + request->used, request->count - request->used);
	request->count -= request->used;
	request->used = 0;
	request->bytes[request->count] = '\0';
	while ((end = strstr(request->bytes, HEAD_END)) == NULL) {
		if (!hear_more(request, talk))
			return false;
	}
	if (!read_first_line(request))
		return false;
	request->body = end + strlen(HEAD_END);
	request->used = (size_t)(request->body - request->bytes);
	fake_request_header(request, "content-length", length);
	request->body_count = strtoul(length, NULL, 10);
	if (request->body_count > FAKE_REQUEST_MAX - request->used)
		return false;
	request->used += request->body_count;
	while (request->count < request->used) {
		if (!hear_more(request, talk))
			return false;
	}
	return true;
}

const char *
fake_request_header(const struct fake_request *request, const char *name, char *value)
{
	const char *end = strstr(request->bytes, HEAD_END);
	const char *line = strstr(request->bytes, "\r\n");
	size_t      length = strlen(name);

	*value = '\0';
	while (line != NULL && line < end) {
		line += 2;
		if (text_starts_nocase(line, name) && line[length] == ':') {
			line += length + 1;
			line += strspn(line, " \t");
			snprintf(
			    value, FAKE_HEADER_MAX, "%.*s", (int)strcspn(line, "\r"), line);
			break;
		}
		line = strstr(line, "\r\n");
	}
	return value;
}

const char *
fake_reason(unsigned status)
{
	static const struct {
		unsigned    status;
		const char *reason;
	} known[] = { { 200, "OK" }, { 302, "Found" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 407, "Proxy Authentication Required" },
		{ 410, "Gone" }, { 429, "Too Many Requests" }, { 503, "Service Unavailable" },
		{ 511, "Network Authentication Required" } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].status == status)
			return known[i].reason;
	}
	return "Unknown";
}

char *
fake_guid(char text[FAKE_GUID])
{
	unsigned char b[16];

	RAND_bytes(b, sizeof(b));
	snprintf(text, FAKE_GUID,
	    "%02x%02x%02x%02x-%02x%02x-4%x%02x-a%x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
	    b[13], b[14], b[15]);
	return text;
}

char *
fake_date(int64_t unix_s, char text[FAKE_DATE])
{
	time_t    time = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(text, FAKE_DATE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return text;
}

/* Of JSON's string. */
static void
put_escaped(struct wbuf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '\n': wbuf_puts(out, "\\n"); break;
		case '\r': wbuf_puts(out, "\\r"); break;
		case '"':
		case '\\': wbuf_printf(out, "\\%c", *text); break;
		default: wbuf_u8(out, (uint8_t)*text); break;
		}
	}
}

/* The head up to the length of the body. */
static void
put_head(struct wbuf *out, const struct fake_reply *reply, size_t body_count)
{
	wbuf_printf(out, "HTTP/1.1 %u %s\r\n", reply->status, fake_reason(reply->status));
	if (reply->chunked)
		wbuf_puts(out, "Transfer-Encoding: chunked\r\n");
	else
		wbuf_printf(out, "Content-Length: %zu\r\n", body_count);
	wbuf_puts(out,
	    "Content-Type: application/json\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\n");
}

static void
put_rest(struct wbuf *out, const struct fake_reply *reply)
{
	char date[FAKE_DATE];

	wbuf_puts(out,
	    "Strict-Transport-Security: max-age=31536000\r\n"
	    "x-ms-gatewayversion: version=2.14.0\r\n");
	if (reply->substatus != 0)
		wbuf_printf(out, "x-ms-substatus: %u\r\n", reply->substatus);
	wbuf_puts(out, reply->headers != NULL ? reply->headers : "");
	wbuf_printf(
	    out, "Date: %s\r\n\r\n", fake_date((int64_t)time(NULL) + reply->clock_s, date));
}

/* In two chunks, since one would be too easy; errors in one, as recorded. */
static void
put_body(struct wbuf *out, const struct fake_reply *reply, const struct wbuf *body)
{
	size_t half = reply->code != NULL ? body->count : body->count / 2;

	if (!reply->chunked) {
		wbuf_put(out, body->bytes, body->count);
		return;
	}
	for (size_t at = 0, count = half; count > 0; at += count, count = body->count - at) {
		wbuf_printf(out, "%zX\r\n", count);
		wbuf_put(out, body->bytes + at, count);
		wbuf_puts(out, "\r\n");
	}
	wbuf_puts(out, "0\r\n\r\n");
}

bool
fake_reply_error(struct fake_talk *talk, const struct fake_reply *reply, const char *message)
{
	struct fake_reply error = *reply;
	struct wbuf       body, out;
	char              guid[FAKE_GUID];
	bool              sent;

	wbuf_init(&body);
	wbuf_init(&out);
	fake_guid(guid);
	error.chunked = true;
	wbuf_printf(&body, "{\"code\":\"%s\",\"message\":\"", reply->code);
	put_escaped(&body, message);
	wbuf_printf(
	    &body, "\\r\\nActivityId: %s, Microsoft.Azure.Documents.Common/2.14.0\"}", guid);
	put_head(&out, &error, body.count);
	wbuf_printf(&out, "x-ms-activity-id: %s\r\n", guid);
	put_rest(&out, &error);
	put_body(&out, &error, &body);
	sent = fake_talk_send(talk, out.bytes, out.count);
	wbuf_fini(&body);
	wbuf_fini(&out);
	return sent;
}

bool
fake_reply_json(struct fake_talk *talk, const struct fake_reply *reply)
{
	struct wbuf body, out;
	bool        sent;

	wbuf_init(&body);
	wbuf_init(&out);
	wbuf_puts(&body, reply->body);
	put_head(&out, reply, body.count);
	put_rest(&out, reply);
	put_body(&out, reply, &body);
	sent = fake_talk_send(talk, out.bytes, out.count);
	wbuf_fini(&body);
	wbuf_fini(&out);
	return sent;
}
