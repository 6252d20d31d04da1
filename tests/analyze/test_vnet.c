/* Resource ids of virtual networks: what is taken, what is refused and why. */
#include "analyze/vnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define VNET                                                                                  \
	"/subscriptions/s-1/resourceGroups/rg-a/providers/Microsoft.Network/virtualNetworks/" \
	"vnet-a"

static const struct vnet_case {
	const char *name, *text;
	bool        good;
	const char *id, *subnet, *words;
} vnet_cases[] = {
	{ "nothing said", "", true, "", "", "" },
	{ "a network", VNET, true, VNET, "", "vnet-a" },
	{ "a subnet", VNET "/subnets/default", true, VNET, VNET "/subnets/default",
	    "vnet-a/default" },
	{ "parentheses",
	    "/subscriptions/s/resourceGroups/rg(1)/providers/Microsoft.Network/virtualNetworks/"
	    "v",
	    true,
	    "/subscriptions/s/resourceGroups/rg(1)/providers/Microsoft.Network/virtualNetworks/"
	    "v",
	    "", "v" },
	{ "a name alone", "vnet-a", false, "", "", "" },
	{ "no name",
	    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/",
	    false, "", "", "" },
	{ "no name of the group",
	    "/subscriptions/s/resourceGroups//providers/Microsoft.Network/virtualNetworks/v",
	    false, "", "", "" },
	{ "not a network",
	    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/z",
	    false, "", "", "" },
	{ "cut in the subnet", VNET "/subnets", false, "", "", "" },
	{ "more behind it", VNET "/subnets/default/x", false, "", "", "" },
	{ "slash behind it", VNET "/", false, "", "", "" },
	{ "a blank in a name",
	    "/subscriptions/s/resourceGroups/a b/providers/Microsoft.Network/virtualNetworks/v",
	    false, "", "", "" },
	{ "a line's end", VNET "\n", false, "", "", "" },
};

static void
test_parse(void **state)
{
	for (size_t i = 0; i < sizeof(vnet_cases) / sizeof(vnet_cases[0]); i++) {
		const struct vnet_case *it = &vnet_cases[i];
		struct arena           *arena = arena_new();
		struct vnet             vnet;
		struct err              err = { 0 };

		print_message("%s\n", it->name);
		assert_int_equal(vnet_parse(&vnet, arena, it->text, &err), it->good);
		assert_string_equal(vnet.id, it->id);
		assert_string_equal(vnet.subnet, it->subnet);
		assert_string_equal(vnet_name(arena, &vnet), it->words);
		assert_int_equal(err.text[0] == '\0', it->good);
		assert_int_equal(vnet_check(it->text, NULL), it->good);
		vnet = vnet_of(arena, it->text);
		assert_string_equal(vnet.id, it->id);
		arena_free(arena);
	}
}

static void
test_same(void **state)
{
	struct arena *arena = arena_new();
	struct vnet network = vnet_of(arena, VNET), subnet = vnet_of(arena, VNET "/subnets/x");
	struct vnet unknown = vnet_of(arena, NULL);
	struct vnet upper = vnet_of(arena,
	    "/subscriptions/S-1/RESOURCEGROUPS/RG-A/providers/microsoft.network/"
	    "virtualnetworks/VNET-A");
	struct vnet other = vnet_of(arena, VNET "b");

	assert_true(vnet_is_same(&network, &subnet));
	assert_true(vnet_is_same(&network, &upper));
	assert_false(vnet_is_same(&network, &other));
	assert_false(vnet_is_same(&unknown, &unknown));
	arena_free(arena);
}

static void
test_too_long(void **state)
{
	struct arena *arena = arena_new();
	char          text[1024];
	struct vnet   vnet;

	memset(text, 'v', sizeof(text));
	memcpy(text, VNET, strlen(VNET));
	text[sizeof(text) - 1] = '\0';
	assert_false(vnet_parse(&vnet, arena, text, NULL));
	assert_string_equal(vnet.id, "");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
