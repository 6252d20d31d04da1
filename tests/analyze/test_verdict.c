#include "analyze/verdict.h"

#include "base/json.h"
#include "tests/support/support_witness.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/analyze/witness/"

struct told {
	struct arena           *arena;
	struct support_witness *witness;
	struct verdict         *verdict;
	struct wbuf             out;
};

static struct told
judge(const char *path)
{
	struct told told = { .arena = arena_new() };

	told.witness = support_witness_read(
	    told.arena, arena_printf(told.arena, FOLDER "%s", path));
	told.verdict = support_witness_judge(told.arena, told.witness);
	wbuf_init(&told.out);
	return told;
}

static void
forget(struct told *told)
{
	wbuf_fini(&told->out);
	arena_free(told->arena);
}

static void
assert_says(struct told *told, const char *part)
{
	if (strstr(wbuf_text(&told->out), part) == NULL)
		fail_msg("'%s' is not in:\n%s", part, wbuf_text(&told->out));
}

static void
assert_says_not(struct told *told, const char *part)
{
	if (strstr(wbuf_text(&told->out), part) != NULL)
		fail_msg("'%s' is in:\n%s", part, wbuf_text(&told->out));
}

static void
test_exit_codes(void **state)
{
	assert_int_equal(verdict_exit(STATE_OK), 0);
	assert_int_equal(verdict_exit(STATE_WARNING), 1);
	assert_int_equal(verdict_exit(STATE_CRITICAL), 2);
	assert_int_equal(verdict_exit(STATE_UNKNOWN), 3);
}

static void
test_table_of_a_missing_name(void **state)
{
	struct told told = judge("PLP-101-REGION-NAME-MISSING/causes.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 120, .colour = false }, &told.out);
	assert_says(&told, "contoso: critical\n");
	assert_says(&told, "North Europe");
	assert_says(&told, "10.1.0.5");
	assert_says(&told, "name does not exist");
	assert_says(&told, "critical PLP-101-REGION-NAME-MISSING");
	assert_says(&told,
	    "contoso-northeurope.documents.azure.com: the region is configured, but the name "
	    "does not exist in DNS");
	assert_says(&told, "whose     dns");
	assert_says(&told,
	    "az network private-dns record-set a add-record -g $RG -z "
	    "privatelink.documents.azure.com -n contoso-northeurope -a $IP\n");
	assert_says(&told, "# $RG: ");
	assert_says(&told, "Direct mode: not asked for (--mode all)");
	assert_says_not(&told, "\033");
	forget(&told);
}

static void
test_table_of_two_resolvers(void **state)
{
	struct told told = judge("PLP-116-RESOLVERS-DISAGREE/silent_is_no_opinion.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(&told, "timeout (1 of 2)");
	assert_says(&told, "contoso: warning\n");
	forget(&told);
}

static void
test_colour_only_when_asked_for(void **state)
{
	struct told told = judge("PLP-101-REGION-NAME-MISSING/causes.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 120, .colour = true }, &told.out);
	assert_says(&told, "\033[31mcritical\033[0m");
	forget(&told);
}

/* A 401 shows that the gateway is there, and no more; the words must not promise it. */
static void
test_well_is_not_admitted(void **state)
{
	struct told told = judge("well/two_regions.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(&told, "contoso: ok\n");
	assert_says(&told, "gateway reached");
	assert_says(&told, "whether the account admits this network");
	assert_says_not(&told, "PLP-");
	forget(&told);
}

static void
test_what_is_not_known_without_a_document(void **state)
{
	struct told told = judge("well/without_document.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(
	    &told, "which regions are configured: no document of the account was given");
	assert_says(&told, "West Europe");
	forget(&told);
}

static void
test_not_measured_is_unknown(void **state)
{
	struct told told = judge("unknown/not_measured.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(&told, "contoso: unknown\n");
	assert_says(&told, "not measured");
	forget(&told);
}

static void
assert_members(const json_t *object, const char *const *names)
{
	size_t count = 0;

	for (; names[count] != NULL; count++) {
		if (json_object_get(object, names[count]) == NULL)
			fail_msg("no member '%s'", names[count]);
	}
	assert_int_equal(json_object_size(object), count);
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "(none)";
}

/* Programs hold on to these names. */
static void
test_json_has_stable_members(void **state)
{
	static const char *const top[] = { "account", "document", "state", "dns_only", "places",
		"findings", "unknowns", NULL };
	static const char *const of_place[] = { "region", "region_name", "api", "mode", "host",
		"port", "role", "state", "code", "words", "public_address", "addresses", "seen",
		NULL };
	static const char *const of_finding[] = { "code", "severity", "owner", "account", "api",
		"region", "host", "hosts", "sentence", "evidence", "fix", "seen", NULL };
	struct told              told = judge("PLP-101-REGION-NAME-MISSING/causes.json");
	json_t                  *value = verdict_json(told.witness->account, told.verdict);
	json_t                  *place = json_array_get(json_object_get(value, "places"), 2);
	json_t *finding = json_array_get(json_object_get(value, "findings"), 0);

	assert_members(value, top);
	assert_members(place, of_place);
	assert_members(finding, of_finding);
	assert_string_equal(text_of(value, "account"), "contoso");
	assert_string_equal(text_of(value, "document"), "contoso.json");
	assert_string_equal(text_of(value, "state"), "critical");
	assert_string_equal(text_of(place, "region"), "northeurope");
	assert_string_equal(text_of(place, "region_name"), "North Europe");
	assert_string_equal(text_of(place, "code"), "PLP-101-REGION-NAME-MISSING");
	assert_string_equal(text_of(finding, "region"), "northeurope");
	assert_string_equal(text_of(finding, "severity"), "critical");
	assert_string_equal(text_of(finding, "owner"), "dns");
	assert_string_equal(text_of(finding, "seen"), "2026-09-21T14:13:20.000Z");
	assert_int_equal(json_array_size(json_object_get(finding, "hosts")), 1);
	assert_true(json_is_null(
	    json_object_get(json_array_get(json_object_get(value, "places"), 0), "code")));
	json_decref(value);
	forget(&told);
}

static void
test_nagios_line(void **state)
{
	struct told told = judge("PLP-101-REGION-NAME-MISSING/causes.json");

	verdict_nagios(told.witness->account, told.verdict, &told.out);
	assert_string_equal(wbuf_text(&told.out),
	    "CRITICAL - contoso: PLP-101-REGION-NAME-MISSING: "
	    "contoso-northeurope.documents.azure.com: the region is configured, but the name "
	    "does not exist in DNS | names_ok=2;;;0;3 findings=1;;;0 dns=0.001500s "
	    "tcp=0.001200s tls=0.003100s http=0.001300s\n");
	forget(&told);
}

static void
test_nagios_words(void **state)
{
	static const struct {
		const char *path, *begin;
	} cases[] = {
		{ "well/two_regions.json",
		    "OK - contoso: gateway reached | names_ok=3;;;0;3 " },
		{ "unknown/not_measured.json", "UNKNOWN - contoso: not measured | " },
		{ "PLP-105-RECORD-LEFT-OVER/causes.json",
		    "WARNING - contoso: PLP-105-RECORD-LEFT-OVER: " },
		{ "PLP-504-REGION-PENDING/others_are_judged.json",
		    "CRITICAL - contoso: PLP-202-TCP-TIMEOUT: both names of contoso: " },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct told told = judge(cases[i].path);

		verdict_nagios(told.witness->account, told.verdict, &told.out);
		if (strncmp(wbuf_text(&told.out), cases[i].begin, strlen(cases[i].begin)) != 0)
			fail_msg(
			    "'%s' does not begin: %s", cases[i].begin, wbuf_text(&told.out));
		forget(&told);
	}
}

/* What was not measured has no time. */
static void
test_nagios_of_dns_only(void **state)
{
	struct told told = judge("well/two_regions.json");

	told.verdict->dns_only = true;
	verdict_nagios(told.witness->account, told.verdict, &told.out);
	assert_says(&told, " dns=0.");
	assert_says_not(&told, "tcp=");
	forget(&told);
}

/* Only DNS: no columns for what was not asked, and a tree for what is wrong. */
static void
test_table_of_dns_only(void **state)
{
	struct told         told = judge("PLP-101-REGION-NAME-MISSING/causes.json");
	struct verdict_look look = { .width = 160, .trees = VERDICT_ODD_TREES };

	told.verdict->dns_only = true;
	verdict_print(told.witness->account, told.verdict, &look, &told.out);
	assert_says(&told, "contoso: critical (DNS only)\n");
	assert_says_not(&told, " gateway  ");
	assert_says(&told, "\ncontoso-northeurope.documents.azure.com (North Europe)\n");
	assert_says_not(&told, "\ncontoso-westeurope.documents.azure.com (West Europe)\n");
	wbuf_clear(&told.out);
	look.trees = VERDICT_ALL_TREES;
	verdict_print(told.witness->account, told.verdict, &look, &told.out);
	assert_says(&told, "\ncontoso-westeurope.documents.azure.com (West Europe)\n");
	wbuf_clear(&told.out);
	look.trees = VERDICT_NO_TREES;
	verdict_print(told.witness->account, told.verdict, &look, &told.out);
	assert_says_not(&told, "\ncontoso-northeurope.documents.azure.com (North Europe)\n");
	forget(&told);
}

/* What a peer said must not end the text before the numbers. */
static void
test_nagios_text_has_no_bar(void **state)
{
	struct told told = judge("well/two_regions.json");

	told.verdict->places[0].words = "a|b\nc";
	verdict_nagios(told.witness->account, told.verdict, &told.out);
	assert_says(&told, "a b c | names_ok");
	forget(&told);
}

static void
print_wide(struct told *told)
{
	verdict_print(told->witness->account, told->verdict,
	    &(struct verdict_look){ .width = 200, .colour = false }, &told->out);
}

/* Several modes: in short first, then a table for each, in its own terms. */
static void
test_table_of_modes(void **state)
{
	struct told told = judge("PLP-610-DIRECT-SOME-REPLICAS/causes.json");

	print_wide(&told);
	assert_says(&told,
	    "contoso: critical\n"
	    "api   mode    state    words\n"
	    "NoSQL gateway ok       3 of 3 names\n"
	    "NoSQL direct  critical North Europe: some replicas do not answer\n"
	    "\ngateway\nregion ");
	assert_says(&told,
	    "\ndirect\n"
	    "region       state    address  replicas ports       tcp     tls    context "
	    "verdict\n"
	    "West Europe  ok       10.1.0.5 4 of 4   14031-40511 1.3 ms  3.3 ms 1.4 ms  "
	    "4 of 4 replicas answer\n"
	    "North Europe critical 10.1.0.6 2 of 4   14031-40511 timeout -      -       "
	    "some replicas do not answer\n");
	assert_says(&told, "Gateway V2: not asked for");
	forget(&told);
}

/* One row for each API and mode, and a table for each with columns that fit. */
static void
test_table_of_apis(void **state)
{
	struct told told = judge("apis/at_a_glance.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(&told,
	    "contoso: critical\n"
	    "api     mode    state    words\n"
	    "NoSQL   gateway ok       3 of 3 names\n"
	    "NoSQL   direct  critical both regions: Direct ports silent\n"
	    "MongoDB gateway critical all 3 names: server version too old\n"
	    "\nNoSQL, gateway\n");
	assert_says(&told, "\nNoSQL, direct\n");
	assert_says(&told,
	    "\nMongoDB, gateway\n"
	    "region       state    address dns tcp tls front end verdict\n"
	    "(account)    critical -                             server version too old\n");
	/* Seen in the document, so that it is seen once. */
	assert_says(&told, "  seen      contoso.json: apiProperties.serverVersion is 3.2; ");
	assert_says_not(&told, "contoso.documents.azure.com: contoso.json");
	forget(&told);
}

/* What a front end said, in the words of its API. */
static void
test_words_of_front_ends(void **state)
{
	struct told told = judge("apis/all_well.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false, .trees = VERDICT_ALL_TREES },
	    &told.out);
	assert_says(&told,
	    "(account)    ok    10.1.1.4 1.5 ms 1.2 ms 3.1 ms 1.5 ms    front end asks for "
	    "login, wire 18 (6.1 generation)\n");
	assert_says(&told, "Gremlin   gateway ok    3 of 3 names\n");
	assert_says(&told, "contoso.mongo.cosmos.azure.com (the account, MongoDB)");
	assert_says(&told, "front end: ok in 1.5 ms, asks for login");
	assert_says(&told, "hands out contoso-westeurope.mongo.cosmos.azure.com:10255");
	assert_says(&told, "this network's clients of Cassandra");
	assert_says(&told, "sends SNI");
	assert_says_not(&told, "Gremlin, which the account serves too");
	wbuf_clear(&told.out);
	verdict_nagios(told.witness->account, told.verdict, &told.out);
	assert_says(&told,
	    "| names_ok=3;;;0;3 mongodb_ok=3;;;0;3 cassandra_ok=3;;;0;3 gremlin_ok=3;;;0;3 "
	    "table_ok=3;;;0;3 findings=0");
	forget(&told);
}

static void
test_api_not_asked_for(void **state)
{
	struct told told = judge("apis/not_asked.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(
	    &told, "the names of Cassandra, which the account serves too: not asked for");
	forget(&told);
}

/* All APIs are a question; what has no name is answered, and is no row. */
static void
test_api_not_served(void **state)
{
	struct told told = judge("apis/question.json");

	verdict_print(told.witness->account, told.verdict,
	    &(struct verdict_look){ .width = 160, .colour = false }, &told.out);
	assert_says(&told, "Cassandra gateway ok    1 of 1 name\n");
	assert_says(&told, "MongoDB: the account does not serve it, as far as DNS shows");
	assert_says(&told, "Gremlin: the account does not serve it");
	assert_says_not(&told, "\nMongoDB gateway");
	forget(&told);
}

static void
test_json_of_apis(void **state)
{
	struct told told = judge("apis/at_a_glance.json");
	json_t     *root = verdict_json(told.witness->account, told.verdict);
	json_t     *places = json_object_get(root, "places"), *place;
	json_t     *findings = json_object_get(root, "findings");

	assert_int_equal(json_array_size(places), 8);
	place = json_array_get(places, 7);
	assert_string_equal(text_of(place, "api"), "mongodb");
	assert_string_equal(text_of(place, "mode"), "gateway");
	assert_string_equal(text_of(place, "state"), "critical");
	assert_string_equal(text_of(place, "code"), "PLP-702-MONGO-TOO-OLD");
	assert_true(json_is_null(json_object_get(place, "seen")));
	assert_string_equal(text_of(json_array_get(findings, 0), "api"), "sql");
	assert_string_equal(text_of(json_array_get(findings, 1), "api"), "mongodb");
	json_decref(root);
	forget(&told);
}

/* One mode alone needs no summary. */
static void
test_table_of_direct_alone(void **state)
{
	struct told told = judge("well/direct_alone.json");

	print_wide(&told);
	assert_says(&told, "contoso: ok\nregion       state address  replicas ");
	assert_says_not(&told, "\ndirect\n");
	assert_says_not(&told, "(account)");
	forget(&told);
}

/* The words do not say that nothing was signed when what was signed was refused. */
static void
test_refused_is_not_unsigned(void **state)
{
	struct told told = judge("PLP-452-KEY-WRONG/causes.json");

	print_wide(&told);
	assert_says(&told, "no signed request was answered with the account");
	assert_says_not(&told, "carries no credentials");
	forget(&told);
}

static void
test_table_of_v2(void **state)
{
	struct told told = judge("PLP-653-V2-NO-HTTP2/causes.json");

	print_wide(&told);
	assert_says(
	    &told, "NoSQL gateway-v2 warning North Europe: Gateway V2 without HTTP/2\n");
	assert_says(&told,
	    "region       state   address  tcp    tls    h2     verdict\n"
	    "West Europe  ok      10.1.0.5 1.2 ms 3.2 ms 0.9 ms ready\n"
	    "North Europe warning 10.1.0.6 1.2 ms 3.2 ms no h2  Gateway V2 without HTTP/2\n");
	forget(&told);
}

/* What the summary says of a mode that is not well. */
static void
test_summary_words(void **state)
{
	static const struct {
		const char *path, *line;
	} cases[] = {
		{ "well/all_modes.json", "NoSQL direct     ok    2 of 2 regions\n" },
		{ "PLP-601-DIRECT-TIMEOUT/all_regions.json",
		    "NoSQL direct  critical both regions: Direct ports silent\n" },
		{ "PLP-615-DIRECT-UNVERIFIABLE/causes.json",
		    "NoSQL direct  unknown both regions: unverifiable without an address\n" },
		{ "PLP-202-TCP-TIMEOUT/all_modes.json",
		    "NoSQL gateway-v2 critical North Europe: no connection: timeout\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct told told = judge(cases[i].path);

		print_wide(&told);
		assert_says(&told, cases[i].line);
		forget(&told);
	}
}

/* A guess is no replica, and is not counted as one. */
static void
test_table_of_a_sample(void **state)
{
	struct told told = judge("PLP-615-DIRECT-UNVERIFIABLE/sample_answers.json");

	print_wide(&told);
	assert_says(&told, "4 guessed");
	assert_says_not(&told, "4 of 4");
	forget(&told);
}

static void
test_json_has_modes(void **state)
{
	static const char *const modes[] = { "gateway", "gateway", "gateway", "direct",
		"direct", "gateway-v2", "gateway-v2" };
	struct told              told = judge("well/all_modes.json");
	json_t                  *value = verdict_json(told.witness->account, told.verdict);
	json_t                  *places = json_object_get(value, "places");

	assert_int_equal(json_array_size(places), 7);
	for (size_t i = 0; i < 7; i++) {
		assert_string_equal(text_of(json_array_get(places, i), "mode"), modes[i]);
		assert_string_equal(text_of(json_array_get(places, i), "api"), "sql");
	}
	json_decref(value);
	forget(&told);
}

static void
test_nagios_counts_modes(void **state)
{
	static const struct {
		const char *path, *part;
	} cases[] = {
		{ "well/all_modes.json",
		    " | names_ok=3;;;0;3 direct_ok=2;;;0;2 v2_ok=2;;;0;2 findings=0;;;0 dns=" },
		{ "PLP-601-DIRECT-TIMEOUT/causes.json",
		    " | names_ok=3;;;0;3 direct_ok=1;;;0;2 findings=1;;;0 dns=" },
		/* What was not asked has no count, and no time. */
		{ "well/direct_alone.json",
		    " | direct_ok=2;;;0;2 findings=0;;;0 dns=0.001500s\n" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct told told = judge(cases[i].path);

		verdict_nagios(told.witness->account, told.verdict, &told.out);
		assert_says(&told, cases[i].part);
		forget(&told);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_table_of_a_missing_name),
		cmocka_unit_test(test_table_of_two_resolvers),
		cmocka_unit_test(test_colour_only_when_asked_for),
		cmocka_unit_test(test_well_is_not_admitted),
		cmocka_unit_test(test_refused_is_not_unsigned),
		cmocka_unit_test(test_what_is_not_known_without_a_document),
		cmocka_unit_test(test_not_measured_is_unknown),
		cmocka_unit_test(test_json_has_stable_members),
		cmocka_unit_test(test_nagios_line),
		cmocka_unit_test(test_nagios_words),
		cmocka_unit_test(test_nagios_of_dns_only),
		cmocka_unit_test(test_table_of_dns_only),
		cmocka_unit_test(test_nagios_text_has_no_bar),
		cmocka_unit_test(test_table_of_modes),
		cmocka_unit_test(test_table_of_direct_alone),
		cmocka_unit_test(test_table_of_v2),
		cmocka_unit_test(test_summary_words),
		cmocka_unit_test(test_table_of_apis),
		cmocka_unit_test(test_words_of_front_ends),
		cmocka_unit_test(test_api_not_asked_for),
		cmocka_unit_test(test_api_not_served),
		cmocka_unit_test(test_json_of_apis),
		cmocka_unit_test(test_table_of_a_sample),
		cmocka_unit_test(test_json_has_modes),
		cmocka_unit_test(test_nagios_counts_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
