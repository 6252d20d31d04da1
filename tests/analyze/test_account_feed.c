#include "analyze/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static struct account *
take(struct arena *arena, struct gateway_region *regions, size_t count)
{
	struct err      err;
	struct account *named = account_named(arena, "contoso", &err);
	struct feed     feed = {
		    .address = "10.1.0.4", .regions = regions, .regions_count = count
	};

	assert_non_null(named);
	return account_of_feed(arena, named, &feed);
}

static void
takes_regions_writable_first(void **state)
{
	struct arena         *arena = arena_new();
	struct gateway_region regions[] = {
		{ .name = "West Europe",
		    .host = "contoso-westeurope.documents.azure.com",
		    .port = 443 },
		{ .name = "East US",
		    .host = "Contoso-EastUS.documents.azure.com",
		    .port = 443,
		    .writable = true },
	};
	struct account *account = take(arena, regions, 2);

	assert_non_null(account);
	assert_int_equal(account->location_count, 2);
	assert_string_equal(account->locations[0].label, "eastus");
	assert_string_equal(account->locations[0].name, "East US");
	assert_string_equal(account->locations[0].host, "contoso-eastus.documents.azure.com");
	assert_int_equal(account->locations[0].port, 443);
	assert_int_equal(account->locations[0].failover_priority, -1);
	assert_false(account->locations[0].pending);
	assert_string_equal(account->locations[1].label, "westeurope");
	assert_string_equal(account->source, "the gateway of contoso at 10.1.0.4");
	arena_free(arena);
}

/* A gateway that is not the service must not lead us to names of others. */
static const struct strange_case {
	const char *name, *host;
	uint32_t    port;
} strange_cases[] = {
	{ "East US", "fabrikam-eastus.documents.azure.com", 443 },
	{ "East US", "contoso2-eastus.documents.azure.com", 443 },
	{ "East US", "contoso-eastus.documents.azure.com.evil.example", 443 },
	{ "East US", "contoso-eastus.evil.example", 443 },
	{ "East US", "", 443 },
	{ "East US", "contoso-eastus.documents.azure.com", 0 },
	{ "East US", "contoso-eastus.documents.azure.com", 70000 },
	{ "", "contoso-eastus.documents.azure.com", 443 },
	{ "East/US", "contoso-eastus.documents.azure.com", 443 },
};

static void
leaves_strangers_out(void **state)
{
	for (size_t i = 0; i < sizeof(strange_cases) / sizeof(strange_cases[0]); i++) {
		struct arena         *arena = arena_new();
		struct gateway_region region = { .name = strange_cases[i].name,
			.host = strange_cases[i].host,
			.port = strange_cases[i].port };

		print_message("%s %s:%u\n", region.name, region.host, region.port);
		assert_null(take(arena, &region, 1));
		arena_free(arena);
	}
}

static void
takes_each_region_once(void **state)
{
	struct arena         *arena = arena_new();
	struct gateway_region region = {
		.name = "East US", .host = "contoso-eastus.documents.azure.com", .port = 443
	};
	struct gateway_region regions[] = { region, region };

	regions[1].writable = true;
	assert_int_equal(take(arena, regions, 2)->location_count, 1);
	assert_null(take(arena, regions, 0));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_regions_writable_first),
		cmocka_unit_test(leaves_strangers_out),
		cmocka_unit_test(takes_each_region_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
