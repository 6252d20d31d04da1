#include "probe/nss/nss_record.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

/* What is said of a code without addresses. */
static const struct code_case {
	int         code, cause;
	const char *outcome, *detail; /* a part of the detail */
} codes[] = {
	{ EAI_NONAME, 0, "nxdomain", "getaddrinfo: Name or service not known" },
	{ EAI_NODATA, 0, "nodata", "getaddrinfo: No address associated with hostname" },
	{ EAI_ADDRFAMILY, 0, "nodata", "getaddrinfo: Address family for hostname" },
	{ EAI_AGAIN, 0, "servfail", "getaddrinfo: Temporary failure in name resolution" },
	{ EAI_FAIL, 0, "servfail", "getaddrinfo: Non-recoverable failure" },
	{ EAI_MEMORY, 0, "local", "getaddrinfo: Memory allocation failure" },
	{ EAI_SYSTEM, EMFILE, "local", "getaddrinfo: Too many open files" },
	{ EAI_FAMILY, 0, "local", "getaddrinfo: ai_family not supported" },
};

static void
test_codes(void **state)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct arena     *arena = arena_new();
		struct nss_answer answer = { .code = codes[i].code, .cause = codes[i].cause };
		struct dns        dns = { .source = SOURCE_SYSTEM };

		nss_record_fill(&dns, arena, "a.example", &answer);
		assert_string_equal(outcome_name(dns.outcome), codes[i].outcome);
		assert_string_equal(outcome_name(dns.aaaa_outcome), codes[i].outcome);
		assert_ptr_equal(strstr(dns.detail, codes[i].detail), dns.detail);
		assert_int_equal(dns.addresses_count, 0);
		assert_int_equal(dns.source, SOURCE_SYSTEM);
		arena_free(arena);
	}
}

static const struct answer_case {
	const char *name, *canonical, *addresses; /* space between */
	const char *outcome, *aaaa_outcome, *record, *want_canonical;
} answers[] = {
	{ "IPv4", "a.example", "10.0.0.1", "ok", "nodata", "10.0.0.1 ", "" },
	{ "IPv6", "a.example", "fd00::1", "nodata", "ok", "fd00::1 ", "" },
	{ "both, in the order of the routes", "a.example", "fd00::1 10.0.0.2 10.0.0.1", "ok",
	    "ok", "10.0.0.2 10.0.0.1 fd00::1 ", "" },
	{ "one twice", "a.example", "10.0.0.1 10.0.0.1 10.0.0.2", "ok", "nodata",
	    "10.0.0.1 10.0.0.2 ", "" },
	{ "no canonical name", "", "10.0.0.1", "ok", "nodata", "10.0.0.1 ", "" },
	{ "the name in another case, with a dot", "A.Example.", "10.0.0.1", "ok", "nodata",
	    "10.0.0.1 ", "" },
	{ "the end of a chain", "B.Example.", "10.0.0.1", "ok", "nodata", "10.0.0.1 ",
	    "b.example" },
	{ "a search domain", "a.example.corp.example", "10.0.0.1", "ok", "nodata", "10.0.0.1 ",
	    "a.example.corp.example" },
	{ "a name with an escape", "b\033[m.example", "10.0.0.1", "ok", "nodata", "10.0.0.1 ",
	    "b?[m.example" },
};

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct answer_case *want = &answers[i];
		struct arena             *arena = arena_new();
		struct nss_answer         answer = { .took_us = 1234 };
		struct dns                dns = { .source = SOURCE_SYSTEM, .flags = 1 };
		char                      copy[100], text[200] = "", *rest, *word;

		strcpy(answer.canonical, want->canonical);
		strcpy(copy, want->addresses);
		for (word = strtok_r(copy, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			assert_true(addr_parse(
			    &answer.addresses[answer.address_count++], word, 0, NULL));
		nss_record_fill(&dns, arena, "a.example", &answer);
		for (size_t j = 0; j < dns.addresses_count; j++) {
			strcat(strcat(text, dns.addresses[j].address), " ");
			assert_int_equal(dns.addresses[j].ttl_s, 0);
		}
		print_message("%s\n", want->name);
		assert_string_equal(outcome_name(dns.outcome), want->outcome);
		assert_string_equal(outcome_name(dns.aaaa_outcome), want->aaaa_outcome);
		assert_string_equal(text, want->record);
		assert_string_equal(dns.canonical, want->want_canonical);
		assert_string_equal(dns.resolver, "system");
		assert_int_equal(dns.took_us, 1234);
		assert_int_equal(dns.tries, 1);
		assert_int_equal(dns.flags, 0);
		assert_string_equal(dns.detail,
		    dns.outcome == OUTCOME_OK ? "" : "getaddrinfo: no IPv4 address");
		arena_free(arena);
	}
}

static void
test_failure(void **state)
{
	struct dns dns = { .source = SOURCE_SYSTEM, .tries = 1, .addresses_count = 3 };

	nss_record_fail(&dns, OUTCOME_TIMEOUT, "silence");
	assert_int_equal(dns.outcome, OUTCOME_TIMEOUT);
	assert_int_equal(dns.aaaa_outcome, OUTCOME_TIMEOUT);
	assert_string_equal(dns.detail, "silence");
	assert_string_equal(dns.resolver, "system");
	assert_int_equal(dns.source, SOURCE_SYSTEM);
	assert_int_equal(dns.tries, 0);
	assert_int_equal(dns.addresses_count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
