#include "analyze/support.h"

#include "analyze/support_json.h"
#include "analyze/support_md.h"
#include "base/json.h"
#include "proto/record.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Every row of the article of 2020, and what came later. */
static const struct row_case {
	const char          *name;
	enum support_service service;
	enum support_mode    mode;
	const char          *version;
	enum support_state   then, now;
	const char          *hint; /* words of it; NULL: none */
} row_cases[] = {
	{ "SQL, Gateway", SUPPORT_SQL, SUPPORT_GATEWAY, "", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, NULL },
	{ "SQL, Direct over TCP", SUPPORT_SQL, SUPPORT_DIRECT_TCP, "", SUPPORT_PREVIEW,
	    SUPPORT_SUPPORTED, "TCP 0-65535" },
	{ "SQL, Direct over HTTPS", SUPPORT_SQL, SUPPORT_DIRECT_HTTPS, "", SUPPORT_UNSUPPORTED,
	    SUPPORT_GONE, "Use Direct over TCP, or Gateway" },
	{ "MongoDB 3.2", SUPPORT_MONGO, SUPPORT_GATEWAY, "3.2", SUPPORT_UNSUPPORTED,
	    SUPPORT_UNSUPPORTED, "Raise the server version to 3.6" },
	{ "MongoDB 3.2, the other way", SUPPORT_MONGO, SUPPORT_GATEWAY, "3.2.5",
	    SUPPORT_UNSUPPORTED, SUPPORT_UNSUPPORTED, "a service endpoint" },
	{ "MongoDB 3.6", SUPPORT_MONGO, SUPPORT_GATEWAY, "3.6", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, "SNI" },
	{ "MongoDB 7.0", SUPPORT_MONGO, SUPPORT_GATEWAY, "7.0", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, "SNI" },
	{ "MongoDB 4", SUPPORT_MONGO, SUPPORT_GATEWAY, "4", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, "SNI" },
	{ "MongoDB, version not told", SUPPORT_MONGO, SUPPORT_GATEWAY, NULL, SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, "SNI" },
	{ "Cassandra", SUPPORT_CASSANDRA, SUPPORT_GATEWAY, "", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, NULL },
	{ "Gremlin", SUPPORT_GREMLIN, SUPPORT_GATEWAY, "", SUPPORT_SUPPORTED, SUPPORT_SUPPORTED,
	    "group id Sql" },
	{ "Table, Gateway", SUPPORT_TABLE, SUPPORT_GATEWAY, "", SUPPORT_SUPPORTED,
	    SUPPORT_SUPPORTED, "group id Sql" },
	{ "Table, Direct over TCP", SUPPORT_TABLE, SUPPORT_DIRECT_TCP, "", SUPPORT_PREVIEW,
	    SUPPORT_SUPPORTED, "group id Sql" },
	{ "dedicated gateway", SUPPORT_DEDICATED, SUPPORT_GATEWAY, "", SUPPORT_NOT_NAMED,
	    SUPPORT_SUPPORTED, "SqlDedicated" },
	{ "Gateway V2", SUPPORT_SQL, SUPPORT_GATEWAY_V2, "", SUPPORT_NOT_NAMED, SUPPORT_UNKNOWN,
	    "10250" },
	{ "analytical store", SUPPORT_ANALYTICAL, SUPPORT_GATEWAY, "", SUPPORT_NOT_NAMED,
	    SUPPORT_SUPPORTED, "Synapse" },
	{ "MongoDB vCore", SUPPORT_VCORE, SUPPORT_GATEWAY, "", SUPPORT_NOT_NAMED,
	    SUPPORT_SUPPORTED, "SRV" },
	{ "PostgreSQL", SUPPORT_POSTGRES, SUPPORT_GATEWAY, "", SUPPORT_NOT_NAMED,
	    SUPPORT_SUPPORTED, "clusters" },
};

static void
test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(row_cases) / sizeof(row_cases[0]); i++) {
		const struct row_case    *c = &row_cases[i];
		const struct support_row *row = support_find(c->service, c->mode, c->version);

		print_message("%s\n", c->name);
		assert_non_null(row);
		assert_int_equal(row->then, c->then);
		assert_int_equal(row->now, c->now);
		if (c->hint == NULL)
			assert_string_equal(row->hint, "");
		else
			assert_non_null(strstr(row->hint, c->hint));
	}
}

static void
test_no_row(void **state)
{
	assert_null(support_find(SUPPORT_MONGO, SUPPORT_DIRECT_TCP, ""));
	assert_null(support_find(SUPPORT_CASSANDRA, SUPPORT_DIRECT_HTTPS, ""));
	assert_null(support_find(SUPPORT_GREMLIN, SUPPORT_GATEWAY_V2, ""));
	assert_null(support_find(SUPPORT_MONGO, SUPPORT_GATEWAY, "new"));
	assert_null(support_find(SUPPORT_MONGO, SUPPORT_GATEWAY, "3."));
	assert_null(support_find(SUPPORT_MONGO, SUPPORT_GATEWAY, "3.6b"));
	assert_null(support_find(SUPPORT_MONGO, SUPPORT_GATEWAY, "100.0"));
	assert_null(support_find(SUPPORT_SERVICE_COUNT, SUPPORT_GATEWAY, ""));
}

/* Each claim has a date and a source, and nothing that is unsupported or unknown goes without a
 * way out; no way out opens public access. */
static void
test_every_row_is_sourced(void **state)
{
	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		assert_in_range(strlen(row->source_date), 4, 10);
		assert_true(row->source_date[0] == '2');
		assert_true(strchr(row->source, '-') != NULL);
		assert_true(row->service < SUPPORT_SERVICE_COUNT);
		assert_true(row->now != SUPPORT_NOT_NAMED);
		if (row->now != SUPPORT_SUPPORTED)
			assert_string_not_equal(row->hint, "");
		assert_null(strstr(row->hint, "public access"));
		assert_null(strstr(row->hint, "public network"));
	}
	assert_int_equal(strlen(support_date), strlen("2026-11-24"));
}

static const struct suffix_case {
	const char          *suffix;
	int                  kind;
	enum cloud           cloud;
	enum support_service service;
	const char          *today;
	const char          *words;
} suffix_cases[] = {
	{ "documents.azure.com", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_SQL,
	    "documents.azure.com", "" },
	{ "Mongo.Cosmos.Azure.COM", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_MONGO,
	    "mongo.cosmos.azure.com", "" },
	{ "sqlx.cosmos.azure.com", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_DEDICATED,
	    "sqlx.cosmos.azure.com", "" },
	{ "analytics.cosmos.azure.com", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_ANALYTICAL,
	    "analytics.cosmos.azure.com", "" },
	{ "mongocluster.cosmos.azure.com", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_VCORE,
	    "mongocluster.cosmos.azure.com", "" },
	{ "postgres.cosmos.azure.com", SUPPORT_KNOWN, CLOUD_PUBLIC, SUPPORT_POSTGRES,
	    "postgres.cosmos.azure.com", "" },
	{ "documents.azure.us", SUPPORT_KNOWN, CLOUD_USGOV, SUPPORT_SQL, "documents.azure.us",
	    "" },
	{ "cassandra.cosmos.azure.us", SUPPORT_KNOWN, CLOUD_USGOV, SUPPORT_CASSANDRA,
	    "cassandra.cosmos.azure.us", "" },
	{ "table.cosmos.azure.cn", SUPPORT_KNOWN, CLOUD_CHINA, SUPPORT_TABLE,
	    "table.cosmos.azure.cn", "" },
	{ "documents.usgovcloudapi.net", SUPPORT_OLD, CLOUD_USGOV, SUPPORT_SQL,
	    "documents.azure.us", "old suffix" },
	{ "documents.chinacloudapi.cn", SUPPORT_OLD, CLOUD_CHINA, SUPPORT_SQL,
	    "documents.azure.cn", "old suffix" },
	{ "documents.cloudapi.de", SUPPORT_DEAD, CLOUD_GERMANY, SUPPORT_SQL, "",
	    "no longer exists" },
	{ "documents.azure.example", SUPPORT_OWN, CLOUD_COUNT, SUPPORT_SQL,
	    "documents.azure.example", "" },
	{ "gremlin.cosmos.azure.example", SUPPORT_OWN, CLOUD_COUNT, SUPPORT_GREMLIN,
	    "gremlin.cosmos.azure.example", "" },
	{ "cosmos.test", SUPPORT_OWN, CLOUD_COUNT, SUPPORT_SERVICE_COUNT, "cosmos.test", "" },
	{ "documents.azure.com.evil.test", SUPPORT_STRANGE, CLOUD_COUNT, SUPPORT_SERVICE_COUNT,
	    "", "" },
	{ "privatelink.documents.azure.com", SUPPORT_STRANGE, CLOUD_COUNT,
	    SUPPORT_SERVICE_COUNT, "", "" },
	{ "", SUPPORT_STRANGE, CLOUD_COUNT, SUPPORT_SERVICE_COUNT, "", "" },
};

static void
test_suffixes(void **state)
{
	static const char *const  own[] = { "documents.azure.example",
		 ".gremlin.cosmos.azure.example", ".cosmos.test" };
	const struct support_more more = { own, 3 };

	for (size_t i = 0; i < sizeof(suffix_cases) / sizeof(suffix_cases[0]); i++) {
		const struct suffix_case *c = &suffix_cases[i];
		struct support_place      place = support_place_of(c->suffix, &more);

		print_message("%s\n", c->suffix);
		assert_int_equal(place.kind, c->kind);
		assert_int_equal(place.cloud, c->cloud);
		assert_int_equal(place.service, c->service);
		assert_string_equal(place.suffix, c->today);
		assert_non_null(strstr(place.words, c->words));
		if (c->kind == SUPPORT_OWN)
			assert_int_equal(
			    support_place_of(c->suffix, NULL).kind, SUPPORT_STRANGE);
	}
	assert_int_equal(support_cloud_of_suffix("documents.azure.cn"), CLOUD_CHINA);
	assert_int_equal(support_cloud_of_suffix("documents.usgovcloudapi.net"), CLOUD_USGOV);
	assert_int_equal(support_cloud_of_suffix("documents.azure.example"), CLOUD_PUBLIC);
}

/* A cloud's own suffix and the rule give the same: the table holds no exception to it. */
static void
test_the_table_follows_the_rule(void **state)
{
	static const char *const documents[CLOUD_COUNT] = {
		[CLOUD_PUBLIC] = "documents.azure.com",
		[CLOUD_USGOV] = "documents.azure.us",
		[CLOUD_CHINA] = "documents.azure.cn",
	};
	struct arena *arena = arena_new();

	for (const struct support_suffix *row = support_suffixes; row->suffix != NULL; row++) {
		const char *made = support_suffix(arena, row->service, documents[row->cloud]);

		if (made != NULL)
			assert_string_equal(made, row->suffix);
		else
			assert_true(
			    row->service == SUPPORT_VCORE || row->service == SUPPORT_POSTGRES);
	}
	arena_free(arena);
}

static void
test_names(void **state)
{
	struct arena *arena = arena_new();

	assert_string_equal(
	    support_host(arena, "contoso", SUPPORT_SQL, "", "documents.azure.com"),
	    "contoso.documents.azure.com");
	assert_string_equal(
	    support_host(arena, "contoso", SUPPORT_MONGO, "westeurope", "documents.azure.com"),
	    "contoso-westeurope.mongo.cosmos.azure.com");
	/* In a cloud that is in no table. */
	assert_string_equal(
	    support_host(arena, "contoso", SUPPORT_GREMLIN, "usnateast", "documents.x.example"),
	    "contoso-usnateast.gremlin.cosmos.x.example");
	assert_string_equal(support_zone(arena, SUPPORT_TABLE, "documents.azure.us"),
	    "privatelink.table.cosmos.azure.us");
	assert_string_equal(support_zone(arena, SUPPORT_SQL, "documents.azure.cn"),
	    "privatelink.documents.azure.cn");
	assert_null(support_host(arena, "contoso", SUPPORT_MONGO, "", "cosmos.test"));
	assert_null(support_zone(arena, SUPPORT_MONGO, "cosmos.test"));
	assert_null(support_host(arena, "contoso", SUPPORT_VCORE, "", "documents.azure.com"));
	arena_free(arena);
}

static void
test_groups_and_ports(void **state)
{
	struct support_ports wide = support_ports(SUPPORT_SQL, false);
	struct support_ports close = support_ports(SUPPORT_SQL, true);

	assert_int_equal(wide.gateway, 443);
	assert_int_equal(wide.direct_first, 10000);
	assert_int_equal(wide.direct_last, 20000);
	assert_int_equal(close.direct_first, 0);
	assert_int_equal(close.direct_last, 65535);
	assert_int_equal(support_ports(SUPPORT_MONGO, true).gateway, 10255);
	assert_int_equal(support_ports(SUPPORT_MONGO, true).direct_last, 0);
	assert_int_equal(support_ports(SUPPORT_CASSANDRA, false).gateway, 10350);
	assert_int_equal(support_ports(SUPPORT_TABLE, true).direct_last, 65535);
	assert_string_equal(support_group(SUPPORT_SQL), "Sql");
	assert_string_equal(support_group(SUPPORT_DEDICATED), "SqlDedicated");
	assert_string_equal(support_group(SUPPORT_MONGO), "MongoDB");
	assert_string_equal(support_services[SUPPORT_GREMLIN].also, "Sql");
}

static void
test_words(void **state)
{
	assert_int_equal(support_cloud_find("public"), CLOUD_PUBLIC);
	assert_int_equal(support_cloud_find("Fairfax"), CLOUD_USGOV);
	assert_int_equal(support_cloud_find("azureusgovernment"), CLOUD_USGOV);
	assert_int_equal(support_cloud_find("mooncake"), CLOUD_CHINA);
	assert_int_equal(support_cloud_find("blackforest"), CLOUD_GERMANY);
	assert_int_equal(support_clouds[CLOUD_GERMANY].standing, SUPPORT_CLOSED);
	assert_int_equal(support_clouds[CLOUD_USSEC].standing, SUPPORT_NOT_PUBLIC);
	assert_int_equal(support_cloud_find("fair"), CLOUD_COUNT);
	assert_int_equal(support_cloud_find("fairfax AzureUSGovernment"), CLOUD_COUNT);
	assert_int_equal(support_cloud_find(""), CLOUD_COUNT);
	assert_int_equal(support_service_find("Gremlin"), SUPPORT_GREMLIN);
	assert_int_equal(support_service_find("nosql"), SUPPORT_SQL);
	assert_int_equal(support_service_find("mongo"), SUPPORT_MONGO);
	assert_int_equal(support_service_find("MongoDB vCore"), SUPPORT_VCORE);
	assert_int_equal(support_service_find(""), SUPPORT_SERVICE_COUNT);
	assert_int_equal(support_service_find("sq"), SUPPORT_SQL);
	assert_int_equal(support_service_find("sqlx"), SUPPORT_SERVICE_COUNT);
	for (uint32_t api = 0; api < API_COUNT; api++)
		assert_string_equal(
		    support_services[support_service_of_api(api)].word, api_name(api));
	assert_int_equal(support_service_of_api(API_COUNT), SUPPORT_SERVICE_COUNT);
}

static void
test_json(void **state)
{
	struct support_choice all = { CLOUD_COUNT, SUPPORT_SERVICE_COUNT };
	struct support_choice one = { CLOUD_CHINA, SUPPORT_TABLE };
	struct wbuf           out;
	json_t               *root, *name;

	wbuf_init(&out);
	support_json_write(&all, &out);
	root = json_read((const char *)out.bytes, out.count, "support", NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "support")), 14);
	assert_int_equal(json_array_size(json_object_get(root, "clouds")), CLOUD_COUNT);
	json_decref(root);
	wbuf_clear(&out);
	support_json_write(&one, &out);
	root = json_read((const char *)out.bytes, out.count, "support", NULL);
	assert_int_equal(json_array_size(json_object_get(root, "support")), 2);
	name = json_array_get(
	    json_object_get(json_array_get(json_object_get(root, "clouds"), 0), "names"), 0);
	assert_string_equal(json_string_value(json_object_get(name, "zone")),
	    "privatelink.table.cosmos.azure.cn");
	assert_int_equal(json_integer_value(
	                     json_object_get(json_object_get(name, "direct_private"), "last")),
	    65535);
	json_decref(root);
	wbuf_fini(&out);
}

static void
test_document(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	support_md(&out);
	assert_non_null(strstr(wbuf_text(&out),
	    "| MongoDB below 3.6, gateway | unsupported | **unsupported** | 2025-06 |"));
	assert_non_null(strstr(wbuf_text(&out), "| germany | blackforest AzureGermanCloud |"));
	wbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_row),
		cmocka_unit_test(test_every_row_is_sourced),
		cmocka_unit_test(test_suffixes),
		cmocka_unit_test(test_the_table_follows_the_rule),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_groups_and_ports),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
