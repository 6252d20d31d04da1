#include "agent/policy.h"

#include "agent/agent_conf.h"
#include "probe/vantages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct take_case {
	const char *name, *account, *host;
	uint32_t    port;
	bool        dns_only;
	const char *refusal; /* NULL: taken */
} take_cases[] = {
	{ "global", "contoso", "contoso.documents.azure.com", 443, false, NULL },
	{ "preset port", "contoso", "contoso.documents.azure.com", 0, false, NULL },
	{ "region", "contoso", "contoso-westeurope.documents.azure.com", 443, false, NULL },
	{ "other cloud", "contoso", "contoso.documents.azure.us", 443, false, NULL },
	{ "other api", "contoso", "contoso.mongo.cosmos.azure.com", 10255, false, NULL },
	{ "later api", "contoso", "contoso.sqlx.cosmos.azure.com", 443, false, NULL },
	{ "old suffix", "contoso", "contoso.documents.usgovcloudapi.net", 443, false, NULL },
	{ "closed cloud", "contoso", "contoso.documents.cloudapi.de", 443, false,
	    "not a name of Azure Cosmos DB" },
	{ "zone, looked up", "contoso", "contoso-westus.privatelink.documents.azure.com", 443,
	    true, NULL },
	{ "own suffix", "contoso", "contoso.cosmos.test", 443, false, NULL },
	{ "zone, connected to", "contoso", "contoso-westus.privatelink.documents.azure.com",
	    443, false, "not a name of Azure Cosmos DB" },
	{ "other service", "contoso", "contoso.blob.core.windows.net", 443, false,
	    "not a name of Azure Cosmos DB" },
	{ "suffix in the middle", "contoso", "contoso.documents.azure.com.evil.test", 443,
	    false, "not a name of Azure Cosmos DB" },
	{ "suffix within a label", "contoso", "contoso.xdocuments.azure.com", 443, false,
	    "not a name of Azure Cosmos DB" },
	{ "two labels", "contoso", "contoso.secret.documents.azure.com", 443, false,
	    "not a name of Azure Cosmos DB" },
	{ "no suffix", "contoso", "contoso", 443, false, "not a name of Azure Cosmos DB" },
	{ "other account's name", "contoso", "fabrikam.documents.azure.com", 443, false,
	    "not a name of the account" },
	{ "account as a prefix", "contoso", "contoso2.documents.azure.com", 443, false,
	    "not a name of the account" },
	{ "no account", "", "contoso.documents.azure.com", 443, false,
	    "not a name of the account" },
	{ "account not allowed", "fabrikam", "fabrikam.documents.azure.com", 443, false,
	    "allow_accounts" },
	{ "port", "contoso", "contoso.documents.azure.com", 22, false, "port 22" },
	{ "characters", "contoso", "contoso_x.documents.azure.com", 443, false,
	    "not the name of an account" },
	{ "upper case", "contoso", "Contoso.documents.azure.com", 443, false,
	    "not the name of an account" },
	{ "empty", "contoso", "", 443, false, "not the name of an account" },
	{ "address", "127", "127.0.0.1", 443, false, "not a name of Azure Cosmos DB" },
};

/* A collector must not make us hammer an account, nor occupy a place for ever. */
static const struct time_case {
	uint32_t interval_ms, limit_ms;
	bool     taken;
} time_cases[] = {
	{ 0, 0, true },
	{ 1000, 300000, true },
	{ 999, 0, false },
	{ 1, 0, false },
	{ 0, 300001, false },
	{ 0, UINT32_MAX, false },
};

static void
test_times(void **state)
{
	struct agent_conf conf = { .ports = { 443 }, .port_count = 1 };
	struct err        err;

	for (size_t i = 0; i < sizeof(time_cases) / sizeof(time_cases[0]); i++) {
		const struct time_case *row = &time_cases[i];
		struct target           target = { .account = "contoso",
			          .host = "contoso.documents.azure.com",
			          .interval_ms = row->interval_ms,
			          .limit_ms = row->limit_ms };

		if (policy_takes(&conf, &target, &err) != row->taken)
			fail_msg(
			    "%u, %u: taken %d", row->interval_ms, row->limit_ms, !row->taken);
		if (!row->taken)
			assert_non_null(strstr(err.text, "wanted"));
	}
}

/* What there is no probe for would be a mistake of ours further on. */
static void
test_apis_and_modes(void **state)
{
	struct agent_conf conf = { .ports = { 443 }, .port_count = 1 };
	struct err        err;

	for (uint32_t api = 0; api <= API_COUNT; api++) {
		for (uint32_t mode = 0; mode <= MODE_COUNT; mode++) {
			struct target target = { .account = "contoso",
				.host = "contoso.documents.azure.com",
				.api = api,
				.mode = mode };
			bool          is_known = mode < MODE_COUNT && api < API_COUNT &&
			    (api == API_SQL || mode == MODE_GATEWAY);

			assert_int_equal(policy_takes(&conf, &target, &err), is_known);
			if (!is_known)
				assert_non_null(strstr(err.text, "no probe for the API"));
		}
	}
}

static void
test_takes(void **state)
{
	const char       *patterns[] = { "contoso*", "127" };
	const char       *suffixes[] = { ".cosmos.test" };
	struct agent_conf conf = { .allow_accounts = { patterns, 2 },
		.suffixes = { suffixes, 1 },
		.ports = { 443, 10255 },
		.port_count = 2 };
	struct err        err;

	for (size_t i = 0; i < sizeof(take_cases) / sizeof(take_cases[0]); i++) {
		const struct take_case *row = &take_cases[i];
		struct target           target = { .account = row->account,
			          .host = row->host,
			          .port = row->port,
			          .dns_only = row->dns_only };
		bool                    taken = policy_takes(&conf, &target, &err);

		if (taken != (row->refusal == NULL))
			fail_msg("%s: taken %d", row->name, taken);
		if (!taken && strstr(err.text, row->refusal) == NULL)
			fail_msg("%s: '%s' wanted in '%s'", row->name, row->refusal, err.text);
	}
	conf.allow_accounts.count = 0;
	assert_true(policy_takes(&conf,
	    &(struct target){ .account = "fabrikam", .host = "fabrikam.documents.azure.cn" },
	    &err));
}

static const struct allow_case {
	const char *address;
	bool        agent, loopback, by_hand; /* agent; agent with allow_loopback; check */
} allow_cases[] = {
	{ "10.1.0.5:443", true, true, true },
	{ "20.50.1.2:443", true, true, true },
	{ "100.64.1.1:443", true, true, true },
	{ "203.0.113.9:443", true, true, true },
	{ "[fd00::5]:443", true, true, true },
	{ "127.0.0.1:443", false, true, true },
	{ "127.9.9.9:443", false, true, true },
	{ "[::1]:443", false, true, true },
	{ "[::ffff:127.0.0.1]:443", false, true, true },
	{ "169.254.169.254:80", false, false, false },
	{ "169.254.169.254:443", false, false, false },
	{ "[::ffff:169.254.169.254]:443", false, false, false },
	{ "[fe80::1]:443", false, false, false },
	/* The same behind a translator: the address of version 4 is inside. */
	{ "[64:ff9b::a9fe:a9fe]:443", false, false, false },
	{ "[64:ff9b::7f00:1]:443", false, true, true },
	{ "[64:ff9b::a00:5]:443", true, true, true },
	{ "[2002:a9fe:a9fe::1]:443", false, false, false },
	{ "[::a9fe:a9fe]:443", false, false, false },
	{ "[64:ff9b::a83f:8110]:443", false, false, false },
	{ "168.63.129.16:53", true, true, true },
	{ "168.63.129.16:80", false, false, false },
	{ "168.63.129.16:32526", false, false, false },
	{ "224.0.0.1:443", false, false, false },
	{ "255.255.255.255:443", false, false, false },
	{ "0.0.0.0:443", false, false, false },
	{ "[::]:443", false, false, false },
	{ "[ff02::1]:443", false, false, false },
	/* Our resolver, which the local file names. */
	{ "127.0.0.1:5300", true, true, true },
	{ "169.254.20.10:53", true, true, true },
};

static void
test_allows(void **state)
{
	struct vantages   vantages = { .count = 2 };
	struct agent_conf conf = { .vantages = &vantages };
	struct err        err;

	assert_true(addr_parse(&vantages.list[0].resolver, "127.0.0.1:5300", 53, &err));
	assert_true(addr_parse(&vantages.list[1].resolver, "169.254.20.10", 53, &err));
	for (size_t i = 0; i < sizeof(allow_cases) / sizeof(allow_cases[0]); i++) {
		const struct allow_case *row = &allow_cases[i];
		struct addr              peer;

		assert_true(addr_parse(&peer, row->address, 0, &err));
		conf.allow_loopback = false;
		if (policy_allows(&conf, &peer) != row->agent)
			fail_msg("%s: agent, %d wanted", row->address, row->agent);
		conf.allow_loopback = true;
		if (policy_allows(&conf, &peer) != row->loopback)
			fail_msg("%s: loopback, %d wanted", row->address, row->loopback);
		if (policy_allows_by_hand(NULL, &peer) != row->by_hand)
			fail_msg("%s: by hand, %d wanted", row->address, row->by_hand);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes),
		cmocka_unit_test(test_apis_and_modes),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
