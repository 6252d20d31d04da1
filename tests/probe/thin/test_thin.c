#include "probe/thin/thin_record.h"

#include "probe/conn.h"
#include "probe/thin/thin_dialog.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The short one leaves room for a handshake on a machine that is busy. */
enum { LIMIT_MS = 5000, SHORT_MS = 600 };

static const char host[] = "contoso-eastus.documents.azure.com";

static const char *const     names[] = { host, NULL };
static struct support_certs *leaf;
static char                  ca_file[] = "/tmp/test_thin_ca_XXXXXX";

static int
set_up(void **state)
{
	int fd = mkstemp(ca_file);

	leaf = support_certs_new(
	    &(struct support_certs_plan){ .subject = host, .names = names });
	support_certs_write(leaf, ca_file, NULL);
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	support_certs_free(leaf);
	return unlink(ca_file);
}

/* What a server of ours does, and what it saw. */
struct plan {
	const char *status;    /* of its answer; NULL: none */
	const char *body;      /* NULL: none */
	uint32_t    reset;     /* error code of a RST_STREAM instead; 0: none */
	uint32_t    goaway;    /* likewise of a GOAWAY, before it hears anything; 0: none */
	bool        endless;   /* sends a body that does not end */
	bool        no_answer; /* SETTINGS and their acknowledgement, no more */
	unsigned    requests;
	char        asked[512]; /* method, path and authority of the last one */
};

static int
note_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags, void *arg)
{
	struct plan *plan = arg;
	size_t       at = strlen(plan->asked);

	snprintf(plan->asked + at, sizeof(plan->asked) - at, "%.*s=%.*s ", (int)name_bytes,
	    (const char *)name, (int)value_bytes, (const char *)value);
	return 0;
}

static ssize_t
read_body(nghttp2_session *session, int32_t stream, uint8_t *bytes, size_t room,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct plan *plan = arg;
	size_t       count = plan->body != NULL ? strlen(plan->body) : 0;

	if (plan->endless) {
		memset(bytes, 'x', room);
		return (ssize_t)room;
	}
	if (count > room)
		abort(); /* not in the test's own thread */
	memcpy(bytes, plan->body, count);
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)count;
}

static int
answer_request(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct plan          *plan = arg;
	nghttp2_data_provider body = { .read_callback = read_body };
	nghttp2_nv            header = { (uint8_t *)":status", NULL, 7, 3, 0 };

	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	plan->requests++;
	if (plan->no_answer)
		return 0;
	if (plan->reset != 0)
		return nghttp2_submit_rst_stream(session, 0, frame->hd.stream_id, plan->reset);
	header.value = (uint8_t *)plan->status;
	return nghttp2_submit_response(session, frame->hd.stream_id, &header, 1,
	    plan->body != NULL || plan->endless ? &body : NULL);
}

static bool
flush(nghttp2_session *session, SSL *ssl)
{
	const uint8_t *bytes;
	ssize_t        count;

	while ((count = nghttp2_session_mem_send(session, &bytes)) > 0) {
		if (SSL_write(ssl, bytes, (int)count) != count)
			return false;
	}
	return count == 0;
}

/* For talk(): an HTTP/2 server. */
static void
talk_http2(SSL *ssl, void *arg)
{
	struct plan               *plan = arg;
	nghttp2_session_callbacks *calls;
	nghttp2_session           *session;
	uint8_t                    bytes[4096];
	int                        count;

	nghttp2_session_callbacks_new(&calls);
	nghttp2_session_callbacks_set_on_header_callback(calls, note_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, answer_request);
	nghttp2_session_server_new(&session, calls, plan);
	nghttp2_session_callbacks_del(calls);
	nghttp2_submit_settings(session, 0, NULL, 0);
	if (plan->goaway != 0)
		nghttp2_submit_goaway(session, 0, 0, plan->goaway, NULL, 0);
	while (flush(session, ssl) && (count = SSL_read(ssl, bytes, sizeof(bytes))) > 0) {
		if (nghttp2_session_mem_recv(session, bytes, (size_t)count) < 0)
			break;
	}
	nghttp2_session_del(session);
}

/* For talk(): reads what comes and says the text, however long the client stays. */
static void
talk_text(SSL *ssl, void *text)
{
	char bytes[4096];

	if (SSL_read(ssl, bytes, sizeof(bytes)) <= 0)
		return;
	if (text != NULL)
		SSL_write(ssl, text, (int)strlen(text));
	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
}

static void
talk_and_leave(SSL *ssl, void *unused)
{
	char bytes[4096];

	SSL_read(ssl, bytes, sizeof(bytes));
	SSL_shutdown(ssl);
}

static void
talk_and_reset(SSL *ssl, void *unused)
{
	char bytes[4096];

	SSL_read(ssl, bytes, sizeof(bytes));
	support_peer_reset(SSL_get_fd(ssl), NULL);
}

/* Each byte in a record of its own. */
static void
talk_bytewise(SSL *ssl, void *unused)
{
	static const char answer[] = "\0\0\0\4\0\0\0\0\0"
	                             "\0\0\0\4\1\0\0\0\0"
	                             "\0\0\1\1\5\0\0\0\1\x88";
	char              bytes[4096];

	SSL_read(ssl, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(answer) - 1; i++) {
		if (SSL_write(ssl, answer + i, 1) != 1)
			return;
		usleep(200);
	}
	SSL_read(ssl, bytes, sizeof(bytes));
}

static struct support_probe *
ask_peer(struct addr peer, const char *name, struct thin *thin, int64_t limit_ms)
{
	struct probe_options options = { .ca_file = ca_file };
	struct probe_ask     ask = {
		    .kind = "thin", .host = name, .peer = peer, .limit_ms = limit_ms, .thin = thin
	};
	struct support_probe *run = support_probe_run(&options, &ask);

	assert_int_equal(run->overs, 1);
	return run;
}

static struct support_probe *
ask_tls(struct support_tls *tls, struct thin *thin, int64_t limit_ms)
{
	struct support_peer  *peer = support_peer_start(support_tls_serve, tls);
	struct support_probe *run = ask_peer(support_peer_addr(peer), host, thin, limit_ms);

	support_peer_stop(peer);
	return run;
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

/* A connection that went well says nothing of what came behind it. */
static void
expect_connection(const struct endpoint *endpoint)
{
	assert_int_equal(endpoint->tcp, OUTCOME_OK);
	assert_int_equal(endpoint->tls, OUTCOME_OK);
	assert_int_equal(endpoint->os_errno, 0);
	assert_null(endpoint->detail);
	assert_string_equal(endpoint->sans, host);
	assert_in_range(endpoint->tls_us, 1, 1000000);
}

static const struct plan_case {
	const char  *name;
	struct plan  plan;
	enum outcome outcome;
	uint32_t     status;
	const char  *words;
} plan_cases[] = {
	{ "ready", { .status = "200" }, OUTCOME_OK, 200, "" },
	{ "ready, with a body", { .status = "200", .body = "ok" }, OUTCOME_OK, 200, "" },
	{ "switched off", { .status = "503" }, OUTCOME_HTTP_OTHER, 503,
	    "reachable, switched off for this federation" },
	{ "not found", { .status = "404", .body = "no" }, OUTCOME_HTTP_OTHER, 404,
	    "status 404, 200 wanted" },
	{ "broken", { .status = "500" }, OUTCOME_HTTP_OTHER, 500, "status 500, 200 wanted" },
	{ "RST_STREAM", { .reset = NGHTTP2_REFUSED_STREAM }, OUTCOME_REFUSED_BY_PEER, 0,
	    "RST_STREAM REFUSED_STREAM instead of an answer" },
	{ "GOAWAY at once", { .status = "200", .goaway = NGHTTP2_ENHANCE_YOUR_CALM },
	    OUTCOME_REFUSED_BY_PEER, 0, "GOAWAY ENHANCE_YOUR_CALM instead of an answer" },
	{ "a body without an end", { .status = "200", .endless = true }, OUTCOME_TOO_LARGE, 200,
	    "a body of more than 16384 bytes" },
};

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(plan_cases) / sizeof(plan_cases[0]); i++) {
		const struct plan_case *c = &plan_cases[i];
		struct plan             plan = c->plan;
		struct support_tls      tls = {
			     .certs = leaf, .alpn = "h2", .talk = talk_http2, .arg = &plan
		};
		struct thin           thin = { 0 };
		struct support_probe *run = ask_tls(&tls, &thin, LIMIT_MS);

		print_message("%s\n", c->name);
		expect_connection(&run->endpoint);
		assert_string_equal(thin.alpn, "h2");
		assert_int_equal(thin.outcome, c->outcome);
		assert_int_equal(thin.status, c->status);
		if (c->words[0] != '\0')
			expect_words(thin.detail, c->words);
		else
			assert_string_equal(thin.detail, "");
		if (c->outcome == OUTCOME_OK || c->outcome == OUTCOME_HTTP_OTHER)
			assert_in_range(thin.wait_us, 1, run->took_us);
		else
			assert_int_equal(thin.wait_us, 0);
		support_probe_free(run);
	}
}

static void
test_request(void **state)
{
	struct plan        plan = { .status = "200" };
	struct support_tls tls = {
		.certs = leaf, .alpn = "h2", .talk = talk_http2, .arg = &plan
	};
	struct support_peer  *peer = support_peer_start(support_tls_serve, &tls);
	struct thin           thin = { 0 };
	struct support_probe *run = ask_peer(support_peer_addr(peer), host, &thin, LIMIT_MS);
	char                  authority[128];

	snprintf(authority, sizeof(authority), ":authority=%s:%u ", host,
	    support_peer_addr(peer).port);
	support_peer_stop(peer);
	assert_int_equal(thin.outcome, OUTCOME_OK);
	assert_int_equal(plan.requests, 1);
	expect_words(plan.asked, ":method=POST :scheme=https ");
	expect_words(plan.asked, ":path=/connectivity-probe ");
	expect_words(plan.asked, authority);
	expect_words(plan.asked, "x-ms-thinclient-proxy-operation-type=ConnectivityProbe ");
	support_probe_free(run);
}

static const struct odd_case {
	const char *name, *alpn;
	void (*talk)(SSL *ssl, void *arg);
	void        *arg;
	enum outcome outcome;
	const char  *words;
} odd_cases[] = {
	{ "byte by byte", "h2", talk_bytewise, NULL, OUTCOME_OK, "" },
	{ "no ALPN", NULL, talk_text, (void *)"HTTP/1.1 400\r\n\r\n", OUTCOME_BROKE_PROTOCOL,
	    "no HTTP/2: the handshake agreed on no protocol" },
	{ "HTTP/1.1 in spite of ALPN", "h2", talk_text,
	    (void *)"HTTP/1.1 400 Bad Request\r\n\r\n", OUTCOME_BROKE_PROTOCOL,
	    "no HTTP/2: the peer says 'HTTP/1.1 400 Bad Request'" },
	{ "another protocol in spite of ALPN", "h2", talk_text,
	    (void *)"SSH-2.0-OpenSSH_9.2p1\r\n", OUTCOME_BROKE_PROTOCOL, "not HTTP/2" },
	{ "silence", "h2", talk_text, NULL, OUTCOME_TIMEOUT,
	    "no whole answer within 600 ms: nothing of HTTP/2 came" },
	{ "silence after SETTINGS", "h2", talk_http2, &(struct plan){ .no_answer = true },
	    OUTCOME_TIMEOUT, "SETTINGS, and no answer to the request" },
	{ "close", "h2", talk_and_leave, NULL, OUTCOME_CLOSED,
	    "the peer closed after the handshake: nothing of HTTP/2 came" },
	{ "reset", "h2", talk_and_reset, NULL, OUTCOME_RESET,
	    "after the handshake: nothing of HTTP/2 came" },
};

static void
test_odd_servers(void **state)
{
	for (size_t i = 0; i < sizeof(odd_cases) / sizeof(odd_cases[0]); i++) {
		const struct odd_case *c = &odd_cases[i];
		struct support_tls     tls = {
			    .certs = leaf, .alpn = c->alpn, .talk = c->talk, .arg = c->arg
		};
		struct thin           thin = { 0 };
		struct support_probe *run = ask_tls(
		    &tls, &thin, c->outcome == OUTCOME_TIMEOUT ? SHORT_MS : LIMIT_MS);

		print_message("%s\n", c->name);
		expect_connection(&run->endpoint);
		assert_string_equal(thin.alpn, c->alpn != NULL ? c->alpn : "");
		assert_int_equal(thin.outcome, c->outcome);
		assert_int_equal(thin.status, c->outcome == OUTCOME_OK ? 200 : 0);
		expect_words(thin.detail, c->words);
		support_probe_free(run);
	}
}

/* What ends before the request is the connection's, and the request was not made. */
static void
expect_not_asked(const struct thin *thin)
{
	assert_int_equal(thin->outcome, OUTCOME_NOT_RUN);
	assert_string_equal(thin->alpn, "");
	assert_int_equal(thin->status, 0);
	assert_int_equal(thin->wait_us, 0);
	assert_null(thin->detail);
}

static void
test_alpn_refused(void **state)
{
	static const char *const takes[] = { "", "http/1.1" };

	for (size_t i = 0; i < 2; i++) {
		struct support_tls    tls = { .certs = leaf, .alpn = takes[i] };
		struct thin           thin = { 0 };
		struct support_probe *run = ask_tls(&tls, &thin, LIMIT_MS);

		if (run->endpoint.tls ==
		    OUTCOME_OK) { /* an older OpenSSL, which does not mind */
			assert_string_equal(thin.alpn, "http/1.1");
			expect_words(
			    thin.detail, "no HTTP/2: the handshake agreed on http/1.1");
		} else {
			assert_int_equal(run->endpoint.tls, OUTCOME_TLS_FAILED);
			expect_words(run->endpoint.detail,
			    i == 0 ? "alert 120, no application protocol" : "bad extension");
			/* Only the first says that it is for want of HTTP/2. */
			assert_int_equal(
			    thin.outcome, i == 0 ? OUTCOME_BROKE_PROTOCOL : OUTCOME_NOT_RUN);
			if (i == 0)
				expect_words(
				    thin.detail, "no HTTP/2: the peer does not take h2");
			else
				expect_not_asked(&thin);
		}
		support_probe_free(run);
	}
}

static void
test_no_connection(void **state)
{
	static const struct {
		const char *name;
		void (*serve)(int fd, void *arg);
		void        *arg;
		const char  *host;
		enum outcome tcp, tls;
		const char  *words;
	} cases[] = {
		{ "reset at once", support_peer_reset, NULL, host, OUTCOME_OK, OUTCOME_RESET,
		    "reset" },
		{ "silence", support_peer_silent, NULL, host, OUTCOME_OK, OUTCOME_TIMEOUT,
		    "no answer to the ClientHello" },
		{ "no TLS", support_peer_says, (void *)"HTTP/1.1 400\r\n\r\n", host, OUTCOME_OK,
		    OUTCOME_NOT_TLS, "HTTP/1.1 400" },
		{ "no host name", support_peer_silent, NULL, "a/b", OUTCOME_LOCAL,
		    OUTCOME_NOT_RUN, "character 2 of the host name" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct support_peer  *peer = support_peer_start(cases[i].serve, cases[i].arg);
		struct thin           thin = { 0 };
		struct support_probe *run = ask_peer(
		    support_peer_addr(peer), cases[i].host, &thin, SHORT_MS);

		print_message("%s\n", cases[i].name);
		assert_int_equal(run->endpoint.tcp, cases[i].tcp);
		assert_int_equal(run->endpoint.tls, cases[i].tls);
		expect_words(run->endpoint.detail, cases[i].words);
		expect_not_asked(&thin);
		support_probe_free(run);
		support_peer_stop(peer);
	}
}

/* The name is not the certificate's: nothing is asked of a stranger. */
static void
test_stranger(void **state)
{
	struct plan        plan = { .status = "200" };
	struct support_tls tls = {
		.certs = leaf, .alpn = "h2", .talk = talk_http2, .arg = &plan
	};
	struct support_peer  *peer = support_peer_start(support_tls_serve, &tls);
	struct thin           thin = { 0 };
	struct support_probe *run = ask_peer(
	    support_peer_addr(peer), "fabrikam.documents.azure.com", &thin, LIMIT_MS);

	support_peer_stop(peer);
	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_REJECTED);
	expect_words(run->endpoint.detail, "wanted fabrikam");
	assert_int_equal(thin.outcome, OUTCOME_NOT_RUN);
	assert_string_equal(thin.alpn, "h2"); /* it is known, and so it is shown */
	assert_int_equal(plan.requests, 0);
	support_probe_free(run);
}

/* Nothing of the session is left, wherever it is cut. */
static void
never(void *arg)
{
	fail();
}

static void
test_cancel_at_every_point(void **state)
{
	struct plan        plan = { .no_answer = true };
	struct support_tls tls = {
		.certs = leaf, .alpn = "h2", .talk = talk_http2, .arg = &plan
	};
	struct support_peer *peer = support_peer_start(support_tls_serve, &tls);
	struct err           err;

	for (unsigned rounds = 0; rounds < 256; rounds = 2 * rounds + 1) {
		struct loop         *loop = loop_new(&err);
		struct probe_options options = {
			.ca_file = ca_file, .loop = loop, .clock = clock_system()
		};
		struct probes   *probes = probes_new(&options, &err);
		struct endpoint  endpoint = { 0 };
		struct thin      thin = { 0 };
		struct probe_ask ask = { .kind = "thin",
			.host = host,
			.peer = support_peer_addr(peer),
			.limit_ms = LIMIT_MS,
			.arena = arena_new(),
			.endpoint = &endpoint,
			.thin = &thin,
			.on_over = never };
		struct probe    *probe = probe_start(probes, &ask);

		for (unsigned i = 0; i < rounds; i++) {
			loop_run_once(loop, false);
			usleep(2000);
		}
		probe_cancel(probe);
		probes_free(probes);
		arena_free(ask.arena);
		loop_free(loop);
	}
	support_peer_stop(peer);
	assert_true(plan.requests > 0); /* it was cut behind the request, too */
}

/* A late loop says nothing of the peer, and neither do the words. */
static void
test_late_loop_is_no_statement(void **state)
{
	struct arena      *arena = arena_new();
	struct thin_dialog dialog = { .settled = true, .status = 200 };
	struct conn_seen   seen = { .tls = OUTCOME_OK,
		  .dialog = OUTCOME_AGENT_LATE,
		  .detail = "our own loop was 300 ms late",
		  .facts = { .alpn = "h2" } };
	struct thin        thin = { 0 };

	thin_record(&thin, &seen, &dialog, arena);
	assert_int_equal(thin.outcome, OUTCOME_AGENT_LATE);
	assert_string_equal(thin.detail, "our own loop was 300 ms late");

	dialog.goodbye = "GOAWAY NO_ERROR";
	seen.dialog = OUTCOME_TIMEOUT;
	seen.detail = "no whole answer within 5 ms";
	thin_record(&thin, &seen, &dialog, arena);
	assert_int_equal(thin.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(thin.status, 200);
	assert_string_equal(thin.detail,
	    "no whole answer within 5 ms: status 200, GOAWAY NO_ERROR, and no end of the "
	    "answer");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_odd_servers),
		cmocka_unit_test(test_alpn_refused),
		cmocka_unit_test(test_no_connection),
		cmocka_unit_test(test_stranger),
		cmocka_unit_test(test_cancel_at_every_point),
		cmocka_unit_test(test_late_loop_is_no_statement),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
