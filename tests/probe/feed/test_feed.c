#include "probe/feed/feed.h"

#include "base/clock.h"
#include "base/text.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_http.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GATEWAY "x-ms-gatewayversion: version=2.14.0\r\nContent-Type: application/json\r\n"
#define ACCOUNT                                                                     \
	"{\"id\":\"contoso\",\"readableLocations\":[{\"name\":\"West Europe\","     \
	"\"databaseAccountEndpoint\":\"https://contoso-westeurope.documents.azure." \
	"com:443/\"}]}"
#define DATABASES "{\"Databases\":[{\"id\":\"db\"}]}"
#define COLLS     "{\"DocumentCollections\":[{\"id\":\"items\"}]}"
#define CONTAINER "{\"_rid\":\"ZWUNALftZ78=\"}"
#define RANGES    "{\"PartitionKeyRanges\":[{\"id\":\"0\"}]}"
#define FEED                                                                         \
	"{\"Addresss\":[{\"protocol\":\"rntbd\",\"physcialUri\":\"rntbd://a.b:14031" \
	"/apps/x/replicas/1p/\",\"partitionKeyRangeId\":\"0\"}]}"

static const char host[] = "contoso-westeurope.documents.azure.com";
static const char key_text[] =
    "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==";
static const char token_text[] =
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL2Nvc21vcy5henVyZS5jb20ifQ.c2ln";

static char                  folder[] = "/tmp/test_feed.XXXXXX";
static char                  root_path[64];
static struct support_certs *root, *leaf;

static int
make_certs(void **state)
{
	static const char *const  names[] = { "*.documents.azure.com", NULL };
	struct support_certs_plan plan = { .subject = "root", .authority = true };

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	root = support_certs_new(&plan);
	support_certs_write(root, root_path, NULL);
	plan = (struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root };
	leaf = support_certs_new(&plan);
	return 0;
}

static int
free_certs(void **state)
{
	support_certs_free(leaf);
	support_certs_free(root);
	unlink(root_path);
	return rmdir(folder);
}

struct fixture {
	struct loop          *loop;
	struct probes        *probes;
	struct arena         *arena;
	struct support_signer office;
	struct support_http   http;
	struct support_peer  *peer;
	struct addr           at;
	struct feed_ask       feed_ask;
	struct feed           feed;
	struct feed_found     found;
	unsigned              overs;
};

static const struct support_http_reply good[] = {
	{ .target = "//addresses/", .head = GATEWAY, .body = FEED },
	{ .target = "/dbs/db/colls/items/pkranges", .head = GATEWAY, .body = RANGES },
	{ .target = "/dbs/db/colls/items", .head = GATEWAY, .body = CONTAINER },
	{ .target = "/dbs/db/colls", .head = GATEWAY, .body = COLLS },
	{ .target = "/dbs", .head = GATEWAY, .body = DATABASES },
	{ .target = "/ ", .head = GATEWAY, .body = ACCOUNT },
	{ .target = NULL },
};

static struct fixture *
start(const struct support_http_reply *replies, enum support_signer_answers answers,
    const struct probe_options *wanted)
{
	struct fixture      *f = mem_alloc(sizeof(*f));
	struct probe_options options = { 0 };
	struct err           err = { 0 };

	if (wanted != NULL)
		options = *wanted;
	support_http_init(&f->http, leaf, replies);
	f->peer = support_peer_start(support_http_serve, &f->http);
	f->at = support_peer_addr(f->peer);
	f->arena = arena_new();
	options.loop = f->loop = loop_new(&err);
	options.clock = clock_system();
	options.ca_file = root_path;
	f->probes = probes_new(&options, &err);
	if (f->probes == NULL)
		fail_msg("%s", err.text);
	support_signer_init(&f->office, f->loop, answers, key_text, token_text);
	f->feed_ask = (struct feed_ask){
		.account = "contoso", .signer = &f->office.signer, .depth = FEED_ADDRESSES
	};
	return f;
}

/* What was asked stays in f->http until it is freed. */
static void
stop_server(struct fixture *f)
{
	support_peer_stop(f->peer);
	f->peer = NULL;
}

static void
stop(struct fixture *f)
{
	probes_free(f->probes);
	support_signer_fini(&f->office);
	loop_free(f->loop);
	stop_server(f);
	support_http_fini(&f->http);
	arena_free(f->arena);
	free(f);
}

static void
on_over(void *arg)
{
	struct fixture *f = arg;

	f->overs++;
	loop_stop(f->loop);
}

static struct probe *
begin(struct fixture *f, int64_t limit_ms)
{
	const struct probe_ask ask = {
		.kind = "feed",
		.host = host,
		.peer = f->at,
		.limit_ms = limit_ms,
		.arena = f->arena,
		.feed = &f->feed,
		.feed_ask = &f->feed_ask,
		.feed_found = &f->found,
		.on_over = on_over,
		.arg = f,
	};

	f->feed = (struct feed){ 0 };
	f->found = (struct feed_found){ 0 };
	f->overs = 0;
	return probe_start(f->probes, &ask);
}

/* On a machine that is too busy to be on time, once more. */
static void
run(struct fixture *f, int64_t limit_ms)
{
	for (unsigned tries = 0; tries < 5; tries++) {
		begin(f, limit_ms);
		assert_int_equal(f->overs, 0);
		loop_run(f->loop);
		assert_int_equal(f->overs, 1);
		assert_false(f->office.busy);
		if (f->feed.outcome != OUTCOME_AGENT_LATE)
			return;
	}
}

static void
want_in_log(struct fixture *f, const char *text)
{
	if (strstr(wbuf_text(&f->http.log), text) == NULL)
		fail_msg("\"%s\" was not sent, but:\n%s", text, wbuf_text(&f->http.log));
}

static void
test_whole_chain(void **state)
{
	struct fixture *f = start(good, SUPPORT_SIGNS_KEY, NULL);
	const char     *log;

	run(f, 10000);
	if (f->feed.outcome != OUTCOME_OK)
		fail_msg("%s at %s: %s", outcome_name(f->feed.outcome), f->feed.step,
		    f->feed.detail);
	assert_true(f->feed.admitted);
	assert_string_equal(f->feed.address, "127.0.0.1");
	assert_string_equal(f->feed.step, "addresses");
	assert_string_equal(f->feed.container, "dbs/db/colls/items");
	assert_int_equal(f->feed.credential, CREDENTIAL_KEY);
	assert_true(f->feed.took_us > 0);
	assert_int_equal(f->found.count, 1);
	assert_string_equal(f->found.replicas[0].uri.host, "a.b");
	stop_server(f);
	assert_int_equal(f->http.requests, 6);
	assert_int_equal(f->http.connections, 1); /* kept from one request to the next */
	assert_int_equal(f->office.asked, 6);
	log = wbuf_text(&f->http.log);
	assert_int_equal(strncmp(log, "GET / HTTP/1.1\r\n", 16), 0);
	want_in_log(f,
	    "GET //addresses/?$resolveFor=dbs%2fZWUNAA%3d%3d%2fcolls%2fZWUNALftZ78%3d%2fdocs&"
	    "$filter=protocol%20eq%20rntbd&$partitionKeyRangeIds=0 HTTP/1.1\r\n");
	want_in_log(f, "\r\nHost: contoso-westeurope.documents.azure.com:");
	want_in_log(f, "\r\nx-ms-version: 2020-07-15\r\n");
	want_in_log(f, "\r\nx-ms-cosmos-use-thinclient: true\r\n");
	want_in_log(f, "\r\nAccept: application/json\r\n");
	want_in_log(f, "\r\nCache-Control: no-cache\r\n");
	want_in_log(f, "\r\nUser-Agent: plprobe/");
	want_in_log(f, " GMT\r\n");
	want_in_log(f, "\r\nauthorization: type%3dmaster%26ver%3d1.0%26sig%3d");
	assert_null(strstr(log, "x-ms-force-refresh"));
	stop(f);
}

static void
test_refresh_and_names(void **state)
{
	struct fixture *f = start(good, SUPPORT_SIGNS_TOKEN, NULL);

	f->feed_ask.refresh = true;
	f->feed_ask.database = "db";
	f->feed_ask.container = "items";
	run(f, 10000);
	assert_int_equal(f->feed.outcome, OUTCOME_OK);
	assert_int_equal(f->feed.credential, CREDENTIAL_ENTRA);
	assert_true(f->feed.refreshed);
	stop_server(f);
	assert_int_equal(f->http.requests, 4);
	want_in_log(f, "\r\nx-ms-force-refresh: True\r\n");
	want_in_log(f, "\r\nauthorization: type%3daad%26ver%3d1.0%26sig%3deyJ0");
	stop(f);
}

/* Descriptors that are open after so many probes, when the server is gone. */
static unsigned
count_open_after(unsigned runs)
{
	struct fixture *f = start(good, SUPPORT_SIGNS_KEY, NULL);
	unsigned        count = 0;

	for (unsigned i = 0; i < runs; i++)
		run(f, 10000);
	stop_server(f);
	assert_true(f->http.connections >= runs); /* each has its own */
	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	stop(f);
	return count;
}

static void
test_nothing_is_left_open(void **state)
{
	assert_int_equal(count_open_after(1), count_open_after(20));
}

static const struct odd_case {
	const char               *name;
	struct support_http_reply reply; /* before the good ones */
	enum outcome              outcome;
	const char               *step, *detail;
	int64_t                   limit_ms;
} odd_cases[] = {
	{ "endless body", { .fault = SUPPORT_HTTP_ENDLESS_BODY }, OUTCOME_TOO_LARGE, "account",
	    "larger than 4096 KiB", 20000 },
	{ "endless head", { .fault = SUPPORT_HTTP_ENDLESS_HEAD }, OUTCOME_TOO_LARGE, "account",
	    "head", 10000 },
	{ "silence", { .fault = SUPPORT_HTTP_SILENT }, OUTCOME_TIMEOUT, "account",
	    "no answer to GET /", 2000 },
	{ "silence later", { .target = "//addresses/", .fault = SUPPORT_HTTP_SILENT },
	    OUTCOME_TIMEOUT, "addresses", "no answer to GET //addresses/ within", 3000 },
	{ "slow", { .target = "/dbs", .body = DATABASES, .fault = SUPPORT_HTTP_SLOW },
	    OUTCOME_TIMEOUT, "databases", "answer begun, not finished", 3000 },
	{ "reset", { .target = "/dbs ", .fault = SUPPORT_HTTP_RESET }, OUTCOME_RESET,
	    "databases", "reset", 10000 },
	{ "redirect",
	    { .status = 302, .head = "Location: https://evil.example/\r\n", .body = "" },
	    OUTCOME_HTTP_OTHER, "account", "redirects to https://evil.example/", 10000 },
	{ "a page", { .head = "Content-Type: text/html\r\n", .body = "<html>" },
	    OUTCOME_HTTP_OTHER, "account", "HTML", 10000 },
	{ "JSON of another type", { .head = "Content-Type: text/plain\r\n", .body = "[1]" },
	    OUTCOME_HTTP_OTHER, "account", "not an object", 10000 },
	{ "a page later", { .target = "/dbs/db/colls ", .body = "<html>" }, OUTCOME_HTTP_OTHER,
	    "containers", "HTML", 10000 },
	{ "half an answer of JSON", { .target = "/dbs ", .body = "{\"Databases\":" },
	    OUTCOME_BROKE_PROTOCOL, "databases", "answer:1", 10000 },
	{ "wrong key",
	    { .status = 401,
	        .head = GATEWAY,
	        .body =
	            "{\"code\":\"Unauthorized\",\"message\":\"The input authorization token "
	            "can't serve the request.\"}" },
	    OUTCOME_HTTP_OTHER, "account", "wrong or rotated key", 10000 },
	{ "throttled for longer than we have",
	    { .status = 429,
	        .head = GATEWAY "x-ms-retry-after-ms: 60000\r\n",
	        .body = "{\"code\":\"429\"}" },
	    OUTCOME_HTTP_OTHER, "account", "asks to wait 60000 ms", 10000 },
	{ "throttled again and again",
	    { .status = 429,
	        .head = GATEWAY "x-ms-retry-after-ms: 30\r\n",
	        .body = "{\"code\":\"429\"}" },
	    OUTCOME_HTTP_OTHER, "account", "throttling", 10000 },
};

static void
run_odd(const struct odd_case *c)
{
	struct support_http_reply replies[sizeof(good) / sizeof(good[0]) + 1];
	struct fixture           *f;

	replies[0] = c->reply;
	memcpy(replies + 1, good, sizeof(good));
	f = start(replies, SUPPORT_SIGNS_KEY, NULL);
	run(f, c->limit_ms);
	if (f->feed.outcome != c->outcome || strcmp(f->feed.step, c->step) != 0 ||
	    strstr(f->feed.detail, c->detail) == NULL)
		fail_msg("%s: %s at %s: %s", c->name, outcome_name(f->feed.outcome),
		    f->feed.step, f->feed.detail);
	assert_int_equal(f->feed.admitted, strcmp(c->step, "account") != 0);
	stop(f);
}

static void
test_odd_answers(void **state)
{
	for (size_t i = 0; i < sizeof(odd_cases) / sizeof(odd_cases[0]); i++)
		run_odd(&odd_cases[i]);
}

/* The connection is cut before, in and within the answer of every step. */
static void
test_cut_in_each_step(void **state)
{
	static const struct {
		const char *target, *step;
	} at[] = {
		{ "/ ", "account" },
		{ "/dbs ", "databases" },
		{ "/dbs/db/colls ", "containers" },
		{ "/dbs/db/colls/items ", "container" },
		{ "/dbs/db/colls/items/pkranges ", "ranges" },
		{ "//addresses/", "addresses" },
	};
	static const enum support_http_fault faults[] = { SUPPORT_HTTP_CLOSE_BEFORE,
		SUPPORT_HTTP_CUT_HEAD, SUPPORT_HTTP_CUT_BODY };

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++) {
			const struct odd_case c = { .name = at[i].target,
				.reply = { .target = at[i].target,
				    .head = GATEWAY,
				    .body = ACCOUNT,
				    .fault = faults[j] },
				.outcome = OUTCOME_CLOSED,
				.step = at[i].step,
				.detail = "closed",
				.limit_ms = 10000 };

			run_odd(&c);
		}
	}
}

/* A server that closes after each answer costs a connection each, and no more. */
static void
test_closes_after_each(void **state)
{
	struct support_http_reply replies[sizeof(good) / sizeof(good[0])];
	struct fixture           *f;

	memcpy(replies, good, sizeof(good));
	for (size_t i = 0; good[i].target != NULL; i++)
		replies[i].fault = SUPPORT_HTTP_CLOSE_AFTER;
	f = start(replies, SUPPORT_SIGNS_KEY, NULL);
	run(f, 10000);
	if (f->feed.outcome != OUTCOME_OK)
		fail_msg("%s at %s: %s", outcome_name(f->feed.outcome), f->feed.step,
		    f->feed.detail);
	stop_server(f);
	assert_int_equal(f->http.connections, 6);
	stop(f);
}

static void
test_throttled_once(void **state)
{
	struct support_http_reply replies[sizeof(good) / sizeof(good[0]) + 1];
	struct fixture           *f;

	replies[0] = (struct support_http_reply){ .target = "/dbs ",
		.status = 429,
		.head = GATEWAY "x-ms-retry-after-ms: 40\r\n",
		.body = "{\"code\":\"429\"}",
		.times = 1 };
	memcpy(replies + 1, good, sizeof(good));
	f = start(replies, SUPPORT_SIGNS_KEY, NULL);
	run(f, 10000);
	assert_int_equal(f->feed.outcome, OUTCOME_OK);
	assert_string_equal(f->feed.error_code, "");
	assert_true(f->feed.took_us >= 40000);
	stop_server(f);
	assert_int_equal(f->http.requests, 7);
	assert_int_equal(f->office.asked, 7); /* signed anew: the date is another */
	stop(f);
}

static void
test_hundred_thousand_replicas(void **state)
{
	struct support_http_reply replies[sizeof(good) / sizeof(good[0])];
	struct fixture           *f;
	struct wbuf               body;

	wbuf_init(&body);
	wbuf_puts(&body, "{\"Addresss\":[");
	for (unsigned i = 0; i < 100000; i++)
		wbuf_printf(&body,
		    "%s{\"protocol\":\"rntbd\",\"physcialUri\":\"rntbd://a:%u\"}",
		    i != 0 ? "," : "", i % 60000 + 1);
	wbuf_puts(&body, "]}");
	memcpy(replies, good, sizeof(good));
	replies[0].body = wbuf_text(&body);
	f = start(replies, SUPPORT_SIGNS_KEY, NULL);
	run(f, 30000);
	assert_int_equal(f->feed.outcome, OUTCOME_TOO_LARGE);
	assert_string_equal(f->feed.step, "addresses");
	assert_true(f->found.count <= FEED_REPLICAS_MAX);
	stop(f);
	wbuf_fini(&body);
}

/* Looks in each text of the message, and of those within. */
static void
want_nowhere(const struct message_desc *desc, const void *message, const char *secret)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (field->type == FIELD_TEXT) {
			const char *text = *(
			    const char *const *)((const char *)message + field->at);

			if (text != NULL && text_find_nocase(text, secret) != NULL)
				fail_msg("%s.%s holds it: %s", desc->name, field->name, text);
		} else if (field->type == FIELD_LIST) {
			const char *element = field_pointer(field, message);

			for (size_t j = 0; j < field_count(field, message); j++)
				want_nowhere(field->element,
				    element + j * field->element->bytes, secret);
		}
	}
}

/* A server that says whatever it is told into every place there is. */
static const struct support_http_reply parrots[][3] = {
	{ { .status = 401,
	      .head = GATEWAY "x-ms-activity-id: %AUTHORIZATION%\r\n",
	      .body = "{\"code\":\"%AUTHORIZATION%\",\"message\":\"no\"}" },
	    { .target = NULL } },
	{ { .status = 403,
	      .head = GATEWAY,
	      .body = "{\"code\":\"Forbidden\",\"message\":\"you said %AUTHORIZATION%\"}" },
	    { .target = NULL } },
	{ { .head = "Via: %AUTHORIZATION%\r\n", .body = "<html>" }, { .target = NULL } },
	{ { .status = 302, .head = "Location: https://%AUTHORIZATION%/\r\n" },
	    { .target = NULL } },
	{ { .head = GATEWAY, .body = "{\"id\": %AUTHORIZATION%" }, { .target = NULL } },
	{ { .target = "/ ",
	      .head = "x-ms-gatewayversion: %AUTHORIZATION%\r\n",
	      .body = "{\"id\":\"x\",\"readableLocations\":[{\"name\":\"%AUTHORIZATION%\"}]}" },
	    { .target = "/dbs", .status = 503, .body = "busy" }, { .target = NULL } },
};

static void
test_secrets_stay_out_of_the_record(void **state)
{
	for (size_t i = 0; i < sizeof(parrots) / sizeof(parrots[0]); i++) {
		for (enum support_signer_answers who = SUPPORT_SIGNS_KEY;
		     who <= SUPPORT_SIGNS_TOKEN; who++) {
			struct fixture *f = start(parrots[i], who, NULL);
			char            signature[33];
			const char     *sig;

			run(f, 10000);
			assert_int_not_equal(f->feed.outcome, OUTCOME_OK);
			stop_server(f);
			sig = strstr(wbuf_text(&f->http.log), "sig%3d");
			assert_non_null(sig);
			snprintf(signature, sizeof(signature), "%.32s", sig + 6);
			want_nowhere(&feed_desc, &f->feed, signature);
			want_nowhere(&feed_desc, &f->feed, key_text);
			want_nowhere(&feed_desc, &f->feed, token_text);
			want_nowhere(&feed_desc, &f->feed, "eyJ0eXAiOiJKV1Qi");
			stop(f);
		}
	}
}

static void
test_no_signature(void **state)
{
	static const struct {
		enum support_signer_answers answers;
		const char                 *detail;
		bool                        cancelled;
	} cases[] = {
		{ SUPPORT_SAYS_NO, "no key for contoso", false },
		{ SUPPORT_SIGNS_LINES, "is no header", false },
		{ SUPPORT_SIGNS_NOTHING, "no signature came in time", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = start(good, cases[i].answers, NULL);

		run(f, 200);
		assert_int_equal(f->feed.outcome, OUTCOME_LOCAL);
		assert_string_equal(f->feed.step, "credential");
		assert_non_null(strstr(f->feed.detail, cases[i].detail));
		assert_int_equal(f->office.cancelled > 0, cases[i].cancelled);
		assert_int_equal(f->feed.took_us, 0);
		stop_server(f);
		assert_int_equal(f->http.connections, 0);
		stop(f);
	}
}

static bool
allow_nothing(void *arg, const struct addr *peer)
{
	*(struct addr *)arg = *peer;
	return false;
}

static void
test_policy(void **state)
{
	struct addr                asked = { 0 };
	const struct probe_options options = { .allows = allow_nothing, .allows_arg = &asked };
	struct fixture            *f = start(good, SUPPORT_SIGNS_KEY, &options);

	run(f, 10000);
	assert_int_equal(f->feed.outcome, OUTCOME_POLICY);
	assert_true(addr_equal(&asked, &f->at));
	assert_int_equal(asked.port, f->at.port);
	stop_server(f);
	assert_int_equal(f->http.connections, 0);
	stop(f);
}

static void
on_moment(void *arg, unsigned what)
{
	loop_stop(arg);
}

/* At any moment of its life. */
static void
test_cancel(void **state)
{
	struct fixture   *f = start(good, SUPPORT_SIGNS_KEY, NULL);
	struct loop_watch moment;

	loop_watch_init(&moment, f->loop, on_moment, f->loop);
	for (int64_t after_us = 0; after_us < 12000; after_us += 300) {
		struct probe *probe = begin(f, 10000);

		loop_watch_set(&moment, -1, 0, after_us);
		loop_run(f->loop);
		if (f->overs == 0)
			probe_cancel(probe);
		assert_false(f->office.busy);
		loop_watch_set(&moment, -1, 0, 0);
		loop_run(f->loop);
		assert_true(f->overs <= 1);
	}
	run(f, 10000);
	assert_int_equal(f->feed.outcome, OUTCOME_OK);
	begin(f, 10000);
	loop_run_once(f->loop, true);
	loop_watch_fini(&moment);
	stop(f);
}

/* While it waits because it was throttled. */
static void
test_cancel_while_waiting(void **state)
{
	static const struct support_http_reply replies[] = {
		{ .status = 429,
		    .head = GATEWAY "x-ms-retry-after-ms: 5000\r\n",
		    .body = "{\"code\":\"429\"}" },
		{ .target = NULL },
	};
	struct fixture   *f = start(replies, SUPPORT_SIGNS_KEY, NULL);
	struct loop_watch moment;
	struct probe     *probe = begin(f, 10000);

	loop_watch_init(&moment, f->loop, on_moment, f->loop);
	loop_watch_set(&moment, -1, 0, 200 * 1000);
	loop_run(f->loop);
	assert_int_equal(f->overs, 0);
	assert_string_equal(f->feed.error_code, "429");
	probe_cancel(probe);
	loop_watch_fini(&moment);
	stop(f);
}

/* The proxy is asked for the host by its name, and is itself what the policy is about. */
static void
test_proxy(void **state)
{
	static const struct {
		const char  *answer;
		enum outcome outcome;
		const char  *detail;
	} cases[] = {
		{ "HTTP/1.1 200 Connection established\r\n\r\n", OUTCOME_OK, "" },
		{ "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
		  "Content-Length: 0\r\n\r\n",
		    OUTCOME_HTTP_OTHER, "status 407: it wants authentication" },
		{ "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", OUTCOME_HTTP_OTHER,
		    "the proxy refuses the way to the host, with status 403" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char                 text[ADDR_TEXT + 16], proxy_text[ADDR_TEXT];
		struct support_http  http;
		struct support_peer *proxy;
		struct addr          at;
		struct fixture      *f;
		struct probe_options options = { 0 };

		support_http_init(&http, leaf, good);
		http.connect_answer = cases[i].answer;
		proxy = support_peer_start(support_http_serve, &http);
		at = support_peer_addr(proxy);
		snprintf(text, sizeof(text), "http://%s",
		    addr_render_port(&at, proxy_text, sizeof(proxy_text)));
		options.proxy = text;
		f = start(good, SUPPORT_SIGNS_KEY, &options);
		f->at.port = 443;
		run(f, 10000);
		if (f->feed.outcome != cases[i].outcome ||
		    strstr(f->feed.detail, cases[i].detail) == NULL)
			fail_msg("%s: %s", outcome_name(f->feed.outcome), f->feed.detail);
		support_peer_stop(proxy);
		assert_int_equal(http.connections, 1);
		assert_int_equal(http.requests, cases[i].outcome == OUTCOME_OK ? 6 : 0);
		assert_int_equal(strncmp(wbuf_text(&http.log),
		                     "CONNECT contoso-westeurope.documents.azure.com:443 ", 51),
		    0);
		support_http_fini(&http);
		stop_server(f);
		assert_int_equal(f->http.connections, 0);
		stop(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_chain),
		cmocka_unit_test(test_refresh_and_names),
		cmocka_unit_test(test_nothing_is_left_open),
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_cut_in_each_step),
		cmocka_unit_test(test_closes_after_each),
		cmocka_unit_test(test_throttled_once),
		cmocka_unit_test(test_hundred_thousand_replicas),
		cmocka_unit_test(test_secrets_stay_out_of_the_record),
		cmocka_unit_test(test_no_signature),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_cancel_while_waiting),
		cmocka_unit_test(test_proxy),
	};

	return cmocka_run_group_tests(tests, make_certs, free_certs);
}
