/* The sweep against real NSD, a server that is wrong in named ways, and one that counts. */
#include "probe/dns/sweep.h"

#include "base/arena.h"
#include "tests/support/support_dns.h"
#include "tests/support/support_odd_dns.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 600, RESULTS_MAX = 6000, HEAD = 12 };

static struct loop            *loop;
static struct support_odd_dns *odd;

/* A name server of our own in the same loop, which counts, and answers 10.9.0.1 if it likes. */
struct counter {
	int               fd;
	struct loop_watch watch;
	bool              silent;
	unsigned          asked;
	uint16_t          ports[RESULTS_MAX], ids[RESULTS_MAX];
	char              names[RESULTS_MAX][8]; /* how each begins */
};

struct seen {
	char         host[64];
	size_t       resolver;
	enum outcome how;
	unsigned     rcode, tries, strays, flags;
	size_t       size;
	uint32_t     ttl_s;
	struct addr  addr;
	bool         truncated, case_changed;
	int          transport;
	char         detail[160], target[64];
};

/* One sweep. */
struct trial {
	struct sweep_options options;
	struct addr          resolvers[3];
	const char *const   *hosts; /* NULL: "n0.example", "n1.example" and so on */
	unsigned             wanted, given, over, most_ahead;
	char                 host[300];
	struct sweep        *sweep;
	struct sweep_stats   stats;
	struct seen         *seen;
	size_t               seen_count;
};

static int
start_all(void **state)
{
	struct err err;

	loop = loop_new(&err);
	odd = support_odd_dns_new(true);
	return 0;
}

static int
stop_all(void **state)
{
	support_odd_dns_free(odd);
	loop_free(loop);
	return 0;
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

static struct addr
at_port(uint16_t port)
{
	return (struct addr){ 4, { 127, 0, 0, 1 }, port, 0 };
}

static void
answer_one(struct counter *counter)
{
	static const uint8_t record[16] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 9, 0,
		1 };
	struct sockaddr_in   from;
	socklen_t            from_bytes = sizeof(from);
	uint8_t              bytes[600];
	ssize_t              count = recvfrom(
	                 counter->fd, bytes, 500, 0, (struct sockaddr *)&from, &from_bytes);

	assert_true(count > HEAD);
	if (counter->asked < RESULTS_MAX) {
		counter->ports[counter->asked] = ntohs(from.sin_port);
		counter->ids[counter->asked] = (uint16_t)(bytes[0] << 8 | bytes[1]);
		memcpy(counter->names[counter->asked], bytes + HEAD + 1, 7);
	}
	counter->asked++;
	if (counter->silent)
		return;
	bytes[2] |= 0x80;
	bytes[7] = 1;
	memcpy(bytes + count, record, sizeof(record));
	sendto(counter->fd, bytes, (size_t)count + sizeof(record), 0, (struct sockaddr *)&from,
	    from_bytes);
}

static void
on_question(void *arg, unsigned what)
{
	answer_one(arg);
}

static struct addr
open_counter(struct counter *counter, bool silent)
{
	struct sockaddr_in name = { .sin_family = AF_INET };
	socklen_t          bytes = sizeof(name);

	memset(counter, 0, sizeof(*counter));
	counter->silent = silent;
	counter->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(counter->fd, (struct sockaddr *)&name, sizeof(name)), 0);
	getsockname(counter->fd, (struct sockaddr *)&name, &bytes);
	loop_watch_init(&counter->watch, loop, on_question, counter);
	loop_watch_keep(&counter->watch, counter->fd, LOOP_READ);
	return at_port(ntohs(name.sin_port));
}

static void
close_counter(struct counter *counter)
{
	loop_watch_fini(&counter->watch);
	close(counter->fd);
}

static bool
next(void *arg, struct sweep_name *name)
{
	struct trial *trial = arg;
	unsigned      i = trial->given;
	unsigned      ahead;

	if (i == trial->wanted)
		return false;
	trial->given++;
	ahead = trial->given - (unsigned)(trial->seen_count / trial->options.resolver_count);
	if (ahead > trial->most_ahead)
		trial->most_ahead = ahead;
	if (trial->hosts != NULL)
		snprintf(trial->host, sizeof(trial->host), "%s", trial->hosts[i]);
	else
		snprintf(trial->host, sizeof(trial->host), "n%u.example", i);
	*name = (struct sweep_name){ trial->host, (void *)(uintptr_t)i };
	return true;
}

static void
copy_answer(struct seen *seen, const struct dns_answer *answer)
{
	seen->rcode = answer->rcode;
	if (answer->alias_count > 0)
		snprintf(seen->target, sizeof(seen->target), "%s", answer->aliases[0].target);
	if (answer->address_count > 0) {
		seen->addr = answer->addresses[0].addr;
		seen->ttl_s = answer->addresses[0].ttl_s;
	}
}

static void
on_answer(void *arg, const struct sweep_result *result)
{
	struct trial           *trial = arg;
	const struct dns_heard *heard = &result->heard;
	struct seen            *seen = &trial->seen[trial->seen_count++];

	assert_true(trial->seen_count <= RESULTS_MAX);
	*seen = (struct seen){ .resolver = result->resolver,
		.how = heard->how,
		.tries = heard->tries,
		.strays = heard->strays,
		.flags = heard->flags,
		.size = heard->size,
		.truncated = heard->truncated,
		.case_changed = heard->case_changed,
		.transport = (int)heard->transport };
	snprintf(seen->host, sizeof(seen->host), "%s", result->host);
	snprintf(seen->detail, sizeof(seen->detail), "%s",
	    heard->detail != NULL ? heard->detail : "");
	if (heard->answer != NULL)
		copy_answer(seen, heard->answer);
	trial->stats = sweep_stats(trial->sweep);
}

static void
on_over(void *arg)
{
	((struct trial *)arg)->over++;
}

static struct trial *
new_trial(struct addr resolver, unsigned names)
{
	struct trial *trial = mem_alloc(sizeof(*trial));

	trial->seen = mem_array(RESULTS_MAX + 1, sizeof(*trial->seen));
	trial->resolvers[0] = resolver;
	trial->wanted = names;
	trial->options = (struct sweep_options){ .loop = loop,
		.clock = clock_system(),
		.resolvers = trial->resolvers,
		.resolver_count = 1,
		.limit_ms = LIMIT_MS,
		.next = next,
		.on_answer = on_answer,
		.on_over = on_over,
		.arg = trial };
	return trial;
}

static void
begin(struct trial *trial)
{
	struct err err;

	trial->sweep = sweep_start(&trial->options, &err);
	assert_non_null(trial->sweep);
	assert_int_equal(trial->given, 0); /* nothing before the loop runs */
}

static void
run(struct trial *trial)
{
	begin(trial);
	while (trial->over == 0)
		loop_run_once(loop, true);
	assert_int_equal(trial->over, 1);
	assert_int_equal(trial->seen_count, trial->given * trial->options.resolver_count);
}

static void
run_for(int64_t ms)
{
	int64_t until_us = clock_mono_us(clock_system()) + ms * US_PER_MS;

	while (clock_mono_us(clock_system()) < until_us) {
		loop_run_once(loop, false);
		usleep(1000);
	}
}

static void
free_trial(struct trial *trial)
{
	free(trial->seen);
	free(trial);
}

static unsigned
count_outcome(const struct trial *trial, size_t resolver, enum outcome how)
{
	unsigned count = 0;

	for (size_t i = 0; i < trial->seen_count; i++)
		count += trial->seen[i].resolver == resolver && trial->seen[i].how == how;
	return count;
}

static const struct odd_case {
	const char  *label;
	enum outcome how;
	unsigned     rcode, transport, tries, least_strays;
	bool         truncated, case_changed;
	const char  *detail; /* a part of it */
} odd_cases[] = {
	{ "good", OUTCOME_OK, 0, TRANSPORT_UDP, 1, 0, false, false, "" },
	{ "silent", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 0, false, false,
	    "no answer within 600 ms, asked 2 times" },
	{ "wrong-id", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 2, false, false,
	    "asked 2 times, 2 stray datagrams" },
	{ "wrong-question", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 2, false, false, "stray" },
	{ "no-answer", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 2, false, false, "stray" },
	{ "nonsense-first", OUTCOME_OK, 0, TRANSPORT_UDP, 1, 20, false, false, "" },
	{ "flood", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 100, false, false, "stray" },
	{ "from-elsewhere", OUTCOME_OK, 0, TRANSPORT_UDP, 1, 1, false, false, "" },
	{ "malformed", OUTCOME_BROKE_PROTOCOL, 0, TRANSPORT_UDP, 1, 0, false, false,
	    "malformed answer: answer record 2 of 2: a name at byte" },
	{ "many-records", OUTCOME_TOO_LARGE, 0, TRANSPORT_UDP, 1, 0, false, false,
	    "at most 64 are taken" },
	{ "huge", OUTCOME_TOO_LARGE, 0, TRANSPORT_NONE, 1, 0, false, false, "larger" },
	{ "lose-first", OUTCOME_OK, 0, TRANSPORT_UDP, 2, 0, false, false, "" },
	{ "fresh-repeat", OUTCOME_OK, 0, TRANSPORT_UDP, 2, 0, false, false, "" },
	{ "lower-case", OUTCOME_OK, 0, TRANSPORT_UDP, 2, 0, false, true, "" },
	{ "upper-case", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 2, 1, false, true, "stray" },
	{ "formerr", OUTCOME_OK, 1, TRANSPORT_UDP, 1, 0, false, false, "" },
	{ "bare-formerr", OUTCOME_OK, 1, TRANSPORT_UDP, 1, 0, false, false, "" },
	{ "servfail", OUTCOME_OK, 2, TRANSPORT_UDP, 1, 0, false, false, "" },
	{ "tc", OUTCOME_OK, 0, TRANSPORT_TCP, 1, 0, true, false, "" },
	{ "tc-64k", OUTCOME_OK, 0, TRANSPORT_TCP, 1, 0, true, false, "" },
	{ "tc-silent", OUTCOME_TIMEOUT, 0, TRANSPORT_NONE, 1, 0, true, false,
	    "over TCP, waiting for the answer until the deadline" },
	{ "tc-close", OUTCOME_CLOSED, 0, TRANSPORT_NONE, 1, 0, true, false,
	    "the server closed the connection" },
	{ "tc-reset", OUTCOME_RESET, 0, TRANSPORT_NONE, 1, 0, true, false,
	    "Connection reset by peer" },
	{ "tc-tc", OUTCOME_BROKE_PROTOCOL, 0, TRANSPORT_NONE, 1, 0, true, false,
	    "truncated over UDP and over TCP" },
	{ "tc-wrong-id", OUTCOME_BROKE_PROTOCOL, 0, TRANSPORT_NONE, 1, 0, true, false,
	    "over TCP an answer to another question" },
	{ "tc-malformed", OUTCOME_BROKE_PROTOCOL, 0, TRANSPORT_TCP, 1, 0, true, false,
	    "malformed answer" },
};

static void
check_odd(const struct odd_case *want)
{
	struct trial      *trial = new_trial(at_port(support_odd_dns_port(odd)), 1);
	char               host[80];
	const char *const  hosts[] = { host };
	const struct seen *seen = trial->seen;

	snprintf(host, sizeof(host), "%s.Swept.example.", want->label);
	trial->hosts = hosts;
	run(trial);
	print_message("%s: %s, %u tries, %u strays, %s\n", want->label, outcome_name(seen->how),
	    seen->tries, seen->strays, seen->detail);
	assert_int_equal(seen->how, want->how);
	assert_int_equal(seen->rcode, want->rcode);
	assert_int_equal(seen->transport, want->transport);
	assert_int_equal(seen->tries, want->tries);
	assert_true(seen->strays >= want->least_strays);
	if (want->least_strays == 0)
		assert_int_equal(seen->strays, 0);
	assert_int_equal(seen->truncated, want->truncated);
	assert_int_equal(seen->case_changed, want->case_changed);
	assert_non_null(strstr(seen->detail, want->detail));
	snprintf(host, sizeof(host), "%s.swept.example", want->label);
	assert_string_equal(seen->host, host);
	if (seen->how == OUTCOME_OK && seen->rcode == 0)
		assert_memory_equal(seen->addr.bytes, "\x0a\x09\x00\x01", 4);
	if (seen->transport != TRANSPORT_NONE)
		assert_true(seen->size >= HEAD && (seen->flags & 0x8000) != 0);
	free_trial(trial);
}

static void
test_odd_answers(void **state)
{
	for (size_t i = 0; i < sizeof(odd_cases) / sizeof(odd_cases[0]); i++)
		check_odd(&odd_cases[i]);
}

/* All of them at once: none hurts another. */
static void
test_odd_side_by_side(void **state)
{
	size_t        count = sizeof(odd_cases) / sizeof(odd_cases[0]);
	struct trial *trial = new_trial(at_port(support_odd_dns_port(odd)), (unsigned)count);
	static char   texts[64][80];
	const char   *hosts[64];
	unsigned      wrong = 0;

	for (size_t i = 0; i < count; i++) {
		snprintf(texts[i], sizeof(texts[i]), "%s.beside.example", odd_cases[i].label);
		hosts[i] = texts[i];
	}
	trial->hosts = hosts;
	run(trial);
	for (size_t i = 0; i < trial->seen_count; i++) {
		for (size_t j = 0; j < count; j++) {
			if (strcmp(trial->seen[i].host, hosts[j]) == 0 &&
			    trial->seen[i].how != odd_cases[j].how)
				wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	free_trial(trial);
}

static const struct support_dns_zone zones[] = {
	{ "example",
	    "$TTL 300\n@ IN SOA a. b. 1 3600 600 86400 60\n@ IN NS a.\n"
	    "*.held IN CNAME one.privatelink\none.privatelink IN A 10.0.0.5\n" },
};

/* Real NSD, more names than the window, and no end to the sockets' use. */
static void
test_nsd(void **state)
{
	struct support_dns *nsd = support_dns_nsd(zones, 1);
	struct trial       *trial = new_trial(at_port(support_dns_port(nsd)), 5000);
	unsigned            descriptors = count_descriptors();

	trial->options.window = 32;
	run(trial);
	for (size_t i = 0; i < trial->seen_count; i++) {
		assert_int_equal(trial->seen[i].how, OUTCOME_OK);
		assert_int_equal(trial->seen[i].rcode, DNS_RCODE_NXDOMAIN);
	}
	print_message("%llu names, %llu sent, at most %u under way, %u sockets\n",
	    (unsigned long long)trial->stats.names, (unsigned long long)trial->stats.sent,
	    trial->stats.under_way_most, trial->stats.sockets_most);
	assert_int_equal(trial->stats.names, 5000);
	assert_int_equal(trial->stats.sent, 5000);
	assert_int_equal(trial->stats.under_way_most, 32);
	assert_true(trial->most_ahead <= 32);
	assert_true(trial->stats.sockets_most <= 32);
	assert_int_equal(count_descriptors(), descriptors);
	free_trial(trial);
	support_dns_free(nsd);
}

static void
test_chain(void **state)
{
	static const char *const hosts[] = { "x.held.example", "one.privatelink.example" };
	struct support_dns      *nsd = support_dns_nsd(zones, 1);
	struct trial            *trial = new_trial(at_port(support_dns_port(nsd)), 2);

	trial->hosts = hosts;
	trial->options.window = 1;
	run(trial);
	assert_string_equal(trial->seen[0].target, "one.privatelink.example");
	assert_string_equal(trial->seen[1].target, "");
	for (unsigned i = 0; i < 2; i++) {
		assert_string_equal(trial->seen[i].host, hosts[i]);
		assert_memory_equal(trial->seen[i].addr.bytes, "\x0a\x00\x00\x05", 4);
		assert_int_equal(trial->seen[i].ttl_s, 300);
	}
	free_trial(trial);
	support_dns_free(nsd);
}

/* Names go out in the order in which they come, each from a port and with an id of its own. */
static void
test_order_and_ports(void **state)
{
	static struct counter counter;
	struct trial         *trial = new_trial(open_counter(&counter, false), 1000);
	unsigned              same_port = 0, next_port = 0, same_id = 0;
	char                  name[16];

	trial->options.window = 8;
	run(trial);
	assert_int_equal(counter.asked, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(strncasecmp(counter.names[i], name, strlen(name)), 0);
		for (unsigned j = i + 1; j < i + 8 && j < 1000; j++)
			same_port += counter.ports[i] == counter.ports[j];
		if (i + 8 < 1000) {
			next_port += abs(counter.ports[i] - counter.ports[i + 8]) < 8;
			same_id += counter.ids[i] == counter.ids[i + 8];
		}
	}
	/* By chance 7 * 1000 / 28000, 1000 * 15 / 28000, 1000 / 65536. */
	print_message("%u equal ports near, %u near ports, %u equal ids\n", same_port,
	    next_port, same_id);
	assert_true(same_port < 10 && next_port < 10 && same_id < 4);
	assert_true(trial->stats.sockets_most <= 8);
	close_counter(&counter);
	free_trial(trial);
}

/* A resolver that says nothing gets a window of questions and few more; the other gets all. */
static void
test_dead_resolver(void **state)
{
	static struct counter dead, alive;
	struct trial         *trial = new_trial(open_counter(&dead, true), 500);
	int64_t               started_us = clock_mono_us(clock_system());
	int64_t               took_ms;

	trial->resolvers[1] = open_counter(&alive, false);
	trial->options.resolver_count = 2;
	trial->options.window = 20;
	run(trial);
	took_ms = (clock_mono_us(clock_system()) - started_us) / US_PER_MS;
	print_message("the dead was asked %u times, %u timeouts, %u not asked, %lld ms\n",
	    dead.asked, count_outcome(trial, 0, OUTCOME_TIMEOUT),
	    count_outcome(trial, 0, OUTCOME_NOT_RUN), (long long)took_ms);
	assert_int_equal(count_outcome(trial, 1, OUTCOME_OK), 500);
	assert_int_equal(alive.asked, 500);
	assert_true(dead.asked >= 20 && dead.asked <= 20 + SWEEP_SILENT_MAX);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_TIMEOUT), 20);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_NOT_RUN), 480);
	assert_true(took_ms < 2 * LIMIT_MS);
	close_counter(&dead);
	close_counter(&alive);
	free_trial(trial);
}

/* Names without an answer do not silence a resolver that answers the others. */
static void
test_dead_names(void **state)
{
	static const char *hosts[SWEEP_SILENT_MAX + 60];
	struct trial      *trial;
	size_t             count = sizeof(hosts) / sizeof(hosts[0]);

	for (size_t i = 0; i < count; i++)
		hosts[i] = i < SWEEP_SILENT_MAX ? "silent.swept.example" : "good.swept.example";
	trial = new_trial(at_port(support_odd_dns_port(odd)), (unsigned)count);
	trial->hosts = hosts;
	trial->options.queries_per_s = 40;
	run(trial);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_NOT_RUN), 0);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_TIMEOUT), SWEEP_SILENT_MAX);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_OK), 60);
	free_trial(trial);
}

/* Nobody listens: that is said at once, and a few times only. */
static void
test_refused(void **state)
{
	struct trial *trial = new_trial(at_port(support_dns_free_port()), 100);

	trial->options.window = 4;
	run(trial);
	print_message("%s\n", trial->seen[0].detail);
	assert_non_null(strstr(trial->seen[0].detail, "Connection refused"));
	assert_in_range(
	    count_outcome(trial, 0, OUTCOME_REFUSED), SWEEP_SILENT_MAX, SWEEP_SILENT_MAX + 4);
	assert_int_equal(
	    count_outcome(trial, 0, OUTCOME_REFUSED) + count_outcome(trial, 0, OUTCOME_NOT_RUN),
	    100);
	free_trial(trial);
}

/* Silence is forgotten when the resolver speaks again, of which one question makes sure. */
static int64_t ahead_us;

static int64_t
read_ahead(void *self)
{
	return clock_mono_us(clock_system()) + ahead_us;
}

static void
test_after_rest(void **state)
{
	static struct counter counter;
	struct trial         *trial = new_trial(open_counter(&counter, true), 10);
	struct clock          clock = *clock_system();
	struct err            err;
	unsigned              asked;

	clock.mono_us = read_ahead;
	trial->options.clock = &clock;
	trial->options.standing = true;
	trial->options.limit_ms = 200;
	trial->sweep = sweep_start(&trial->options, &err);
	run_for(300);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_TIMEOUT), 10);
	asked = counter.asked;
	trial->wanted = 20;
	sweep_wake(trial->sweep);
	run_for(50);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_NOT_RUN), 10);
	assert_int_equal(counter.asked, asked);
	ahead_us += SWEEP_REST_MS * US_PER_MS;
	trial->wanted = 30;
	sweep_wake(trial->sweep);
	run_for(50);
	assert_int_equal(counter.asked, asked + 1); /* one tries, the others do not */
	assert_int_equal(count_outcome(trial, 0, OUTCOME_NOT_RUN), 19);
	run_for(300);
	counter.silent = false;
	ahead_us += SWEEP_REST_MS * US_PER_MS;
	trial->wanted = 31;
	sweep_wake(trial->sweep);
	run_for(50);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_OK), 1);
	trial->wanted = 60;
	sweep_wake(trial->sweep);
	run_for(100);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_OK), 30);
	assert_int_equal(trial->over, 0); /* it stands */
	sweep_cancel(trial->sweep);
	close_counter(&counter);
	free_trial(trial);
}

/* A second's worth at once, and then the pace. */
static void
test_pace(void **state)
{
	static struct counter counter;
	struct trial         *trial = new_trial(open_counter(&counter, false), 160);
	int64_t               started_us = clock_mono_us(clock_system());
	int64_t               took_ms;
	unsigned              first;

	trial->options.queries_per_s = 100;
	begin(trial);
	run_for(50);
	first = counter.asked;
	while (trial->over == 0)
		loop_run_once(loop, true);
	took_ms = (clock_mono_us(clock_system()) - started_us) / US_PER_MS;
	print_message("%u at once, all after %lld ms\n", first, (long long)took_ms);
	assert_in_range(first, 64, 100 + 20);
	assert_in_range(took_ms, 590, 2000);
	assert_int_equal(counter.asked, 160);
	close_counter(&counter);
	free_trial(trial);
}

static void
test_cancel(void **state)
{
	static struct counter counter;
	unsigned              descriptors = count_descriptors();
	struct trial         *trial = new_trial(open_counter(&counter, true), 1000);
	size_t                heard;

	trial->options.window = 50;
	begin(trial);
	run_for(20);
	assert_int_equal(counter.asked, 50);
	heard = trial->seen_count;
	sweep_cancel(trial->sweep);
	run_for(LIMIT_MS + 100);
	assert_int_equal(trial->seen_count, heard);
	assert_int_equal(trial->over, 0);
	trial->given = 0;
	begin(trial);
	sweep_cancel(trial->sweep); /* before anything */
	sweep_cancel(NULL);
	close_counter(&counter);
	assert_int_equal(count_descriptors(), descriptors);
	free_trial(trial);
}

static bool
allow_none(void *arg, const struct addr *peer)
{
	assert_int_equal(peer->family, 4);
	++*(unsigned *)arg;
	return false;
}

static void
test_policy(void **state)
{
	static struct counter counter;
	struct trial         *trial = new_trial(open_counter(&counter, false), 3);
	unsigned              questions = 0;

	trial->options.allows = allow_none;
	trial->options.allows_arg = &questions;
	run(trial);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_POLICY), 3);
	assert_int_equal(questions, 3);
	assert_non_null(strstr(trial->seen[0].detail, "policy does not allow 127.0.0.1:"));
	assert_int_equal(counter.asked, 0);
	close_counter(&counter);
	free_trial(trial);
}

static void
test_no_names(void **state)
{
	static char              too_long[300];
	static const char *const hosts[] = { "", ".", "a..b", "a b.example", "\xc3\xa4.example",
		"label-of-sixty-four-bytes-label-of-sixty-four-bytes-label-of-six.example",
		too_long, "good.example" };
	struct trial            *trial = new_trial(at_port(support_odd_dns_port(odd)), 8);

	for (unsigned i = 0; i < 260; i++)
		too_long[i] = i % 20 == 19 ? '.' : 'a';
	trial->hosts = hosts;
	run(trial);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_LOCAL), 7);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_OK), 1);
	for (unsigned i = 0; i < 7; i++)
		assert_non_null(strstr(trial->seen[i].detail, "is no host name: "));
	free_trial(trial);
}

static void
test_nothing(void **state)
{
	struct trial *trial = new_trial(at_port(support_odd_dns_port(odd)), 0);

	run(trial);
	assert_int_equal(trial->seen_count, 0);
	free_trial(trial);
}

/* Our own loop stands still beyond the deadline: an answer that waits counts, silence does not. */
static void
test_late_loop(void **state)
{
	static const char *const hosts[] = { "good.late.example", "silent.late.example" };
	struct trial            *trial = new_trial(at_port(support_odd_dns_port(odd)), 2);

	trial->hosts = hosts;
	begin(trial);
	loop_run_once(loop, true);
	assert_int_equal(trial->given, 2);
	assert_int_equal(trial->seen_count, 0);
	usleep((LIMIT_MS + 200) * 1000);
	while (trial->over == 0)
		loop_run_once(loop, true);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_OK), 1);
	assert_int_equal(count_outcome(trial, 0, OUTCOME_AGENT_LATE), 1);
	free_trial(trial);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_odd_answers),
		cmocka_unit_test(test_odd_side_by_side),
		cmocka_unit_test(test_nsd),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_order_and_ports),
		cmocka_unit_test(test_dead_resolver),
		cmocka_unit_test(test_dead_names),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_after_rest),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_late_loop),
	};

	return cmocka_run_group_tests(tests, start_all, stop_all);
}
