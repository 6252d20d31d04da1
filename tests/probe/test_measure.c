/* The whole of a measurement against real name servers and gateways of our own. */
#include "probe/measure.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_etc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOA                                                                          \
	"$TTL 300\n@ IN SOA ns.example. host.example. 1 3600 600 86400 60\n@ IN NS " \
	"ns.example.\n"
#define A(name, n)         name " IN A 127.0.0." n "\n"
#define MANY(n)            "many IN A 127.0.1." n "\n"
#define FIVE(n)            MANY(n "1") MANY(n "2") MANY(n "3") MANY(n "4") MANY(n "5")
#define TWENTY(a, b, c, d) FIVE(a) FIVE(b) FIVE(c) FIVE(d)

/* Two views of the same zone. */
static const struct support_dns_zone left_zone = { "documents.azure.com",
	SOA A("one", "1") A("two", "1") "one-alias IN CNAME one\n" TWENTY("1", "2", "3", "4") };
static const struct support_dns_zone right_zone = { "documents.azure.com",
	SOA A("one", "1") A("two", "2") A("two", "1") TWENTY("5", "6", "7", "8") };

static struct support_dns *left, *right;
static char               *folder;
static char                root_path[256], cert_path[256], key_path[256];

struct fixture {
	struct loop           *loop;
	struct probes         *probes;
	struct arena          *arena;
	struct target          target;
	struct measure_vantage vantages[2];
	struct measure_ask     ask;
	struct measurement    *seen;
	unsigned               over;
};

static int
start_servers(void **state)
{
	static const char *const  names[] = { "*.documents.azure.com", NULL };
	struct support_certs_plan plan = { .subject = "root", .authority = true };
	struct support_certs     *root = support_certs_new(&plan), *leaf;

	folder = support_dir_new();
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	plan = (struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root };
	leaf = support_certs_new(&plan);
	support_certs_write(root, root_path, NULL);
	support_certs_write(leaf, cert_path, key_path);
	support_certs_free(leaf);
	support_certs_free(root);
	left = support_dns_nsd(&left_zone, 1);
	right = support_dns_nsd(&right_zone, 1);
	return 0;
}

static int
stop_servers(void **state)
{
	support_dns_free(left);
	support_dns_free(right);
	support_dir_free(folder);
	return 0;
}

/* On 127.0.0.1 and 127.0.0.2, at one port. */
static struct support_child *
start_gateway(const char *answer)
{
	unsigned          port = support_dns_free_port();
	char              first[32], second[32];
	const char *const args[] = { "--listen", first, "--listen", second, "--cert", cert_path,
		"--key", key_path, "--answer", answer, NULL };

	snprintf(first, sizeof(first), "127.0.0.1:%u", port);
	snprintf(second, sizeof(second), "127.0.0.2:%u", port);
	return support_child_start("fake_backend", args, 2);
}

static void
on_over(void *arg, struct measurement *seen)
{
	struct fixture *f = arg;

	f->over++;
	f->seen = seen;
	loop_stop(f->loop);
}

static struct addr
resolver_at(const struct support_dns *server)
{
	struct addr addr;

	assert_true(addr_parse(&addr, "127.0.0.1", support_dns_port(server), NULL));
	return addr;
}

static struct fixture *
start(const char *host, const struct support_child *gateway, struct probe_options options)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	options.loop = f->loop;
	options.clock = clock_system();
	options.ca_file = root_path;
	f->probes = probes_new(&options, &err);
	assert_non_null(f->probes);
	f->arena = arena_new();
	f->vantages[0] = (struct measure_vantage){ resolver_at(left), SOURCE_RESOLV_CONF };
	f->vantages[1] = (struct measure_vantage){ resolver_at(right), SOURCE_CONFIGURED };
	f->target = (struct target){ .account = "one",
		.region = "westeurope",
		.host = host,
		.port = gateway != NULL ? support_child_addr(gateway, 0).port : 1 };
	f->ask = (struct measure_ask){ .target = &f->target,
		.vantages = f->vantages,
		.vantage_count = 2,
		.limit_ms = 5000,
		.arena = f->arena,
		.on_over = on_over,
		.arg = f };
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

static struct measurement *
run(struct fixture *f)
{
	assert_non_null(measure_start(f->probes, &f->ask));
	assert_int_equal(f->over, 0);
	loop_run(f->loop);
	assert_int_equal(f->over, 1);
	return f->seen;
}

static const struct probe_options usual;

static void
test_all_well(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	char                  name[] = "one-alias.documents.azure.com";
	struct fixture       *f = start(name, gateway, usual);
	int64_t               before_ms = clock_wall_ms(clock_system());
	struct measurement   *seen = run(f);

	memset(name, 'x', sizeof(name) - 1); /* the measurement has its own copy */
	assert_string_equal(seen->target->host, "one-alias.documents.azure.com");
	assert_string_equal(seen->target->region, "westeurope");
	assert_int_equal(seen->dns_count, 2);
	assert_int_equal(seen->dns[0].outcome, OUTCOME_OK);
	assert_int_equal(seen->dns[0].hops_count, 1);
	assert_int_equal(seen->dns[1].outcome, OUTCOME_NXDOMAIN); /* its zone lacks the alias */
	assert_int_equal(seen->endpoints_count, 1);
	assert_string_equal(seen->endpoints[0].address, "127.0.0.1");
	assert_int_equal(seen->endpoints[0].port, support_child_addr(gateway, 0).port);
	assert_int_equal(seen->endpoints[0].tcp, OUTCOME_OK);
	assert_int_equal(seen->endpoints[0].tls, OUTCOME_OK);
	assert_int_equal(seen->endpoints[0].http, OUTCOME_OK);
	assert_true(seen->started_ms >= before_ms && seen->started_ms < before_ms + 5000);
	assert_true(seen->took_us >= seen->endpoints[0].http_total_us);
	assert_false(seen->agent_late);
	stop(f);
	support_child_stop(gateway);
}

static void
test_addresses_are_united(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("two.documents.azure.com", gateway, usual);
	struct measurement   *seen = run(f);

	assert_int_equal(seen->endpoints_count, 2);
	assert_string_not_equal(seen->endpoints[0].address, seen->endpoints[1].address);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(seen->endpoints[i].http, OUTCOME_OK);
	stop(f);
	support_child_stop(gateway);
}

static void
test_no_address(void **state)
{
	struct fixture     *f = start("none.documents.azure.com", NULL, usual);
	struct measurement *seen = run(f);

	assert_int_equal(seen->dns[0].outcome, OUTCOME_NXDOMAIN);
	assert_int_equal(seen->dns[1].outcome, OUTCOME_NXDOMAIN);
	assert_int_equal(seen->endpoints_count, 0);
	stop(f);
}

static void
test_dns_only(void **state)
{
	struct fixture     *f = start("one.documents.azure.com", NULL, usual);
	struct measurement *seen;

	f->target.dns_only = true;
	f->target.port = 0;
	seen = run(f);
	assert_int_equal(seen->dns[0].addresses_count, 1);
	assert_int_equal(seen->endpoints_count, 0);
	assert_int_equal(seen->target->port, 443);
	stop(f);
}

/* Every address of two resolvers with twenty each; nobody listens there. */
static void
test_most_addresses(void **state)
{
	struct fixture     *f = start("many.documents.azure.com", NULL, usual);
	struct measurement *seen = run(f);

	assert_int_equal(seen->dns[0].addresses_count, 20);
	assert_int_equal(seen->dns[1].addresses_count, 20);
	assert_int_equal(seen->endpoints_count, 32);
	assert_non_null(strstr(seen->detail, "more than 32 addresses"));
	for (size_t i = 0; i < 32; i++) {
		assert_int_equal(seen->endpoints[i].tcp, OUTCOME_REFUSED);
		assert_int_equal(seen->endpoints[i].http, OUTCOME_REFUSED);
	}
	stop(f);
}

/* The other resolver's answer is used at once; the silent one has half of the time. */
static void
test_silent_resolver(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("one.documents.azure.com", gateway, usual);
	struct measurement   *seen;

	support_dns_pause(right);
	f->ask.limit_ms = 2000;
	seen = run(f);
	support_dns_resume(right);
	assert_int_equal(seen->dns[0].outcome, OUTCOME_OK);
	assert_int_equal(seen->dns[1].outcome, OUTCOME_TIMEOUT);
	assert_int_equal(seen->endpoints_count, 1);
	assert_int_equal(seen->endpoints[0].http, OUTCOME_OK);
	assert_true(seen->took_us >= 1000000 && seen->took_us < 2000000);
	stop(f);
	support_child_stop(gateway);
}

static bool
refuse_the_second(void *arg, const struct addr *peer)
{
	return peer->bytes[3] != 2;
}

static void
test_policy(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("two.documents.azure.com", gateway,
	          (struct probe_options){ .allows = refuse_the_second });
	struct measurement   *seen = run(f);

	assert_int_equal(seen->endpoints_count, 2);
	for (size_t i = 0; i < 2; i++) {
		bool second = strcmp(seen->endpoints[i].address, "127.0.0.2") == 0;

		assert_int_equal(seen->endpoints[i].http, second ? OUTCOME_POLICY : OUTCOME_OK);
		assert_int_equal(seen->endpoints[i].tcp, second ? OUTCOME_POLICY : OUTCOME_OK);
	}
	stop(f);
	support_child_stop(gateway);
}

static void
test_silent_gateway(void **state)
{
	struct support_child *gateway = start_gateway("silence-after-accept");
	struct fixture       *f = start("one.documents.azure.com", gateway, usual);
	struct measurement   *seen;

	f->ask.limit_ms = 600;
	seen = run(f);
	assert_int_equal(seen->endpoints[0].tcp, OUTCOME_OK);
	assert_int_equal(seen->endpoints[0].tls, OUTCOME_TIMEOUT);
	assert_int_equal(seen->endpoints[0].http, OUTCOME_TIMEOUT);
	assert_true(seen->took_us >= 590000 && seen->took_us < 1200000);
	stop(f);
	support_child_stop(gateway);
}

/* One probe at a time: what never came to run says so, and the deadline holds. */
static void
test_crowded_line(void **state)
{
	struct support_child *gateway = start_gateway("silence-after-accept");
	struct fixture       *f = start(
	          "one.documents.azure.com", gateway, (struct probe_options){ .in_flight_max = 1 });
	struct measurement *seen;

	f->ask.limit_ms = 600;
	seen = run(f);
	assert_int_equal(seen->dns[0].outcome, OUTCOME_OK);
	assert_int_equal(seen->endpoints[0].tls, OUTCOME_TIMEOUT);
	assert_int_equal(seen->endpoints[0].http, OUTCOME_LOCAL);
	assert_non_null(strstr(seen->endpoints[0].http_detail, "turn"));
	assert_true(seen->took_us < 1200000);
	stop(f);
	support_child_stop(gateway);
}

static void
block(void *arg, unsigned what)
{
	usleep(700 * 1000);
}

static void
test_late_loop(void **state)
{
	struct support_child *gateway = start_gateway("silence-after-accept");
	struct fixture       *f = start("one.documents.azure.com", gateway, usual);
	struct loop_watch     blocker;
	struct measurement   *seen;

	loop_watch_init(&blocker, f->loop, block, NULL);
	loop_watch_set(&blocker, -1, 0, 200 * 1000);
	f->ask.limit_ms = 500;
	seen = run(f);
	loop_watch_fini(&blocker);
	assert_int_equal(seen->endpoints[0].http, OUTCOME_AGENT_LATE);
	assert_true(seen->agent_late);
	assert_true(seen->loop_lag_us > 500000);
	stop(f);
	support_child_stop(gateway);
}

static void
on_moment(void *arg, unsigned what)
{
	loop_stop(arg);
}

static void
test_cancel(void **state)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("two.documents.azure.com", gateway, usual);
	struct loop_watch     moment;

	loop_watch_init(&moment, f->loop, on_moment, f->loop);
	for (int64_t after_us = 0; after_us < 8000; after_us += 400) {
		struct measure *measure = measure_start(f->probes, &f->ask);

		f->over = 0;
		loop_watch_set(&moment, -1, 0, after_us);
		loop_run(f->loop);
		if (f->over == 0)
			measure_cancel(measure);
		loop_watch_set(&moment, -1, 0, 0);
		loop_run(f->loop);
	}
	measure_cancel(NULL);
	loop_watch_fini(&moment);
	f->over = 0;
	assert_int_equal(run(f)->endpoints_count, 2);
	stop(f);
	support_child_stop(gateway);
}

/* Who was asked, why, and what came, byte by byte; of a swept name the bytes are not kept. */
static void
test_evidence(void **state)
{
	for (int sweep = 0; sweep < 2; sweep++) {
		struct fixture     *f = start("one.documents.azure.com", NULL, usual);
		struct measurement *seen;
		char                resolver[ADDR_TEXT];

		f->target.dns_only = true;
		f->target.role = sweep ? ROLE_SWEEP : ROLE_CONFIGURED;
		f->ask.tcp_too = !sweep;
		seen = run(f);
		for (size_t i = 0; i < 2; i++) {
			addr_render_port(&f->vantages[i].resolver, resolver, sizeof(resolver));
			assert_string_equal(seen->dns[i].resolver, resolver);
			assert_int_equal(
			    seen->dns[i].tcp_outcome, sweep ? OUTCOME_NOT_RUN : OUTCOME_OK);
			assert_int_equal(strlen(seen->dns[i].raw) > 40, !sweep);
		}
		assert_int_equal(seen->dns[0].source, SOURCE_RESOLV_CONF);
		assert_int_equal(seen->dns[1].source, SOURCE_CONFIGURED);
		stop(f);
	}
}

/* Only the second server knows 127.0.0.2. */
static void
test_azure_beside_others_is_for_comparison(void **state)
{
	for (int alone = 0; alone < 2; alone++) {
		struct support_child *gateway = start_gateway("unauthorized");
		struct fixture       *f = start("two.documents.azure.com", gateway, usual);
		struct measurement   *seen;

		f->vantages[1].source = SOURCE_AZURE;
		if (alone) {
			f->ask.vantages = &f->vantages[1];
			f->ask.vantage_count = 1;
		}
		seen = run(f);
		assert_int_equal(seen->dns[!alone].source, SOURCE_AZURE);
		assert_int_equal(seen->dns[!alone].addresses_count, 2);
		assert_int_equal(seen->endpoints_count, alone ? 2 : 1);
		stop(f);
		support_child_stop(gateway);
	}
}

enum { CHILD_GOOD = 0, CHILD_NO_RIGHTS = 77 };

static void
check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	_exit(1);
}

/* Runs body in a process with a network and these files for itself, where the system asks
 * 127.0.0.1; the server that the measurement asks is `left`. */
static void
in_world(const char *hosts, void (*body)(void))
{
	struct support_etc etc = { .hosts = hosts,
		.resolv = "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n" };
	char              *files = support_dir_new();
	pid_t              child = fork();
	int                how;

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!support_etc_enter(&etc, files))
			_exit(CHILD_NO_RIGHTS);
		left = right = support_dns_nsd_at(5300, &left_zone, 1);
		body();
		support_dns_free(left);
		_exit(CHILD_GOOD);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	support_dir_free(files);
	assert_true(WIFEXITED(how));
	if (WEXITSTATUS(how) == CHILD_NO_RIGHTS) {
		print_message("no mounts and network of our own: skipped\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(how), CHILD_GOOD);
}

static struct measurement *
run_with_system(struct fixture *f)
{
	f->ask.vantage_count = 1;
	f->ask.system = true;
	return run(f);
}

static void
check_hosts_file(void)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("one.documents.azure.com", gateway, usual);
	struct measurement   *seen = run_with_system(f);
	const struct dns     *system = &seen->dns[1];
	unsigned              visited = 0;

	check(seen->dns_count == 2, "two views");
	check(seen->dns[0].source == SOURCE_RESOLV_CONF, "the server first");
	check(system->source == SOURCE_SYSTEM, "the system last");
	check(strcmp(system->resolver, "system") == 0, "its name");
	check(strcmp(seen->dns[0].addresses[0].address, "127.0.0.1") == 0, "by DNS");
	check(strcmp(system->addresses[0].address, "127.0.0.2") == 0, "by the system");
	check(strcmp(system->canonical, "vault.corp.example") == 0, "canonical");
	check(seen->endpoints_count == 2, "both are tried");
	for (size_t i = 0; i < seen->endpoints_count; i++)
		visited += seen->endpoints[i].http == OUTCOME_OK;
	check(visited == 2, "both alike");
	stop(f);
	support_child_stop(gateway);
}

static void
test_hosts_file(void **state)
{
	in_world("127.0.0.2 vault.corp.example one.documents.azure.com\n", check_hosts_file);
}

static void
check_same_address(void)
{
	struct support_child *gateway = start_gateway("unauthorized");
	struct fixture       *f = start("one.documents.azure.com", gateway, usual);
	struct measurement   *seen = run_with_system(f);

	check(seen->dns[1].outcome == OUTCOME_OK, "the system knows it");
	check(seen->endpoints_count == 1, "one address is tried once");
	stop(f);
	support_child_stop(gateway);
}

static void
test_same_address(void **state)
{
	in_world("127.0.0.1 one.documents.azure.com\n", check_same_address);
}

static int64_t connected_us;

static bool
note_connect(void *port, const struct addr *peer)
{
	if (peer->port == *(uint16_t *)port && connected_us == 0)
		connected_us = clock_mono_us(clock_system());
	return true;
}

static void
open_black_hole(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53) };
	int                fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0, "black hole");
}

/* Of the time the system may use three quarters, and nobody waits for it. */
static void
check_silent_system(void)
{
	struct support_child *gateway = start_gateway("unauthorized");
	uint16_t              port = support_child_addr(gateway, 0).port;
	struct fixture       *f = start("one.documents.azure.com", gateway,
	          (struct probe_options){
	              .allows = note_connect, .allows_arg = &port, .in_flight_max = 4 });
	struct measurement   *seen;
	int64_t               started_us = clock_mono_us(clock_system());

	open_black_hole();
	f->ask.limit_ms = 800;
	seen = run_with_system(f);
	check(connected_us > 0 && connected_us - started_us < 300 * US_PER_MS, "at once");
	check(seen->dns[1].outcome == OUTCOME_TIMEOUT, "silence");
	check(seen->took_us >= 600000 && seen->took_us < 800000, "time of the whole");
	check(seen->endpoints_count == 1, "the address that DNS gave");
	check(seen->endpoints[0].http == OUTCOME_OK, "is well");
	stop(f);
	support_child_stop(gateway);
}

static void
test_silent_system(void **state)
{
	in_world("", check_silent_system);
}

/* Where nothing follows, it may use all of it. */
static void
check_dns_only(void)
{
	struct fixture     *f = start("one.documents.azure.com", NULL, usual);
	struct measurement *seen;

	open_black_hole();
	f->ask.limit_ms = 800;
	f->target.dns_only = true;
	seen = run_with_system(f);
	check(seen->dns[1].outcome == OUTCOME_TIMEOUT, "silence");
	check(seen->took_us >= 800000 && seen->took_us < 1000000, "time of the whole");
	check(seen->endpoints_count == 0, "nothing is tried");
	stop(f);
}

static void
test_system_alone_in_dns_only(void **state)
{
	in_world("", check_dns_only);
}

/* Without any server, and cancelled while the system is silent. */
static void
check_system_alone(void)
{
	struct fixture     *f = start("known.documents.azure.com", NULL, usual);
	struct measurement *seen;
	struct measure     *measure;

	f->ask.vantage_count = 0;
	f->ask.system = true;
	seen = run(f);
	check(seen->dns_count == 1, "one view");
	check(seen->endpoints_count == 1, "one address");
	open_black_hole();
	f->target.host = "unknown.documents.azure.com";
	f->over = 0;
	measure = measure_start(f->probes, &f->ask);
	for (unsigned i = 0; i < 3; i++)
		loop_run_once(f->loop, true);
	measure_cancel(measure);
	check(f->over == 0, "no callback");
	stop(f);
}

static void
test_system_alone(void **state)
{
	in_world("127.0.0.1 known.documents.azure.com\n", check_system_alone);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_well),
		cmocka_unit_test(test_addresses_are_united),
		cmocka_unit_test(test_no_address),
		cmocka_unit_test(test_dns_only),
		cmocka_unit_test(test_most_addresses),
		cmocka_unit_test(test_silent_resolver),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_silent_gateway),
		cmocka_unit_test(test_crowded_line),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_azure_beside_others_is_for_comparison),
		cmocka_unit_test(test_hosts_file),
		cmocka_unit_test(test_same_address),
		cmocka_unit_test(test_silent_system),
		cmocka_unit_test(test_system_alone_in_dns_only),
		cmocka_unit_test(test_system_alone),
	};

	return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
