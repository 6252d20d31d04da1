/* Which ids may become part of a URL that our token goes to, and which hosts it may go to. */
#include "collector/sync_choice.h"

#include "base/arena.h"
#include "collector/sync_cloud.h"
#include "collector/sync_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define TYPE "/providers/Microsoft.Network/privateEndpoints/"

static const struct id_case {
	const char *name, *id;
	bool        good;
} id_cases[] = {
	{ "as it comes", "/subscriptions/s-1/resourceGroups/rg_(x).y" TYPE "pe-1", true },
	{ "in another case",
	    "/SUBSCRIPTIONS/s/resourcegroups/rg/providers/microsoft.network/PRIVATEENDPOINTS/"
	    "pe",
	    true },
	{ "of another type", "/subscriptions/s/providers/Microsoft.Network/privateDnsZones/z",
	    false },
	{ "with something behind it", "/subscriptions/s" TYPE "pe/x", false },
	{ "without a name", "/subscriptions/s" TYPE, false },
	{ "with a question", "/subscriptions/s" TYPE "pe?x=1", false },
	{ "with a fragment", "/subscriptions/s" TYPE "pe#x", false },
	{ "that climbs", "/subscriptions/../x" TYPE "pe", false },
	{ "with an escape", "/subscriptions/s%2f" TYPE "pe", false },
	{ "with a user", "@evil/subscriptions/s" TYPE "pe", false },
	{ "of another host", "//evil/subscriptions/s" TYPE "pe", false },
	{ "with a line end", "/subscriptions/s" TYPE "pe\r\nX: y", false },
	{ "empty", "", false },
};

static void
test_ids(void **state)
{
	for (size_t i = 0; i < sizeof(id_cases) / sizeof(id_cases[0]); i++) {
		print_message("%s\n", id_cases[i].name);
		assert_int_equal(sync_choice_is_id(id_cases[i].id, TYPE), id_cases[i].good);
	}
	assert_true(sync_choice_is_account("/subscriptions/s/resourceGroups/g/providers/"
	                                   "Microsoft.DocumentDb/databaseaccounts/Contoso"));
	/* Its name is that of a folder. */
	assert_false(sync_choice_is_account("/subscriptions/s/resourceGroups/g/providers/"
	                                    "Microsoft.DocumentDb/databaseaccounts/a.b"));
	assert_false(sync_choice_is_account("contoso"));
}

static const struct origin_case {
	const char *left, *right;
	bool        same;
} origin_cases[] = {
	{ "https://management.azure.com", "https://management.azure.com/x?y", true },
	{ "https://management.azure.com:443/", "https://Management.Azure.com/x", true },
	{ "https://management.azure.com", "https://management.azure.com:8443/x", false },
	{ "https://management.azure.com", "http://management.azure.com/x", false },
	{ "https://management.azure.com", "https://management.azure.com.evil.example/x",
	    false },
	{ "https://management.azure.com", "https://management.azure.com@evil.example/x",
	    false },
	{ "https://management.azure.com", "https://x@management.azure.com/", false },
	{ "https://management.azure.com", "https://evil.example/management.azure.com", false },
	{ "https://management.azure.com", "/x", false },
	{ "https://management.azure.com", "", false },
};

static void
test_origins(void **state)
{
	for (size_t i = 0; i < sizeof(origin_cases) / sizeof(origin_cases[0]); i++) {
		print_message("%s\n", origin_cases[i].right);
		assert_int_equal(
		    sync_http_same_origin(origin_cases[i].left, origin_cases[i].right),
		    origin_cases[i].same);
	}
}

static void
test_clouds(void **state)
{
	struct err err;

	assert_string_equal(sync_cloud_find("azureusgovernmentcloud", &err)->resource_manager,
	    "https://management.usgovcloudapi.net");
	assert_string_equal(sync_cloud_find("AzureChinaCloud", &err)->audience,
	    "https://management.core.chinacloudapi.cn/");
	assert_null(sync_cloud_find("AzureGermanCloud", &err));
	assert_non_null(strstr(err.text, "--resource-manager"));
}

/* Two groups may have one name; no name leads out of the folder. */
static void
test_file_names(void **state)
{
	struct arena *arena = arena_new();
	const char   *one = sync_folder_name(arena, "endpoint", "/a/PE-1");

	assert_int_equal(strncmp(one, "endpoint-pe-1-", 14), 0);
	assert_string_equal(one, sync_folder_name(arena, "endpoint", "/A/pe-1"));
	assert_string_not_equal(one, sync_folder_name(arena, "endpoint", "/b/pe-1"));
	one = sync_folder_name(arena, "zone", "/x/../..\n(a b)");
	assert_null(strpbrk(one, "/\n ()"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_clouds),
		cmocka_unit_test(test_file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
