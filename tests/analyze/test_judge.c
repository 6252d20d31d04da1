#include "analyze/endpoint.h"
#include "analyze/judge.h"

#include "tests/support/support_records.h"
#include "tests/support/support_verdict.h"
#include "tests/support/support_witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FOLDER "tests/analyze/witness"

static struct verdict *
run_witness(struct arena *arena, const char *path)
{
	struct support_witness *witness = support_witness_read(arena, path);
	struct verdict         *verdict = support_witness_judge(arena, witness);
	const char             *words = support_verdict_differs(arena, witness, verdict);

	if (words != NULL)
		fail_msg("%s: %s", path, words);
	return verdict;
}

static struct support_random dice;

static void
shuffle(struct measurement **seen, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		size_t              j = support_random_below(&dice, i);
		struct measurement *last = seen[i - 1];

		seen[i - 1] = seen[j];
		seen[j] = last;
	}
}

static void
assert_same(const char *path, const struct verdict *left, const struct verdict *right)
{
	assert_int_equal(left->state, right->state);
	assert_int_equal(left->finding_count, right->finding_count);
	assert_int_equal(left->place_count, right->place_count);
	for (size_t i = 0; i < left->finding_count; i++) {
		const struct finding *a = &left->findings[i], *b = &right->findings[i];

		assert_int_equal(a->code, b->code);
		assert_int_equal(a->severity, b->severity);
		assert_string_equal(a->region, b->region);
		assert_string_equal(a->sentence, b->sentence);
		assert_string_equal(a->evidence, b->evidence);
		assert_string_equal(a->fix, b->fix);
	}
	for (size_t i = 0; i < left->place_count; i++) {
		assert_string_equal(
		    left->places[i].target->host, right->places[i].target->host);
		assert_int_equal(left->places[i].state, right->places[i].state);
		assert_int_equal(left->places[i].worst, right->places[i].worst);
		assert_string_equal(left->places[i].words, right->places[i].words);
	}
}

static void
see_shuffled(const char *path)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = support_witness_read(arena, path);
	struct verdict         *verdict = support_witness_judge(arena, witness);

	for (unsigned i = 0; i < 5; i++) {
		shuffle(witness->seen, witness->seen_count);
		assert_same(path, verdict, support_witness_judge(arena, witness));
	}
	arena_free(arena);
}

static void
test_order_does_not_matter(void **state)
{
	dice = support_random_new();
	support_witness_walk(FOLDER, see_shuffled);
}

/* A measurement that was made in this process has no text where a decoded one has an empty one. */
static void
forget_empty_texts(const struct message_desc *desc, void *message)
{
	const char *none = NULL;

	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		char                    *at = (char *)message + field->at;
		char                    *into = NULL;

		if (field->type == FIELD_TEXT || field->type == FIELD_SUB ||
		    field->type == FIELD_LIST)
			memcpy(&into, at, sizeof(into));
		if (field->type == FIELD_TEXT && into != NULL && *into == '\0')
			memcpy(at, &none, sizeof(none));
		if (field->type == FIELD_SUB && into != NULL && field->element != &target_desc)
			forget_empty_texts(field->element, into);
		for (size_t j = 0; field->type == FIELD_LIST && j < field_count(field, message);
		     j++)
			forget_empty_texts(field->element, into + j * field->element->bytes);
	}
}

static void
see_without_empty_texts(const char *path)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = support_witness_read(arena, path);
	struct verdict         *verdict = support_witness_judge(arena, witness);

	for (size_t i = 0; i < witness->seen_count; i++)
		forget_empty_texts(&measurement_desc, witness->seen[i]);
	assert_same(path, verdict, support_witness_judge(arena, witness));
	arena_free(arena);
}

static void
test_texts_may_be_missing(void **state)
{
	support_witness_walk(FOLDER, see_without_empty_texts);
}

/* An older measurement of the same name changes nothing. */
static void
test_the_newest_counts(void **state)
{
	struct arena           *arena = arena_new();
	struct support_witness *bad = support_witness_read(
	    arena, FOLDER "/PLP-101-REGION-NAME-MISSING/causes.json");
	struct support_witness *well = support_witness_read(
	    arena, FOLDER "/well/two_regions.json");
	size_t               count = bad->seen_count + well->seen_count;
	struct measurement **both = arena_array(arena, count, sizeof(void *));

	memcpy(both, bad->seen, bad->seen_count * sizeof(void *));
	memcpy(both + bad->seen_count, well->seen, well->seen_count * sizeof(void *));
	for (size_t i = 0; i < well->seen_count; i++)
		well->seen[i]->started_ms++;
	well->seen = both;
	well->seen_count = count;
	assert_int_equal(support_witness_judge(arena, well)->finding_count, 0);
	for (size_t i = bad->seen_count; i < count; i++)
		both[i]->started_ms -= 2;
	assert_int_equal(support_witness_judge(arena, well)->finding_count, 1);
	arena_free(arena);
}

static size_t
count_places(const char *path)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = support_witness_read(
	    arena, arena_printf(arena, FOLDER "/%s", path));
	size_t count = support_witness_judge(arena, witness)->place_count;

	arena_free(arena);
	return count;
}

/* A swept name is a place only with something to tell. */
static void
test_places(void **state)
{
	assert_int_equal(count_places("well/five_regions.json"), 6);
	assert_int_equal(count_places("well/without_document.json"), 3);
	assert_int_equal(count_places("unknown/nothing.json"), 3);
	assert_int_equal(count_places("well/all_modes.json"), 7);
	assert_int_equal(count_places("well/direct_alone.json"), 2);
	assert_int_equal(count_places("well/direct_and_global.json"), 3);
	assert_int_equal(count_places("well/direct_without_document.json"), 1);
	assert_int_equal(count_places("unknown/direct_half_measured.json"), 5);
	assert_int_equal(count_places("PLP-105-RECORD-LEFT-OVER/causes.json"), 4);
	assert_int_equal(count_places("PLP-107-WILDCARD-RECORD/causes.json"), 3);
	assert_int_equal(count_places("PLP-107-WILDCARD-RECORD/barely_not.json"), 6);
}

/* Whatever agents send, judging it ends and what it says is filled in. */
static void
test_any_measurement_is_judged(void **state)
{
	dice = support_random_new();
	for (unsigned round = 0; round < 300; round++) {
		struct arena            *arena = arena_new();
		static const char *const bases[] = { "two_regions", "with_endpoint",
			"all_modes" };
		struct support_witness  *witness = support_witness_read(
		     arena, arena_printf(arena, FOLDER "/well/%s.json", bases[round % 3]));
		struct verdict *verdict;

		for (size_t i = 0; i < witness->seen_count; i++) {
			struct target *target = witness->seen[i]->target;

			witness->seen[i] = support_records_make(
			    &measurement_desc, arena, &dice, 4);
			witness->seen[i]->target = target;
		}
		verdict = support_witness_judge(arena, witness);
		for (size_t i = 0; i < verdict->finding_count; i++)
			assert_true(*verdict->findings[i].sentence != '\0');
		arena_free(arena);
	}
}

static struct support_witness *
read_dns_only(struct arena *arena, const char *path, size_t from)
{
	struct support_witness *witness = support_witness_read(arena, path);

	for (size_t i = from; i < witness->seen_count; i++) {
		witness->seen[i]->target->dns_only = true;
		witness->seen[i]->endpoints_count = 0;
	}
	return witness;
}

/* An address in a private range shows no gateway: nothing is ok of which only the addresses were
 * asked for, and the words say so. */
static void
test_dns_only_by_range_is_never_ok(void **state)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = read_dns_only(
	    arena, FOLDER "/well/two_resolvers.json", 0);
	struct verdict *verdict = support_witness_judge(arena, witness);

	assert_true(verdict->dns_only);
	assert_int_equal(verdict->state, STATE_UNKNOWN);
	assert_int_equal(verdict->finding_count, 0);
	for (size_t i = 0; i < verdict->place_count; i++) {
		assert_int_equal(verdict->places[i].state, STATE_UNKNOWN);
		assert_int_equal(strncmp(verdict->places[i].words, "DNS only: 10.", 13), 0);
		assert_non_null(
		    strstr(verdict->places[i].words, ", private by its range (a hint)"));
		/* Two resolvers say it; it stands there once. */
		assert_null(strchr(verdict->places[i].words, ';'));
	}
	arena_free(arena);
}

/* The addresses that were seen, as the document of one endpoint would have them; less the last
 * `missing` of them. */
static const struct endpoint_index *
make_endpoint(struct arena *arena, const struct support_witness *witness, size_t missing)
{
	struct endpoint_list    *list = arena_alloc(arena, sizeof(*list));
	struct private_endpoint *endpoint = arena_alloc(arena, sizeof(*endpoint));
	size_t                   count = witness->seen_count - missing;

	*endpoint = (struct private_endpoint){ .name = "pe-1",
		.id = "/pe-1",
		.subnet = "",
		.account = "contoso",
		.service = "",
		.group = "Sql",
		.status = "Approved",
		.provisioning_state = "Succeeded",
		.addresses = arena_array(arena, count + 1, sizeof(struct endpoint_address)),
		.source = "" };
	for (size_t i = 0; i < count; i++) {
		struct endpoint_address *address =
		    &endpoint->addresses[endpoint->address_count++];
		struct err err;

		address->fqdn = witness->seen[i]->target->host;
		assert_true(addr_parse(
		    &address->addr, witness->seen[i]->dns[0].addresses[0].address, 0, &err));
	}
	list->endpoints = arena_array(arena, 1, sizeof(struct private_endpoint *));
	list->endpoints[list->count++] = endpoint;
	return endpoint_index_new(arena, list);
}

/* All that DNS can show is seen to be right when a document has each address for its name. */
static void
test_dns_only_by_documents(void **state)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = read_dns_only(
	    arena, FOLDER "/well/two_resolvers.json", 0);
	struct judge_ask ask = { witness->account, witness->has_document,
		(const struct measurement *const *)witness->seen, witness->seen_count,
		make_endpoint(arena, witness, 0), 0, NULL, NULL, NULL, NULL, 0 };
	struct verdict  *verdict = judge_run(arena, &ask);

	assert_true(verdict->dns_only);
	assert_int_equal(verdict->state, STATE_OK);
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		assert_int_equal(place->state, STATE_OK);
		assert_non_null(strstr(place->words, ", of the private endpoint pe-1"));
		assert_int_equal(place->address_count, 1);
		assert_true(place->addresses[0].told && place->addresses[0].right);
	}
	ask.endpoints = make_endpoint(arena, witness, 1);
	verdict = judge_run(arena, &ask);
	assert_int_equal(verdict->places[0].state, STATE_OK);
	assert_int_not_equal(verdict->state, STATE_OK);
	assert_true(verdict->places[witness->seen_count - 1].addresses[0].told);
	assert_false(verdict->places[witness->seen_count - 1].addresses[0].right);
	arena_free(arena);
}

static void
test_dns_only_finds_what_dns_shows(void **state)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = read_dns_only(
	    arena, FOLDER "/PLP-102-PUBLIC-ANSWER/causes.json", 0);
	struct verdict *verdict = support_witness_judge(arena, witness);

	assert_true(verdict->dns_only);
	assert_int_equal(verdict->state, STATE_CRITICAL);
	assert_int_equal(verdict->finding_count, 1);
	assert_int_equal(verdict->findings[0].code, FINDING_PUBLIC_ANSWER);
	arena_free(arena);
}

static void
test_one_connection_is_not_dns_only(void **state)
{
	struct arena           *arena = arena_new();
	struct support_witness *witness = read_dns_only(
	    arena, FOLDER "/well/two_regions.json", 1);
	struct verdict *verdict = support_witness_judge(arena, witness);

	assert_false(verdict->dns_only);
	assert_int_equal(verdict->places[0].state, STATE_OK);
	assert_int_equal(verdict->places[1].state, STATE_UNKNOWN);
	arena_free(arena);
}

/* Addresses of every kind that the documents of swarm.json tell of, and of some that they do not. */
static const char *const  address_pool[] = { "10.1.0.4", "10.1.0.5", "10.1.0.6", "10.2.0.4",
	 "10.2.0.6", "10.7.0.4", "10.1.0.20", "10.1.0.99", "20.61.0.1", "127.0.0.1", "fd00::4",
	 "2603:1020:200::1", "" };
static const enum outcome outcome_pool[] = { OUTCOME_OK, OUTCOME_NXDOMAIN, OUTCOME_NODATA,
	OUTCOME_SERVFAIL, OUTCOME_TIMEOUT, OUTCOME_REFUSED, OUTCOME_UNREACHABLE,
	OUTCOME_DNS_OTHER, OUTCOME_LOCAL, OUTCOME_NOT_RUN };
static const char *const  resolver_pool[] = { "10.0.0.2", "10.0.0.3", "168.63.129.16" };

#define PICK(pool) ((pool)[support_random_below(&dice, sizeof(pool) / sizeof((pool)[0]))])

static void
make_answer(struct arena *arena, struct dns *dns, const struct hop *hop)
{
	memset(dns, 0, sizeof(*dns));
	dns->source = (uint32_t)support_random_below(&dice, SOURCE_COUNT);
	dns->resolver = dns->source == SOURCE_SYSTEM ? "system" : PICK(resolver_pool);
	dns->outcome = PICK(outcome_pool);
	dns->transport = TRANSPORT_UDP;
	dns->tcp_outcome = PICK(outcome_pool);
	dns->tcp_differs = support_random_below(&dice, 4) == 0;
	dns->truncated = support_random_below(&dice, 4) == 0;
	dns->took_us = (uint32_t)support_random_below(&dice, 1000000);
	dns->negative_ttl_s = (uint32_t)support_random_below(&dice, 1000);
	dns->detail = dns->nsid = dns->soa = dns->canonical = "";
	if (dns->source == SOURCE_SYSTEM && support_random_below(&dice, 3) == 0)
		dns->canonical = arena_printf(arena, "%s.corp.example", hop->owner);
	if (dns->outcome != OUTCOME_OK)
		return;
	dns->hops = arena_array(arena, 1, sizeof(struct hop));
	dns->hops[0] = *hop;
	dns->hops_count = support_random_below(&dice, 4) != 0;
	dns->addresses = arena_array(arena, 3, sizeof(struct rdata));
	dns->addresses_count = support_random_below(&dice, 4);
	for (size_t i = 0; i < dns->addresses_count; i++) {
		dns->addresses[i].address = PICK(address_pool);
		dns->addresses[i].ttl_s = (uint32_t)support_random_below(&dice, 1000);
	}
}

/* The endpoints that are there stay as they are, but for where they are and how they end. */
static void
make_attempts(struct arena *arena, struct measurement *seen)
{
	struct endpoint well = seen->endpoints[0];

	seen->endpoints = arena_array(arena, 4, sizeof(struct endpoint));
	seen->endpoints_count = support_random_below(&dice, 5);
	for (size_t i = 0; i < seen->endpoints_count; i++) {
		struct endpoint *end = &seen->endpoints[i];

		*end = well;
		end->address = PICK(address_pool);
		end->tcp = PICK(outcome_pool);
		if (end->tcp == OUTCOME_OK)
			continue;
		end->tls = end->http = OUTCOME_NOT_RUN;
		end->http_status = 0;
	}
}

/* A resolver or two, and what is met at any addresses whatever. */
static struct outside *
make_outside(struct arena *arena, const struct measurement *seen, const struct hop *hop)
{
	struct outside    *outside = arena_alloc(arena, sizeof(*outside));
	struct measurement met = *seen;

	outside->dns_count = support_random_below(&dice, 3);
	outside->dns = arena_array(arena, 3, sizeof(struct dns));
	for (size_t i = 0; i < outside->dns_count; i++)
		make_answer(arena, &outside->dns[i], hop);
	if (seen->endpoints_count == 0)
		return outside;
	make_attempts(arena, &met);
	outside->endpoints = met.endpoints;
	outside->endpoints_count = met.endpoints_count;
	if (met.endpoints_count > 0 && support_random_below(&dice, 2) == 0) {
		outside->feed = arena_alloc(arena, sizeof(struct feed));
		outside->feed->address = met.endpoints[0].address;
		outside->feed->admitted = support_random_below(&dice, 2) == 0;
		outside->feed->http_status = 403;
	}
	return outside;
}

static void
assert_sound(
    struct arena *arena, const struct support_witness *witness, const struct verdict *verdict)
{
	const char *words = support_verdict_unsound(arena, verdict);

	if (words != NULL)
		fail_msg("%s: %s", witness->title, words);
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *finding = &verdict->findings[i];

		assert_true(finding->severity <= verdict->state);
		/* No rule but their own tells of the system, and of what no client asks. */
		if (finding->code < FINDING_TCP_REFUSED &&
		    finding->code != FINDING_SYSTEM_OVERRIDES_DNS &&
		    finding->code != FINDING_SEARCH_DOMAIN_HIJACK)
			assert_null(strstr(finding->sentence, "system"));
	}
}

/* Whatever servers, the system and the endpoints say together: the verdict is worded, and does not
 * depend on the order of the names. */
static void
test_any_answers_are_judged(void **state)
{
	dice = support_random_new();
	for (unsigned round = 0; round < 1000; round++) {
		struct arena           *arena = arena_new();
		struct support_witness *witness = support_witness_read(
		    arena, FOLDER "/swarm/swarm.json");
		struct verdict *verdict;

		if (round % 4 == 0)
			witness->endpoints = NULL;
		for (size_t i = 0; i < witness->seen_count; i++) {
			struct measurement *seen = witness->seen[i];
			const struct hop   *hop = &seen->dns[0].hops[0];

			seen->dns_count = 1 + support_random_below(&dice, 4);
			seen->dns = arena_array(arena, seen->dns_count, sizeof(struct dns));
			for (size_t j = 0; j < seen->dns_count; j++)
				make_answer(arena, &seen->dns[j], hop);
			make_attempts(arena, seen);
			if (round % 2 == 0)
				seen->outside = make_outside(arena, seen, hop);
		}
		verdict = support_witness_judge(arena, witness);
		assert_sound(arena, witness, verdict);
		shuffle(witness->seen, witness->seen_count);
		assert_same(witness->title, verdict, support_witness_judge(arena, witness));
		arena_free(arena);
	}
}

static const struct place *
find_place(const struct verdict *verdict, enum mode mode, const char *region)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (place->target->mode == mode && strcmp(place->target->region, region) == 0)
			return place;
	}
	fail_msg("no %s '%s'", mode_name(mode), region);
	return NULL;
}

/* What a place of one mode shows, where it is not what another mode shows. */
static const struct place_case {
	const char *path;
	enum mode   mode;
	const char *region;
	enum state  state;
	const char *code, *words; /* code "": none */
} place_cases[] = {
	{ "well/all_modes", MODE_GATEWAY, "", STATE_OK, "",
	    "gateway reached, request admitted" },
	{ "well/all_modes", MODE_DIRECT, "westeurope", STATE_OK, "", "4 of 4 replicas answer" },
	{ "well/all_modes", MODE_GATEWAY_V2, "northeurope", STATE_OK, "", "ready" },
	{ "well/direct_without_document", MODE_DIRECT, "", STATE_OK, "",
	    "4 of 4 replicas answer" },
	{ "well/direct_some_tried", MODE_DIRECT, "westeurope", STATE_OK, "",
	    "4 of 4 replicas answer, 196 more not tried" },
	{ "PLP-651-V2-BLOCKED/other_port", MODE_GATEWAY_V2, "northeurope", STATE_UNKNOWN, "",
	    "not ready, and advertised at another place, which was not tried" },
	{ "well/direct_some_tried", MODE_DIRECT, "northeurope", STATE_OK, "",
	    "4 of 4 replicas answer" },
	{ "unknown/direct_half_measured", MODE_DIRECT, "northeurope", STATE_UNKNOWN, "",
	    "not measured" },
	/* DNS is of every mode. */
	{ "PLP-101-REGION-NAME-MISSING/all_modes", MODE_DIRECT, "northeurope", STATE_CRITICAL,
	    "PLP-101-REGION-NAME-MISSING", "name does not exist" },
	{ "PLP-101-REGION-NAME-MISSING/all_modes", MODE_GATEWAY_V2, "northeurope",
	    STATE_CRITICAL, "PLP-101-REGION-NAME-MISSING", "name does not exist" },
	{ "PLP-101-REGION-NAME-MISSING/direct_alone", MODE_DIRECT, "northeurope",
	    STATE_CRITICAL, "PLP-101-REGION-NAME-MISSING", "name does not exist" },
	{ "PLP-101-REGION-NAME-MISSING/direct_alone", MODE_DIRECT, "westeurope", STATE_OK, "",
	    "4 of 4 replicas answer" },
	{ "PLP-125-FALLBACK-TO-INTERNET/signed_direct_alone", MODE_DIRECT, "northeurope",
	    STATE_CRITICAL, "PLP-125-FALLBACK-TO-INTERNET", "fallback to the internet" },
	{ "PLP-504-REGION-PENDING/all_modes", MODE_DIRECT, "northeurope", STATE_OK,
	    "PLP-504-REGION-PENDING", "region is not ready: Creating" },
	{ "PLP-504-REGION-PENDING/all_modes", MODE_GATEWAY_V2, "northeurope", STATE_OK,
	    "PLP-504-REGION-PENDING", "region is not ready: Creating" },
	/* One root, and each mode shows it. */
	{ "PLP-202-TCP-TIMEOUT/all_modes", MODE_GATEWAY, "northeurope", STATE_CRITICAL,
	    "PLP-202-TCP-TIMEOUT", "no connection: timeout" },
	{ "PLP-202-TCP-TIMEOUT/all_modes", MODE_DIRECT, "northeurope", STATE_CRITICAL,
	    "PLP-202-TCP-TIMEOUT", "no connection: timeout" },
	{ "PLP-202-TCP-TIMEOUT/all_modes", MODE_GATEWAY_V2, "northeurope", STATE_CRITICAL,
	    "PLP-202-TCP-TIMEOUT", "no connection: timeout" },
	/* A fault of one mode alone. */
	{ "PLP-601-DIRECT-TIMEOUT/causes", MODE_GATEWAY, "northeurope", STATE_OK, "",
	    "gateway reached, request admitted" },
	{ "PLP-601-DIRECT-TIMEOUT/causes", MODE_DIRECT, "westeurope", STATE_OK, "",
	    "4 of 4 replicas answer" },
	{ "PLP-601-DIRECT-TIMEOUT/causes", MODE_DIRECT, "northeurope", STATE_CRITICAL,
	    "PLP-601-DIRECT-TIMEOUT", "Direct ports silent" },
	{ "PLP-614-GATEWAY-ONLY-DOWN/causes", MODE_GATEWAY, "northeurope", STATE_CRITICAL,
	    "PLP-202-TCP-TIMEOUT", "no connection: timeout" },
	{ "PLP-614-GATEWAY-ONLY-DOWN/causes", MODE_DIRECT, "northeurope", STATE_WARNING,
	    "PLP-614-GATEWAY-ONLY-DOWN", "Direct answers, gateway does not" },
	/* No means, and guesses. */
	{ "PLP-615-DIRECT-UNVERIFIABLE/causes", MODE_GATEWAY, "westeurope", STATE_OK, "",
	    "gateway reached" },
	{ "PLP-615-DIRECT-UNVERIFIABLE/causes", MODE_DIRECT, "westeurope", STATE_UNKNOWN,
	    "PLP-615-DIRECT-UNVERIFIABLE", "unverifiable without an address" },
	{ "PLP-615-DIRECT-UNVERIFIABLE/sample_answers", MODE_DIRECT, "westeurope",
	    STATE_UNKNOWN, "PLP-615-DIRECT-UNVERIFIABLE", "unverifiable without an address" },
	{ "PLP-615-DIRECT-UNVERIFIABLE/sample_silent", MODE_DIRECT, "westeurope", STATE_UNKNOWN,
	    "PLP-615-DIRECT-UNVERIFIABLE", "unverifiable without an address" },
	{ "PLP-615-DIRECT-UNVERIFIABLE/gateway_down", MODE_DIRECT, "westeurope", STATE_CRITICAL,
	    "PLP-202-TCP-TIMEOUT", "no connection: timeout" },
	/* A credential is no matter of the account's. */
	{ "PLP-451-CREDENTIAL-UNUSABLE/direct_is_unknown", MODE_GATEWAY, "westeurope", STATE_OK,
	    "", "gateway reached" },
	{ "PLP-451-CREDENTIAL-UNUSABLE/direct_is_unknown", MODE_DIRECT, "westeurope",
	    STATE_UNKNOWN, "PLP-451-CREDENTIAL-UNUSABLE", "credential cannot be used" },
	{ "PLP-451-CREDENTIAL-UNUSABLE/sample", MODE_DIRECT, "westeurope", STATE_UNKNOWN,
	    "PLP-451-CREDENTIAL-UNUSABLE", "credential cannot be used" },
	{ "PLP-404-FIREWALL-PRIVATE-ENDPOINT/signed", MODE_DIRECT, "northeurope",
	    STATE_CRITICAL, "PLP-404-FIREWALL-PRIVATE-ENDPOINT", "another account's endpoint" },
	/* Gateway V2 is nobody's fault where nobody offers it. */
	{ "PLP-651-V2-BLOCKED/barely_not", MODE_GATEWAY_V2, "northeurope", STATE_UNKNOWN, "",
	    "not ready; whether it is offered was not asked" },
	{ "PLP-651-V2-BLOCKED/not_offered", MODE_GATEWAY_V2, "northeurope", STATE_OK, "",
	    "not offered: the gateway does not advertise it" },
	{ "PLP-504-REGION-PENDING/direct", MODE_DIRECT, "northeurope", STATE_OK,
	    "PLP-504-REGION-PENDING", "region is not ready: Creating" },
};

static void
test_places_of_modes(void **state)
{
	for (size_t i = 0; i < sizeof(place_cases) / sizeof(place_cases[0]); i++) {
		const struct place_case *row = &place_cases[i];
		struct arena            *arena = arena_new();
		const struct place      *place = find_place(
		         run_witness(arena, arena_printf(arena, FOLDER "/%s.json", row->path)),
		         row->mode, row->region);
		const char *code = place->worst == FINDING_COUNT
		    ? ""
		    : finding_table[place->worst].code;

		if (strcmp(place->words, row->words) != 0 || strcmp(code, row->code) != 0 ||
		    place->state != row->state)
			fail_msg("%s, %s '%s': %s, %s, %s", row->path, mode_name(row->mode),
			    row->region, state_name(place->state), code, place->words);
		arena_free(arena);
	}
}

static bool
has_unknown(const struct verdict *verdict, const char *part)
{
	for (size_t i = 0; i < verdict->unknown_count; i++) {
		if (strstr(verdict->unknowns[i], part) != NULL)
			return true;
	}
	return false;
}

/* A signed request answers what an unsigned one leaves open; a context does not. */
static void
test_what_modes_leave_unknown(void **state)
{
	static const struct {
		const char *path;
		bool        admits, context, direct, gateway;
	} cases[] = {
		{ "well/two_regions", true, false, true, false },
		{ "well/all_modes", false, true, false, false },
		{ "well/direct_alone", false, true, false, true },
		{ "PLP-615-DIRECT-UNVERIFIABLE/causes", true, false, false, false },
		{ "PLP-615-DIRECT-UNVERIFIABLE/barely_not", true, true, false, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct verdict *verdict = run_witness(
		    arena, arena_printf(arena, FOLDER "/%s.json", cases[i].path));

		assert_int_equal(has_unknown(verdict, "a 401 shows only"), cases[i].admits);
		assert_int_equal(
		    has_unknown(verdict, "in Direct mode: a context"), cases[i].context);
		assert_int_equal(
		    has_unknown(verdict, "Direct mode: not asked for"), cases[i].direct);
		assert_int_equal(has_unknown(verdict, "the gateways, and"), cases[i].gateway);
		arena_free(arena);
	}
}

/* A server that is too old for private endpoints leaves nothing open about them. */
static void
test_too_old_leaves_no_unknown(void **state)
{
	struct arena *arena = arena_new();
	const struct {
		const char *path;
		bool        asks;
	} cases[] = { { "PLP-702-MONGO-TOO-OLD/open", false },
		{ "PLP-702-MONGO-TOO-OLD/live_barely_not", true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct verdict *verdict = run_witness(
		    arena, arena_printf(arena, FOLDER "/%s.json", cases[i].path));

		assert_int_equal(has_unknown(verdict, "sends SNI"), cases[i].asks);
		assert_int_equal(has_unknown(verdict, "sweep was not run"), cases[i].asks);
	}
	arena_free(arena);
}

/* A finding of one mode says nothing of a place of another; DNS does. */
/* What several APIs show of the account is one finding, and concerns the places of all. */
static void
test_one_finding_of_several_apis(void **state)
{
	struct arena   *arena = arena_new();
	struct verdict *verdict = run_witness(arena, FOLDER "/apis/one_connection_pends.json");

	assert_int_equal(verdict->finding_count, 1);
	assert_int_equal(verdict->findings[0].host_count, 6);
	assert_int_equal(verdict->place_count, 6);
	for (size_t i = 0; i < verdict->place_count; i++) {
		assert_int_equal(verdict->places[i].target->api, i < 3 ? API_SQL : API_GREMLIN);
		assert_int_equal(verdict->places[i].worst, FINDING_CONNECTION_PENDING);
		assert_true(finding_concerns(&verdict->findings[0], &verdict->places[i]));
	}
	arena_free(arena);
}

/* And what each has for itself concerns no place of another. */
static void
test_findings_of_single_apis(void **state)
{
	struct arena   *arena = arena_new();
	struct verdict *verdict = run_witness(arena, FOLDER "/apis/each_for_itself.json");

	assert_int_equal(verdict->finding_count, 2);
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *finding = &verdict->findings[i];
		size_t                concerned = 0;

		for (size_t j = 0; j < verdict->place_count; j++) {
			const struct place *place = &verdict->places[j];

			if (!finding_concerns(finding, place))
				continue;
			concerned++;
			assert_int_equal(place->target->api, finding->api);
			assert_string_equal(place->target->region, "northeurope");
		}
		assert_int_equal(concerned, 1);
		assert_non_null(strstr(finding->fix,
		    finding->api == API_SQL ? "-z privatelink.documents.azure.com"
		                            : "-z privatelink.cassandra.cosmos.azure.com"));
	}
	arena_free(arena);
}

static void
test_whom_a_finding_concerns(void **state)
{
	static const struct {
		const char *path;
		enum mode   mode;
		bool        concerned;
	} cases[] = {
		{ "PLP-601-DIRECT-TIMEOUT/causes", MODE_DIRECT, true },
		{ "PLP-601-DIRECT-TIMEOUT/causes", MODE_GATEWAY, false },
		{ "PLP-101-REGION-NAME-MISSING/all_modes", MODE_DIRECT, true },
		{ "PLP-202-TCP-TIMEOUT/all_modes", MODE_DIRECT, true },
		{ "PLP-614-GATEWAY-ONLY-DOWN/causes", MODE_GATEWAY, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct verdict *verdict = run_witness(
		    arena, arena_printf(arena, FOLDER "/%s.json", cases[i].path));

		assert_int_equal(finding_concerns(&verdict->findings[0],
		                     find_place(verdict, cases[i].mode, "northeurope")),
		    cases[i].concerned);
		arena_free(arena);
	}
}

static void
make_replicas(struct arena *arena, struct measurement *seen, const char *host)
{
	struct replica well = seen->replicas[0];

	seen->origin = (uint32_t)support_random_below(&dice, ORIGIN_COUNT);
	seen->replicas_count = support_random_below(&dice, 6);
	seen->replicas = arena_array(arena, 6, sizeof(struct replica));
	for (size_t i = 0; i < seen->replicas_count; i++) {
		struct replica *replica = &seen->replicas[i];

		*replica = well;
		replica->end = arena_alloc(arena, sizeof(struct endpoint));
		*replica->end = *well.end;
		/* NULL: as a probe leaves it when the host has no address. */
		replica->end->address = support_random_below(&dice, 6) == 0
		    ? NULL
		    : PICK(address_pool);
		replica->end->tcp = PICK(outcome_pool);
		replica->end->tls = PICK(outcome_pool);
		replica->context = PICK(outcome_pool);
		replica->status = support_random_below(&dice, 3) == 0 ? 403 : 0;
		replica->host = support_random_below(&dice, 3) == 0
		    ? "cdb-ms-prod-x1.documents.azure.com"
		    : host;
		replica->port = (uint32_t)support_random_below(&dice, 65536);
		replica->primary = support_random_below(&dice, 2) == 0;
	}
}

static void
make_feed(struct feed *feed)
{
	static const unsigned    statuses[] = { 0, 200, 401, 403, 429, 503 };
	static const unsigned    substatuses[] = { 0, 5006, 5202, 5301, 5008 };
	static const char *const steps[] = { "credential", "account", "addresses" };

	feed->outcome = PICK(outcome_pool);
	feed->http_status = PICK(statuses);
	feed->substatus = PICK(substatuses);
	feed->step = PICK(steps);
	feed->admitted = support_random_below(&dice, 2) == 0;
	feed->path = (uint32_t)support_random_below(&dice, PATH_COUNT);
	feed->credential = (uint32_t)support_random_below(&dice, CREDENTIAL_COUNT);
	feed->clock_ahead_s = (int64_t)support_random_below(&dice, 1000) - 500;
}

static void
make_any_mode(struct arena *arena, struct measurement *seen)
{
	const struct hop *hop = &seen->dns[0].hops[0];

	make_answer(arena, &seen->dns[0], hop);
	if (seen->feed != NULL)
		make_feed(seen->feed);
	if (seen->endpoints_count > 0)
		make_attempts(arena, seen);
	if (seen->replicas_count > 0)
		make_replicas(arena, seen, seen->target->host);
	for (size_t i = 0; i < seen->thins_count; i++) {
		seen->thins[i].outcome = PICK(outcome_pool);
		seen->thins[i].end->tcp = PICK(outcome_pool);
		seen->thins[i].advertised = support_random_below(&dice, 2) == 0;
	}
}

/* No Direct place is ok without a good context, and none with a failure. */
static void
assert_direct_is_proven(const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];
		bool                any = false;

		if (place->target->mode != MODE_DIRECT || place->state != STATE_OK)
			continue;
		assert_int_not_equal(place->seen->origin, ORIGIN_SAMPLE);
		for (size_t j = 0; j < place->seen->replicas_count; j++)
			any |= place->seen->replicas[j].context == OUTCOME_OK &&
			    place->seen->replicas[j].status == 0;
		assert_true(any);
	}
}

/* Whatever the modes show together, beside each other or alone. */
static void
test_any_modes_are_judged(void **state)
{
	dice = support_random_new();
	for (unsigned round = 0; round < 500; round++) {
		struct arena           *arena = arena_new();
		struct support_witness *witness = support_witness_read(
		    arena, FOLDER "/swarm/modes.json");
		struct verdict *verdict;

		for (size_t i = 0; i < witness->seen_count; i++)
			make_any_mode(arena, witness->seen[i]);
		shuffle(witness->seen, witness->seen_count);
		witness->seen_count -= support_random_below(&dice, witness->seen_count);
		verdict = support_witness_judge(arena, witness);
		assert_sound(arena, witness, verdict);
		assert_direct_is_proven(verdict);
		shuffle(witness->seen, witness->seen_count);
		assert_same(witness->title, verdict, support_witness_judge(arena, witness));
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_texts_may_be_missing),
		cmocka_unit_test(test_the_newest_counts),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_any_measurement_is_judged),
		cmocka_unit_test(test_any_answers_are_judged),
		cmocka_unit_test(test_places_of_modes),
		cmocka_unit_test(test_what_modes_leave_unknown),
		cmocka_unit_test(test_whom_a_finding_concerns),
		cmocka_unit_test(test_too_old_leaves_no_unknown),
		cmocka_unit_test(test_one_finding_of_several_apis),
		cmocka_unit_test(test_findings_of_single_apis),
		cmocka_unit_test(test_any_modes_are_judged),
		cmocka_unit_test(test_dns_only_by_range_is_never_ok),
		cmocka_unit_test(test_dns_only_by_documents),
		cmocka_unit_test(test_dns_only_finds_what_dns_shows),
		cmocka_unit_test(test_one_connection_is_not_dns_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
