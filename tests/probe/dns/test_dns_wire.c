#include "probe/dns/dns_wire.h"

#include "base/wbuf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { ID = 0x1234 };

/* Pieces of records.  The question is for a.example: its name stands at byte 12 ("\xc0\x0c"),
 * "example" at 14, and the first record at 27 (0x1b). */
#define ASKED    "\xc0\x0c"
#define IN_TTL   "\0\x01\0\0\0\x3c" /* class IN, 60 s */
#define TTL4     "\0\0\0\0"
#define A_RECORD ASKED "\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"
#define OPT      "\0\0\x29\x04\xd0" /* the root's name, type, 1232 bytes */
#define TSIG     "\0\0\xfa\0\xff\0\0\0\0\0\x11\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define TEN(x)   x x x x x x x x x x

static struct dns_query query;

static int
build_query(void **state)
{
	struct err err;

	assert_true(dns_query_build(&query, "a.example", DNS_TYPE_A, &err));
	dns_query_stamp(&query, ID, true);
	return 0;
}

/* An answer to the query, in memory of its own so that the sanitizer sees every byte read beyond
 * its end. */
static uint8_t *
make_answer(
    unsigned flags, const uint8_t counts[3], const char *records, size_t bytes, size_t *count)
{
	uint8_t *answer = malloc(DNS_HEAD_BYTES + query.question_bytes + bytes);

	*count = DNS_HEAD_BYTES + query.question_bytes + bytes;
	memcpy(answer, query.bytes, *count - bytes);
	memcpy(answer + *count - bytes, records, bytes);
	answer[2] = (uint8_t)(flags >> 8 | 0x80);
	answer[3] = (uint8_t)flags;
	for (unsigned i = 0; i < 3; i++) {
		answer[6 + 2 * i] = 0;
		answer[7 + 2 * i] = counts[i];
	}
	return answer;
}

static const struct answer_case {
	const char *name;
	unsigned    flags;
	uint8_t     counts[3];
	const char *records;
	size_t      bytes;
	const char *refusal; /* NULL: taken; else what its reason holds */
	size_t      aliases, addresses;
	unsigned    rcode;
	const char *ede_text; /* NULL: no extended error */
} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ "nothing", 0, { 0, 0, 0 }, BYTES(""), NULL, 0, 0, 0, NULL },
	{ "one address", 0, { 1, 0, 0 }, BYTES(A_RECORD), NULL, 0, 1, 0, NULL },
	{ "bytes behind the last record", 0, { 1, 0, 0 }, BYTES(A_RECORD "xyz"), NULL, 0, 1, 0,
	    NULL },
	{ "alias and address", 0, { 2, 0, 0 },
	    BYTES(ASKED "\0\x05" IN_TTL "\0\x04\x01"
	                "b\xc0\x0e"
	                "\xc0\x27\0\x01" IN_TTL "\0\x04\x0a\0\0\x05"),
	    NULL, 1, 1, 0, NULL },
	{ "nxdomain", 3, { 0, 0, 0 }, BYTES(""), NULL, 0, 0, 3, NULL },
	{ "an AAAA record nobody asked for", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x1c" IN_TTL "\0\x10\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"), NULL, 0,
	    0, 0, NULL },
	{ "class CHAOS", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x01\0\x03\0\0\0\x3c\0\x04\x0a\0\0\x04"), NULL, 0, 0, 0, NULL },
	{ "an address in the additional section", 0, { 0, 0, 1 }, BYTES(A_RECORD), NULL, 0, 0,
	    0, NULL },
	{ "a type of the future", 0, { 1, 0, 0 }, BYTES(ASKED "\xff\x01" IN_TTL "\0\x03xyz"),
	    NULL, 0, 0, 0, NULL },

	{ "a record less than its count", 0, { 2, 0, 0 }, BYTES(A_RECORD),
	    "answer record 2 of 2: ", 0, 0, 0, NULL },
	{ "an authority record less", 0, { 1, 1, 0 }, BYTES(A_RECORD),
	    "authority record 1 of 1: ", 0, 0, 0, NULL },
	{ "an additional record less", 0, { 1, 0, 1 }, BYTES(A_RECORD),
	    "additional record 1 of 1: ", 0, 0, 0, NULL },
	{ "a pointer at itself", 0, { 1, 0, 0 },
	    BYTES("\xc0\x1b\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"), "pointer", 0, 0, 0, NULL },
	{ "two pointers at each other", 0, { 1, 0, 0 },
	    BYTES("\xc0\x1d\xc0\x1b\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"), "pointer", 0, 0, 0,
	    NULL },
	{ "a label and a pointer at it", 0, { 1, 0, 0 },
	    BYTES("\x01"
	          "b\xc0\x1b\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"),
	    "overflow", 0, 0, 0, NULL },
	{ "a pointer past the end", 0, { 1, 0, 0 },
	    BYTES("\xff\xff\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"), "pointer", 0, 0, 0, NULL },
	{ "a label of the unused kind 01", 0, { 1, 0, 0 },
	    BYTES("\x41"
	          "b\xc0\x0e\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"),
	    "answer record 1 of 1: ", 0, 0, 0, NULL },
	{ "a label of the unused kind 10", 0, { 1, 0, 0 },
	    BYTES("\x81"
	          "b\xc0\x0e\0\x01" IN_TTL "\0\x04\x0a\0\0\x04"),
	    "answer record 1 of 1: ", 0, 0, 0, NULL },
	{ "data longer than the message", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x01" IN_TTL "\xff\xff\x0a\0\0\x04"), "answer record 1 of 1: ", 0, 0,
	    0, NULL },
	{ "an address of 3 bytes", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x01" IN_TTL "\0\x03\x0a\0\0"), "answer record 1 of 1: ", 0, 0, 0,
	    NULL },
	{ "an address of 5 bytes", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x01" IN_TTL "\0\x05\x0a\0\0\x04\x05"), "answer record 1 of 1: ", 0,
	    0, 0, NULL },
	{ "an address of no bytes", 0, { 1, 0, 0 }, BYTES(ASKED "\0\x01" IN_TTL "\0\0"),
	    "data of 0 bytes do not fit type 1", 0, 0, 0, NULL },
	{ "an alias of no bytes", 0, { 1, 0, 0 }, BYTES(ASKED "\0\x05" IN_TTL "\0\0"),
	    "data of 0 bytes do not fit type 5", 0, 0, 0, NULL },
	{ "an alias shorter than its data", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x05" IN_TTL "\0\x05\x01"
	                "b\xc0\x0e\0"),
	    "data of 5 bytes do not fit type 5", 0, 0, 0, NULL },
	{ "an alias longer than its data", 0, { 1, 0, 0 },
	    BYTES(ASKED "\0\x05" IN_TTL "\0\x02\x01"
	                "b\xc0\x0e"),
	    "answer record 1 of 1: ", 0, 0, 0, NULL },
	{ "a SOA of no bytes", 0, { 0, 1, 0 }, BYTES(ASKED "\0\x06" IN_TTL "\0\0"),
	    "data of 0 bytes do not fit type 6", 0, 0, 0, NULL },

	{ "64 records", 0, { 60, 0, 4 },
	    BYTES(TEN(A_RECORD A_RECORD A_RECORD A_RECORD A_RECORD A_RECORD)
	            A_RECORD A_RECORD A_RECORD A_RECORD),
	    NULL, 0, 60, 0, NULL },
	{ "65 records", 0, { 60, 0, 5 },
	    BYTES(TEN(A_RECORD A_RECORD A_RECORD A_RECORD A_RECORD A_RECORD)
	            A_RECORD A_RECORD A_RECORD A_RECORD A_RECORD),
	    "65 records, at most 64", 0, 0, 0, NULL },
	{ "255 records said, none there", 0, { 255, 255, 255 }, BYTES(""),
	    "765 records, at most 64", 0, 0, 0, NULL },
	{ "many TSIG records", 0, { 1, 0, 60 },
	    BYTES(A_RECORD TEN(TSIG TSIG TSIG TSIG TSIG TSIG)), NULL, 0, 1, 0, NULL },

	{ "EDNS", 0, { 1, 0, 1 }, BYTES(A_RECORD OPT "\0\0\0\0\0\0"), NULL, 0, 1, 0, NULL },
	{ "EDNS that extends the rcode", 0, { 0, 0, 1 }, BYTES(OPT "\x01\0\0\0\0\0"), NULL, 0,
	    0, 16, NULL },
	{ "EDNS twice: the first counts", 0, { 0, 0, 2 },
	    BYTES(OPT "\x01\0\0\0\0\0" OPT "\x02\0\0\0\0\0"), NULL, 0, 0, 16, NULL },
	{ "EDNS in the answer section", 2, { 1, 0, 0 }, BYTES(OPT "\x01\0\0\0\0\0"), NULL, 0, 0,
	    2, NULL },
	{ "extended error", 2, { 0, 0, 1 }, BYTES(OPT "\0\0\0\0\0\x0c\0\x0f\0\x08\0\x16no way"),
	    NULL, 0, 0, 2, "no way" },
	{ "extended error without text", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x06\0\x0f\0\x02\0\x16"), NULL, 0, 0, 2, "" },
	{ "extended error that ends with a zero", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x09\0\x0f\0\x05\0\x16ok\0"), NULL, 0, 0, 2, "ok" },
	{ "extended error in no UTF-8, with an escape", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x0a\0\x0f\0\x06\0\x16\xff\x1b[m"), NULL, 0, 0, 2, "??[m" },
	{ "two extended errors", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x0e\0\x0f\0\x03\0\x16x\0\x0f\0\x03\0\x17y"), NULL, 0, 0, 2,
	    "x" },
	{ "extended error of one byte", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x05\0\x0f\0\x01\0"), NULL, 0, 0, 2, NULL },
	{ "an option longer than its record", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x08\0\x0f\xff\xff\0\x16no"), NULL, 0, 0, 2, NULL },
	{ "an option cut in its head", 2, { 0, 0, 1 }, BYTES(OPT "\0\0\0\0\0\x03\0\x0f\0"),
	    NULL, 0, 0, 2, NULL },
	{ "other options first", 2, { 0, 0, 1 },
	    BYTES(OPT "\0\0\0\0\0\x10\0\x0d\0\x02xx\0\x03\0\0\0\x0f\0\x02\0\x16"), NULL, 0, 0,
	    2, "" },
	{ "EDNS that is not at the root", 2, { 0, 0, 1 },
	    BYTES(ASKED "\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0f\0\x02\0\x16"), NULL, 0, 0, 2, "" },
#undef BYTES
};

static void
check_answer(const struct answer_case *want)
{
	struct arena     *arena = arena_new();
	struct dns_answer answer;
	struct err        err = { 0 };
	size_t            count;
	uint8_t          *bytes = make_answer(
	             want->flags, want->counts, want->records, want->bytes, &count);
	bool taken;

	assert_int_equal(dns_answer_match(&query, bytes, count), DNS_MATCH_ANSWER);
	taken = dns_answer_parse(&answer, arena, &query, bytes, count, &err);
	print_message("%s: %s\n", want->name, taken ? "taken" : err.text);
	assert_int_equal(taken, want->refusal == NULL);
	if (taken) {
		assert_int_equal(answer.alias_count, want->aliases);
		assert_int_equal(answer.address_count, want->addresses);
		assert_int_equal(answer.rcode, want->rcode);
		assert_int_equal(answer.ede_count > 0, want->ede_text != NULL);
		if (want->ede_text != NULL)
			assert_string_equal(answer.ede[0].text, want->ede_text);
	} else {
		assert_non_null(strstr(err.text, want->refusal));
	}
	free(bytes);
	arena_free(arena);
}

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_answer(&cases[i]);
}

/* What an OPT record, and a SOA record before it, say beside the answer. */
static const struct extra_case {
	const char *name;
	uint8_t     counts[3];
	const char *records;
	size_t      bytes;
	unsigned    udp_payload;
	const char *nsid, *ede, *soa; /* ede: "code text;" for each */
} extras[] = {
#define BYTES(text) text, sizeof(text) - 1
	{ "none", { 0, 0, 0 }, BYTES(""), 0, "", "", "" },
	{ "a size", { 0, 0, 1 }, BYTES("\0\0\x29\x10\0\0\0\0\0\0\0"), 4096, "", "", "" },
	{ "a size of less than 512", { 0, 0, 1 }, BYTES("\0\0\x29\0\0\0\0\0\0\0\0"), 512, "",
	    "", "" },
	{ "an identifier that is a name", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x08\0\x03\0\x04"
	                   "ns-1"),
	    1232, "ns-1", "", "" },
	{ "an identifier of any bytes", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x07\0\x03\0\x03"
	                   "a\0\xff"),
	    1232, "0x6100ff", "", "" },
	{ "an identifier with an escape", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x06\0\x03\0\x02\x1b["), 1232, "0x1b5b", "", "" },
	{ "an identifier of 0x7f", { 0, 0, 1 }, BYTES(OPT TTL4 "\0\x05\0\x03\0\x01\x7f"), 1232,
	    "0x7f", "", "" },
	{ "an identifier without bytes", { 0, 0, 1 }, BYTES(OPT TTL4 "\0\x04\0\x03\0\0"), 1232,
	    "", "", "" },
	{ "two identifiers: the first", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x0a\0\x03\0\x01"
	                   "a\0\x03\0\x01"
	                   "b"),
	    1232, "a", "", "" },
	{ "an identifier and errors", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x12\0\x0f\0\x03\0\x16x\0\x03\0\x01"
	                   "a\0\x0f\0\x02\0\x17"),
	    1232, "a", "22 x;23 ;", "" },
	{ "five errors: four are kept", { 0, 0, 1 },
	    BYTES(OPT TTL4 "\0\x1e\0\x0f\0\x02\0\x01\0\x0f\0\x02\0\x02\0\x0f\0\x02\0\x03"
	                   "\0\x0f\0\x02\0\x04\0\x0f\0\x02\0\x05"),
	    1232, "", "1 ;2 ;3 ;4 ;", "" },
	{ "the zone of a SOA", { 0, 1, 0 },
	    BYTES("\xc0\x0e\0\x06" IN_TTL
	          "\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05"),
	    0, "", "", "example" },
	{ "the zone of a SOA in upper case", { 0, 1, 0 },
	    BYTES("\x01Z\xc0\x0e\0\x06" IN_TTL
	          "\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05"),
	    0, "", "", "z.example" },
	{ "two SOA: the first", { 0, 2, 0 },
	    BYTES("\xc0\x0e\0\x06" IN_TTL
	          "\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05"
	          "\0\0\x06" IN_TTL
	          "\0\x16\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05"),
	    0, "", "", "example" },
#undef BYTES
};

static void
test_what_stands_beside(void **state)
{
	for (size_t i = 0; i < sizeof(extras) / sizeof(extras[0]); i++) {
		const struct extra_case *want = &extras[i];
		struct arena            *arena = arena_new();
		struct dns_answer        answer;
		struct err               err = { 0 };
		const char              *ede = "";
		size_t                   count;
		uint8_t                 *bytes = make_answer(
		                    0, want->counts, want->records, want->bytes, &count);

		print_message("%s\n", want->name);
		assert_true(dns_answer_parse(&answer, arena, &query, bytes, count, &err));
		for (size_t j = 0; j < answer.ede_count; j++)
			ede = arena_printf(
			    arena, "%s%u %s;", ede, answer.ede[j].code, answer.ede[j].text);
		assert_int_equal(answer.udp_payload, want->udp_payload);
		assert_string_equal(answer.nsid, want->nsid);
		assert_string_equal(ede, want->ede);
		assert_string_equal(answer.soa, want->soa);
		assert_int_equal(answer.has_soa, want->soa[0] != '\0');
		free(bytes);
		arena_free(arena);
	}
}

/* 200 bytes, of which 128 are kept. */
static void
test_long_identifier(void **state)
{
	static const uint8_t counts[3] = { 0, 0, 1 };
	char                 records[215] = "\0\0\x29\x04\xd0\0\0\0\0\0\xcc\0\x03\0\xc8";

	for (int binary = 0; binary < 2; binary++) {
		struct arena     *arena = arena_new();
		struct dns_answer answer;
		struct err        err = { 0 };
		size_t            count;
		uint8_t          *bytes;

		memset(records + 15, binary ? 0xab : 'n', 200);
		bytes = make_answer(0, counts, records, sizeof(records), &count);
		assert_true(dns_answer_parse(&answer, arena, &query, bytes, count, &err));
		assert_int_equal(strlen(answer.nsid), binary ? 2 + 256 : 128);
		assert_int_equal(
		    strspn(answer.nsid + 2, binary ? "ab" : "n"), strlen(answer.nsid) - 2);
		free(bytes);
		arena_free(arena);
	}
}

/* Every case that is taken, cut after every byte: never taken, always with a reason. */
static void
test_every_truncation(void **state)
{
	unsigned refused = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct answer_case *one = &cases[i];
		size_t want = one->bytes - (strstr(one->name, "behind the last") ? 3 : 0);

		for (size_t left = 0; one->refusal == NULL && left < want; left++) {
			struct arena     *arena = arena_new();
			struct dns_answer answer;
			struct err        err = { 0 };
			size_t            count;
			uint8_t          *bytes = make_answer(
			             one->flags, one->counts, one->records, left, &count);

			assert_false(
			    dns_answer_parse(&answer, arena, &query, bytes, count, &err));
			assert_int_equal(err.kind, ERR_PARSE);
			assert_string_not_equal(err.text, "");
			refused++;
			free(bytes);
			arena_free(arena);
		}
	}
	assert_true(refused > 3000);
}

static void
test_heads_cut_short_are_strays(void **state)
{
	size_t   count;
	uint8_t  none[3] = { 0 };
	uint8_t *bytes = make_answer(0, none, "", 0, &count);

	for (size_t left = 0; left < count; left++) {
		uint8_t *cut = malloc(left + 1);

		memcpy(cut, bytes, left);
		assert_int_equal(dns_answer_match(&query, cut, left), DNS_MATCH_STRAY);
		free(cut);
	}
	assert_int_equal(dns_answer_match(&query, bytes, count), DNS_MATCH_ANSWER);
	free(bytes);
}

/* One byte of a good answer's head and question changed, and what it is then. */
static const struct change {
	const char    *name;
	size_t         at;
	uint8_t        value;
	enum dns_match match;
} changes[] = {
	{ "first byte of the id", 0, 0x13, DNS_MATCH_STRAY },
	{ "second byte of the id", 1, 0x35, DNS_MATCH_STRAY },
	{ "a question", 2, 0x01, DNS_MATCH_STRAY },
	{ "opcode notify", 2, 0xa0, DNS_MATCH_STRAY },
	{ "authoritative", 2, 0x84, DNS_MATCH_ANSWER },
	{ "truncated", 2, 0x82, DNS_MATCH_ANSWER },
	{ "servfail", 3, 0x82, DNS_MATCH_ANSWER },
	{ "no question", 5, 0, DNS_MATCH_STRAY },
	{ "two questions", 5, 2, DNS_MATCH_STRAY },
	{ "257 questions", 4, 1, DNS_MATCH_STRAY },
	{ "another name", 13, 'b', DNS_MATCH_STRAY },
	{ "a letter in upper case", 13, 'A', DNS_MATCH_OTHER_CASE },
	{ "another type", 24, 28, DNS_MATCH_STRAY },
	{ "another class", 26, 3, DNS_MATCH_STRAY },
};

static void
test_only_the_answer_matches(void **state)
{
	uint8_t none[3] = { 0 };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		size_t   count;
		uint8_t *bytes = make_answer(0, none, "", 0, &count);

		bytes[changes[i].at] = changes[i].value;
		print_message("%s\n", changes[i].name);
		assert_int_equal(dns_answer_match(&query, bytes, count), changes[i].match);
		assert_int_equal(
		    dns_answer_is_truncated(bytes), strcmp(changes[i].name, "truncated") == 0);
		assert_int_equal(dns_answer_flags(bytes), bytes[2] << 8 | bytes[3]);
		free(bytes);
	}
}

static void
test_bare_heads(void **state)
{
	/* NOERROR and NXDOMAIN speak of the name, and so must quote it. */
	static const enum dns_match wanted[] = { DNS_MATCH_STRAY, DNS_MATCH_BARE,
		DNS_MATCH_BARE, DNS_MATCH_STRAY, DNS_MATCH_BARE, DNS_MATCH_BARE,
		DNS_MATCH_STRAY };
	uint8_t                     head[DNS_HEAD_BYTES + 1] = { 0x12, 0x34, 0x80 };
	struct dns_answer           answer;
	struct arena               *arena = arena_new();
	struct err                  err;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		head[3] = (uint8_t)i;
		assert_int_equal(dns_answer_match(&query, head, DNS_HEAD_BYTES), wanted[i]);
		assert_int_equal(dns_answer_match(&query, head, sizeof(head)), DNS_MATCH_STRAY);
	}
	head[3] = 5;
	assert_true(dns_answer_parse(&answer, arena, &query, head, DNS_HEAD_BYTES, &err));
	assert_int_equal(answer.rcode, 5);
	assert_int_equal(answer.address_count, 0);
	head[7] = 1; /* an answer is said to follow */
	assert_int_equal(dns_answer_match(&query, head, DNS_HEAD_BYTES), DNS_MATCH_STRAY);
	head[7] = 0;
	head[0] = 0;
	arena_free(arena);
	assert_int_equal(dns_answer_match(&query, head, DNS_HEAD_BYTES), DNS_MATCH_STRAY);
}

static void
test_query_bytes(void **state)
{
	static const uint8_t want[] = { 0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 'a', 2,
		'b', 'c', 0, 0, 28, 0, 1, 0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 4, 0, 3, 0, 0 };
	struct dns_query     one;
	struct err           err;

	assert_true(dns_query_build(&one, "A.bC", DNS_TYPE_AAAA, &err));
	dns_query_stamp(&one, 0xabcd, true);
	assert_int_equal(one.count, sizeof(want));
	assert_memory_equal(one.bytes, want, sizeof(want));
	dns_query_stamp(&one, 0xabcd, false);
	assert_int_equal(one.count, sizeof(want) - DNS_OPT_BYTES);
	assert_int_equal(one.bytes[11], 0);
	dns_query_stamp(&one, 1, true);
	assert_int_equal(one.count, sizeof(want));
	assert_memory_equal(one.bytes + 2, want + 2, sizeof(want) - 2);
}

/* Every letter takes both cases, nothing else changes, and the name stays the same. */
static void
test_letter_case_is_drawn(void **state)
{
	struct arena    *arena = arena_new();
	struct dns_query one, drawn;
	struct err       err;
	unsigned         upper[DNS_QUERY_BYTES] = { 0 };

	assert_true(dns_query_build(&one, "ab-0.\\193z", DNS_TYPE_A, &err));
	for (unsigned i = 0; i < 200; i++) {
		drawn = one;
		dns_query_shuffle(&drawn);
		for (size_t at = 0; at < one.count; at++)
			upper[at] += drawn.bytes[at] != one.bytes[at];
		assert_string_equal(dns_query_name(&drawn, arena), "ab-0.\\193z");
		assert_int_equal(drawn.count, one.count);
	}
	for (size_t at = 0; at < one.count; at++) {
		bool letter = one.bytes[at] >= 'a' && one.bytes[at] <= 'z';

		/* 200 throws of a coin: 50 or less is one of 10^12. */
		assert_in_range(upper[at], letter ? 50 : 0, letter ? 150 : 0);
	}
	arena_free(arena);
}

#define LABEL63 "012345678901234567890123456789012345678901234567890123456789012"

static const struct name_case {
	const char *asked, *text; /* text NULL: refused */
} name_cases[] = {
	{ "Contoso.Documents.AZURE.com", "contoso.documents.azure.com" },
	{ "contoso.", "contoso" },
	{ ".", "." },
	{ "with\\.dot.example", "with\\.dot.example" },
	{ "z\\000\\255.example", "z\\000\\255.example" },
	{ LABEL63 ".example", LABEL63 ".example" },
	{ LABEL63 "3.example", NULL },
	{ LABEL63 "." LABEL63 "." LABEL63
	          ".0123456789012345678901234567890123456789012345678901234"
	          "567890",
	    LABEL63 "." LABEL63 "." LABEL63
	            ".012345678901234567890123456789012345678901234567890123"
	            "4567890" },
	{ LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, NULL },
	{ "", NULL },
	{ ".example", NULL },
	{ "a..example", NULL },
};

static void
test_names(void **state)
{
	for (size_t i = 0; i < sizeof(name_cases) / sizeof(name_cases[0]); i++) {
		struct arena    *arena = arena_new();
		struct dns_query one;
		struct err       err = { 0 };
		bool built = dns_query_build(&one, name_cases[i].asked, DNS_TYPE_A, &err);

		print_message("'%s' %s\n", name_cases[i].asked, err.text);
		assert_int_equal(built, name_cases[i].text != NULL);
		if (built)
			assert_string_equal(dns_query_name(&one, arena), name_cases[i].text);
		else
			assert_non_null(strstr(err.text, "is not a domain name"));
		arena_free(arena);
	}
}

static void
test_what_is_read_of_records(void **state)
{
	static const char records[] =
	    /* A.EXAMPLE 2^31 s CNAME x\.y.example; x\.y.example 7 s A */
	    "\x01"
	    "A\x07"
	    "EXAMPLE\0\0\x05\0\x01\x80\0\0\0\0\x06\x03"
	    "X.y\xc0\x0e"
	    "\xc0\x30\0\x01\0\x01\0\0\0\x07\0\x04\x0a\x01\x02\x03"
	    /* example 3600 s SOA . . 1 2 3 4 60 */
	    "\xc0\x0e\0\x06\0\x01\0\0\x0e\x10\0\x16\0\0"
	    "\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x3c";
	struct arena     *arena = arena_new();
	struct dns_answer answer;
	struct err        err;
	char              text[ADDR_TEXT];
	size_t            count;
	uint8_t          *bytes = make_answer(
	             0x0400, (const uint8_t[]){ 2, 1, 0 }, records, sizeof(records) - 1, &count);

	assert_true(dns_answer_parse(&answer, arena, &query, bytes, count, &err));
	free(bytes); /* nothing may point into it */
	assert_true(answer.authoritative);
	assert_false(answer.edns);
	assert_string_equal(answer.aliases[0].owner, "a.example");
	assert_string_equal(answer.aliases[0].target, "x\\.y.example");
	assert_int_equal(answer.aliases[0].ttl_s, 0);
	assert_string_equal(answer.addresses[0].owner, "x\\.y.example");
	assert_string_equal(
	    addr_render(&answer.addresses[0].addr, text, sizeof(text)), "10.1.2.3");
	assert_int_equal(answer.addresses[0].ttl_s, 7);
	assert_true(answer.has_soa);
	assert_int_equal(answer.negative_ttl_s, 60);
	arena_free(arena);
}

/* The less of the record's TTL and its MINIMUM [rfc2308 5]. */
static void
test_how_long_nothing_is_kept(void **state)
{
	static const struct {
		const char *ttl, *minimum;
		uint32_t    negative_ttl_s;
	} ttls[] = {
		{ "\0\0\0\x1e", "\0\0\0\x3c", 30 },
		{ "\0\0\0\x3c", "\0\0\0\x1e", 30 },
		{ "\0\0\0\x3c", "\x80\0\0\0", 0 },
	};

	for (size_t i = 0; i < sizeof(ttls) / sizeof(ttls[0]); i++) {
		char soa[] = "\xc0\x0e\0\x06\0\x01" TTL4 "\0\x16\0\0" TTL4 TTL4 TTL4 TTL4 TTL4;
		struct arena     *arena = arena_new();
		struct dns_answer answer;
		struct err        err;
		size_t            count;
		uint8_t          *bytes;

		memcpy(soa + 6, ttls[i].ttl, 4);
		memcpy(soa + sizeof(soa) - 5, ttls[i].minimum, 4);
		bytes = make_answer(
		    3, (const uint8_t[]){ 0, 1, 0 }, soa, sizeof(soa) - 1, &count);
		assert_true(dns_answer_parse(&answer, arena, &query, bytes, count, &err));
		assert_true(answer.has_soa);
		assert_int_equal(answer.negative_ttl_s, ttls[i].negative_ttl_s);
		free(bytes);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_what_stands_beside),
		cmocka_unit_test(test_long_identifier),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_heads_cut_short_are_strays),
		cmocka_unit_test(test_only_the_answer_matches),
		cmocka_unit_test(test_bare_heads),
		cmocka_unit_test(test_query_bytes),
		cmocka_unit_test(test_letter_case_is_drawn),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_what_is_read_of_records),
		cmocka_unit_test(test_how_long_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, build_query, NULL);
}
