/* Which virtual network an agent is in, as the judge is told: by the collector's settings, else by
 * the agent's own word.  Two zones of one name tell them apart. */
#include "tests/collector/board_fixture.h"

#define NET "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
#define ZONE_OF(group)                           \
	"/subscriptions/s/resourceGroups/" group \
	"/providers/Microsoft.Network/privateDnsZones/privatelink.documents.azure.com"

/* That of rg-a holds the record of East US and is linked to vnet-a, that of rg-b does not. */
static const char zones[] = "[{\"id\":\"" ZONE_OF(
    "rg-a") "\",\"name\":\"privatelink.documents.azure.com\",\"type\":"
            "\"Microsoft.Network/privateDnsZones\",\"numberOfVirtualNetworkLinks\":1},"
            "{\"id\":\"" ZONE_OF(
                "rg-a") "/A/contoso-eastus\",\"name\":\"contoso-eastus\",\"type\":"
                        "\"Microsoft.Network/privateDnsZones/"
                        "A\",\"fqdn\":\"contoso-eastus.privatelink.documents."
                        "azure.com.\",\"ttl\":10,\"aRecords\":[{\"ipv4Address\":\"10.0.0.5\"}]}"
                        ","
                        "{\"id\":\"" ZONE_OF(
                            "rg-a") "/virtualNetworkLinks/l\",\"name\":\"l\",\"type\":"
                                    "\"Microsoft.Network/privateDnsZones/"
                                    "virtualNetworkLinks\",\"virtualNetwork\":{\"id\":"
                                    "\"" NET "virtualNetworks/vnet-a\"}},"
                                    "{\"id\":\"" ZONE_OF(
                                        "rg-b") "\",\"name\":\"privatelink.documents.azure."
                                                "com\",\"type\":"
                                                "\"Microsoft.Network/"
                                                "privateDnsZones\","
                                                "\"numberOfVirtualNetworkLinks\":1},"
                                                "{\"id\":\"" ZONE_OF(
                                                    "rg-b") "/virtualNetworkLinks/"
                                                            "l\",\"name\":\"l\",\"type\":"
                                                            "\"Microsoft.Network/"
                                                            "privateDnsZones/"
                                                            "virtualNetworkLinks\","
                                                            "\"virtualNetwork\":{\"id\":"
                                                            "\"" NET
                                                            "virtualNetworks/vnet-b\"}}]";

static const struct said global_well = { "vm-a", "contoso", "", false, T0_MS };
static const struct said east_missing = { "vm-a", "contoso", "eastus", true, T0_MS };

static struct board_network rows[] = {
	{ "vnet-x/*", NET "virtualNetworks/vnet-a" },
	{ "vnet-?", NET "virtualNetworks/vnet-b/subnets/default" },
	{ "vnet-a", NET "virtualNetworks/vnet-a" },
};

static const struct conf_list networks = { rows, sizeof(rows) / sizeof(rows[0]) };

static const struct network_case {
	const char             *name, *network, *vnet;
	const struct conf_list *networks;
	const char             *code, *words; /* words: of the sentence */
} network_cases[] = {
	{ "nothing is known", "vnet-a", NULL, NULL, "PLP-134-TWO-ZONES",
	    "that of rg-a holds the record, that of rg-b does not" },
	{ "an agent without the setting", "vnet-a", "", NULL, "PLP-134-TWO-ZONES",
	    "that of rg-a holds the record, that of rg-b does not" },
	{ "the agent says so", "here", NET "virtualNetworks/vnet-b", NULL, "PLP-134-TWO-ZONES",
	    "this network, vnet-b, is linked to that of rg-b, which lacks the record" },
	{ "the agent is where the record is", "here", NET "virtualNetworks/vnet-a", NULL,
	    "PLP-101-REGION-NAME-MISSING", "" },
	{ "the agent says nonsense", "here", "vnet-b", NULL, "PLP-134-TWO-ZONES",
	    "that of rg-a holds the record, that of rg-b does not" },
	{ "the settings come first, and the first that fits", "vnet-a",
	    NET "virtualNetworks/vnet-a", &networks, "PLP-134-TWO-ZONES",
	    "this network, vnet-b, is linked" },
	{ "a pattern covers subnets", "vnet-x/back/end", NULL, &networks,
	    "PLP-101-REGION-NAME-MISSING", "" },
	{ "none fits", "elsewhere", NET "virtualNetworks/vnet-b", &networks,
	    "PLP-134-TWO-ZONES", "this network, vnet-b, is linked" },
};

static const struct store_finding *
find_open(const struct fixture *fixture)
{
	const struct board_view *view = fixture_view(fixture, "vm-a");

	assert_int_equal(view->open_count, 1);
	return &view->open[0]->finding;
}

static void
test_networks(void **state)
{
	for (size_t i = 0; i < sizeof(network_cases) / sizeof(network_cases[0]); i++) {
		const struct network_case *it = &network_cases[i];
		struct fixture             fixture;

		print_message("%s\n", it->name);
		fixture_init(&fixture);
		fixture_write(&fixture, "zones.json", zones);
		assert_true(documents_scan(fixture.documents, fixture_on_trouble, NULL));
		board_free(fixture.board);
		fixture.networks = it->networks;
		fixture.board = fixture_board(&fixture);
		fixture.network = it->network;
		fixture.vnet = it->vnet;
		fixture_say(&fixture, &global_well);
		fixture_say(&fixture, &east_missing);
		assert_string_equal(find_open(&fixture)->code, it->code);
		assert_non_null(strstr(find_open(&fixture)->sentence, it->words));
		fixture_fini(&fixture);
	}
}

/* An agent that is moved is judged anew, what it has seen of other accounts too. */
static void
test_moves(void **state)
{
	struct fixture fixture;
	struct said    other = { "vm-a", "fabrikam", "", false, T0_MS + 1000 };

	fixture_init(&fixture);
	fixture_write(&fixture, "zones.json", zones);
	assert_true(documents_scan(fixture.documents, fixture_on_trouble, NULL));
	fixture.vnet = NET "virtualNetworks/vnet-b";
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &east_missing);
	assert_string_equal(find_open(&fixture)->code, "PLP-134-TWO-ZONES");

	fixture.vnet = NET "virtualNetworks/vnet-a";
	fixture_say(&fixture, &other);
	assert_string_equal(find_open(&fixture)->code, "PLP-101-REGION-NAME-MISSING");
	fixture_fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
