/* Two states of one document, and what is said of the difference. */
#include "analyze/change.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define ENDS(host) ",\"documentEndpoint\":\"https://" host ".documents.azure.com:443/\""
#define REGION(name, label, state, priority)                            \
	"{\"locationName\":\"" name "\",\"provisioningState\":\"" state \
	"\",\"failoverPriority\":" priority ENDS("contoso-" label) "}"
#define ACCOUNT(access, regions)                                  \
	"{\"name\":\"contoso\",\"publicNetworkAccess\":\"" access \
	"\"" ENDS("contoso") ",\"locations\":[" regions "]}"
#define WEST      REGION("West Europe", "westeurope", "Succeeded", "0")
#define NORTH     REGION("North Europe", "northeurope", "Succeeded", "1")
#define NORTH_NEW REGION("North Europe", "northeurope", "Creating", "1")
#define RECORD(name, address)                                                                 \
	"{\"id\":\"/x/privateDnsZones/z.example/A/" name "\",\"aRecords\":[{\"ipv4Address\":" \
	"\"" address "\"}]}"
#define LINK(policy)                                                      \
	"{\"id\":\"/x/privateDnsZones/z.example/virtualNetworkLinks/l\"," \
	"\"registrationEnabled\":false,\"resolutionPolicy\":\"" policy "\"}"
#define ENDPOINT(address, status)                                                           \
	"{\"id\":\"/x/privateEndpoints/pe\",\"privateLinkServiceConnections\":[{"           \
	"\"privateLinkServiceId\":\"/x/databaseAccounts/contoso\","                         \
	"\"privateLinkServiceConnectionState\":{\"status\":\"" status "\"}}],"              \
	"\"customDnsConfigs\":[{\"fqdn\":\"contoso.documents.azure.com\",\"ipAddresses\":[" \
	"\"" address "\"]}]}"
#define NEEDS(members)                                                                  \
	"{\"id\":\"/x/databaseAccounts/contoso/privateLinkResources/Sql\",\"groupId\":" \
	"\"Sql\",\"requiredMembers\":[" members "]}"

static const struct tell_case {
	const char *name, *before, *after, *words;
} tell_cases[] = {
	{ "a new account", NULL, ACCOUNT("Enabled", WEST "," NORTH),
	    "first seen: account contoso; region North Europe; region West Europe" },
	{ "gone", ACCOUNT("Enabled", WEST), NULL, "the document is gone" },
	{ "the same", ACCOUNT("Enabled", WEST), ACCOUNT("Enabled", WEST),
	    "changed in what is not read here" },
	{ "a region comes", ACCOUNT("Enabled", WEST), ACCOUNT("Enabled", WEST "," NORTH_NEW),
	    "region added: North Europe (Creating)" },
	{ "a region is there", ACCOUNT("Enabled", WEST "," NORTH_NEW),
	    ACCOUNT("Enabled", WEST "," NORTH), "region North Europe: Creating -> Succeeded" },
	{ "a region goes, and access", ACCOUNT("Enabled", WEST "," NORTH),
	    ACCOUNT("Disabled", WEST),
	    "region removed: North Europe (Succeeded); public network access: Enabled -> "
	    "Disabled" },
	{ "a failover", ACCOUNT("Enabled", WEST "," NORTH),
	    ACCOUNT("Enabled",
	        REGION("West Europe", "westeurope", "Succeeded", "1") "," REGION(
	            "North Europe", "northeurope", "Succeeded", "0")),
	    "write region: West Europe -> North Europe" },
	{ "a record moves", RECORD("contoso", "10.0.0.4"), RECORD("contoso", "10.0.0.9"),
	    "record contoso.z.example: 10.0.0.4 -> 10.0.0.9" },
	{ "a record comes", RECORD("a", "10.0.0.4"),
	    "[" RECORD("a", "10.0.0.4") "," RECORD("b", "10.0.0.5") "]",
	    "record added: b.z.example (10.0.0.5)" },
	{ "a policy", LINK("Default"), LINK("NxDomainRedirect"),
	    "network link l of z.example: Default -> NxDomainRedirect" },
	{ "an endpoint is rejected and moves", ENDPOINT("10.0.0.4", "Approved"),
	    ENDPOINT("10.0.0.5", "Rejected"),
	    "private endpoint pe: Approved -> Rejected; address removed: "
	    "contoso.documents.azure.com 10.0.0.4; address added: contoso.documents.azure.com "
	    "10.0.0.5" },
	{ "a name is needed", NEEDS("\"contoso\""),
	    NEEDS("\"contoso-northeurope\",\"contoso\""),
	    "needed name added: contoso-northeurope (Sql)" },
	{ "many", RECORD("z", "10.0.0.1"),
	    "[" RECORD("a", "10.0.0.1") "," RECORD("b", "10.0.0.1") "," RECORD(
	        "c", "10.0.0.1") "," RECORD("d", "10.0.0.1") "," RECORD("e",
	        "10.0.0.1") "," RECORD("f", "10.0.0.1") "," RECORD("g",
	        "10.0.0.1") "," RECORD("h", "10.0.0.1") "," RECORD("i",
	        "10.0.0.1") "," RECORD("z", "10.0.0.1") "]",
	    "record added: a.z.example (10.0.0.1); record added: b.z.example (10.0.0.1); "
	    "record "
	    "added: c.z.example (10.0.0.1); record added: d.z.example (10.0.0.1); record "
	    "added: "
	    "e.z.example (10.0.0.1); record added: f.z.example (10.0.0.1); record added: "
	    "g.z.example (10.0.0.1); record added: h.z.example (10.0.0.1); and 1 more" },
};

static struct account_list *
parse(struct arena *arena, const char *text)
{
	struct err           err;
	struct account_list *list = account_parse(arena, text, strlen(text), "in.json", &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

static void
test_tell(void **state)
{
	for (size_t i = 0; i < sizeof(tell_cases) / sizeof(tell_cases[0]); i++) {
		const struct tell_case *row = &tell_cases[i];
		struct arena           *arena = arena_new();

		print_message("%s\n", row->name);
		assert_string_equal(
		    change_tell(arena, row->before != NULL ? parse(arena, row->before) : NULL,
		        row->after != NULL ? parse(arena, row->after) : NULL),
		    row->words);
		arena_free(arena);
	}
}

static const struct kind_case {
	const char *text, *kind, *account;
} kind_cases[] = {
	{ ACCOUNT("Enabled", WEST), "account", "contoso" },
	{ RECORD("a", "10.0.0.4"), "zone", "" },
	{ ENDPOINT("10.0.0.4", "Approved"), "private endpoint", "contoso" },
	{ NEEDS("\"contoso\""), "connections", "contoso" },
	{ "[" ACCOUNT("Enabled", WEST) "," RECORD("a", "10.0.0.4") "]", "several kinds",
	    "contoso" },
	{ "[" ACCOUNT("Enabled",
	      WEST) ",{\"id\":\"/x/databaseAccounts/other/y\",\"requiredMembers\":[]}]",
	    "several kinds", "" },
};

static void
test_kind(void **state)
{
	for (size_t i = 0; i < sizeof(kind_cases) / sizeof(kind_cases[0]); i++) {
		struct arena              *arena = arena_new();
		const struct account_list *list = parse(arena, kind_cases[i].text);

		assert_string_equal(change_kind(list), kind_cases[i].kind);
		assert_string_equal(change_account(list), kind_cases[i].account);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tell),
		cmocka_unit_test(test_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
