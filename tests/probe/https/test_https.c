#include "probe/https/https.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char host[] = "contoso-westeurope.documents.azure.com";

/* Certificates: a root, a good leaf, and leaves that are not good. */
static char folder[] = "/tmp/test_https.XXXXXX";
static char root_path[64], cert_path[64], key_path[64], bad_cert_path[64], bad_key_path[64];

struct fixture {
	struct loop    *loop;
	struct probes  *probes;
	struct arena   *arena;
	struct endpoint endpoint;
	unsigned        over;
};

static void
write_leaf(struct support_certs_plan plan, const char *cert, const char *key)
{
	struct support_certs *leaf = support_certs_new(&plan);

	support_certs_write(leaf, cert, key);
	support_certs_free(leaf);
}

static int
make_folder(void **state)
{
	static const char *const        names[] = { "*.documents.azure.com", NULL };
	static const char *const        others[] = { "other.example", NULL };
	const struct support_certs_plan authority = { .subject = "root", .authority = true };
	struct support_certs           *root = support_certs_new(&authority);

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(bad_cert_path, sizeof(bad_cert_path), "%s/bad_cert.pem", folder);
	snprintf(bad_key_path, sizeof(bad_key_path), "%s/bad_key.pem", folder);
	support_certs_write(root, root_path, NULL);
	write_leaf(
	    (struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root },
	    cert_path, key_path);
	write_leaf(
	    (struct support_certs_plan){ .subject = "leaf", .names = others, .issuer = root },
	    bad_cert_path, bad_key_path);
	support_certs_free(root);
	return 0;
}

static int
remove_folder(void **state)
{
	unlink(root_path);
	unlink(cert_path);
	unlink(key_path);
	unlink(bad_cert_path);
	unlink(bad_key_path);
	return rmdir(folder);
}

static struct support_child *
start_gateway(const char *answer)
{
	const char *const args[] = { "--listen", "127.0.0.1:0", "--listen", "127.0.0.2:0",
		"--cert", cert_path, "--key", key_path, "--answer", answer, NULL };

	return support_child_start("fake_backend", args, 2);
}

static struct fixture *
start(const struct probe_options *wanted)
{
	struct fixture      *f = mem_alloc(sizeof(*f));
	struct probe_options options = *wanted;
	struct err           err;

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	options.loop = f->loop;
	options.clock = clock_system();
	if (options.ca_file == NULL)
		options.ca_file = root_path;
	f->probes = probes_new(&options, &err);
	if (f->probes == NULL)
		fail_msg("%s", err.text);
	f->arena = arena_new();
	return f;
}

static void
stop(struct fixture *f)
{
	probes_free(f->probes);
	loop_free(f->loop);
	arena_free(f->arena);
	free(f);
}

static void
on_over(void *arg)
{
	struct fixture *f = arg;

	f->over++;
	loop_stop(f->loop);
}

static struct probe *
ask_for(struct fixture *f, struct endpoint *endpoint, struct addr peer, int64_t limit_ms)
{
	const struct probe_ask ask = {
		.kind = "https",
		.host = host,
		.peer = peer,
		.limit_ms = limit_ms,
		.arena = f->arena,
		.endpoint = endpoint,
		.on_over = on_over,
		.arg = f,
	};

	return probe_start(f->probes, &ask);
}

static void
ask(struct fixture *f, struct addr peer, int64_t limit_ms)
{
	f->over = 0;
	f->endpoint = (struct endpoint){ 0 };
	assert_non_null(ask_for(f, &f->endpoint, peer, limit_ms));
	assert_int_equal(f->over, 0); /* never from inside probe_start() */
	loop_run(f->loop);
	assert_int_equal(f->over, 1);
}

static const struct probe_options usual;
static char                       detail[256]; /* of the last ask_server() */

static const struct answer_case {
	const char  *answer;
	enum outcome outcome;
	unsigned     status;
	const char  *detail; /* a part of it; NULL: there is none */
	int64_t      limit_ms;
} answer_cases[] = {
	{ "unauthorized", OUTCOME_OK, 401, NULL, 5000 },
	{ "unauthorized-elsewhere", OUTCOME_HTTP_OTHER, 401, "without the headers", 5000 },
	{ "local-auth-disabled", OUTCOME_HTTP_OTHER, 401, "but not the one about", 5000 },
	{ "forbidden-public", OUTCOME_HTTP_OTHER, 403, "from 127.0.0.1 through the pub", 5000 },
	{ "forbidden-service-endpoint", OUTCOME_HTTP_OTHER, 403, "service endpoint", 5000 },
	{ "forbidden-private-endpoint", OUTCOME_HTTP_OTHER, 403, "private endpoint", 5000 },
	{ "forbidden-blocked", OUTCOME_HTTP_OTHER, 403, "is blocked", 5000 },
	{ "throttled", OUTCOME_HTTP_OTHER, 429, "throttling", 5000 },
	{ "ok", OUTCOME_HTTP_OTHER, 200, "status 200 with a JSON body", 5000 },
	{ "html", OUTCOME_HTTP_OTHER, 200, "HTML", 5000 },
	{ "redirect", OUTCOME_HTTP_OTHER, 302, "https://login.example.net/portal", 5000 },
	{ "notfound", OUTCOME_HTTP_OTHER, 404, "404 without a body", 5000 },
	{ "unavailable", OUTCOME_HTTP_OTHER, 503, "HTML", 5000 },
	{ "proxy", OUTCOME_HTTP_OTHER, 407, "proxy", 5000 },
	{ "silence-after-accept", OUTCOME_TIMEOUT, 0, "handshake not finished", 300 },
	{ "silence-after-tls", OUTCOME_TIMEOUT, 0, "no answer to GET /", 300 },
	{ "drip", OUTCOME_TIMEOUT, 401, "answer begun, not finished", 500 },
	{ "reset", OUTCOME_RESET, 0, "reset", 5000 },
	{ "reset-after-request", OUTCOME_RESET, 0, "reset", 5000 },
	{ "close", OUTCOME_CLOSED, 0, "closed the connection during the handshake", 5000 },
	{ "close-after-request", OUTCOME_CLOSED, 0, "without an answer", 5000 },
	{ "half", OUTCOME_CLOSED, 401, "within its answer", 5000 },
	{ "plain-http", OUTCOME_NOT_TLS, 0, "", 5000 },
	{ "banner", OUTCOME_NOT_TLS, 0, "", 5000 },
	{ "garbage", OUTCOME_BROKE_PROTOCOL, 0, "", 5000 },
	{ "bad-chunk", OUTCOME_BROKE_PROTOCOL, 401, "chunk", 5000 },
	{ "endless-headers", OUTCOME_TOO_LARGE, 401, "head", 5000 },
	{ "endless-interim", OUTCOME_TOO_LARGE, 102, "head", 5000 },
	{ "endless-line", OUTCOME_TOO_LARGE, 401, "", 5000 },
	{ "endless-body", OUTCOME_TOO_LARGE, 401, "body", 5000 },
	{ "want-certificate", OUTCOME_TLS_FAILED, 0, "certificate required", 5000 },
};

static void
check_answer(struct fixture *f, const struct answer_case *c)
{
	struct support_child  *gateway = start_gateway(c->answer);
	const struct endpoint *e = &f->endpoint;

	ask(f, support_child_addr(gateway, 0), c->limit_ms);
	support_child_stop(gateway);
	if (e->http != c->outcome || e->http_status != c->status)
		fail_msg("%s: %s, status %u: %s", c->answer, outcome_name(e->http),
		    e->http_status, e->http_detail != NULL ? e->http_detail : "");
	if (c->detail == NULL)
		assert_null(e->http_detail);
	else if (e->http_detail == NULL || strstr(e->http_detail, c->detail) == NULL)
		fail_msg("%s: detail \"%s\"", c->answer, e->http_detail);
	assert_true(e->http_total_us > 0);
	assert_true(e->http_connect_us > 0);
}

static void
test_answers(void **state)
{
	struct fixture *f = start(&usual);

	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++)
		check_answer(f, &answer_cases[i]);
	stop(f);
}

/* Two addresses with one name at the same time: each answer comes from its own. */
static void
test_each_address_is_its_own(void **state)
{
	const char *const args[] = { "--listen", "127.0.0.1:0", "--cert", cert_path, "--key",
		key_path, "--answer", "forbidden-service-endpoint", NULL };
	struct support_child *other = support_child_start("fake_backend", args, 1);
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start(&usual);
	struct endpoint       e[6] = { 0 };

	for (unsigned i = 0; i < 6; i++)
		ask_for(f, &e[i],
		    i % 2 == 0 ? support_child_addr(other, 0)
		               : support_child_addr(gateway, i == 1),
		    5000);
	while (f->over < 6)
		loop_run(f->loop);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(e[i].http_status, i % 2 == 0 ? 403 : 401);
	stop(f);
	support_child_stop(other);
	support_child_stop(gateway);
}

static void
test_fields_of_a_healthy_answer(void **state)
{
	struct support_child  *gateway = start_gateway("unauthorized");
	struct fixture        *f = start(&usual);
	const struct endpoint *e = &f->endpoint;

	ask(f, support_child_addr(gateway, 0), 5000);
	assert_string_equal(e->server, "Microsoft-HTTPAPI/2.0");
	assert_string_equal(e->gateway_version, "version=2.14.0");
	assert_int_equal(strlen(e->activity_id), 36);
	assert_string_equal(e->error_code, "Unauthorized");
	assert_non_null(strstr(e->error_text, "Required Header authorization is missing"));
	assert_string_equal(e->content_type, "application/json");
	assert_true(e->http_tls_us > 0 && e->http_wait_us > 0);
	assert_true(e->http_connect_us + e->http_tls_us + e->http_wait_us <= e->http_total_us);
	/* What is another kind's is left alone. */
	assert_null(e->detail);
	assert_int_equal(e->tcp, OUTCOME_NOT_RUN);
	assert_int_equal(e->tls, OUTCOME_NOT_RUN);
	stop(f);
	support_child_stop(gateway);
}

static void
test_forbidden_names_the_client(void **state)
{
	struct support_child *gateway = start_gateway("forbidden-public=198.51.100.23");
	struct fixture       *f = start(&usual);

	ask(f, support_child_addr(gateway, 0), 5000);
	assert_int_equal(f->endpoint.path, PATH_PUBLIC_INTERNET);
	assert_string_equal(f->endpoint.seen_as, "198.51.100.23");
	stop(f);
	support_child_stop(gateway);
}

static void
ask_server(const char *cert, const char *key, const char *ca_file, struct endpoint *seen)
{
	const char *const args[] = { "--listen", "127.0.0.1:0", "--cert", cert, "--key", key,
		NULL };
	struct support_child      *gateway = support_child_start("fake_backend", args, 1);
	const struct probe_options options = { .ca_file = ca_file };
	struct fixture            *f = start(&options);

	ask(f, support_child_addr(gateway, 0), 5000);
	*seen = f->endpoint;
	snprintf(detail, sizeof(detail), "%s", seen->http_detail);
	stop(f);
	support_child_stop(gateway);
}

static void
test_certificates_are_verified(void **state)
{
	struct endpoint e;

	ask_server(bad_cert_path, bad_key_path, NULL, &e);
	assert_int_equal(e.http, OUTCOME_TLS_REJECTED);
	assert_non_null(strstr(detail, host));
	ask_server(cert_path, key_path, bad_cert_path, &e); /* other roots than its own */
	assert_int_equal(e.http, OUTCOME_TLS_REJECTED);
	assert_non_null(strstr(detail, "issuer"));
	assert_int_equal(e.http_tls_us, 0);
	assert_true(e.http_connect_us > 0);
}

static void
test_refused(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct addr           peer = support_child_addr(gateway, 0);
	struct fixture       *f = start(&usual);

	support_child_stop(gateway);
	ask(f, peer, 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_REFUSED);
	assert_int_equal(f->endpoint.http_connect_us, 0);
	stop(f);
}

static bool
allow_the_first(void *arg, const struct addr *peer)
{
	return peer->bytes[3] == 1;
}

static void
test_policy_is_asked_of_the_address(void **state)
{
	struct support_child      *gateway = start_gateway("unauthorized");
	const struct probe_options options = { .allows = allow_the_first };
	struct fixture            *f = start(&options);

	ask(f, support_child_addr(gateway, 0), 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_OK);
	ask(f, support_child_addr(gateway, 1), 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_POLICY);
	assert_int_equal(f->endpoint.http_status, 0);
	stop(f);
	support_child_stop(gateway);
}

static void
check_source(const char *source, struct addr peer, enum outcome wanted, const char *word)
{
	struct probe_options options = { 0 };
	struct fixture      *f;

	assert_true(addr_parse(&options.source, source, 0, NULL));
	f = start(&options);
	ask(f, peer, 5000);
	assert_int_equal(f->endpoint.http, wanted);
	if (wanted == OUTCOME_HTTP_OTHER)
		assert_string_equal(f->endpoint.seen_as, word);
	else
		assert_non_null(strstr(f->endpoint.http_detail, word));
	stop(f);
}

static void
test_source_address(void **state)
{
	struct support_child *gateway = start_gateway("forbidden-public");
	struct addr           peer = support_child_addr(gateway, 0);

	check_source("127.0.0.77", peer, OUTCOME_HTTP_OTHER, "127.0.0.77");
	check_source("192.0.2.1", peer, OUTCOME_LOCAL, "192.0.2.1"); /* not ours [rfc5737] */
	check_source("::1", peer, OUTCOME_LOCAL, "other family");
	support_child_stop(gateway);
}

/* The environment must not lead a probe elsewhere. */
static void
test_environment_does_not_count(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f;

	setenv("https_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
	setenv("NO_PROXY", "", 1);
	setenv("SSL_CERT_FILE", "/nonexistent", 1);
	f = start(&usual);
	ask(f, support_child_addr(gateway, 0), 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_OK);
	stop(f);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	unsetenv("NO_PROXY");
	unsetenv("SSL_CERT_FILE");
	support_child_stop(gateway);
}

static bool
allow_other_ports(void *refused, const struct addr *peer)
{
	return peer->port != *(const uint16_t *)refused;
}

/* A proxy that lets nobody through answers in the gateway's place, and the record says who. */
static void
test_proxy(void **state)
{
	static char refusal[] = "HTTP/1.1 407 Proxy Authentication Required\r\n"
	                        "Content-Length: 0\r\n\r\n";

	struct support_peer *proxy = support_peer_start(support_peer_says, refusal);
	struct addr          at = support_peer_addr(proxy), peer = { 0 };
	char                 text[ADDR_TEXT + 16], host_port[ADDR_TEXT];
	struct probe_options options = { .proxy = text, .allows_arg = &at.port };
	struct fixture      *f;

	addr_render_port(&at, host_port, sizeof(host_port));
	snprintf(text, sizeof(text), "http://%s", host_port);
	assert_true(addr_parse(&peer, "127.0.0.1:443", 0, NULL));
	f = start(&options);
	ask(f, peer, 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_HTTP_OTHER);
	assert_int_equal(f->endpoint.http_status, 407);
	assert_string_equal(f->endpoint.proxy, host_port);
	assert_non_null(strstr(f->endpoint.http_detail, "the proxy refuses the way"));
	stop(f);
	options.allows = allow_other_ports;
	f = start(&options);
	ask(f, peer, 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_POLICY);
	stop(f);
	support_peer_stop(proxy);
}

static void
test_proxy_that_is_none(void **state)
{
	struct err                 err = { 0 };
	struct loop               *loop = loop_new(&err);
	const struct probe_options options = { .loop = loop,
		.clock = clock_system(),
		.ca_file = root_path,
		.proxy = "socks5://127.0.0.1:1080" };

	assert_null(probes_new(&options, &err));
	assert_non_null(strstr(err.text, "http://host:port"));
	loop_free(loop);
}

static void
test_host_that_is_none(void **state)
{
	struct fixture  *f = start(&usual);
	struct probe_ask question = { .kind = "https",
		.host = "a/../b",
		.limit_ms = 1000,
		.arena = f->arena,
		.endpoint = &f->endpoint,
		.on_over = on_over,
		.arg = f };

	assert_true(addr_parse(&question.peer, "127.0.0.1:9", 9, NULL));
	probe_start(f->probes, &question);
	loop_run(f->loop);
	assert_int_equal(f->over, 1);
	assert_int_equal(f->endpoint.http, OUTCOME_LOCAL);
	assert_non_null(strstr(f->endpoint.http_detail, "character 2"));
	probe_cancel(probe_start(f->probes, &question));
	loop_run_once(f->loop, false);
	assert_int_equal(f->over, 1);
	stop(f);
}

static void
on_moment(void *arg, unsigned what)
{
	loop_stop(arg);
}

/* At any moment of its life; what is left goes with the probes. */
static void
test_cancel(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start(&usual);
	struct loop_watch     moment;

	loop_watch_init(&moment, f->loop, on_moment, f->loop);
	for (int64_t after_us = 0; after_us < 6000; after_us += 250) {
		struct probe *probe = ask_for(
		    f, &f->endpoint, support_child_addr(gateway, 0), 5000);

		f->over = 0;
		loop_watch_set(&moment, -1, 0, after_us);
		loop_run(f->loop);
		if (f->over == 0)
			probe_cancel(probe);
		loop_watch_set(&moment, -1, 0, 0);
		loop_run(f->loop);
	}
	ask(f, support_child_addr(gateway, 0), 5000);
	assert_int_equal(f->endpoint.http, OUTCOME_OK);
	for (unsigned i = 0; i < 3; i++)
		ask_for(f, &f->endpoint, support_child_addr(gateway, 0), 5000);
	loop_run_once(f->loop, true);
	loop_watch_fini(&moment);
	stop(f);
	support_child_stop(gateway);
}

static void
block(void *arg, unsigned what)
{
	usleep(450 * 1000);
}

/* The loop stands still over the deadline while the peer has not answered: nobody knows. */
static void
test_late_loop(void **state)
{
	struct support_child *gateway = start_gateway("silence-after-tls");
	struct fixture       *f = start(&usual);
	struct loop_watch     blocker;

	loop_watch_init(&blocker, f->loop, block, NULL);
	loop_watch_set(&blocker, -1, 0, 100 * 1000);
	ask(f, support_child_addr(gateway, 0), 300);
	loop_watch_fini(&blocker);
	assert_int_equal(f->endpoint.http, OUTCOME_AGENT_LATE);
	stop(f);
	support_child_stop(gateway);
}

/* Descriptors of requests that are over are closed, and handles are used again. */
static void
test_nothing_is_left_open(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start(&usual);
	int                   before, after;

	ask(f, support_child_addr(gateway, 0), 5000);
	before = dup(0);
	close(before);
	for (unsigned i = 0; i < 50; i++)
		ask(f, support_child_addr(gateway, i % 2), 5000);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
	stop(f);
	support_child_stop(gateway);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_each_address_is_its_own),
		cmocka_unit_test(test_fields_of_a_healthy_answer),
		cmocka_unit_test(test_forbidden_names_the_client),
		cmocka_unit_test(test_certificates_are_verified),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_policy_is_asked_of_the_address),
		cmocka_unit_test(test_source_address),
		cmocka_unit_test(test_environment_does_not_count),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_proxy_that_is_none),
		cmocka_unit_test(test_host_that_is_none),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_nothing_is_left_open),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
