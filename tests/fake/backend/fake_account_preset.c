#include "tests/fake/backend/fake_account_preset.h"

#include <jansson.h>

enum { REPLICAS = 4 };

#define HOST(region) "contoso-" region ".documents.azure.com"

/* Some that private endpoints were seen to have, where nobody listens. */
static const uint16_t other_ports[REPLICAS] = { 21226, 30144, 42001, 3044 };

static json_t *
make_replicas(const struct fake_listeners *listeners, const char *partition)
{
	size_t  ours = fake_listeners_count(listeners, FAKE_RNTBD);
	json_t *list = json_array();

	for (size_t i = 0; i < REPLICAS; i++) {
		int port = ours > 0 ? fake_listeners_port(listeners, FAKE_RNTBD, i % ours)
		                    : other_ports[i];

		json_array_append_new(list,
		    json_pack("{s:s, s:i, s:o, s:b}", "host", HOST("westeurope"), "port", port,
		        "path",
		        json_sprintf("/apps/a/services/s/partitions/%s/replicas/%zu%s/",
		            partition, i + 1, i == 0 ? "p" : "s"),
		        "primary", i == 0));
	}
	return list;
}

static json_t *
make_place(const char *name, const char *host, int port, bool writable)
{
	return json_pack("{s:s, s:s, s:i, s:b}", "name", name, "host", host, "port", port,
	    "writable", writable);
}

static json_t *
make_databases(const struct fake_listeners *listeners)
{
	json_t *range = json_pack(
	    "{s:s, s:o}", "id", "0", "replicas", make_replicas(listeners, "p"));
	json_t *container = json_pack("{s:s, s:s, s:s, s:[o]}", "id", "c1", "rid",
	    "ZWUNALftZ78=", "partition_key", "/pk", "ranges", range);

	return json_pack(
	    "[{s:s, s:s, s:[o]}]", "id", "db1", "rid", "ZWUNAA==", "containers", container);
}

json_t *
fake_account_preset(const struct fake_listeners *listeners)
{
	uint16_t gateway = fake_listeners_port(listeners, FAKE_GATEWAY, 0);
	uint16_t thin = fake_listeners_port(listeners, FAKE_THIN, 0);
	json_t  *account = json_pack("{s:s, s:[s], s:[{s:s, s:[s], s:b}]}", "name", "contoso",
	     "keys", FAKE_PRESET_KEY, "tokens", "token", FAKE_PRESET_TOKEN, "scopes", "/",
	     "may_query", 1);

	if (gateway == 0)
		gateway = 443;
	json_object_set_new(account, "regions",
	    json_pack("[o, o]", make_place("West Europe", HOST("westeurope"), gateway, true),
	        make_place("North Europe", HOST("northeurope"), gateway, false)));
	if (thin != 0)
		json_object_set_new(account, "thin",
		    json_pack(
		        "[o]", make_place("West Europe", HOST("westeurope"), thin, true)));
	json_object_set_new(account, "master", make_replicas(listeners, "m"));
	json_object_set_new(account, "databases", make_databases(listeners));
	return json_pack("{s:[o]}", "accounts", account);
}
