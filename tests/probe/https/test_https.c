#include "probe/https/https.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"

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

	return support_child_start("fake_gateway", args, 2);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
