#include "base/text.h"
#include "probe/conn.h"
#include "probe/gremlin/gremlin_dialog.h"
#include "probe/probe.h"
#include "probe/gremlin/gremlin_record.h"
#include "tests/fake/backend/gremlin.h"
#include "tests/support/support_front.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define HOST     "contoso.gremlin.cosmos.azure.com"
#define FIREWALL "This is blocked by your Cosmos DB account firewall settings."
#define ACTIVITY "7d1f3a52-9a0e-4f9e-8f0a-0123456789ab"

#define UP        "HTTP/1.1 101 Up\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
#define UP_ACCEPT UP "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define UPGRADED  UP_ACCEPT "Server: Kestrel\r\n\r\n"
#define LOGIN_JSON \
	"{\"requestId\":\"\",\"status\":{\"message\":\"\",\"code\":407,\"attributes\":{}}}"

enum { FRAMES_MAX = 4, LIMIT_MS = 5000, SHORT_MS = 200 };

static const uint8_t sample_nonce[] = "the sample nonce"; /* [rfc6455 1.3] */
static const uint8_t sample_id[GREMLIN_ID_BYTES] = "\x11\x22\x33\x44\x55\x66\x77\x88\x99";

static const struct dialog_case {
	const char *name;
	const char *head; /* as it is; body adds Content-Length and the empty line */
	const char *body;
	struct {
		uint8_t     first; /* LAST bit and kind */
		const char *payload;
	} frames[FRAMES_MAX];
	enum next    end;
	enum outcome outcome;
	uint32_t     status;
	bool         wants_login;
	enum path    path;
	const char  *words; /* of detail; NULL: none */
} dialog_cases[] = {
	{ "wants a login", UPGRADED, NULL, { { 0x82, LOGIN_JSON } }, NEXT_LEAVE, OUTCOME_OK,
	    407, true, 0, NULL },
	{ "in a text frame", UPGRADED, NULL, { { 0x81, LOGIN_JSON } }, NEXT_LEAVE, OUTCOME_OK,
	    407, true, 0, NULL },
	{ "GraphSON 3", UPGRADED, NULL,
	    { { 0x82, "{\"status\":{\"code\":{\"@type\":\"g:Int32\",\"@value\":407}}}" } },
	    NEXT_LEAVE, OUTCOME_OK, 407, true, 0, NULL },
	{ "in pieces, with a ping between", UPGRADED, NULL,
	    { { 0x02, "{\"status\":" }, { 0x89, "are you there" },
	        { 0x80, "{\"code\":407}}" } },
	    NEXT_LEAVE, OUTCOME_OK, 407, true, 0, NULL },
	{ "a pong nobody asked for", UPGRADED, NULL, { { 0x8a, "" }, { 0x82, LOGIN_JSON } },
	    NEXT_LEAVE, OUTCOME_OK, 407, true, 0, NULL },
	{ "401 in band", UPGRADED, NULL,
	    { { 0x82,
	        "{\"status\":{\"code\":401,\"message\":\"Access "
	        "Denied\\r\\nActivityId: " ACTIVITY "\"}}" } },
	    NEXT_LEAVE, OUTCOME_OK, 401, true, 0, NULL },
	{ "403 of the firewall in band", UPGRADED, NULL,
	    { { 0x82,
	        "{\"status\":{\"code\":403,\"message\":\"Request originated from IP "
	        "203.0.113.9 through public internet.\"}}" } },
	    NEXT_LEAVE, OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PUBLIC_INTERNET,
	    "403 in band: it refuses" },
	{ "500 in band", UPGRADED, NULL, { { 0x82, "{\"status\":{\"code\":500}}" } },
	    NEXT_LEAVE, OUTCOME_OK, 500, false, 0, "500 in band, not a wish" },
	{ "no login wanted", UPGRADED, NULL, { { 0x82, "{\"status\":{\"code\":200}}" } },
	    NEXT_LEAVE, OUTCOME_OK, 200, false, 0, "without a login" },
	{ "not a message", UPGRADED, NULL, { { 0x82, "{\"code\":407}" } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "no status.code" },
	{ "not JSON", UPGRADED, NULL, { { 0x82, "<xml>" } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "not a Gremlin response" },
	{ "closes with a reason", UPGRADED, NULL, { { 0x88, "\x03\xf0no\x1bpe" } }, NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 101, false, 0, "code 1008: no?pe" },
	{ "closes with a code", UPGRADED, NULL, { { 0x88, "\x03\xe9" } }, NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 101, false, 0, "with code 1001" },
	{ "closes without", UPGRADED, NULL, { { 0x88, "" } }, NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 101, false, 0, "without a code" },
	{ "closes with half a code", UPGRADED, NULL, { { 0x88, "\x03" } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "half a code" },
	{ "a piece of nothing", UPGRADED, NULL, { { 0x80, "{}" } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "out of order" },
	{ "two at once", UPGRADED, NULL, { { 0x02, "{" }, { 0x82, "}" } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "out of order" },
	{ "silent after the upgrade", UPGRADED, NULL, { { 0 } }, NEXT_HEAR, OUTCOME_CLOSED, 101,
	    false, 0, "upgraded to a WebSocket, then: " },
	{ "goes on in HTTP", UPGRADED "HTTP/1.1 400 x\r\n\r\n", NULL, { { 0 } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "reserved bits" },
	{ "another accept", UP "Sec-WebSocket-Accept: AAAALMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	    NULL, { { 0 } }, NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 101, false, 0,
	    "not to our request" },
	{ "no accept", UP "\r\n", NULL, { { 0 } }, NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 101,
	    false, 0, "without Sec-WebSocket-Accept" },
	{ "to another protocol",
	    "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", NULL, { { 0 } },
	    NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 101, false, 0, "not to a WebSocket" },
	{ "with an extension", UP_ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	    NULL, { { 0 } }, NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 101, false, 0,
	    "nobody asked for" },
	{ "101 of HTTP/1.0", "HTTP/1.0 101 x\r\n\r\n", NULL, { { 0 } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 101, false, 0, "HTTP/1.0" },
	{ "403 of the firewall", "HTTP/1.1 403 x\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from VNET through "
	    "service "
	    "endpoint. " FIREWALL "\\r\\nActivityId: " ACTIVITY "\"}",
	    { { 0 } }, NEXT_DONE, OUTCOME_REFUSED_BY_PEER, 403, false, PATH_SERVICE_ENDPOINT,
	    "network rules" },
	{ "403 of another", "HTTP/1.1 403 x\r\n", "{\"code\":\"Forbidden\",\"message\":\"no\"}",
	    { { 0 } }, NEXT_DONE, OUTCOME_HTTP_OTHER, 403, false, 0, "another API" },
	{ "200 of an emulator", "HTTP/1.1 200 x\r\n", "{}", { { 0 } }, NEXT_DONE,
	    OUTCOME_HTTP_OTHER, 200, false, 0, "no Gremlin front end" },
	{ "404", "HTTP/1.1 404 x\r\n", "", { { 0 } }, NEXT_DONE, OUTCOME_HTTP_OTHER, 404, false,
	    0, "404 without a body" },
	{ "500", "HTTP/1.1 500 x\r\n", "", { { 0 } }, NEXT_DONE, OUTCOME_HTTP_OTHER, 500, false,
	    0, "status 500" },
	{ "redirect", "HTTP/1.1 302 x\r\nLocation: https://portal.example/\r\n", "", { { 0 } },
	    NEXT_DONE, OUTCOME_HTTP_OTHER, 302, false, 0,
	    "redirects to https://portal.example/" },
	{ "a page", "HTTP/1.1 200 x\r\nContent-Type: text/html\r\n", "<html></html>", { { 0 } },
	    NEXT_DONE, OUTCOME_HTTP_OTHER, 200, false, 0, "HTML page" },
	{ "a page that ends with the connection", "HTTP/1.0 200 x\r\n\r\n<html>", NULL,
	    { { 0 } }, NEXT_HEAR, OUTCOME_HTTP_OTHER, 200, false, 0, "HTML page" },
	{ "a page that does not come whole",
	    "HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n<html>", NULL, { { 0 } }, NEXT_HEAR,
	    OUTCOME_CLOSED, 200, false, 0, "status 200, then: the peer closed" },
	{ "no HTTP", "SSH-2.0-OpenSSH_9.2p1\r\n", NULL, { { 0 } }, NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, false, 0, "as HTTP/1" },
	{ "silent", "", NULL, { { 0 } }, NEXT_HEAR, OUTCOME_CLOSED, 0, false, 0, "closed" },
};

static void
put_frame(struct wbuf *out, uint8_t first, const char *payload)
{
	size_t count = strlen(payload);

	wbuf_u8(out, first);
	if (count < 126) {
		wbuf_u8(out, (uint8_t)count);
	} else {
		wbuf_u8(out, 126);
		wbuf_u16be(out, (uint16_t)count);
	}
	wbuf_put(out, payload, count);
}

static void
write_case(const struct dialog_case *c, struct wbuf *out)
{
	wbuf_puts(out, c->head);
	if (c->body != NULL)
		wbuf_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(c->body), c->body);
	for (size_t i = 0; i < FRAMES_MAX && c->frames[i].payload != NULL; i++)
		put_frame(out, c->frames[i].first, c->frames[i].payload);
}

/* The whole dialogue with so many bytes at a time, as conn would lead it. */
static enum next
converse(struct gremlin_dialog *dialog, const uint8_t *bytes, size_t count, size_t stride,
    struct wbuf *said)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	gremlin_ops.say(dialog, said);
	while (next == NEXT_HEAR || next == NEXT_SAY) {
		struct rcur in;

		if (next == NEXT_SAY)
			gremlin_ops.say(dialog, said);
		if (next == NEXT_HEAR || taken == offered) {
			if (offered == count)
				return NEXT_HEAR;
			offered = count - offered > stride ? offered + stride : count;
		}
		in = rcur_of(bytes + taken, offered - taken);
		next = gremlin_ops.hear(dialog, &in);
		assert_true(rcur_ok(&in));
		taken = offered - rcur_left(&in);
	}
	if (next == NEXT_LEAVE)
		gremlin_ops.say(dialog, said);
	return next;
}

static struct gremlin_dialog
make_dialog(struct arena *arena)
{
	struct gremlin_dialog dialog = { .arena = arena, .reply.arena = arena };

	assert_true(gremlin_spec_make(&dialog.spec, HOST, sample_nonce, sample_id, NULL));
	return dialog;
}

static enum outcome
conn_outcome(enum next end)
{
	switch (end) {
	case NEXT_DONE:
	case NEXT_LEAVE: return OUTCOME_OK;
	case NEXT_BROKEN: return OUTCOME_BROKE_PROTOCOL;
	case NEXT_HEAR:
	case NEXT_SAY: break;
	}
	return OUTCOME_CLOSED;
}

static void
check_record(const struct dialog_case *c, const struct gremlin_dialog *dialog)
{
	struct conn_seen       seen = { .tcp = OUTCOME_OK,
		      .tls = OUTCOME_OK,
		      .dialog = conn_outcome(c->end),
		      .detail = c->end == NEXT_HEAR ? "the peer closed" : "" };
	struct endpoint        endpoint = { 0 };
	const struct greeting *greeting;

	gremlin_record(&endpoint, &seen, dialog, dialog->arena);
	greeting = endpoint.greeting;
	assert_int_equal(endpoint.tls, OUTCOME_OK);
	assert_int_equal(greeting->outcome, c->outcome);
	assert_int_equal(greeting->status, c->status);
	assert_int_equal(greeting->wants_login, c->wants_login);
	assert_int_equal(greeting->path, c->path);
	if (c->words == NULL)
		assert_string_equal(greeting->detail, "");
	else if (strstr(greeting->detail, c->words) == NULL)
		fail_msg("'%s' does not say '%s'", greeting->detail, c->words);
	if (c->path == PATH_PUBLIC_INTERNET)
		assert_string_equal(greeting->seen_as, "203.0.113.9");
	if (c->body != NULL && strstr(c->body, ACTIVITY) != NULL)
		assert_string_equal(greeting->request_id, ACTIVITY);
}

static void
test_dialogs(void **state)
{
	for (size_t i = 0; i < sizeof(dialog_cases) / sizeof(dialog_cases[0]); i++) {
		const struct dialog_case *c = &dialog_cases[i];
		struct wbuf               bytes;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		write_case(c, &bytes);
		for (size_t stride = 1; stride <= bytes.count + 1; stride++) {
			struct arena         *arena = arena_new();
			struct gremlin_dialog dialog = make_dialog(arena);
			struct wbuf           said;

			wbuf_init(&said);
			assert_int_equal(
			    converse(&dialog, bytes.bytes, bytes.count, stride, &said), c->end);
			check_record(c, &dialog);
			wbuf_fini(&said);
			arena_free(arena);
		}
		wbuf_fini(&bytes);
	}
}

/* Takes the mask off a frame of ours; its payload, NUL behind it. */
static char *
unmask(struct rcur *in, struct arena *arena, unsigned first)
{
	const uint8_t *mask;
	const uint8_t *payload;
	size_t         count;
	char          *text;

	assert_int_equal(rcur_u8(in), first);
	count = rcur_u8(in);
	assert_true(count & 0x80);
	count &= 0x7f;
	if (count == 126)
		count = rcur_u16be(in);
	mask = rcur_bytes(in, 4);
	payload = rcur_bytes(in, count);
	assert_true(rcur_ok(in));
	text = arena_alloc(arena, count + 1);
	for (size_t i = 0; i < count; i++)
		text[i] = (char)(payload[i] ^ mask[i % 4]);
	return text;
}

static void
test_what_is_said(void **state)
{
	static const char upgrade[] =
	    "GET /gremlin HTTP/1.1\r\nHost: " HOST "\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUser-Agent: plprobe\r\n\r\n";
	struct arena         *arena = arena_new();
	struct gremlin_dialog dialog = make_dialog(arena);
	struct wbuf           bytes, said;
	struct rcur           in;

	wbuf_init(&bytes);
	wbuf_init(&said);
	wbuf_puts(&bytes, UPGRADED);
	put_frame(&bytes, 0x89, "ping");
	put_frame(&bytes, 0x82, LOGIN_JSON);
	assert_int_equal(
	    converse(&dialog, bytes.bytes, bytes.count, bytes.count, &said), NEXT_LEAVE);
	in = rcur_of(said.bytes, said.count);
	assert_memory_equal(rcur_bytes(&in, sizeof(upgrade) - 1), upgrade, sizeof(upgrade) - 1);
	assert_string_equal(unmask(&in, arena, 0x82),
	    "\x21"
	    "application/vnd.gremlin-v2.0+json{\"requestId\":{\"@type\":\"g:UUID\",\"@value\":"
	    "\"11223344-5566-4788-9900-000000000000\"},\"op\":\"eval\",\"processor\":\"\","
	    "\"args\":{\"gremlin\":\"g.inject(0)\",\"language\":\"gremlin-groovy\"}}");
	assert_string_equal(unmask(&in, arena, 0x8a), "ping");
	assert_string_equal(unmask(&in, arena, 0x88), "\x03\xe8");
	assert_int_equal(rcur_left(&in), 0);
	wbuf_fini(&said);
	wbuf_fini(&bytes);
	arena_free(arena);
}

static void
test_endless(void **state)
{
	static char           piece[30001];
	struct arena         *arena = arena_new();
	struct gremlin_dialog dialog = make_dialog(arena);
	struct wbuf           bytes, said;

	wbuf_init(&bytes);
	wbuf_init(&said);
	wbuf_puts(&bytes, UPGRADED);
	for (int i = 0; i <= GREMLIN_PINGS_MAX; i++)
		put_frame(&bytes, 0x89, "");
	assert_int_equal(
	    converse(&dialog, bytes.bytes, bytes.count, bytes.count, &said), NEXT_BROKEN);
	assert_non_null(strstr(dialog.broken.text, "pings and pings"));
	wbuf_clear(&bytes);
	memset(piece, 'x', sizeof(piece) - 1);
	dialog = make_dialog(arena);
	wbuf_puts(&bytes, UPGRADED);
	put_frame(&bytes, 0x02, piece);
	put_frame(&bytes, 0x00, piece);
	put_frame(&bytes, 0x00, piece);
	assert_int_equal(
	    converse(&dialog, bytes.bytes, bytes.count, bytes.count, &said), NEXT_BROKEN);
	assert_non_null(strstr(dialog.broken.text, "does not end"));
	wbuf_fini(&said);
	wbuf_fini(&bytes);
	arena_free(arena);
}

/* One authority for all tests, in a file as a configured ca_file is. */
static struct support_front *front;

static int
set_up(void **state)
{
	front = support_front_new("gremlin", HOST, HOST);
	return 0;
}

static int
tear_down(void **state)
{
	support_front_free(front);
	return 0;
}

/* How a server of the tests talks. */
struct plan {
	bool        one_byte; /* a TLS record for each byte */
	bool        wrong_accept;
	bool        stops_after_request;
	bool        heard_farewell; /* our Close came; set by the server */
	const char *answer;         /* in place of all of it; NULL: as it should be */
};

static void
send_bytes(SSL *ssl, const struct plan *plan, const void *bytes, size_t count)
{
	size_t stride = plan->one_byte ? 1 : count;

	for (size_t at = 0; at < count; at += stride) {
		if (SSL_write(ssl, (const char *)bytes + at, (int)stride) <= 0)
			return;
	}
}

static bool
read_request(SSL *ssl, char *request, size_t room)
{
	size_t used = 0;

	request[0] = '\0';
	while (strstr(request, "\r\n\r\n") == NULL && used + 1 < room) {
		int got = SSL_read(ssl, request + used, (int)(room - used - 1));

		if (got <= 0)
			return false;
		used += (size_t)got;
		request[used] = '\0';
	}
	return true;
}

static void
upgrade(SSL *ssl, const struct plan *plan, const char *request)
{
	const char *key = strstr(request, "Sec-WebSocket-Key: ") + 19;
	char        given[WEBSOCKET_KEY_ROOM], accept[WEBSOCKET_ACCEPT_ROOM], text[256];

	snprintf(given, sizeof(given), "%.*s", (int)strcspn(key, "\r"), key);
	websocket_accept(given, accept);
	if (plan->wrong_accept)
		accept[0] = accept[0] == 'A' ? 'B' : 'A';
	snprintf(text, sizeof(text), UP "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
	send_bytes(ssl, plan, text, strlen(text));
}

static void
talk_gremlin(SSL *ssl, void *arg)
{
	struct plan *plan = arg;
	char         request[2048];
	struct wbuf  frame;
	int          got;

	if (!read_request(ssl, request, sizeof(request)))
		return;
	if (plan->answer != NULL) {
		send_bytes(ssl, plan, plan->answer, strlen(plan->answer));
		return;
	}
	upgrade(ssl, plan, request);
	if (SSL_read(ssl, request, sizeof(request)) <= 0 || plan->stops_after_request)
		return;
	wbuf_init(&frame);
	put_frame(&frame, 0x82, LOGIN_JSON);
	send_bytes(ssl, plan, frame.bytes, frame.count);
	wbuf_fini(&frame);
	got = SSL_read(ssl, request, sizeof(request));
	plan->heard_farewell = got == 8 && (uint8_t)request[0] == 0x88;
}

static struct support_probe *
ask_plan(struct plan *plan)
{
	struct support_probe *run = support_front_ask(front, talk_gremlin, plan, LIMIT_MS);

	assert_int_equal(run->overs, 1);
	return run;
}

static void
test_good(void **state)
{
	for (int one_byte = 0; one_byte <= 1; one_byte++) {
		struct plan            plan = { .one_byte = one_byte };
		struct support_probe  *run = ask_plan(&plan);
		const struct greeting *greeting = run->endpoint.greeting;

		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_string_equal(
		    run->endpoint.subject, "CN=contoso.gremlin.cosmos.azure.com");
		assert_int_equal(greeting->outcome, OUTCOME_OK);
		assert_int_equal(greeting->status, 407);
		assert_true(greeting->wants_login);
		assert_in_range(greeting->took_us, 1, 5000000);
		assert_true(run->took_us < LIMIT_MS * 1000 / 2);
		assert_true(plan.heard_farewell);
		support_probe_free(run);
	}
}

static void
test_bad_peers(void **state)
{
	struct support_probe *run = ask_plan(&(struct plan){ .wrong_accept = true });

	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_BROKE_PROTOCOL);
	assert_non_null(strstr(run->endpoint.greeting->detail, "not to our request"));
	support_probe_free(run);

	run = ask_plan(&(struct plan){ .stops_after_request = true });
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_CLOSED);
	assert_int_equal(run->endpoint.greeting->status, 101);
	support_probe_free(run);

	run = ask_plan(&(struct plan){ .answer = "HTTP/1.0 200 x\r\n\r\n<html>portal" });
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_HTTP_OTHER);
	assert_non_null(strstr(run->endpoint.greeting->detail, "HTML page"));
	support_probe_free(run);

	run = ask_plan(&(struct plan){ .answer = "220 ready\r\n" });
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_BROKE_PROTOCOL);
	support_probe_free(run);
}

static void
test_silent_after_the_handshake(void **state)
{
	struct support_probe *run = support_front_ask_tls(
	    front, &(struct support_tls){ 0 }, SHORT_MS);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_TIMEOUT);
	assert_int_equal(run->endpoint.greeting->status, 0);
	support_probe_free(run);
}

static void
test_not_a_host(void **state)
{
	struct support_front *other = support_front_new("gremlin", "not a host", HOST);
	struct support_probe *run = support_front_ask(
	    other, talk_gremlin, &(struct plan){ 0 }, LIMIT_MS);

	assert_int_equal(run->endpoint.tcp, OUTCOME_LOCAL);
	assert_non_null(strstr(run->endpoint.detail, "byte 4 of the host"));
	assert_null(run->endpoint.greeting);
	support_probe_free(run);
	support_front_free(other);
}

/* What the probe makes of each fake: the official driver tells whether they are good
 * (tests/clients). */
static const struct manner_case {
	const char  *name;
	enum outcome outcome;
	uint32_t     status;
	bool         wants_login;
	enum path    path;
} manner_cases[] = {
	{ "good", OUTCOME_OK, 407, true, 0 },
	{ "text", OUTCOME_OK, 407, true, 0 },
	{ "pieces", OUTCOME_OK, 407, true, 0 },
	{ "drip", OUTCOME_OK, 407, true, 0 },
	{ "masked", OUTCOME_BROKE_PROTOCOL, 101, false, 0 },
	{ "huge", OUTCOME_BROKE_PROTOCOL, 101, false, 0 },
	{ "garbage", OUTCOME_BROKE_PROTOCOL, 101, false, 0 },
	{ "silent", OUTCOME_TIMEOUT, 101, false, 0 },
	{ "wrong-accept", OUTCOME_BROKE_PROTOCOL, 101, false, 0 },
	{ "denied", OUTCOME_OK, 401, true, 0 },
	{ "firewall-in-band", OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PUBLIC_INTERNET },
	{ "throttled", OUTCOME_OK, 429, false, 0 },
	{ "close", OUTCOME_REFUSED_BY_PEER, 101, false, 0 },
	{ "firewall-public", OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PUBLIC_INTERNET },
	{ "firewall-private-endpoint", OUTCOME_REFUSED_BY_PEER, 403, false,
	    PATH_PRIVATE_ENDPOINT },
	{ "emulator", OUTCOME_HTTP_OTHER, 200, false, 0 },
	{ "missing", OUTCOME_HTTP_OTHER, 404, false, 0 },
	{ "error", OUTCOME_HTTP_OTHER, 500, false, 0 },
	{ "redirect", OUTCOME_HTTP_OTHER, 302, false, 0 },
	{ "portal", OUTCOME_HTTP_OTHER, 200, false, 0 },
};

static void
talk_manner(SSL *ssl, void *arg)
{
	gremlin_serve(ssl, arg);
}

/* Where there is no dialogue, the endpoint says how far it came, as the kind tls does. */
static void
test_below_the_dialogue(void **state)
{
	struct arena *arena = arena_new();
	const char   *words = support_front_below(
	      front, talk_manner, (void *)gremlin_manners, arena);

	if (words != NULL)
		fail_msg("%s", words);
	arena_free(arena);
}

static void
test_fakes(void **state)
{
	size_t count = sizeof(manner_cases) / sizeof(manner_cases[0]);

	for (size_t i = 0; i < count; i++) {
		const struct manner_case    *c = &manner_cases[i];
		const struct gremlin_manner *manner = gremlin_manner_find(c->name);
		bool                         silent = c->outcome == OUTCOME_TIMEOUT;
		struct support_probe        *run = support_front_ask(
		           front, talk_manner, (void *)manner, silent ? SHORT_MS : LIMIT_MS);
		const struct greeting *greeting = run->endpoint.greeting;

		print_message("%s\n", c->name);
		assert_non_null(manner);
		assert_int_equal(run->overs, 1);
		assert_int_equal(greeting->outcome, c->outcome);
		assert_int_equal(greeting->status, c->status);
		assert_int_equal(greeting->wants_login, c->wants_login);
		assert_int_equal(greeting->path, c->path);
		support_probe_free(run);
	}
	assert_null(gremlin_manners[count].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogs),
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad_peers),
		cmocka_unit_test(test_silent_after_the_handshake),
		cmocka_unit_test(test_not_a_host),
		cmocka_unit_test(test_below_the_dialogue),
		cmocka_unit_test(test_fakes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
