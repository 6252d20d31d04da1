#include "probe/conn.h"
#include "probe/probe.h"
#include "probe/tables/tables_dialog.h"
#include "probe/tables/tables_record.h"
#include "tests/fake/backend/tables.h"
#include "tests/support/support_front.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define HOST     "contoso.table.cosmos.azure.com"
#define FIREWALL "This is blocked by your Cosmos DB account firewall settings."
#define ACTIVITY "7d1f3a52-9a0e-4f9e-8f0a-0123456789ab"
#define ODATA(code, message)                 \
	"{\"odata.error\":{\"code\":\"" code \
	"\",\"message\":{\"lang\":\"en-us\",\"value\":\"" message "\"}}}\n"

enum { LIMIT_MS = 5000, SHORT_MS = 200 };

static const struct answer_case {
	const char  *name;
	const char  *head; /* without Content-Length */
	const char  *body; /* NULL: the head is all there is, as it is */
	enum outcome outcome;
	uint32_t     status;
	bool         wants_login;
	enum path    path;
	const char  *code, *id; /* of error and request; "" for none */
	const char  *words;     /* of detail; NULL: none */
} answer_cases[] = {
	{ "401 of the Table API", "HTTP/1.1 401 x\r\nx-ms-request-id: r1\r\n",
	    ODATA(
	        "Unauthorized", "Authorization header doesn't confirm to the required format"),
	    OUTCOME_OK, 401, true, 0, "Unauthorized", "r1", NULL },
	{ "403 for want of a login", "HTTP/1.1 403 x\r\n",
	    ODATA("AuthenticationFailed", "no\\r\\nActivityId: " ACTIVITY), OUTCOME_OK, 403,
	    true, 0, "AuthenticationFailed", ACTIVITY, NULL },
	{ "400 of the Table API", "HTTP/1.1 400 x\r\n",
	    ODATA("InvalidInput",
	        "Request url is "
	        "invalid"),
	    OUTCOME_OK, 400, false, 0, "InvalidInput", "", NULL },
	{ "its id alone", "HTTP/1.1 401 x\r\nx-ms-request-id: r2\r\n", "", OUTCOME_OK, 401,
	    true, 0, "", "r2", NULL },
	{ "403 of the firewall, OData", "HTTP/1.1 403 x\r\nx-ms-request-id: r3\r\n",
	    ODATA("Forbidden",
	        "Request originated from IP 203.0.113.9 through public internet. " FIREWALL),
	    OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PUBLIC_INTERNET, "Forbidden", "r3",
	    "network rules" },
	{ "403 of the firewall, gateway", "HTTP/1.1 403 x\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from client VNET through "
	    "private endpoint.\\r\\nActivityId: " ACTIVITY "\"}",
	    OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PRIVATE_ENDPOINT, "Forbidden", ACTIVITY,
	    "network rules" },
	{ "403 that does not tell the way", "HTTP/1.1 403 x\r\n",
	    ODATA("Forbidden",
	        "Request is blocked. Please check your authorization token and "
	        "Cosmos DB account firewall settings."),
	    OUTCOME_REFUSED_BY_PEER, 403, false, 0, "Forbidden", "", "network rules" },
	{ "403 of another kind", "HTTP/1.1 403 x\r\n", ODATA("Forbidden", "no"), OUTCOME_OK,
	    403, false, 0, "Forbidden", "", NULL },
	{ "Azure Storage by its XML",
	    "HTTP/1.1 403 x\r\nContent-Type: application/xml\r\nx-ms-request-id: r\r\n",
	    "<?xml version=\"1.0\"?><error/>", OUTCOME_HTTP_OTHER, 403, false, 0, "", "r",
	    "this is Azure Storage, not Cosmos DB" },
	{ "Azure Storage by its server",
	    "HTTP/1.1 401 x\r\nServer: Windows-Azure-Table/1.0 Microsoft-HTTPAPI/2.0\r\n"
	    "x-ms-request-id: r\r\n",
	    ODATA("NoAuthenticationInformation", "x"), OUTCOME_HTTP_OTHER, 401, false, 0,
	    "NoAuthenticationInformation", "r", "this is Azure Storage, not Cosmos DB" },
	{ "another's XML", "HTTP/1.1 404 x\r\nContent-Type: text/xml\r\n", "<x/>",
	    OUTCOME_HTTP_OTHER, 404, false, 0, "", "", "an XML body" },
	{ "the gateway of another API", "HTTP/1.1 401 x\r\nx-ms-activity-id: " ACTIVITY "\r\n",
	    "{\"code\":\"Unauthorized\",\"message\":\"Required Header authorization is "
	    "missing.\"}",
	    OUTCOME_HTTP_OTHER, 401, false, 0, "Unauthorized", "", "another API" },
	{ "a redirect, whatever it carries",
	    "HTTP/1.1 302 x\r\nLocation: /login\r\nx-ms-request-id: r\r\n", ODATA("x", "y"),
	    OUTCOME_HTTP_OTHER, 302, false, 0, "x", "r", "redirects to /login" },
	{ "a page", "HTTP/1.1 200 x\r\nx-ms-request-id: r\r\n", "<!DOCTYPE html><html></html>",
	    OUTCOME_HTTP_OTHER, 200, false, 0, "", "r", "HTML page" },
	{ "another's JSON", "HTTP/1.1 200 x\r\n", "{\"status\":\"up\"}", OUTCOME_HTTP_OTHER,
	    200, false, 0, "", "", "nothing that the service" },
	{ "chunks",
	    "HTTP/1.1 401 x\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "10\r\n{\"odata.error\":{\r\n2\r\n}}\r\n0\r\n\r\n",
	    NULL, OUTCOME_OK, 401, true, 0, "", "", NULL },
	{ "cut short", "HTTP/1.1 401 x\r\nContent-Length: 9\r\nx-ms-request-id: r\r\n\r\n{",
	    NULL, OUTCOME_CLOSED, 401, false, 0, NULL, "r",
	    "status 401, then: the peer closed" },
	{ "no HTTP", "SSH-2.0-x\r\n", NULL, OUTCOME_BROKE_PROTOCOL, 0, false, 0, NULL, NULL,
	    "as HTTP/1" },
};

static enum outcome
converse(struct tables_dialog *dialog, const uint8_t *bytes, size_t count, size_t stride)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	while (next == NEXT_HEAR && offered < count) {
		struct rcur in;

		offered = count - offered > stride ? offered + stride : count;
		in = rcur_of(bytes + taken, offered - taken);
		next = tables_ops.hear(dialog, &in);
		assert_true(rcur_ok(&in));
		taken = offered - rcur_left(&in);
	}
	return next == NEXT_DONE ? OUTCOME_OK
	    : next == NEXT_HEAR  ? OUTCOME_CLOSED
	                         : OUTCOME_BROKE_PROTOCOL;
}

static void
check_record(const struct answer_case *c, enum outcome how, const struct tables_dialog *dialog)
{
	struct conn_seen       seen = { .tcp = OUTCOME_OK,
		      .tls = OUTCOME_OK,
		      .dialog = how,
		      .detail = how == OUTCOME_CLOSED ? "the peer closed" : "" };
	struct endpoint        endpoint = { 0 };
	const struct greeting *greeting;

	tables_record(&endpoint, &seen, dialog, dialog->reply.arena);
	greeting = endpoint.greeting;
	assert_int_equal(greeting->outcome, c->outcome);
	assert_int_equal(greeting->status, c->status);
	assert_int_equal(greeting->wants_login, c->wants_login);
	assert_int_equal(greeting->path, c->path);
	if (c->code != NULL)
		assert_string_equal(greeting->error_code, c->code);
	if (c->id != NULL)
		assert_string_equal(greeting->request_id, c->id);
	if (c->words == NULL)
		assert_string_equal(greeting->detail, "");
	else if (strstr(greeting->detail, c->words) == NULL)
		fail_msg("'%s' does not say '%s'", greeting->detail, c->words);
}

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct wbuf               bytes;

		print_message("%s\n", c->name);
		wbuf_init(&bytes);
		wbuf_puts(&bytes, c->head);
		if (c->body != NULL)
			wbuf_printf(
			    &bytes, "Content-Length: %zu\r\n\r\n%s", strlen(c->body), c->body);
		for (size_t stride = 1; stride <= bytes.count; stride++) {
			struct tables_dialog dialog = { .reply.arena = arena_new() };
			enum outcome how = converse(&dialog, bytes.bytes, bytes.count, stride);

			check_record(c, how, &dialog);
			arena_free(dialog.reply.arena);
		}
		wbuf_fini(&bytes);
	}
}

static void
test_what_is_said(void **state)
{
	struct tables_dialog dialog = { .reply.arena = NULL };
	struct wbuf          said;
	struct err           err;

	wbuf_init(&said);
	/* The example of [rfc9110 5.6.7]. */
	assert_true(tables_spec_make(&dialog.spec, HOST, 784111777999, &err));
	tables_ops.say(&dialog, &said);
	assert_string_equal(wbuf_text(&said),
	    "GET /Tables HTTP/1.1\r\nHost: " HOST "\r\n"
	    "Accept: application/json;odata=minimalmetadata\r\nx-ms-version: 2019-02-02\r\n"
	    "DataServiceVersion: 3.0\r\nx-ms-date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	    "User-Agent: plprobe\r\nConnection: close\r\n\r\n");
	assert_true(tables_spec_make(&dialog.spec, HOST, 253402300799999, &err));
	assert_string_equal(dialog.spec.date, "Fri, 31 Dec 9999 23:59:59 GMT");
	assert_true(tables_spec_make(&dialog.spec, HOST, 0, &err));
	assert_string_equal(dialog.spec.date, "Thu, 01 Jan 1970 00:00:00 GMT");
	assert_false(tables_spec_make(&dialog.spec, HOST, 253402300800000, &err));
	assert_non_null(strstr(err.text, "date"));
	assert_false(tables_spec_make(&dialog.spec, HOST, -1, &err));
	assert_false(tables_spec_make(&dialog.spec, "a\nb", 0, &err));
	assert_non_null(strstr(err.text, "byte 2 of the host"));
	wbuf_fini(&said);
}

static struct support_front *front;

static int
set_up(void **state)
{
	front = support_front_new("table", HOST, HOST);
	return 0;
}

static int
tear_down(void **state)
{
	support_front_free(front);
	return 0;
}

/* Reads a request and answers byte for byte, each in a TLS record of its own. */
static void
talk_slowly(SSL *ssl, void *arg)
{
	char request[2048];

	if (SSL_read(ssl, request, sizeof(request)) <= 0)
		return;
	for (const char *answer = arg; *answer != '\0'; answer++) {
		if (SSL_write(ssl, answer, 1) <= 0)
			return;
	}
}

static struct support_probe *
ask_answer(const char *answer)
{
	struct support_probe *run = support_front_ask(
	    front, talk_slowly, (void *)answer, LIMIT_MS);

	assert_int_equal(run->overs, 1);
	return run;
}

static void
test_whole_probe(void **state)
{
	struct support_probe *run = ask_answer(
	    "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n"
	    "Server: Microsoft-HTTPAPI/2.0\r\nx-ms-request-id: r\r\n\r\n"
	    "10\r\n{\"odata.error\":{\r\n2\r\n}}\r\n0\r\n\r\n");

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_OK);
	assert_int_equal(run->endpoint.greeting->status, 401);
	assert_true(run->endpoint.greeting->wants_login);
	assert_string_equal(run->endpoint.greeting->server, "Microsoft-HTTPAPI/2.0");
	assert_in_range(run->endpoint.greeting->took_us, 1, 5000000);
	support_probe_free(run);

	run = ask_answer("HTTP/1.0 503 x\r\n\r\n<html>sorry</html>");
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_HTTP_OTHER);
	assert_non_null(strstr(run->endpoint.greeting->detail, "HTML page"));
	support_probe_free(run);

	run = ask_answer("no\r\n");
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_BROKE_PROTOCOL);
	support_probe_free(run);

	run = ask_answer("");
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_CLOSED);
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

/* What the probe makes of each fake: the official client tells whether they are good
 * (tests/clients). */
static const struct manner_case {
	const char  *name;
	enum outcome outcome;
	uint32_t     status;
	bool         wants_login;
	enum path    path;
} manner_cases[] = {
	{ "good", OUTCOME_OK, 401, true, 0 },
	{ "chunked", OUTCOME_OK, 401, true, 0 },
	{ "drip", OUTCOME_OK, 401, true, 0 },
	{ "cut", OUTCOME_CLOSED, 401, false, 0 },
	{ "silent", OUTCOME_TIMEOUT, 0, false, 0 },
	{ "bad-request", OUTCOME_OK, 400, false, 0 },
	{ "firewall-public", OUTCOME_REFUSED_BY_PEER, 403, false, PATH_PUBLIC_INTERNET },
	{ "firewall-service-endpoint", OUTCOME_REFUSED_BY_PEER, 403, false,
	    PATH_SERVICE_ENDPOINT },
	{ "storage", OUTCOME_HTTP_OTHER, 403, false, 0 },
	{ "gateway", OUTCOME_HTTP_OTHER, 401, false, 0 },
	{ "redirect", OUTCOME_HTTP_OTHER, 302, false, 0 },
	{ "portal", OUTCOME_HTTP_OTHER, 200, false, 0 },
};

static void
talk_manner(SSL *ssl, void *arg)
{
	tables_serve(ssl, arg);
}

/* Where there is no dialogue, the endpoint says how far it came, as the kind tls does. */
static void
test_below_the_dialogue(void **state)
{
	struct arena *arena = arena_new();
	const char   *words = support_front_below(
	      front, talk_manner, (void *)tables_manners, arena);

	if (words != NULL)
		fail_msg("%s", words);
	arena_free(arena);
}

static void
test_fakes(void **state)
{
	size_t count = sizeof(manner_cases) / sizeof(manner_cases[0]);

	for (size_t i = 0; i < count; i++) {
		const struct manner_case   *c = &manner_cases[i];
		const struct tables_manner *manner = tables_manner_find(c->name);
		bool                        silent = c->outcome == OUTCOME_TIMEOUT;
		struct support_probe       *run = support_front_ask(
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
	assert_null(tables_manners[count].name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_is_said),
		cmocka_unit_test(test_whole_probe),
		cmocka_unit_test(test_silent_after_the_handshake),
		cmocka_unit_test(test_below_the_dialogue),
		cmocka_unit_test(test_fakes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
