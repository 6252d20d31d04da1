#include "collector/collector_conf.h"

#include "analyze/apis.h"
#include "analyze/modes.h"
#include "analyze/vnet.h"
#include "proto/record.h"
#include "base/clock.h"
#include "base/net.h"
#include "collector/doorkeeper.h"
#include "collector/sync_plan.h"

#include <string.h>

#define AT(member) offsetof(struct collector_conf, member)

enum { LISTEN_PORT = 8643, PAGE_PORT = 8640 };

/* Asked while the file is read, so that a refusal has line and column. */
static bool
check_listen(const char *text, struct err *err)
{
	struct addr addr;

	return addr_parse_listen(&addr, text, LISTEN_PORT, err);
}

static bool
check_page(const char *text, struct err *err)
{
	struct addr addr;

	return addr_parse_listen(&addr, text, PAGE_PORT, err);
}

static bool
check_page_name(const char *text, struct err *err)
{
	return doorkeeper_is_name(text) ||
	    err_set(err, ERR_USAGE,
	        "'%.80s': a name or address wanted, as it stands between https:// and the port",
	        text);
}

static bool
check_proxy(const char *text, struct err *err)
{
	struct net net;

	return net_parse(&net, text, err);
}

static bool
check_mode(const char *text, struct err *err)
{
	unsigned flags = 0;

	return modes_add(&flags, text, err);
}

static bool
check_api(const char *text, struct err *err)
{
	unsigned flags = 0;

	return apis_add(&flags, text, err);
}

static bool
check_auth(const char *text, struct err *err)
{
	enum gate_mode mode;

	return gate_mode_parse(&mode, text, err);
}

static bool
check_hysteresis(const char *text, struct err *err)
{
	struct hysteresis rule;

	return hysteresis_parse(&rule, text, err);
}

static bool
check_plan(const void *entry, struct err *err)
{
	const struct sync_plan *plan = entry;

	if (*plan->subscription == '\0' && plan->accounts.count == 0)
		return err_set(err, ERR_USAGE, "accounts or a subscription wanted");
	if (*plan->group != '\0' && *plan->subscription == '\0')
		return err_set(err, ERR_USAGE, "resource_group: subscription wanted with it");
	if (*plan->token_file != '\0' && *plan->client_id != '\0')
		return err_set(err, ERR_USAGE, "token_file and client_id: one of them wanted");
	return true;
}

#define NETWORK(member) offsetof(struct board_network, member)

/* clang-format off */
static const struct conf_row network_rows[] = {
	{ "name", CONF_TEXT, NETWORK(name), .preset = NULL,
	    .help = "as an agent's setting `network`, or its token, names it; '*' stands for anything: vnet-a/*" },
	{ "vnet", CONF_TEXT, NETWORK(vnet), .preset = NULL,
	    .help = "resource id of the virtual network, or of its subnet",
	    .check = vnet_check },
	{ 0 },
};
/* clang-format on */

#define PLAN(member) offsetof(struct sync_plan, member)

/* clang-format off */
static const struct conf_row plan_rows[] = {
	{ "subscription", CONF_TEXT, PLAN(subscription), .preset = "",
	    .help = "id of the subscription whose accounts are fetched" },
	{ "resource_group", CONF_TEXT, PLAN(group), .preset = "",
	    .help = "only those of this group in it" },
	{ "accounts", CONF_TEXTS, PLAN(accounts), 0, 1000, "",
	    .help = "resource ids of accounts, or their names in the subscription; empty: all of it" },
	{ "token_file", CONF_PATH, PLAN(token_file), .preset = "",
	    .help = "a file with an access token; empty: a workload identity where AZURE_FEDERATED_TOKEN_FILE is set, else the managed identity of this machine" },
	{ "client_id", CONF_TEXT, PLAN(client_id), .preset = "",
	    .help = "which managed identity, where the machine has several" },
	{ "cloud", CONF_TEXT, PLAN(cloud), .preset = "",
	    .help = "AzureCloud, AzureUSGovernment or AzureChinaCloud; empty: the first" },
	{ "resource_manager", CONF_TEXT, PLAN(resource_manager), .preset = "",
	    .help = "https:// URL of that of another cloud" },
	{ "authority", CONF_TEXT, PLAN(authority), .preset = "",
	    .help = "https:// URL of who gives tokens to a workload identity there" },
	{ "audience", CONF_TEXT, PLAN(audience), .preset = "",
	    .help = "what its tokens are for; empty: the resource manager" },
	{ "ca_file", CONF_PATH, PLAN(ca_file), .preset = "",
	    .help = "PEM file of roots to trust; empty: the system's" },
	{ 0 },
};

const struct conf_row collector_conf_rows[] = {
	{ "listen", CONF_TEXT, AT(listen), .preset = "0.0.0.0:8643",
	    .help = "address and port for the agents, always TLS; port 0: a free one",
	    .check = check_listen },
	{ "certificate", CONF_PATH, AT(certificate), .preset = NULL,
	    .help = "PEM file of the certificate that the agents see, leaf first" },
	{ "key", CONF_PATH, AT(key), .preset = NULL,
	    .help = "PEM file of its key; the collector's user, and nobody else, should be able to "
	            "read it" },
	{ "auth", CONF_TEXT, AT(auth), .preset = "both",
	    .help = "what agents show: certificate, token, or both, the one or the other",
	    .check = check_auth },
	{ "client_ca", CONF_PATH, AT(client_ca), .preset = "",
	    .help = "PEM file of an authority of yours whose certificates agents may show, beside the collector's own; empty: none" },
	{ "client_crl", CONF_PATH, AT(client_crl), .preset = "",
	    .help = "PEM file of the revocation lists of that authority, and of those below it that sign for agents; read again when it changes; empty: only `agents revoke` counts" },
	{ "certificate_life", CONF_MS, AT(life_ms), 10 * MS_PER_S, 366 * MS_PER_DAY, "7d",
	    .help = "of a certificate that an agent gets; it is renewed at two thirds of it" },
	{ "renewal_grace", CONF_MS, AT(grace_ms), 0, 366 * MS_PER_DAY, "0s",
	    .help = "so long after its end a certificate may still be renewed, and do nothing else: for machines that are turned off for longer" },
	{ "page", CONF_TEXT, AT(page), .preset = "127.0.0.1:8640",
	    .help = "address and port of the page, the API and /metrics: on loopback plain HTTP for who is on this machine; elsewhere TLS, and nobody without a login: `user add`, `token create --reader`",
	    .check = check_page },
	{ "page_certificate", CONF_PATH, AT(page_certificate), .preset = "",
	    .help = "PEM file of the certificate that browsers see there, leaf first; empty: that of the agents" },
	{ "page_key", CONF_PATH, AT(page_key), .preset = "",
	    .help = "PEM file of its key" },
	{ "page_names", CONF_TEXTS, AT(page_names), 0, 32, "",
	    .help = "names by which people ask for the page, beside its address, localhost, and those of the certificate that it shows",
	    .check = check_page_name },
	{ "page_proxies", CONF_TEXTS, AT(page_proxies), 0, DOORKEEPER_PROXIES_MAX, "",
	    .help = "addresses or networks of the proxies that end TLS in front of the page: then it is plain HTTP, answers them alone, asks for a login also on loopback, and takes the last address of their X-Forwarded-For for the visitor's",
	    .check = check_proxy },
	{ "page_login", CONF_BOOL, AT(page_login), .preset = "false",
	    .help = "ask for a login on loopback as well; elsewhere it is always asked for" },
	{ "store", CONF_TEXT, AT(store), .preset = "sqlite:/var/lib/plprobe-collector/store.db",
	    .help = "sqlite:PATH, or memory: which forgets at the end" },
	{ "state_dir", CONF_PATH, AT(state_dir), .preset = "/var/lib/plprobe-collector",
	    .help = "folder of the tokens, of who is enrolled, and of the authority for agents: keep a copy" },
	{ "accounts_dir", CONF_PATH, AT(accounts_dir), .preset = "",
	    .help = "folder of *.json documents of accounts, private endpoints, connections, zones and their links as `az` prints them, or of folders of them; read again when they change" },
	{ "networks", CONF_LIST, AT(networks), 0, 1000, "",
	    .help = "which virtual network the agents of a network are in, so that it can be said which zones they see; the first that fits counts, and comes before an agent's own setting `vnet`",
	    .rows = network_rows, .row_bytes = sizeof(struct board_network) },
	{ "sync", CONF_LIST, AT(sync), 0, 100, "",
	    .help = "what `accounts sync` fetches from the Azure Resource Manager into accounts_dir, which has to be writable then",
	    .rows = plan_rows, .row_bytes = sizeof(struct sync_plan),
	    .check_entry = check_plan },
	{ "sync_interval", CONF_MS, AT(sync_ms), 0, 7 * MS_PER_DAY, "0",
	    .help = "how often it is fetched while the collector runs, 1m or more; 0: only by `accounts sync`" },
	{ "apis", CONF_TEXTS, AT(api_texts), 0, API_COUNT, "",
	    .help = "APIs to test: sql, mongodb, cassandra, gremlin, table; empty: what each document tells",
	    .check = check_api },
	{ "modes", CONF_TEXTS, AT(mode_texts), 1, 3, "gateway",
	    .help = "connection modes to test: gateway, direct, gateway-v2; for direct an agent needs a way to the replicas' addresses, its setting `access`",
	    .check = check_mode },
	{ "interval", CONF_MS, AT(interval_ms), 1000, MS_PER_DAY, "60s",
	    .help = "between two measurements of one name, for agents without accounts of their own" },
	{ "direct_interval", CONF_MS, AT(direct_ms), 10 * MS_PER_S, MS_PER_DAY, "5m",
	    .help = "the same in the modes direct and gateway-v2" },
	{ "timeout", CONF_MS, AT(limit_ms), 100, 5 * MS_PER_MIN, "10s",
	    .help = "for one measurement, for the same agents" },
	{ "sweep", CONF_BOOL, AT(sweep), .preset = "true",
	    .help = "ask also for the names of regions that no document configures" },
	{ "retention", CONF_MS, AT(retention_ms), 8 * MS_PER_DAY, 3650 * MS_PER_DAY, "14d",
	    .help = "what is older is forgotten, and refused when it comes; more than an agent's spool_age" },
	{ "silent_after", CONF_MS, AT(silent_ms), 1000, MS_PER_DAY, "5m",
	    .help = "an agent that said nothing for so long is silent, and what it saw is unknown; several times the interval" },
	{ "confirm_critical", CONF_TEXT, AT(confirm_critical), .preset = "2 of 3",
	    .help = "so many bad looks of the newest so many confirm a critical finding; before that nobody is called",
	    .check = check_hysteresis },
	{ "confirm_warning", CONF_TEXT, AT(confirm_warning), .preset = "3 of 5",
	    .help = "the same for warnings",
	    .check = check_hysteresis },
	{ "close_after", CONF_NUMBER, AT(close_after), 1, HYSTERESIS_LOOKS, "2",
	    .help = "so many good looks in a row close a finding" },
	{ "connections", CONF_NUMBER, AT(connections), 1, 100000, "2048",
	    .help = "agents connected at once, for 10,000 of them say 12000; who comes later waits, or takes the place of who has not shown who it is" },
	{ "address_connections", CONF_NUMBER, AT(address_connections), 0, 100000, "0",
	    .help = "those of one address (of one /64 in IPv6), at a time, and begun in a minute; 0: half of `connections`" },
	{ "log_level", CONF_TEXT, AT(log_level), .preset = "info",
	    .help = "debug, info, warn or error",
	    .check = log_level_check },
	{ "log_format", CONF_TEXT, AT(log_format), .preset = "logfmt",
	    .help = "logfmt or json",
	    .check = log_format_check },
	{ 0 },
};
/* clang-format on */

static void
settle_page(struct collector_conf *conf)
{
	bool outside = addr_class(&conf->page_at) != ADDR_LOOPBACK;
	bool proxied = conf->page_proxies.count > 0;

	conf->page_guarded = outside || proxied || conf->page_login;
	conf->page_plain = !outside || proxied;
}

bool
collector_conf_check(struct collector_conf *conf, struct arena *arena, struct err *err)
{
	if (!addr_parse_listen(&conf->listen_at, conf->listen, LISTEN_PORT, err))
		return err_in(err, "listen");
	if (!addr_parse_listen(&conf->page_at, conf->page, PAGE_PORT, err))
		return err_in(err, "page");
	if (!log_level_parse(&conf->level, conf->log_level, err))
		return err_in(err, "log_level");
	if (!log_format_parse(&conf->format, conf->log_format, err))
		return err_in(err, "log_format");
	if (!hysteresis_parse(&conf->rules.critical, conf->confirm_critical, err))
		return err_in(err, "confirm_critical");
	if (!hysteresis_parse(&conf->rules.warning, conf->confirm_warning, err))
		return err_in(err, "confirm_warning");
	conf->rules.critical.good = conf->rules.warning.good = (unsigned)conf->close_after;
	conf->modes = 0;
	for (size_t i = 0; i < conf->mode_texts.count; i++) {
		if (!modes_add(&conf->modes, conf->mode_texts.texts[i], err))
			return err_in(err, "modes");
	}
	for (size_t i = 0; i < conf->api_texts.count; i++) {
		if (!apis_add(&conf->modes, conf->api_texts.texts[i], err))
			return err_in(err, "apis");
	}
	if (conf->sync_ms != 0 && conf->sync_ms < MS_PER_MIN)
		return err_set(err, ERR_USAGE, "sync_interval: 0, or 1m or more wanted");
	if (conf->sync_ms != 0 && conf->sync.count == 0)
		return err_set(err, ERR_USAGE, "sync_interval: there is nothing in `sync`");
	if (conf->sync.count > 0 && *conf->accounts_dir == '\0')
		return err_set(err, ERR_USAGE, "sync: accounts_dir wanted, where it is put");
	if (conf->silent_ms < conf->interval_ms)
		return err_set(err, ERR_USAGE,
		    "silent_after: shorter than the interval, every agent would be silent "
		    "between two measurements");
	if (*conf->client_crl != '\0' && *conf->client_ca == '\0')
		return err_set(err, ERR_USAGE, "client_crl: client_ca wanted with it");
	if ((*conf->page_certificate == '\0') != (*conf->page_key == '\0'))
		return err_set(
		    err, ERR_USAGE, "page_certificate and page_key: both wanted, or neither");
	if (!gate_mode_parse(&conf->gate, conf->auth, err))
		return err_in(err, "auth");
	conf->roster = arena_printf(arena, "%s/roster", conf->state_dir);
	conf->ca = arena_printf(arena, "%s/ca.pem", conf->state_dir);
	conf->readers = arena_printf(arena, "%s/readers", conf->state_dir);
	conf->page_socket = arena_printf(arena, "%s/page.sock", conf->state_dir);
	settle_page(conf);
	conf->tokens = arena_printf(arena, "%s/tokens", conf->state_dir);
	return true;
}

bool
collector_conf_read(
    struct collector_conf *conf, struct arena *arena, const char *path, struct err *err)
{
	const char *file = path != NULL ? path : COLLECTOR_CONF_FILE;

	if (!conf_read(conf, collector_conf_rows, arena, file,
	        path == NULL ? COLLECTOR_CONF_FOLDER : NULL, err))
		return false;
	if (!collector_conf_check(conf, arena, err))
		return err_in(err, "%s", file);
	return true;
}
