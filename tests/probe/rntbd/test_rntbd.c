#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"
#include "tests/support/support_rntbd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 5000, SHORT_MS = 200, REPLY_MAX = 512 };

static const char host[] = "cdb-ms-prod-westus1-be169.documents.azure.com";

/* One authority for all tests, in a file as a configured ca_file is. */
static struct support_certs *root, *leaf;
static char                  ca_file[] = "/tmp/test_rntbd_ca_XXXXXX";

static const char *const good_names[] = { "*.documents.azure.com", NULL };
static const char *const other_names[] = { "*.mongo.cosmos.azure.com", NULL };

static int
set_up(void **state)
{
	int fd = mkstemp(ca_file);

	root = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Test Root", .authority = true });
	leaf = support_certs_new(&(struct support_certs_plan){
	    .subject = host, .names = good_names, .issuer = root });
	support_certs_write(root, ca_file, NULL);
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	support_certs_free(leaf);
	support_certs_free(root);
	return unlink(ca_file);
}

/* What the back end does with a connection on which TLS stands. */
struct script {
	uint8_t reply[REPLY_MAX];
	size_t  count;
	bool    echo;             /* put the request's activity id where a reply has it */
	bool    drip;             /* a record and a segment for each byte */
	bool    reset;            /* in the end, instead of waiting for the client to go */
	bool    close;            /* likewise */
	uint8_t heard[REPLY_MAX]; /* the request */
	size_t  heard_count;
	char    name[256]; /* SNI */
};

/* A whole request: as many bytes as its head says. */
static bool
read_request(SSL *ssl, struct script *script)
{
	int got;

	while (script->heard_count < 4 || script->heard_count < script->heard[0]) {
		got = SSL_read(ssl, script->heard + script->heard_count,
		    (int)(REPLY_MAX - script->heard_count));
		if (got <= 0)
			return false;
		script->heard_count += (size_t)got;
	}
	return true;
}

static void
send_reply(SSL *ssl, struct script *script)
{
	size_t step = script->drip || script->count == 0 ? 1 : script->count;
	int    yes = 1;

	if (script->echo)
		memcpy(script->reply + SUPPORT_RNTBD_ID_AT, script->heard + SUPPORT_RNTBD_ID_AT,
		    SUPPORT_RNTBD_ID_BYTES);
	setsockopt(SSL_get_fd(ssl), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	for (size_t at = 0; at < script->count; at += step) {
		if (SSL_write(ssl, script->reply + at, (int)step) <= 0)
			return;
	}
}

static void
talk(struct ssl_st *ssl, void *arg)
{
	struct script *script = arg;
	const char    *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	char           bytes[64];

	if (name != NULL)
		strncpy(script->name, name, sizeof(script->name) - 1);
	if (!read_request(ssl, script))
		return;
	send_reply(ssl, script);
	if (script->reset)
		support_peer_reset(SSL_get_fd(ssl), NULL);
	else if (!script->close)
		while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
			;
}

static struct support_probe *
ask_addr(struct addr peer, const char *name, int64_t limit_ms)
{
	struct probe_options options = { .ca_file = ca_file };
	struct probe_ask     ask = {
		    .kind = "rntbd", .host = name, .peer = peer, .limit_ms = limit_ms
	};
	struct support_probe *run = support_probe_run(&options, &ask);

	assert_int_equal(run->overs, 1);
	assert_ptr_equal(run->replica.end, &run->endpoint);
	return run;
}

/* One probe of a server that does `serve`. */
static struct support_probe *
ask_server(void (*serve)(int fd, void *arg), void *arg, int64_t limit_ms)
{
	struct support_peer  *peer = support_peer_start(serve, arg);
	struct support_probe *run = ask_addr(support_peer_addr(peer), host, limit_ms);

	support_peer_stop(peer);
	return run;
}

static struct support_probe *
ask_back_end(struct script *script, int64_t limit_ms)
{
	return ask_server(support_tls_serve,
	    &(struct support_tls){ .certs = leaf, .talk = talk, .arg = script }, limit_ms);
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

static void
expect_stage(const struct support_probe *run, const char *stage, uint32_t code)
{
	assert_string_equal(run->replica.stage, stage);
	assert_int_equal(run->replica.sdk_code, code);
}

static void
test_good(void **state)
{
	struct script         script = { .echo = true };
	struct support_probe *run;
	const struct replica *seen;

	script.count = support_rntbd_bytes(SUPPORT_RNTBD_R1, script.reply);
	run = ask_back_end(&script, LIMIT_MS);
	seen = &run->replica;
	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_null(run->endpoint.detail);
	assert_int_equal(run->endpoint.verify_code, X509_V_OK);
	assert_string_equal(run->endpoint.tls_version, "TLSv1.3");
	assert_in_range(run->endpoint.tls_us, 1, 1000000);
	assert_int_equal(seen->context, OUTCOME_OK);
	assert_in_range(seen->context_us, 1, 1000000);
	assert_int_equal(seen->status, 200);
	assert_string_equal(seen->server_agent, "DocumentDB Server");
	assert_string_equal(seen->server_version, "version=2.14.0.0");
	assert_int_equal(seen->idle_timeout_s, 120);
	assert_int_equal(seen->unauthenticated_timeout_s, 25);
	assert_string_equal(seen->error_code, "");
	assert_string_equal(seen->detail, "");
	assert_false(seen->trailing);
	expect_stage(run, "", 0);
	assert_string_equal(script.name, host);
	support_probe_free(run);
}

/* Byte for byte, but for the activity id, which is a random GUID of version 4. */
static void
test_request(void **state)
{
	static const char     agent[] = "plprobe/" PLPROBE_VERSION;
	struct script         scripts[2] = { { .echo = true }, { .echo = true } };
	const uint8_t        *heard = scripts[0].heard;
	struct support_probe *run;

	for (size_t i = 0; i < 2; i++) {
		scripts[i].count = support_rntbd_bytes(SUPPORT_RNTBD_R1, scripts[i].reply);
		run = ask_back_end(&scripts[i], LIMIT_MS);
		assert_int_equal(run->replica.context, OUTCOME_OK);
		support_probe_free(run);
	}
	assert_int_equal(scripts[0].heard_count, 49 + strlen(agent));
	assert_int_equal(heard[0], 49 + strlen(agent));
	assert_memory_equal(heard + 1, "\0\0\0\0\0\0\0", 7);
	assert_int_equal(heard[15] & 0xf0, 0x40);
	assert_int_equal(heard[16] & 0xc0, 0x80);
	assert_memory_equal(heard + 24, "\0\0\x02\x01\0\0\0", 7);
	assert_memory_equal(heard + 31,
	    "\x01\0\x07\x0a"
	    "2020-07-15",
	    14);
	assert_memory_equal(heard + 45, "\x02\0\x07", 3);
	assert_int_equal(heard[48], strlen(agent));
	assert_memory_equal(heard + 49, agent, strlen(agent));
	assert_memory_not_equal(heard + 8, scripts[1].heard + 8, 16);
}

enum how { ECHO = 1, DRIP = 2, CLOSE = 4, RESET = 8 };

static const struct talk_case {
	const char        *name;
	const char        *bytes; /* NULL: those of the vector */
	size_t             count; /* of bytes; of a vector 0 is all of it */
	enum support_rntbd which;
	unsigned           how;
	int64_t            limit_ms;
	enum outcome       context;
	const char        *stage;
	uint32_t           code, status;
	const char        *words; /* of replica.detail; NULL: it is "" */
} talk_cases[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ "R2", NULL, 0, SUPPORT_RNTBD_R2, ECHO, LIMIT_MS, OUTCOME_OK, "", 0, 200, NULL },
	{ "R3, with unknown tokens", NULL, 0, SUPPORT_RNTBD_R3, ECHO, LIMIT_MS, OUTCOME_OK, "",
	    0, 200, NULL },
	{ "R1, a byte a segment", NULL, 0, SUPPORT_RNTBD_R1, ECHO | DRIP, LIMIT_MS, OUTCOME_OK,
	    "", 0, 200, NULL },
	{ "R1, and closed", NULL, 0, SUPPORT_RNTBD_R1, ECHO | CLOSE, LIMIT_MS, OUTCOME_OK, "",
	    0, 200, NULL },
	{ "E1", NULL, 0, SUPPORT_RNTBD_E1, ECHO, LIMIT_MS, OUTCOME_REFUSED_BY_PEER,
	    "context_failed", 0, 400, "refuses with status 400" },
	{ "E1, a byte a segment", NULL, 0, SUPPORT_RNTBD_E1, ECHO | DRIP, LIMIT_MS,
	    OUTCOME_REFUSED_BY_PEER, "context_failed", 0, 400, "refuses with status 400" },
	{ "E1, and closed", NULL, 0, SUPPORT_RNTBD_E1, ECHO | CLOSE, LIMIT_MS,
	    OUTCOME_REFUSED_BY_PEER, "context_failed", 0, 400, "refuses" },
	{ "E1 without its body, silent", NULL, 87, SUPPORT_RNTBD_E1, ECHO, SHORT_MS,
	    OUTCOME_TIMEOUT, "context_timeout", 9, 400, "status 400, and 0 bytes" },
	{ "E1 cut in its body", NULL, 92, SUPPORT_RNTBD_E1, ECHO | CLOSE, LIMIT_MS,
	    OUTCOME_CLOSED, "closed", 17, 400, "status 400, and 1 of the 62 bytes" },
	{ "another echo", NULL, 0, SUPPORT_RNTBD_R1, 0, LIMIT_MS, OUTCOME_BROKE_PROTOCOL,
	    "context_failed", 0, 0, "is for activity 8f3322cc-1786-4db4-9b97-b229c2c6f0aa" },
	{ "silent", BYTES(""), 0, 0, SHORT_MS, OUTCOME_TIMEOUT, "context_timeout", 9, 0,
	    "within 200 ms; no byte of the context response came" },
	{ "silent in the tokens", NULL, 50, SUPPORT_RNTBD_R1, ECHO, SHORT_MS, OUTCOME_TIMEOUT,
	    "context_timeout", 9, 0, "50 of the 80 bytes" },
	{ "closed without a word", BYTES(""), 0, CLOSE, LIMIT_MS, OUTCOME_CLOSED, "closed", 17,
	    0, "closed without a word" },
	{ "closed in the head", NULL, 10, SUPPORT_RNTBD_R1, CLOSE, LIMIT_MS, OUTCOME_CLOSED,
	    "closed", 17, 0, "10 of the 24 bytes" },
	{ "closed in the tokens", NULL, 79, SUPPORT_RNTBD_R1, ECHO | CLOSE, LIMIT_MS,
	    OUTCOME_CLOSED, "closed", 17, 0, "79 of the 80 bytes" },
	{ "reset", BYTES(""), 0, RESET, LIMIT_MS, OUTCOME_RESET, "receive_failed", 15, 0,
	    "reset by peer" },
	{ "HTTP", BYTES("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), 0, CLOSE,
	    LIMIT_MS, OUTCOME_BROKE_PROTOCOL, "context_failed", 0, 0,
	    "the peer speaks HTTP where RNTBD is wanted; it begins with 'HTTP/1.1 400 Bad "
	    "Request'" },
	{ "TLS in TLS", BYTES("\x16\x03\x03\0\x31\x02\0\0\x2d\x03\x03"), 0, 0, LIMIT_MS,
	    OUTCOME_BROKE_PROTOCOL, "context_failed", 0, 0,
	    "TLS once more inside TLS where RNTBD is wanted; it begins with 16030300" },
	{ "an alert in TLS", BYTES("\x15\x03\x01\0\x02\x02\x46"), 0, CLOSE, LIMIT_MS,
	    OUTCOME_BROKE_PROTOCOL, "context_failed", 0, 0, "TLS once more" },
	{ "oversized", BYTES("\xff\xff\xff\xff\xc8\0\0\0"), 0, 0, LIMIT_MS,
	    OUTCOME_BROKE_PROTOCOL, "context_failed", 0, 0, "a frame of 4294967295 bytes" },
	{ "no tokens", BYTES("\x18\0\0\0\xc8\0\0\0................"), 0, ECHO, LIMIT_MS,
	    OUTCOME_BROKE_PROTOCOL, "context_failed", 0, 0, "lacks ServerAgent" },
	{ "garbage", BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), 0, 0, LIMIT_MS, OUTCOME_BROKE_PROTOCOL,
	    "context_failed", 0, 0, "'SSH-2.0-OpenSSH_9.2p1'" },
#undef BYTES
};

static void
write_script(struct script *script, const struct talk_case *c)
{
	if (c->bytes != NULL) {
		script->count = c->count;
		memcpy(script->reply, c->bytes, c->count);
	} else {
		script->count = support_rntbd_bytes(c->which, script->reply);
		if (c->count != 0)
			script->count = c->count;
	}
	script->echo = (c->how & ECHO) != 0;
	script->drip = (c->how & DRIP) != 0;
	script->close = (c->how & CLOSE) != 0;
	script->reset = (c->how & RESET) != 0;
}

static void
test_talks(void **state)
{
	for (size_t i = 0; i < sizeof(talk_cases) / sizeof(talk_cases[0]); i++) {
		const struct talk_case *c = &talk_cases[i];
		struct script           script = { .count = 0 };
		struct support_probe   *run;

		print_message("%s\n", c->name);
		write_script(&script, c);
		run = ask_back_end(&script, c->limit_ms);
		assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_null(run->endpoint.detail);
		assert_int_equal(run->replica.context, c->context);
		assert_int_equal(run->replica.status, c->status);
		expect_stage(run, c->stage, c->code);
		if (c->words != NULL)
			expect_words(run->replica.detail, c->words);
		else
			assert_string_equal(run->replica.detail, "");
		/* A deadline is kept, and an answer is not waited for beyond itself. */
		assert_true(run->took_us < (c->limit_ms + 100) * US_PER_MS);
		assert_true(c->limit_ms != LIMIT_MS || run->took_us < LIMIT_MS * US_PER_MS / 2);
		support_probe_free(run);
	}
}

static void
test_refusal_is_told(void **state)
{
	struct script         script = { .echo = true };
	struct support_probe *run;

	script.count = support_rntbd_bytes(SUPPORT_RNTBD_E1, script.reply);
	run = ask_back_end(&script, LIMIT_MS);
	assert_string_equal(run->replica.error_code, "BadRequest");
	assert_string_equal(run->replica.error_text, "Unsupported protocol version");
	assert_string_equal(run->replica.client_version, "2014-08-21");
	assert_int_equal(run->replica.protocol_version, 1);
	assert_string_equal(run->replica.server_agent, "DocumentDB Server");
	support_probe_free(run);
}

static void
test_trailing(void **state)
{
	struct script         script = { .echo = true };
	struct support_probe *run;

	script.count = support_rntbd_bytes(SUPPORT_RNTBD_R1, script.reply) + 3;
	run = ask_back_end(&script, LIMIT_MS);
	assert_int_equal(run->replica.context, OUTCOME_OK);
	assert_true(run->replica.trailing);
	assert_string_equal(run->replica.detail, "");
	support_probe_free(run);
}

/* Nothing is said to a peer that does not show that it is the one. */
static void
test_certificates(void **state)
{
	static const struct certificate_case {
		const char        *name;
		const char *const *names;
		bool               own; /* signs itself */
		int                most_version;
		enum outcome       tls;
		uint32_t           code;
	} cases[] = {
		{ "TLS 1.2", good_names, false, TLS1_2_VERSION, OUTCOME_OK, 0 },
		{ "self-signed", good_names, true, 0, OUTCOME_TLS_REJECTED,
		    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT },
		{ "another name", other_names, false, 0, OUTCOME_TLS_REJECTED,
		    X509_V_ERR_HOSTNAME_MISMATCH },
		{ "TLS 1.1", good_names, false, TLS1_1_VERSION, OUTCOME_TLS_FAILED, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct certificate_case *c = &cases[i];
		struct script                  script = { .echo = true };
		struct support_certs *certs = support_certs_new(&(struct support_certs_plan){
		    .subject = host, .names = c->names, .issuer = c->own ? NULL : root });
		struct support_tls    tls = { .certs = certs,
			   .most_version = c->most_version,
			   .talk = talk,
			   .arg = &script };
		struct support_probe *run;

		print_message("%s\n", c->name);
		script.count = support_rntbd_bytes(SUPPORT_RNTBD_R1, script.reply);
		run = ask_server(support_tls_serve, &tls, LIMIT_MS);
		assert_int_equal(run->endpoint.tls, c->tls);
		assert_int_equal(run->endpoint.verify_code, c->code);
		if (c->tls == OUTCOME_OK) {
			assert_int_equal(run->replica.context, OUTCOME_OK);
		} else {
			assert_int_equal(run->replica.context, OUTCOME_NOT_RUN);
			expect_stage(run, "tls_failed", 7);
			assert_int_equal(script.heard_count, 0);
			assert_int_not_equal(run->endpoint.detail[0], '\0');
		}
		support_probe_free(run);
		support_certs_free(certs);
	}
}

/* What fails before TLS stands is the endpoint's to tell. */
static void
test_before_tls(void **state)
{
	static const struct plain_case {
		const char *name;
		void (*serve)(int fd, void *arg);
		const char  *arg;
		int64_t      limit_ms;
		enum outcome tls;
		const char  *stage;
		uint32_t     code;
	} cases[] = {
		{ "reset", support_peer_reset, NULL, LIMIT_MS, OUTCOME_RESET, "tls_failed", 7 },
		{ "silent", support_peer_silent, NULL, SHORT_MS, OUTCOME_TIMEOUT, "tls_timeout",
		    8 },
		{ "HTTP", support_peer_says, "HTTP/1.1 400 Bad Request\r\n", LIMIT_MS,
		    OUTCOME_NOT_TLS, "tls_failed", 7 },
		{ "closed", support_peer_says, "", LIMIT_MS, OUTCOME_CLOSED, "tls_failed", 7 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct plain_case *c = &cases[i];
		struct support_probe *run = ask_server(c->serve, (void *)c->arg, c->limit_ms);

		print_message("%s\n", c->name);
		assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
		assert_int_equal(run->endpoint.tls, c->tls);
		assert_int_not_equal(run->endpoint.detail[0], '\0');
		assert_int_equal(run->replica.context, OUTCOME_NOT_RUN);
		assert_string_equal(run->replica.detail, "");
		expect_stage(run, c->stage, c->code);
		support_probe_free(run);
	}
}

static void
test_before_tcp(void **state)
{
	struct support_peer  *peer = support_peer_start_full();
	struct addr           addr = support_peer_addr(peer);
	struct support_probe *run = ask_addr(addr, host, SHORT_MS);

	assert_int_equal(run->endpoint.tcp, OUTCOME_TIMEOUT);
	expect_stage(run, "connect_timeout", 6);
	support_probe_free(run);
	support_peer_stop(peer);

	/* Nobody has the port that was just given back. */
	run = ask_addr(addr, host, LIMIT_MS);
	assert_int_equal(run->endpoint.tcp, OUTCOME_REFUSED);
	assert_int_equal(run->endpoint.tls, OUTCOME_NOT_RUN);
	expect_stage(run, "connect_failed", 5);
	support_probe_free(run);
}

static bool
allow_none(void *arg, const struct addr *peer)
{
	++*(unsigned *)arg;
	return false;
}

/* Our own refusal is no stage of an SDK. */
static void
test_policy(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	unsigned             asked = 0;
	struct probe_options options = {
		.ca_file = ca_file, .allows = allow_none, .allows_arg = &asked
	};
	struct probe_ask      ask = { .kind = "rntbd",
		     .host = host,
		     .peer = support_peer_addr(peer),
		     .limit_ms = LIMIT_MS };
	struct support_probe *run = support_probe_run(&options, &ask);

	assert_int_equal(asked, 1);
	assert_int_equal(run->endpoint.tcp, OUTCOME_POLICY);
	assert_int_equal(run->replica.context, OUTCOME_NOT_RUN);
	expect_stage(run, "", 0);
	support_probe_free(run);
	support_peer_stop(peer);
}

/* Not even a connection is made for what cannot be asked. */
static void
test_refused_spec(void **state)
{
	struct support_peer  *peer = support_peer_start(support_peer_silent, NULL);
	struct support_probe *run = ask_addr(support_peer_addr(peer), "a host", LIMIT_MS);

	assert_int_equal(run->endpoint.tcp, OUTCOME_LOCAL);
	assert_string_equal(run->endpoint.local, "");
	expect_words(run->endpoint.detail, "character 2 of the host");
	assert_int_equal(run->replica.context, OUTCOME_NOT_RUN);
	expect_stage(run, "", 0);
	support_probe_free(run);
	support_peer_stop(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_talks),
		cmocka_unit_test(test_refusal_is_told),
		cmocka_unit_test(test_trailing),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_before_tls),
		cmocka_unit_test(test_before_tcp),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_refused_spec),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
