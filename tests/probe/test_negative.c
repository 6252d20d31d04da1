/* The negative test, in a network of its own: real name servers, a fake back end at public and at
 * private addresses. */
#include "probe/direct.h"
#include "probe/measure.h"
#include "probe/negative.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_signer.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define HEAD                                                            \
	"$TTL 300\n"                                                    \
	"@ SOA ns.one.example. host.one.example. 1 3600 300 86400 60\n" \
	"@ NS ns\nns A 127.0.0.1\n"

/* The sample key of the vendor's documentation, which the fake back end knows. */
#define KEY                                                                              \
	"dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/" \
	"t4bQtVNw=="

enum { CHILD_GOOD, CHILD_BAD, CHILD_NO_NAMESPACE };

static const char network[] = "ip link set lo up && ip address add 20.10.0.1/32 dev lo && "
                              "ip address add 10.1.0.4/32 dev lo";

struct fixture {
	struct loop           *loop;
	struct probes         *probes;
	struct arena          *arena;
	struct measure_ask     ask;
	struct target          target;
	struct measure_vantage vantage;
	struct addr            outside[NEGATIVE_RESOLVERS_MAX];
	struct measurement    *seen;
	unsigned               over;
};

static char *folder;
static char  root_path[128], cert_path[128], key_path[128];

static struct support_dns   *inside, *outside, *lying;
static struct support_child *closed, *open;

#define check(is) check_at(is, #is, __LINE__)

static void
check_at(bool is, const char *what, int line)
{
	if (is)
		return;
	fprintf(stderr, "line %d: not so: %s\n", line, what);
	_exit(CHILD_BAD);
}

static struct support_dns *
start_dns(const char *address)
{
	char                   *text = mem_printf(HEAD "contoso A %s\n", address);
	struct support_dns_zone zone = { "one.example", text };
	struct support_dns     *server = support_dns_nsd(&zone, 1);

	free(text);
	return server;
}

static struct support_child *
start_gateway(const char *address, const char *answer)
{
	char                 *listen = mem_printf("%s:443", address);
	const char *const     args[] = { "--gateway", listen, "--cert", cert_path, "--key",
		    key_path, "--answer", answer, NULL };
	struct support_child *child = support_child_start("fake_backend", args, 1);

	free(listen);
	return child;
}

static void
make_certificate(void)
{
	static const char *const  names[] = { "*.one.example", NULL };
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
address_of(const struct support_dns *server)
{
	struct addr addr;

	check(addr_parse(&addr, "127.0.0.1", support_dns_port(server), NULL));
	return addr;
}

static struct fixture *
start(struct probe_options options)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->loop = loop_new(&err);
	check(f->loop != NULL);
	options.loop = f->loop;
	options.clock = clock_system();
	options.ca_file = root_path;
	f->probes = probes_new(&options, &err);
	check(f->probes != NULL);
	f->arena = arena_new();
	f->vantage = (struct measure_vantage){ address_of(inside), SOURCE_CONFIGURED };
	f->outside[0] = address_of(outside);
	f->target = (struct target){
		.account = "contoso", .region = "", .host = "contoso.one.example", .port = 443
	};
	f->ask = (struct measure_ask){ .target = &f->target,
		.vantages = &f->vantage,
		.vantage_count = 1,
		.outside = f->outside,
		.outside_count = 1,
		.limit_ms = 3000,
		.arena = f->arena,
		.on_over = on_over,
		.arg = f };
	return f;
}

static const struct outside *
run(struct fixture *f)
{
	check(measure_start(f->probes, &f->ask) != NULL);
	loop_run(f->loop);
	check(f->over == 1);
	/* What is seen in here is as it is without a resolver outside. */
	check(f->seen->dns_count == 1 && f->seen->endpoints_count == 1);
	check(strcmp(f->seen->endpoints[0].address, "10.1.0.4") == 0);
	check(f->seen->endpoints[0].http == OUTCOME_OK);
	return f->seen->outside;
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
try_refused(void)
{
	struct fixture       *f = start((struct probe_options){ 0 });
	const struct outside *seen = run(f);

	check(seen != NULL && seen->dns_count == 1 && seen->endpoints_count == 1);
	check(seen->dns[0].source == SOURCE_OUTSIDE && seen->dns[0].outcome == OUTCOME_OK);
	check(strcmp(seen->endpoints[0].address, "20.10.0.1") == 0);
	check(seen->endpoints[0].tls == OUTCOME_OK && seen->endpoints[0].http_status == 403);
	check(seen->endpoints[0].path == PATH_PUBLIC_INTERNET);
	check(seen->feed == NULL && seen->detail == NULL);
	stop(f);
}

/* A resolver that answers with an address of this network, where somebody does listen. */
static void
try_never_inside(void)
{
	struct fixture       *f = start((struct probe_options){ 0 });
	const struct outside *seen;

	f->outside[0] = address_of(lying);
	seen = run(f);
	check(seen->dns[0].addresses_count == 1 && seen->endpoints_count == 0);
	f->outside[1] = address_of(outside);
	f->ask.outside_count = 2;
	f->over = 0;
	seen = run(f);
	check(seen->dns_count == 2 && seen->endpoints_count == 1);
	check(strcmp(seen->endpoints[0].address, "20.10.0.1") == 0);
	stop(f);
}

static void
try_one_address_once(void)
{
	struct fixture       *f = start((struct probe_options){ 0 });
	const struct outside *seen;

	f->outside[1] = f->outside[0];
	f->ask.outside_count = 2;
	seen = run(f);
	check(seen->dns_count == 2 && seen->endpoints_count == 1);
	stop(f);
}

/* Only what the documents configure, and only where a gateway is asked. */
static void
try_not_for_all(void)
{
	struct fixture *f = start((struct probe_options){ 0 });

	f->ask.outside_count = 0;
	check(run(f) == NULL);
	f->ask.outside_count = 1;
	f->over = 0;
	f->target.role = ROLE_SWEEP;
	check(run(f) == NULL);
	check(!negative_is_for(&(struct target){ .mode = MODE_DIRECT }));
	check(!negative_is_for(&(struct target){ .mode = MODE_GATEWAY_V2 }));
	stop(f);
}

static void
try_dns_only(void)
{
	struct fixture *f = start((struct probe_options){ 0 });

	f->target.dns_only = true;
	check(measure_start(f->probes, &f->ask) != NULL);
	loop_run(f->loop);
	check(f->seen->outside->dns[0].addresses_count == 1);
	check(f->seen->outside->endpoints_count == 0 && f->seen->outside->detail != NULL);
	stop(f);
}

static bool
allows_inside(void *arg, const struct addr *peer)
{
	return addr_class(peer) != ADDR_PUBLIC;
}

static void
try_policy(void)
{
	struct fixture       *f = start((struct probe_options){ .allows = allows_inside });
	const struct outside *seen = run(f);

	check(seen->endpoints_count == 1 && seen->endpoints[0].tcp == OUTCOME_POLICY);
	stop(f);
}

/* Silence there keeps nobody waiting for long, and is none of the name's own time. */
static void
try_silent(void)
{
	struct fixture       *f = start((struct probe_options){ 0 });
	int64_t               began_us = clock_mono_us(clock_system()), took_us;
	const struct outside *seen;

	check(system("nft -f - <<'EOF'\ntable ip t {\n chain c {\n  type filter hook output "
	             "priority 0\n  ip daddr 20.10.0.1 drop\n }\n}\nEOF\n") == 0);
	seen = run(f);
	took_us = clock_mono_us(clock_system()) - began_us;
	check(seen->endpoints_count == 1 && seen->endpoints[0].tcp == OUTCOME_TIMEOUT);
	check(seen->endpoints[0].http == OUTCOME_TIMEOUT);
	check(took_us >= 900 * US_PER_MS && took_us < 2500 * US_PER_MS);
	check(f->seen->took_us < 900 * US_PER_MS);
	check(!f->seen->agent_late);
	stop(f);
	check(system("nft delete table ip t") == 0);
}

static void
try_cancelled(void)
{
	struct fixture *f = start((struct probe_options){ 0 });
	struct measure *measure = measure_start(f->probes, &f->ask);

	check(measure != NULL);
	measure_cancel(measure);
	check(f->over == 0);
	stop(f);
}

/* Of one that waits its turn when the time is over. */
static void
try_given_up(void)
{
	struct fixture *f = start((struct probe_options){ .in_flight_max = 1 });

	f->outside[0] = address_of(outside);
	support_dns_pause(outside);
	support_dns_pause(inside);
	f->ask.limit_ms = 300;
	check(measure_start(f->probes, &f->ask) != NULL);
	loop_run(f->loop);
	support_dns_resume(inside);
	support_dns_resume(outside);
	check(f->over == 1 && f->seen->outside->dns[0].outcome != OUTCOME_NOT_RUN);
	check(f->seen->outside->endpoints_count == 0);
	stop(f);
}

/* A signature is only asked for where an unsigned request was not refused. */
static void
try_signed(bool is_open)
{
	struct fixture       *f = start((struct probe_options){ 0 });
	struct support_signer office;
	struct direct_means   means = { 0 };
	const struct outside *seen;

	support_signer_init(&office, f->loop, SUPPORT_SIGNS_KEY, KEY, NULL);
	means.signer = &office.signer;
	f->ask.means = &means;
	seen = run(f);
	if (is_open) {
		check(seen->endpoints[0].http == OUTCOME_OK);
		check(seen->feed != NULL && seen->feed->http_status != 0);
		check(strcmp(seen->feed->address, "20.10.0.1") == 0);
		check(office.asked == 2);
	} else {
		check(seen->endpoints[0].http_status == 403 && seen->feed == NULL);
		check(office.asked == 1); /* that of the gateway in here */
	}
	support_signer_fini(&office);
	stop(f);
}

static int
try_all(void)
{
	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return CHILD_NO_NAMESPACE;
	if (system(network) != 0 || system("nft list ruleset >/dev/null") != 0)
		return CHILD_NO_NAMESPACE;
	make_certificate();
	inside = start_dns("10.1.0.4");
	lying = start_dns("10.1.0.4");
	outside = start_dns("20.10.0.1");
	closed = start_gateway("20.10.0.1", "forbidden-public");
	open = start_gateway("10.1.0.4", "unauthorized");
	try_refused();
	try_never_inside();
	try_one_address_once();
	try_not_for_all();
	try_dns_only();
	try_policy();
	try_silent();
	try_cancelled();
	try_given_up();
	try_signed(false);
	support_child_stop(closed);
	closed = start_gateway("20.10.0.1", "account");
	try_signed(true);
	support_child_stop(closed);
	support_child_stop(open);
	support_dns_free(inside);
	support_dns_free(outside);
	support_dns_free(lying);
	support_dir_free(folder);
	return CHILD_GOOD;
}

static void
test_negative(void **state)
{
	int   how;
	pid_t child = fork();

	if (child == 0)
		_exit(try_all());
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how));
	if (WEXITSTATUS(how) == CHILD_NO_NAMESPACE) {
		print_message("no network namespace or nft here: skipped\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(how), CHILD_GOOD);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_negative),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
