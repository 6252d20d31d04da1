/* Private DNS zones as az and REST write them, in parts and whole, and the questions to their index. */
#include "analyze/zone.h"

#include "analyze/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define FOLDER "tests/analyze/document/"
#define ZONES  "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/"
#define NET    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/"
#define NAME   "privatelink.documents.azure.com"

static struct account_list *
parse(struct arena *arena, const char *text)
{
	struct err           err;
	struct account_list *list = account_parse(arena, text, strlen(text), "in.json", &err);

	if (list == NULL)
		fail_msg("%s", err.text);
	return list;
}

/* The only zone of the name. */
static const struct zone *
find_only(const struct zone_index *index, const char *name)
{
	size_t                    count;
	const struct zone *const *zones = zone_find(index, name, &count);

	assert_int_equal(count, 1);
	return zones[0];
}

static void
assert_addr(const struct zone_record *record, size_t at, const char *wanted)
{
	char text[ADDR_TEXT];

	assert_true(at < record->addr_count);
	assert_string_equal(addr_render(&record->addrs[at], text, sizeof(text)), wanted);
}

/* The same zone in both shapes. */
static void
test_shapes(void **state)
{
	static const char *const files[] = { FOLDER "zone_rest.json", FOLDER "zone_az.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena              *arena = arena_new();
		struct err                 err;
		struct account_list       *list = account_read(arena, files[i], &err);
		const struct zone         *zone;
		const struct zone_record  *record;
		const struct zone_link    *link;
		const struct zone_network *network;
		size_t                     count;

		if (list == NULL)
			fail_msg("%s", err.text);
		assert_int_equal(list->count, 0);
		zone = find_only(
		    zone_index_new(arena, &list->zones), "PrivateLink.documents.azure.com");
		assert_string_equal(zone->name, NAME);
		assert_int_equal(zone->record_count, 2);
		assert_int_equal(zone->set_total, 3);
		assert_int_equal(zone->link_total, 1);
		assert_true(zone_links_are_whole(zone));

		record = zone_record(zone, "CONTOSO");
		assert_non_null(record);
		assert_string_equal(record->fqdn, "contoso." NAME);
		assert_int_equal(record->ttl_s, 10);
		assert_string_equal(record->endpoint, "pe-contoso");
		assert_string_equal(record->guid, "517d9819-82e9-416b-b507-ce8ec2b6d9b0");
		assert_string_equal(record->source, files[i]);
		assert_int_equal(record->addr_count, 1);
		assert_addr(record, 0, "10.1.0.4");

		record = zone_record(zone, "contoso-westeurope");
		assert_non_null(record);
		assert_int_equal(record->ttl_s, 3600);
		assert_string_equal(record->creator, "");
		assert_string_equal(record->guid, "");
		assert_int_equal(record->addr_count, 2);
		assert_addr(record, 1, "10.1.0.6");
		assert_null(zone_record(zone, "contoso-northeurope"));
		assert_null(zone_record(zone, "@"));

		link = &zone->links[0];
		assert_string_equal(link->name, "to-vnet-a");
		assert_int_equal(link->registers, ZONE_NO);
		assert_string_equal(link->policy, "NxDomainRedirect");
		assert_string_equal(link->state, "Completed");
		assert_ptr_equal(zone_link(zone, link->vnet), link);
		network = zone_by_network(
		    zone_index_new(arena, &list->zones), link->vnet, &count);
		assert_int_equal(count, 1);
		assert_string_equal(network->zone->name, NAME);
		arena_free(arena);
	}
}

#define RECORD(zone, name, address)                                             \
	"{\"id\":\"" zone "/A/" name "\",\"name\":\"" name "\",\"aRecords\":[{" \
	"\"ipv4Address\":\"" address "\"}]}"
#define LINK(zone, name, network)                                                       \
	"{\"id\":\"" zone "/virtualNetworkLinks/" name "\",\"virtualNetwork\":{\"id\":" \
	"\"" network "\"},\"registrationEnabled\":true}"

/* Two zones of one name, in different groups: each has its own records and networks. */
static void
test_two_of_a_name(void **state)
{
	static const char text[] = "[" RECORD(ZONES NAME, "contoso", "10.0.0.4") "," RECORD(
	    "/subscriptions/t/resourceGroups/hub/providers/Microsoft.Network/"
	    "privateDnsZones/" NAME,
	    "contoso", "10.9.0.4") "," LINK(ZONES NAME, "l", NET "a") "," LINK(ZONES NAME, "l2",
	    NET "b") "," LINK("/subscriptions/t/resourceGroups/hub/providers/Microsoft.Network/"
	                      "privateDnsZones/" NAME,
	    "l",
	    NET "c") "," LINK(ZONES "privatelink.mongo.cosmos.azure.com", "l", NET "A") "]";
	struct arena              *arena = arena_new();
	struct zone_index         *index = zone_index_new(arena, &parse(arena, text)->zones);
	const struct zone *const  *zones;
	const struct zone_network *networks;
	size_t                     count;

	zones = zone_find(index, NAME, &count);
	assert_int_equal(count, 2);
	assert_string_equal(zones[0]->id, ZONES NAME);
	assert_addr(zone_record(zones[0], "contoso"), 0, "10.0.0.4");
	assert_addr(zone_record(zones[1], "contoso"), 0, "10.9.0.4");
	assert_int_equal(zone_record(zones[1], "contoso")->ttl_s, -1);
	assert_int_equal(zones[0]->link_count, 2);
	assert_null(zone_link(zones[0], NET "c"));
	assert_int_equal(zone_link(zones[0], NET "B")->registers, ZONE_YES);
	assert_string_equal(zone_link(zones[0], NET "b")->policy, "");
	/* Nobody told how many links there are. */
	assert_false(zone_links_are_whole(zones[0]));

	networks = zone_by_network(index, NET "a", &count);
	assert_int_equal(count, 2);
	assert_string_equal(networks[0].zone->name, NAME);
	assert_string_equal(networks[1].zone->name, "privatelink.mongo.cosmos.azure.com");
	zone_by_network(index, NET "d", &count);
	assert_int_equal(count, 0);
	arena_free(arena);
}

/* What several files say of one zone is one zone; the same said twice is said once. */
static void
test_parts(void **state)
{
	static const char *const texts[] = {
		"[" RECORD(ZONES NAME, "b", "10.0.0.5") "," RECORD(
		    ZONES NAME, "a", "10.0.0.4") "]",
		RECORD(ZONES NAME, "a", "10.0.0.4"),
		LINK(ZONES NAME, "l", NET "a"),
		LINK(ZONES NAME, "l", NET "a"),
		"{\"id\":\"" ZONES NAME
		"\",\"numberOfRecordSets\":3,\"numberOfVirtualNetworkLinks\":2}",
	};
	enum { PARTS = sizeof(texts) / sizeof(texts[0]) };
	struct arena              *arena = arena_new();
	const struct account_list *lists[PARTS];
	const struct zone         *zone;

	for (size_t i = 0; i < PARTS; i++)
		lists[i] = parse(arena, texts[i]);
	zone = find_only(
	    zone_index_new(arena, &account_list_sum(arena, lists, PARTS)->zones), NAME);
	assert_int_equal(zone->record_count, 2);
	assert_string_equal(zone->records[0].name, "a");
	assert_int_equal(zone->link_count, 1);
	assert_int_equal(zone->link_total, 2);
	assert_false(zone_links_are_whole(zone));
	arena_free(arena);
}

static const struct creator_case {
	const char *name, *creator, *endpoint, *guid;
} creator_cases[] = {
	{ "of a zone group", "created by private endpoint pe-1 with resource guid AB-12",
	    "pe-1", "ab-12" },
	{ "a name with blanks", "created by private endpoint a b with resource guid 1", "a b",
	    "1" },
	{ "copied by hand", "created by private endpoint", "", "" },
	{ "without a guid", "created by private endpoint pe-1", "", "" },
	{ "somebody", "me", "", "" },
	{ "nobody", "", "", "" },
};

static void
test_creator(void **state)
{
	for (size_t i = 0; i < sizeof(creator_cases) / sizeof(creator_cases[0]); i++) {
		const struct creator_case *row = &creator_cases[i];
		struct arena              *arena = arena_new();
		const struct zone         *zone = parse(arena,
		            arena_printf(arena,
		                "{\"id\":\"" ZONES NAME "/A/x\",\"metadata\":{\"creator\":\"%s\"},"
		                        "\"aRecords\":[]}",
		                row->creator))
		                              ->zones.zones[0];

		print_message("%s\n", row->name);
		assert_string_equal(zone->records[0].creator, row->creator);
		assert_string_equal(zone->records[0].endpoint, row->endpoint);
		assert_string_equal(zone->records[0].guid, row->guid);
		assert_string_equal(zone->records[0].fqdn, "x." NAME);
		arena_free(arena);
	}
}

static const struct refused_case {
	const char *name, *text, *words;
} refused_cases[] = {
	{ "no zone in the id", "{\"id\":\"/x/A/y\",\"aRecords\":[]}",
	    "in.json: id: '.../privateDnsZones/<zone>' wanted" },
	{ "no id", "{\"aRecords\":[]}", "in.json: id: '.../privateDnsZones/<zone>' wanted" },
	{ "an empty zone", "{\"id\":\"" ZONES "/A/y\",\"aRecords\":[]}",
	    "in.json: id: '': the name of a zone wanted" },
	{ "no address",
	    "[{\"id\":\"" ZONES "z.x/A/y\",\"aRecords\":[{\"ipv4Address\":\"ten\"}]}]",
	    "in.json: [0].aRecords[0].ipv4Address: 'ten': an IPv4 address wanted" },
	{ "the other family",
	    "{\"id\":\"" ZONES "z.x/A/y\",\"aRecords\":[{\"ipv4Address\":\"::1\"}]}",
	    "in.json: aRecords[0].ipv4Address: '::1': an IPv4 address wanted" },
	{ "an odd address", "{\"id\":\"" ZONES "z.x/A/y\",\"aRecords\":[\"10.0.0.1\"]}",
	    "in.json: aRecords[0]: an object wanted" },
	{ "a TTL below 0", "{\"id\":\"" ZONES "z.x/A/y\",\"ttl\":-1,\"aRecords\":[]}",
	    "in.json: ttl: seconds wanted, 0 to 2147483647" },
	{ "an odd name", "{\"id\":\"" ZONES "z.x/A/y\",\"name\":\"a b\",\"aRecords\":[]}",
	    "in.json: name: 'a b': the name of a record set wanted" },
	{ "odd metadata", "{\"id\":\"" ZONES "z.x/A/y\",\"metadata\":\"me\",\"aRecords\":[]}",
	    "in.json: metadata: an object wanted" },
	{ "an odd flag",
	    "{\"id\":\"" ZONES "z.x/virtualNetworkLinks/y\",\"registrationEnabled\":\"no\"}",
	    "in.json: registrationEnabled: true or false wanted" },
	{ "an odd network",
	    "{\"id\":\"" ZONES "z.x/virtualNetworkLinks/y\",\"registrationEnabled\":true,"
	    "\"virtualNetwork\":\"/x\"}",
	    "in.json: virtualNetwork: an object wanted" },
	{ "an odd count", "{\"id\":\"" ZONES "z.x\",\"numberOfVirtualNetworkLinks\":\"1\"}",
	    "in.json: numberOfVirtualNetworkLinks: a number from 0 on wanted" },
};

static void
test_refused(void **state)
{
	for (size_t i = 0; i < sizeof(refused_cases) / sizeof(refused_cases[0]); i++) {
		const struct refused_case *row = &refused_cases[i];
		struct arena              *arena = arena_new();
		struct err                 err = { .text = "" };

		print_message("%s\n", row->name);
		assert_null(
		    account_parse(arena, row->text, strlen(row->text), "in.json", &err));
		assert_string_equal(err.text, row->words);
		arena_free(arena);
	}
}

static void
test_nothing(void **state)
{
	size_t count = 7;

	assert_null(zone_find(NULL, NAME, &count));
	assert_int_equal(count, 0);
	count = 7;
	assert_null(zone_by_network(NULL, NET "a", &count));
	assert_int_equal(count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_two_of_a_name),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_creator),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
