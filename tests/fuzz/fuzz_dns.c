/* Any bytes as the answer to a question: flags and counts of the header, then the records.  The
 * first byte says whether A or AAAA was asked. */
#include "probe/dns/dns_record.h"
#include "probe/dns/dns_skim.h"

#include "base/base64.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { HEAD_REST = DNS_HEAD_BYTES - 2 };

static void
check(bool good)
{
	if (!good)
		abort();
}

/* Text of a peer: printable ASCII in a name, anything sane elsewhere. */
static void
check_name(const char *name)
{
	check(name[0] != '\0');
	for (; *name != '\0'; name++)
		check(*name > ' ' && *name < 0x7f && *name == text_lower(*name));
}

/* Bounded, and nothing that a terminal would obey. */
static void
check_text(const char *text, size_t most)
{
	check(text != NULL && strlen(text) <= most);
	for (; *text != '\0'; text++)
		check((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void
check_answer(const struct dns_answer *answer)
{
	check(answer->ede_count <= DNS_ERRORS_MAX);
	for (size_t i = 0; i < answer->ede_count; i++)
		check_text(answer->ede[i].text, 200);
	check_text(answer->nsid, 2 + 2 * 128);
	check(answer->udp_payload == 0 || answer->udp_payload >= 512);
	check(answer->edns == (answer->udp_payload != 0));
	check(answer->edns || (answer->ede_count == 0 && answer->nsid[0] == '\0'));
	check(answer->has_soa == (answer->soa[0] != '\0'));
	if (answer->has_soa)
		check_name(answer->soa);
}

/* The same answer over TCP does not differ. */
static void
check_comparison(struct arena *arena, const char *name, const struct dns_heard *heard)
{
	struct dns dns = { .detail = "" };

	dns_record_compare(&dns, arena, name, heard, heard);
	check(!dns.tcp_differs && dns.tcp_outcome < OUTCOME_COUNT);
}

static void
check_raw(const struct dns *dns, const uint8_t *bytes, size_t count)
{
	uint8_t raw[DNS_RAW_BYTES];
	size_t  kept = count < sizeof(raw) ? count : sizeof(raw);

	check(dns->size == count);
	check(base64_decode(dns->raw, strlen(dns->raw), raw, kept));
	check(memcmp(raw, bytes, kept) == 0);
}

static void
check_record(const struct dns *dns, const char *name)
{
	struct addr addr;

	check(dns->outcome < OUTCOME_COUNT && dns->hops_count <= 16);
	check(dns->addresses_count <= 32 && dns->foreign <= DNS_RECORDS_MAX);
	check(dns->outcome != OUTCOME_OK || dns->addresses_count > 0);
	check(dns->outcome == OUTCOME_OK || dns->detail[0] != '\0');
	for (size_t i = 0; i < dns->hops_count; i++) {
		check_name(dns->hops[i].target);
		check(strcmp(dns->hops[i].owner, i == 0 ? name : dns->hops[i - 1].target) == 0);
		check(dns->hops[i].ttl_s <= INT32_MAX);
	}
	for (size_t i = 0; i < dns->addresses_count; i++)
		check(addr_parse(&addr, dns->addresses[i].address, 0, NULL));
}

/* The bytes behind the first as an answer to the query. */
static uint8_t *
make_answer(const struct dns_query *query, const uint8_t *bytes, size_t count, size_t *made)
{
	uint8_t *answer = malloc(2 + query->question_bytes + count);

	memcpy(answer, query->bytes, 2);
	memcpy(answer + 2, bytes, HEAD_REST);
	answer[2] = (uint8_t)((answer[2] | 0x80) & 0x87);
	answer[4] = 0;
	answer[5] = 1;
	memcpy(answer + DNS_HEAD_BYTES, query->bytes + DNS_HEAD_BYTES, query->question_bytes);
	memcpy(answer + DNS_HEAD_BYTES + query->question_bytes, bytes + HEAD_REST,
	    count - HEAD_REST);
	*made = 2 + query->question_bytes + count;
	return answer;
}

static void
check_same(const struct dns_answer *left, const struct dns_answer *right)
{
	check(left->rcode == right->rcode && left->authoritative == right->authoritative);
	check(left->edns == right->edns && left->udp_payload == right->udp_payload);
	check(left->has_soa == right->has_soa && strcmp(left->soa, right->soa) == 0);
	check(left->negative_ttl_s == right->negative_ttl_s);
	check(left->alias_count == right->alias_count);
	check(left->address_count == right->address_count);
	for (size_t i = 0; i < left->alias_count; i++) {
		check(strcmp(left->aliases[i].owner, right->aliases[i].owner) == 0);
		check(strcmp(left->aliases[i].target, right->aliases[i].target) == 0);
		check(left->aliases[i].ttl_s == right->aliases[i].ttl_s);
	}
	for (size_t i = 0; i < left->address_count; i++) {
		check(strcmp(left->addresses[i].owner, right->addresses[i].owner) == 0);
		check(addr_equal(&left->addresses[i].addr, &right->addresses[i].addr));
		check(left->addresses[i].ttl_s == right->addresses[i].ttl_s);
	}
}

/* The sweep's reader says the same as ldns; whole: what ldns made of it, NULL when it refuses.
 * Ours refuses pointers that point ahead, and does not look into types that it does not want. */
static void
skim_answer(const struct dns_query *query, const uint8_t *bytes, size_t count,
    const struct dns_answer *whole)
{
	static struct dns_skim  *skim;
	const struct dns_answer *answer;
	struct err               err = { .text = "" };

	if (skim == NULL)
		skim = dns_skim_new();
	answer = dns_skim_parse(skim, query, bytes, count, &err);
	if (answer == NULL)
		check(whole == NULL || strstr(err.text, "does not point back") != NULL);
	else if (whole != NULL)
		check_same(answer, whole);
}

static void
read_answer(const struct dns_query *query, const uint8_t *bytes, size_t count)
{
	struct arena     *arena = arena_new();
	struct dns_answer answer;
	struct dns_heard  heard = {
		 .how = OUTCOME_OK, .answer = &answer, .size = count, .bytes = bytes
	};
	struct dns_heard none = { .how = OUTCOME_TIMEOUT, .detail = "no answer" };
	struct dns       dns = { 0 };
	struct err       err = { .text = "" };
	const char      *name = dns_query_name(query, arena);

	check(dns_answer_match(query, bytes, count) == DNS_MATCH_ANSWER);
	if (!dns_answer_parse(&answer, arena, query, bytes, count, &err)) {
		check(err.text[0] != '\0');
		skim_answer(query, bytes, count, NULL);
	} else if (query->type == DNS_TYPE_A) {
		check_answer(&answer);
		dns_record_fill(&dns, arena, name, &heard, &none);
		check_record(&dns, name);
		check_raw(&dns, bytes, count);
		check_comparison(arena, name, &heard);
	} else {
		check_answer(&answer);
		dns_record_fill(&dns, arena, name, &none, &heard);
		check_record(&dns, name);
	}
	if (err.text[0] == '\0')
		skim_answer(query, bytes, count, &answer);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct dns_query query;
	struct err       err;
	uint8_t         *answer;
	size_t           made;

	if (count < 1 + HEAD_REST || count > DNS_TCP_BYTES)
		return 0;
	check(dns_query_build(
	    &query, "a.example", bytes[0] & 1 ? DNS_TYPE_AAAA : DNS_TYPE_A, &err));
	dns_query_stamp(&query, 0x1234, true);
	dns_answer_match(&query, bytes, count);
	answer = make_answer(&query, bytes + 1, count - 1, &made);
	read_answer(&query, answer, made);
	free(answer);
	return 0;
}
