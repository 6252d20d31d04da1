#include "analyze/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FOLDER "tests/analyze/document/"

static struct account_list *
read_list(struct arena *arena, const char *path)
{
	struct err           err;
	struct account_list *list = account_read(arena, path, &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

static void
assert_contoso(const struct account *account)
{
	assert_string_equal(account->name, "contoso");
	assert_string_equal(account->host, "contoso.documents.azure.com");
	assert_int_equal(account->port, 443);
	assert_string_equal(account->suffix, "documents.azure.com");
	assert_string_equal(account->zone, "privatelink.documents.azure.com");
	assert_string_equal(account->kind, "GlobalDocumentDB");
	assert_string_equal(account->provisioning_state, "Updating");
	assert_string_equal(account->public_network_access, "Disabled");
	assert_non_null(strstr(account->id, "/resourceGroups/rg-data/"));

	/* In the order of failover, whatever that of the document. */
	assert_int_equal(account->location_count, 3);
	assert_string_equal(account->locations[0].label, "westeurope");
	assert_string_equal(account->locations[0].name, "West Europe");
	assert_string_equal(
	    account->locations[0].host, "contoso-westeurope.documents.azure.com");
	assert_int_equal(account->locations[0].failover_priority, 0);
	assert_false(account->locations[0].pending);
	assert_string_equal(account->locations[1].label, "northeurope");
	assert_string_equal(account->locations[2].label, "eastus");
	assert_true(account->locations[2].pending);
	assert_string_equal(account->locations[2].host, "");
	assert_string_equal(account->locations[2].provisioning_state, "Creating");
	assert_int_equal(account->locations[2].port, 443);

	assert_int_equal(account->connection_count, 1);
	assert_string_equal(account->connections[0].name, "pe-contoso");
	assert_string_equal(account->connections[0].group, "Sql");
	assert_string_equal(account->connections[0].status, "Approved");
	assert_non_null(
	    strstr(account->connections[0].endpoint, "/privateEndpoints/pe-contoso"));
}

/* The same account, whichever way its document was fetched. */
static void
test_shapes(void **state)
{
	static const struct {
		const char *path;
		size_t      count;
	} files[] = {
		{ FOLDER "rest.json", 1 },
		{ FOLDER "az.json", 1 },
		{ FOLDER "rest_list.json", 2 },
		{ FOLDER "az_list.json", 2 },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena        *arena = arena_new();
		struct account_list *list = read_list(arena, files[i].path);

		assert_int_equal(list->count, files[i].count);
		assert_contoso(list->accounts[0]);
		assert_string_equal(list->accounts[0]->source, files[i].path);
		arena_free(arena);
	}
}

static void
test_a_sovereign_cloud(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = read_list(arena, FOLDER "rest_list.json")->accounts[1];

	assert_string_equal(account->name, "fabrikam");
	assert_string_equal(account->suffix, "documents.azure.us");
	assert_string_equal(account->zone, "privatelink.documents.azure.us");
	assert_string_equal(account->locations[0].label, "usgovvirginia");
	arena_free(arena);
}

#define HEAD \
	"{\"name\":\"contoso\",\"documentEndpoint\":\"https://contoso.documents.azure.com\""
#define LOCATION                    \
	"{\"locationName\":\"West " \
	"Europe\",\"documentEndpoint\":\"https://contoso-westeurope.documents.azure.com\"}"

static struct account *
parse_one(struct arena *arena, const char *text)
{
	struct err           err;
	struct account_list *list = account_parse(arena, text, strlen(text), "in.json", &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list->accounts[0];
}

static void
test_ports(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = parse_one(arena,
	    "{\"name\":\"contoso\",\"documentEndpoint\":\"HTTPS://"
	    "Contoso.Documents.Azure.Com:8443/\","
	    "\"locations\":[{\"locationName\":\"westeurope\",\"documentEndpoint\":"
	    "\"https://contoso-westeurope.documents.azure.com:8444\"},{\"locationName\":\"East "
	    "US\"}]}");

	assert_string_equal(account->host, "contoso.documents.azure.com");
	assert_int_equal(account->port, 8443);
	assert_int_equal(account->locations[1].port, 8444);
	assert_string_equal(account->locations[1].name, "West Europe");
	/* Without an endpoint of its own the account's port is the best guess. */
	assert_int_equal(account->locations[0].port, 8443);
	assert_true(account->locations[0].pending);
	arena_free(arena);
}

/* The id is a copy of the label that needs no rule. */
static void
test_the_id_names_the_region(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = parse_one(arena,
	    HEAD ",\"locations\":[{\"id\":\"contoso-eastusstg\",\"locationName\":\"East US "
	         "(Stage)\"},"
	         "{\"id\":\"other-thing\",\"locationName\":\"North Europe\"}]}");

	assert_string_equal(account->locations[0].label, "eastusstg");
	assert_string_equal(account->locations[0].name, "East US (Stage)");
	assert_string_equal(account->locations[1].label, "northeurope");
	arena_free(arena);
}

/* Where there is no `locations`, the union of the other two lists is all regions. */
static void
test_read_and_write_locations(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = parse_one(arena,
	    HEAD ",\"writeLocations\":[" LOCATION "],\"readLocations\":[" LOCATION
	         ",{\"locationName\":\"East US\"}]}");

	assert_int_equal(account->location_count, 2);
	arena_free(arena);
}

static void
test_null_is_absent(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = parse_one(arena,
	    HEAD ",\"id\":null,\"kind\":null,\"properties\":{\"locations\":null},\"locations\":"
	         "[" LOCATION "],\"privateEndpointConnections\":null}");

	assert_string_equal(account->id, "");
	assert_string_equal(account->kind, "");
	assert_int_equal(account->connection_count, 0);
	assert_int_equal(account->location_count, 1);
	arena_free(arena);
}

/* Whatever a document says is made safe before it is shown. */
static void
test_texts_are_clean(void **state)
{
	struct arena   *arena = arena_new();
	struct account *account = parse_one(arena,
	    HEAD ",\"publicNetworkAccess\":\"\\u001b[31mDisabled\",\"locations\":[" LOCATION
	         "]}");

	assert_string_equal(account->public_network_access, "?[31mDisabled");
	arena_free(arena);
}

static const struct refusal {
	const char *name, *text, *err;
} refusals[] = {
	{ "syntax", "{\"name\":\n  contoso}", "in.json:2:" },
	{ "cut short", "{\"name\": \"contoso\"", "in.json:1:" },
	{ "a key twice", "{\"name\":\"a\",\"name\":\"b\"}", "duplicate" },
	{ "a number", "[7]", "in.json: [0]: an account wanted" },
	{ "empty list", "[]", "in.json: the list is empty" },
	{ "empty value", "{\"value\":[]}", "in.json: value: the list is empty" },
	{ "something else", "{\"hello\":1}",
	    "documentEndpoint: missing: this is not an account" },
	{ "another type",
	    "{\"type\":\"Microsoft.Storage/storageAccounts\",\"documentEndpoint\":\"x\"}",
	    "in.json: type: 'Microsoft.Storage/storageAccounts' is not a Cosmos DB account" },
	{ "no endpoint", "{\"name\":\"contoso\",\"locations\":[]}",
	    "in.json: documentEndpoint: missing" },
	{ "no name", "{\"documentEndpoint\":\"https://a.b.c\",\"locations\":[]}",
	    "in.json: name: an account name wanted" },
	{ "a bad name", "{\"name\":\"a b\",\"documentEndpoint\":\"https://a.b.c\"}",
	    "in.json: name: an account name wanted" },
	{ "name is a number", "{\"name\":1,\"documentEndpoint\":\"https://a.b.c\"}",
	    "in.json: name: a text wanted" },
	{ "no scheme",
	    "{\"name\":\"contoso\",\"documentEndpoint\":\"contoso.documents.azure.com\"}",
	    "in.json: documentEndpoint: 'contoso.documents.azure.com': 'https://host:port/' "
	    "wanted" },
	{ "port 0", "{\"name\":\"contoso\",\"documentEndpoint\":\"https://a.b.c:0/\"}",
	    "'https://host:port/' wanted" },
	{ "port 65536", "{\"name\":\"contoso\",\"documentEndpoint\":\"https://a.b.c:65536/\"}",
	    "'https://host:port/' wanted" },
	{ "a port of words",
	    "{\"name\":\"contoso\",\"documentEndpoint\":\"https://a.b.c:http/\"}",
	    "'https://host:port/' wanted" },
	{ "a bad host", "{\"name\":\"contoso\",\"documentEndpoint\":\"https://a b.c/\"}",
	    "'https://host:port/' wanted" },
	{ "a host without dot",
	    "{\"name\":\"contoso\",\"documentEndpoint\":\"https://localhost/\"}",
	    "'https://host:port/' wanted" },
	{ "an empty label", "{\"name\":\"contoso\",\"documentEndpoint\":\"https://a..c/\"}",
	    "'https://host:port/' wanted" },
	{ "no regions", HEAD ",\"locations\":[]}", "in.json: locations: at least one region" },
	{ "regions missing", HEAD "}", "in.json: locations: at least one region" },
	{ "regions are no array", HEAD ",\"locations\":{}}",
	    "in.json: locations: an array wanted" },
	{ "a region is no object", HEAD ",\"locations\":[\"West Europe\"]}",
	    "in.json: locations[0]: an object wanted" },
	{ "a region without name", HEAD ",\"locations\":[{}]}",
	    "in.json: locations[0].locationName: the name of a region wanted" },
	{ "a region twice", HEAD ",\"locations\":[" LOCATION "," LOCATION "]}",
	    "in.json: locations[1].locationName: region 'westeurope' is there twice" },
	{ "a bad priority",
	    HEAD ",\"locations\":[{\"locationName\":\"West Europe\",\"failoverPriority\":-1}]}",
	    "in.json: locations[0].failoverPriority: a number from 0 on wanted" },
	{ "a bad endpoint of a region",
	    HEAD
	    ",\"locations\":[{\"locationName\":\"West Europe\",\"documentEndpoint\":\"x\"}]}",
	    "in.json: locations[0].documentEndpoint: 'x'" },
	{ "connections are no array",
	    HEAD ",\"locations\":[" LOCATION "],\"privateEndpointConnections\":1}",
	    "in.json: privateEndpointConnections: an array wanted" },
	{ "a connection is no object",
	    HEAD ",\"locations\":[" LOCATION "],\"privateEndpointConnections\":[1]}",
	    "in.json: privateEndpointConnections[0]: an object wanted" },
	{ "a state is no object",
	    HEAD
	    ",\"locations\":[" LOCATION
	    "],\"privateEndpointConnections\":[{\"privateLinkServiceConnectionState\":\"x\"}]}",
	    "in.json: privateEndpointConnections[0].privateLinkServiceConnectionState: an "
	    "object" },
	{ "an account twice",
	    "[" HEAD ",\"locations\":[" LOCATION "]}," HEAD ",\"locations\":[" LOCATION "]}]",
	    "in.json: [1].name: account 'contoso' is there twice" },
	{ "the second is bad",
	    "{\"value\":[" HEAD ",\"locations\":[" LOCATION "]}," HEAD ",\"locations\":[{}]}]}",
	    "in.json: value[1].locations[0].locationName: the name" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *refusal = &refusals[i];
		struct arena         *arena = arena_new();
		struct err            err = { .text = "" };

		if (account_parse(
		        arena, refusal->text, strlen(refusal->text), "in.json", &err) != NULL)
			fail_msg("%s: taken", refusal->name);
		if (strstr(err.text, refusal->err) == NULL)
			fail_msg(
			    "%s: '%s' is not in: %s", refusal->name, refusal->err, err.text);
		arena_free(arena);
	}
}

static void
test_no_file(void **state)
{
	struct arena *arena = arena_new();
	struct err    err;

	assert_null(account_read(arena, FOLDER "no_such_file.json", &err));
	assert_non_null(strstr(err.text, "No such file"));
	arena_free(arena);
}

/* As many regions as we take, and one more. */
static void
test_too_many_regions(void **state)
{
	for (int extra = 0; extra < 2; extra++) {
		struct arena *arena = arena_new();
		struct err    err = { .text = "" };
		const char   *text = HEAD ",\"locations\":[";

		for (int i = 0; i < ACCOUNT_LOCATIONS_MAX + extra; i++)
			text = arena_printf(
			    arena, "%s%s{\"locationName\":\"r%d\"}", text, i ? "," : "", i);
		text = arena_printf(arena, "%s]}", text);
		if (extra == 0)
			assert_int_equal(
			    parse_one(arena, text)->location_count, ACCOUNT_LOCATIONS_MAX);
		else
			assert_null(account_parse(arena, text, strlen(text), "in.json", &err));
		assert_string_equal(
		    err.text, extra ? "in.json: locations: more than 128 regions" : "");
		arena_free(arena);
	}
}

static const struct named_case {
	const char *text, *name, *host;
} named_cases[] = {
	{ "contoso", "contoso", "contoso.documents.azure.com" },
	{ "Contoso", "contoso", "contoso.documents.azure.com" },
	{ "contoso.documents.azure.com", "contoso", "contoso.documents.azure.com" },
	{ "https://contoso.documents.azure.us:443/", "contoso", "contoso.documents.azure.us" },
	{ "contoso.documents.azure.cn", "contoso", "contoso.documents.azure.cn" },
	{ "contoso.documents.azure.com.", "contoso", "contoso.documents.azure.com" },
	{ "/subscriptions/s/resourceGroups/g/providers/Microsoft.DocumentDb/databaseaccounts/"
	  "Contoso",
	    "contoso", "contoso.documents.azure.com" },
};

static void
test_names_given_by_hand(void **state)
{
	for (size_t i = 0; i < sizeof(named_cases) / sizeof(named_cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct err      err;
		struct account *account = account_named(arena, named_cases[i].text, &err);

		if (account == NULL)
			fail_msg("%s: %s", named_cases[i].text, err.text);
		assert_string_equal(account->name, named_cases[i].name);
		assert_string_equal(account->host, named_cases[i].host);
		assert_int_equal(account->port, 443);
		assert_int_equal(account->location_count, 0);
		assert_string_equal(account->warning, "");
		arena_free(arena);
	}
}

/* Of a cloud that only the configuration knows; the suffixes of other APIs follow. */
static void
test_suffixes_by_configuration(void **state)
{
	static const char *const  suffixes[] = { ".documents.azure.example",
		 "mongo.cosmos.azure.example", "example.org" };
	const struct support_more more = { suffixes, 3 };
	struct arena             *arena = arena_new();
	struct err                err;
	const struct account     *account;

	account = account_named_more(arena, "contoso.documents.azure.example", &more, &err);
	assert_non_null(account);
	assert_string_equal(account->zone, "privatelink.documents.azure.example");
	assert_int_equal(account->apis, 1u << API_SQL);
	account = account_named_more(arena, "contoso.Mongo.cosmos.azure.example", &more, &err);
	assert_non_null(account);
	assert_string_equal(account->suffix, "documents.azure.example");
	assert_int_equal(account->apis, 1u << API_MONGO);
	assert_null(account_named_more(arena, "contoso.example.org", &more, &err));
	assert_null(
	    account_named_more(arena, "contoso.table.cosmos.azure.example", &more, &err));
	arena_free(arena);
}

/* Taken, but by the name of today, and not without a word. */
static void
test_old_suffixes(void **state)
{
	static const struct {
		const char *text, *host, *zone;
	} cases[] = {
		{ "contoso.documents.usgovcloudapi.net", "contoso.documents.azure.us",
		    "privatelink.documents.azure.us" },
		{ "https://Contoso.documents.chinacloudapi.cn:443/",
		    "contoso.documents.azure.cn", "privatelink.documents.azure.cn" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena         *arena = arena_new();
		const struct account *account = account_named(arena, cases[i].text, NULL);

		assert_string_equal(account->host, cases[i].host);
		assert_string_equal(account->zone, cases[i].zone);
		assert_non_null(strstr(account->warning, "an old suffix; it is documents."));
		arena_free(arena);
	}
}

static const struct {
	const char *text, *err;
} named_refusals[] = {
	{ "ab", "3 to 50" },
	{ "mongodb://contoso.mongo.cosmos.azure.com:10255/", "only an https:// URL" },
	{ "wss://contoso.gremlin.cosmos.azure.com:443/", "only an https:// URL" },
	{ "", "3 to 50" },
	{ "con_toso", "3 to 50" },
	{ "-contoso", "3 to 50" },
	{ "contoso.documents.azure.com..", "is not a suffix known here" },
	{ "contoso.example.com", "'example.com' is not a suffix known here" },
	{ "contoso.documents.cloudapi.de", "this cloud no longer exists" },
	{ "contoso.sqlx.cosmos.azure.com", "is not a suffix known here" },
	{ "contoso.mongo.cosmos.example.com", "is not a suffix known here" },
	{ "contoso.privatelink.documents.azure.com", "without 'privatelink.'" },
};

/* Pasted whole, as the portal shows them. */
static void
test_connection_strings(void **state)
{
	static const char *const texts[] = {
		"AccountEndpoint=https://contoso.documents.azure.com:443/;AccountKey=hidden==;",
		("DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=hidden==;"
		 "TableEndpoint=https://contoso.table.cosmos.azure.com:443/;"),
		"mongodb://contoso:hidden==@contoso.mongo.cosmos.azure.com:10255/?ssl=true",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct arena *arena = arena_new();
		struct err    err = { .text = "" };

		assert_null(account_named(arena, texts[i], &err));
		assert_non_null(strstr(err.text, "a connection string is no account"));
		assert_null(strstr(err.text, "hidden"));
		arena_free(arena);
	}
}

static void
test_names_refused(void **state)
{
	for (size_t i = 0; i < sizeof(named_refusals) / sizeof(named_refusals[0]); i++) {
		struct arena *arena = arena_new();
		struct err    err = { .text = "" };

		assert_null(account_named(arena, named_refusals[i].text, &err));
		if (strstr(err.text, named_refusals[i].err) == NULL)
			fail_msg("'%s' is not in: %s", named_refusals[i].err, err.text);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_a_sovereign_cloud),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_the_id_names_the_region),
		cmocka_unit_test(test_read_and_write_locations),
		cmocka_unit_test(test_null_is_absent),
		cmocka_unit_test(test_texts_are_clean),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_too_many_regions),
		cmocka_unit_test(test_names_given_by_hand),
		cmocka_unit_test(test_suffixes_by_configuration),
		cmocka_unit_test(test_old_suffixes),
		cmocka_unit_test(test_connection_strings),
		cmocka_unit_test(test_names_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
