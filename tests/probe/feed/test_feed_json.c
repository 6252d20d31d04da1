#include "probe/feed/feed_json.h"
#include "probe/feed/feed_tally.h"

#include "base/wbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const char *
text(const char *maybe)
{
	return maybe != NULL ? maybe : "";
}

/* The account. */

#define PLACE(name, url) "{\"name\":\"" name "\",\"databaseAccountEndpoint\":\"" url "\"}"

static void
test_account(void **state)
{
	static const char body[] =
	    "{\"_self\":\"\",\"id\":\"contoso\",\"_rid\":\"contoso.documents.azure.com\","
	    "\"media\":\"//media/\",\"addresses\":\"//addresses/"
	    "\",\"writableLocations\":[" PLACE("East US", "https://contoso-eastus.documents.azure.com:443/") "],\"readableLocations\":[" PLACE(
	        "East US",
	        "https://contoso-eastus.documents.azure.com:443/") "," PLACE("West Europe",
	        "https://Contoso-WestEurope.documents.azure.com:443/") "],"
	                                                               "\"thinClientReadableLoc"
	                                                               "ations\":[" PLACE("West"
	                                                                                  " Eur"
	                                                                                  "ope",
	                                                                   "https://"
	                                                                   "contoso-westeurope."
	                                                                   "documents.azure."
	                                                                   "com:10250/") "],"
	                                                                                 "\"ena"
	                                                                                 "bleMu"
	                                                                                 "ltipl"
	                                                                                 "eWrit"
	                                                                                 "eLoca"
	                                                                                 "tions"
	                                                                                 "\":"
	                                                                                 "false"
	                                                                                 ",\"us"
	                                                                                 "erRep"
	                                                                                 "licat"
	                                                                                 "ionPo"
	                                                                                 "licy"
	                                                                                 "\":{}"
	                                                                                 ","
	                                                                                 "\"que"
	                                                                                 "ryEng"
	                                                                                 "ineCo"
	                                                                                 "nfigu"
	                                                                                 "ratio"
	                                                                                 "n\":"
	                                                                                 "\"{"
	                                                                                 "\\\"a"
	                                                                                 "\\\":"
	                                                                                 "1}"
	                                                                                 "\"}";
	struct arena *arena = arena_new();
	struct feed   feed = { 0 };
	struct err    err = { 0 };

	if (!feed_json_account(&feed, body, sizeof(body) - 1, arena, &err))
		fail_msg("%s", err.text);
	assert_string_equal(feed.account, "contoso");
	assert_false(feed.multi_write);
	assert_int_equal(feed.regions_count, 2);
	assert_string_equal(feed.regions[0].name, "East US");
	assert_string_equal(feed.regions[0].host, "contoso-eastus.documents.azure.com");
	assert_int_equal(feed.regions[0].port, 443);
	assert_true(feed.regions[0].writable);
	assert_string_equal(text(feed.regions[0].v2_host), "");
	assert_string_equal(feed.regions[1].name, "West Europe");
	assert_string_equal(feed.regions[1].host, "contoso-westeurope.documents.azure.com");
	assert_false(feed.regions[1].writable);
	assert_string_equal(feed.regions[1].v2_host, "contoso-westeurope.documents.azure.com");
	assert_int_equal(feed.regions[1].v2_port, 10250);
	arena_free(arena);
}

static const struct url_case {
	const char *url, *host; /* host NULL: none */
	unsigned    port;
} url_cases[] = {
	{ "https://a.b:443/", "a.b", 443 },
	{ "https://a.b", "a.b", 443 },
	{ "HTTPS://A.B:10250", "a.b", 10250 },
	{ "https://a.b:65535/x/y", "a.b", 65535 },
	{ "http://a.b/", NULL, 0 },
	{ "https://", NULL, 0 },
	{ "https:///", NULL, 0 },
	{ "https://a.b:0/", NULL, 0 },
	{ "https://a.b:65536/", NULL, 0 },
	{ "https://a.b:99999999999999999999/", NULL, 0 },
	{ "https://a.b:x/", NULL, 0 },
	{ "https://a.b:/", NULL, 0 },
	{ "https://u@a.b/", NULL, 0 },
	{ "https://a b/", NULL, 0 },
	{ "https://[::1]/", NULL, 0 },
	{ "https://a.b?c", NULL, 0 },
};

static void
test_urls(void **state)
{
	for (size_t i = 0; i < sizeof(url_cases) / sizeof(url_cases[0]); i++) {
		struct arena *arena = arena_new();
		struct feed   feed = { 0 };
		const char   *body = arena_printf(arena,
		      "{\"id\":\"a\",\"readableLocations\":[" PLACE("X", "%s") "]}",
		      url_cases[i].url);

		assert_true(feed_json_account(&feed, body, strlen(body), arena, NULL));
		assert_int_equal(feed.regions_count, 1);
		if (strcmp(text(feed.regions[0].host), text(url_cases[i].host)) != 0)
			fail_msg("%s: %s", url_cases[i].url, text(feed.regions[0].host));
		assert_int_equal(feed.regions[0].port, url_cases[i].port);
		arena_free(arena);
	}
}

static void
test_more_regions_than_there_are(void **state)
{
	struct arena *arena = arena_new();
	struct feed   feed = { 0 };
	struct wbuf   body;

	wbuf_init(&body);
	wbuf_puts(&body, "{\"readableLocations\":[");
	for (unsigned i = 0; i < 1000; i++)
		wbuf_printf(
		    &body, "%s" PLACE("Region %u", "https://r%u.b/"), i != 0 ? "," : "", i, i);
	wbuf_puts(&body, "]}");
	assert_true(feed_json_account(&feed, wbuf_text(&body), body.count, arena, NULL));
	assert_int_equal(feed.regions_count, FEED_REGIONS_MAX);
	assert_string_equal(feed.regions[FEED_REGIONS_MAX - 1].host, "r127.b");
	wbuf_fini(&body);
	arena_free(arena);
}

static const struct refusal_case {
	const char   *name, *body;
	enum err_kind kind;
	const char   *word;
} account_refusals[] = {
	{ "nothing", "", ERR_PARSE, "answer" },
	{ "a page", "<html>", ERR_PARSE, "answer:1:1" },
	{ "cut short", "{\"id\":\"a\",\"readableLocations\":[", ERR_PARSE, "answer" },
	{ "twice the same member", "{\"id\":\"a\",\"id\":\"b\"}", ERR_PARSE, "duplicate" },
	{ "an array", "[]", ERR_PEER, "not an object" },
	{ "another document", "{\"id\":\"a\",\"version\":3}", ERR_PEER, "not the document" },
	{ "locations that are none", "{\"readableLocations\":{}}", ERR_PEER,
	    "not the document" },
	{ "a name with a NUL", "{\"readableLocations\":[],\"id\":\"a\\u0000b\"}", ERR_PARSE,
	    "" },
};

static void
test_account_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(account_refusals) / sizeof(account_refusals[0]); i++) {
		const struct refusal_case *c = &account_refusals[i];
		struct arena              *arena = arena_new();
		struct feed                feed = { 0 };
		struct err                 err = { 0 };

		assert_false(feed_json_account(&feed, c->body, strlen(c->body), arena, &err));
		if (err.kind != c->kind || strstr(err.text, c->word) == NULL)
			fail_msg("%s: %s", c->name, err.text);
		arena_free(arena);
	}
}

/* Odd members are no reason to refuse. */
static void
test_odd_members(void **state)
{
	static const char body[] =
	    "{\"id\":7,\"readableLocations\":[null,3,\"x\",[],{},"
	    "{\"name\":4},{\"name\":\"\"},{\"name\":\"A\\u0007B\"}],"
	    "\"writableLocations\":\"x\",\"thinClientWritableLocations\":1,"
	    "\"enableMultipleWriteLocations\":\"yes\"}";
	struct arena *arena = arena_new();
	struct feed   feed = { 0 };

	assert_true(feed_json_account(&feed, body, sizeof(body) - 1, arena, NULL));
	assert_string_equal(feed.account, "");
	assert_false(feed.multi_write);
	assert_int_equal(feed.regions_count, 1);
	assert_string_equal(feed.regions[0].name, "A?B");
	assert_string_equal(text(feed.regions[0].host), "");
	arena_free(arena);
}

/* What would become hundreds of megabytes in memory is refused as text. */
static void
test_bombs(void **state)
{
	static const char *const units[] = { "[],", "{},", "1,", "\"\"," };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct arena *arena = arena_new();
		struct feed   feed = { 0 };
		struct err    err = { 0 };
		struct wbuf   body;

		wbuf_init(&body);
		wbuf_puts(&body, "{\"readableLocations\":[");
		while (body.count < FEED_BODY_MAX - 8)
			wbuf_puts(&body, units[i]);
		wbuf_puts(&body, "1]}");
		assert_false(
		    feed_json_account(&feed, wbuf_text(&body), body.count, arena, &err));
		assert_int_equal(err.kind, ERR_LIMIT);
		wbuf_fini(&body);
		arena_free(arena);
	}
}

/* Lists. */

static void
test_list(void **state)
{
	static const char body[] =
	    "{\"_rid\":\"\",\"Databases\":[{\"id\":\"a\",\"_rid\":\"ZWUNAA==\"},{\"id\":\"\"},{"
	    "},3,"
	    "{\"id\":\"b/c\"},{\"id\":\"d\\ne\"},{\"id\":\"f g\\u00e4\"},{\"id\":\"h\"},"
	    "{\"id\":\"i\"}],\"_count\":9}";
	struct arena    *arena = arena_new();
	struct feed_list list = { 0 };
	struct err       err = { 0 };

	assert_true(feed_json_list(&list, "Databases", 3, body, sizeof(body) - 1, arena, NULL));
	assert_int_equal(list.count, 3);
	assert_int_equal(list.told, 9);
	assert_string_equal(list.items[0].id, "a");
	assert_string_equal(list.items[0].rid, "ZWUNAA==");
	assert_string_equal(list.items[1].id, "f g\xc3\xa4");
	assert_string_equal(list.items[1].rid, "");
	assert_string_equal(list.items[2].id, "h");
	assert_false(feed_json_list(
	    &list, "DocumentCollections", 3, body, sizeof(body) - 1, arena, &err));
	assert_int_equal(err.kind, ERR_PEER);
	assert_non_null(strstr(err.text, "DocumentCollections"));
	arena_free(arena);
}

/* The longest that is kept, and one byte more. */
static void
test_long_ids(void **state)
{
	static const size_t limits[] = { 0, FEED_RANGE_MAX };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		int              most = limits[i] != 0 ? (int)limits[i] : FEED_NAME_MAX;
		struct arena    *arena = arena_new();
		struct feed_list list = { .id_max = limits[i] };
		const char      *body = arena_printf(arena,
		         "{\"X\":[{\"id\":\"%0*d\"},{\"id\":\"%0*d\"}]}", most, 1, most + 1, 2);

		assert_true(feed_json_list(&list, "X", 5, body, strlen(body), arena, NULL));
		assert_int_equal(list.told, 2);
		assert_int_equal(list.count, 1);
		assert_int_equal(strlen(list.items[0].id), most);
		arena_free(arena);
	}
}

static const struct rid_case {
	const char *rid, *database; /* NULL: no container's */
} rid_cases[] = {
	{ "ZWUNALftZ78=", "ZWUNAA==" },
	{ "-----------=", NULL }, /* bits left over */
	{ "----------8=", "-----w==" },
	{ "ZWUNAA==", NULL },
	{ "", NULL },
	{ "ZWUNALftZ7", NULL },
	{ "ZWUNALftZ78/", NULL },
	{ "ZWUNA LftZ78", NULL },
};

static void
test_rids(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(rid_cases) / sizeof(rid_cases[0]); i++) {
		const char *database = feed_json_database_rid(rid_cases[i].rid, arena);
		const char *body = arena_printf(arena, "{\"_rid\":\"%s\"}", rid_cases[i].rid);
		const char *rid;
		struct err  err = { 0 };

		if (strcmp(text(database), text(rid_cases[i].database)) != 0)
			fail_msg("%s: %s", rid_cases[i].rid, text(database));
		assert_int_equal(feed_json_container(&rid, body, strlen(body), arena, &err),
		    rid_cases[i].database != NULL);
	}
	arena_free(arena);
}

/* Addresses. */

#define ENTRY(range, protocol, member, uri)                                       \
	"{\"isPrimary\":true,\"protocol\":\"" protocol "\",\"" member "\":\"" uri \
	"\",\"partitionKeyRangeId\":\"" range "\",\"partitionTargetReplicaSetSize\":4}"

static void
test_addresses(void **state)
{
	static const char body[] = "{\"_rid\":\"ZWUNALftZ78=\",\"Addresss\":[" ENTRY(
	    "0", "rntbd", "physcialUri", "rntbd://a.b:14031/apps/1/replicas/7p/") "," ENTRY("0",
	    "https", "physcialUri", "https://a.b:443/") "," ENTRY("0", "rntbd", "physicalUri",
	    "rntbd://c.d:14032/apps/1/replicas/8s/") "," ENTRY("1", "RNTBD", "physcialUri",
	    "rntbd://c.d:0/") ","
	                      "{\"protocol\":\"rntbd\"},7," ENTRY("1", "rntbd", "physcialUri",
	                          "rntbd://E.F:14033/x/9s/") "],\"_count\":6}";
	struct arena         *arena = arena_new();
	struct feed_addresses addresses = { 0 };
	struct feed           feed = { 0 };

	assert_true(feed_json_addresses(&addresses, body, sizeof(body) - 1, arena, NULL));
	assert_int_equal(addresses.count, 3);
	assert_int_equal(addresses.told, 5);
	assert_int_equal(addresses.bad, 2);
	assert_string_not_equal(text(addresses.why), "");
	assert_string_equal(addresses.replicas[0].uri.host, "a.b");
	assert_int_equal(addresses.replicas[0].uri.port, 14031);
	assert_true(addresses.replicas[0].uri.primary);
	assert_string_equal(addresses.replicas[0].partition, "0");
	assert_int_equal(addresses.targets[0], 4);
	assert_string_equal(addresses.replicas[1].uri.host, "c.d");
	assert_false(addresses.replicas[1].uri.primary);
	assert_string_equal(addresses.replicas[2].uri.host, "e.f");
	assert_string_equal(addresses.replicas[2].partition, "1");
	feed_tally(&feed, &addresses, arena);
	assert_int_equal(feed.replicas, 5);
	assert_int_equal(feed.partitions, 2);
	assert_int_equal(feed.partitions_short, 2);
	assert_string_equal(feed.short_detail, "0 has 2 of 4, 1 has 1 of 4");
	arena_free(arena);
}

static void
put_entries(struct wbuf *body, unsigned count)
{
	wbuf_puts(body, "{\"Addresss\":[");
	for (unsigned i = 0; i < count; i++)
		wbuf_printf(body,
		    "%s{\"protocol\":\"rntbd\",\"physcialUri\":\"rntbd://a:%u\","
		    "\"partitionKeyRangeId\":\"%u\",\"partitionTargetReplicaSetSize\":1}",
		    i != 0 ? "," : "", 10000 + i % 5000, i / 2);
	wbuf_puts(body, "]}");
}

static void
test_replica_limit(void **state)
{
	static const unsigned counts[] = { FEED_REPLICAS_MAX, FEED_REPLICAS_MAX + 1, 100000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct arena         *arena = arena_new();
		struct feed_addresses addresses = { 0 };
		struct feed           feed = { 0 };
		struct err            err = { 0 };
		struct wbuf           body;
		bool                  good;

		wbuf_init(&body);
		put_entries(&body, counts[i]);
		good = feed_json_addresses(
		    &addresses, wbuf_text(&body), body.count, arena, &err);
		assert_int_equal(good, counts[i] <= FEED_REPLICAS_MAX);
		assert_int_equal(err.kind, good ? ERR_NONE : ERR_LIMIT);
		assert_true(addresses.count <= FEED_REPLICAS_MAX);
		feed_tally(&feed, &addresses, arena);
		if (good)
			assert_int_equal(feed.partitions, FEED_REPLICAS_MAX / 2);
		assert_int_equal(feed.partitions_short, 0);
		wbuf_fini(&body);
		arena_free(arena);
	}
}

static void
test_short_partitions_are_told_in_order(void **state)
{
	static const char body[] = "{\"Addresss\":[" ENTRY(
	    "10", "rntbd", "physcialUri", "rntbd://a:1") "," ENTRY("9", "rntbd", "physcialUri",
	    "rntbd://a:1") "," ENTRY("1", "rntbd", "physcialUri", "rntbd://a:1") "," ENTRY("2",
	    "rntbd", "physcialUri", "rntbd://a:1") "," ENTRY("3", "rntbd", "physcialUri",
	    "rntbd://a:1") "," ENTRY("M", "rntbd", "physcialUri", "rntbd://a:1") "]}";
	struct arena         *arena = arena_new();
	struct feed_addresses addresses = { 0 };
	struct feed           feed = { 0 };

	assert_true(feed_json_addresses(&addresses, body, sizeof(body) - 1, arena, NULL));
	feed_tally(&feed, &addresses, arena);
	assert_int_equal(feed.partitions_short, 6);
	assert_string_equal(feed.short_detail,
	    "1 has 1 of 4, 2 has 1 of 4, 3 has 1 of 4, 9 has 1 of 4, M has 1 of 4");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_more_regions_than_there_are),
		cmocka_unit_test(test_account_refusals),
		cmocka_unit_test(test_odd_members),
		cmocka_unit_test(test_bombs),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_long_ids),
		cmocka_unit_test(test_rids),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_replica_limit),
		cmocka_unit_test(test_short_partitions_are_told_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
