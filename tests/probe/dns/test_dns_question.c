/* The dns probe against a server that is wrong in named ways, and against our own limits. */
#include "probe/probe.h"

#include "base/base64.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_odd_dns.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT_MS = 900 };

static struct loop            *loop;
static struct support_odd_dns *odd, *odd_without_tcp;

/* One probe under way. */
struct trial {
	struct probe_options options;
	struct probe_ask     ask;
	struct probes       *probes;
	struct dns           dns;
	struct loop_watch blocks[2]; /* hold the loop up when they fire, one after the other */
	unsigned          block_ms;
	bool              over;
};

static void
on_over(void *arg)
{
	*(bool *)arg = true;
}

static void
on_block(void *arg, unsigned what)
{
	struct trial *trial = arg;

	usleep(trial->block_ms * 1000);
}

static void
init_trial(struct trial *trial, uint16_t port, const char *host)
{
	struct err err;

	*trial = (struct trial){ .options = { .loop = loop, .clock = clock_system() } };
	trial->ask = (struct probe_ask){ .kind = "dns",
		.host = host,
		.limit_ms = LIMIT_MS,
		.arena = arena_new(),
		.on_over = on_over };
	assert_true(addr_parse(&trial->ask.peer, "127.0.0.1", 53, &err));
	trial->ask.peer.port = port;
	for (unsigned i = 0; i < 2; i++)
		loop_watch_init(&trial->blocks[i], loop, on_block, trial);
}

static void
run_trial(struct trial *trial)
{
	struct err err;

	trial->probes = probes_new(&trial->options, &err);
	trial->ask.dns = &trial->dns;
	trial->ask.arg = &trial->over;
	assert_non_null(trial->probes);
	assert_non_null(probe_start(trial->probes, &trial->ask));
	for (unsigned i = 0; i < 2 && trial->block_ms > 0; i++)
		loop_watch_set(&trial->blocks[i], -1, 0, (10 + i) * US_PER_MS);
	while (!trial->over)
		loop_run_once(loop, true);
}

static void
fini_trial(struct trial *trial)
{
	for (unsigned i = 0; i < 2; i++)
		loop_watch_fini(&trial->blocks[i]);
	probes_free(trial->probes);
	arena_free(trial->ask.arena);
}

static const struct odd_case {
	const char *label, *outcome, *aaaa_outcome;
	unsigned    transport, tries, least_strays;
	bool        truncated;
	const char *detail; /* a part of it; "" means that it is empty */
} odd_cases[] = {
	{ "good", "ok", "nodata", TRANSPORT_UDP, 1, 0, false, "" },
	{ "silent", "timeout", "timeout", TRANSPORT_NONE, 3, 0, false,
	    "no answer within 900 ms, asked 3 times" },
	{ "wrong-id", "timeout", "timeout", TRANSPORT_NONE, 3, 6, false,
	    "asked 3 times; 3 datagrams did not match the question" },
	{ "wrong-question", "timeout", "timeout", TRANSPORT_NONE, 3, 6, false,
	    "3 datagrams did not match the question" },
	{ "no-answer", "timeout", "timeout", TRANSPORT_NONE, 3, 6, false,
	    "3 datagrams did not match the question" },
	{ "nonsense-first", "ok", "nodata", TRANSPORT_UDP, 1, 42, false, "" },
	{ "flood", "timeout", "timeout", TRANSPORT_NONE, 3, 300, false,
	    "datagrams did not match the question" },
	{ "from-elsewhere", "ok", "nodata", TRANSPORT_UDP, 1, 0, false, "" },
	{ "malformed", "broke-protocol", "broke-protocol", TRANSPORT_UDP, 1, 0, false,
	    "malformed answer: answer record 2 of 2: Packet size overflow" },
	{ "many-records", "too-large", "too-large", TRANSPORT_UDP, 1, 0, false,
	    "records, at most 64 are taken" },
	{ "huge", "too-large", "too-large", TRANSPORT_NONE, 1, 0, false,
	    "bytes, at most 4096 are taken" },
	{ "lose-first", "ok", "nodata", TRANSPORT_UDP, 2, 0, false, "" },
	{ "fresh-repeat", "ok", "nodata", TRANSPORT_UDP, 2, 0, false, "" },
	{ "lower-case", "ok", "nodata", TRANSPORT_UDP, 2, 0, false,
	    "the server changes letter case in the question" },
	{ "upper-case", "timeout", "timeout", TRANSPORT_NONE, 3, 4, false,
	    "datagrams did not match the question" },
	{ "late", "ok", "nodata", TRANSPORT_UDP, 1, 0, false, "" },
	{ "formerr", "dns-other", "dns-other", TRANSPORT_UDP, 2, 0, false,
	    "the server answers rcode 1" },
	{ "bare-formerr", "dns-other", "dns-other", TRANSPORT_UDP, 2, 0, false,
	    "the server answers rcode 1" },
	{ "edns-formerr", "ok", "nodata", TRANSPORT_UDP, 2, 0, false,
	    "answered only when asked without EDNS" },
	{ "edns-notimp", "ok", "nodata", TRANSPORT_UDP, 2, 0, false,
	    "answered only when asked without EDNS" },
	{ "edns-bare-formerr", "ok", "nodata", TRANSPORT_UDP, 2, 0, false,
	    "answered only when asked without EDNS" },
	{ "edns-silent", "ok", "nodata", TRANSPORT_UDP, 3, 0, false,
	    "answered only when asked without EDNS" },
	{ "servfail", "servfail", "servfail", TRANSPORT_UDP, 1, 0, false,
	    "the server answers SERVFAIL; extended error 22 No Reachable Authority: at root!" },
	{ "only-a", "ok", "timeout", TRANSPORT_UDP, 1, 0, false,
	    "AAAA: no answer within 900 ms, asked 3 times" },
	{ "only-aaaa", "timeout", "nodata", TRANSPORT_NONE, 3, 0, false,
	    "no answer within 900 ms, asked 3 times" },
	{ "tc", "ok", "nodata", TRANSPORT_TCP, 1, 0, true, "" },
	{ "tc-big", "ok", "nodata", TRANSPORT_TCP, 1, 0, true, "" },
	{ "tc-drops", "ok", "nodata", TRANSPORT_TCP, 1, 0, true, "" },
	{ "tc-silent", "timeout", "timeout", TRANSPORT_NONE, 1, 0, true,
	    "truncated over UDP; over TCP, waiting for the answer until the deadline" },
	{ "tc-close", "closed", "closed", TRANSPORT_NONE, 1, 0, true,
	    "over TCP, waiting for the answer: the server closed the connection" },
	{ "tc-half", "closed", "closed", TRANSPORT_NONE, 1, 0, true,
	    "over TCP, waiting for the answer: the server closed the connection" },
	{ "tc-reset", "reset", "reset", TRANSPORT_NONE, 1, 0, true,
	    "over TCP, waiting for the answer: Connection reset by peer" },
	{ "tc-tc", "broke-protocol", "broke-protocol", TRANSPORT_NONE, 1, 0, true,
	    "truncated over UDP and over TCP" },
	{ "tc-wrong-id", "broke-protocol", "broke-protocol", TRANSPORT_NONE, 1, 0, true,
	    "over TCP an answer to another question" },
	{ "tc-short", "broke-protocol", "broke-protocol", TRANSPORT_NONE, 1, 0, true,
	    "over TCP an answer to another question" },
	{ "tc-malformed", "broke-protocol", "broke-protocol", TRANSPORT_TCP, 1, 0, true,
	    "malformed answer: answer record 2 of 2: Packet size overflow" },
	{ "tc-64k", "ok", "nodata", TRANSPORT_TCP, 1, 0, true, "" },
};

static void
check_odd(const struct odd_case *want)
{
	struct trial trial;
	char         host[80];

	snprintf(host, sizeof(host), "%s.odd.example", want->label);
	init_trial(&trial, support_odd_dns_port(odd), host);
	run_trial(&trial);
	print_message("%s: %s, %u strays, %s\n", want->label, outcome_name(trial.dns.outcome),
	    trial.dns.strays, trial.dns.detail);
	assert_string_equal(outcome_name(trial.dns.outcome), want->outcome);
	assert_string_equal(outcome_name(trial.dns.aaaa_outcome), want->aaaa_outcome);
	assert_int_equal(trial.dns.transport, want->transport);
	assert_int_equal(trial.dns.tries, want->tries);
	assert_int_equal(trial.dns.truncated, want->truncated);
	assert_true(trial.dns.strays >= want->least_strays);
	if (want->least_strays == 0)
		assert_int_equal(trial.dns.strays, 0);
	if (want->detail[0] == '\0' || strstr(want->label, "formerr") == want->label)
		assert_string_equal(trial.dns.detail, want->detail);
	assert_non_null(strstr(trial.dns.detail, want->detail));
	if (trial.dns.outcome == OUTCOME_OK)
		assert_string_equal(trial.dns.addresses[0].address,
		    strcmp(want->label, "tc-big") == 0 ? "10.9.0.0" : "10.9.0.1");
	fini_trial(&trial);
}

static void
test_odd_answers(void **state)
{
	for (size_t i = 0; i < sizeof(odd_cases) / sizeof(odd_cases[0]); i++)
		check_odd(&odd_cases[i]);
}

static void
test_no_tcp_behind_truncation(void **state)
{
	struct trial trial;

	init_trial(&trial, support_odd_dns_port(odd_without_tcp), "tc.odd.example");
	run_trial(&trial);
	assert_string_equal(outcome_name(trial.dns.outcome), "refused");
	assert_true(trial.dns.truncated);
	assert_int_equal(trial.dns.transport, TRANSPORT_NONE);
	assert_non_null(strstr(
	    trial.dns.detail, "truncated over UDP; over TCP, connecting: Connection refused"));
	fini_trial(&trial);
}

/* The answer to the first question is as good as one to the repeat; its time is its own. */
static void
test_slow_answer_to_the_first_question(void **state)
{
	struct trial trial;

	init_trial(&trial, support_odd_dns_port(odd), "late.twice.example");
	trial.ask.limit_ms = 300; /* the repeat goes after 100 ms, the answer comes after 150 */
	run_trial(&trial);
	assert_string_equal(outcome_name(trial.dns.outcome), "ok");
	assert_int_equal(trial.dns.tries, 2);
	assert_in_range(trial.dns.took_us, 150000, 250000);
	fini_trial(&trial);
}

/* The loop is held up for block_ms, and once more for as long.  What comes meanwhile is read before
 * our timer where it came in the first part; where it came in the second, the timer was already
 * chosen to fire and finds it in the socket. */
static const struct late_case {
	const char *label, *outcome;
	unsigned    limit_ms, block_ms;
} late_cases[] = {
	{ "late", "ok", 300, 250 }, { "late", "ok", 60, 100 }, { "tc-late", "ok", 600, 450 },
	{ "tc-late", "ok", 60, 100 }, { "silent", "agent-late", 300, 250 },
	{ "tc-silent", "agent-late", 450, 350 },
	{ "silent", "timeout", 300, 15 }, /* late, but long before the deadline */
};

static void
test_our_own_loop_is_late(void **state)
{
	for (size_t i = 0; i < sizeof(late_cases) / sizeof(late_cases[0]); i++) {
		struct trial trial;
		char         host[80];

		snprintf(host, sizeof(host), "%s.held-%zu.example", late_cases[i].label, i);
		init_trial(&trial, support_odd_dns_port(odd), host);
		trial.ask.limit_ms = late_cases[i].limit_ms;
		trial.block_ms = late_cases[i].block_ms;
		run_trial(&trial);
		print_message(
		    "%s: %s, %s\n", host, outcome_name(trial.dns.outcome), trial.dns.detail);
		assert_string_equal(outcome_name(trial.dns.outcome), late_cases[i].outcome);
		fini_trial(&trial);
	}
}

/* Beside the good answer over UDP the question over TCP on its own. */
static const struct alone_case {
	const char *label, *tcp_outcome;
	bool        differs;
	const char *detail;
} alone_cases[] = {
	{ "good", "ok", false, "" },
	{ "tc", "ok", false, "" },
	{ "tcp-other", "ok", true, "" },
	{ "tcp-nxdomain", "nxdomain", true, "" },
	{ "tcp-formerr", "ok", false, "" },
	{ "tcp-notimp", "dns-other", true, "" },
	{ "tcp-late", "ok", false, "" },
	{ "tcp-silent", "timeout", false,
	    "asked over TCP: waiting for the answer until the deadline" },
	{ "tcp-close", "closed", false,
	    "asked over TCP: waiting for the answer: the server closed the connection" },
	{ "tcp-reset", "reset", false,
	    "asked over TCP: waiting for the answer: Connection reset by peer" },
	{ "tcp-tc", "broke-protocol", false, "asked over TCP: a truncated answer" },
	{ "tcp-wrong-id", "broke-protocol", false,
	    "asked over TCP: an answer to another question" },
	{ "tcp-malformed", "broke-protocol", false,
	    "asked over TCP: malformed answer: answer record 2 of 2: Packet size overflow" },
};

static void
test_tcp_on_its_own(void **state)
{
	for (size_t i = 0; i < sizeof(alone_cases) / sizeof(alone_cases[0]); i++) {
		const struct alone_case *want = &alone_cases[i];
		struct trial             trial;
		char                     host[80];

		snprintf(host, sizeof(host), "%s.alone.example", want->label);
		init_trial(&trial, support_odd_dns_port(odd), host);
		trial.ask.limit_ms = 300;
		trial.ask.tcp_too = true;
		run_trial(&trial);
		print_message("%s: %s, %s\n", want->label, outcome_name(trial.dns.tcp_outcome),
		    trial.dns.detail);
		assert_string_equal(outcome_name(trial.dns.outcome), "ok");
		assert_string_equal(outcome_name(trial.dns.tcp_outcome), want->tcp_outcome);
		assert_int_equal(trial.dns.tcp_differs, want->differs);
		assert_string_equal(trial.dns.detail, want->detail);
		if (strstr(want->label, "late") != NULL)
			assert_in_range(trial.dns.tcp_us, 150000, 250000);
		else if (strstr(want->label, "silent") != NULL)
			assert_in_range(trial.dns.tcp_us, 299000, 500000);
		else
			assert_in_range(trial.dns.tcp_us, 1, 100000);
		assert_true(
		    strstr(want->label, "tc") == want->label || trial.dns.took_us < 100000);
		fini_trial(&trial);
	}
}

static void
test_tcp_on_its_own_where_nobody_listens(void **state)
{
	struct trial trial;

	init_trial(&trial, support_odd_dns_port(odd_without_tcp), "good.alone.example");
	trial.ask.tcp_too = true;
	run_trial(&trial);
	assert_string_equal(outcome_name(trial.dns.outcome), "ok");
	assert_string_equal(outcome_name(trial.dns.tcp_outcome), "refused");
	assert_string_equal(trial.dns.detail, "asked over TCP: connecting: Connection refused");
	fini_trial(&trial);
}

/* The loop is held up beyond the deadline: the answer is there, or nothing can be said. */
static void
test_tcp_on_its_own_and_our_loop_late(void **state)
{
	static const struct {
		const char *host, *tcp_outcome;
		unsigned    limit_ms, block_ms;
	} cases[] = { { "tcp-late.held.example", "ok", 400, 300 },
		{ "tcp-late.held.example", "ok", 60, 100 },
		{ "tcp-silent.held.example", "agent-late", 400, 300 } };

	for (size_t i = 0; i < 3; i++) {
		struct trial trial;

		init_trial(&trial, support_odd_dns_port(odd), cases[i].host);
		trial.ask.tcp_too = true;
		trial.ask.limit_ms = cases[i].limit_ms;
		trial.block_ms = cases[i].block_ms;
		run_trial(&trial);
		assert_string_equal(outcome_name(trial.dns.tcp_outcome), cases[i].tcp_outcome);
		fini_trial(&trial);
	}
}

static void
test_tcp_is_asked_only_when_wanted(void **state)
{
	struct trial trial;

	init_trial(&trial, support_odd_dns_port(odd), "tcp-other.unwanted.example");
	run_trial(&trial);
	assert_int_equal(trial.dns.tcp_outcome, OUTCOME_NOT_RUN);
	assert_false(trial.dns.tcp_differs);
	fini_trial(&trial);
}

/* What the odd answers look like in the record beyond their outcome. */
static const struct evidence_case {
	const char *label;
	unsigned    flags;
	size_t      size; /* without the name */
	bool        edns_dropped, case_lost;
	unsigned    udp_payload, foreign;
	const char *nsid;
} evidence[] = {
	{ "good", 0x8180, 36, false, false, 0, 0, "" },
	{ "silent", 0, 0, false, false, 0, 0, NULL },
	{ "malformed", 0x8180, 36, false, false, 0, 0, NULL },
	{ "servfail", 0x8182, 45, false, false, 1232, 0, "" },
	{ "edns-formerr", 0x8180, 36, true, false, 0, 0, "" },
	{ "edns-silent", 0x8180, 36, true, false, 0, 0, "" },
	{ "formerr", 0x8181, 20, false, false, 0, 0, "" },
	{ "lower-case", 0x8180, 36, false, true, 0, 0, "" },
	{ "tc", 0x8180, 36, false, false, 0, 0, "" },
	{ "tc-close", 0x8380, 20, false, false, 0, 0, NULL },
	{ "huge", 0, 0, false, false, 0, 0, NULL },
	{ "nsid", 0x8180, 55, false, false, 4096, 0, "ns-7" },
	{ "foreign", 0x8180, 53, false, false, 0, 1, "" },
};

static void
check_evidence(const struct evidence_case *want, bool keep_raw)
{
	struct trial trial;
	char         host[80];
	uint8_t      raw[100];
	size_t       size;

	snprintf(host, sizeof(host), "%s.seen.example", want->label);
	size = want->size > 0 ? want->size + strlen(host) - 2 : 0;
	init_trial(&trial, support_odd_dns_port(odd), host);
	trial.ask.limit_ms = 300;
	trial.ask.keep_raw = keep_raw;
	run_trial(&trial);
	print_message("%s\n", want->label);
	assert_int_equal(trial.dns.flags, want->flags);
	assert_int_equal(trial.dns.size, size);
	assert_int_equal(trial.dns.edns_dropped, want->edns_dropped);
	assert_int_equal(trial.dns.case_lost, want->case_lost);
	assert_int_equal(trial.dns.udp_payload, want->udp_payload);
	assert_int_equal(trial.dns.foreign, want->foreign);
	if (want->nsid == NULL)
		assert_null(trial.dns.nsid);
	else
		assert_string_equal(trial.dns.nsid, want->nsid);
	if (!keep_raw || size == 0) {
		assert_string_equal(trial.dns.raw, "");
	} else {
		assert_true(base64_decode(trial.dns.raw, strlen(trial.dns.raw), raw, size));
		assert_int_equal(raw[2] << 8 | raw[3], want->flags);
		assert_int_equal(raw[12], strlen(want->label));
	}
	fini_trial(&trial);
}

static void
test_evidence(void **state)
{
	for (size_t i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++) {
		check_evidence(&evidence[i], true);
		check_evidence(&evidence[i], false);
	}
}

static bool
allow_none(void *arg, const struct addr *peer)
{
	++*(unsigned *)arg;
	return false;
}

static void
test_policy_is_asked_before_connect(void **state)
{
	struct trial trial;
	unsigned     asked = 0;

	init_trial(&trial, support_odd_dns_port(odd), "good.policy.example");
	trial.ask.tcp_too = true;
	trial.options.allows = allow_none;
	trial.options.allows_arg = &asked;
	run_trial(&trial);
	assert_string_equal(outcome_name(trial.dns.outcome), "policy");
	assert_string_equal(outcome_name(trial.dns.aaaa_outcome), "policy");
	assert_non_null(strstr(trial.dns.detail, "policy does not allow 127.0.0.1:"));
	assert_string_equal(outcome_name(trial.dns.tcp_outcome), "policy");
	assert_int_equal(asked, 3);
	assert_int_equal(trial.dns.tries, 0);
	fini_trial(&trial);
}

static void
test_source_is_bound(void **state)
{
	struct trial trial;
	struct err   err;

	init_trial(&trial, support_odd_dns_port(odd), "who.source.example");
	assert_true(addr_parse(&trial.options.source, "127.0.0.77", 0, &err));
	run_trial(&trial);
	assert_string_equal(trial.dns.addresses[0].address, "127.0.0.77");
	fini_trial(&trial);
}

static void
test_source_that_cannot_be_bound(void **state)
{
	static const char *const sources[] = { "192.0.2.7", "::1" };

	for (size_t i = 0; i < 2; i++) {
		struct trial trial;
		struct err   err;

		init_trial(&trial, support_odd_dns_port(odd), "who.source.example");
		assert_true(addr_parse(&trial.options.source, sources[i], 0, &err));
		run_trial(&trial);
		assert_string_equal(outcome_name(trial.dns.outcome), "local");
		assert_non_null(strstr(trial.dns.detail, "opening a UDP socket: "));
		fini_trial(&trial);
	}
}

static void
test_a_host_that_is_no_name(void **state)
{
	struct trial trial;

	init_trial(&trial, support_odd_dns_port(odd), "a..b");
	trial.ask.tcp_too = true;
	run_trial(&trial);
	assert_string_equal(outcome_name(trial.dns.outcome), "local");
	assert_string_equal(outcome_name(trial.dns.tcp_outcome), "local");
	assert_non_null(
	    strstr(trial.dns.detail, "'a..b' is not a domain name; asked over TCP"));
	fini_trial(&trial);
}

static unsigned
count_descriptors(void)
{
	DIR     *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

/* Cancelled before it runs, while it waits for UDP, and while it waits for TCP. */
static void
test_cancel(void **state)
{
	static const struct {
		const char *host;
		unsigned    rounds;
	} cases[] = { { "silent.cancel.example", 0 }, { "silent.cancel.example", 1 },
		{ "tc-silent.cancel.example", 8 } };
	unsigned before = count_descriptors();

	for (size_t i = 0; i < 3; i++) {
		struct trial  trial;
		struct probe *probe;
		struct err    err;

		init_trial(&trial, support_odd_dns_port(odd_without_tcp), cases[i].host);
		trial.ask.tcp_too = true;
		if (i == 2)
			trial.ask.peer.port = support_odd_dns_port(odd);
		trial.probes = probes_new(&trial.options, &err);
		trial.ask.dns = &trial.dns;
		trial.ask.arg = &trial.over;
		probe = probe_start(trial.probes, &trial.ask);
		for (unsigned round = 0; round < cases[i].rounds; round++) {
			loop_run_once(loop, false);
			usleep(5000);
		}
		probe_cancel(probe);
		for (unsigned round = 0; round < 4; round++)
			loop_run_once(loop, false);
		assert_false(trial.over);
		fini_trial(&trial);
	}
	/* The odd server holds three connections. */
	assert_in_range(count_descriptors(), before, before + 3);
}

static void
test_no_descriptors_left(void **state)
{
	struct rlimit old, none = { .rlim_cur = 3 };
	struct trial  trial;

	init_trial(&trial, support_odd_dns_port(odd), "good.descriptors.example");
	getrlimit(RLIMIT_NOFILE, &old);
	none.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_NOFILE, &none);
	run_trial(&trial);
	setrlimit(RLIMIT_NOFILE, &old);
	assert_string_equal(outcome_name(trial.dns.outcome), "local");
	assert_non_null(strstr(trial.dns.detail, "Too many open files"));
	fini_trial(&trial);
}

#define FOUR "192.0.2.1:53"
#define SIX  "[2001:db8::1]:53"

/* What stands between us and the resolver. */
static const struct route_case {
	const char *name, *peer, *setup, *outcome, *detail;
} routes[] = {
	{ "no route", FOUR, "true", "unreachable",
	    "opening a UDP socket: Network is unreachable" },
	{ "route that says unreachable", FOUR,
	    "ip link set lo up && ip route add unreachable 192.0.2.0/24", "unreachable",
	    "opening a UDP socket: No route to host" },
	{ "route that prohibits", FOUR,
	    "ip link set lo up && ip route add prohibit 192.0.2.0/24", "unreachable",
	    "opening a UDP socket: Permission denied" },
	{ "ICMP host unreachable", FOUR,
	    "ip link set lo up && ip route add local 192.0.2.0/24 dev lo && nft -f - <<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook input priority 0\n"
	    "  udp dport 53 reject with icmp type host-unreachable\n }\n}\nEOF",
	    "unreachable", "waiting for the answer: No route to host, says 192.0.2.1 by ICMP" },
	{ "ICMP administratively prohibited", FOUR,
	    "ip link set lo up && ip route add local 192.0.2.0/24 dev lo && nft -f - <<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook input priority 0\n"
	    "  udp dport 53 reject with icmp type admin-prohibited\n }\n}\nEOF",
	    "unreachable", "waiting for the answer: No route to host, says 192.0.2.1 by ICMP" },
	{ "dropped on the way", FOUR,
	    "ip link set lo up && ip route add local 192.0.2.0/24 dev lo && nft -f - <<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook input priority 0\n"
	    "  udp dport 53 drop\n }\n}\nEOF",
	    "timeout", "no answer within 900 ms, asked 3 times" },
	{ "dropped by the machine's own filter", FOUR,
	    "ip link set lo up && ip route add local 192.0.2.0/24 dev lo && nft -f - <<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook output priority 0\n"
	    "  udp dport 53 drop\n }\n}\nEOF",
	    "unreachable", "sending the question: Operation not permitted" },
	{ "ICMPv6 address unreachable", SIX,
	    "ip link set lo up && ip -6 route add local 2001:db8::/64 dev lo && nft -f - "
	    "<<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook input priority 0\n"
	    "  udp dport 53 reject with icmpv6 type addr-unreachable\n }\n}\nEOF",
	    "unreachable", "waiting for the answer: No route to host, says ::1 by ICMP" },
	{ "ICMPv6 administratively prohibited", SIX,
	    "ip link set lo up && ip -6 route add local 2001:db8::/64 dev lo && nft -f - "
	    "<<'EOF'\n"
	    "table inet t {\n chain c {\n  type filter hook input priority 0\n"
	    "  udp dport 53 reject with icmpv6 type admin-prohibited\n }\n}\nEOF",
	    "unreachable", "waiting for the answer: Permission denied, says ::1 by ICMP" },
};

enum { CHILD_GOOD, CHILD_BAD, CHILD_NO_NAMESPACE };

/* In a network of its own, in a process of its own. */
static int
run_route(const struct route_case *want)
{
	struct trial trial;
	struct err   err;
	int          how;

	if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return CHILD_NO_NAMESPACE;
	if (system(want->setup) != 0 || !loop_reinit(loop, &err))
		return CHILD_NO_NAMESPACE;
	init_trial(&trial, 53, "a.example");
	if (!addr_parse(&trial.ask.peer, want->peer, 53, &err))
		return CHILD_BAD;
	run_trial(&trial);
	how = strcmp(outcome_name(trial.dns.outcome), want->outcome) == 0 &&
	        strcmp(trial.dns.detail, want->detail) == 0
	    ? CHILD_GOOD
	    : CHILD_BAD;
	if (how == CHILD_BAD)
		fprintf(stderr, "%s: %s, %s\n", want->name, outcome_name(trial.dns.outcome),
		    trial.dns.detail);
	fini_trial(&trial);
	return how;
}

static void
test_ways_to_be_unreachable(void **state)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		int   how;
		pid_t child = fork();

		if (child == 0)
			_exit(run_route(&routes[i]));
		assert_int_equal(waitpid(child, &how, 0), child);
		print_message("%s\n", routes[i].name);
		assert_true(WIFEXITED(how));
		if (WEXITSTATUS(how) == CHILD_NO_NAMESPACE) {
			print_message("no network namespace or nft here: skipped\n");
			skip();
		}
		assert_int_equal(WEXITSTATUS(how), CHILD_GOOD);
	}
}

static int
start_all(void **state)
{
	struct err err;

	loop = loop_new(&err);
	odd = support_odd_dns_new(true);
	odd_without_tcp = support_odd_dns_new(false);
	return 0;
}

static int
stop_all(void **state)
{
	support_odd_dns_free(odd);
	support_odd_dns_free(odd_without_tcp);
	loop_free(loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_no_tcp_behind_truncation),
		cmocka_unit_test(test_slow_answer_to_the_first_question),
		cmocka_unit_test(test_our_own_loop_is_late),
		cmocka_unit_test(test_tcp_on_its_own),
		cmocka_unit_test(test_tcp_on_its_own_where_nobody_listens),
		cmocka_unit_test(test_tcp_on_its_own_and_our_loop_late),
		cmocka_unit_test(test_tcp_is_asked_only_when_wanted),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_policy_is_asked_before_connect),
		cmocka_unit_test(test_source_is_bound),
		cmocka_unit_test(test_source_that_cannot_be_bound),
		cmocka_unit_test(test_a_host_that_is_no_name),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_no_descriptors_left),
		cmocka_unit_test(test_ways_to_be_unreachable),
	};

	return cmocka_run_group_tests(tests, start_all, stop_all);
}
