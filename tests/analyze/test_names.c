#include "analyze/names.h"

#include "analyze/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct account *
read_account(struct arena *arena, const char *path, size_t number)
{
	struct err           err;
	struct account_list *list = account_read(arena, path, &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list->accounts[number];
}

static size_t
count_swept(enum cloud cloud)
{
	size_t count = 0;

	for (const struct region *region = region_table; region->label != NULL; region++)
		count += region->cloud == cloud && !region->hidden ? 1 : 0;
	return count;
}

static void
test_configured_names(void **state)
{
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *names = names_targets(arena, account, 0);

	assert_int_equal(names->count, 4);
	assert_string_equal(names->targets[0].host, "contoso.documents.azure.com");
	assert_string_equal(names->targets[0].region, "");
	assert_string_equal(names->targets[1].host, "contoso-westeurope.documents.azure.com");
	assert_string_equal(names->targets[1].region, "westeurope");
	/* By the rule, while the document has no endpoint yet. */
	assert_string_equal(names->targets[3].host, "contoso-eastus.documents.azure.com");
	for (size_t i = 0; i < names->count; i++) {
		assert_string_equal(names->targets[i].account, "contoso");
		assert_int_equal(names->targets[i].role, ROLE_CONFIGURED);
		assert_int_equal(names->targets[i].api, API_SQL);
		assert_int_equal(names->targets[i].mode, MODE_GATEWAY);
		assert_int_equal(names->targets[i].port, 443);
		assert_false(names->targets[i].dns_only);
	}
	arena_free(arena);
}

/* The document's own endpoints win over the rule, port included. */
static void
test_the_documents_endpoints_win(void **state)
{
	static const char text[] =
	    "{\"name\":\"contoso\",\"documentEndpoint\":\"https://c.documents.example:1443/\","
	    "\"locations\":[{\"locationName\":\"West Europe\","
	    "\"documentEndpoint\":\"https://odd.documents.example:2443/\"},"
	    "{\"locationName\":\"East US\"}]}";
	struct arena   *arena = arena_new();
	struct err      err;
	struct account *account =
	    account_parse(arena, text, strlen(text), "in", &err)->accounts[0];
	struct name_list *names = names_targets(arena, account, 0);

	assert_int_equal(names->targets[0].port, 1443);
	assert_string_equal(names->targets[2].host, "odd.documents.example");
	assert_int_equal(names->targets[2].port, 2443);
	assert_string_equal(names->targets[1].host, "c-eastus.documents.example");
	assert_int_equal(names->targets[1].port, 1443);
	arena_free(arena);
}

/* Asks the zone itself for regions that are not configured, and for no others. */
static void
test_sweep_with_a_document(void **state)
{
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *names = names_targets(arena, account, NAMES_SWEEP);

	assert_int_equal(names->count, 1 + count_swept(CLOUD_PUBLIC));
	for (size_t i = 4; i < names->count; i++) {
		const struct target *target = &names->targets[i];

		assert_int_equal(target->role, ROLE_SWEEP);
		assert_true(target->dns_only);
		assert_int_equal(region_find(target->region)->cloud, CLOUD_PUBLIC);
		assert_int_equal(region_find(target->region)->hidden, 0);
		assert_string_not_equal(target->region, "westeurope");
		assert_string_not_equal(target->region, "eastus"); /* pending is configured */
		assert_string_equal(target->host,
		    arena_printf(
		        arena, "contoso-%s.privatelink.documents.azure.com", target->region));
	}
	arena_free(arena);
}

static void
test_sweep_of_a_sovereign_cloud(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = read_account(
	    arena, "tests/analyze/document/rest_list.json", 1);
	struct name_list *names = names_targets(arena, account, NAMES_SWEEP);

	assert_int_equal(names->count, 1 + count_swept(CLOUD_USGOV));
	for (size_t i = 3; i < names->count; i++)
		assert_int_equal(region_find(names->targets[i].region)->cloud, CLOUD_USGOV);
	arena_free(arena);
}

/* Without a document any region may be real: its public name, in full. */
static void
test_sweep_without_a_document(void **state)
{
	struct arena     *arena = arena_new();
	struct err        err;
	struct account   *account = account_named(arena, "contoso.documents.azure.cn", &err);
	struct name_list *names = names_targets(arena, account, NAMES_SWEEP);

	assert_int_equal(names->count, 1 + count_swept(CLOUD_CHINA));
	for (size_t i = 1; i < names->count; i++) {
		const struct target *target = &names->targets[i];

		assert_int_equal(target->role, ROLE_SWEEP);
		assert_false(target->dns_only);
		assert_string_equal(target->host,
		    arena_printf(arena, "contoso-%s.documents.azure.cn", target->region));
	}
	arena_free(arena);
}

/* Regions that somebody adds; those of the table, of the document and doubles add nothing. */
static void
test_more_regions(void **state)
{
	static const char *const labels[] = { "atlantisnorth", "westeurope", "westus",
		"atlantisnorth", "atlantissouth" };
	struct name_regions      more = { labels, 5 };
	struct arena            *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *known = names_targets(arena, account, NAMES_SWEEP);
	struct name_list *all = names_targets_more(arena, account, NAMES_SWEEP, &more);
	struct target    *last = &all->targets[all->count - 1];

	assert_int_equal(all->count, known->count + 2);
	assert_string_equal(last[-1].region, "atlantisnorth");
	assert_string_equal(last->region, "atlantissouth");
	assert_string_equal(
	    last->host, "contoso-atlantissouth.privatelink.documents.azure.com");
	assert_int_equal(last->role, ROLE_SWEEP);
	assert_true(last->dns_only);
	all = names_targets_more(arena, account, 0, &more);
	assert_int_equal(all->count, 4);
	arena_free(arena);
}

/* API by API, each with its own zone and port, and Direct mode for NoSQL alone. */
static void
test_apis(void **state)
{
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *sql = names_targets(
	    arena, account, NAMES_SWEEP | NAMES_GATEWAY | NAMES_DIRECT);
	struct name_list    *both = names_targets(arena, account,
	       NAMES_SWEEP | NAMES_GATEWAY | NAMES_DIRECT | NAMES_API(API_SQL) |
	           NAMES_API(API_CASSANDRA));
	const struct target *first = &both->targets[sql->count];
	size_t               swept = 0;

	assert_true(both->count > sql->count);
	for (size_t i = 0; i < sql->count; i++)
		assert_string_equal(both->targets[i].host, sql->targets[i].host);
	assert_string_equal(first->host, "contoso.cassandra.cosmos.azure.com");
	assert_string_equal(first->region, "");
	for (size_t i = sql->count; i < both->count; i++) {
		const struct target *target = &both->targets[i];

		assert_int_equal(target->api, API_CASSANDRA);
		assert_int_equal(target->mode, MODE_GATEWAY);
		assert_int_equal(target->port, 10350);
		if (target->role != ROLE_SWEEP)
			continue;
		swept++;
		assert_non_null(
		    strstr(target->host, ".privatelink.cassandra.cosmos.azure.com"));
	}
	assert_int_equal(both->count - sql->count, 1 + account->location_count + swept);
	arena_free(arena);
}

/* There is no private zone to look for left-over records in. */
static void
test_no_sweep_of_an_old_server(void **state)
{
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *names;

	account->server_version = "3.2";
	names = names_targets(arena, account, NAMES_SWEEP | NAMES_API(API_MONGO));
	assert_int_equal(names->count, 1 + account->location_count);
	assert_string_equal(names->targets[0].host, "contoso.documents.azure.com");
	assert_int_equal(names->targets[0].port, 10255);
	arena_free(arena);
}

/* Names of the account, below the suffix of the API, at its port: and nothing else, whatever a
 * front end says. */
static const struct handed_case {
	const char *hosts, *names; /* space between */
} handed_cases[] = {
	{ "", "" },
	{ "contoso-westeurope.mongo.cosmos.azure.com:10255",
	    "contoso-westeurope.mongo.cosmos.azure.com" },
	{ "Contoso-WestEurope.Mongo.Cosmos.Azure.com:10255 "
	  "contoso.mongo.cosmos.azure.com:10255",
	    "contoso-westeurope.mongo.cosmos.azure.com contoso.mongo.cosmos.azure.com" },
	{ "contoso-westeurope.mongo.cosmos.azure.com:10255extra", "" },
	{ "contoso-westeurope.mongo.cosmos.azure.com:443", "" },
	{ "contoso-westeurope.mongo.cosmos.azure.com:75791", "" }, /* 10255 and 65536 */
	{ "contoso-westeurope.mongo.cosmos.azure.com", "" },
	{ "contoso-westeurope.mongo.cosmos.azure.com :10255", "" },
	{ "contoso-westeurope.documents.azure.com:10255", "" },
	{ "contoso-westeurope.mongo.cosmos.azure.com.evil.example:10255", "" },
	{ "evil.example:10255 127.0.0.1:10255 [::1]:10255", "" },
	{ "contoso2.mongo.cosmos.azure.com:10255 cont.mongo.cosmos.azure.com:10255", "" },
	{ "contoso-.mongo.cosmos.azure.com:10255 contoso-a_b.mongo.cosmos.azure.com:10255",
	    "" },
	{ "contoso-a-b.mongo.cosmos.azure.com:10255", "" },
	{ ":10255 . .:10255 :", "" },
};

static void
test_handed_out(void **state)
{
	for (size_t i = 0; i < sizeof(handed_cases) / sizeof(handed_cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct account *account = read_account(
		    arena, "tests/analyze/document/rest.json", 0);
		struct greeting greeting = { .hosts = handed_cases[i].hosts };
		struct endpoint ends[2] = { { .greeting = NULL }, { .greeting = &greeting } };
		struct target   target = { .api = API_MONGO };
		struct measurement seen = {
			.target = &target, .endpoints = ends, .endpoints_count = 2
		};
		struct name_list *names = names_handed_out(arena, account, &seen);
		const char       *all = "";

		for (size_t j = 0; j < names->count; j++) {
			const struct target *name = &names->targets[j];

			all = arena_printf(arena, "%s%s%s", all, j > 0 ? " " : "", name->host);
			assert_int_equal(name->port, 10255);
			assert_int_equal(name->api, API_MONGO);
			assert_int_equal(name->role, ROLE_CONFIGURED);
			assert_true(names_is_handed_out(&seen, name->host));
		}
		assert_string_equal(all, handed_cases[i].names);
		target.api = API_SQL;
		assert_int_equal(names_handed_out(arena, account, &seen)->count, 0);
		arena_free(arena);
	}
}

/* What is asked for, in that order; of each other mode the regions alone. */
static void
test_modes(void **state)
{
	static const struct {
		unsigned  flags;
		enum mode modes[8];
		size_t    count;
	} cases[] = {
		{ 0, { MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY }, 4 },
		{ NAMES_GATEWAY, { MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY },
		    4 },
		{ NAMES_DIRECT, { MODE_DIRECT, MODE_DIRECT, MODE_DIRECT }, 3 },
		{ NAMES_V2, { MODE_GATEWAY_V2, MODE_GATEWAY_V2, MODE_GATEWAY_V2 }, 3 },
		{ NAMES_DIRECT | NAMES_V2,
		    { MODE_DIRECT, MODE_DIRECT, MODE_DIRECT, MODE_GATEWAY_V2, MODE_GATEWAY_V2,
		        MODE_GATEWAY_V2 },
		    6 },
		{ NAMES_DIRECT | NAMES_DNS_ONLY,
		    { MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY, MODE_GATEWAY }, 4 },
	};
	struct arena   *arena = arena_new();
	struct account *account = read_account(arena, "tests/analyze/document/rest.json", 0);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct name_list *names = names_targets(arena, account, cases[i].flags);

		assert_int_equal(names->count, cases[i].count);
		for (size_t j = 0; j < names->count; j++)
			assert_int_equal(names->targets[j].mode, cases[i].modes[j]);
	}
	arena_free(arena);
}

static void
test_names_of_other_modes(void **state)
{
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *names = names_targets(arena, account, NAMES_DIRECT | NAMES_V2);
	struct err        err;

	assert_string_equal(names->targets[0].host, "contoso-westeurope.documents.azure.com");
	assert_int_equal(names->targets[0].port, 443);
	assert_string_equal(names->targets[3].host, "contoso-westeurope.documents.azure.com");
	assert_int_equal(names->targets[3].port, NAMES_V2_PORT);
	/* Without a region the account's own name, and no sweep: that looks for gateways. */
	account = account_named(arena, "contoso", &err);
	names = names_targets(arena, account, NAMES_DIRECT | NAMES_V2 | NAMES_SWEEP);
	assert_int_equal(names->count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(names->targets[i].host, "contoso.documents.azure.com");
		assert_string_equal(names->targets[i].region, "");
	}
	arena_free(arena);
}

static void
test_advertised_locations(void **state)
{
	struct gateway_region regions[] = {
		{ .name = "North Europe",
		    .v2_host = "thin.documents.azure.com",
		    .v2_port = 444 },
		{ .name = "West Europe", .v2_host = NULL },
		{ .name = "West Europe", .v2_host = "thin.elsewhere.example", .v2_port = 444 },
		{ .name = "West Europe", .v2_host = "x.documents.azure.com", .v2_port = 70000 },
		{ .name = "West Europe", .v2_host = ".documents.azure.com", .v2_port = 444 },
		{ .name = "Nowhere", .v2_host = "x.documents.azure.com", .v2_port = 445 },
	};
	struct feed       feed = { .regions = regions, .regions_count = 6 };
	struct arena     *arena = arena_new();
	struct account   *account = read_account(arena, "tests/analyze/document/rest.json", 0);
	struct name_list *names = names_targets(
	    arena, account, NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2);

	names_advertise(names, &feed);
	for (size_t i = 0; i < names->count; i++) {
		const struct target *target = &names->targets[i];
		bool                 told = target->mode == MODE_GATEWAY_V2 &&
		    strcmp(target->region, "northeurope") == 0;

		assert_int_equal(strcmp(target->host, "thin.documents.azure.com") == 0, told);
		if (target->mode == MODE_GATEWAY_V2)
			assert_int_equal(target->port, told ? 444 : NAMES_V2_PORT);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configured_names),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_apis),
		cmocka_unit_test(test_no_sweep_of_an_old_server),
		cmocka_unit_test(test_handed_out),
		cmocka_unit_test(test_names_of_other_modes),
		cmocka_unit_test(test_advertised_locations),
		cmocka_unit_test(test_the_documents_endpoints_win),
		cmocka_unit_test(test_sweep_with_a_document),
		cmocka_unit_test(test_sweep_of_a_sovereign_cloud),
		cmocka_unit_test(test_sweep_without_a_document),
		cmocka_unit_test(test_more_regions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
