#include "collector/command.h"

#include "base/clock.h"
#include "base/owner.h"
#include "base/text.h"
#include "collector/accounts_command.h"
#include "collector/bulletin.h"
#include "collector/collector.h"
#include "collector/credentials.h"
#include "collector/history.h"
#include "collector/listen_tls.h"
#include "collector/porch.h"
#include "collector/readers_command.h"
#include "collector/store/store.h"
#include "collector/store/store_sqlite.h"
#include "collector/sync_token.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* `first` and, where there is one, `second` are the command's words. */
struct command {
	const char *first, *second;
	const char *operands; /* as shown to people */
	int         least, most;
	const char *options; /* those it takes, of option_table */
	int         usage;   /* exit code for a wrong command line */
	const char *what;
	int (*run)(const struct words *words);
};

static const struct option_row {
	int         letter;
	const char *name, *value, *what;
} option_table[] = {
	{ 'c', "config", "PATH", "configuration file instead of " COLLECTOR_CONF_FILE },
	{ 'M', "network", "NAME", "the agent's VNet and subnet, as you name them" },
	{ 'A', "any", NULL, "for any agent: each says its own name" },
	{ 'Q', "uses", "NUMBER", "for so many agents, each its own key; 1" },
	{ 'E', "expires", "TIME",
	    "usable for so long, as in 30m, 12h, 7d; 1h, or of a reader for ever" },
	{ 'P', "replace", NULL,
	    "in the place of an agent, a user or a document of that name that is there "
	    "already" },
	{ 'B', "bearer", NULL,
	    "no enrolment: a token that the agent shows each time, for ever" },
	{ 'K', "reader", NULL,
	    "for a program that reads the page, the API or the metrics; it is shown each "
	    "time" },
	{ 'o', "output", "FORMAT", "table (preset), json or csv" },
	{ 'N', "no-color", NULL, "no colours, as with NO_COLOR set" },
	{ 'Z', "exit-zero", NULL, "exit 0 whatever the report says" },
	{ 'S', "subscription", "ID", "all accounts of the subscription, or those named of it" },
	{ 'G', "resource-group", "NAME", "only those of the group" },
	{ 'T', "token-file", "PATH", "a file with an access token for the resource manager" },
	/* What begins with '[' may be missing. */
	{ 'I', "managed-identity", "[CLIENT_ID]",
	    "a token of this machine's identity, of that one where it has several" },
	{ 'C', "cloud", "NAME", "AzureCloud (preset), AzureUSGovernment or AzureChinaCloud" },
	{ 'R', "resource-manager", "URL", "that of another cloud" },
	{ 'U', "authority", "URL", "who gives tokens to a workload identity there" },
	{ 'D', "audience", "URL", "what its tokens are for; preset: the resource manager" },
	{ 'F', "ca-file", "PATH", "roots to trust, instead of the system's" },
	{ 'X', "imds", "URL", "the metadata service, instead of " SYNC_IMDS_URL },
	{ 'L', "timeout", "TIME", "for everything together; preset: 5m" },
	{ 'W', "failover", NULL,
	    "who would reach which region if the write region moved there" },
	{ 'J', "rejudge", NULL,
	    "judge the stored batches again, with the documents of their time" },
};

static int
run_daemon(const struct words *words)
{
	struct err        err = { 0 };
	struct collector *collector = collector_new(words->config, &err);

	if (collector == NULL)
		return words_complain(&err, COMMAND_FAILED);
	collector_run(collector);
	collector_free(collector);
	return COMMAND_WELL;
}

static int
run_report(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct bulletin_ask   ask = { .conf = &conf,
		  .colour = !words->no_color,
		  .format = words->output,
		  .exit_zero = words->exit_zero,
		  .failover = words->failover };
	int                   code = 3;

	if (words_read_conf(&conf, arena, words))
		code = bulletin_run(&ask);
	arena_free(arena);
	return code;
}

/* The certificate and its key, as `run` would take them. */
static bool
check_certificate(struct arena *arena, const struct collector_conf *conf)
{
	struct err         err = { 0 };
	struct listen_tls *tls = listen_tls_new(conf->certificate, conf->key, &err);
	const char        *warning;
	const struct listen_trust_files files = { "", conf->client_ca, conf->client_crl };

	if (tls == NULL || !listen_tls_trust(tls, &files, &err)) {
		words_complain(&err, COMMAND_FAILED);
		listen_tls_free(tls);
		return false;
	}
	warning = listen_tls_warning(tls, arena, clock_wall_ms(clock_system()));
	if (warning != NULL)
		fprintf(stderr, "plprobe-collector: %s\n", warning);
	warning = listen_trust_warning(
	    listen_tls_trusted(tls), arena, clock_wall_ms(clock_system()));
	if (warning != NULL)
		fprintf(stderr, "plprobe-collector: %s\n", warning);
	listen_tls_free(tls);
	return true;
}

static int
check_conf(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	bool good = words_read_conf(&conf, arena, words) && check_certificate(arena, &conf);

	if (good && !porch_check(&conf, words->config, &err)) {
		words_complain(&err, COMMAND_FAILED);
		good = false;
	}
	if (good)
		puts("configuration is good");
	arena_free(arena);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

static int
dump_conf(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct wbuf           out;
	bool                  good = words_read_conf(&conf, arena, words);

	if (good) {
		wbuf_init(&out);
		conf_dump(&conf, collector_conf_rows, &out);
		fputs(wbuf_text(&out), stdout);
		wbuf_fini(&out);
	}
	arena_free(arena);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

static struct store *
open_to_check(const char *url, struct err *err)
{
	struct store *store = store_open(url, true, err);

	if (store == NULL || store_check(store, err))
		return store;
	store_close(store);
	return NULL;
}

/* A store that is there, opened by the one who owns its folder: root's are no use to the daemon. */
static struct store *
open_to_migrate(const char *url, struct err *err)
{
	const char      *path = strchr(url, ':');
	struct store    *store = NULL;
	struct owner_ids owner;

	if (path == NULL || strncmp(url, "sqlite:", sizeof("sqlite:") - 1) != 0) {
		err_set(err, ERR_USAGE, "store %s: one in a file wanted, sqlite:PATH", url);
		return NULL;
	}
	if (access(++path, F_OK) != 0) {
		err_errno(err, "%s: there is no store to migrate", path);
		return NULL;
	}
	if (!owner_enter(&owner, path, err))
		return NULL;
	store = store_open(url, false, err);
	owner_leave(&owner);
	return store;
}

/* well: what is said when it could be opened. */
static int
try_store(const struct words *words,
    struct store *(*open_store)(const char *url, struct err *err), const char *well)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct store         *store = NULL;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		store = open_store(conf.store, &err);
		if (store != NULL) {
			puts(well);
			code = COMMAND_WELL;
		} else {
			words_complain(&err, COMMAND_FAILED);
		}
	}
	store_close(store);
	arena_free(arena);
	return code;
}

static int
check_store(const struct words *words)
{
	return try_store(words, open_to_check,
	    "the store is whole: structure, and every batch against its digest");
}

static int
migrate_store(const struct words *words)
{
	return try_store(words, open_to_migrate, "the store is as this version wants it");
}

static bool
write_history(const struct words *words, const struct collector_conf *conf, struct wbuf *out,
    struct err *err)
{
	struct history_ask ask = { .store = store_open(conf->store, true, err),
		.rules = conf->rules,
		.networks = &conf->networks,
		.silent_ms = conf->silent_ms,
		.rejudge = words->rejudge };
	bool               written = ask.store != NULL && history_write(&ask, out, err);

	store_close(ask.store);
	return written;
}

static int
run_history(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct wbuf           out;
	int                   code = COMMAND_FAILED;

	wbuf_init(&out);
	if (words_read_conf(&conf, arena, words)) {
		if (write_history(words, &conf, &out, &err)) {
			fwrite(out.bytes, 1, out.count, stdout);
			code = COMMAND_WELL;
		} else {
			words_complain(&err, COMMAND_FAILED);
		}
	}
	wbuf_fini(&out);
	arena_free(arena);
	return code;
}

static const struct command commands[] = {
	{ "run", NULL, "", 0, 0, "c", COMMAND_USAGE,
	    "take the agents' results, judge them, and show them, until told to stop",
	    run_daemon },
	{ "report", NULL, "", 0, 0, "coNZW", 3,
	    "the grid of accounts, regions and agents, and each finding with cause, owner and "
	    "fix",
	    run_report },
	{ "history", NULL, "", 0, 0, "cJ", COMMAND_USAGE,
	    "each finding there was, from opening to closing, with tabs between", run_history },
	{ "token", "create", "NAME|--any", 0, 1, "cMAQEPBK", COMMAND_USAGE,
	    "make a token that lets an agent enrol, or a program read, and print it, once",
	    credentials_create },
	{ "token", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "which tokens there are, and what they are still good for",
	    credentials_list_tokens },
	{ "token", "revoke", "TOKEN", 1, 1, "c", COMMAND_USAGE,
	    "end a token for enrolment or of a reader, by its id", credentials_revoke_token },
	{ "agents", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "which agents have certificates or tokens, and until when",
	    credentials_list_agents },
	{ "agents", "revoke", "AGENT|ID", 1, 1, "c", COMMAND_USAGE,
	    "end all that lets an agent in, or one certificate or token by its id",
	    credentials_revoke },
	{ "user", "add", "NAME", 1, 1, "cP", COMMAND_USAGE,
	    "let a person see the page, by a password that is asked for or read from stdin",
	    readers_command_add },
	{ "user", "list", "", 0, 0, "c", COMMAND_USAGE, "who may see the page by a password",
	    readers_command_list },
	{ "user", "remove", "NAME", 1, 1, "c", COMMAND_USAGE, "end that, at the next request",
	    readers_command_remove },
	{ "accounts", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "read the account documents and say what is in them", accounts_list },
	{ "accounts", "add", "FILE...", 1, INT_MAX, "cP", COMMAND_USAGE,
	    "check documents that az or REST printed, and put them into accounts_dir",
	    accounts_add },
	{ "accounts", "remove", "ACCOUNT...", 1, INT_MAX, "c", COMMAND_USAGE,
	    "take the documents of accounts away from accounts_dir", accounts_remove },
	{ "accounts", "sync", "[ACCOUNT]...", 0, INT_MAX, "cSGTICRUDFXL", COMMAND_USAGE,
	    "fetch the documents of accounts from the Azure Resource Manager into accounts_dir",
	    accounts_sync },
	{ "accounts", "history", "[ACCOUNT]", 0, 1, "c", COMMAND_USAGE,
	    "when which document was new, and what changed in it", accounts_history },
	{ "config", "check", "", 0, 0, "c", COMMAND_USAGE,
	    "whether the configuration is good, with certificate and key", check_conf },
	{ "config", "dump", "", 0, 0, "c", COMMAND_USAGE,
	    "the settings in force, with an explanation of each", dump_conf },
	{ "store", "check", "", 0, 0, "c", COMMAND_USAGE,
	    "whether the store is whole; also while the collector runs", check_store },
	{ "store", "migrate", "", 0, 0, "c", COMMAND_USAGE,
	    "bring a store of an older version to this one, as `run` does when it starts",
	    migrate_store },
};

enum {
	COMMANDS = sizeof(commands) / sizeof(commands[0]),
	OPTIONS = sizeof(option_table) / sizeof(option_table[0])
};

static void
print_overview(FILE *to)
{
	char words[64];

	fputs("Usage: plprobe-collector COMMAND [OPTION]... [OPERAND]...\n\n", to);
	for (int i = 0; i < COMMANDS; i++) {
		snprintf(words, sizeof(words), "%s%s%s%s%s", commands[i].first,
		    commands[i].second != NULL ? " " : "",
		    commands[i].second != NULL ? commands[i].second : "",
		    commands[i].operands[0] != '\0' ? " " : "", commands[i].operands);
		fprintf(to, "  %-26s  %s\n", words, commands[i].what);
	}
	fputs("\n  COMMAND --help              the options of a command\n"
	      "  --version                   of the program and its libraries\n",
	    to);
}

static void
print_command(const struct command *command)
{
	char option[64], letter[8], value[24];

	printf("Usage: plprobe-collector %s%s%s [OPTION]...%s%s\n\n%s.\n\n", command->first,
	    command->second != NULL ? " " : "", command->second != NULL ? command->second : "",
	    command->operands[0] != '\0' ? " " : "", command->operands, command->what);
	for (int i = 0; i < OPTIONS; i++) {
		const struct option_row *row = &option_table[i];

		if (strchr(command->options, row->letter) == NULL)
			continue;
		/* Capital letters only tell the rows apart. */
		if (row->letter >= 'a')
			snprintf(letter, sizeof(letter), "-%c,", row->letter);
		if (row->value == NULL)
			snprintf(value, sizeof(value), "%s", "");
		else if (row->value[0] == '[')
			snprintf(value, sizeof(value), "[=%s", row->value + 1);
		else
			snprintf(value, sizeof(value), "=%s", row->value);
		snprintf(option, sizeof(option), "%-3s --%s%s",
		    row->letter >= 'a' ? letter : "", row->name, value);
		printf("  %-24s  %s\n", option, row->what);
	}
	printf("  %-24s  %s\n", "-h, --help", "this text");
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
print_versions(void)
{
	printf("plprobe-collector %s\nSQLite %s\n%s\n%s\n", PLPROBE_VERSION,
	    store_sqlite_version(), listen_tls_version(), bulletin_library());
	return COMMAND_WELL;
}

/* The words that may stand at a place, for "did you mean". */
static int
refuse_word(const char *first, const char *word)
{
	const char *near, *words[COMMANDS + 1];
	int         count = 0;

	for (int i = 0; i < COMMANDS; i++) {
		if (first == NULL)
			words[count++] = commands[i].first;
		else if (strcmp(commands[i].first, first) == 0 && commands[i].second != NULL)
			words[count++] = commands[i].second;
	}
	words[count] = NULL;
	near = text_nearest(word, words);
	fprintf(stderr, "plprobe-collector: there is no command '%s%s%s'%s%s%s\n",
	    first != NULL ? first : "", first != NULL ? " " : "", word,
	    near != NULL ? "; did you mean '" : "; see plprobe-collector --help",
	    near != NULL ? near : "", near != NULL ? "'?" : "");
	return COMMAND_USAGE;
}

/* "token" alone. */
static int
refuse_half(const char *first)
{
	const char *between = "";

	fprintf(stderr, "plprobe-collector: wanted after '%s': ", first);
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].first, first) != 0)
			continue;
		fprintf(stderr, "%s%s", between, commands[i].second);
		between = " or ";
	}
	fprintf(stderr, "; see plprobe-collector --help\n");
	return COMMAND_USAGE;
}

static bool
is_first(const char *word)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].first, word) == 0)
			return true;
	}
	return false;
}

static const struct command *
find_command(const char *first, const char *second)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].first, first) == 0 &&
		    (commands[i].second == NULL ||
		        (second != NULL && strcmp(commands[i].second, second) == 0)))
			return &commands[i];
	}
	return NULL;
}

/* The command's own options as getopt_long(3) wants them. */
static void
list_options(const struct command *command, struct option *options)
{
	int count = 0;

	for (int i = 0; i < OPTIONS; i++) {
		if (strchr(command->options, option_table[i].letter) != NULL)
			options[count++] = (struct option){ option_table[i].name,
				option_table[i].value == NULL         ? no_argument
				    : option_table[i].value[0] == '[' ? optional_argument
				                                      : required_argument,
				NULL, option_table[i].letter };
	}
	options[count++] = (struct option){ "help", no_argument, NULL, 'h' };
	options[count] = (struct option){ 0 };
}

/* The option that was meant, for a long one that does not exist. */
static void
suggest_option(const struct option *options, const char *wrong)
{
	const char *names[OPTIONS + 2], *near;
	char        name[40];
	int         count = 0;

	for (; options[count].name != NULL; count++)
		names[count] = options[count].name;
	names[count] = NULL;
	if (wrong == NULL || strncmp(wrong, "--", 2) != 0)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(wrong + 2, "="), wrong + 2);
	near = text_nearest(name, names);
	if (near != NULL && strcmp(near, name) != 0)
		fprintf(stderr, "plprobe-collector: did you mean '--%s'?\n", near);
}

static bool
take_option(struct words *words, int letter)
{
	switch (letter) {
	case 'c': words->config = optarg; return true;
	case 'M': words->network = optarg; return true;
	case 'A': words->any = true; return true;
	case 'Q': words->uses = optarg; return true;
	case 'E': words->expires = optarg; return true;
	case 'P': words->replace = true; return true;
	case 'B': words->bearer = true; return true;
	case 'K': words->reader = true; return true;
	case 'o': words->output = optarg; return true;
	case 'N': words->no_color = true; return true;
	case 'Z': words->exit_zero = true; return true;
	case 'S': words->sync.subscription = optarg; return true;
	case 'G': words->sync.group = optarg; return true;
	case 'T': words->sync.token_file = optarg; return true;
	case 'I':
		words->sync.managed = true;
		words->sync.client_id = optarg;
		return true;
	case 'C': words->sync.cloud = optarg; return true;
	case 'R': words->sync.resource_manager = optarg; return true;
	case 'U': words->sync.authority = optarg; return true;
	case 'D': words->sync.audience = optarg; return true;
	case 'F': words->sync.ca_file = optarg; return true;
	case 'X': words->sync.imds = optarg; return true;
	case 'L': words->sync.timeout = optarg; return true;
	case 'W': words->failover = true; return true;
	case 'J': words->rejudge = true; return true;
	case 'h': words->help = true; return true;
	default: return false;
	}
}

/* argv[0] is the command's last word. */
static bool
read_words(struct words *words, const struct command *command, int argc, char **argv)
{
	struct option options[OPTIONS + 2];
	int           letter;

	list_options(command, options);
	argv[0] = (char[]){ "plprobe-collector" };
	optind = 1;
	while ((letter = getopt_long(argc, argv,
	            strchr(command->options, 'o') != NULL ? "c:o:h" : "c:h", options, NULL)) !=
	    -1) {
		if (!take_option(words, letter)) {
			suggest_option(options, argv[optind - 1]);
			return false;
		}
	}
	words->count = argc - optind;
	words->operands = argv + optind;
	if (words->help || (words->count >= command->least && words->count <= command->most))
		return true;
	fprintf(stderr, "plprobe-collector: %s%s%s takes %s; see --help\n", command->first,
	    command->second != NULL ? " " : "", command->second != NULL ? command->second : "",
	    command->operands[0] != '\0' ? command->operands : "no operands");
	return false;
}

int
command_run(int argc, char **argv)
{
	struct words          words = { 0 };
	const struct command *command;
	int                   skip;

	if (argc < 2) {
		print_overview(stderr);
		return COMMAND_USAGE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return print_versions();
	if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		print_overview(stdout);
		return COMMAND_WELL;
	}
	if (!is_first(argv[1]))
		return refuse_word(NULL, argv[1]);
	command = find_command(argv[1], argc > 2 ? argv[2] : NULL);
	if (command == NULL && argc > 2 && is_help(argv[2])) {
		print_overview(stdout);
		return COMMAND_WELL;
	}
	if (command == NULL && argc == 2)
		return refuse_half(argv[1]);
	if (command == NULL)
		return refuse_word(argv[1], argv[2]);
	skip = command->second != NULL ? 2 : 1;
	if (!read_words(&words, command, argc - skip, argv + skip))
		return command->usage;
	if (words.help) {
		print_command(command);
		return COMMAND_WELL;
	}
	return command->run(&words);
}
