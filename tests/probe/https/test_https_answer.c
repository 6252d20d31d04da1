#include "probe/https/https_answer.h"
#include "probe/https/https_record.h"
#include "probe/https/https_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MISSING                                                                            \
	"Required Header authorization is missing. Ensure a valid Authorization token is " \
	"passed."
#define TAIL    "\\r\\nActivityId: 4f5c, Microsoft.Azure.Documents.Common/2.14.0"
#define VERSION "x-ms-gatewayversion: version=2.14.0\r\n"
#define GUID    "x-ms-activity-id: 0e2c5a51-0f25-4a9b-a2ab-0c6c2a3f7c11\r\n"
#define BLOCKED " This is blocked by your Cosmos DB account firewall settings."

static const struct body_case {
	const char  *name;
	const char  *head; /* lines, each with its end */
	const char  *body;
	enum outcome outcome;
	enum path    path;
	const char  *seen_as;
	const char  *code;
	const char  *detail; /* a part of it; NULL: there is none */
} body_cases[] = {
	{ "a gateway's 401", "HTTP/1.1 401 Unauthorized\r\n" VERSION GUID,
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING TAIL "\"}", OUTCOME_OK,
	    PATH_NOT_TOLD, "", "Unauthorized", NULL },
	{ "only the version", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING "\"}", OUTCOME_OK,
	    PATH_NOT_TOLD, "", "Unauthorized", NULL },
	{ "only the activity", "HTTP/1.1 401 Unauthorized\r\n" GUID,
	    "{\"message\":\"required header AUTHORIZATION is "
	    "missing\",\"code\":\"Unauthorized\"}",
	    OUTCOME_OK, PATH_NOT_TOLD, "", "Unauthorized", NULL },
	{ "no header of the service", "HTTP/1.1 401 Unauthorized\r\nServer: nginx\r\n",
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING "\"}", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "Unauthorized", "without the headers" },
	{ "empty header of the service", "HTTP/1.1 401 Unauthorized\r\nx-ms-activity-id: \r\n",
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING "\"}", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "Unauthorized", "without the headers" },
	{ "another code", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"AuthenticationFailed\",\"message\":\"" MISSING "\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "AuthenticationFailed", "but not the one" },
	{ "another sentence", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"The input authorization token can't "
	    "serve "
	    "the request.\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "Unauthorized", "but not the one" },
	{ "the sentence further behind", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"x " MISSING "\"}", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "Unauthorized", "but not the one" },
	{ "the body of a 401 with 200", "HTTP/1.1 200 OK\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING "\"}", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "Unauthorized", "status 200" },
	{ "body cut short", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"" MISSING, OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "", "without the JSON body" },
	{ "an array", "HTTP/1.1 401 Unauthorized\r\n" VERSION, "[1,2]", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "", "without the JSON body" },
	{ "members of other types", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":401,\"message\":{\"text\":1}}", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "",
	    "", "but not the one" },
	{ "public internet", "HTTP/1.1 403 Forbidden\r\n" VERSION,
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from IP 203.0.113.7 "
	    "through "
	    "public internet." BLOCKED "\"}",
	    OUTCOME_HTTP_OTHER, PATH_PUBLIC_INTERNET, "203.0.113.7", "Forbidden",
	    "203.0.113.7" },
	{ "as documented", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from client IP "
	    "{2001:db8::7} "
	    "through public internet. This is blocked by your CosmosDB account\"}",
	    OUTCOME_HTTP_OTHER, PATH_PUBLIC_INTERNET, "2001:db8::7", "Forbidden",
	    "2001:db8::7" },
	{ "no address after IP", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from IP nowhere through "
	    "Public Internet\"}",
	    OUTCOME_HTTP_OTHER, PATH_PUBLIC_INTERNET, "", "Forbidden", "public internet" },
	{ "an address at the end of a sentence", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Through public internet? Originated from "
	    "the "
	    "public internet, IP 198.51.100.9.\"}",
	    OUTCOME_HTTP_OTHER, PATH_PUBLIC_INTERNET, "198.51.100.9", "Forbidden", "198." },
	{ "service endpoint", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from VNET through "
	    "service "
	    "endpoint." BLOCKED "\"}",
	    OUTCOME_HTTP_OTHER, PATH_SERVICE_ENDPOINT, "", "Forbidden", "service endpoint" },
	{ "private endpoint", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from client VNET through "
	    "private endpoint." BLOCKED "\"}",
	    OUTCOME_HTTP_OTHER, PATH_PRIVATE_ENDPOINT, "", "Forbidden", "private endpoint" },
	{ "of Direct mode", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"Errors\":[\"Request originated from client VNET through private endpoint.\"]}",
	    OUTCOME_HTTP_OTHER, PATH_PRIVATE_ENDPOINT, "", "", "private endpoint" },
	{ "a path that nothing originated from", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Use a private endpoint.\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "Forbidden", "does not say" },
	{ "blocked", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request is blocked. Please check your "
	    "authorization token and Cosmos DB account firewall settings.\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "Forbidden", "is blocked" },
	{ "old TLS", "HTTP/1.1 403 Forbidden\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"Request is being made with a forbidden "
	    "encryption in transit protocol or cipher.\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "Forbidden", "newer TLS" },
	{ "a path said with 401", "HTTP/1.1 401 Unauthorized\r\n" VERSION,
	    "{\"code\":\"Unauthorized\",\"message\":\"Request originated from IP 192.0.2.1 "
	    "through public internet\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "Unauthorized", "but not the one" },
	{ "404 of the service", "HTTP/1.1 404 Not Found\r\n" VERSION,
	    "{\"code\":\"NotFound\",\"message\":\"Resource Not Found.\"}", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "NotFound", "404 of the service itself" },
	{ "404 of another API", "HTTP/1.1 404 Not Found\r\nServer: nginx\r\n",
	    "{\"code\":\"NotFound\"}", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "NotFound",
	    "without the headers of a Cosmos DB gateway" },
	{ "400 of the service", "HTTP/1.1 400 Bad Request\r\n" VERSION,
	    "{\"code\":\"BadRequest\",\"message\":\"Request url is invalid\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "BadRequest", "does not take the request" },
	{ "503 of the service", "HTTP/1.1 503 Service Unavailable\r\n" GUID,
	    "{\"code\":\"ServiceUnavailable\"}", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "",
	    "ServiceUnavailable", "its own trouble" },
	{ "503 of a stranger with JSON",
	    "HTTP/1.1 503 Service Unavailable\r\nVia: 1.1 wall\r\n",
	    "{\"error\":\"no upstream\"}", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "",
	    "came through a proxy, Via: 1.1 wall" },
	{ "502 of a proxy", "HTTP/1.1 502 Bad Gateway\r\n", "", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "", "did not reach it" },
	{ "504 of a proxy that says so", "HTTP/1.1 504 Gateway Timeout\r\nVia: 1.1 squid\r\n",
	    "timeout", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "Via: 1.1 squid" },
	{ "squid's page",
	    "HTTP/1.1 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n"
	    "Content-Type: text/html\r\n",
	    "<html>", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "ERR_ACCESS_DENIED" },
	{ "a firewall's page", "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n",
	    "<html>blocked", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "not the account" },
	{ "a proxy wants a password",
	    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n",
	    "", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "",
	    "header of a proxy, saying Negotiate" },
	{ "throttled by a stranger", "HTTP/1.1 429 Too Many Requests\r\n", "slow down",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "not by the service" },
	{ "throttled, and how long",
	    "HTTP/1.1 429 Too Many Requests\r\nx-ms-retry-after-ms: 250\r\n",
	    "{\"code\":\"429\"}", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "429",
	    "asks to wait 250 ms" },
	{ "throttled", "HTTP/1.1 429 Too Many Requests\r\n", "{\"code\":\"TooManyRequests\"}",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "TooManyRequests", "throttling" },
	{ "redirect", "HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n", "",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "redirects to http://portal/" },
	{ "bare 404", "HTTP/1.1 404 Not Found\r\n", "", OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "",
	    "", "404 without a body" },
	{ "page", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n", "hello",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "HTML" },
	{ "page without a type", "HTTP/1.1 403 Forbidden\r\n", "<html>", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "", "HTML" },
	{ "proxy", "HTTP/1.1 511 Network Authentication Required\r\n", "<html>",
	    OUTCOME_HTTP_OTHER, PATH_NOT_TOLD, "", "", "authentication" },
	{ "bare 503", "HTTP/1.1 503 Service Unavailable\r\n", "", OUTCOME_HTTP_OTHER,
	    PATH_NOT_TOLD, "", "", "status 503" },
};

static void
read_head(struct https_answer *answer, struct arena *arena, const char *head)
{
	while (*head != '\0') {
		size_t length = strcspn(head, "\n") + 1;

		https_answer_line(answer, arena, head, length);
		head += length;
	}
}

static const char *
text(const char *maybe)
{
	return maybe != NULL ? maybe : "";
}

static void
check_body(const struct body_case *c)
{
	struct arena       *arena = arena_new();
	struct https_answer answer = { 0 };
	struct endpoint     e = { 0 };

	read_head(&answer, arena, c->head);
	answer.body = c->body;
	answer.body_bytes = strlen(c->body);
	https_answer_judge(&answer, arena, &e);
	if (e.http != c->outcome || e.path != c->path ||
	    strcmp(text(e.seen_as), c->seen_as) != 0 ||
	    strcmp(text(e.error_code), c->code) != 0)
		fail_msg("%s: %s, path %u, seen as \"%s\", code \"%s\"", c->name,
		    outcome_name(e.http), e.path, text(e.seen_as), text(e.error_code));
	if (c->detail == NULL ? e.http_detail != NULL
	                      : strstr(text(e.http_detail), c->detail) == NULL)
		fail_msg("%s: detail \"%s\"", c->name, text(e.http_detail));
	arena_free(arena);
}

static void
test_bodies(void **state)
{
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++)
		check_body(&body_cases[i]);
}

static void
test_headers(void **state)
{
	struct arena       *arena = arena_new();
	struct https_answer answer = { 0 };
	struct endpoint     e = { 0 };

	read_head(&answer, arena,
	    "HTTP/1.1 102 Processing\r\nServer: interim\r\nLocation: /there\r\n\r\n"
	    "HTTP/1.1 403 Forbidden\r\nSERVER:\tMicrosoft-HTTPAPI/2.0 \r\n"
	    "Server: second\r\nX-MS-SUBSTATUS: 1008\r\n"
	    "Content-Type: a\x1b[31m\xff"
	    "b\r\n" VERSION "x-ms-activity-idx: no\r\n");
	https_answer_head(&answer, &e);
	assert_int_equal(e.http_status, 403);
	assert_string_equal(e.server, "Microsoft-HTTPAPI/2.0");
	assert_string_equal(e.location, "");
	assert_int_equal(e.substatus, 1008);
	assert_string_equal(e.content_type, "a?[31m?b");
	assert_string_equal(e.gateway_version, "version=2.14.0");
	assert_string_equal(e.activity_id, "");
	arena_free(arena);
}

static void
test_odd_status_lines(void **state)
{
	static const char *const lines[] = { "HTTP/1.1", "HTTP/1.1 40", "HTTP/1.1 4x1 A",
		"HTTP/", "", "401", "HTP/1.1 401 A" };
	struct arena            *arena = arena_new();

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct https_answer answer = { 0 };

		https_answer_line(&answer, arena, lines[i], strlen(lines[i]));
		if (answer.status != 0)
			fail_msg("\"%s\": status %u", lines[i], answer.status);
	}
	arena_free(arena);
}

/* Long texts are cut; the rules still see what stands behind. */
static void
test_long_message(void **state)
{
	static const char   start[] = "{\"code\":\"Forbidden\",\"message\":\"";
	static const char   end[] = "originated from VNET through service endpoint\"}";
	char                body[1200];
	struct arena       *arena = arena_new();
	struct https_answer answer = { .status = 403, .body = body };
	struct endpoint     e = { 0 };

	memset(body, 'x', sizeof(body));
	memcpy(body, start, sizeof(start) - 1);
	memcpy(body + sizeof(body) - (sizeof(end) - 1), end, sizeof(end) - 1);
	answer.body_bytes = sizeof(body);
	https_answer_judge(&answer, arena, &e);
	assert_int_equal(e.path, PATH_SERVICE_ENDPOINT);
	assert_int_equal(strlen(e.error_text), 255);
	arena_free(arena);
}

static const struct wait_case {
	const char *name, *head;
	uint32_t    wait_ms;
} wait_cases[] = {
	{ "none", "HTTP/1.1 429 x\r\n", 0 },
	{ "the service's", "HTTP/1.1 429 x\r\nRetry-After: 9\r\nx-ms-retry-after-ms: 250\r\n",
	    250 },
	{ "seconds", "HTTP/1.1 429 x\r\nRetry-After: 9\r\n", 9000 },
	{ "of a 503", "HTTP/1.1 503 x\r\nRetry-After: 2\r\n", 2000 },
	{ "not of a 200", "HTTP/1.1 200 x\r\nRetry-After: 2\r\n", 0 },
	{ "a date",
	    "HTTP/1.1 429 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov "
	    "1994 08:49:52 GMT\r\n",
	    15000 },
	{ "a date that is over",
	    "HTTP/1.1 429 x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov "
	    "1994 08:49:36 GMT\r\n",
	    0 },
	{ "words", "HTTP/1.1 429 x\r\nRetry-After: soon\r\n", 0 },
	{ "negative", "HTTP/1.1 429 x\r\nRetry-After: -1\r\nx-ms-retry-after-ms: -1\r\n", 0 },
	{ "beyond all", "HTTP/1.1 429 x\r\nRetry-After: 4294967295\r\n", UINT32_MAX },
};

static void
test_waits(void **state)
{
	for (size_t i = 0; i < sizeof(wait_cases) / sizeof(wait_cases[0]); i++) {
		struct arena       *arena = arena_new();
		struct https_answer answer = { 0 };
		struct endpoint     e = { 0 };

		read_head(&answer, arena, wait_cases[i].head);
		https_answer_judge(&answer, arena, &e);
		if (e.retry_after_ms != wait_cases[i].wait_ms)
			fail_msg("%s: %u ms", wait_cases[i].name, e.retry_after_ms);
		arena_free(arena);
	}
}

static const struct end_case {
	const char       *name;
	struct https_seen seen;
	enum outcome      outcome;
	const char       *detail;
} end_cases[] = {
	{ "late", { .code = CURLE_OPERATION_TIMEDOUT, .late_us = 100001 }, OUTCOME_AGENT_LATE,
	    "our own loop" },
	{ "barely not late",
	    { .code = CURLE_OPERATION_TIMEDOUT, .late_us = 100000, .limit_ms = 7 },
	    OUTCOME_TIMEOUT, "not connected within 7 ms" },
	{ "connected", { .code = CURLE_OPERATION_TIMEDOUT, .times = { .connect_us = 5 } },
	    OUTCOME_TIMEOUT, "handshake not finished" },
	{ "refused", { .code = CURLE_COULDNT_CONNECT, .os_errno = ECONNREFUSED },
	    OUTCOME_REFUSED, "refused" },
	{ "no host", { .code = CURLE_COULDNT_CONNECT, .os_errno = EHOSTUNREACH },
	    OUTCOME_UNREACHABLE, "" },
	{ "no network", { .code = CURLE_COULDNT_CONNECT, .os_errno = ENETUNREACH },
	    OUTCOME_UNREACHABLE, "" },
	{ "kernel gave up", { .code = CURLE_COULDNT_CONNECT, .os_errno = ETIMEDOUT },
	    OUTCOME_TIMEOUT, "" },
	{ "our firewall", { .code = CURLE_COULDNT_CONNECT, .os_errno = EPERM }, OUTCOME_LOCAL,
	    "" },
	{ "reset before connected", { .code = CURLE_COULDNT_CONNECT, .os_errno = ECONNRESET },
	    OUTCOME_RESET, "" },
	{ "policy goes before the failure it makes",
	    { .code = CURLE_COULDNT_CONNECT, .stop = HTTPS_STOP_POLICY, .os_errno = EPERM },
	    OUTCOME_POLICY, "policy" },
	{ "not a TLS record",
	    { .code = CURLE_SSL_CONNECT_ERROR,
	        .text = "error:0A00010B:SSL routines::wrong version number" },
	    OUTCOME_NOT_TLS, "wrong version" },
	{ "the same later",
	    { .code = CURLE_RECV_ERROR,
	        .times = { .tls_us = 9 },
	        .text = "error:0A00010B:SSL routines::wrong version number" },
	    OUTCOME_TLS_FAILED, "wrong version" },
	{ "alert",
	    { .code = CURLE_SSL_CONNECT_ERROR,
	        .text = "error:0A000410:SSL routines::sslv3 alert handshake failure" },
	    OUTCOME_TLS_FAILED, "handshake failure" },
	{ "certificate too large",
	    { .code = CURLE_SSL_CONNECT_ERROR,
	        .text = "error:0A000098:SSL routines::excessive message size" },
	    OUTCOME_TOO_LARGE, "excessive" },
	{ "reset", { .code = CURLE_SSL_CONNECT_ERROR, .tcp = HTTPS_TCP_RESET }, OUTCOME_RESET,
	    "during the handshake" },
	{ "closed", { .code = CURLE_SSL_CONNECT_ERROR, .tcp = HTTPS_TCP_PEER_CLOSED },
	    OUTCOME_CLOSED, "during the handshake" },
	{ "not verified", { .code = CURLE_PEER_FAILED_VERIFICATION }, OUTCOME_TLS_REJECTED,
	    "" },
	{ "over another connection", { .code = CURLE_OK, .connections = 0 }, OUTCOME_LOCAL,
	    "fresh connection" },
	{ "from another address",
	    { .code = CURLE_OK, .connections = 1, .reached = { .family = 4 } }, OUTCOME_LOCAL,
	    "fresh connection" },
	{ "over the connection of an earlier request",
	    { .code = CURLE_OK,
	        .connections = 0,
	        .kept = true,
	        .reached = { .family = 4, .bytes = { 10, 0, 0, 1 } } },
	    OUTCOME_HTTP_OTHER, "" },
	{ "over that of another address",
	    { .code = CURLE_OK,
	        .connections = 0,
	        .kept = true,
	        .reached = { .family = 4, .bytes = { 10, 0, 0, 2 } } },
	    OUTCOME_LOCAL, "fresh connection" },
	{ "through a proxy, reached is the proxy",
	    { .code = CURLE_OK,
	        .connections = 1,
	        .proxy = "10.0.0.9:3128",
	        .reached = { .family = 4, .bytes = { 10, 0, 0, 9 } } },
	    OUTCOME_HTTP_OTHER, "" },
	{ "the proxy wants to know who",
	    { .code = CURLE_RECV_ERROR, .proxy = "10.0.0.9:3128", .proxy_status = 407 },
	    OUTCOME_HTTP_OTHER, "status 407: it wants authentication" },
	{ "the proxy does not let through",
	    { .code = CURLE_RECV_ERROR, .proxy = "10.0.0.9:3128", .proxy_status = 403 },
	    OUTCOME_HTTP_OTHER, "the proxy refuses the way to the host, with status 403" },
	{ "too much body",
	    { .code = CURLE_WRITE_ERROR, .stop = HTTPS_STOP_BODY, .body_max = 4 << 20 },
	    OUTCOME_TOO_LARGE, "larger than 4096 KiB" },
	{ "no answer over the connection of an earlier request",
	    { .code = CURLE_OPERATION_TIMEDOUT, .target = "/dbs", .kept = true },
	    OUTCOME_TIMEOUT, "no answer to GET /dbs within" },
	{ "closed before it answered another time",
	    { .code = CURLE_RECV_ERROR, .kept = true, .tcp = HTTPS_TCP_PEER_CLOSED },
	    OUTCOME_CLOSED, "without an answer" },
	{ "no answer",
	    { .code = CURLE_OPERATION_TIMEDOUT,
	        .target = "//addresses/",
	        .times = { .connect_us = 1, .tls_us = 2 } },
	    OUTCOME_TIMEOUT, "no answer to GET //addresses/ within" },
	{ "anything else", { .code = CURLE_FAILED_INIT, .text = "what" }, OUTCOME_LOCAL,
	    "what" },
};

static void
test_ends(void **state)
{
	struct arena       *arena = arena_new();
	struct https_answer answer = { 0 };

	for (size_t i = 0; i < sizeof(end_cases) / sizeof(end_cases[0]); i++) {
		const struct end_case *c = &end_cases[i];
		struct https_seen      seen = c->seen;
		struct endpoint        e = { 0 };

		if (seen.text == NULL)
			seen.text = "text";
		if (seen.target == NULL)
			seen.target = "/";
		seen.wanted = (struct addr){ .family = 4, .bytes = { 10, 0, 0, 1 } };
		https_record(&seen, &answer, arena, &e);
		if (e.http != c->outcome || strstr(text(e.http_detail), c->detail) == NULL)
			fail_msg(
			    "%s: %s: %s", c->name, outcome_name(e.http), text(e.http_detail));
	}
	arena_free(arena);
}

static void
test_times_are_differences(void **state)
{
	struct arena           *arena = arena_new();
	struct https_answer     answer = { 0 };
	struct endpoint         e = { 0 };
	const struct https_seen seen = { .code = CURLE_GOT_NOTHING,
		.text = "",
		.times = { .lookup_us = 10,
		    .connect_us = 110,
		    .tls_us = 1110,
		    .sent_us = 1120,
		    .first_us = 0,
		    .total_us = 5000 } };

	https_record(&seen, &answer, arena, &e);
	assert_int_equal(e.http_connect_us, 100);
	assert_int_equal(e.http_tls_us, 1000);
	assert_int_equal(e.http_wait_us, 0);
	assert_int_equal(e.http_total_us, 5000);
	arena_free(arena);
}

static const struct spec_case {
	const char *host, *peer;
	const char *url, *connect_to; /* url NULL: refused */
} spec_cases[] = {
	{ "a.documents.azure.com", "10.0.0.5:443", "https://a.documents.azure.com/",
	    "a.documents.azure.com:443:10.0.0.5:443" },
	{ "a.b", "10.0.0.5:8443", "https://a.b:8443/", "a.b:8443:10.0.0.5:8443" },
	{ "a.b", "[2001:db8::1]:443", "https://a.b/", "a.b:443:[2001:db8::1]:443" },
	{ "a.b/c", "10.0.0.5:443", NULL, NULL },
	{ "u@a.b", "10.0.0.5:443", NULL, NULL },
	{ "a.b:80", "10.0.0.5:443", NULL, NULL },
	{ "a b", "10.0.0.5:443", NULL, NULL },
	{ "", "10.0.0.5:443", NULL, NULL },
};

static void
test_specs(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(spec_cases) / sizeof(spec_cases[0]); i++) {
		const struct spec_case *c = &spec_cases[i];
		struct https_spec       spec;
		struct err              err = { 0 };
		struct addr             peer;

		assert_true(addr_parse(&peer, c->peer, 443, &err));
		assert_int_equal(
		    https_spec_make(&spec, c->host, &peer, "/", arena, &err), c->url != NULL);
		if (c->url == NULL) {
			assert_true(err.text[0] != '\0');
			continue;
		}
		assert_string_equal(spec.url, c->url);
		assert_string_equal(spec.connect_to, c->connect_to);
	}
	arena_free(arena);
}

static const struct target_case {
	const char *target, *sent, *path; /* path NULL: refused; sent NULL: as in the URL */
} target_cases[] = {
	{ "/", NULL, "/" },
	{ "/dbs", "/dbs", "/dbs" },
	{ "//addresses/?$resolveFor=dbs%2fa%3d&$filter=protocol%20eq%20rntbd",
	    "//addresses/?$resolveFor=dbs%2fa%3d&$filter=protocol%20eq%20rntbd",
	    "//addresses/" },
	{ "/../x?/y", "/../x?/y", "/../x" },
	{ "", NULL, NULL },
	{ "dbs", NULL, NULL },
	{ "http://elsewhere/", NULL, NULL },
	{ "/a b", NULL, NULL },
	{ "/a\r\nHost: b", NULL, NULL },
	{ "/\xc3\xa4", NULL, NULL },
	{ "/\x7f", NULL, NULL },
};

static void
test_targets(void **state)
{
	struct arena     *arena = arena_new();
	const struct addr peer = { .family = 4, .bytes = { 10, 0, 0, 1 }, .port = 443 };

	for (size_t i = 0; i < sizeof(target_cases) / sizeof(target_cases[0]); i++) {
		const struct target_case *c = &target_cases[i];
		struct https_spec         spec;
		struct err                err = { 0 };

		assert_int_equal(https_spec_make(&spec, "a.b", &peer, c->target, arena, &err),
		    c->path != NULL);
		if (c->path == NULL) {
			assert_string_not_equal(err.text, "");
			continue;
		}
		assert_string_equal(spec.url, "https://a.b/");
		assert_string_equal(spec.path, c->path);
		assert_string_equal(text(spec.target), text(c->sent));
	}
	arena_free(arena);
}

static const struct proxy_case {
	const char *proxy, *host_port; /* NULL: refused */
} proxy_cases[] = {
	{ "http://10.0.0.9:3128", "10.0.0.9:3128" },
	{ "HTTP://proxy.contoso.example:8080/", "proxy.contoso.example:8080" },
	{ "http://[2001:db8::9]:3128", "[2001:db8::9]:3128" },
	{ "", NULL },
	{ "10.0.0.9:3128", NULL },
	{ "https://10.0.0.9:3128", NULL },
	{ "socks5://10.0.0.9:1080", NULL },
	{ "http://10.0.0.9", NULL },
	{ "http://10.0.0.9:0", NULL },
	{ "http://10.0.0.9:65536", NULL },
	{ "http://10.0.0.9:3128x", NULL },
	{ "http://10.0.0.9:+1", NULL },
	{ "http://:3128", NULL },
	{ "http://user:password@10.0.0.9:3128", NULL },
	{ "http://[::1:3128", NULL },
	{ "http://10.0.0.9:3128/path", NULL },
};

static void
test_proxies(void **state)
{
	for (size_t i = 0; i < sizeof(proxy_cases) / sizeof(proxy_cases[0]); i++) {
		const struct proxy_case *c = &proxy_cases[i];
		struct err               err = { 0 };
		char                    *host_port = NULL;

		if (https_spec_proxy(&host_port, c->proxy, &err) != (c->host_port != NULL))
			fail_msg("%s: %s", c->proxy, err.text);
		if (c->host_port == NULL) {
			assert_string_not_equal(err.text, "");
			assert_null(strstr(err.text, "password"));
			continue;
		}
		assert_string_equal(host_port, c->host_port);
		free(host_port);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_odd_status_lines),
		cmocka_unit_test(test_long_message),
		cmocka_unit_test(test_waits),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_times_are_differences),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_proxies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
