/* The probe's own kinds against the fake back end, as the lab sees them: each way to misbehave
 * has to look like what it is called.
 */
#include "base/file.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 5000, SHORT_MS = 1000 };

static const char host[] = "contoso-westeurope.documents.azure.com";

static char folder[] = "/tmp/test_fake_backend.XXXXXX";
static char root_path[64], cert_path[64], key_path[64], log_path[64];

static int
set_up(void **state)
{
	static const char *const names[] = { "*.documents.azure.com", NULL };
	struct support_certs    *root = support_certs_new(
	       &(struct support_certs_plan){ .subject = "root", .authority = true });
	struct support_certs *leaf = support_certs_new(
	    &(struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root });

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	support_certs_write(root, root_path, NULL);
	support_certs_write(leaf, cert_path, key_path);
	support_certs_free(leaf);
	support_certs_free(root);
	return 0;
}

static int
tear_down(void **state)
{
	unlink(root_path);
	unlink(cert_path);
	unlink(key_path);
	unlink(log_path);
	return rmdir(folder);
}

/* One probe of a back end that does what the option says; NULL: all is well. */
static struct support_probe *
probe(
    const char *kind, const char *option, const char *does, int64_t limit_ms, struct thin *thin)
{
	const char *const args[] = { strcmp(kind, "thin") == 0 ? "--thin" : "--rntbd",
		"127.0.0.1:0", "--cert", cert_path, "--key", key_path, "--log", log_path,
		does != NULL ? option : NULL, does, NULL };
	struct support_child      *child = support_child_start("fake_backend", args, 1);
	const struct probe_options options = { .ca_file = root_path };
	const struct probe_ask     ask = { .kind = kind,
		    .host = host,
		    .peer = support_child_addr(child, 0),
		    .limit_ms = limit_ms,
		    .thin = thin };
	struct support_probe      *run = support_probe_run(&options, &ask);

	support_child_stop(child);
	return run;
}

static const struct replica_case {
	const char  *does;
	enum outcome tls, context;
	uint32_t     status;
	int64_t      limit_ms;
} replica_cases[] = {
	{ NULL, OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "r2", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "r3", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "drip", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "trailing", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "410", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "delay-before-tls=50", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "delay-before-answer=50", OUTCOME_OK, OUTCOME_OK, 200, LIMIT_MS },
	{ "delay-before-tls=3000", OUTCOME_TIMEOUT, OUTCOME_NOT_RUN, 0, SHORT_MS },
	{ "delay-before-answer=3000", OUTCOME_OK, OUTCOME_TIMEOUT, 0, SHORT_MS },
	{ "silence", OUTCOME_OK, OUTCOME_TIMEOUT, 0, SHORT_MS },
	{ "silence-after-accept", OUTCOME_TIMEOUT, OUTCOME_NOT_RUN, 0, SHORT_MS },
	{ "refuse", OUTCOME_OK, OUTCOME_REFUSED_BY_PEER, 400, LIMIT_MS },
	{ "status=503", OUTCOME_OK, OUTCOME_REFUSED_BY_PEER, 503, LIMIT_MS },
	{ "wrong-echo", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "garbage", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "http", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "tls-in-tls", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "oversized", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "short", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "no-tokens", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "close-after-tls", OUTCOME_OK, OUTCOME_CLOSED, 0, LIMIT_MS },
	{ "close-after=30", OUTCOME_OK, OUTCOME_CLOSED, 0, LIMIT_MS },
	{ "reset-after-tls", OUTCOME_OK, OUTCOME_RESET, 0, LIMIT_MS },
	{ "reset", OUTCOME_RESET, OUTCOME_NOT_RUN, 0, LIMIT_MS },
	{ "old-tls", OUTCOME_TLS_FAILED, OUTCOME_NOT_RUN, 0, LIMIT_MS },
};

static void
test_replicas(void **state)
{
	for (size_t i = 0; i < sizeof(replica_cases) / sizeof(replica_cases[0]); i++) {
		const struct replica_case *c = &replica_cases[i];
		struct support_probe      *run = probe(
		         "rntbd", "--rntbd-does", c->does, c->limit_ms, NULL);

		print_message("%s\n", c->does != NULL ? c->does : "nothing wrong");
		assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
		assert_int_equal(run->endpoint.tls, c->tls);
		assert_int_equal(run->replica.context, c->context);
		assert_int_equal(run->replica.status, c->status);
		support_probe_free(run);
	}
}

static const struct thin_case {
	const char  *does;
	enum outcome outcome;
	uint32_t     status;
	int64_t      limit_ms;
} thin_cases[] = {
	{ NULL, OUTCOME_OK, 200, LIMIT_MS },
	{ "delay=50", OUTCOME_OK, 200, LIMIT_MS },
	{ "status=503", OUTCOME_HTTP_OTHER, 503, LIMIT_MS },
	{ "status=404", OUTCOME_HTTP_OTHER, 404, LIMIT_MS },
	{ "no-alpn", OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "http1", OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "garbage", OUTCOME_BROKE_PROTOCOL, 0, LIMIT_MS },
	{ "silence", OUTCOME_TIMEOUT, 0, SHORT_MS },
	{ "silence-after-request", OUTCOME_TIMEOUT, 0, SHORT_MS },
	{ "reset", OUTCOME_RESET, 0, LIMIT_MS },
	{ "close", OUTCOME_CLOSED, 0, LIMIT_MS },
	{ "goaway", OUTCOME_REFUSED_BY_PEER, 0, LIMIT_MS },
	{ "reset-stream", OUTCOME_REFUSED_BY_PEER, 0, LIMIT_MS },
};

static void
test_proxies(void **state)
{
	for (size_t i = 0; i < sizeof(thin_cases) / sizeof(thin_cases[0]); i++) {
		const struct thin_case *c = &thin_cases[i];
		struct thin             thin = { 0 };
		struct support_probe   *run = probe(
		      "thin", "--thin-does", c->does, c->limit_ms, &thin);

		print_message("%s\n", c->does != NULL ? c->does : "nothing wrong");
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_int_equal(thin.outcome, c->outcome);
		assert_int_equal(thin.status, c->status);
		support_probe_free(run);
	}
}

/* It tells what it was asked, so that a test of the lab can hold it against what was meant. */
static void
test_log(void **state)
{
	struct arena *arena = arena_new();
	struct thin   thin = { 0 };
	struct err    err;
	size_t        count;
	const char   *seen;

	unlink(log_path);
	support_probe_free(probe("rntbd", NULL, NULL, LIMIT_MS, NULL));
	support_probe_free(probe("thin", NULL, NULL, LIMIT_MS, &thin));
	seen = file_read(arena, log_path, 65536, &count, &err);
	if (seen == NULL)
		fail_msg("%s", err.text);
	assert_non_null(
	    strstr(seen, " sni=contoso-westeurope.documents.azure.com rntbd context length="));
	assert_non_null(strstr(seen, " version=1 client=2020-07-15 agent=\"plprobe/"));
	assert_non_null(strstr(seen, " ok\n"));
	assert_non_null(strstr(seen,
	    " thin POST /connectivity-probe "
	    "authority=contoso-westeurope.documents.azure.com:"));
	assert_non_null(strstr(seen, " operation=ConnectivityProbe answered 200\n"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replicas),
		cmocka_unit_test(test_proxies),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
