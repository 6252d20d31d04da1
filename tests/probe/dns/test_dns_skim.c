/* The sweep's own questions and its reader, held against those of dns_wire.h. */
#include "probe/dns/dns_skim.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void
test_same_question(void **state)
{
	static const char *const hosts[] = { "a", "contoso.documents.azure.com",
		"Contoso-WestEurope.DOCUMENTS.azure.com.", "_x.a-b.c9",
		"sixty-three-bytes-are-the-most-that-a-label-may-have-so-this-is-ok.example" };
	struct dns_query         whole, skimmed;
	struct err               err;

	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		for (unsigned type = DNS_TYPE_A; type <= DNS_TYPE_AAAA; type += 27) {
			bool good = dns_query_build(&whole, hosts[i], (uint16_t)type, &err);

			assert_int_equal(
			    dns_skim_query(&skimmed, hosts[i], (uint16_t)type, &err), good);
			if (!good)
				continue;
			dns_query_stamp(&whole, 0, false);
			assert_int_equal(skimmed.type, whole.type);
			assert_int_equal(skimmed.question_bytes, whole.question_bytes);
			assert_int_equal(skimmed.count, whole.count);
			assert_memory_equal(skimmed.bytes, whole.bytes, whole.count);
		}
	}
}

/* 253 characters are 255 bytes, which is the most. */
static void
test_longest_name(void **state)
{
	char             host[300];
	struct dns_query whole, skimmed;
	struct err       err;

	memset(host, 'a', sizeof(host));
	for (unsigned i = 49; i < sizeof(host); i += 50)
		host[i] = '.';
	for (size_t bytes = 245; bytes < 260; bytes++) {
		char kept = host[bytes];

		host[bytes] = '\0';
		assert_int_equal(dns_skim_query(&skimmed, host, DNS_TYPE_A, &err),
		    dns_query_build(&whole, host, DNS_TYPE_A, &err));
		host[bytes] = kept;
	}
	host[253] = '\0';
	assert_true(dns_skim_query(&skimmed, host, DNS_TYPE_A, &err));
	assert_int_equal(skimmed.question_bytes, DNS_NAME_BYTES + 4);
	host[253] = 'a';
	host[254] = '\0';
	assert_false(dns_skim_query(&skimmed, host, DNS_TYPE_A, &err));
}

static void
test_shuffle(void **state)
{
	static const uint8_t bits[4] = { 0xff, 0x00, 0xff, 0x01 };
	struct dns_query     query;
	struct err           err;

	assert_true(dns_skim_query(&query, "abcdef9.ghi_jkl-mnopq", DNS_TYPE_A, &err));
	dns_skim_shuffle(&query, bits);
	/* Byte by byte, the counts of the labels included: 8 up, 8 not, 8 up. */
	assert_memory_equal(
	    query.bytes + DNS_HEAD_BYTES, "\7ABCDEF9\x0dghi_jkl-MNOPQ\0\0\1\0\1", 27);
}

/* An answer for a.example: an alias to b.example by pointers, and its address. */
#define HEAD  "\0\0\x81\x80\0\1\0\2\0\0\0\0"
#define ASKED "\1a\7example\0\0\1\0\1"
#define ALIAS "\xc0\x0c\0\5\0\1\0\0\1\x2c\0\4\1b\xc0\x0e"

static const struct answer_case {
	const char *name, *record; /* the second record */
	size_t      count;
	const char *owner; /* NULL: refused */
	const char *why;
} answer_cases[] = {
	{ "pointer to a target", "\xc0\x27\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16, "b.example",
	    NULL },
	{ "in full", "\1B\7eXample\0\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 25, "b.example", NULL },
	{ "odd bytes", "\4\0.\\*\xc0\x0e\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 21,
	    "\\000\\.\\\\*.example", NULL },
	{ "the root", "\0\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 15, ".", NULL },
	{ "to itself", "\xc0\x2b\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16, NULL, "point back" },
	{ "ahead", "\xc0\x37\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16, NULL, "point back" },
	{ "into the head", "\xc0\x04\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16, NULL, "point back" },
	{ "beyond the end", "\xff\xff\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 16, NULL, "point back" },
	{ "three bytes", "\xc0\x27\0\1\0\1\0\0\0\5\0\3\x0a\0\0\1", 16, NULL,
	    "data of 3 bytes do not fit type 1" },
	{ "data cut", "\xc0\x27\0\1\0\1\0\0\0\5\0\4\x0a\0\0", 15, NULL, "cut short" },
	{ "head cut", "\xc0\x27\0\1\0\1\0\0\0", 9, NULL, "cut short" },
	{ "label of another kind", "\x40x\0\0\1\0\1\0\0\0\5\0\4\x0a\0\0\1", 17, NULL,
	    "too long" },
};

static void
test_answers(void **state)
{
	static const char start[] = HEAD ASKED ALIAS;
	struct dns_skim                       *skim = dns_skim_new();
	struct dns_query                       query;
	struct err                             err;
	uint8_t                                bytes[200];

	assert_true(dns_skim_query(&query, "a.example", DNS_TYPE_A, &err));
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *want = &answer_cases[i];
		const struct dns_answer  *answer;

		memcpy(bytes, start, sizeof(start) - 1);
		memcpy(bytes + sizeof(start) - 1, want->record, want->count);
		assert_int_equal(
		    dns_answer_match(&query, bytes, sizeof(start) - 1 + want->count),
		    DNS_MATCH_ANSWER);
		answer = dns_skim_parse(
		    skim, &query, bytes, sizeof(start) - 1 + want->count, &err);
		print_message("%s: %s\n", want->name, answer != NULL ? "taken" : err.text);
		assert_int_equal(answer != NULL, want->owner != NULL);
		if (answer == NULL) {
			assert_non_null(strstr(err.text, want->why));
			assert_non_null(strstr(err.text, "answer record 2 of 2: "));
			continue;
		}
		assert_int_equal(answer->alias_count, 1);
		assert_string_equal(answer->aliases[0].owner, "a.example");
		assert_string_equal(answer->aliases[0].target, "b.example");
		assert_int_equal(answer->aliases[0].ttl_s, 300);
		assert_int_equal(answer->address_count, 1);
		assert_string_equal(answer->addresses[0].owner, want->owner);
		assert_int_equal(answer->addresses[0].ttl_s, 5);
		assert_memory_equal(answer->addresses[0].addr.bytes, "\x0a\0\0\1", 4);
	}
	dns_skim_free(skim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_question),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_shuffle),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
