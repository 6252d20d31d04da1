/* The last door before connect(), with a collector that wants out of it. */
#include "agent/egress.h"

#include "agent/learned.h"
#include "agent/policy.h"
#include "agent/policy_file.h"
#include "base/arena.h"
#include "probe/vantages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct fixture {
	struct arena      *arena;
	struct clock_hand  hand;
	struct vantages    vantages;
	struct policy_file file;
	struct agent_conf  conf;
	struct egress     *egress;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->arena = arena_new();
	clock_hand_init(&f->hand, 1790000000000);
	f->file = (struct policy_file){ .public = true,
		.outside = true,
		.direct = true,
		.names_per_minute = 6000,
		.connect_rate = 1000,
		.ports_per_address = 512 };
	f->vantages.count = 1;
	assert_true(addr_parse(&f->vantages.list[0].resolver, "10.0.0.4", 53, NULL));
	f->conf = (struct agent_conf){ .policy = &f->file,
		.vantages = &f->vantages,
		.ports = { 443, 10255 },
		.port_count = 2 };
	f->egress = egress_new(&f->hand.clock);
	egress_set(f->egress, &f->conf);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	egress_free(f->egress);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void
learn(struct fixture *f, const char *host, const char *address, bool direct)
{
	struct rdata record = { .address = address };
	struct dns   seen = { .addresses = &record, .addresses_count = 1 };

	egress_learn(f->egress, host, &seen, direct);
}

static bool
allows(struct fixture *f, const char *address)
{
	struct addr peer;

	assert_true(addr_parse(&peer, address, 0, NULL));
	return egress_allows(f->egress, &peer);
}

static const struct learn_case {
	const char *name, *host, *answer, *connect;
	bool        direct, allowed;
} learn_cases[] = {
	{ "answered", "contoso.documents.azure.com", "10.1.0.4", "10.1.0.4:443", false, true },
	{ "not answered", "contoso.documents.azure.com", "10.1.0.4", "10.1.0.5:443", false,
	    false },
	{ "port", "contoso.documents.azure.com", "10.1.0.4", "10.1.0.4:22", false, false },
	{ "port of a replica", "contoso.documents.azure.com", "10.1.0.4", "10.1.0.4:14001",
	    true, true },
	{ "other service", "contoso.blob.core.windows.net", "10.1.0.4", "10.1.0.4:443", false,
	    false },
	{ "metadata service", "contoso.documents.azure.com", "169.254.169.254",
	    "169.254.169.254:443", true, false },
	{ "metadata service, mapped", "contoso.documents.azure.com", "::ffff:169.254.169.254",
	    "[::ffff:a9fe:a9fe]:443", true, false },
	{ "metadata service, translated", "contoso.documents.azure.com", "64:ff9b::a9fe:a9fe",
	    "[64:ff9b::a9fe:a9fe]:443", true, false },
	{ "platform", "contoso.documents.azure.com", "168.63.129.16", "168.63.129.16:80", true,
	    false },
	{ "loopback", "contoso.documents.azure.com", "127.0.0.1", "127.0.0.1:443", true,
	    false },
	{ "rebinding", "contoso.documents.azure.com", "10.1.0.4", "127.0.0.1:443", false,
	    false },
	{ "resolver", "contoso.documents.azure.com", "10.1.0.4", "10.0.0.4:53", false, true },
	{ "resolver's other port", "contoso.documents.azure.com", "10.1.0.4", "10.0.0.4:443",
	    false, false },
};

static const struct proxy_case {
	const char *proxy, *connect;
	bool        allowed;
} proxy_cases[] = {
	{ "", "10.9.0.9:3128", false },
	{ "http://10.9.0.9:3128", "10.9.0.9:3128", true },
	{ "http://10.9.0.9:3128", "10.9.0.9:3129", false },
	{ "http://10.9.0.9:3128", "10.9.0.8:3128", false },
	{ "http://proxy.example:3128", "10.9.0.9:3128", true },
	{ "http://proxy.example:3128", "10.9.0.9:443", false },
	{ "http://proxy.example:3128", "169.254.169.254:3128", false },
};

/* Not even when it stands among the resolvers, whoever put it there. */
static void
test_metadata(void **state)
{
	struct fixture *f = *state;

	f->vantages.count = 3;
	assert_true(addr_parse(&f->vantages.list[1].resolver, "169.254.169.254:80", 53, NULL));
	assert_true(addr_parse(&f->vantages.list[2].resolver, "169.254.169.254", 53, NULL));
	assert_false(allows(f, "169.254.169.254:80"));
	assert_string_equal(
	    egress_reason(f->egress), "address of the platform or of this machine");
	assert_true(allows(f, "169.254.169.254:53"));
}

/* What somebody wrote into the configuration of this machine, no collector can have meant. */
static void
test_proxy(void **state)
{
	for (size_t i = 0; i < sizeof(proxy_cases) / sizeof(proxy_cases[0]); i++) {
		void           *own = NULL;
		struct fixture *f;

		setup(&own);
		f = own;
		f->conf.proxy = proxy_cases[i].proxy;
		if (allows(f, proxy_cases[i].connect) != proxy_cases[i].allowed)
			fail_msg("%s: %s", proxy_cases[i].proxy, proxy_cases[i].connect);
		teardown(&own);
	}
}

static void
test_learned_only(void **state)
{
	for (size_t i = 0; i < sizeof(learn_cases) / sizeof(learn_cases[0]); i++) {
		const struct learn_case *row = &learn_cases[i];
		void                    *own = NULL;

		setup(&own);
		learn(own, row->host, row->answer, row->direct);
		if (allows(own, row->connect) != row->allowed)
			fail_msg("%s: allowed %d", row->name, !row->allowed);
		assert_int_equal(
		    egress_refused(((struct fixture *)own)->egress), !row->allowed);
		teardown(&own);
	}
}

static void
test_forgets(void **state)
{
	struct fixture *f = *state;

	learn(f, "contoso.documents.azure.com", "10.1.0.4", false);
	clock_hand_wind(&f->hand, 3600 * US_PER_S);
	assert_true(allows(f, "10.1.0.4:443"));
	clock_hand_wind(&f->hand, 1);
	assert_false(allows(f, "10.1.0.4:443"));
	assert_string_equal(egress_reason(f->egress), "address that no resolver answered");
}

static void
test_nets(void **state)
{
	struct fixture *f = *state;

	assert_true(net_parse(&f->file.nets[0], "10.1.0.0/23", NULL));
	assert_true(net_parse(&f->file.nets[1], "20.0.0.0/8", NULL));
	f->file.net_count = 2;
	learn(f, "contoso.documents.azure.com", "10.1.1.255", false);
	learn(f, "contoso.documents.azure.com", "10.1.2.0", false);
	learn(f, "contoso.documents.azure.com", "20.50.1.1", false);
	assert_true(allows(f, "10.1.1.255:443"));
	assert_false(allows(f, "10.1.2.0:443"));
	assert_true(allows(f, "20.50.1.1:443"));
	f->file.public = false;
	assert_false(allows(f, "20.50.1.1:443"));
	assert_true(allows(f, "10.1.1.255:443"));
}

static void
test_rate(void **state)
{
	struct fixture *f = *state;
	unsigned        allowed = 0;

	f->file.connect_rate = 10;
	egress_set(f->egress, &f->conf);
	learn(f, "contoso.documents.azure.com", "10.1.0.4", false);
	for (unsigned i = 0; i < 1000; i++) /* a second's worth at once, and ten seconds */
	{
		clock_hand_wind(&f->hand, 10 * US_PER_MS);
		allowed += allows(f, "10.1.0.4:443");
	}
	assert_in_range(allowed, 109, 110);
	assert_true(allows(f, "10.0.0.4:53")); /* questions are the resolver's matter */
}

/* However many are due: a new assignment with new names each time it is looked for, too. */
static void
test_names(void **state)
{
	struct fixture *f = *state;
	unsigned        begun = 0;
	int64_t         wait_us = 0;

	f->file.names_per_minute = 60;
	egress_set(f->egress, &f->conf);
	for (unsigned i = 0; i < 600; i++) {
		begun += egress_names(f->egress, &wait_us);
		clock_hand_wind(&f->hand, 100 * US_PER_MS);
	}
	assert_in_range(begun, 59, 61);
	while (egress_names(f->egress, &wait_us))
		;
	clock_hand_wind(&f->hand, wait_us - 1);
	assert_false(egress_names(f->egress, &wait_us));
	clock_hand_wind(&f->hand, 1);
	assert_true(egress_names(f->egress, &wait_us));
}

/* A scan of ports at an address where replicas may be. */
static void
test_ports_per_address(void **state)
{
	struct fixture *f = *state;
	struct addr     peer;
	unsigned        allowed = 0;

	f->file.ports_per_address = 100;
	f->file.connect_rate = 100000;
	egress_set(f->egress, &f->conf);
	learn(f, "contoso.documents.azure.com", "10.1.0.4", true);
	assert_true(addr_parse(&peer, "10.1.0.4", 0, NULL));
	for (unsigned port = 1024; port < 30000; port++) {
		peer.port = (uint16_t)port;
		allowed += egress_allows(f->egress, &peer);
	}
	assert_int_equal(allowed, 100);
	peer.port = 1024; /* not another one */
	assert_true(egress_allows(f->egress, &peer));
	clock_hand_wind(&f->hand, 3600 * US_PER_S);
	learn(f, "contoso.documents.azure.com", "10.1.0.4", true);
	clock_hand_wind(&f->hand, US_PER_S);
	peer.port = 29999;
	assert_true(egress_allows(f->egress, &peer));
}

static void
test_bounded(void **state)
{
	struct learned *learned = learned_new();
	bool            direct;

	for (uint32_t i = 0; i < 2 * LEARNED_MAX; i++) {
		uint8_t bytes[4] = { 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		struct addr addr = addr_from_bytes(bytes, 4, 0);

		learned_add(learned, &addr, false, i);
		assert_true(learned_knows(learned, &addr, &direct, i));
		bytes[1] = bytes[2] = bytes[3] = 0;
		addr = addr_from_bytes(bytes, 4, 0);
		assert_true(learned_knows(learned, &addr, &direct, i) == (i < LEARNED_MAX));
	}
	learned_free(learned);
}

/* What a collector could make up, each in many forms: hosts, accounts and ports. */
static const char *const hostile_hosts[] = {
	"169.254.169.254",
	"0xa9fea9fe",
	"2852039166",
	"0251.0376.0251.0376",
	"0x7f.1",
	"127.1",
	"localhost",
	"metadata",
	"metadata.google.internal",
	"[::ffff:169.254.169.254]",
	"::ffff:a9fe:a9fe",
	"64:ff9b::a9fe:a9fe",
	"contoso.documents.azure.com.",
	"contoso.documents.azure.com..",
	".contoso.documents.azure.com",
	"contoso..documents.azure.com",
	"contoso.documents.azure.com.evil.test",
	"contoso.documents.azure.com@evil.test",
	"contoso.documents.azure.com#.evil.test",
	"contoso.documents.azure.com/../",
	"contoso.documents.azure.com:22",
	"contoso.evil.test",
	"contoso-secret.evil.documents.azure.com",
	"contoso.documents.azure.com\n.evil.test",
	"CONTOSO.DOCUMENTS.AZURE.COM",
	"cont\xc3\xb6so.documents.azure.com",
	"xn--contso-yxa.documents.azure.com.",
	"contoso%2edocuments.azure.com",
	"contoso.documents.azure.com ",
	" contoso.documents.azure.com",
	"contosodocuments.azure.com",
	"contoso.privatelink.documents.azure.com",
	"contoso.documents.azure.cn.",
	"contoso.blob.core.windows.net",
	"contoso.vault.azure.net",
	"fabrikam.documents.azure.com",
	"contoso2.documents.azure.com",
	"collector.example",
	"",
	".",
	"*",
	"*.documents.azure.com",
};

enum { HOSTILE_HOSTS = sizeof(hostile_hosts) / sizeof(hostile_hosts[0]) };

/* What such a name may answer, were it looked up: the machine, the platform, the neighbours. */
static const char *const hostile_answers[] = { "127.0.0.1", "::1", "0.0.0.0",
	"::", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
	"2002:a9fe:a9fe::1", "::a9fe:a9fe", "168.63.129.16", "64:ff9b::a83f:8110", "fe80::1",
	"224.0.0.1", "ff02::1", "255.255.255.255", "64:ff9b::7f00:1", "::ffff:127.0.0.1",
	"240.0.0.1" };

enum { HOSTILE_ANSWERS = sizeof(hostile_answers) / sizeof(hostile_answers[0]) };

struct count {
	unsigned taken, connected;
};

/* One item, as the prober treats it: taken, asked for, answered, connected to. */
static struct count
try_target(struct fixture *f, const struct target *target, const char *answer, bool direct)
{
	struct count count = { 0 };
	struct addr  peer;
	struct err   err;

	if (policy_takes(&f->conf, target, &err)) {
		count.taken = 1;
		learn(f, target->host, answer, direct);
	}
	if (addr_parse(&peer, answer, (uint16_t)(target->port != 0 ? target->port : 443), NULL))
		count.connected = egress_allows(f->egress, &peer);
	return count;
}

/* 10^4 items: no connection to what no good name has answered, to another port, or to an address
 * of the machine and its platform, whoever answers it. */
static void
test_hostile_assignment(void **state)
{
	static const uint32_t ports[] = { 0, 22, 53, 80, 443, 445, 3389, 10255, 32526, 65535 };
	static const char    *patterns[] = { "contoso" };
	struct fixture       *f = *state;
	unsigned              items = 0, taken = 0, connected = 0;

	f->conf.allow_accounts = (struct conf_texts){ patterns, 1 };
	f->file.connect_rate = 10000000;
	egress_set(f->egress, &f->conf);
	for (size_t h = 0; h < HOSTILE_HOSTS; h++) {
		for (size_t a = 0; a < HOSTILE_ANSWERS; a++) {
			for (size_t p = 0; p < sizeof(ports) / sizeof(ports[0]); p++) {
				struct target target = { .account = "contoso",
					.host = hostile_hosts[h],
					.port = ports[p] };
				struct count  count = try_target(
				     f, &target, hostile_answers[a], p % 2 == 0);

				items++;
				taken += count.taken;
				connected += count.connected;
			}
		}
	}
	assert_int_equal(taken, 0);
	/* A name that may be measured, and a resolver that lies about it. */
	for (size_t a = 0; a < HOSTILE_ANSWERS; a++) {
		for (unsigned i = 0; i < 200; i++) {
			char          host[80];
			struct target target = { .account = "contoso", .host = host };

			snprintf(host, sizeof(host), "contoso-region%u.documents.azure.com", i);
			connected += try_target(f, &target, hostile_answers[a], true).connected;
			items++;
		}
	}
	assert_int_equal(connected, 0);
	assert_true(items >= 10000);
	assert_int_equal(egress_refused(f->egress), items);
}

static void
learn_outside(struct fixture *f, const char *host, const char *address, bool direct)
{
	struct rdata record = { .address = address };
	struct dns   seen = {
		  .source = SOURCE_OUTSIDE, .addresses = &record, .addresses_count = 1
	};

	egress_learn(f->egress, host, &seen, direct);
}

/* Whoever answers from outside leads nobody in, whatever they answer. */
static const struct outside_case {
	const char *name, *host, *answer, *connect;
	bool        allowed;
} outside_cases[] = {
	{ "public", "contoso.documents.azure.com", "20.50.1.1", "20.50.1.1:443", true },
	{ "public, version 6", "contoso.documents.azure.com", "2603:1020:200::1",
	    "[2603:1020:200::1]:443", true },
	{ "port of an API", "contoso.mongo.cosmos.azure.com", "20.50.1.1", "20.50.1.1:10255",
	    true },
	{ "other port", "contoso.documents.azure.com", "20.50.1.1", "20.50.1.1:22", false },
	{ "other service", "contoso.blob.core.windows.net", "20.50.1.1", "20.50.1.1:443",
	    false },
	{ "other address", "contoso.documents.azure.com", "20.50.1.1", "20.50.1.2:443", false },
	{ "private", "contoso.documents.azure.com", "10.1.0.4", "10.1.0.4:443", false },
	{ "private, of carriers", "contoso.documents.azure.com", "100.64.0.1", "100.64.0.1:443",
	    false },
	{ "private, version 6", "contoso.documents.azure.com", "fd00::4", "[fd00::4]:443",
	    false },
	{ "private, translated", "contoso.documents.azure.com", "64:ff9b::a01:4",
	    "[64:ff9b::a01:4]:443", false },
	{ "private, tunnelled", "contoso.documents.azure.com", "2002:a01:4::1",
	    "[2002:a01:4::1]:443", false },
	{ "private, mapped", "contoso.documents.azure.com", "::ffff:10.1.0.4", "10.1.0.4:443",
	    false },
	{ "platform", "contoso.documents.azure.com", "168.63.129.16", "168.63.129.16:443",
	    false },
	{ "metadata service", "contoso.documents.azure.com", "169.254.169.254",
	    "169.254.169.254:443", false },
	{ "loopback", "contoso.documents.azure.com", "127.0.0.1", "127.0.0.1:443", false },
};

static void
test_outside_never_leads_in(void **state)
{
	for (size_t i = 0; i < sizeof(outside_cases) / sizeof(outside_cases[0]); i++) {
		const struct outside_case *row = &outside_cases[i];
		void                      *own = NULL;
		struct fixture            *f;

		setup(&own);
		f = own;
		assert_true(addr_parse(&f->conf.outside[0], "9.9.9.9", 53, NULL));
		f->conf.outside_count = 1;
		f->conf.allow_loopback = true;
		/* Where Direct mode is measured at the same time, any port were free. */
		learn_outside(f, row->host, row->answer, true);
		if (allows(f, row->connect) != row->allowed)
			fail_msg("%s: allowed %d", row->name, !row->allowed);
		teardown(&own);
	}
}

/* The door holds by itself, should anybody ask outside all the same: because of an assignment, or
 * of an error of ours. */
static void
test_outside_by_configuration_alone(void **state)
{
	struct fixture *f = *state;

	learn_outside(f, "contoso.documents.azure.com", "20.50.1.1", false);
	assert_false(allows(f, "20.50.1.1:443"));
	assert_false(allows(f, "9.9.9.9:53"));
	assert_true(addr_parse(&f->conf.outside[0], "9.9.9.9", 53, NULL));
	f->conf.outside_count = 1;
	assert_true(allows(f, "9.9.9.9:53"));
	assert_false(allows(f, "9.9.9.9:443"));
	assert_false(allows(f, "9.9.9.10:53"));
	f->file.outside = false;
	learn_outside(f, "contoso.documents.azure.com", "20.50.1.1", false);
	assert_false(allows(f, "20.50.1.1:443"));
	assert_false(allows(f, "9.9.9.9:53"));
	f->file.outside = true;
	f->file.public = false;
	learn_outside(f, "contoso.documents.azure.com", "20.50.1.1", false);
	assert_false(allows(f, "20.50.1.1:443"));
	assert_false(allows(f, "9.9.9.9:53"));
	f->file.public = true;
	learn_outside(f, "contoso.documents.azure.com", "20.50.1.1", false);
	assert_true(allows(f, "20.50.1.1:443"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy),
		cmocka_unit_test_setup_teardown(test_metadata, setup, teardown),
		cmocka_unit_test(test_learned_only),
		cmocka_unit_test_setup_teardown(test_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ports_per_address, setup, teardown),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test_setup_teardown(test_hostile_assignment, setup, teardown),
		cmocka_unit_test(test_outside_never_leads_in),
		cmocka_unit_test_setup_teardown(
		    test_outside_by_configuration_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
