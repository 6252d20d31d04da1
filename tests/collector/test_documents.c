/* The folder of documents: accounts and private endpoints come, change and go with their files. */
#include "collector/documents.h"

#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCOUNT                                                                               \
	"{\"name\":\"contoso\",\"documentEndpoint\":\"https://contoso.documents.azure.com\"," \
	"\"locations\":[{\"locationName\":\"West Europe\",\"documentEndpoint\":"              \
	"\"https://contoso-westeurope.documents.azure.com\"}]}"
#define ENDPOINT(address)                                                                 \
	"{\"id\":\"/x/pe\",\"privateLinkServiceConnections\":[{\"privateLinkServiceId\":" \
	"\"/x/databaseAccounts/contoso\"}],\"customDnsConfigs\":[{\"fqdn\":"              \
	"\"contoso.documents.azure.com\",\"ipAddresses\":[\"" address "\"]}]}"

static unsigned troubles;

static void
on_trouble(void *arg, const struct err *err)
{
	troubles++;
}

static bool
scan(struct documents *documents)
{
	return documents_scan(documents, on_trouble, NULL);
}

static void
write_file(const char *folder, const char *name, const char *text)
{
	struct arena *arena = arena_new();
	FILE         *file = fopen(arena_printf(arena, "%s/%s", folder, name), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	arena_free(arena);
}

static void
remove_file(const char *folder, const char *name)
{
	struct arena *arena = arena_new();

	assert_int_equal(unlink(arena_printf(arena, "%s/%s", folder, name)), 0);
	arena_free(arena);
}

static size_t
count_holders(const struct documents *documents, const char *text)
{
	struct addr addr;
	size_t      count;

	assert_true(addr_parse(&addr, text, 0, NULL));
	endpoint_by_address(documents_endpoints(documents), &addr, &count);
	return count;
}

static void
test_endpoints_come_and_go(void **state)
{
	char             *folder = support_dir_new();
	struct documents *documents = documents_new(folder);

	troubles = 0;
	assert_false(scan(documents));
	assert_null(documents_endpoints(documents));

	write_file(folder, "account.json", ACCOUNT);
	assert_true(scan(documents));
	assert_int_equal(documents_count(documents), 1);
	assert_null(documents_endpoints(documents));

	/* A file of endpoints alone is no account, and no trouble. */
	write_file(folder, "endpoint.json", ENDPOINT("10.1.0.4"));
	assert_true(scan(documents));
	assert_false(scan(documents));
	assert_int_equal(documents_count(documents), 1);
	assert_int_equal(count_holders(documents, "10.1.0.4"), 1);

	write_file(folder, "endpoint.json", "[" ENDPOINT("10.1.0.40") "]");
	assert_true(scan(documents));
	documents_release(documents);
	assert_int_equal(count_holders(documents, "10.1.0.4"), 0);
	assert_int_equal(count_holders(documents, "10.1.0.40"), 1);

	/* What is malformed keeps what was said before. */
	write_file(folder, "endpoint.json", "{\"customDnsConfigs\":5}");
	assert_int_equal(troubles, 0);
	assert_false(scan(documents));
	assert_int_equal(troubles, 1);
	assert_int_equal(documents_broken(documents), 1);
	assert_int_equal(count_holders(documents, "10.1.0.40"), 1);

	remove_file(folder, "endpoint.json");
	assert_true(scan(documents));
	documents_release(documents);
	assert_null(documents_endpoints(documents));
	assert_int_equal(documents_count(documents), 1);
	documents_free(documents);
	support_dir_free(folder);
}

/* Every change that was told, a line each. */
static char told[2048];

static void
on_change(void *arg, const struct documents_change *change)
{
	size_t used = strlen(told);

	assert_int_equal(change->count == 0, strstr(change->what, "gone") != NULL);
	snprintf(told + used, sizeof(told) - used, "%s (%s of '%s'): %s\n", change->id,
	    change->kind, change->account, change->what);
}

static void
assert_told(const char *lines)
{
	assert_string_equal(told, lines);
	told[0] = '\0';
}

static void
make_folder(const char *folder, const char *name)
{
	struct arena *arena = arena_new();

	assert_int_equal(mkdir(arena_printf(arena, "%s/%s", folder, name), 0700), 0);
	arena_free(arena);
}

#define ACCOUNT_TWO                                                                           \
	"{\"name\":\"contoso\",\"documentEndpoint\":\"https://contoso.documents.azure.com\"," \
	"\"locations\":[{\"locationName\":\"West Europe\",\"documentEndpoint\":"              \
	"\"https://contoso-westeurope.documents.azure.com\"},{\"locationName\":\"North "      \
	"Europe\",\"documentEndpoint\":\"https://contoso-northeurope.documents.azure.com\"}]}"
#define RECORD                                                                      \
	"{\"id\":\"/x/privateDnsZones/privatelink.documents.azure.com/A/contoso\"," \
	"\"aRecords\":[{\"ipv4Address\":\"10.1.0.4\"}]}"

/* A folder an account; each change is a version that is told once, by content. */
static void
test_versions(void **state)
{
	char             *folder = support_dir_new();
	struct documents *documents = documents_new(folder);
	size_t            count;

	told[0] = '\0';
	troubles = 0;
	documents_watch(documents, on_change, NULL);
	make_folder(folder, "contoso");
	make_folder(folder, "contoso/deeper");
	make_folder(folder, ".hidden");
	write_file(folder, "contoso/deeper/x.json", "{");
	write_file(folder, ".hidden/x.json", "{");
	write_file(folder, "contoso/account.json", ACCOUNT);
	assert_true(scan(documents));
	assert_told("contoso/account.json (account of 'contoso'): first seen: account contoso; "
	            "region West Europe\n");

	write_file(folder, "contoso/zone.json", RECORD);
	assert_true(scan(documents));
	assert_told("contoso/zone.json (zone of ''): first seen: record "
	            "contoso.privatelink.documents.azure.com\n");
	zone_find(documents_zones(documents), "privatelink.documents.azure.com", &count);
	assert_int_equal(count, 1);

	/* Written again as it was: another file, the same document. */
	remove_file(folder, "contoso/account.json");
	write_file(folder, "contoso/account.json", ACCOUNT);
	assert_false(scan(documents));
	assert_told("");

	write_file(folder, "contoso/account.json", ACCOUNT_TWO);
	assert_true(scan(documents));
	documents_release(documents);
	assert_told(
	    "contoso/account.json (account of 'contoso'): region added: North Europe\n");
	assert_int_equal(documents_find(documents, "contoso")->location_count, 2);

	write_file(folder, "contoso/account.json", "{\"name\":");
	assert_false(scan(documents));
	assert_int_equal(troubles, 1);
	assert_told("");
	assert_int_equal(documents_find(documents, "contoso")->location_count, 2);

	remove_file(folder, "contoso/zone.json");
	assert_true(scan(documents));
	assert_told("contoso/zone.json (zone of ''): the document is gone\n");
	assert_null(documents_zones(documents));
	documents_free(documents);
	support_dir_free(folder);
}

/* What an earlier run has kept is in force where the file is bad now, and is what changes are told
 * against where it is not. */
static void
test_recall(void **state)
{
	char             *folder = support_dir_new();
	struct documents *documents = documents_new(folder);

	told[0] = '\0';
	troubles = 0;
	documents_watch(documents, on_change, NULL);
	make_folder(folder, "contoso");
	documents_recall(documents, "contoso/account.json", "[", 1);
	documents_recall(documents, "contoso/account.json", ACCOUNT, strlen(ACCOUNT));
	documents_recall(documents, "gone.json", RECORD, strlen(RECORD));
	documents_recall(documents, "long_gone.json", RECORD, strlen(RECORD));
	documents_recall(documents, "long_gone.json", NULL, 0);
	write_file(folder, "contoso/account.json", "[");
	assert_true(scan(documents));
	assert_int_equal(troubles, 1);
	assert_int_equal(documents_broken(documents), 1);
	assert_int_equal(documents_count(documents), 1);
	assert_told("gone.json (zone of ''): the document is gone\n");

	write_file(folder, "contoso/account.json", ACCOUNT_TWO);
	assert_true(scan(documents));
	assert_told(
	    "contoso/account.json (account of 'contoso'): region added: North Europe\n");
	assert_int_equal(documents_broken(documents), 0);
	documents_free(documents);
	support_dir_free(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints_come_and_go),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_recall),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
