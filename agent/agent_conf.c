#include "agent/agent_conf.h"

#include "agent/access.h"
#include "agent/imds.h"
#include "agent/policy_file.h"
#include "agent/secret_file.h"
#include "analyze/apis.h"
#include "analyze/modes.h"
#include "analyze/region.h"
#include "analyze/vnet.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "probe/direct.h"
#include "probe/swept.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct agent_conf, member)

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

enum { TOKEN_BYTES_MAX = 512 };

/* Asked while the file is read, so that a refusal has line and column. */
static bool
check_server(const char *text, struct err *err)
{
	struct addr addr;

	return addr_parse(&addr, text, 53, err);
}

static bool
check_source(const char *text, struct err *err)
{
	return text[0] == '\0' || check_server(text, err);
}

static bool
check_region(const char *text, struct err *err)
{
	char label[REGION_LABEL_ROOM];

	return region_label_parse(label, text, err);
}

static bool
read_port(uint16_t *port, const char *text, struct err *err)
{
	char *end;
	long  number = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > 65535)
		return err_set(err, ERR_PARSE, "'%s': a number from 1 to 65535 wanted", text);
	*port = (uint16_t)number;
	return true;
}

static bool
check_port(const char *text, struct err *err)
{
	uint16_t port;

	return read_port(&port, text, err);
}

/* What stands in the URL is logged: a password there would be, too. */
bool
agent_conf_check_collector(const char *url, struct err *err)
{
	static const char scheme[] = "https://";
	const char       *host = url + strlen(scheme);

	if (url[0] == '\0')
		return true;
	if (strchr(url, '@') != NULL)
		return err_set(err, ERR_USAGE,
		    "an URL without user and password wanted; the secret is in 'token_file'");
	if (!text_starts_nocase(url, scheme))
		return err_set(
		    err, ERR_USAGE, "'%s': an URL that begins with https:// wanted", url);
	if (strchr("/:?#", host[0]) != NULL || strpbrk(host, "?# \t") != NULL)
		return err_set(err, ERR_USAGE, "'%s': https://host:port wanted", url);
	return true;
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

/* http:// and a host, no more; what stands in it is logged. */
static bool
check_http(const char *url, const char *wanted, struct err *err)
{
	static const char scheme[] = "http://";
	const char       *host = url + strlen(scheme);

	if (strchr(url, '@') != NULL)
		return err_set(err, ERR_USAGE, "an URL without user and password wanted");
	if (!text_starts_nocase(url, scheme) || strchr(":/", host[0]) != NULL ||
	    strpbrk(host, "/?# \t") != NULL)
		return err_set(err, ERR_USAGE, "'%.200s': %s wanted", url, wanted);
	return true;
}

static bool
check_imds(const char *url, struct err *err)
{
	return check_http(url, "http://host or http://host:port", err);
}

static bool
check_proxy(const char *url, struct err *err)
{
	static const char wanted[] = "http://host:port";
	const char       *colon;
	uint16_t          port;

	if (url[0] == '\0')
		return true;
	if (!check_http(url, wanted, err))
		return false;
	colon = strrchr(url, ':');
	if (colon[1] == '/' || !read_port(&port, colon + 1, NULL))
		return err_set(err, ERR_USAGE, "'%.200s': %s wanted", url, wanted);
	return true;
}

static const struct conf_row account_rows[] = {
	{ "document", CONF_PATH, offsetof(struct agent_account, document), .preset = "",
	    .help = "file with the output of `az cosmosdb show`" },
	{ "name", CONF_TEXT, offsetof(struct agent_account, name), .preset = "",
	    .help = "account name, where there is no document" },
	{ 0 },
};

/* clang-format off */
const struct conf_row agent_conf_rows[] = {
	{ "agent", CONF_TEXT, AT(agent), .preset = "",
	    .help = "id of this agent, the one its certificate or token was made for; empty: the host name" },
	{ "network", CONF_TEXT, AT(network), .preset = "",
	    .help = "this machine's place as you name it, for example vnet-a/default" },
	{ "vnet", CONF_TEXT, AT(vnet), .preset = "",
	    .help = "resource id of the virtual network that this machine is in, or of its subnet; empty: the collector's `networks` may tell",
	    .check = vnet_check },

	{ "collector", CONF_TEXT, AT(collector), .preset = "",
	    .help = "https://host:port of the collector; empty: results stay in the spool",
	    .check = agent_conf_check_collector },
	{ "collector_ca", CONF_PATH, AT(collector_ca), .preset = "",
	    .help = "PEM file of the collector's authority; empty: what `plprobe enroll` was told by its token, or the system's roots" },
	{ "token_file", CONF_PATH, AT(token_file), .preset = "",
	    .help = "file with the token, mode 0600, where `plprobe enroll` has given no certificate; empty: systemd's credential `token`" },

	{ "state_dir", CONF_PATH, AT(state_dir), .preset = "/var/lib/plprobe",
	    .help = "folder of the spool, of the last assignment, and of identity.pem" },
	{ "flush", CONF_MS, AT(flush_ms), 0, 10 * MS_PER_MIN, "1s",
	    .help = "results older than this survive a power cut; 0s: each one is synced" },
	{ "seal_age", CONF_MS, AT(seal_age_ms), 100, MS_PER_HOUR, "60s",
	    .help = "a batch is sent after this, or when it is 64KiB" },
	{ "spool_limit", CONF_BYTES, AT(spool_bytes), MIB, 1024 * GIB, "64MiB",
	    .help = "beyond this the oldest results are dropped, and said to be" },
	{ "spool_age", CONF_MS, AT(spool_age_ms), MS_PER_MIN, 14 * MS_PER_DAY, "7d",
	    .help = "results older than this are dropped, and said to be" },
	{ "assignment_interval", CONF_MS, AT(assignment_ms), 1000, MS_PER_DAY, "60s",
	    .help = "between two looks for a new assignment" },

	{ "interval", CONF_MS, AT(interval_ms), 1000, MS_PER_DAY, "60s",
	    .help = "between two measurements of one name" },
	{ "timeout", CONF_MS, AT(limit_ms), 100, 5 * MS_PER_MIN, "10s",
	    .help = "for one measurement, from first question to last byte" },
	{ "in_flight", CONF_NUMBER, AT(in_flight), 1, 512, "64",
	    .help = "probes running at once; the others wait" },
	{ "resolvers", CONF_TEXTS, AT(resolver_texts), 0, AGENT_RESOLVERS_MAX, "",
	    .help = "DNS servers to ask, address or address:port; empty: /etc/resolv.conf",
	    .check = check_server },
	{ "outside_resolvers", CONF_TEXTS, AT(outside_texts), 0, AGENT_OUTSIDE_MAX, "",
	    .help = "DNS servers outside of this network, address or address:port: is the public address that they give refused? empty: nobody asks",
	    .check = check_server },
	{ "azure_dns", CONF_BOOL, AT(azure_dns), .preset = "false",
	    .help = "ask 168.63.129.16 too; without `resolvers` an Azure VM always does" },
	{ "dns_tcp", CONF_BOOL, AT(dns_tcp), .preset = "false",
	    .help = "ask each DNS server over TCP as well, and compare" },
	{ "ca_file", CONF_PATH, AT(ca_file), .preset = "",
	    .help = "PEM file of the roots for measured names; empty: the system's roots" },
	{ "source", CONF_TEXT, AT(source_text), .preset = "",
	    .help = "local address to measure from; empty: the kernel chooses",
	    .check = check_source },
	{ "accounts", CONF_LIST, AT(accounts), 0, 1000, "",
	    .help = "accounts to measure; empty: what the collector assigns",
	    .rows = account_rows, .row_bytes = sizeof(struct agent_account) },
	{ "apis", CONF_TEXTS, AT(api_texts), 0, API_COUNT, "",
	    .help = "APIs of `accounts`: sql, mongodb, cassandra, gremlin, table; empty: what a document tells, and sql without one",
	    .check = check_api },
	{ "modes", CONF_TEXTS, AT(mode_texts), 1, MODE_COUNT, "gateway",
	    .help = "how `accounts` are measured: gateway, direct, gateway-v2",
	    .check = check_mode },
	{ "direct_interval", CONF_MS, AT(direct_ms), 1000, MS_PER_DAY, "5m",
	    .help = "between two measurements of one name by direct or gateway-v2" },
	{ "replicas_max", CONF_NUMBER, AT(replicas_max), 1, DIRECT_REPLICAS_MAX, "16",
	    .help = "replicas that are tried in one measurement" },
	{ "access", CONF_LIST, AT(access), 0, 1000, "",
	    .help = "what accounts are asked with beyond an unsigned request",
	    .rows = access_rows, .row_bytes = sizeof(struct access),
	    .check_entry = access_check },
	{ "imds", CONF_TEXT, AT(imds), .preset = IMDS_URL,
	    .help = "the instance metadata service, which gives tokens of managed identities",
	    .check = check_imds },
	{ "proxy", CONF_TEXT, AT(proxy), .preset = "",
	    .help = "http://host:port for requests to gateways; empty: none, whatever the environment says",
	    .check = check_proxy },
	{ "sweep", CONF_BOOL, AT(sweep), .preset = "true",
	    .help = "look for names of regions that are not configured" },
	{ "sweep_rate", CONF_NUMBER, AT(sweep_rate), 1, SWEPT_PACE_MAX, "100",
	    .help = "questions a second to each DNS server when it looks for those" },
	{ "regions", CONF_TEXTS, AT(region_texts), 0, 100, "",
	    .help = "regions to look for that are newer than this program: 'West Europe 2'",
	    .check = check_region },

	{ "allow_accounts", CONF_TEXTS, AT(allow_accounts), 0, 1000, "",
	    .help = "patterns of account names that may be measured; empty: all" },
	{ "suffixes", CONF_TEXTS, AT(suffixes), 0, 100, "",
	    .help = "suffixes of names that may be measured, beside those of Azure's clouds; each API has its own: documents.azure.example, mongo.cosmos.azure.example" },
	{ "ports", CONF_TEXTS, AT(port_texts), 0, AGENT_PORTS_MAX, "",
	    .help = "ports that may be connected to; empty: those of Cosmos DB's APIs",
	    .check = check_port },
	{ "allow_loopback", CONF_BOOL, AT(allow_loopback), .preset = "false",
	    .help = "let measured names answer 127.0.0.1; for tests only" },
	{ "policy", CONF_PATH, AT(policy_path), .preset = POLICY_FILE,
	    .help = "file of root's that narrows all this further; none is needed at the usual place" },

	{ "status_socket", CONF_PATH, AT(status_socket), .preset = AGENT_CONF_SOCKET,
	    .help = "where `plprobe status` asks; empty: nobody can" },
	{ "log_level", CONF_TEXT, AT(log_level_text), .preset = "info",
	    .help = "debug, info, warn or error",
	    .check = log_level_check },
	{ "log_format", CONF_TEXT, AT(log_format_text), .preset = "logfmt",
	    .help = "logfmt or json",
	    .check = log_format_check },
	{ 0 },
};
/* clang-format on */

/* 443, and those of the other APIs [cosmos-private-endpoints]. */
static const uint16_t ports_preset[] = { 443, 10250, 10255, 10256, 10260, 10350 };

static bool
fill_resolvers(struct agent_conf *conf, struct err *err)
{
	conf->resolver_count = conf->resolver_texts.count;
	for (size_t i = 0; i < conf->resolver_count; i++) {
		if (!addr_parse(&conf->resolvers[i], conf->resolver_texts.texts[i], 53, err))
			return err_in(err, "resolvers");
	}
	return true;
}

static bool
fill_outside(struct agent_conf *conf, struct err *err)
{
	conf->outside_count = conf->outside_texts.count;
	for (size_t i = 0; i < conf->outside_count; i++) {
		if (!addr_parse(&conf->outside[i], conf->outside_texts.texts[i], 53, err))
			return err_in(err, "outside_resolvers");
	}
	return true;
}

static bool
fill_ports(struct agent_conf *conf, struct err *err)
{
	conf->port_count = conf->port_texts.count;
	for (size_t i = 0; i < conf->port_count; i++) {
		if (!read_port(&conf->ports[i], conf->port_texts.texts[i], err))
			return err_in(err, "ports");
	}
	if (conf->port_count == 0) {
		conf->port_count = sizeof(ports_preset) / sizeof(ports_preset[0]);
		memcpy(conf->ports, ports_preset, sizeof(ports_preset));
	}
	return true;
}

bool
agent_conf_check_agent(const char *id, struct err *err)
{
	size_t length = strlen(id);

	if (length == 0 || length > 64 ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
	        length)
		return err_set(err, ERR_USAGE,
		    "agent: '%.80s': 1 to 64 letters, digits, '.', '_' or '-' wanted", id);
	return true;
}

static bool
check_accounts(const struct agent_conf *conf, struct err *err)
{
	const struct agent_account *accounts = conf->accounts.rows;

	for (size_t i = 0; i < conf->accounts.count; i++) {
		bool document = accounts[i].document[0] != '\0';
		bool name = accounts[i].name[0] != '\0';

		if (document == name)
			return err_set(err, ERR_USAGE,
			    "accounts: entry %zu: either 'document' or 'name' wanted%s", i + 1,
			    document ? ", not both" : "");
	}
	if (conf->accounts.count == 0 && conf->collector[0] == '\0')
		return err_set(
		    err, ERR_USAGE, "nothing to measure: 'accounts' or 'collector' wanted");
	return true;
}

static bool
check_times(const struct agent_conf *conf, struct err *err)
{
	if (conf->limit_ms > conf->interval_ms)
		return err_set(err, ERR_USAGE,
		    "timeout: %lldms is longer than the interval of %lldms",
		    (long long)conf->limit_ms, (long long)conf->interval_ms);
	return true;
}

static bool
fill_regions(struct agent_conf *conf, struct arena *arena, struct err *err)
{
	size_t       count = conf->region_texts.count;
	const char **labels = arena_array(arena, count, sizeof(*labels));

	for (size_t i = 0; i < count; i++) {
		char label[REGION_LABEL_ROOM];

		if (!region_label_parse(label, conf->region_texts.texts[i], err))
			return err_in(err, "regions");
		labels[i] = arena_strdup(arena, label);
	}
	conf->regions = (struct name_regions){ labels, count };
	return true;
}

static bool
fill_modes(struct agent_conf *conf, struct err *err)
{
	conf->modes = 0;
	for (size_t i = 0; i < conf->mode_texts.count; i++) {
		if (!modes_add(&conf->modes, conf->mode_texts.texts[i], err))
			return err_in(err, "modes");
	}
	for (size_t i = 0; i < conf->api_texts.count; i++) {
		if (!apis_add(&conf->modes, conf->api_texts.texts[i], err))
			return err_in(err, "apis");
	}
	return true;
}

bool
agent_conf_settle(struct agent_conf *conf, struct arena *arena, struct err *err)
{
	char host[256] = "";

	if (conf->agent[0] == '\0') {
		gethostname(host, sizeof(host) - 1);
		conf->agent = arena_strdup(arena, host);
	}
	if (!agent_conf_check_agent(conf->agent, err) || !check_accounts(conf, err) ||
	    !check_times(conf, err))
		return false;
	if (!fill_resolvers(conf, err) || !fill_outside(conf, err) || !fill_ports(conf, err))
		return false;
	if (!fill_regions(conf, arena, err) || !fill_modes(conf, err) ||
	    !access_settle(&conf->access, arena, err))
		return false;
	if (conf->source_text[0] != '\0' &&
	    !addr_parse(&conf->source, conf->source_text, 0, err))
		return err_in(err, "source");
	return log_level_parse(&conf->log_level, conf->log_level_text, err) &&
	    log_format_parse(&conf->log_format, conf->log_format_text, err);
}

struct agent_conf *
agent_conf_load(struct arena *arena, const char *path, bool absent, struct err *err)
{
	struct agent_conf *conf = arena_alloc(arena, sizeof(*conf));
	const char        *slash = strrchr(path, '/');
	const char        *folder = arena_printf(arena, "%.*s%s",
            slash != NULL ? (int)(slash - path + 1) : 0, path, AGENT_CONF_FOLDER);

	if (!conf_read(conf, agent_conf_rows, arena, absent ? NULL : path, folder, err))
		return NULL;
	return conf;
}

struct agent_conf *
agent_conf_read(struct arena *arena, const char *path, struct err *err)
{
	struct agent_conf *conf = agent_conf_load(arena, path, false, err);

	if (conf == NULL)
		return NULL;
	if (!agent_conf_settle(conf, arena, err)) {
		err_in(err, "%s", path);
		return NULL;
	}
	conf->policy = policy_file_read(arena, conf->policy_path, err);
	return conf->policy != NULL ? conf : NULL;
}

/* One behind the other, with a NUL between. */
void
agent_conf_write(const struct agent_conf *conf, struct wbuf *out)
{
	conf_dump(conf, agent_conf_rows, out);
	wbuf_u8(out, 0);
	conf_dump(conf->policy, policy_file_rows, out);
}

struct agent_conf *
agent_conf_parse(struct arena *arena, const void *bytes, size_t count, struct err *err)
{
	struct agent_conf *conf = arena_alloc(arena, sizeof(*conf));
	const char        *text = bytes;
	const char        *second = memchr(text, 0, count);
	size_t             length = second != NULL ? (size_t)(second++ - text) : count;

	if (second == NULL) {
		err_set(err, ERR_PARSE, "no policy behind the settings");
		return NULL;
	}
	if (!conf_parse(conf, agent_conf_rows, arena, text, length, "settings", err) ||
	    !agent_conf_settle(conf, arena, err))
		return NULL;
	conf->policy = policy_file_parse(arena, second, count - length - 1, err);
	return conf->policy != NULL ? conf : NULL;
}

static bool
refuse_tokenless(const struct agent_conf *conf, struct err *err)
{
	return err_set(err, ERR_USAGE,
	    "no certificate in %s: `plprobe enroll` gets one; or a token: 'token_file', or "
	    "systemd's LoadCredential=token:PATH",
	    conf->state_dir);
}

char *
agent_conf_token(struct arena *arena, const struct agent_conf *conf, struct err *err)
{
	const char *path = conf->token_file;
	char        token[TOKEN_BYTES_MAX + 1];
	char       *copy = NULL;

	if (path[0] == '\0' && getenv("CREDENTIALS_DIRECTORY") != NULL)
		path = SECRET_FILE_CREDENTIAL "token";
	if (path[0] == '\0') {
		refuse_tokenless(conf, err);
		return NULL;
	}
	if (!secret_file_read(path, token, sizeof(token), err))
		return NULL;
	/* The unit's own word where there is no file. */
	if (strcmp(token, "none") == 0)
		refuse_tokenless(conf, err);
	else if (text_starts_nocase(token, "enroll-"))
		err_set(err, ERR_USAGE,
		    "%s: a token for enrolment; `plprobe enroll --token-file` takes it", path);
	else if (strpbrk(token, " \t") != NULL)
		err_set(err, ERR_PARSE, "%s: one line with a token wanted", path);
	else
		copy = arena_strdup(arena, token);
	digest_wipe(token, sizeof(token));
	return copy;
}
