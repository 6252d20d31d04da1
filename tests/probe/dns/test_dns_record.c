#include "probe/dns/dns_record.h"

#include "base/base64.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { MANY = 40 };

/* An answer in words: "a>b" is an alias, "b=10.0.0.1" an address, space between. */
static void
write_answer(struct dns_answer *answer, struct arena *arena, const char *words)
{
	char  *copy = arena_strdup(arena, words), *rest, *word;
	size_t ttl_s = 1;

	*answer = (struct dns_answer){ .nsid = "",
		.soa = "",
		.aliases = arena_array(arena, MANY, sizeof(*answer->aliases)),
		.addresses = arena_array(arena, MANY, sizeof(*answer->addresses)) };
	for (word = strtok_r(copy, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest), ttl_s++) {
		char      *mark = word + strcspn(word, ">=");
		bool       alias = *mark == '>';
		struct err err;

		*mark = '\0';
		if (alias) {
			answer->aliases[answer->alias_count++] = (struct dns_alias){ word,
				mark + 1, (uint32_t)ttl_s };
			continue;
		}
		assert_true(addr_parse(
		    &answer->addresses[answer->address_count].addr, mark + 1, 0, &err));
		answer->addresses[answer->address_count].owner = word;
		answer->addresses[answer->address_count++].ttl_s = (uint32_t)ttl_s;
	}
}

/* What was recorded, in the same words. */
static void
join_record(const struct dns *dns, char *text, size_t room)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < dns->hops_count; i++)
		at += (size_t)snprintf(text + at, room - at, "%s>%s:%u ", dns->hops[i].owner,
		    dns->hops[i].target, dns->hops[i].ttl_s);
	for (size_t i = 0; i < dns->addresses_count; i++)
		at += (size_t)snprintf(text + at, room - at, "%s:%u ",
		    dns->addresses[i].address, dns->addresses[i].ttl_s);
}

static const struct chain_case {
	const char *name, *a, *aaaa;
	unsigned    rcode;
	const char *outcome, *record, *detail;
} chains[] = {
	{ "direct", "n=10.0.0.1", "", 0, "ok", "10.0.0.1:1 ", "" },
	{ "two families", "n=10.0.0.1", "n=fd00::1", 0, "ok", "10.0.0.1:1 fd00::1:1 ", "" },
	{ "in order", "n>m m>p p=10.0.0.1", "", 0, "ok", "n>m:1 m>p:2 10.0.0.1:3 ", "" },
	{ "out of order", "p=10.0.0.1 m>p n>m", "", 0, "ok", "n>m:3 m>p:2 10.0.0.1:1 ", "" },
	{ "several addresses", "n=10.0.0.2 n=10.0.0.1", "", 0, "ok", "10.0.0.2:1 10.0.0.1:2 ",
	    "" },
	{ "one address twice", "n=10.0.0.2 n=10.0.0.2", "", 0, "ok", "10.0.0.2:1 ", "" },
	{ "foreign records", "x=10.0.0.9 x>y n=10.0.0.1 y=10.0.0.8", "", 0, "ok", "10.0.0.1:3 ",
	    "" },
	{ "an address beside the alias", "n=10.0.0.9 n>m m=10.0.0.1", "", 0, "ok",
	    "n>m:2 10.0.0.1:3 ", "" },
	{ "two aliases of one name: the first", "n>m n>p p=10.0.0.2 m=10.0.0.1", "", 0, "ok",
	    "n>m:1 10.0.0.1:4 ", "" },
	{ "empty", "", "", 0, "nodata", "", "n has no A record" },
	{ "a chain into nothing", "n>m m>p", "", 0, "nodata", "n>m:1 m>p:2 ",
	    "p has no A record" },
	{ "only foreign records", "x=10.0.0.9", "", 0, "nodata", "", "n has no A record" },
	{ "no such name", "", "", 3, "nxdomain", "", "n does not exist" },
	{ "no such name behind an alias", "n>m", "", 3, "nxdomain", "n>m:1 ",
	    "m does not exist" },
	{ "no such name, and an address", "n=10.0.0.1", "", 3, "nxdomain", "",
	    "n does not exist" },
	{ "server failure", "n>m", "", 2, "servfail", "n>m:1 ", "the server answers SERVFAIL" },
	{ "refused", "", "", 5, "dns-refused", "", "the server answers REFUSED" },
	{ "not implemented", "", "", 4, "dns-other", "", "the server answers rcode 4" },
	{ "extended rcode", "", "", 16, "dns-other", "", "the server answers rcode 16" },
	{ "points at itself", "n>n n=10.0.0.1", "", 0, "cname-loop", "n>n:1 ",
	    "the aliases run in a circle: n points back at n" },
	{ "a circle of three", "n>m m>p p>n p=10.0.0.1", "", 0, "cname-loop",
	    "n>m:1 m>p:2 p>n:3 ", "the aliases run in a circle: p points back at n" },
	{ "a circle behind the name", "n>m m>p p>m", "", 0, "cname-loop", "n>m:1 m>p:2 p>m:3 ",
	    "the aliases run in a circle: p points back at m" },
	{ "16 aliases",
	    "n>1 1>2 2>3 3>4 4>5 5>6 6>7 7>8 8>9 9>a a>b b>c c>d d>e e>f f>g g=10.0.0.1", "", 0,
	    "ok",
	    "n>1:1 1>2:2 2>3:3 3>4:4 4>5:5 5>6:6 6>7:7 7>8:8 8>9:9 9>a:10 a>b:11 b>c:12 "
	    "c>d:13 d>e:14 e>f:15 f>g:16 10.0.0.1:17 ",
	    "" },
	{ "17 aliases",
	    "n>1 1>2 2>3 3>4 4>5 5>6 6>7 7>8 8>9 9>a a>b b>c c>d d>e e>f f>g g>h h=10.0.0.1",
	    "", 0, "cname-loop",
	    "n>1:1 1>2:2 2>3:3 3>4:4 4>5:5 5>6:6 6>7:7 7>8:8 8>9:9 9>a:10 a>b:11 b>c:12 "
	    "c>d:13 d>e:14 e>f:15 f>g:16 ",
	    "more than 16 aliases from n on" },
};

static void
check_chain(const struct chain_case *want)
{
	struct arena     *arena = arena_new();
	struct dns_answer four, six;
	struct dns_heard  a = { .how = OUTCOME_OK, .answer = &four };
	struct dns_heard  aaaa = { .how = OUTCOME_OK, .answer = &six };
	struct dns        dns = { 0 };
	char              text[1000];

	write_answer(&four, arena, want->a);
	write_answer(&six, arena, want->aaaa);
	four.rcode = want->rcode;
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	join_record(&dns, text, sizeof(text));
	print_message("%s: %s %s\n", want->name, outcome_name(dns.outcome), dns.detail);
	assert_string_equal(outcome_name(dns.outcome), want->outcome);
	assert_int_equal(dns.rcode, want->rcode);
	assert_string_equal(text, want->record);
	assert_string_equal(dns.detail, want->detail);
	arena_free(arena);
}

static void
test_chains(void **state)
{
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		check_chain(&chains[i]);
}

static void
test_more_addresses_than_fit(void **state)
{
	struct arena     *arena = arena_new();
	struct dns_answer four, six;
	struct dns_heard  a = { .how = OUTCOME_OK, .answer = &four };
	struct dns_heard  aaaa = { .how = OUTCOME_OK, .answer = &six };
	struct dns        dns = { 0 };
	char              words[1000] = "";

	for (int i = 0; i < 20; i++)
		snprintf(
		    words + strlen(words), sizeof(words) - strlen(words), "n=10.0.0.%d ", i);
	write_answer(&four, arena, words);
	for (char *at = words; (at = strstr(at, "10.0.0.")) != NULL;)
		memcpy(at, "fd00::0", 7);
	write_answer(&six, arena, words);
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.addresses_count, 32);
	assert_string_equal(dns.addresses[19].address, "10.0.0.19");
	assert_string_equal(dns.addresses[20].address, "fd00::");
	words[0] = '\0';
	for (int i = 0; i < MANY; i++)
		snprintf(
		    words + strlen(words), sizeof(words) - strlen(words), "n=10.0.0.%d ", i);
	write_answer(&four, arena, words);
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.addresses_count, 32);
	assert_string_equal(dns.addresses[31].address, "10.0.0.31");
	arena_free(arena);
}

static const struct part_case {
	const char  *name;
	enum outcome a, aaaa; /* OK: an answer with an alias and an address */
	const char  *outcome, *aaaa_outcome, *record, *detail;
} parts[] = {
	{ "A alone fails", OUTCOME_TIMEOUT, OUTCOME_OK, "timeout", "ok", "n>m:1 fd00::1:2 ",
	    "trouble of A" },
	{ "AAAA alone fails", OUTCOME_OK, OUTCOME_TIMEOUT, "ok", "timeout", "n>m:1 10.0.0.1:2 ",
	    "AAAA: trouble of AAAA" },
	{ "both fail alike", OUTCOME_REFUSED, OUTCOME_REFUSED, "refused", "refused", "",
	    "trouble of A" },
	{ "both fail, each in its way", OUTCOME_TIMEOUT, OUTCOME_BROKE_PROTOCOL, "timeout",
	    "broke-protocol", "", "trouble of A; AAAA: trouble of AAAA" },
};

static void
test_one_question_fails(void **state)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct part_case *want = &parts[i];
		struct arena           *arena = arena_new();
		struct dns_answer       four, six;
		struct dns_heard a = { .how = want->a, .detail = "trouble of A", .tries = 3 };
		struct dns_heard aaaa = { .how = want->aaaa, .detail = "trouble of AAAA" };
		struct dns       dns = { 0 };
		char             text[1000];

		write_answer(&four, arena, "n>m m=10.0.0.1");
		write_answer(&six, arena, "n>m m=fd00::1");
		a.answer = want->a == OUTCOME_OK ? &four : NULL;
		aaaa.answer = want->aaaa == OUTCOME_OK ? &six : NULL;
		dns_record_fill(&dns, arena, "n", &a, &aaaa);
		join_record(&dns, text, sizeof(text));
		print_message("%s: %s\n", want->name, dns.detail);
		assert_string_equal(outcome_name(dns.outcome), want->outcome);
		assert_string_equal(outcome_name(dns.aaaa_outcome), want->aaaa_outcome);
		assert_string_equal(text, want->record);
		assert_string_equal(dns.detail, want->detail);
		arena_free(arena);
	}
}

static void
test_what_goes_over_unchanged(void **state)
{
	struct arena     *arena = arena_new();
	struct dns_answer four, six;
	struct dns_heard  a = { .how = OUTCOME_OK,
		 .answer = &four,
		 .transport = TRANSPORT_TCP,
		 .truncated = true,
		 .edns_failed = true,
		 .case_changed = true,
		 .flags = 0x8583,
		 .size = 3,
		 .bytes = (const uint8_t *)"abc",
		 .took_us = 1234,
		 .tries = 2,
		 .strays = 3 };
	struct dns_heard  aaaa = { .how = OUTCOME_OK, .answer = &six, .tries = 1, .strays = 4 };
	struct dns dns = { .resolver = "10.0.0.4", .source = SOURCE_AZURE, .canonical = "x" };

	write_answer(&four, arena, "");
	write_answer(&six, arena, "");
	four.rcode = DNS_RCODE_SERVFAIL;
	four.nsid = "ns-1";
	six.nsid = "ns-2";
	four.udp_payload = 1400;
	four.soa = six.soa = "example";
	six.rcode = DNS_RCODE_NXDOMAIN;
	four.authoritative = true;
	four.has_soa = six.has_soa = true;
	four.negative_ttl_s = six.negative_ttl_s = 60;
	four.ede_count = 2;
	four.ede[0] = (struct ede){ 22, "at 10.0.0.1" };
	four.ede[1] = (struct ede){ 24, "" };
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.transport, TRANSPORT_TCP);
	assert_true(dns.truncated);
	assert_true(dns.authoritative);
	assert_int_equal(dns.took_us, 1234);
	assert_int_equal(dns.tries, 2);
	assert_int_equal(dns.strays, 7);
	assert_int_equal(dns.aaaa_rcode, 3);
	assert_int_equal(dns.negative_ttl_s, 0);
	assert_string_equal(dns.detail,
	    "the server answers SERVFAIL; extended error 22 No Reachable Authority: at "
	    "10.0.0.1; extended error 24 Invalid Data; answered only when asked without EDNS; "
	    "the server changes letter case in the question; AAAA: n does not exist");
	assert_string_equal(dns.resolver, "10.0.0.4");
	assert_int_equal(dns.source, SOURCE_AZURE);
	assert_null(dns.canonical);
	assert_int_equal(dns.flags, 0x8583);
	assert_int_equal(dns.size, 3);
	assert_string_equal(dns.raw, "YWJj");
	assert_string_equal(dns.nsid, "ns-1");
	assert_int_equal(dns.udp_payload, 1400);
	assert_null(dns.soa);
	assert_true(dns.edns_dropped);
	assert_true(dns.case_lost);
	assert_int_equal(dns.ede_count, 2);
	assert_int_equal(dns.ede[0].code, 22);
	assert_string_equal(dns.ede[0].text, "at 10.0.0.1");
	assert_int_equal(dns.ede[1].code, 24);
	assert_int_equal(dns.tcp_outcome, OUTCOME_NOT_RUN);
	four.rcode = DNS_RCODE_NXDOMAIN;
	four.ede_count = 1;
	four.ede[0].code = 30000;
	a.edns_failed = a.case_changed = false;
	aaaa.edns_failed = aaaa.case_changed = true;
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.negative_ttl_s, 60);
	assert_string_equal(dns.soa, "example");
	assert_true(dns.edns_dropped);
	assert_true(dns.case_lost);
	assert_string_equal(dns.detail, "n does not exist; extended error 30000: at 10.0.0.1");
	a = (struct dns_heard){ .how = OUTCOME_BROKE_PROTOCOL, .flags = 0x8180, .size = 20 };
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.flags, 0x8180);
	assert_int_equal(dns.size, 20);
	assert_string_equal(dns.raw, ""); /* not kept */
	arena_free(arena);
}

/* The chain of "n" is n, m, p in the first; records of other names are counted, whatever the
 * order, and of both answers. */
static const struct foreign_case {
	const char *a, *aaaa;
	unsigned    foreign;
} foreigners[] = {
	{ "n>m m>p p=10.0.0.1", "", 0 },
	{ "p=10.0.0.1 m>p n>m", "n>m m>p", 0 },
	{ "n>m m>p p=10.0.0.1 x=10.0.0.2", "", 1 },
	{ "x>y n=10.0.0.1 y=10.0.0.2", "", 2 },
	{ "n=10.0.0.1 x=10.0.0.2", "n=fd00::1 x=fd00::2 x=fd00::3", 3 },
	{ "n>m n>p n=10.0.0.9 m=10.0.0.1", "", 0 }, /* odd, but of our names */
	{ "n>m n>p p=10.0.0.1 m=10.0.0.1", "", 1 }, /* the second alias is not followed */
	{ "n>m m>n x=10.0.0.1", "", 1 },
	{ "x=10.0.0.1", "", 1 },
	{ "", "", 0 },
};

static void
test_foreign_records(void **state)
{
	for (size_t i = 0; i < sizeof(foreigners) / sizeof(foreigners[0]); i++) {
		struct arena     *arena = arena_new();
		struct dns_answer four, six;
		struct dns_heard  a = { .how = OUTCOME_OK, .answer = &four };
		struct dns_heard  aaaa = { .how = OUTCOME_OK, .answer = &six };
		struct dns        dns = { 0 };

		print_message("%s | %s\n", foreigners[i].a, foreigners[i].aaaa);
		write_answer(&four, arena, foreigners[i].a);
		write_answer(&six, arena, foreigners[i].aaaa);
		dns_record_fill(&dns, arena, "n", &a, &aaaa);
		assert_int_equal(dns.foreign, foreigners[i].foreign);
		arena_free(arena);
	}
}

/* The same question over UDP and over TCP. */
static const struct compare_case {
	const char  *udp, *tcp; /* NULL: no answer */
	unsigned     udp_rcode, tcp_rcode;
	bool         differs;
	enum outcome outcome;
} comparisons[] = {
	{ "n=10.0.0.1", "n=10.0.0.1", 0, 0, false, OUTCOME_OK },
	{ "n=10.0.0.1 n=10.0.0.2", "n=10.0.0.2 n=10.0.0.1", 0, 0, false, OUTCOME_OK },
	{ "n>m m=10.0.0.1", "n=10.0.0.1", 0, 0, false, OUTCOME_OK }, /* the address counts */
	{ "n=10.0.0.1", "n=10.0.0.2", 0, 0, true, OUTCOME_OK },
	{ "n=10.0.0.1", "n=10.0.0.1 n=10.0.0.2", 0, 0, true, OUTCOME_OK },
	{ "n=10.0.0.1 n=10.0.0.2", "n=10.0.0.1", 0, 0, true, OUTCOME_OK },
	{ "n=10.0.0.1", "", 0, 0, true, OUTCOME_NODATA },
	{ "n=10.0.0.1", "", 0, 3, true, OUTCOME_NXDOMAIN },
	{ "", "", 3, 0, true, OUTCOME_NODATA },
	{ "", "", 3, 3, false, OUTCOME_NXDOMAIN },
	{ "", "", 2, 5, true, OUTCOME_DNS_REFUSED },
	{ "n=10.0.0.1", NULL, 0, 0, false, OUTCOME_TIMEOUT },
	{ NULL, "n=10.0.0.1", 0, 0, false, OUTCOME_OK },
	{ NULL, NULL, 0, 0, false, OUTCOME_TIMEOUT },
};

static void
test_comparison(void **state)
{
	for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		const struct compare_case *row = &comparisons[i];
		struct arena              *arena = arena_new();
		struct dns_answer          udp_answer, tcp_answer;
		struct dns_heard udp = { .how = OUTCOME_TIMEOUT, .detail = "silence" };
		struct dns_heard tcp = { .how = OUTCOME_TIMEOUT,
			.detail = "connecting until the deadline",
			.took_us = 77 };
		struct dns       dns = { .detail = "before" };

		write_answer(&udp_answer, arena, row->udp != NULL ? row->udp : "");
		write_answer(&tcp_answer, arena, row->tcp != NULL ? row->tcp : "");
		udp_answer.rcode = row->udp_rcode;
		tcp_answer.rcode = row->tcp_rcode;
		if (row->udp != NULL)
			udp = (struct dns_heard){ .how = OUTCOME_OK, .answer = &udp_answer };
		if (row->tcp != NULL)
			tcp = (struct dns_heard){
				.how = OUTCOME_OK, .answer = &tcp_answer, .took_us = 77
			};
		dns_record_compare(&dns, arena, "n", &udp, &tcp);
		print_message("%zu: %s\n", i, dns.detail);
		assert_int_equal(dns.tcp_differs, row->differs);
		assert_int_equal(dns.tcp_outcome, row->outcome);
		assert_int_equal(dns.tcp_us, 77);
		assert_string_equal(dns.detail,
		    row->tcp != NULL ? "before"
		                     : "before; asked over TCP: connecting until the deadline");
		arena_free(arena);
	}
}

/* Of an answer of two kibibytes the first is kept. */
static void
test_raw_is_cut(void **state)
{
	struct arena    *arena = arena_new();
	uint8_t          kept[DNS_RAW_BYTES], back[DNS_RAW_BYTES];
	struct dns_heard a = { .how = OUTCOME_BROKE_PROTOCOL, .size = 2048, .bytes = kept };
	struct dns_heard aaaa = { .how = OUTCOME_TIMEOUT };
	struct dns       dns = { 0 };

	for (size_t i = 0; i < sizeof(kept); i++)
		kept[i] = (uint8_t)(i * 7);
	dns_record_fill(&dns, arena, "n", &a, &aaaa);
	assert_int_equal(dns.size, 2048);
	assert_true(base64_decode(dns.raw, strlen(dns.raw), back, sizeof(back)));
	assert_memory_equal(back, kept, sizeof(kept));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_more_addresses_than_fit),
		cmocka_unit_test(test_one_question_fails),
		cmocka_unit_test(test_what_goes_over_unchanged),
		cmocka_unit_test(test_raw_is_cut),
		cmocka_unit_test(test_foreign_records),
		cmocka_unit_test(test_comparison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
