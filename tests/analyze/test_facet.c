#include "analyze/facet.h"

#include "analyze/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A document with some members, and one region. */
static struct account *
read_members(struct arena *arena, const char *members)
{
	char                 text[2048];
	struct account_list *list;
	struct err           err;
	int                  count = snprintf(text, sizeof(text),
	                     "{\"name\":\"contoso\",%s,"
	                                      "\"documentEndpoint\":\"https://contoso.documents.azure.com:443/\","
	                                      "\"locations\":[{\"locationName\":\"West Europe\",\"documentEndpoint\":"
	                                      "\"https://contoso-westeurope.documents.azure.com:443/\"}]}",
	                     members);

	list = account_parse(arena, text, (size_t)count, "a.json", &err);
	if (list == NULL)
		fail_msg("%s", err.text);
	return list->accounts[0];
}

#define SQL       (1u << API_SQL)
#define MONGO     (1u << API_MONGO)
#define CASSANDRA (1u << API_CASSANDRA)
#define GREMLIN   (1u << API_GREMLIN)
#define TABLE     (1u << API_TABLE)

static const struct serve_case {
	const char *name, *members;
	unsigned    apis;
} serve_cases[] = {
	{ "nothing is told", "\"kind\":\"GlobalDocumentDB\"", SQL },
	{ "kind", "\"kind\":\"mongodb\"", MONGO },
	{ "capability", "\"capabilities\":[{\"name\":\"EnableMongo\"}]", MONGO },
	{ "others beside", "\"capabilities\":[{\"name\":\"EnableServerless\"}]", SQL },
	{ "Cassandra alone", "\"capabilities\":[{\"name\":\"enablecassandra\"}]", CASSANDRA },
	{ "Gremlin has NoSQL too", "\"capabilities\":[{\"name\":\"EnableGremlin\"}]",
	    GREMLIN | SQL },
	{ "Table has NoSQL too", "\"capabilities\":[{\"name\":\"EnableTable\"}]", TABLE | SQL },
	{ "names without objects", "\"capabilities\":[\"EnableTable\", 7, null]", TABLE | SQL },
	{ "types", "\"EnabledApiTypes\":\"Gremlin, Sql\"", GREMLIN | SQL },
	{ "a type of two", "\"EnabledApiTypes\":\"MongoDB\"", MONGO },
	{ "a type that begins alike", "\"EnabledApiTypes\":\"Tables\"", SQL },
	{ "below properties", "\"properties\":{\"EnabledApiTypes\":\"Cassandra\"}", CASSANDRA },
};

static void
test_what_an_account_serves(void **state)
{
	for (size_t i = 0; i < sizeof(serve_cases) / sizeof(serve_cases[0]); i++) {
		struct arena *arena = arena_new();

		print_message("%s\n", serve_cases[i].name);
		assert_int_equal(
		    read_members(arena, serve_cases[i].members)->apis, serve_cases[i].apis);
		arena_free(arena);
	}
}

static const struct facet_case {
	enum api    api;
	const char *members, *host, *region, *zone, *group;
	uint16_t    port;
} facet_cases[] = {
	{ API_SQL, "\"kind\":\"\"", "contoso.documents.azure.com",
	    "contoso-westeurope.documents.azure.com", "privatelink.documents.azure.com", "Sql",
	    443 },
	{ API_MONGO, "\"kind\":\"MongoDB\"", "contoso.mongo.cosmos.azure.com",
	    "contoso-westeurope.mongo.cosmos.azure.com", "privatelink.mongo.cosmos.azure.com",
	    "MongoDB", 10255 },
	/* 3.2 has the names of NoSQL. */
	{ API_MONGO, "\"apiProperties\":{\"serverVersion\":\"3.2\"}",
	    "contoso.documents.azure.com", "contoso-westeurope.documents.azure.com",
	    "privatelink.documents.azure.com", "MongoDB", 10255 },
	{ API_CASSANDRA, "\"kind\":\"\"", "contoso.cassandra.cosmos.azure.com",
	    "contoso-westeurope.cassandra.cosmos.azure.com",
	    "privatelink.cassandra.cosmos.azure.com", "Cassandra", 10350 },
	{ API_TABLE, "\"kind\":\"\"", "contoso.table.cosmos.azure.com",
	    "contoso-westeurope.table.cosmos.azure.com", "privatelink.table.cosmos.azure.com",
	    "Table", 443 },
	/* The document's own word wins, but not its port, and not about names of others. */
	{ API_GREMLIN, "\"gremlinEndpoint\":\"https://contoso.gremlin.example.org:443/\"",
	    "contoso.gremlin.example.org", "contoso-westeurope.gremlin.example.org",
	    "privatelink.gremlin.example.org", "Gremlin", 443 },
	{ API_GREMLIN, "\"gremlinEndpoint\":\"https://other.gremlin.example.org:443/\"",
	    "contoso.gremlin.cosmos.azure.com", "contoso-westeurope.gremlin.cosmos.azure.com",
	    "privatelink.gremlin.cosmos.azure.com", "Gremlin", 443 },
};

static void
test_facets(void **state)
{
	for (size_t i = 0; i < sizeof(facet_cases) / sizeof(facet_cases[0]); i++) {
		const struct facet_case *test = &facet_cases[i];
		struct arena            *arena = arena_new();
		struct account          *account = read_members(arena, test->members);
		const struct account    *facet = facet_of(arena, account, test->api);

		assert_non_null(facet);
		assert_string_equal(facet->host, test->host);
		assert_string_equal(facet->locations[0].host, test->region);
		assert_string_equal(facet->zone, test->zone);
		assert_string_equal(facet_group(facet), test->group);
		assert_int_equal(facet->port, test->port);
		assert_int_equal(facet->locations[0].port, test->port);
		assert_ptr_equal(facet_of(arena, facet, test->api), facet);
		assert_string_equal(account->host, "contoso.documents.azure.com");
		arena_free(arena);
	}
}

/* Of a suffix that does not say where the others stand nothing is made up: what is told is asked. */
static void
test_no_guess(void **state)
{
	struct arena     *arena = arena_new();
	struct account    account = { .name = "contoso",
		   .host = "contoso.cosmos.example",
		   .suffix = "cosmos.example",
		   .zone = "privatelink.cosmos.example",
		   .server_version = "",
		   .apis = MONGO };
	struct name_list *names;

	assert_null(facet_of(arena, &account, API_MONGO));
	names = names_targets(arena, &account, 0);
	assert_int_equal(names->count, 1);
	assert_string_equal(names->targets[0].host, "contoso.cosmos.example");
	arena_free(arena);
}

static void
test_names_given(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned    apis;
	} cases[] = {
		{ "contoso", "contoso.documents.azure.com", SQL },
		{ "contoso.mongo.cosmos.azure.cn", "contoso.documents.azure.cn", MONGO },
		{ "https://contoso.gremlin.cosmos.azure.com:443/",
		    "contoso.documents.azure.com", GREMLIN },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena   *arena = arena_new();
		struct err      err;
		struct account *account = account_named(arena, cases[i].text, &err);

		assert_non_null(account);
		assert_string_equal(account->host, cases[i].host);
		assert_int_equal(account->apis, cases[i].apis);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_an_account_serves),
		cmocka_unit_test(test_facets),
		cmocka_unit_test(test_no_guess),
		cmocka_unit_test(test_names_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
