/* Which probes a Direct target starts, and what it makes of their ends: the kinds are scripted, so
 * that every order of events can be had.  Against real back ends it is tried in the lab. */
#include "probe/direct.h"

#include "base/clock.h"
#include "probe/rntbd/rntbd_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST    "contoso-eastus.documents.azure.com"
#define CLUSTER "cdb-ms-prod-eastus1-fd26.documents.azure.com"

enum { LOG_BYTES = 8192 };

/* What the scripted kinds do. */
static struct script {
	const char  *feeds[4]; /* what each reading tells: see make_found(); NULL: it fails */
	enum outcome feed_fails;
	const char  *dead;    /* ports that are refused, blanks around each */
	const char  *gone;    /* ports whose context says 410 */
	const char  *silent;  /* ports that time out */
	const char  *answer;  /* address of foreign names; NULL: NXDOMAIN */
	const char  *mute;    /* ports whose trial ends late by our own loop */
	unsigned     hang;    /* this reading and those behind it never end; 0: all end */
	int64_t      slow_us; /* that resolving takes */
	unsigned     feed_count;
	char         log[LOG_BYTES];
} script;

/* One scripted run: it ends in the next round of the loop. */
struct run {
	struct probe     *probe;
	struct loop_watch watch;
};

static void PRINTF_LIKE(1, 2) note(const char *format, ...);

static void
note(const char *format, ...)
{
	size_t  length = strlen(script.log);
	va_list args;

	va_start(args, format);
	vsnprintf(script.log + length, sizeof(script.log) - length, format, args);
	va_end(args);
}

static void
end_run(struct run *run)
{
	loop_watch_fini(&run->watch);
	free(run);
}

static void
on_due(void *arg, unsigned what)
{
	struct run   *run = arg;
	struct probe *probe = run->probe;

	end_run(run);
	probe_over(probe);
}

static void *
start_run(struct probe *probe)
{
	struct run *run = mem_alloc(sizeof(*run));

	run->probe = probe;
	loop_watch_init(&run->watch, probe_options(probe)->loop, on_due, run);
	loop_watch_set(&run->watch, -1, 0, 0);
	return run;
}

static void
cancel_run(void *arg)
{
	note("(cancelled)");
	end_run(arg);
}

static bool
has_port(const char *ports, unsigned port)
{
	char text[16];

	snprintf(text, sizeof(text), " %u ", port);
	return ports != NULL && strstr(ports, text) != NULL;
}

static void *
start_rntbd(struct probe *probe, void *shared)
{
	const struct probe_ask *ask = probe_ask(probe);
	char                    text[ADDR_TEXT];

	note("try %s ", addr_render_port(&ask->peer, text, sizeof(text)));
	assert_non_null(ask->replica);
	ask->endpoint->tcp = OUTCOME_OK;
	ask->endpoint->tls = OUTCOME_OK;
	ask->replica->context = OUTCOME_OK;
	ask->replica->status = 200;
	if (has_port(script.dead, ask->peer.port)) {
		ask->endpoint->tcp = OUTCOME_REFUSED;
		ask->endpoint->tls = ask->replica->context = OUTCOME_NOT_RUN;
		ask->replica->status = 0;
	}
	if (has_port(script.silent, ask->peer.port)) {
		ask->endpoint->tcp = OUTCOME_TIMEOUT;
		ask->endpoint->tls = ask->replica->context = OUTCOME_NOT_RUN;
		ask->replica->status = 0;
	}
	if (has_port(script.gone, ask->peer.port)) {
		ask->replica->context = OUTCOME_REFUSED_BY_PEER;
		ask->replica->status = 410;
	}
	if (has_port(script.mute, ask->peer.port)) {
		ask->replica->context = OUTCOME_AGENT_LATE;
		ask->replica->status = 0;
	}
	rntbd_stage(ask->replica);
	return start_run(probe);
}

static void *
start_tls(struct probe *probe, void *shared)
{
	note("sample %d ", probe_ask(probe)->peer.port > 0);
	probe_ask(probe)->endpoint->tcp = OUTCOME_REFUSED;
	return start_run(probe);
}

static void *
start_nss(struct probe *probe, void *shared)
{
	const struct probe_ask *ask = probe_ask(probe);
	struct run             *run = start_run(probe);

	loop_watch_set(&run->watch, -1, 0, script.slow_us);
	note("resolve %s ", ask->host);
	ask->dns->outcome = script.answer != NULL ? OUTCOME_OK : OUTCOME_NXDOMAIN;
	if (script.answer != NULL) {
		ask->dns->addresses = arena_array(ask->arena, 1, sizeof(struct rdata));
		ask->dns->addresses_count = 1;
		ask->dns->addresses[0].address = script.answer;
	}
	return run;
}

/* "host:port=partition ..." */
static void
tell(const struct probe_ask *ask, const char *text)
{
	struct feed_found *found = ask->feed_found;

	found->replicas = arena_array(
	    ask->arena, strlen(text) + 1, sizeof(struct feed_replica));
	while (*text != '\0') {
		struct feed_replica *replica = &found->replicas[found->count++];
		size_t               host = strcspn(text, ":");
		char                *end;

		replica->uri.host = arena_strndup(ask->arena, text, host);
		replica->uri.port = (uint16_t)strtoul(text + host + 1, &end, 10);
		replica->partition = arena_strndup(ask->arena, end + 1, strcspn(end + 1, " "));
		text = end + 1 + strcspn(end + 1, " ");
		text += strspn(text, " ");
	}
	ask->feed->outcome = OUTCOME_OK;
	ask->feed->replicas = (uint32_t)found->count;
}

static void *
start_feed(struct probe *probe, void *shared)
{
	const struct probe_ask *ask = probe_ask(probe);
	unsigned                at = script.feed_count++;
	char                    text[ADDR_TEXT];
	struct run             *run;

	note("%s %s ", ask->feed_ask->refresh ? "refresh" : "feed",
	    addr_render(&ask->peer, text, sizeof(text)));
	assert_int_equal(ask->feed_ask->depth, FEED_ADDRESSES);
	if (at < 4 && script.feeds[at] != NULL)
		tell(ask, script.feeds[at]);
	else
		ask->feed->outcome = script.feed_fails;
	run = start_run(probe);
	if (script.hang != 0 && script.feed_count >= script.hang)
		loop_watch_stop(&run->watch);
	return run;
}

static const struct probe_kind rntbd = {
	.name = "rntbd", .start = start_rntbd, .cancel = cancel_run
};
static const struct probe_kind tls = {
	.name = "tls", .start = start_tls, .cancel = cancel_run
};
static const struct probe_kind nss = {
	.name = "nss", .start = start_nss, .cancel = cancel_run
};
static const struct probe_kind feed = {
	.name = "feed", .start = start_feed, .cancel = cancel_run
};
static const struct probe_kind *const kinds[] = { &rntbd, &tls, &nss, &feed, NULL };

struct fixture {
	struct loop        *loop;
	struct probes      *probes;
	struct arena       *arena;
	struct target       target;
	struct measurement  seen;
	struct measure_ask  measure;
	struct direct_means means;
	struct addr         addrs[2];
	size_t              addr_count;
	struct direct      *direct;
	int64_t             limit_ms;
	unsigned            overs;
};

static const struct signer some_signer = { .kind = CREDENTIAL_KEY };

static int
start(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	memset(&script, 0, sizeof(script));
	f->loop = loop_new(&err);
	f->probes = probes_new(
	    &(struct probe_options){ .loop = f->loop, .clock = clock_system(), .kinds = kinds },
	    &err);
	assert_non_null(f->probes);
	f->arena = arena_new();
	f->target = (struct target){ .account = "contoso",
		.region = "eastus",
		.host = HOST,
		.port = 443,
		.mode = MODE_DIRECT };
	f->seen.target = &f->target;
	f->means.signer = &some_signer;
	f->measure = (struct measure_ask){
		.target = &f->target, .system = true, .arena = f->arena, .means = &f->means
	};
	assert_true(addr_parse(&f->addrs[0], "10.1.0.5", 443, NULL));
	assert_true(addr_parse(&f->addrs[1], "10.1.0.6", 443, NULL));
	f->addr_count = 1;
	f->limit_ms = 5000;
	*state = f;
	return 0;
}

static int
stop(void **state)
{
	struct fixture *f = *state;

	direct_free(f->direct, false);
	probes_free(f->probes);
	loop_free(f->loop);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void
on_over(void *arg)
{
	struct fixture *f = arg;

	f->overs++;
	loop_stop(f->loop);
}

static void
begin(struct fixture *f)
{
	f->direct = direct_start(f->probes,
	    &(struct direct_ask){ .measure = &f->measure,
	        .seen = &f->seen,
	        .addrs = f->addrs,
	        .addr_count = f->addr_count,
	        .limit_ms = f->limit_ms,
	        .on_over = on_over,
	        .arg = f });
}

static void
run(struct fixture *f)
{
	begin(f);
	loop_run(f->loop);
	loop_run_once(f->loop, false);
	assert_int_equal(f->overs, 1);
}

static const char *
render(const struct fixture *f)
{
	const char *text = "";

	for (size_t i = 0; i < f->seen.replicas_count; i++) {
		const struct replica *replica = &f->seen.replicas[i];

		text = arena_printf(f->arena, "%s%s%s:%u/%s/%s", text, i > 0 ? " " : "",
		    replica->host, replica->port, field_word(FIELD_ORIGIN, replica->origin),
		    outcome_name(replica->context));
	}
	return text;
}

static void
tries_what_the_feed_tells(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":21226=0 " HOST ":30144=0 " HOST ":21226=1";
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 try 10.1.0.5:21226 try 10.1.0.5:30144 ");
	assert_string_equal(render(f), HOST ":21226/feed/ok " HOST ":30144/feed/ok");
	assert_int_equal(f->seen.origin, ORIGIN_FEED);
	assert_string_equal(f->seen.replicas[0].partitions, "0 1");
	assert_int_equal(f->seen.replicas[0].replicas, 2);
	assert_string_equal(f->seen.replicas[0].end->address, "10.1.0.5");
	assert_int_equal(f->seen.replicas[0].end->port, 21226);
	assert_int_equal(f->seen.replicas[0].dns, OUTCOME_NOT_RUN);
}

static void
resolves_foreign_hosts_once(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = CLUSTER ":14031=0 " CLUSTER ":14184=0";
	script.answer = "20.10.1.11";
	run(f);
	assert_string_equal(script.log,
	    "feed 10.1.0.5 resolve " CLUSTER " try 20.10.1.11:14184 try 20.10.1.11:14031 ");
	assert_int_equal(f->seen.replicas[0].dns, OUTCOME_OK);
	assert_int_equal(f->seen.replicas[0].port, 14031);
}

static void
tells_of_hosts_that_do_not_exist(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = CLUSTER ":14031=0";
	run(f);
	assert_int_equal(f->seen.replicas_count, 1);
	assert_int_equal(f->seen.replicas[0].dns, OUTCOME_NXDOMAIN);
	assert_int_equal(f->seen.replicas[0].end->tcp, OUTCOME_NOT_RUN);
	assert_string_equal(f->seen.replicas[0].stage, "dns_failed");
	assert_int_equal(f->seen.replicas[0].sdk_code, 3);
}

/* Whoever answers in the gateway's place must not send us where he likes. */
static void
goes_nowhere_but_to_siblings(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = "evil.example:22=0 documents.azure.com:1=0 "
	                  "a.b.documents.azure.com:1=0 169.254.169.254:80=0";
	script.answer = "20.10.1.11";
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 ");
	assert_int_equal(f->seen.replicas_count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(f->seen.replicas[i].dns, OUTCOME_POLICY);
}

static void
reads_the_feed_again_when_a_replica_moved(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0";
	script.feeds[1] = HOST ":1001=0 " HOST ":1003=0";
	script.dead = " 1002 ";
	run(f);
	assert_string_equal(script.log,
	    "feed 10.1.0.5 try 10.1.0.5:1001 try 10.1.0.5:1002 refresh 10.1.0.5 "
	    "try 10.1.0.5:1003 ");
	assert_string_equal(render(f), HOST ":1001/feed/ok " HOST ":1003/feed/ok");
	assert_true(f->seen.feed->refreshed);
}

static void
keeps_a_dead_replica_that_is_told_again(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0";
	script.feeds[1] = script.feeds[0];
	script.gone = " 1002 ";
	run(f);
	assert_string_equal(
	    script.log, "feed 10.1.0.5 try 10.1.0.5:1001 try 10.1.0.5:1002 refresh 10.1.0.5 ");
	assert_string_equal(render(f), HOST ":1001/feed/ok " HOST ":1002/feed/refused-by-peer");
}

/* The second reading failed: what the first one told stays. */
static void
keeps_the_first_reading(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0";
	script.feed_fails = OUTCOME_HTTP_OTHER;
	script.dead = " 1002 ";
	run(f);
	assert_int_equal(f->seen.feed->outcome, OUTCOME_OK);
	assert_true(f->seen.feed->refreshed);
	assert_string_equal(render(f), HOST ":1001/feed/ok " HOST ":1002/feed/not-run");
}

/* All silent is a wall, not a move: asking again costs the service, and tells the same. */
static void
asks_once_when_all_are_silent(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0";
	script.silent = " 1001 1002 ";
	run(f);
	assert_int_equal(script.feed_count, 1);
	assert_int_equal(f->seen.replicas_count, 2);
}

static void
asks_the_next_address_when_one_is_dead(void **state)
{
	struct fixture *f = *state;

	f->addr_count = 2;
	script.feed_fails = OUTCOME_REFUSED;
	script.feeds[1] = HOST ":1001=0";
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 feed 10.1.0.6 try 10.1.0.5:1001 ");
}

static void
does_not_ask_another_when_one_refuses_us(void **state)
{
	struct fixture *f = *state;

	f->addr_count = 2;
	script.feed_fails = OUTCOME_HTTP_OTHER;
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 ");
	assert_int_equal(f->seen.origin, ORIGIN_NONE);
	assert_int_equal(f->seen.replicas_count, 0);
}

static void
takes_pasted_addresses_of_its_own(void **state)
{
	struct fixture  *f = *state;
	struct rntbd_uri pasted[] = {
		{ .host = HOST, .port = 21226, .primary = true },
		{ .host = "contoso-westus.documents.azure.com", .port = 21226 },
		{ .host = CLUSTER, .port = 14031 },
	};

	f->means = (struct direct_means){ .pasted = pasted, .pasted_count = 3 };
	script.answer = "20.10.1.11";
	run(f);
	assert_string_equal(
	    script.log, "try 10.1.0.5:21226 resolve " CLUSTER " try 20.10.1.11:14031 ");
	assert_int_equal(f->seen.origin, ORIGIN_PASTED);
	assert_null(f->seen.feed);
}

static void
tries_no_more_than_is_wanted(void **state)
{
	struct fixture *f = *state;

	f->means.replicas_max = 2;
	script.feeds[0] = HOST ":1=0 " HOST ":2=0 " HOST ":3=0 " HOST ":4=0";
	run(f);
	assert_int_equal(f->seen.replicas_count, 2);
	assert_int_equal(f->seen.feed->replicas, 4);
}

static void
samples_ports_only_without_an_address(void **state)
{
	struct fixture *f = *state;

	f->means = (struct direct_means){ .sample_ports = 4 };
	run(f);
	assert_string_equal(script.log, "sample 1 sample 1 sample 1 sample 1 ");
	assert_int_equal(f->seen.origin, ORIGIN_SAMPLE);
	assert_int_equal(f->seen.replicas_count, 4);
	assert_int_equal(f->seen.replicas[0].context, OUTCOME_NOT_RUN);
}

static void
samples_behind_a_feed_that_failed(void **state)
{
	struct fixture *f = *state;

	f->means.sample_ports = 1;
	script.feed_fails = OUTCOME_HTTP_OTHER;
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 sample 1 ");
}

static void
does_nothing_without_means(void **state)
{
	struct fixture *f = *state;

	f->measure.means = NULL;
	run(f);
	assert_string_equal(script.log, "");
	assert_int_equal(f->seen.origin, ORIGIN_NONE);
}

static void
is_freed_at_any_moment(void **state)
{
	struct fixture *f = *state;

	for (unsigned rounds = 0; rounds < 8; rounds++) {
		memset(&script, 0, sizeof(script));
		script.feeds[0] = HOST ":1001=0 " CLUSTER ":1002=0";
		script.answer = "20.10.1.11";
		f->seen = (struct measurement){ .target = &f->target };
		begin(f);
		for (unsigned i = 0; i < rounds && f->overs == 0; i++)
			loop_run_once(f->loop, false);
		direct_free(f->direct, false);
		f->direct = NULL;
		loop_run_once(f->loop, false);
		f->overs = 0;
	}
}

static void
tells_what_had_no_time(void **state)
{
	struct fixture *f = *state;

	script.hang = 1;
	begin(f);
	for (unsigned i = 0; i < 5; i++)
		loop_run_once(f->loop, false);
	direct_free(f->direct, true);
	f->direct = NULL;
	assert_int_equal(f->seen.feed->outcome, OUTCOME_LOCAL);
	assert_non_null(strstr(f->seen.feed->detail, "waited for its turn"));
	assert_non_null(strstr(script.log, "(cancelled)"));
}

/* The second reading had no time: what the first one told stands, and what was tried. */
static void
keeps_the_first_reading_when_time_is_over(void **state)
{
	struct fixture *f = *state;

	script.hang = 2;
	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0";
	script.dead = " 1002 ";
	begin(f);
	for (unsigned i = 0; i < 10; i++)
		loop_run_once(f->loop, false);
	assert_int_equal(script.feed_count, 2);
	direct_free(f->direct, true);
	f->direct = NULL;
	assert_int_equal(f->seen.feed->outcome, OUTCOME_OK);
	assert_int_equal(f->seen.feed->replicas, 2);
	assert_string_equal(render(f), HOST ":1001/feed/ok " HOST ":1002/feed/not-run");
}

/* What is ours, a policy or a late loop, is no reason to have the service look again. */
static void
asks_again_for_dead_replicas_alone(void **state)
{
	struct fixture *f = *state;

	script.feeds[0] = HOST ":1001=0 " HOST ":1002=0 evil.example:22=0";
	script.mute = " 1002 ";
	run(f);
	assert_int_equal(script.feed_count, 1);
	assert_int_equal(f->seen.replicas_count, 3);
}

/* Resolving took the time: a trial of a few milliseconds would blame the replica. */
static void
tries_nothing_when_time_is_over(void **state)
{
	struct fixture *f = *state;

	f->limit_ms = 80;
	script.slow_us = 75 * US_PER_MS;
	script.feeds[0] = CLUSTER ":14031=0";
	script.answer = "20.10.1.11";
	run(f);
	assert_string_equal(script.log, "feed 10.1.0.5 resolve " CLUSTER " ");
	assert_int_equal(f->seen.replicas_count, 1);
	assert_int_equal(f->seen.replicas[0].dns, OUTCOME_OK);
	assert_int_equal(f->seen.replicas[0].end->tcp, OUTCOME_LOCAL);
	assert_string_equal(f->seen.replicas[0].stage, "");
	assert_non_null(strstr(f->seen.replicas[0].end->detail, "time was over"));
}

/* The same when the loop itself lost the time: then it is given back. */
static void
gives_back_what_the_loop_lost(void **state)
{
	struct fixture *f = *state;

	f->limit_ms = 80;
	f->seen.loop_lag_us = 0;
	script.slow_us = 75 * US_PER_MS;
	script.feeds[0] = CLUSTER ":14031=0";
	script.answer = "20.10.1.11";
	begin(f);
	f->seen.loop_lag_us = 5 * US_PER_S;
	loop_run(f->loop);
	assert_string_equal(render(f), CLUSTER ":14031/feed/ok");
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		CASE(tries_what_the_feed_tells),
		CASE(resolves_foreign_hosts_once),
		CASE(tells_of_hosts_that_do_not_exist),
		CASE(goes_nowhere_but_to_siblings),
		CASE(reads_the_feed_again_when_a_replica_moved),
		CASE(keeps_a_dead_replica_that_is_told_again),
		CASE(keeps_the_first_reading),
		CASE(asks_once_when_all_are_silent),
		CASE(asks_the_next_address_when_one_is_dead),
		CASE(does_not_ask_another_when_one_refuses_us),
		CASE(takes_pasted_addresses_of_its_own),
		CASE(tries_no_more_than_is_wanted),
		CASE(samples_ports_only_without_an_address),
		CASE(samples_behind_a_feed_that_failed),
		CASE(does_nothing_without_means),
		CASE(is_freed_at_any_moment),
		CASE(tells_what_had_no_time),
		CASE(keeps_the_first_reading_when_time_is_over),
		CASE(asks_again_for_dead_replicas_alone),
		CASE(tries_nothing_when_time_is_over),
		CASE(gives_back_what_the_loop_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
