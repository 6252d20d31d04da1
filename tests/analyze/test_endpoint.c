/* Documents of private endpoints, as az and REST write them, and the questions to their index. */
#include "analyze/endpoint.h"

#include "analyze/account.h"
#include "analyze/claim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FOLDER "tests/analyze/document/"
#define RG     "/subscriptions/s/resourceGroups/rg/providers/"
#define PE     RG "Microsoft.Network/privateEndpoints/pe"

static struct account_list *
parse(struct arena *arena, const char *text)
{
	struct err           err;
	struct account_list *list = account_parse(arena, text, strlen(text), "in.json", &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

static const struct private_endpoint *
parse_one(struct arena *arena, const char *text)
{
	struct account_list *list = parse(arena, text);

	assert_int_equal(list->count, 0);
	assert_int_equal(list->endpoints.count, 1);
	return list->endpoints.endpoints[0];
}

static void
assert_address(const struct private_endpoint *endpoint, const char *fqdn, const char *wanted)
{
	const struct addr *addr = endpoint_find(endpoint, fqdn);
	char               text[ADDR_TEXT];

	assert_non_null(addr);
	assert_string_equal(addr_render(addr, text, sizeof(text)), wanted);
}

/* The same endpoint in all the shapes that it comes in. */
static void
test_shapes(void **state)
{
	static const char *const files[] = { FOLDER "endpoint_az.json",
		FOLDER "endpoint_rest.json", FOLDER "endpoint_list.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena                  *arena = arena_new();
		struct err                     err;
		struct account_list           *list = account_read(arena, files[i], &err);
		const struct private_endpoint *endpoint;

		if (list == NULL)
			fail_msg("%s", err.text);
		assert_int_equal(list->count, 0);
		assert_true(list->endpoints.count >= 1);
		endpoint = list->endpoints.endpoints[0];
		assert_string_equal(endpoint->name, "pe-contoso");
		assert_string_equal(endpoint->account, "contoso");
		assert_string_equal(endpoint->group, "Sql");
		assert_string_equal(endpoint->status, "Approved");
		assert_string_equal(endpoint->provisioning_state, "Succeeded");
		assert_string_equal(endpoint->source, files[i]);
		assert_non_null(strstr(endpoint->subnet, "/virtualNetworks/vnet-a/"));
		assert_int_equal(endpoint->address_count, 2);
		assert_address(endpoint, "contoso.documents.azure.com", "10.1.0.4");
		assert_address(endpoint, "CONTOSO-westeurope.documents.azure.com", "10.1.0.5");
		assert_null(endpoint_find(endpoint, "contoso-westeurope"));
		arena_free(arena);
	}
}

/* One that asked for approval stands in the other list; one of another service is no account's. */
static void
test_connections(void **state)
{
	struct arena                  *arena = arena_new();
	const struct private_endpoint *endpoint = parse_one(arena,
	    "{\"id\":\"" PE "\",\"properties\":{\"provisioningState\":\"Updating\","
	    "\"customDnsConfigs\":[],\"privateLinkServiceConnections\":[],"
	    "\"manualPrivateLinkServiceConnections\":[{\"properties\":{"
	    "\"privateLinkServiceId\":\"" RG "Microsoft.DocumentDb/databaseaccounts/Contoso\","
	    "\"groupIds\":[\"Sql\"],\"privateLinkServiceConnectionState\":{\"status\":"
	    "\"Pending\"}}}]}}");

	assert_string_equal(endpoint->name, "pe");
	assert_string_equal(endpoint->account, "contoso");
	assert_string_equal(endpoint->status, "Pending");
	assert_int_equal(endpoint->address_count, 0);

	endpoint = parse_one(arena,
	    "{\"name\":\"pe\",\"customDnsConfigs\":[{\"fqdn\":\"x.blob.core.windows.net\","
	    "\"ipAddresses\":[\"10.0.0.9\"]}],\"privateLinkServiceConnections\":[{"
	    "\"privateLinkServiceId\":\"" RG "Microsoft.Storage/storageAccounts/contoso\"}]}");
	assert_string_equal(endpoint->account, "");
	assert_int_equal(endpoint->address_count, 1);
	arena_free(arena);
}

/* Its addresses are the endpoint's, whose id is the front of its own. */
static void
test_zone_group(void **state)
{
	struct arena                  *arena = arena_new();
	const struct private_endpoint *endpoint = parse_one(arena,
	    "{\"value\":[{\"name\":\"default\",\"id\":\"" PE "/privateDnsZoneGroups/default\","
	    "\"properties\":{\"privateDnsZoneConfigs\":[{\"name\":\"z\",\"properties\":{"
	    "\"recordSets\":[{\"recordType\":\"A\",\"recordSetName\":\"contoso\",\"fqdn\":"
	    "\"contoso.privatelink.documents.azure.com.\",\"ipAddresses\":[\"10.1.0.4\"]},"
	    "{\"recordType\":\"TXT\",\"fqdn\":\"contoso.privatelink.documents.azure.com\","
	    "\"ipAddresses\":[\"10.1.0.9\"]}]}}]}}]}");

	assert_string_equal(endpoint->id, PE);
	assert_string_equal(endpoint->name, "pe");
	assert_int_equal(endpoint->address_count, 1);
	assert_address(endpoint, "contoso.documents.azure.com", "10.1.0.4");
	arena_free(arena);
}

static void
test_interface(void **state)
{
	struct arena                  *arena = arena_new();
	const struct private_endpoint *endpoint = parse_one(arena,
	    "{\"type\":\"Microsoft.Network/networkInterfaces\",\"name\":\"pe.nic.1\","
	    "\"id\":\"x\",\"privateEndpoint\":{\"id\":\"" PE "\"},\"ipConfigurations\":["
	    "{\"privateIPAddress\":\"10.1.0.4\",\"privateLinkConnectionProperties\":{"
	    "\"fqdns\":[\"contoso.documents.azure.com\"]}},"
	    "{\"privateIpAddress\":\"10.1.0.5\",\"privateLinkConnectionProperties\":{"
	    "\"fqdns\":[\"contoso-westeurope.documents.azure.com\"]}},"
	    "{\"privateIPAddress\":\"10.1.0.6\",\"privateLinkConnectionProperties\":null}]}");

	assert_string_equal(endpoint->id, PE);
	assert_int_equal(endpoint->address_count, 2);
	assert_address(endpoint, "contoso-westeurope.documents.azure.com", "10.1.0.5");
	arena_free(arena);
}

static const struct refusal {
	const char *name, *text, *err;
} refusals[] = {
	{ "no address",
	    "{\"customDnsConfigs\":[{\"fqdn\":\"a.b\",\"ipAddresses\":[\"10.0.0\"]}]}",
	    "in.json: customDnsConfigs[0].ipAddresses: '10.0.0': an address wanted" },
	{ "no name",
	    "{\"customDnsConfigs\":[{},{\"fqdn\":\"a b\",\"ipAddresses\":[\"10.0.0.1\"]}]}",
	    "in.json: customDnsConfigs[1].fqdn: 'a b': a host name wanted" },
	{ "a number", "{\"customDnsConfigs\":[{\"fqdn\":\"a.b\",\"ipAddresses\":[4]}]}",
	    "in.json: customDnsConfigs[0].ipAddresses: texts wanted" },
	{ "no object", "{\"customDnsConfigs\":[\"a\"]}",
	    "in.json: customDnsConfigs[0]: an object wanted" },
	{ "no array", "[{\"customDnsConfigs\":{}}]",
	    "in.json: [0].customDnsConfigs: an array wanted" },
	{ "a zone group of nothing", "{\"privateDnsZoneConfigs\":[],\"id\":\"x\"}",
	    "in.json: id: '.../privateEndpoints/<name>/privateDnsZoneGroups/<name>' wanted" },
	{ "names that are no texts",
	    "{\"ipConfigurations\":[{\"privateIPAddress\":\"10.0.0.1\","
	    "\"privateLinkConnectionProperties\":{\"fqdns\":[1]}}]}",
	    "in.json: ipConfigurations[0].privateLinkConnectionProperties.fqdns: texts "
	    "wanted" },
	{ "another document", "{\"routes\":[],\"name\":\"contoso\"}",
	    "in.json: documentEndpoint: missing" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *refusal = &refusals[i];
		struct arena         *arena = arena_new();
		struct err            err;

		if (account_parse(
		        arena, refusal->text, strlen(refusal->text), "in.json", &err) != NULL)
			fail_msg("%s: taken", refusal->name);
		if (strcmp(refusal->err, err.text) != 0 &&
		    strncmp(refusal->err, err.text, strlen(refusal->err)) != 0)
			fail_msg("%s: %s", refusal->name, err.text);
		arena_free(arena);
	}
}

/* 256 addresses are taken, and not one more. */
static void
test_too_many_addresses(void **state)
{
	for (int extra = 0; extra < 2; extra++) {
		struct arena *arena = arena_new();
		const char   *text = "\"10.0.0.1\"";
		struct err    err;

		for (int i = 1; i < ENDPOINT_ADDRESSES_MAX + extra; i++)
			text = arena_printf(arena, "%s,\"10.0.%d.%d\"", text, i / 250, i % 250);
		text = arena_printf(arena,
		    "{\"customDnsConfigs\":[{\"fqdn\":\"a.b\",\"ipAddresses\":[%s]}]}", text);
		assert_int_equal(
		    account_parse(arena, text, strlen(text), "in", &err) != NULL, extra == 0);
		arena_free(arena);
	}
}

/* Accounts and endpoints in one array; a zone group of an endpoint that is told, in other case, and
 * one of an endpoint that is not. */
static struct account_list *
read_mixed(struct arena *arena)
{
	struct err           err;
	struct account_list *list = account_read(arena, FOLDER "mixed.json", &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

static void
test_index(void **state)
{
	struct arena                *arena = arena_new();
	struct account_list         *list = read_mixed(arena);
	const struct endpoint_index *index = endpoint_index_new(arena, &list->endpoints);
	const struct endpoint_entry *entries;
	struct addr                  addr;
	size_t                       count;

	assert_int_equal(list->count, 1);
	assert_int_equal(list->endpoints.count, 4);

	/* What the zone group adds is the endpoint's; what both say is said once. */
	assert_true(addr_parse(&addr, "10.1.0.4", 0, NULL));
	entries = endpoint_by_address(index, &addr, &count);
	assert_int_equal(count, 1);
	assert_string_equal(entries[0].fqdn, "contoso.documents.azure.com");
	assert_string_equal(entries[0].endpoint->account, "contoso");

	assert_true(addr_parse(&addr, "10.1.0.5", 0, NULL));
	entries = endpoint_by_address(index, &addr, &count);
	assert_int_equal(count, 2);
	assert_string_equal(entries[0].endpoint->account, "contoso");
	assert_string_equal(entries[1].endpoint->account, "fabrikam");

	assert_true(addr_parse(&addr, "10.1.0.6", 0, NULL));
	endpoint_by_address(index, &addr, &count);
	assert_int_equal(count, 0);
	endpoint_by_address(NULL, &addr, &count);
	assert_int_equal(count, 0);

	/* The one without addresses is there, and says nothing. */
	endpoint_by_account(index, "contoso", &count);
	assert_int_equal(count, 2);
	endpoint_by_account(index, "contos", &count);
	assert_int_equal(count, 0);
	endpoint_by_account(index, "zzz", &count);
	assert_int_equal(count, 0);
	arena_free(arena);
}

static const struct claim_case {
	const char     *host, *address;
	enum claim_kind kind;
} claim_cases[] = {
	{ "contoso.documents.azure.com", "10.1.0.4", CLAIM_RIGHT },
	{ "Contoso.Documents.Azure.com", "10.1.0.4", CLAIM_RIGHT },
	{ "contoso-westus.documents.azure.com", "10.1.0.5", CLAIM_RIGHT },
	{ "contoso-westus.documents.azure.com", "10.1.0.4", CLAIM_OTHER_NAME },
	{ "contoso.documents.azure.com", "10.1.0.5", CLAIM_OTHER_NAME },
	{ "contoso.documents.azure.com", "10.1.0.8", CLAIM_OTHER_ACCOUNT },
	{ "contoso.documents.azure.com", "10.1.0.9", CLAIM_NOBODY },
	{ "contoso.documents.azure.com", "20.61.0.1", CLAIM_UNTOLD },
};

static void
test_claims(void **state)
{
	struct arena                *arena = arena_new();
	struct account_list         *list = read_mixed(arena);
	const struct endpoint_index *index = endpoint_index_new(arena, &list->endpoints);
	struct claims                claims = claims_of(index, list->accounts[0]);
	struct account               stranger = *list->accounts[0];

	assert_true(claims.told);
	for (size_t i = 0; i < sizeof(claim_cases) / sizeof(claim_cases[0]); i++) {
		const struct claim_case *c = &claim_cases[i];
		struct addr              addr;

		assert_true(addr_parse(&addr, c->address, 0, NULL));
		assert_int_equal(claim_find(&claims, c->host, &addr).kind, c->kind);
	}
	assert_non_null(claim_endpoint(&claims, "contoso.documents.azure.com", 0));
	assert_null(claim_endpoint(&claims, "contoso.documents.azure.com", 1));

	/* Of an account without documents nothing is told, but what is another's. */
	stranger.name = "stranger";
	claims = claims_of(index, &stranger);
	assert_false(claims.told);
	for (size_t i = 0; i < sizeof(claim_cases) / sizeof(claim_cases[0]); i++) {
		struct addr addr;

		assert_true(addr_parse(&addr, claim_cases[i].address, 0, NULL));
		assert_int_equal(
		    claim_find(&claims, "stranger.documents.azure.com", &addr).kind,
		    claim_cases[i].kind < CLAIM_NOBODY && claim_cases[i].kind != CLAIM_UNTOLD
		        ? CLAIM_OTHER_ACCOUNT
		        : CLAIM_UNTOLD);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_zone_group),
		cmocka_unit_test(test_interface),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_many_addresses),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
