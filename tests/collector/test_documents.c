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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_endpoints_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
