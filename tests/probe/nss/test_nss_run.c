/* The way of an application, with files and name servers of our own: each case in a process with
 * its own mounts and network, which needs root. */
#include "probe/nss/nss_thread.h"
#include "probe/probe.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_etc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
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
#define AT_HOME   "nameserver 127.0.0.1\n"
#define IMPATIENT "options timeout:1 attempts:1\n"

/* An application asks without a dot at the end; ndots may turn the order round. */
static const struct support_dns_zone zones[] = {
	{ "documents.azure.com",
	    SOA "contoso IN CNAME contoso.privatelink\n"
	        "contoso.privatelink IN A 10.0.0.4\n"
	        "both IN A 10.0.0.5\nboth IN AAAA fd00::5\n"
	        "six IN AAAA fd00::6\n"
	        "text IN TXT \"no address\"\n" },
	{ "corp.example",
	    SOA "contoso.documents.azure.com IN A 10.66.0.1\n"
	        "gone.documents.azure.com IN A 10.66.0.2\n" },
	{ "broken.example", NULL },
};

enum { CHILD_GOOD = 0, CHILD_NO_RIGHTS = 77, LIMIT_MS = 4000 };

/* One name under way. */
struct trial {
	struct dns    dns;
	struct probe *probe; /* NULL: over */
};

struct world {
	struct loop   *loop;
	struct arena  *arena;
	struct probes *probes;
};

static void
on_over(void *arg)
{
	((struct trial *)arg)->probe = NULL;
}

static void
check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "not so: %s\n", what);
	_exit(1);
}

static void
open_world(struct world *world)
{
	struct err err;

	world->loop = loop_new(&err);
	world->arena = arena_new();
	world->probes = probes_new(
	    &(struct probe_options){ .loop = world->loop, .clock = clock_system() }, &err);
	check(world->probes != NULL, "probes");
}

static void
close_world(struct world *world)
{
	probes_free(world->probes);
	loop_free(world->loop);
	arena_free(world->arena);
}

static void
start(struct world *world, struct trial *trial, const char *host, int64_t limit_ms)
{
	trial->dns = (struct dns){ .source = SOURCE_SYSTEM };
	trial->probe = probe_start(world->probes,
	    &(struct probe_ask){ .kind = "nss",
	        .host = host,
	        .limit_ms = limit_ms,
	        .arena = world->arena,
	        .dns = &trial->dns,
	        .on_over = on_over,
	        .arg = trial });
}

static void
wait_for(struct world *world, const struct trial *trial)
{
	while (trial->probe != NULL)
		loop_run_once(world->loop, true);
}

static void
say(const char *host, const struct dns *dns)
{
	fprintf(stderr, "%s: %s/%s, canonical '%s', %zu addresses from %s, %u us, %s\n", host,
	    outcome_name(dns->outcome), outcome_name(dns->aaaa_outcome),
	    dns->canonical != NULL ? dns->canonical : "", dns->addresses_count,
	    dns->addresses_count > 0 ? dns->addresses[0].address : "", dns->took_us,
	    dns->detail);
}

static void
pass(void *arg, unsigned what)
{
	*(bool *)arg = true;
}

/* Lets the loop run for so long. */
static void
run_for(struct world *world, int64_t ms)
{
	struct loop_watch watch;
	bool              over = false;

	loop_watch_init(&watch, world->loop, pass, &over);
	loop_watch_set(&watch, -1, 0, ms * US_PER_MS);
	while (!over)
		loop_run_once(world->loop, true);
	loop_watch_fini(&watch);
}

/* Runs body in a process with these files; what it ends with must be CHILD_GOOD. */
static void
in_world(const struct support_etc *etc, void (*body)(void))
{
	char *folder = support_dir_new();
	pid_t child = fork();
	int   how;

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!support_etc_enter(etc, folder))
			_exit(CHILD_NO_RIGHTS);
		body();
		_exit(CHILD_GOOD);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	support_dir_free(folder);
	assert_true(WIFEXITED(how));
	if (WEXITSTATUS(how) == CHILD_NO_RIGHTS) {
		print_message("no mounts and network of our own: skipped\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(how), CHILD_GOOD);
}

/* What the system says of a name, with these files and the zones above. */
static const struct name_case {
	const char *name, *hosts, *resolv, *host;
	const char *outcome, *aaaa_outcome, *address, *canonical;
} names[] = {
	{ "by DNS, through an alias", "", AT_HOME, "contoso.documents.azure.com", "ok",
	    "nodata", "10.0.0.4", "contoso.privatelink.documents.azure.com" },
	{ "the last dot is not an application's", "", AT_HOME, "contoso.documents.azure.com.",
	    "ok", "nodata", "10.0.0.4", "contoso.privatelink.documents.azure.com" },
	{ "both families", "", AT_HOME, "both.documents.azure.com", "ok", "ok", "10.0.0.5",
	    "" },
	{ "IPv6 alone", "", AT_HOME, "six.documents.azure.com", "nodata", "ok", "fd00::6", "" },
	{ "no address", "", AT_HOME, "text.documents.azure.com", "nodata", "nodata", NULL, "" },
	{ "no such name", "", AT_HOME, "gone.documents.azure.com", "nxdomain", "nxdomain", NULL,
	    "" },
	{ "a failure", "", AT_HOME, "a.broken.example", "servfail", "servfail", NULL, "" },
	{ "/etc/hosts before DNS", "10.9.9.9 contoso.documents.azure.com\n", AT_HOME,
	    "contoso.documents.azure.com", "ok", "nodata", "10.9.9.9", "" },
	{ "/etc/hosts with another first name", "10.9.9.9 vault contoso.documents.azure.com\n",
	    AT_HOME, "contoso.documents.azure.com", "ok", "nodata", "10.9.9.9", "vault" },
	{ "a search domain after the name itself", "", AT_HOME "search corp.example\n",
	    "gone.documents.azure.com", "ok", "nodata", "10.66.0.2",
	    "gone.documents.azure.com.corp.example" },
	{ "a search domain that is not needed", "", AT_HOME "search corp.example\n",
	    "contoso.documents.azure.com", "ok", "nodata", "10.0.0.4",
	    "contoso.privatelink.documents.azure.com" },
	{ "a search domain before the name itself", "",
	    AT_HOME "search corp.example\noptions ndots:5\n", "contoso.documents.azure.com",
	    "ok", "nodata", "10.66.0.1", "contoso.documents.azure.com.corp.example" },
	{ "a dot at the end does not help against it", "",
	    AT_HOME "search corp.example\noptions ndots:5\n", "contoso.documents.azure.com.",
	    "ok", "nodata", "10.66.0.1", "contoso.documents.azure.com.corp.example" },
};

static const struct name_case *now;

static void
look_up_now(void)
{
	struct support_dns *nsd = support_dns_nsd_at(
	    53, zones, sizeof(zones) / sizeof(zones[0]));
	struct world world;
	struct trial trial;

	open_world(&world);
	start(&world, &trial, now->host, LIMIT_MS);
	check(trial.probe != NULL, "not over before it began");
	wait_for(&world, &trial);
	say(now->name, &trial.dns);
	check(strcmp(outcome_name(trial.dns.outcome), now->outcome) == 0, "outcome");
	check(strcmp(outcome_name(trial.dns.aaaa_outcome), now->aaaa_outcome) == 0, "AAAA");
	check(trial.dns.source == SOURCE_SYSTEM, "source");
	check(strcmp(trial.dns.resolver, "system") == 0, "resolver");
	check((trial.dns.addresses_count > 0) == (now->address != NULL), "any address");
	check(now->address == NULL || strcmp(trial.dns.addresses[0].address, now->address) == 0,
	    "address");
	check(strcmp(trial.dns.canonical, now->canonical) == 0, "canonical");
	check(trial.dns.took_us > 0 && trial.dns.took_us < LIMIT_MS * 1000, "time");
	close_world(&world);
	support_dns_free(nsd);
}

static void
test_names(void **state)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		now = &names[i];
		in_world(&(struct support_etc){ .hosts = now->hosts, .resolv = now->resolv },
		    look_up_now);
	}
}

/* nsswitch.conf decides: without "files" the hosts file does not count. */
static void
check_without_files(void)
{
	struct world world;
	struct trial trial;

	open_world(&world);
	start(&world, &trial, "contoso.documents.azure.com", LIMIT_MS);
	wait_for(&world, &trial);
	say("without files", &trial.dns);
	check(trial.dns.addresses_count == 0, "no address");
	check(trial.dns.outcome == OUTCOME_SERVFAIL, "nobody answers at 127.0.0.1");
	close_world(&world);
}

static void
test_nsswitch(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.9.9.9 contoso.documents.azure.com\n",
	             .resolv = AT_HOME,
	             .nsswitch = "hosts: dns\n" },
	    check_without_files);
}

/* A socket that swallows every question. */
static void
open_black_hole(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(53) };
	int                fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0, "black hole");
}

/* The first names hang for a second; the second waits behind them; the third comes when it is over,
 * and what the first brought is nobody's. */
static void
check_silence(void)
{
	struct world world;
	struct trial first, others[NSS_THREADS_MAX - 1], second, third;
	int64_t      started_us = clock_mono_us(clock_system());

	open_black_hole();
	open_world(&world);
	start(&world, &first, "a.silent.example", 300);
	for (size_t i = 0; i < NSS_THREADS_MAX - 1; i++)
		start(&world, &others[i], "b.silent.example", 300);
	start(&world, &second, "home.example", 300);
	wait_for(&world, &first);
	wait_for(&world, &second);
	say("first", &first.dns);
	say("second", &second.dns);
	check(clock_mono_us(clock_system()) - started_us < 600 * US_PER_MS, "in time");
	check(first.dns.outcome == OUTCOME_TIMEOUT, "the first timed out");
	check(strstr(first.dns.detail, "no answer within 300 ms") != NULL, "detail");
	check(second.dns.outcome == OUTCOME_LOCAL, "the second was not asked");
	check(strstr(second.dns.detail, "not asked") != NULL, "detail of the second");
	start(&world, &third, "home.example", LIMIT_MS);
	wait_for(&world, &third);
	say("third", &third.dns);
	check(third.dns.outcome == OUTCOME_OK, "the third was answered");
	check(third.dns.took_us < 500000, "by itself it was fast");
	run_for(&world, 300);
	check(first.dns.outcome == OUTCOME_TIMEOUT, "the first stays as it was");
	close_world(&world);
}

static void
test_silence(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.1.1.1 home.example\n",
	             .resolv = AT_HOME IMPATIENT },
	    check_silence);
}

/* Every thread hangs on a name of its own. */
static void
hang_all(struct world *world, struct trial *busy)
{
	for (size_t i = 0; i < NSS_THREADS_MAX; i++) {
		start(world, &busy[i], "a.silent.example", LIMIT_MS);
		run_for(world, 20);
	}
}

/* Cancelled in line, while it runs, and when its answer waits in the mailbox; then probes are
 * freed while a lookup hangs, and others are made. */
static void
check_cancel(void)
{
	struct world world;
	struct trial busy[NSS_THREADS_MAX], waiting, last, answered, after;

	open_black_hole();
	open_world(&world);
	start(&world, &answered, "home.example", LIMIT_MS);
	loop_run_once(world.loop, true); /* starts it */
	usleep(200000);
	probe_cancel(answered.probe);
	hang_all(&world, busy);
	start(&world, &waiting, "home.example", LIMIT_MS);
	start(&world, &last, "b.silent.example", LIMIT_MS);
	run_for(&world, 20);
	check(waiting.probe != NULL && last.probe != NULL, "both are in line");
	probe_cancel(last.probe);
	start(&world, &after, "home.example", LIMIT_MS);
	wait_for(&world, &waiting);
	wait_for(&world, &after);
	check(after.dns.outcome == OUTCOME_OK, "who came in place of the last");
	for (size_t i = 0; i < NSS_THREADS_MAX; i++)
		wait_for(&world, &busy[i]);
	hang_all(&world, busy);
	start(&world, &waiting, "b.silent.example", LIMIT_MS);
	run_for(&world, 20);
	probe_cancel(waiting.probe);
	for (size_t i = 0; i < NSS_THREADS_MAX; i++)
		probe_cancel(busy[i].probe);
	start(&world, &after, "c.silent.example", LIMIT_MS);
	run_for(&world, 50);
	close_world(&world); /* with one in line */
	open_world(&world);
	start(&world, &after, "home.example", LIMIT_MS);
	wait_for(&world, &after);
	say("after", &after.dns);
	check(after.dns.outcome == OUTCOME_OK, "the next probes get their answer");
	close_world(&world);
}

static void
test_cancel(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.1.1.1 home.example\n",
	             .resolv = AT_HOME IMPATIENT },
	    check_cancel);
}

/* An answer that ends other runs from its callback, whose own are in the mailbox.  Which comes
 * first is the threads' matter. */
struct killer {
	struct trial   trial;
	struct killer *all;
};

enum { KILLERS = 3 };

static void
on_killer_over(void *arg)
{
	struct killer *killer = arg;

	killer->trial.probe = NULL;
	for (unsigned i = 0; i < KILLERS; i++) {
		probe_cancel(killer->all[i].trial.probe);
		killer->all[i].trial.probe = NULL;
	}
}

static void
check_killer(void)
{
	struct world  world;
	struct killer killers[KILLERS];
	unsigned      answered = 0;

	open_world(&world);
	for (unsigned i = 0; i < KILLERS; i++) {
		killers[i].all = killers;
		killers[i].trial.dns = (struct dns){ 0 };
		killers[i].trial.probe = probe_start(world.probes,
		    &(struct probe_ask){ .kind = "nss",
		        .host = "home.example",
		        .limit_ms = LIMIT_MS,
		        .arena = world.arena,
		        .dns = &killers[i].trial.dns,
		        .on_over = on_killer_over,
		        .arg = &killers[i] });
	}
	loop_run_once(world.loop, true); /* starts all */
	usleep(200000);                  /* all are answered */
	wait_for(&world, &killers[0].trial);
	run_for(&world, 50);
	for (unsigned i = 0; i < KILLERS; i++)
		answered += killers[i].trial.dns.resolver != NULL;
	check(answered == 1, "the others never");
	close_world(&world);
}

static void
test_one_ends_others(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.1.1.1 home.example\n", .resolv = AT_HOME },
	    check_killer);
}

static void
block(void *arg, unsigned what)
{
	usleep(*(unsigned *)arg * 1000);
}

/* The loop is held up beyond the deadline: an answer that came in time counts, and silence is our
 * own fault. */
static void
check_late_loop(void)
{
	struct world      world;
	struct trial      good, silent;
	struct loop_watch blocker;
	unsigned          block_ms = 600;

	open_black_hole();
	open_world(&world);
	loop_watch_init(&blocker, world.loop, block, &block_ms);
	start(&world, &good, "home.example", 200);
	start(&world, &silent, "a.silent.example", 200);
	loop_run_once(world.loop, true);
	loop_watch_set(&blocker, -1, 0, 0);
	wait_for(&world, &good);
	wait_for(&world, &silent);
	say("good", &good.dns);
	say("silent", &silent.dns);
	check(good.dns.outcome == OUTCOME_OK, "the answer counts");
	check(silent.dns.outcome == OUTCOME_AGENT_LATE, "silence does not");
	loop_watch_fini(&blocker);
	close_world(&world);
}

/* Twice held up: the first time until the deadline is past, so that our timer was chosen to fire,
 * the second time until the answer has come, after a second: it counts. */
static void
check_late_answer(void)
{
	struct world      world;
	struct trial      trial;
	struct loop_watch blockers[2];
	unsigned          block_ms[2] = { 100, 400 };

	open_black_hole();
	open_world(&world);
	start(&world, &trial, "a.silent.example", 850);
	loop_run_once(world.loop, true);
	for (unsigned i = 0; i < 2; i++) {
		loop_watch_init(&blockers[i], world.loop, block, &block_ms[i]);
		loop_watch_set(&blockers[i], -1, 0, (800 + i) * US_PER_MS);
	}
	wait_for(&world, &trial);
	say("late", &trial.dns);
	check(trial.dns.outcome == OUTCOME_SERVFAIL, "what the system said counts");
	for (unsigned i = 0; i < 2; i++)
		loop_watch_fini(&blockers[i]);
	close_world(&world);
}

static void
test_late_loop(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.1.1.1 home.example\n",
	             .resolv = AT_HOME IMPATIENT },
	    check_late_loop);
	in_world(&(struct support_etc){ .hosts = "", .resolv = AT_HOME IMPATIENT },
	    check_late_answer);
}

/* All threads hang, as many as fit wait, one more is refused at once. */
static void
check_full_line(void)
{
	enum { TRIALS = NSS_THREADS_MAX + NSS_WAITING_MAX + 1 };
	static struct trial trials[TRIALS];
	struct world        world;
	size_t              refused = 0;

	open_black_hole();
	open_world(&world);
	for (size_t i = 0; i < NSS_THREADS_MAX; i++) {
		start(&world, &trials[i], "a.silent.example", LIMIT_MS);
		run_for(&world, 30);
	}
	for (size_t i = NSS_THREADS_MAX; i < TRIALS; i++)
		start(&world, &trials[i], "b.silent.example", LIMIT_MS);
	run_for(&world, 200);
	for (size_t i = 0; i < TRIALS; i++)
		refused += trials[i].probe == NULL;
	check(refused == 1, "one is refused");
	check(trials[TRIALS - 1].probe == NULL, "the last");
	say("last", &trials[TRIALS - 1].dns);
	check(trials[TRIALS - 1].dns.outcome == OUTCOME_LOCAL, "by ourselves");
	check(strstr(trials[TRIALS - 1].dns.detail, "wait for the system's") != NULL,
	    "and says why");
	close_world(&world);
}

static void
test_full_line(void **state)
{
	in_world(
	    &(struct support_etc){ .hosts = "", .resolv = AT_HOME IMPATIENT }, check_full_line);
}

/* The end of a process does not wait for a name server, and leaks nothing. */
static void
check_exit(void)
{
	struct world world;
	struct trial trial;

	open_black_hole();
	open_world(&world);
	start(&world, &trial, "a.silent.example", 100);
	wait_for(&world, &trial);
	run_for(&world, 2200); /* until what it brings is thrown away */
	start(&world, &trial, "a.silent.example", 100);
	wait_for(&world, &trial);
	close_world(&world);
	fclose(stdout); /* what the parent had not written yet is the parent's */
	exit(CHILD_GOOD);
}

static void
test_exit(void **state)
{
	int64_t started_us = clock_mono_us(clock_system());

	in_world(&(struct support_etc){ .hosts = "",
	             .resolv = AT_HOME "options timeout:2 attempts:1\n" },
	    check_exit);
	/* 2.4 s, and the check for leaks; the second would take 1.9 s more. */
	assert_true(clock_mono_us(clock_system()) - started_us < 4 * US_PER_S);
}

/* Given up at any moment of a fast lookup, many times over; what was given up while it ran is
 * freed by the thread, or the check for leaks of an end by exit() finds it. */
static void
check_haste(void)
{
	struct world world;
	struct trial trials[4];

	open_world(&world);
	for (unsigned i = 0; i < 600; i++) {
		for (unsigned j = 0; j < 4; j++)
			start(&world, &trials[j], "home.example", LIMIT_MS);
		loop_run_once(world.loop, true);
		usleep(i);
		for (unsigned j = 0; j < 4; j++)
			probe_cancel(trials[j].probe);
	}
	start(&world, &trials[0], "home.example", LIMIT_MS);
	wait_for(&world, &trials[0]);
	check(trials[0].dns.outcome == OUTCOME_OK, "the one that was let be");
	close_world(&world);
	fclose(stdout);
	exit(CHILD_GOOD);
}

static void
test_haste(void **state)
{
	in_world(&(struct support_etc){ .hosts = "10.1.1.1 home.example\n",
	             .resolv = AT_HOME IMPATIENT },
	    check_haste);
}

/* resolv.conf that changes while we run counts for the next name. */
static char *changing_folder;

static void
check_change(void)
{
	struct support_dns *nsd = support_dns_nsd_at(
	    53, zones, sizeof(zones) / sizeof(zones[0]));
	struct world world;
	struct trial trial;

	open_world(&world);
	start(&world, &trial, "gone.documents.azure.com", LIMIT_MS);
	wait_for(&world, &trial);
	check(trial.dns.outcome == OUTCOME_NXDOMAIN, "before");
	support_etc_resolv(changing_folder, AT_HOME "search corp.example\n");
	start(&world, &trial, "gone.documents.azure.com", LIMIT_MS);
	wait_for(&world, &trial);
	check(trial.dns.outcome == OUTCOME_OK, "after");
	close_world(&world);
	support_dns_free(nsd);
}

static void
test_change(void **state)
{
	pid_t child;
	int   how;

	changing_folder = support_dir_new();
	child = fork();
	if (child == 0) {
		if (!support_etc_enter(&(struct support_etc){ .hosts = "", .resolv = AT_HOME },
		        changing_folder))
			_exit(CHILD_NO_RIGHTS);
		check_change();
		_exit(CHILD_GOOD);
	}
	assert_int_equal(waitpid(child, &how, 0), child);
	support_dir_free(changing_folder);
	assert_true(WIFEXITED(how));
	if (WEXITSTATUS(how) == CHILD_NO_RIGHTS)
		skip();
	assert_int_equal(WEXITSTATUS(how), CHILD_GOOD);
}

/* It needs no rights to hold these. */
static void
test_no_name(void **state)
{
	static char  long_name[300];
	const char  *hosts[] = { "", long_name };
	struct world world;

	memset(long_name, 'a', sizeof(long_name) - 1);
	open_world(&world);
	for (size_t i = 0; i < 2; i++) {
		struct trial trial;

		start(&world, &trial, hosts[i], LIMIT_MS);
		wait_for(&world, &trial);
		assert_int_equal(trial.dns.outcome, OUTCOME_LOCAL);
		assert_non_null(strstr(trial.dns.detail, "is not a domain name"));
	}
	close_world(&world);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_nsswitch),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_one_ends_others),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_full_line),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_haste),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
