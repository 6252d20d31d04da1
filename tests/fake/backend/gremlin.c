#include "tests/fake/backend/gremlin.h"

#include "tests/fake/backend/web.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 64 * 1024, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, LAST = 0x80 };

#define SERVICE_403(message)                                                      \
	"HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n"            \
	"x-ms-activity-id: 7d1f3a52-9a0e-4f9e-8f0a-0123456789ab\r\n"              \
	"Connection: close\r\n\r\n{\"code\":\"Forbidden\",\"message\":\"" message \
	"\\r\\nActivityId: 7d1f3a52-9a0e-4f9e-8f0a-0123456789ab\"}"
#define FIREWALL "This is blocked by your Cosmos DB account firewall settings."

const struct gremlin_manner gremlin_manners[] = {
	{ .name = "good" },
	{ .name = "text", .shape = GREMLIN_TEXT },
	{ .name = "pieces", .shape = GREMLIN_PIECES },
	{ .name = "drip", .shape = GREMLIN_DRIP },
	{ .name = "masked", .shape = GREMLIN_MASKED },
	{ .name = "huge", .shape = GREMLIN_HUGE },
	{ .name = "garbage", .shape = GREMLIN_GARBAGE },
	{ .name = "silent", .shape = GREMLIN_SILENT },
	{ .name = "wrong-accept", .wrong_accept = true },
	{ .name = "denied", .status = 401, .message = "Access Denied" },
	{ .name = "firewall-in-band",
	    .status = 403,
	    .message =
	        "Request originated from IP 203.0.113.9 through public internet. " FIREWALL },
	{ .name = "throttled", .status = 429, .message = "RequestRateTooLarge" },
	{ .name = "close", .close_code = 1008, .close_reason = "not here" },
	{ .name = "firewall-public",
	    .answer = SERVICE_403(
	        "Request originated from IP 203.0.113.9 through public internet. " FIREWALL) },
	{ .name = "firewall-private-endpoint",
	    .answer = SERVICE_403(
	        "Request originated from client VNET through private endpoint.") },
	{ .name = "emulator", .answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" },
	{ .name = "missing", .answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" },
	{ .name = "error",
	    .answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n" },
	{ .name = "redirect",
	    .answer = "HTTP/1.1 302 Found\r\nLocation: https://portal.example/\r\n"
	              "Content-Length: 0\r\n\r\n" },
	{ .name = "portal",
	    .answer = "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>Log in</html>" },
	{ .name = NULL },
};

const struct gremlin_manner *
gremlin_manner_find(const char *name)
{
	const struct gremlin_manner *manner = gremlin_manners;

	while (manner->name != NULL && strcmp(manner->name, name) != 0)
		manner++;
	return manner->name != NULL ? manner : NULL;
}

static bool
say_upgrade(SSL *ssl, const struct gremlin_manner *manner, const char *request)
{
	char          key[64], text[200], accept[40], answer[300];
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned      size;

	snprintf(text, sizeof(text), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
	    web_header(request, "Sec-WebSocket-Key", key, sizeof(key)));
	EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL);
	if (manner->wrong_accept)
		digest[0] ^= 1;
	EVP_EncodeBlock((unsigned char *)accept, digest, (int)size);
	snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nServer: Microsoft-HTTPAPI/2.0\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	return manner->shape == GREMLIN_DRIP ? web_drip(ssl, answer, strlen(answer))
	                                     : web_say_text(ssl, answer);
}

static size_t
put_head(unsigned char *out, unsigned first, size_t count)
{
	out[0] = (unsigned char)first;
	if (count < 126) {
		out[1] = (unsigned char)count;
		return 2;
	}
	out[1] = 126;
	out[2] = (unsigned char)(count >> 8);
	out[3] = (unsigned char)count;
	return 4;
}

static bool
say_frame(SSL *ssl, const struct gremlin_manner *manner, unsigned first, const void *bytes,
    size_t count)
{
	unsigned char frame[4096];
	size_t        head = put_head(frame, first, count);

	memcpy(frame + head, bytes, count);
	return manner->shape == GREMLIN_DRIP ? web_drip(ssl, frame, head + count)
	                                     : web_say(ssl, frame, head + count);
}

static bool
say_pieces(SSL *ssl, const struct gremlin_manner *manner, const char *json, size_t count)
{
	return say_frame(ssl, manner, BINARY, json, 10) &&
	    say_frame(ssl, manner, 0, json + 10, 10) &&
	    say_frame(ssl, manner, LAST | PING, "here?", 5) &&
	    say_frame(ssl, manner, LAST, json + 20, count - 20);
}

static bool
say_message(SSL *ssl, const struct gremlin_manner *manner, const char *json)
{
	static const unsigned char huge[] = "\x82\x7f\x40\0\0\0\0\0\0";
	size_t                     count = strlen(json);

	switch (manner->shape) {
	case GREMLIN_BINARY:
	case GREMLIN_DRIP: return say_frame(ssl, manner, LAST | BINARY, json, count);
	case GREMLIN_TEXT: return say_frame(ssl, manner, LAST | TEXT, json, count);
	case GREMLIN_PIECES: return say_pieces(ssl, manner, json, count);
	case GREMLIN_MASKED: return web_say(ssl, "\x82\x82\0\0\0\0{}", 8);
	case GREMLIN_HUGE: return web_say(ssl, huge, sizeof(huge));
	case GREMLIN_GARBAGE: return web_say(ssl, "\xff\xff\xff\xff", 4);
	case GREMLIN_SILENT: return true;
	}
	return false;
}

/* Status, and the id of the request that it answers, as the drivers look for it. */
static bool
say_status(SSL *ssl, const struct gremlin_manner *manner, const char *request, unsigned status,
    const char *message)
{
	const char *id = strstr(request, "\"requestId\"");
	char        json[2048], guid[37];

	web_guid(guid);
	/* {"@type":"g:UUID","@value":"..."} or the text itself: what looks like an id. */
	while (id != NULL && (id = strchr(id + 1, '"')) != NULL &&
	    strspn(id + 1, "0123456789abcdefABCDEF-") != 36)
		;
	snprintf(json, sizeof(json),
	    "{\"requestId\":\"%.36s\",\"status\":{\"code\":%u,\"message\":\"%s\","
	    "\"attributes\":{\"x-ms-activity-id\":\"%s\"}},\"result\":{\"data\":null,\"meta\":{"
	    "}}}",
	    id != NULL ? id + 1 : guid, status, message, guid);
	return say_message(ssl, manner, json);
}

static bool
say_close(SSL *ssl, const struct gremlin_manner *manner)
{
	unsigned char payload[125];
	size_t        count = 2 + strlen(manner->close_reason);

	payload[0] = (unsigned char)(manner->close_code >> 8);
	payload[1] = (unsigned char)manner->close_code;
	memcpy(payload + 2, manner->close_reason, count - 2);
	say_frame(ssl, manner, LAST | CLOSE, payload, count);
	return false;
}

/* One frame of a client, with its mask off and a NUL behind; its kind, 0 when it is gone or
 * breaks a rule. */
static unsigned
hear_frame(SSL *ssl, char *payload)
{
	unsigned char head[8], mask[4];
	size_t        count;

	if (!web_hear_bytes(ssl, head, 2) || !(head[0] & LAST) || !(head[1] & 0x80))
		return 0;
	count = head[1] & 0x7f;
	if (count == 127 || (count == 126 && !web_hear_bytes(ssl, head + 2, 2)))
		return 0;
	if (count == 126)
		count = (size_t)head[2] << 8 | head[3];
	if (count >= MESSAGE_MAX || !web_hear_bytes(ssl, mask, 4) ||
	    !web_hear_bytes(ssl, payload, count))
		return 0;
	for (size_t i = 0; i < count; i++)
		payload[i] = (char)(payload[i] ^ mask[i % 4]);
	payload[count] = '\0';
	return head[0] & 15u;
}

static bool
answer_message(SSL *ssl, const struct gremlin_manner *manner, const char *payload)
{
	/* A type stands before the JSON, which begins with a brace. */
	const char *request = strchr(payload, '{');

	if (request == NULL)
		return false;
	if (manner->close_code != 0)
		return say_close(ssl, manner);
	if (manner->status != 0)
		return say_status(ssl, manner, request, manner->status, manner->message);
	if (strstr(request, "\"authentication\"") != NULL)
		return say_status(
		    ssl, manner, request, 401, "Access Denied: the key is not the account's");
	return say_status(ssl, manner, request, 407, "");
}

static void
talk_frames(SSL *ssl, const struct gremlin_manner *manner)
{
	static __thread char payload[MESSAGE_MAX + 1];
	bool                 goes_on = true;
	unsigned             kind;

	while (goes_on && (kind = hear_frame(ssl, payload)) != 0) {
		if (kind == CLOSE)
			goes_on = say_frame(ssl, manner, LAST | CLOSE, "\x03\xe8", 2) && false;
		else if (kind == BINARY || kind == TEXT)
			goes_on = answer_message(ssl, manner, payload);
	}
}

void
gremlin_serve(SSL *ssl, const struct gremlin_manner *manner)
{
	char request[WEB_REQUEST_MAX + 1], version[8];

	if (!web_hear(ssl, request))
		return;
	if (manner->answer != NULL) {
		web_say_text(ssl, manner->answer);
	} else if (strncmp(request, "GET /", 5) != 0 ||
	    strcmp(web_header(request, "Sec-WebSocket-Version", version, sizeof(version)),
	        "13") != 0) {
		web_say_text(ssl, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	} else if (say_upgrade(ssl, manner, request)) {
		talk_frames(ssl, manner);
	}
	web_leave(ssl);
}
