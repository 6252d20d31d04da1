#include "agent/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct text_case {
	const char *name, *text, *wanted;
} text_cases[] = {
	{ "nothing", "", "" },
	{ "words", "no record, asked for 3 times in 2.5 s", NULL },
	{ "account", "Contoso answers", "account-1 answers" },
	{ "account within", "xcontosoy", "xaccount-1y" },
	{ "global name", "contoso.documents.azure.com:443",
	    "account-1.documents.azure.com:443" },
	{ "region name", "contoso-westeurope.documents.azure.com.",
	    "account-1-westeurope.documents.azure.com." },
	{ "private zone", "contoso.privatelink.documents.azure.com",
	    "account-1.privatelink.documents.azure.com" },
	{ "other api", "CONTOSO.mongo.cosmos.azure.com", "account-1.mongo.cosmos.azure.com" },
	{ "what is no region", "contoso-vnet7.documents.azure.com",
	    "host-1.documents.azure.com" },
	{ "replica", "cdb-ms-prod-westeurope1-be42.documents.azure.com",
	    "host-1.documents.azure.com" },
	{ "cluster", "cdb7.westeurope.cloudapp.azure.com",
	    "host-1.westeurope.cloudapp.azure.com" },
	{ "own host", "proxy.corp.fabrikam.local:3128", "host-1.invalid:3128" },
	{ "account in an own host", "contoso.corp.local", "host-1.invalid" },
	{ "the same again", "a.corp.local b.corp.local a.corp.local",
	    "host-1.invalid host-2.invalid host-1.invalid" },
	{ "suffix alone", "*.documents.azure.com, privatelink.documents.azure.com", NULL },
	{ "makers", "see https://learn.microsoft.com/azure/cosmos-db", NULL },
	{ "files", "/etc/resolv.conf names Microsoft.DocumentDB/databaseAccounts", NULL },
	{ "private", "10.1.2.3, 192.168.7.9 and 10.1.2.3", "10.0.0.1, 10.0.0.2 and 10.0.0.1" },
	{ "public", "20.50.1.2:443 or 40.1.1.1", "203.0.113.1:443 or 203.0.113.2" },
	{ "shared", "100.64.9.9", "100.64.0.1" },
	{ "everybody's", "127.0.0.1 168.63.129.16 169.254.169.254 ::1 0.0.0.0", NULL },
	{ "version 6", "[fd12:3456::9]:443 2603:1020::5", "[fd00::0:1]:443 2001:db8::0:1" },
	{ "mapped", "::ffff:10.1.2.3 10.1.2.3", "10.0.0.1 10.0.0.1" },
	{ "address before a stop", "It is 10.1.2.3. Or fd12::9.",
	    "It is 10.0.0.1. Or fd00::0:1." },
	{ "time", "at 2026-11-23T21:04:05.678Z, 12:30:59", NULL },
	{ "version", "2.14.0 and TLSv1.3", NULL },
	{ "guid", "id 8f14e45f-ceea-467f-a9d2-0123456789ab!",
	    "id 00000000-0000-0000-0000-000000000001!" },
	{ "resource",
	    "/subscriptions/8f14e45f-ceea-467f-a9d2-0123456789ab/resourceGroups/rg-prod/"
	    "providers/Microsoft.Network/virtualNetworks/hub/subnets/data of hub",
	    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/name-1/"
	    "providers/Microsoft.Network/virtualNetworks/name-2/subnets/name-3 of name-2" },
	{ "word of its own", "pe-7 is not pe-77 nor xpe-7", "name-1 is not pe-77 nor xpe-7" },
	{ "account of an address", "contoso@10.1.2.3", "account-1@10.0.0.1" },
};

static void
test_text(void **state)
{
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *row = &text_cases[i];
		const char             *wanted = row->wanted != NULL ? row->wanted : row->text;
		struct arena           *arena = arena_new();
		struct redact          *redact = redact_new(arena);
		const char             *got;

		redact_word(redact, REDACT_ACCOUNT, "contoso");
		if (strstr(row->text, "pe-7") != NULL)
			redact_word(redact, REDACT_NAME, "pe-7");
		got = redact_text(redact, row->text);
		if (strcmp(got, wanted) != 0)
			fail_msg("%s: '%s' wanted, got '%s'", row->name, wanted, got);
		arena_free(arena);
	}
}

/* The longer word first; and nothing that stands in every text. */
static void
test_words(void **state)
{
	struct arena  *arena = arena_new();
	struct redact *redact = redact_new(arena);

	redact_word(redact, REDACT_ACCOUNT, "contoso");
	redact_word(redact, REDACT_ACCOUNT, "contoso-prod");
	redact_word(redact, REDACT_ACCOUNT, "CONTOSO");
	redact_word(redact, REDACT_NAME, "default");
	redact_word(redact, REDACT_NAME, "ab");
	redact_word(redact, REDACT_NAME, "");
	redact_word(redact, REDACT_NAME, NULL);
	assert_string_equal(redact_text(redact, "contoso-prod contoso default ab"),
	    "account-2 account-1 default ab");
	assert_string_equal(redact_text(redact, "contoso-prod-westus.documents.azure.com"),
	    "account-2-westus.documents.azure.com");
	arena_free(arena);
}

/* Many addresses: no two share a placeholder. */
static void
test_many(void **state)
{
	struct arena  *arena = arena_new();
	struct redact *redact = redact_new(arena);
	const char    *placed[700];

	for (unsigned i = 0; i < 700; i++) {
		placed[i] = redact_text(
		    redact, arena_printf(arena, "20.9.%u.%u", i / 200, i % 200));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(placed[i], placed[j]);
	}
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
