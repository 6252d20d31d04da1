#include "agent/check.h"

#include "agent/proxy_env.h"
#include "analyze/apis.h"
#include "analyze/modes.h"
#include "analyze/region.h"
#include "analyze/support.h"
#include "analyze/verdict.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/confine.h"
#include "base/table.h"
#include "base/text.h"
#include "probe/swept.h"
#include "probe/vantages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { EXIT_UNKNOWN = 3, WIDTH_PRESET = 100 };

static const int64_t limit_preset_ms = 10 * MS_PER_S;
static const int64_t watch_preset_ms = 10 * MS_PER_S;

enum {
	OPTION_EXPECT,
	OPTION_RESOLVER,
	OPTION_OUTSIDE_RESOLVER,
	OPTION_SOURCE,
	OPTION_TIMEOUT,
	OPTION_CA_FILE,
	OPTION_NO_SWEEP,
	OPTION_SWEEP_RATE,
	OPTION_REGION,
	OPTION_DNS_ONLY,
	OPTION_TREE,
	OPTION_AZURE_DNS,
	OPTION_TCP,
	OPTION_API,
	OPTION_MODE,
	OPTION_KEY_FILE,
	OPTION_TOKEN_FILE,
	OPTION_MANAGED_IDENTITY,
	OPTION_DATABASE,
	OPTION_CONTAINER,
	OPTION_REPLICA,
	OPTION_REPLICAS_FROM,
	OPTION_REPLICAS,
	OPTION_SAMPLE_PORTS,
	OPTION_PROXY,
	OPTION_VNET,
	OPTION_OUTPUT,
	OPTION_WATCH,
	OPTION_NO_COLOR,
	OPTION_EXIT_ZERO
};

static const struct cli_option options_table[] = {
	[OPTION_EXPECT] = { "expect", 'e', "FILE",
	    "what `az cosmosdb show` or `az network private-endpoint show` prints; may be "
	    "repeated" },
	[OPTION_RESOLVER] = { "resolver", 'r', "IP[:PORT]",
	    "ask this DNS server, not the system's; may be repeated" },
	[OPTION_OUTSIDE_RESOLVER] = { "outside-resolver", 0, "IP[:PORT]",
	    "ask this DNS server outside of the network too, and try the public address that "
	    "it "
	    "gives: is it refused, as the document wants? may be repeated" },
	[OPTION_SOURCE] = { "source", 0, "IP", "local address to measure from" },
	[OPTION_TIMEOUT] = { "timeout", 't', "TIME", "for each name, such as 500ms; 10s" },
	[OPTION_CA_FILE] = { "ca-file", 0, "PEM", "roots that replace the system's" },
	[OPTION_NO_SWEEP] = { "no-sweep", 0, NULL,
	    "do not look for names of regions that are not configured" },
	[OPTION_SWEEP_RATE] = { "sweep-rate", 0, "NUMBER",
	    "questions a second to each DNS server when it looks for those; 100" },
	[OPTION_REGION] = { "region", 0, "NAME",
	    "look for this region too, one that this program does not know; may be repeated" },
	[OPTION_DNS_ONLY] = { "dns-only", 0, NULL, "only resolve, and connect to nothing" },
	[OPTION_TREE] = { "tree", 0, NULL,
	    "draw each name: who was asked, its aliases, addresses, what was met there" },
	[OPTION_AZURE_DNS] = { "azure-dns", 0, NULL,
	    "ask Azure's own 168.63.129.16 as well; on Azure it is asked anyway" },
	[OPTION_TCP] = { "tcp", 0, NULL, "ask each DNS server over TCP as well" },
	[OPTION_API] = { "api", 0, "APIS",
	    "sql, mongodb, cassandra, gremlin, table, with ',' between, or all; without it "
	    "those that the document tells, and sql without a document" },
	[OPTION_MODE] = { "mode", 'm', "MODES",
	    "gateway, direct, gateway-v2, with ',' between, or all; without it gateway, and "
	    "direct too when there is a way to it" },
	[OPTION_KEY_FILE] = { "key-file", 0, "FILE",
	    "read-only key of the account, to sign requests with; credential:NAME is one of "
	    "systemd's" },
	[OPTION_TOKEN_FILE] = { "token-file", 0, "FILE",
	    "in its place an access token of Entra ID, with the role readMetadata" },
	[OPTION_MANAGED_IDENTITY] = { "managed-identity", 0, "[CLIENT_ID]",
	    "in its place the identity of this VM" },
	[OPTION_DATABASE] = { "database", 0, "NAME",
	    "whose replicas a credential is used to find; without it the first there is" },
	[OPTION_CONTAINER] = { "container", 0, "NAME", "likewise, in that database" },
	[OPTION_REPLICA] = { "replica", 0, "URI",
	    "rntbd://host:port/... from an application's log, to try in Direct mode; may be "
	    "repeated" },
	[OPTION_REPLICAS_FROM] = { "replicas-from", 0, "FILE",
	    "every such address that stands in the log or diagnostics of an application; '-' "
	    "is standard input" },
	[OPTION_REPLICAS] = { "replicas", 0, "NUMBER", "replicas to try for each region; 16" },
	[OPTION_SAMPLE_PORTS] = { "sample-ports", 0, "NUMBER",
	    "where no address is known, try so many ports of each region, slowly; shows no "
	    "more than what TCP and TLS do" },
	[OPTION_PROXY] = { "proxy", 0, "URL",
	    "http://host:port to go through to gateways; what the environment names is never "
	    "used" },
	[OPTION_VNET] = { "vnet", 0, "ID",
	    "resource id of the virtual network that this machine is in, or of its subnet: "
	    "which zones it is linked to is then looked up in the documents" },
	[OPTION_OUTPUT] = { "output", 'o', "FORMAT", "table, json or nagios" },
	[OPTION_WATCH] = { "watch", 'w', "[SEC]", "again and again, every 10 seconds or SEC" },
	[OPTION_NO_COLOR] = { "no-color", 0, NULL, "as a set NO_COLOR" },
	[OPTION_EXIT_ZERO] = { "exit-zero", 0, NULL,
	    "exit with 0 whatever is found, so long as it could be looked for" },
	{ 0 },
};

const struct cli_command check_command = {
	"check",
	"ACCOUNT... [OPTION...]",
	"Measures from this machine whether accounts can be used, now, and says why not",
	"ACCOUNT is the name of an account or its host name. With --expect its regions are\n"
	"those of the document, and ACCOUNT may be left out: all of the documents' accounts.\n"
	"Without a document every region of Azure is tried, and what cannot be known from the\n"
	"outside is said to be unknown.\n\n"
	"With --dns-only a name is `ok` when every address is the one that a private "
	"endpoint's\n"
	"document has for it; an address in a private range is `unknown`, since it shows no\n"
	"gateway. The names with a finding are drawn as trees; --tree draws all.\n\n"
	"Exit code: 0 ok, 1 warning, 2 critical, 3 unknown or wrong arguments.\n",
	options_table,
	EXIT_UNKNOWN,
	check_main,
};

static bool
parse_output(enum check_output *output, const char *text, struct err *err)
{
	static const char *const words[] = { "table", "json", "nagios", NULL };
	const char              *near = text_nearest(text, words);

	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*output = (enum check_output)i;
			return true;
		}
	}
	if (near != NULL)
		return err_set(
		    err, ERR_USAGE, "--output: '%s'; did you mean '%s'?", text, near);
	return err_set(err, ERR_USAGE, "--output: '%s': table, json or nagios wanted", text);
}

/* Seconds without a unit, or a time with one. */
static bool
parse_watch(int64_t *watch_ms, const char *text, struct err *err)
{
	char *end;
	long  seconds;

	*watch_ms = watch_preset_ms;
	if (text == NULL)
		return true;
	seconds = strtol(text, &end, 10);
	if (end != text && *end == '\0')
		*watch_ms = seconds < 0 || seconds > MS_PER_DAY ? -1 : seconds * MS_PER_S;
	else if (!conf_ms_parse(watch_ms, text, err))
		return err_in(err, "--watch");
	if (*watch_ms < MS_PER_S || *watch_ms > MS_PER_DAY)
		return err_set(err, ERR_USAGE, "--watch: '%s': 1 second to 1 day wanted", text);
	return true;
}

static bool
parse_timeout(int64_t *limit_ms, const char *text, struct err *err)
{
	if (!conf_ms_parse(limit_ms, text, err))
		return err_in(err, "--timeout");
	if (*limit_ms < 1 || *limit_ms > 10 * MS_PER_MIN)
		return err_set(err, ERR_USAGE, "--timeout: '%s': 1ms to 10m wanted", text);
	return true;
}

static bool
add_resolver(struct check_options *options, const char *text, struct err *err)
{
	if (options->resolver_count == sizeof(options->resolvers) / sizeof(struct addr))
		return err_set(err, ERR_USAGE, "--resolver: no more than %zu wanted",
		    options->resolver_count);
	if (!addr_parse(&options->resolvers[options->resolver_count++], text, 53, err))
		return err_in(err, "--resolver");
	return true;
}

static bool
add_outside(struct check_options *options, const char *text, struct err *err)
{
	if (options->outside_count == AGENT_OUTSIDE_MAX)
		return err_set(err, ERR_USAGE, "--outside-resolver: no more than %d wanted",
		    AGENT_OUTSIDE_MAX);
	if (!addr_parse(&options->outside[options->outside_count++], text, 53, err))
		return err_in(err, "--outside-resolver");
	return true;
}

static bool
parse_rate(int64_t *rate, const char *text, struct err *err)
{
	char *end;

	*rate = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || *rate < 1 ||
	    *rate > SWEPT_PACE_MAX)
		return err_set(
		    err, ERR_USAGE, "--sweep-rate: '%s': 1 to %d wanted", text, SWEPT_PACE_MAX);
	return true;
}

static bool
parse_count(
    unsigned *number, const char *option, const char *text, unsigned most, struct err *err)
{
	char         *end;
	unsigned long value = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < 1 || value > most)
		return err_set(err, ERR_USAGE, "%s: '%s': 1 to %u wanted", option, text, most);
	*number = (unsigned)value;
	return true;
}

static bool
add_region(
    struct arena *arena, struct check_options *options, const char *text, struct err *err)
{
	char label[REGION_LABEL_ROOM];

	if (!region_label_parse(label, text, err))
		return err_in(err, "--region");
	options->regions[options->region_count++] = arena_strdup(arena, label);
	return true;
}

static bool
take_option(struct arena *arena, struct check_options *options, int option, const char *value,
    struct err *err)
{
	struct check_means *means = &options->means;

	switch (option) {
	case OPTION_EXPECT: options->documents[options->document_count++] = value; break;
	case OPTION_RESOLVER: return add_resolver(options, value, err);
	case OPTION_OUTSIDE_RESOLVER: return add_outside(options, value, err);
	case OPTION_SOURCE:
		return addr_parse(&options->source, value, 0, err) || err_in(err, "--source");
	case OPTION_TIMEOUT: return parse_timeout(&options->limit_ms, value, err);
	case OPTION_CA_FILE: options->ca_file = value; break;
	case OPTION_NO_SWEEP: options->no_sweep = true; break;
	case OPTION_SWEEP_RATE: return parse_rate(&options->sweep_rate, value, err);
	case OPTION_REGION: return add_region(arena, options, value, err);
	case OPTION_DNS_ONLY: options->dns_only = true; break;
	case OPTION_TREE: options->tree = true; break;
	case OPTION_AZURE_DNS: options->azure_dns = true; break;
	case OPTION_TCP: options->dns_tcp = true; break;
	case OPTION_API:
		if (!apis_parse(&options->apis, value, err))
			return err_in(err, "--api");
		options->wanted |= options->apis;
		break;
	case OPTION_MODE:
		if (!modes_parse(&means->modes, value, err))
			return err_in(err, "--mode");
		options->wanted |= means->modes;
		break;
	case OPTION_KEY_FILE: means->key_file = value; break;
	case OPTION_TOKEN_FILE: means->token_file = value; break;
	case OPTION_MANAGED_IDENTITY: return check_identity_parse(means, value, err);
	case OPTION_DATABASE: means->database = value; break;
	case OPTION_CONTAINER: means->container = value; break;
	case OPTION_REPLICA:
		return pasted_add(&means->pasted, arena, value, err) ||
		    err_in(err, "--replica: '%.200s'", value);
	case OPTION_REPLICAS_FROM:
		return pasted_read(&means->pasted, arena, value, err) ||
		    err_in(err, "--replicas-from");
	case OPTION_REPLICAS:
		return parse_count(
		    &means->replicas_max, "--replicas", value, DIRECT_REPLICAS_MAX, err);
	case OPTION_SAMPLE_PORTS:
		return parse_count(
		    &means->sample_ports, "--sample-ports", value, DIRECT_SAMPLE_MAX, err);
	case OPTION_PROXY: return check_proxy_parse(&means->proxy, value, err);
	case OPTION_VNET:
		return vnet_parse(&options->vnet, arena, value, err) || err_in(err, "--vnet");
	case OPTION_OUTPUT: return parse_output(&options->output, value, err);
	case OPTION_WATCH: return parse_watch(&options->watch_ms, value, err);
	case OPTION_NO_COLOR: options->no_color = true; break;
	case OPTION_EXIT_ZERO: options->exit_zero = true; break;
	}
	return true;
}

enum check_parsed
check_options_parse(
    struct arena *arena, struct check_options *options, int argc, char **argv, struct err *err)
{
	struct cli cli;
	int        option;

	*options = (struct check_options){
		.limit_ms = limit_preset_ms, .sweep_rate = SWEPT_PACE_PRESET, .vnet = { "", "" }
	};
	options->documents = arena_array(arena, (size_t)argc, sizeof(char *));
	options->regions = arena_array(arena, (size_t)argc, sizeof(char *));
	options->names = arena_array(arena, (size_t)argc, sizeof(char *));
	cli_init(&cli, &check_command, argc, argv);
	while ((option = cli_next(&cli, err)) >= 0) {
		if (!take_option(arena, options, option, cli.value, err))
			return CHECK_USAGE;
	}
	if (option != CLI_OVER)
		return option == CLI_HELP ? CHECK_HELP : CHECK_USAGE;
	for (int i = cli.operand; i < argc; i++)
		options->names[options->name_count++] = argv[i];
	if (options->name_count == 0 && options->document_count == 0) {
		err_set(err, ERR_USAGE, "the name of an account wanted, or --expect FILE");
		return CHECK_USAGE;
	}
	return check_means_settle(&options->means, err) ? CHECK_GO : CHECK_USAGE;
}

/* The accounts to survey, which have a document, and what all documents say beside them. */
struct subjects {
	struct account             **accounts;
	bool                        *has_document;
	size_t                       count;
	const struct endpoint_index *endpoints;
	const struct zone_index     *zones;
	const struct plink_list     *plinks;
	const struct account_list   *documents; /* all of it; never NULL */
};

static struct account *
find_account(struct account *const *accounts, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(accounts[i]->name, name) == 0)
			return accounts[i];
	}
	return NULL;
}

/* All that the documents hold; an account that stands in two of them is refused, since they may
 * differ.  NULL with err. */
static const struct account_list *
read_documents(struct arena *arena, const struct check_options *options, struct err *err)
{
	const struct account_list **lists = arena_array(
	    arena, options->document_count + 1, sizeof(*lists));
	const struct account_list *all;

	for (size_t i = 0; i < options->document_count; i++) {
		lists[i] = account_read(arena, options->documents[i], err);
		if (lists[i] == NULL)
			return NULL;
	}
	all = account_list_sum(arena, lists, options->document_count);
	for (size_t i = 0; i < all->count; i++) {
		struct account *account = all->accounts[i];
		struct account *other = find_account(all->accounts, i, account->name);

		if (other != NULL) {
			err_set(err, ERR_USAGE, "%s: the account %s stands in %s too",
			    account->source, account->name, other->source);
			return NULL;
		}
	}
	return all;
}

/* Documents were given, and the account has none: perhaps its name is mistyped. */
static void
warn_undocumented(
    struct arena *arena, const struct account_list *documents, const char *account)
{
	const char **names = arena_array(arena, documents->count + 1, sizeof(*names));
	const char  *near;

	for (size_t i = 0; i < documents->count; i++)
		names[i] = documents->accounts[i]->name;
	names[documents->count] = NULL;
	near = text_nearest(account, names);
	fprintf(stderr, "plprobe check: no document is of the account '%s'%s%s%s\n", account,
	    near != NULL ? "; did you mean '" : ": it is judged without one",
	    near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* The suffixes of the documents' accounts, of each API: a host name may be given with them. */
static struct support_more
find_suffixes(struct arena *arena, const struct account_list *documents)
{
	const char **suffixes = arena_array(
	    arena, documents->count * SUPPORT_SERVICE_COUNT + 1, sizeof(*suffixes));
	struct support_more more = { suffixes, 0 };

	for (size_t i = 0; i < documents->count; i++) {
		for (int service = 0; service < SUPPORT_SERVICE_COUNT; service++) {
			const char *suffix = support_suffix(arena,
			    (enum support_service)service, documents->accounts[i]->suffix);

			if (suffix != NULL)
				suffixes[more.count++] = suffix;
		}
	}
	return more;
}

static bool
add_subject(struct arena *arena, struct subjects *subjects,
    const struct account_list *documents, const char *text, struct err *err)
{
	struct support_more more = find_suffixes(arena, documents);
	struct account     *named = account_named_more(arena, text, &more, err);
	struct account     *documented;

	if (named == NULL && text_ends_nocase(text, ".json"))
		return err_set(err, ERR_USAGE,
		    "'%.200s' is not an account; a document is given by --expect", text);
	if (named == NULL)
		return false;
	if (named->warning[0] != '\0')
		fprintf(stderr, "plprobe check: %s\n", named->warning);
	if (find_account(subjects->accounts, subjects->count, named->name) != NULL)
		return true; /* said twice */
	documented = find_account(documents->accounts, documents->count, named->name);
	if (documented != NULL)
		documented->given = named->given;
	if (documented == NULL && documents->count > 0)
		warn_undocumented(arena, documents, named->name);
	subjects->has_document[subjects->count] = documented != NULL;
	subjects->accounts[subjects->count++] = documented != NULL ? documented : named;
	return true;
}

static bool
gather_subjects(struct arena *arena, const struct check_options *options,
    struct subjects *subjects, struct err *err)
{
	const struct account_list *documents = read_documents(arena, options, err);
	size_t                     room;

	if (documents == NULL)
		return false;
	room = documents->count + options->name_count;
	subjects->accounts = arena_array(arena, room, sizeof(struct account *));
	subjects->has_document = arena_array(arena, room, sizeof(bool));
	subjects->count = 0;
	for (size_t i = 0; i < options->name_count; i++) {
		if (!add_subject(arena, subjects, documents, options->names[i], err))
			return false;
	}
	for (size_t i = 0; i < documents->count && options->name_count == 0; i++) {
		subjects->has_document[subjects->count] = true;
		subjects->accounts[subjects->count++] = documents->accounts[i];
	}
	if (subjects->count == 0)
		return err_set(err, ERR_USAGE,
		    "the documents hold no account; give its name, or `az cosmosdb show` of "
		    "it");
	subjects->documents = documents;
	subjects->endpoints = documents->endpoints.count == 0
	    ? NULL
	    : endpoint_index_new(arena, &documents->endpoints);
	subjects->zones = documents->zones.count == 0
	    ? NULL
	    : zone_index_new(arena, &documents->zones);
	subjects->plinks = &documents->plinks;
	return true;
}

static void
say_doubt(const struct check_means *means, size_t account_count)
{
	const char *doubt = check_means_doubt(means, account_count);

	if (doubt != NULL)
		fprintf(stderr, "plprobe check: %s\n", doubt);
}

static unsigned
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_PRESET;
	return size.ws_col;
}

static void
print_tables(const struct check_options *options, const struct survey_result *results,
    size_t count, struct wbuf *out)
{
	struct verdict_look look = {
		.width = terminal_width(),
		.colour = table_colour(STDOUT_FILENO, options->no_color),
		.utf8 = table_utf8(),
		.trees = options->tree  ? VERDICT_ALL_TREES
		    : options->dns_only ? VERDICT_ODD_TREES
		                        : VERDICT_NO_TREES,
	};

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			wbuf_puts(out, "\n");
		verdict_print(results[i].account, results[i].verdict, &look, out);
	}
}

/* A plugin's first line counts: the worst account comes first. */
static void
print_nagios(const struct survey_result *results, size_t count, struct wbuf *out)
{
	for (int state = STATE_CRITICAL; state >= STATE_OK; state--) {
		for (size_t i = 0; i < count; i++) {
			if ((int)results[i].verdict->state == state)
				verdict_nagios(results[i].account, results[i].verdict, out);
		}
	}
}

static bool
print_results(const struct check_options *options, const struct survey_result *results,
    size_t count, bool interrupted, struct err *err)
{
	struct wbuf out;
	bool        written;

	wbuf_init(&out);
	if (options->watch_ms > 0 && isatty(STDOUT_FILENO) && options->output == CHECK_TABLE)
		wbuf_puts(&out, "\033[H\033[2J");
	switch (options->output) {
	case CHECK_TABLE: print_tables(options, results, count, &out); break;
	case CHECK_JSON: check_json_write(results, count, interrupted, &out); break;
	case CHECK_NAGIOS: print_nagios(results, count, &out); break;
	}
	written = fwrite(out.bytes, 1, out.count, stdout) == out.count && fflush(stdout) == 0;
	wbuf_fini(&out);
	return written || err_errno(err, "standard output");
}

static enum state
worst_state(const struct survey_result *results, size_t count)
{
	enum state worst = STATE_OK;

	for (size_t i = 0; i < count; i++) {
		if (results[i].verdict->state > worst)
			worst = results[i].verdict->state;
	}
	return worst;
}

static const char *
proxy_for(void *environment, struct arena *arena, const char *host)
{
	return proxy_env_find(arena, environment, host);
}

bool
check_measure(struct arena *arena, const struct check_options *options, struct check_seen *seen,
    struct err *err)
{
	struct subjects          subjects;
	struct credential_source credential = check_means_credential(&options->means);
	struct proxy_env         environment = proxy_env_system(arena);
	struct vantages_ask      whom = { .configured = options->resolvers,
		     .configured_count = options->resolver_count,
		     .azure_dns = options->azure_dns };

	if (!gather_subjects(arena, options, &subjects, err) ||
	    !check_means_ready(&options->means, err) ||
	    !vantages_find(&seen->vantages, &whom, err))
		return false;
	say_doubt(&options->means, subjects.count);
	seen->count = subjects.count;
	seen->documents = subjects.documents;
	seen->results = arena_array(arena, subjects.count, sizeof(*seen->results));
	return survey_run(arena,
	    &(struct survey_ask){ .accounts = subjects.accounts,
	        .has_document = subjects.has_document,
	        .account_count = subjects.count,
	        .endpoints = subjects.endpoints,
	        .zones = subjects.zones,
	        .plinks = subjects.plinks,
	        .vnet = &options->vnet,
	        .vantages = &seen->vantages,
	        .again = &whom,
	        .system = options->resolver_count == 0,
	        .tcp_too = options->dns_tcp,
	        .outside = options->outside,
	        .outside_count = options->outside_count,
	        .source = options->source,
	        .modes = options->means.modes,
	        .apis = options->apis,
	        .wanted = options->wanted,
	        .means = check_means_direct(&options->means),
	        .credential = check_means_has_credential(&options->means) ? &credential : NULL,
	        .proxy = options->means.proxy,
	        .proxy_for = proxy_for,
	        .proxy_arg = &environment,
	        .ca_file = options->ca_file,
	        .limit_ms = options->limit_ms,
	        .sweep = !options->no_sweep,
	        .sweep_pace = (unsigned)options->sweep_rate,
	        .regions = { options->regions, options->region_count },
	        .dns_only = options->dns_only,
	        .progress = isatty(STDERR_FILENO) },
	    seen->results, &seen->interrupted, err);
}

/* Once: documents, survey, output. */
static bool
check_once(
    const struct check_options *options, enum state *worst, bool *interrupted, struct err *err)
{
	struct arena     *arena = arena_new();
	struct check_seen seen = { 0 };
	bool              done = check_measure(arena, options, &seen, err);

	*interrupted = seen.interrupted;
	if (done) {
		*worst = worst_state(seen.results, seen.count);
		done = print_results(options, seen.results, seen.count, seen.interrupted, err);
	}
	arena_free(arena);
	return done;
}

static int
run_checks(const struct check_options *options)
{
	enum state worst = STATE_UNKNOWN;
	bool       interrupted = false;
	struct err err;

	if (check_means_has_credential(&options->means))
		confine_memory();
	do {
		if (!check_once(options, &worst, &interrupted, &err)) {
			fprintf(stderr, "plprobe check: %s\n", err.text);
			return EXIT_UNKNOWN;
		}
	} while (options->watch_ms > 0 && !interrupted && survey_wait(options->watch_ms));
	return options->exit_zero ? 0 : verdict_exit(worst);
}

int
check_main(int argc, char **argv)
{
	struct arena        *arena = arena_new();
	struct check_options options;
	struct err           err;
	int                  code = EXIT_UNKNOWN;

	switch (check_options_parse(arena, &options, argc, argv, &err)) {
	case CHECK_GO: code = run_checks(&options); break;
	case CHECK_HELP: code = cli_show_help(&check_command); break;
	case CHECK_USAGE: code = cli_refuse(&check_command, &err); break;
	}
	arena_free(arena);
	return code;
}
