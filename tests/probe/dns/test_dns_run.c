/* The dns probe against real servers: NSD as the zones, Unbound as a resolver. */
#include "probe/probe.h"
#include "tests/support/support_dns.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define SOA                                                                          \
	"$TTL 300\n@ IN SOA ns.example. host.example. 1 3600 600 86400 60\n@ IN NS " \
	"ns.example.\n"

/* More than a datagram of 1232 bytes holds. */
#define MANY(n)    "many IN AAAA fd00::" n "\n"
#define FOUR(n)    MANY(n "0") MANY(n "1") MANY(n "2") MANY(n "3")
#define SIXTEEN(n) FOUR(n "0") FOUR(n "1") FOUR(n "2") FOUR(n "3")

static const struct support_dns_zone zones[] = {
	{ "documents.azure.com",
	    SOA "contoso IN CNAME contoso.privatelink\n"
	        "contoso-westeurope 120 IN CNAME contoso-westeurope.privatelink\n"
	        "mixed IN CNAME MiXeD.PrivateLink\n"
	        "dead IN CNAME nothing.privatelink\n"
	        "text IN CNAME text.privatelink\n"
	        "six IN AAAA 2001:db8::6\n"
	        "outside IN CNAME contoso.elsewhere.net.\n" },
	{ "privatelink.documents.azure.com",
	    SOA SIXTEEN("0") SIXTEEN("1")
	        SIXTEEN("2") "contoso 10 IN A 10.0.0.4\n"
	                     "contoso-westeurope 10 IN A 10.0.0.5\n"
	                     "mixed 10 IN A 10.0.0.6\nmixed 20 IN AAAA fd00::6\n"
	                     "text IN TXT \"no address\"\n" },
	{ "expired.example", NULL },
};

static struct loop        *loop;
static struct addr         source; /* to ask from; family 0: the kernel's choice */
static struct support_dns *nsd, *unbound;

static void
on_over(void *arg)
{
	*(bool *)arg = true;
}

static struct dns
ask_within(
    struct arena *arena, const char *server, uint16_t port, const char *name, int64_t limit_ms)
{
	struct probe_options options = {
		.loop = loop, .clock = clock_system(), .source = source
	};
	struct err       err;
	struct probes   *probes = probes_new(&options, &err);
	struct dns       dns = { 0 };
	bool             over = false;
	struct probe_ask ask = { .kind = "dns",
		.host = name,
		.limit_ms = limit_ms,
		.arena = arena,
		.dns = &dns,
		.on_over = on_over,
		.arg = &over };

	assert_non_null(probes);
	assert_true(addr_parse(&ask.peer, server, 53, &err));
	ask.peer.port = port;
	assert_non_null(probe_start(probes, &ask));
	assert_false(over);
	while (!over)
		loop_run_once(loop, true);
	probes_free(probes);
	return dns;
}

static void
test_alias_into_private_zone(void **state)
{
	struct arena *arena = arena_new();
	struct dns    dns = ask_within(arena, "127.0.0.1", support_dns_port(nsd),
	       "Contoso-WestEurope.documents.azure.com.", 3000);
	char          resolver[ADDR_TEXT];

	snprintf(resolver, sizeof(resolver), "127.0.0.1:%u", support_dns_port(nsd));
	assert_string_equal(outcome_name(dns.outcome), "ok");
	assert_string_equal(outcome_name(dns.aaaa_outcome), "nodata");
	assert_string_equal(dns.resolver, resolver);
	assert_int_equal(dns.hops_count, 1);
	assert_string_equal(dns.hops[0].owner, "contoso-westeurope.documents.azure.com");
	assert_string_equal(
	    dns.hops[0].target, "contoso-westeurope.privatelink.documents.azure.com");
	assert_int_equal(dns.hops[0].ttl_s, 120);
	assert_int_equal(dns.addresses_count, 1);
	assert_string_equal(dns.addresses[0].address, "10.0.0.5");
	assert_int_equal(dns.addresses[0].ttl_s, 10);
	assert_int_equal(dns.transport, TRANSPORT_UDP);
	assert_int_equal(dns.tries, 1);
	assert_int_equal(dns.strays, 0);
	assert_true(dns.authoritative);
	assert_string_equal(dns.detail, "");
	assert_true(dns.took_us > 0 && dns.took_us < 3000000);
	arena_free(arena);
}

/* What NSD says of each name, over IPv4 and IPv6. */
static const struct name_case {
	const char *host, *outcome, *aaaa_outcome, *addresses;
	unsigned    hops, negative_ttl_s;
	const char *detail;
} name_cases[] = {
	{ "contoso.documents.azure.com", "ok", "nodata", "10.0.0.4 ", 1, 0, "" },
	{ "contoso.privatelink.documents.azure.com", "ok", "nodata", "10.0.0.4 ", 0, 0, "" },
	{ "mixed.documents.azure.com", "ok", "ok", "10.0.0.6 fd00::6 ", 1, 0, "" },
	{ "six.documents.azure.com", "nodata", "ok", "2001:db8::6 ", 0, 60,
	    "six.documents.azure.com has no A record" },
	{ "text.documents.azure.com", "nodata", "nodata", "", 1, 60,
	    "text.privatelink.documents.azure.com has no A record" },
	{ "nobody.documents.azure.com", "nxdomain", "nxdomain", "", 0, 60,
	    "nobody.documents.azure.com does not exist" },
	{ "dead.documents.azure.com", "nxdomain", "nxdomain", "", 1, 60,
	    "nothing.privatelink.documents.azure.com does not exist" },
	{ "outside.documents.azure.com", "nodata", "nodata", "", 1, 0,
	    "contoso.elsewhere.net has no A record" },
	{ "a.expired.example", "servfail", "servfail", "", 0, 0,
	    "the server answers SERVFAIL; extended error 14 Not Ready: Zone is configured but "
	    "not "
	    "loaded" },
	{ "not.ours.example", "dns-refused", "dns-refused", "", 0, 0,
	    "the server answers REFUSED; extended error 20 Not Authoritative" },
};

static void
join_addresses(const struct dns *dns, char *text, size_t room)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < dns->addresses_count && at < room; i++)
		at += (size_t)snprintf(text + at, room - at, "%s ", dns->addresses[i].address);
}

static void
check_name(const struct name_case *want, const char *server)
{
	struct arena *arena = arena_new();
	struct dns    dns = ask_within(arena, server, support_dns_port(nsd), want->host, 3000);
	char          addresses[200];

	print_message("%s of %s: %s\n", want->host, server, dns.detail);
	join_addresses(&dns, addresses, sizeof(addresses));
	assert_string_equal(outcome_name(dns.outcome), want->outcome);
	assert_string_equal(outcome_name(dns.aaaa_outcome), want->aaaa_outcome);
	assert_string_equal(addresses, want->addresses);
	assert_int_equal(dns.hops_count, want->hops);
	assert_int_equal(dns.negative_ttl_s, want->negative_ttl_s);
	assert_string_equal(dns.detail, want->detail);
	arena_free(arena);
}

static void
test_what_a_zone_may_say(void **state)
{
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		check_name(&name_cases[i], "127.0.0.1");
		check_name(&name_cases[i], "::1");
	}
}

static void
test_closed_port(void **state)
{
	struct arena *arena = arena_new();
	struct dns    dns = ask_within(
	       arena, "127.0.0.1", support_dns_free_port(), "a.example", 3000);

	assert_string_equal(outcome_name(dns.outcome), "refused");
	assert_string_equal(outcome_name(dns.aaaa_outcome), "refused");
	assert_non_null(strstr(dns.detail, "Connection refused, says 127.0.0.1 by ICMP"));
	assert_int_equal(dns.transport, TRANSPORT_NONE);
	arena_free(arena);
}

static void
test_silence(void **state)
{
	struct arena *arena = arena_new();
	struct dns    dns;

	support_dns_pause(nsd);
	dns = ask_within(
	    arena, "127.0.0.1", support_dns_port(nsd), "contoso.documents.azure.com", 300);
	support_dns_resume(nsd);
	assert_string_equal(outcome_name(dns.outcome), "timeout");
	assert_string_equal(outcome_name(dns.aaaa_outcome), "timeout");
	assert_string_equal(dns.detail, "no answer within 300 ms, asked 3 times");
	assert_int_equal(dns.tries, 3);
	arena_free(arena);
}

static void
test_truncated_by_a_real_server(void **state)
{
	struct arena *arena = arena_new();
	struct dns    dns = ask_within(arena, "127.0.0.1", support_dns_port(nsd),
	       "many.privatelink.documents.azure.com", 3000);

	assert_string_equal(outcome_name(dns.outcome), "nodata");
	assert_string_equal(outcome_name(dns.aaaa_outcome), "ok");
	assert_true(dns.truncated);
	assert_int_equal(dns.transport, TRANSPORT_UDP);
	assert_int_equal(dns.addresses_count, 32);
	arena_free(arena);
}

/* What a resolver says: what it was told, that nobody tells it, and what it is set to say. */
static const struct resolver_case {
	const char *host, *outcome, *detail;
	unsigned    hops;
} resolver_cases[] = {
	{ "contoso.documents.azure.com", "ok", "", 1 },
	{ "dead.documents.azure.com", "nxdomain",
	    "nothing.privatelink.documents.azure.com does not exist", 1 },
	{ "a.broken.example", "servfail", "the server answers SERVFAIL", 0 },
	{ "a.refused.example", "dns-refused", "the server answers REFUSED", 0 },
	{ "a.blocked.example", "nxdomain", "a.blocked.example does not exist", 0 },
};

static void
test_resolver_in_between(void **state)
{
	for (size_t i = 0; i < sizeof(resolver_cases) / sizeof(resolver_cases[0]); i++) {
		const struct resolver_case *want = &resolver_cases[i];
		struct arena               *arena = arena_new();
		struct dns                  dns = ask_within(
		                     arena, "127.0.0.1", support_dns_port(unbound), want->host, 10000);

		print_message("%s: %s\n", want->host, dns.detail);
		assert_string_equal(outcome_name(dns.outcome), want->outcome);
		assert_int_equal(dns.hops_count, want->hops);
		assert_ptr_equal(strstr(dns.detail, want->detail), dns.detail);
		if (want->hops > 0) /* what it heard it says without authority */
			assert_false(dns.authoritative);
		arena_free(arena);
	}
}

/* Unbound does not repeat the question of somebody whom it does not serve. */
static void
test_resolver_that_does_not_serve_us(void **state)
{
	struct arena *arena = arena_new();
	struct err    err;
	struct dns    dns;

	assert_true(addr_parse(&source, "127.0.0.9", 0, &err));
	dns = ask_within(
	    arena, "127.0.0.1", support_dns_port(unbound), "contoso.documents.azure.com", 3000);
	source.family = 0;
	assert_string_equal(outcome_name(dns.outcome), "dns-refused");
	assert_string_equal(outcome_name(dns.aaaa_outcome), "dns-refused");
	assert_int_equal(dns.tries, 1);
	arena_free(arena);
}

static int
start_all(void **state)
{
	struct err err;
	char       options[700];

	loop = loop_new(&err);
	nsd = support_dns_nsd(zones, sizeof(zones) / sizeof(zones[0]));
	snprintf(options, sizeof(options),
	    " access-control: 127.0.0.9/32 refuse\n"
	    " local-zone: \"blocked.example\" always_nxdomain\n"
	    " local-zone: \"refused.example\" refuse\n"
	    "forward-zone:\n name: \"documents.azure.com\"\n forward-addr: 127.0.0.1@%u\n"
	    "forward-zone:\n name: \"broken.example\"\n forward-addr: 127.0.0.1@%u\n",
	    support_dns_port(nsd), support_dns_port(nsd));
	unbound = support_dns_unbound(options);
	return 0;
}

static int
stop_all(void **state)
{
	support_dns_free(unbound);
	support_dns_free(nsd);
	loop_free(loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_alias_into_private_zone),
		cmocka_unit_test(test_what_a_zone_may_say),
		cmocka_unit_test(test_truncated_by_a_real_server),
		cmocka_unit_test(test_resolver_in_between),
		cmocka_unit_test(test_resolver_that_does_not_serve_us),
		cmocka_unit_test(test_closed_port),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, start_all, stop_all);
}
