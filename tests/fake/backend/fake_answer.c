#include "tests/fake/backend/fake_answer.h"

#include "tests/fake/backend/fake_http.h"

#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#define AUTHORIZATION_MISSING                        \
	"Required Header authorization is missing. " \
	"Ensure a valid Authorization token is passed."
#define BLOCKED "This is blocked by your Cosmos DB account firewall settings."

static void
be_closed(struct fake_talk *talk)
{
}

static void
reset_hello(struct fake_talk *talk)
{
	if (fake_talk_hello(talk))
		fake_talk_reset(talk);
}

static void
close_hello(struct fake_talk *talk)
{
	fake_talk_hello(talk);
}

static void
send_plain_http(struct fake_talk *talk)
{
	if (fake_talk_hello(talk))
		fake_talk_plain(talk,
		    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
		    "Connection: close\r\n\r\n");
}

static void
send_banner(struct fake_talk *talk)
{
	fake_talk_plain(talk, "SSH-2.0-OpenSSH_9.2\r\n");
}

static void
send_garbage(struct fake_talk *talk)
{
	unsigned char bytes[600];

	RAND_bytes(bytes, sizeof(bytes));
	bytes[0] = 1; /* never "HTTP/" */
	fake_talk_send(talk, (char *)bytes, sizeof(bytes));
}

static void
send_dripping(struct fake_talk *talk)
{
	struct timespec pause = { .tv_nsec = 200 * 1000 * 1000 };

	if (!fake_talk_text(talk, "HTTP/1.1 401 Unauthorized\r\nX-Slow: "))
		return;
	while (fake_talk_text(talk, "a"))
		nanosleep(&pause, NULL);
}

static void
send_endless_headers(struct fake_talk *talk)
{
	char line[128];

	fake_talk_text(talk, "HTTP/1.1 401 Unauthorized\r\n");
	for (unsigned i = 0;; i++) {
		snprintf(line, sizeof(line), "X-Filler-%u: %080u\r\n", i, i);
		if (!fake_talk_text(talk, line))
			return;
	}
}

static void
send_endless(struct fake_talk *talk, const char *start, char filler)
{
	char bytes[4096];

	memset(bytes, filler, sizeof(bytes));
	fake_talk_text(talk, start);
	while (fake_talk_send(talk, bytes, sizeof(bytes)))
		continue;
}

static void
send_endless_line(struct fake_talk *talk)
{
	send_endless(talk, "HTTP/1.1 401 Unauthorized\r\nX-Filler: ", 'a');
}

static void
send_endless_body(struct fake_talk *talk)
{
	send_endless(
	    talk, "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\r\n{", ' ');
}

static void
send_endless_interim(struct fake_talk *talk)
{
	while (fake_talk_text(talk, "HTTP/1.1 102 Processing\r\n\r\n"))
		continue;
}

static void
send_half(struct fake_talk *talk)
{
	fake_talk_text(
	    talk, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 500\r\n\r\n{\"code\":");
	fake_talk_end(talk);
}

static void
send_bad_chunk(struct fake_talk *talk)
{
	fake_talk_text(
	    talk, "HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
	fake_talk_wait(talk);
}

static const struct fake_answer answers[] = {
	/* Asks the accounts; to who signs nothing it is as the next. */
	{ .name = "account", .by_account = true },
	{ .name = "unauthorized",
	    .status = 401,
	    .code = "Unauthorized",
	    .message = AUTHORIZATION_MISSING },
	{ .name = "forbidden-public",
	    .status = 403,
	    .code = "Forbidden",
	    .message = "Request originated from IP %s through public internet. " BLOCKED
	               " More info: https://aka.ms/cosmosdb-tsg-forbidden" },
	{ .name = "forbidden-service-endpoint",
	    .status = 403,
	    .code = "Forbidden",
	    .message = "Request originated from VNET through service endpoint. " BLOCKED },
	{ .name = "forbidden-private-endpoint",
	    .status = 403,
	    .code = "Forbidden",
	    .message =
	        "Request originated from client VNET through private endpoint. " BLOCKED },
	{ .name = "forbidden-blocked",
	    .status = 403,
	    .code = "Forbidden",
	    .message = "Request is blocked. Please check your authorization token and Cosmos "
	               "DB account firewall settings." },
	{ .name = "forbidden-tls",
	    .status = 403,
	    .code = "Forbidden",
	    .message = "Request is being made with a forbidden encryption in transit protocol "
	               "or cipher. Check account SSL/TLS minimum allowed protocol setting." },
	{ .name = "local-auth-disabled",
	    .status = 401,
	    .code = "Unauthorized",
	    .headers = "x-ms-substatus: 5202\r\n",
	    .message = "Local Authorization is disabled. Use an AAD token to authorize all "
	               "requests." },
	{ .name = "account-unknown",
	    .status = 404,
	    .code = "NotFound",
	    .message = "The requested resource does not exist." },
	{ .name = "service-unavailable",
	    .status = 503,
	    .code = "ServiceUnavailable",
	    .message = "Service is currently unavailable, please retry after a while." },
	{ .name = "throttled",
	    .status = 429,
	    .code = "TooManyRequests",
	    .headers = "x-ms-retry-after-ms: 1000\r\n",
	    .message = "Request rate is large." },
	{ .name = "ok",
	    .status = 200,
	    .type = "application/json",
	    .body = "{\"_self\":\"\",\"id\":\"a\",\"_rid\":\"a.documents.azure.com\","
	            "\"writableLocations\":[],\"readableLocations\":[]}" },
	/* Those of others. */
	{ .name = "html",
	    .status = 200,
	    .type = "text/html",
	    .body = "<!DOCTYPE html><html><head><title>Sign in</title></head>"
	            "<body>Accept the terms of use to go on.</body></html>" },
	{ .name = "redirect",
	    .status = 302,
	    .headers = "Location: https://login.example.net/portal\r\n" },
	{ .name = "too-many-requests", .status = 429, .headers = "Retry-After: 30\r\n" },
	{
	    .name = "notfound",
	    .status = 404,
	},
	{ .name = "unavailable",
	    .status = 503,
	    .type = "text/html",
	    .body = "<h1>Service Unavailable</h1>" },
	{ .name = "proxy",
	    .status = 407,
	    .headers = "Proxy-Authenticate: Basic realm=\"proxy\"\r\n" },
	{ .name = "network-login",
	    .status = 511,
	    .type = "text/html",
	    .body = "<h1>Log in to this network</h1>" },
	{ .name = "unauthorized-elsewhere",
	    .status = 401,
	    .type = "application/json",
	    .body = "{\"code\":\"Unauthorized\",\"message\":\"" AUTHORIZATION_MISSING "\"}" },
	/* No whole HTTP answer. */
	{ .name = "silence-after-accept", .before_tls = fake_talk_wait },
	{ .name = "reset", .before_tls = reset_hello },
	{ .name = "close", .before_tls = close_hello },
	{ .name = "plain-http", .before_tls = send_plain_http },
	{ .name = "banner", .before_tls = send_banner },
	{ .name = "silence-after-tls", .after_tls = fake_talk_wait },
	{ .name = "reset-after-request", .after_request = fake_talk_reset },
	{ .name = "close-after-request", .after_request = be_closed },
	{ .name = "garbage", .after_request = send_garbage },
	{ .name = "drip", .after_request = send_dripping },
	{ .name = "endless-headers", .after_request = send_endless_headers },
	{ .name = "endless-line", .after_request = send_endless_line },
	{ .name = "endless-interim", .after_request = send_endless_interim },
	{ .name = "endless-body", .after_request = send_endless_body },
	{ .name = "half", .after_request = send_half },
	{ .name = "bad-chunk", .after_request = send_bad_chunk },
	/* The handshake asks for a certificate of the client's. */
	{
	    .name = "want-certificate",
	    .status = 401,
	},
	{ .name = NULL },
};

const struct fake_answer *
fake_answer_find(const char *name)
{
	for (const struct fake_answer *answer = answers; answer->name != NULL; answer++) {
		if (strcmp(answer->name, name) == 0)
			return answer;
	}
	return NULL;
}

void
fake_answer_list(FILE *out)
{
	for (const struct fake_answer *answer = answers; answer->name != NULL; answer++)
		fprintf(out, "  %s\n", answer->name);
}

/* Headers and body of the service. */
static bool
send_service_error(struct fake_talk *talk, const struct fake_answer *answer,
    const char *argument, int64_t clock_s)
{
	const struct fake_reply reply = { .status = answer->status,
		.code = answer->code,
		.headers = answer->headers,
		.clock_s = clock_s };
	const char             *at = strstr(answer->message, "%s");
	char                    from[ADDR_TEXT], message[600];

	addr_render(&talk->peer, from, sizeof(from));
	if (at == NULL)
		snprintf(message, sizeof(message), "%s", answer->message);
	else
		snprintf(message, sizeof(message), "%.*s%s%s", (int)(at - answer->message),
		    answer->message, argument != NULL ? argument : from, at + 2);
	return fake_reply_error(talk, &reply, message);
}

static bool
send_other(struct fake_talk *talk, const struct fake_answer *answer, int64_t clock_s)
{
	const char *body = answer->body != NULL ? answer->body : "";
	char        date[FAKE_DATE], type[100] = "", text[2000];

	if (answer->type != NULL)
		snprintf(type, sizeof(type), "Content-Type: %s\r\n", answer->type);
	snprintf(text, sizeof(text),
	    "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\n%s%sDate: %s\r\n\r\n%s", answer->status,
	    fake_reason(answer->status), strlen(body), type,
	    answer->headers != NULL ? answer->headers : "",
	    fake_date((int64_t)time(NULL) + clock_s, date), body);
	return fake_talk_text(talk, text);
}

bool
fake_answer_send(struct fake_talk *talk, const struct fake_answer *answer, const char *argument,
    int64_t clock_s)
{
	return answer->code != NULL ? send_service_error(talk, answer, argument, clock_s)
	                            : send_other(talk, answer, clock_s);
}
