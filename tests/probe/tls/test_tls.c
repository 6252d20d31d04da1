#include "probe/probe.h"

#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char host[] = "contoso-westeurope.documents.azure.com";

/* One authority for all tests, written to a file as a configured ca_file is. */
static struct support_certs *root, *good;
static char                  ca_file[] = "/tmp/test_tls_ca_XXXXXX";

static const char *const good_names[] = { host, "contoso.documents.azure.com", NULL };

static int
set_up(void **state)
{
	int fd = mkstemp(ca_file);

	root = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Test Root", .authority = true });
	good = support_certs_new(&(struct support_certs_plan){
	    .subject = host, .names = good_names, .issuer = root });
	support_certs_write(root, ca_file, NULL);
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	support_certs_free(good);
	support_certs_free(root);
	return unlink(ca_file);
}

struct run {
	struct loop    *loop;
	struct arena   *arena;
	struct endpoint endpoint;
	unsigned        overs;
};

static void
count_over(void *arg)
{
	struct run *run = arg;

	run->overs++;
	loop_stop(run->loop);
}

/* One tls probe of the peer, to its end. */
static void
run_probe(struct run *run, struct addr peer, const char *name, int64_t limit_ms)
{
	struct probe_options options = { .clock = clock_system(), .ca_file = ca_file };
	struct probe_ask     ask = { .kind = "tls",
		    .host = name,
		    .peer = peer,
		    .limit_ms = limit_ms,
		    .endpoint = &run->endpoint,
		    .on_over = count_over,
		    .arg = run };
	struct probes       *probes;
	struct err           err;

	memset(run, 0, sizeof(*run));
	options.loop = run->loop = loop_new(&err);
	ask.arena = run->arena = arena_new();
	probes = probes_new(&options, &err);
	assert_non_null(probes);
	assert_non_null(probe_start(probes, &ask));
	loop_run(run->loop);
	assert_int_equal(run->overs, 1);
	probes_free(probes);
	loop_free(run->loop);
}

static void
test_good(void **state)
{
	struct support_tls   tls = { .certs = good };
	struct support_peer *peer = support_peer_start(support_tls_serve, &tls);
	struct run           run;

	run_probe(&run, support_peer_addr(peer), host, 5000);
	assert_int_equal(run.endpoint.tcp, OUTCOME_OK);
	assert_string_equal(run.endpoint.detail ? run.endpoint.detail : "", "");
	assert_int_equal(run.endpoint.tls, OUTCOME_OK);
	assert_int_equal(run.endpoint.verify_code, X509_V_OK);
	assert_string_equal(run.endpoint.tls_version, "TLSv1.3");
	assert_string_equal(run.endpoint.local, "127.0.0.1");
	assert_int_equal(run.endpoint.chain_length, 1);
	arena_free(run.arena);
	support_peer_stop(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
