#include "probe/direct_pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static int
start(void **state)
{
	arena = arena_new();
	return 0;
}

static int
stop(void **state)
{
	arena_free(arena);
	return 0;
}

/* "host:port=partition" with a final 'p' for a primary; blanks between. */
static struct feed_found
make_found(const char *text)
{
	struct feed_found found = { 0 };

	found.replicas = arena_array(arena, strlen(text) + 1, sizeof(struct feed_replica));
	while (*text != '\0') {
		struct feed_replica *replica = &found.replicas[found.count++];
		size_t               host = strcspn(text, ":");
		size_t               port = strcspn(text + host + 1, "=");
		const char          *partition = text + host + 1 + port + 1;
		size_t               length = strcspn(partition, " ");

		replica->uri.host = arena_strndup(arena, text, host);
		for (size_t i = 0; i < port; i++)
			replica->uri.port = (uint16_t)(replica->uri.port * 10 +
			    (uint16_t)(text[host + 1 + i] - '0'));
		replica->uri.primary = length > 0 && partition[length - 1] == 'p';
		replica->partition = arena_strndup(
		    arena, partition, length - replica->uri.primary);
		text = partition + length;
		text += strspn(text, " ");
	}
	return found;
}

static const char *
render(const struct direct_spots *picked)
{
	const char *text = "";

	for (size_t i = 0; i < picked->picked; i++) {
		const struct direct_spot *spot = &picked->spots[i];

		text = arena_printf(arena, "%s%s%s:%u=%s%s*%u", text, i > 0 ? " " : "",
		    spot->host, spot->port, spot->partitions, spot->primary ? "p" : "",
		    spot->replicas);
	}
	return text;
}

static const struct pick_case {
	const char *name, *found, *picked;
	size_t      most, count;
} pick_cases[] = {
	{ "none", "", "", 16, 0 },
	{ "all fit, in the order of the feed", "a:1=0p a:2=0 a:3=0 a:4=0",
	    "a:1=0p*1 a:2=0*1 a:3=0*1 a:4=0*1", 16, 4 },
	{ "joined by host and port", "a:1=0 a:2=0p a:1=1 a:1=2p a:1=2", "a:1=0 1 2p*4 a:2=0p*1",
	    16, 2 },
	{ "every host first", "a:1=0 a:2=0 b:1=0 c:9=0", "a:1=0*1 b:1=0*1 c:9=0*1", 3, 4 },
	{ "then each partition, by its primary", "a:1=0 a:2=0 a:3=1 a:4=1p a:5=2 a:6=2",
	    "a:1=0*1 a:4=1p*1 a:5=2*1", 3, 6 },
	{ "one that covers two partitions serves for both", "a:1=0 a:2=1 a:2=2 a:3=2 a:4=3",
	    "a:1=0*1 a:2=1 2*2 a:4=3*1", 3, 4 },
	{ "the rest while there is room", "a:1=0 a:2=0 a:3=0", "a:1=0*1 a:2=0*1", 2, 3 },
	{ "nothing is wanted", "a:1=0", "", 0, 1 },
	{ "the master partition", "a:1=M a:2=Mp", "a:1=M*1 a:2=Mp*1", 16, 2 },
	{ "hosts that begin alike are two", "a:1=0 ab:1=0", "a:1=0*1 ab:1=0*1", 16, 2 },
};

static void
picks(void **state)
{
	for (size_t i = 0; i < sizeof(pick_cases) / sizeof(pick_cases[0]); i++) {
		const struct pick_case *test = &pick_cases[i];
		struct feed_found       found = make_found(test->found);
		struct direct_spots     picked;

		print_message("%s\n", test->name);
		direct_pick(arena, &found, ORIGIN_FEED, test->most, &picked);
		assert_string_equal(render(&picked), test->picked);
		assert_int_equal(picked.count, test->count);
	}
}

/* As many as a gateway may tell: each partition is covered, and the texts stay bounded. */
static void
picks_from_many(void **state)
{
	struct feed_found   found = { .count = FEED_REPLICAS_MAX };
	struct direct_spots picked;
	bool                covered[64] = { false };

	found.replicas = arena_array(arena, found.count, sizeof(struct feed_replica));
	for (size_t i = 0; i < found.count; i++)
		found.replicas[i] = (struct feed_replica){ .uri = { .host = i % 2 == 0 ? "a"
			                                                               : "b",
			                                       .port = (uint16_t)(1 + i / 2) },
			.partition = arena_printf(arena, "%zu", i / 256) };
	direct_pick(arena, &found, ORIGIN_FEED, 256, &picked);
	assert_int_equal(picked.count, FEED_REPLICAS_MAX);
	assert_int_equal(picked.picked, 256);
	for (size_t i = 0; i < picked.picked; i++)
		covered[atoi(picked.spots[i].partitions)] = true;
	for (size_t i = 0; i < 64; i++)
		assert_true(covered[i]);
	for (size_t i = 0; i < found.count; i++)
		found.replicas[i].uri = (struct rntbd_uri){ .host = "a", .port = 7 };
	direct_pick(arena, &found, ORIGIN_FEED, 256, &picked);
	assert_int_equal(picked.count, 1);
	assert_int_equal(picked.spots[0].replicas, FEED_REPLICAS_MAX);
	assert_true(strlen(picked.spots[0].partitions) <= 255);
}

static void
ends_long_lists_with_dots(void **state)
{
	struct feed_found   found = { .count = 200 };
	struct direct_spots picked;
	const char         *text;

	found.replicas = arena_array(arena, found.count, sizeof(struct feed_replica));
	for (size_t i = 0; i < found.count; i++)
		found.replicas[i] = (struct feed_replica){ .uri = { .host = "a", .port = 7 },
			.partition = arena_printf(arena, "%zu", i) };
	direct_pick(arena, &found, ORIGIN_FEED, 1, &picked);
	text = picked.spots[0].partitions;
	assert_true(strlen(text) <= 255);
	assert_string_equal(text + strlen(text) - 4, " ...");
}

static const struct owner_case {
	const char *host, *region, *target;
	bool        is_for;
} owner_cases[] = {
	{ "contoso-eastus.documents.azure.com", "eastus", "contoso-eastus.documents.azure.com",
	    true },
	{ "contoso-westus.documents.azure.com", "eastus", "contoso-eastus.documents.azure.com",
	    false },
	{ "contoso-eastus2.documents.azure.com", "eastus", "contoso-eastus.documents.azure.com",
	    false },
	{ "cdb-ms-prod-eastus1-fd26.documents.azure.com", "eastus",
	    "contoso-eastus.documents.azure.com", true },
	{ "cdb-ms-prod-westus1-be169.documents.azure.com", "eastus",
	    "contoso-eastus.documents.azure.com", false },
	{ "cdb-ms-prod-eastus21-fd4.documents.azure.com", "eastus2",
	    "contoso-eastus2.documents.azure.com", true },
	{ "cdb-ms-prod.documents.azure.com", "eastus", "contoso-eastus.documents.azure.com",
	    false },
	{ "contoso-eastus.documents.azure.com", "", "contoso.documents.azure.com", true },
	{ "cdb-ms-prod-eastus1-fd26.documents.azure.com", "", "contoso.documents.azure.com",
	    true },
	{ "fabrikam-eastus.documents.azure.com", "", "contoso.documents.azure.com", false },
	{ "contoso2.documents.azure.com", "", "contoso.documents.azure.com", false },
};

static void
knows_whose_an_address_is(void **state)
{
	for (size_t i = 0; i < sizeof(owner_cases) / sizeof(owner_cases[0]); i++) {
		const struct owner_case *test = &owner_cases[i];
		struct rntbd_uri         uri = { .host = test->host, .port = 14000 };
		struct target            target = {
			           .account = "contoso", .region = test->region, .host = test->target
		};

		print_message("%s for %s\n", test->host, test->target);
		assert_int_equal(direct_is_for(&uri, &target), test->is_for);
	}
}

static void
samples_ports_of_both_kinds(void **state)
{
	unsigned inside = 0, low = 0, high = 0, alike = 0;

	for (unsigned i = 0; i < 64; i++) {
		uint16_t port = direct_sample_port("contoso-eastus.documents.azure.com", i);

		assert_int_equal(
		    direct_sample_port("contoso-eastus.documents.azure.com", i), port);
		alike += port == direct_sample_port("contoso-westus.documents.azure.com", i);
		assert_true(port >= 1024);
		inside += port >= 10000 && port < 20000;
		low += port < 10000;
		high += port >= 20000;
	}
	assert_int_equal(inside, 32);
	assert_true(low > 0 && high > 0);
	assert_true(alike < 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(picks, start, stop),
		cmocka_unit_test_setup_teardown(picks_from_many, start, stop),
		cmocka_unit_test_setup_teardown(ends_long_lists_with_dots, start, stop),
		cmocka_unit_test(knows_whose_an_address_is),
		cmocka_unit_test(samples_ports_of_both_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
