#include "collector/command.h"

#include "base/clock.h"
#include "base/conf_unit.h"
#include "base/digest.h"
#include "base/text.h"
#include "collector/auth.h"
#include "collector/bulletin.h"
#include "collector/collector.h"
#include "collector/collector_conf.h"
#include "collector/documents.h"
#include "collector/listen_tls.h"
#include "collector/roster.h"
#include "collector/store/store.h"
#include "collector/store/store_sqlite.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the options of any command say, and what follows them. */
struct words {
	const char  *config; /* NULL: the system's file */
	const char  *network;
	const char  *output, *uses, *expires;
	bool         any, bearer, replace;
	bool         no_color, exit_zero, help;
	int          count; /* operands */
	char *const *operands;
};

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
	{ 'U', "uses", "NUMBER", "for so many agents, each its own key; 1" },
	{ 'E', "expires", "TIME", "usable for so long, as in 30m, 12h, 7d; 1h" },
	{ 'R', "replace", NULL, "also in the place of an agent of that name that is enrolled" },
	{ 'B', "bearer", NULL,
	    "no enrolment: a token that the agent shows each time, for ever" },
	{ 'o', "output", "FORMAT", "table (preset), json or csv" },
	{ 'N', "no-color", NULL, "no colours, as with NO_COLOR set" },
	{ 'Z', "exit-zero", NULL, "exit 0 whatever the report says" },
};

static int
complain(const struct err *err, int code)
{
	fprintf(stderr, "plprobe-collector: %s\n", err->text);
	return code;
}

/* Reads the configuration; the arena holds it. */
static bool
read_conf(struct collector_conf *conf, struct arena *arena, const struct words *words)
{
	struct err err = { 0 };

	if (collector_conf_read(conf, arena, words->config, &err))
		return true;
	complain(&err, COMMAND_FAILED);
	return false;
}

static int
run_daemon(const struct words *words)
{
	struct err        err = { 0 };
	struct collector *collector = collector_new(words->config, &err);

	if (collector == NULL)
		return complain(&err, COMMAND_FAILED);
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
		  .exit_zero = words->exit_zero };
	int                   code = 3;

	if (read_conf(&conf, arena, words))
		code = bulletin_run(&ask);
	arena_free(arena);
	return code;
}

static bool
refuse_words(const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, "token create: %s; see --help", why);
}

/* Which options go together. */
static bool
check_create(const struct words *words, struct err *err)
{
	if (words->count == 0 && !words->any)
		return refuse_words("an AGENT wanted, or --any", err);
	if (words->count == 1 && words->any)
		return refuse_words("either an AGENT or --any wanted", err);
	if (words->bearer && (words->any || words->uses || words->expires || words->replace))
		return refuse_words("--bearer goes with an AGENT and --network alone", err);
	return true;
}

/* What a token for enrolment is good for. */
static bool
read_limits(
    struct roster_line *line, const struct words *words, int64_t now_ms, struct err *err)
{
	int64_t life_ms = MS_PER_HOUR;
	char   *end;

	*line = (struct roster_line){ .agent = words->any ? "" : words->operands[0],
		.network = words->network != NULL ? words->network : "",
		.from = "",
		.uses = 1,
		.replace = words->replace };
	if (words->uses != NULL) {
		line->uses = strtoll(words->uses, &end, 10);
		if (*end != '\0' || words->uses[0] < '0' || words->uses[0] > '9')
			return err_set(
			    err, ERR_USAGE, "--uses: '%.40s': a number wanted", words->uses);
	}
	if (words->expires != NULL && !conf_unit_parse(&life_ms, CONF_MS, words->expires, err))
		return err_in(err, "--expires");
	if (life_ms < MS_PER_S || life_ms > 366 * MS_PER_DAY)
		return err_set(err, ERR_USAGE, "--expires: 1s to 366d wanted");
	line->ends_ms = now_ms + life_ms;
	return true;
}

static bool
make_token(
    const struct collector_conf *conf, const struct words *words, char *token, struct err *err)
{
	int64_t            now_ms = clock_wall_ms(clock_system());
	struct roster_line line;

	if (words->bearer)
		return auth_create(
		    conf->tokens, words->operands[0], words->network, now_ms, token, err);
	return read_limits(&line, words, now_ms, err) &&
	    roster_create_token(conf->roster, &line, now_ms, token, err);
}

static int
create_token(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	char                  token[AUTH_TOKEN_ROOM];
	int                   code = COMMAND_FAILED;

	if (!check_create(words, &err)) {
		code = complain(&err, COMMAND_USAGE);
	} else if (read_conf(&conf, arena, words)) {
		if (make_token(&conf, words, token, &err)) {
			puts(token);
			code = COMMAND_WELL;
		} else {
			code = complain(
			    &err, err.kind == ERR_USAGE ? COMMAND_USAGE : COMMAND_FAILED);
		}
		digest_wipe(token, sizeof(token));
	}
	arena_free(arena);
	return code;
}

/* What agents show, opened for a listing; both NULL when false is returned. */
struct listing {
	struct arena         *arena;
	struct collector_conf conf;
	struct auth          *auth;
	struct roster        *roster;
	int64_t               now_ms;
};

static void
close_listing(struct listing *listing)
{
	auth_free(listing->auth);
	roster_free(listing->roster);
	arena_free(listing->arena);
}

static bool
open_listing(struct listing *listing, const struct words *words)
{
	struct err err = { 0 };

	*listing = (struct listing){ .arena = arena_new(),
		.now_ms = clock_wall_ms(clock_system()) };
	if (!read_conf(&listing->conf, listing->arena, words))
		return false;
	listing->auth = auth_open(listing->conf.tokens, clock_system(), &err);
	if (listing->auth != NULL)
		listing->roster = roster_open(listing->conf.roster, &err);
	if (listing->roster == NULL)
		complain(&err, COMMAND_FAILED);
	return listing->roster != NULL;
}

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static const char *
name_state(const struct listing *listing, const struct roster_card *card)
{
	switch (roster_card_state(listing->roster, card, listing->now_ms)) {
	case ROSTER_VALID: return card->used ? "valid" : "not used yet";
	case ROSTER_REVOKED: return "revoked";
	case ROSTER_ENDED: return "ended";
	case ROSTER_REPLACED:
	case ROSTER_UNKNOWN: break;
	}
	return NULL;
}

/* Certificates that a later one has replaced are left out. */
static int
list_agents(const struct words *words)
{
	struct listing listing;
	char           since[CLOCK_TEXT], ends[CLOCK_TEXT];
	bool           good = open_listing(&listing, words);

	if (good)
		printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", "AGENT", "NETWORK",
		    "CERTIFICATE OR TOKEN", "SINCE", "ENDS", "STATE");
	for (size_t i = 0; good && i < roster_cards(listing.roster); i++) {
		const struct roster_card *card = roster_card_at(listing.roster, i);
		const char               *state = name_state(&listing, card);

		if (state != NULL)
			printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", card->line.agent,
			    or_dash(card->line.network), card->line.id,
			    clock_render(card->line.at_ms, since, sizeof(since)),
			    clock_render(card->line.ends_ms, ends, sizeof(ends)), state);
	}
	for (size_t i = 0; good && i < auth_count(listing.auth); i++) {
		const struct auth_agent *who = auth_at(listing.auth, i);

		printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", who->agent,
		    or_dash(who->network), who->id,
		    clock_render(who->created_ms, since, sizeof(since)), "-", "token");
	}
	close_listing(&listing);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

static const char *
name_token_state(const struct listing *listing, const struct roster_token *token)
{
	if (token->revoked)
		return "revoked";
	if (token->used >= token->line.uses)
		return "used up";
	return listing->now_ms >= token->line.ends_ms ? "expired" : "usable";
}

static int
list_tokens(const struct words *words)
{
	struct listing listing;
	char           ends[CLOCK_TEXT], uses[48];
	bool           good = open_listing(&listing, words);

	if (good)
		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", "TOKEN", "AGENT", "NETWORK",
		    "USED", "EXPIRES", "STATE");
	for (size_t i = 0; good && i < roster_tokens(listing.roster); i++) {
		const struct roster_token *token = roster_token_at(listing.roster, i);

		snprintf(uses, sizeof(uses), "%lld of %lld", (long long)token->used,
		    (long long)token->line.uses);
		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", token->line.id,
		    token->line.agent[0] != '\0' ? token->line.agent : "(any)",
		    or_dash(token->line.network), uses,
		    clock_render(token->line.ends_ms, ends, sizeof(ends)),
		    name_token_state(&listing, token));
	}
	for (size_t i = 0; good && i < auth_count(listing.auth); i++) {
		const struct auth_agent *who = auth_at(listing.auth, i);

		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", who->id, who->agent,
		    or_dash(who->network), "-", "-", "bearer");
	}
	close_listing(&listing);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

/* The certificates of an authority of the operator's are not counted here. */
static int
tell_revoked(const char *what, size_t tokens, size_t cards, const char *client_ca)
{
	printf("revoked of %s: %zu token%s, %zu certificate%s\n", what, tokens,
	    tokens != 1 ? "s" : "", cards, cards != 1 ? "s" : "");
	if (client_ca[0] != '\0')
		printf("refused: what %s has signed for it until now\n", client_ca);
	if (tokens + cards > 0 || client_ca[0] != '\0')
		return COMMAND_WELL;
	fprintf(stderr, "plprobe-collector: %s has neither token nor certificate\n", what);
	return COMMAND_FAILED;
}

/* Of an agent everything that lets it in; or one certificate; or one token. */
static int
revoke_agent(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct roster_revoked revoked = { 0 };
	size_t                bearer = 0;
	const char           *what = words->operands[0];
	int                   code = COMMAND_FAILED;

	if (read_conf(&conf, arena, words)) {
		if (auth_revoke(conf.tokens, what, &bearer, &err) &&
		    roster_revoke(
		        conf.roster, what, clock_wall_ms(clock_system()), &revoked, &err))
			code = tell_revoked(
			    what, bearer + revoked.tokens, revoked.cards, conf.client_ca);
		else
			complain(&err, COMMAND_FAILED);
	}
	arena_free(arena);
	return code;
}

static int
revoke_token(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct roster_revoked revoked = { 0 };
	const char           *id = words->operands[0];
	int                   code = COMMAND_FAILED;

	if (read_conf(&conf, arena, words)) {
		if (roster_revoke_token(
		        conf.roster, id, clock_wall_ms(clock_system()), &revoked, &err))
			code = tell_revoked(id, revoked.tokens, 0, "");
		else
			complain(&err, COMMAND_FAILED);
	}
	arena_free(arena);
	return code;
}

static void
say_broken(void *arg, const struct err *err)
{
	complain(err, COMMAND_FAILED);
}

static int
list_accounts(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct documents     *documents = NULL;
	int                   code = COMMAND_FAILED;

	if (read_conf(&conf, arena, words)) {
		documents = documents_new(conf.accounts_dir);
		documents_scan(documents, say_broken, NULL);
		code = documents_broken(documents) > 0 ? COMMAND_FAILED : COMMAND_WELL;
		printf("%-32s  %7s  %s\n", "ACCOUNT", "REGIONS", "DOCUMENT");
		for (size_t i = 0; i < documents_count(documents); i++) {
			const struct account *account = documents_at(documents, i);

			printf("%-32s  %7zu  %s\n", account->name, account->location_count,
			    account->source);
		}
	}
	documents_free(documents);
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

	if (tls == NULL) {
		complain(&err, COMMAND_FAILED);
		return false;
	}
	warning = listen_tls_warning(tls, arena, clock_wall_ms(clock_system()));
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
	bool good = read_conf(&conf, arena, words) && check_certificate(arena, &conf);

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
	bool                  good = read_conf(&conf, arena, words);

	if (good) {
		wbuf_init(&out);
		conf_dump(&conf, collector_conf_rows, &out);
		fputs(wbuf_text(&out), stdout);
		wbuf_fini(&out);
	}
	arena_free(arena);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

static int
check_store(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct store         *store = NULL;
	int                   code = COMMAND_FAILED;

	if (read_conf(&conf, arena, words)) {
		store = store_open(conf.store, true, &err);
		if (store != NULL && store_check(store, &err)) {
			puts("the store is whole: structure, and every batch against its "
			     "digest");
			code = COMMAND_WELL;
		} else {
			complain(&err, COMMAND_FAILED);
		}
	}
	store_close(store);
	arena_free(arena);
	return code;
}

static const struct command commands[] = {
	{ "run", NULL, "", 0, 0, "c", COMMAND_USAGE,
	    "take the agents' results, judge them, and show them, until told to stop",
	    run_daemon },
	{ "report", NULL, "", 0, 0, "coNZ", 3,
	    "the grid of accounts, regions and agents, and each finding with cause, owner and "
	    "fix",
	    run_report },
	{ "token", "create", "AGENT|--any", 0, 1, "cMAUERB", COMMAND_USAGE,
	    "make a token that lets an agent enrol and print it, once", create_token },
	{ "token", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "which tokens there are, and what they are still good for", list_tokens },
	{ "token", "revoke", "TOKEN", 1, 1, "c", COMMAND_USAGE,
	    "end a token for enrolment, by its id", revoke_token },
	{ "agents", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "which agents have certificates or tokens, and until when", list_agents },
	{ "agents", "revoke", "AGENT|ID", 1, 1, "c", COMMAND_USAGE,
	    "end all that lets an agent in, or one certificate or token by its id",
	    revoke_agent },
	{ "accounts", "list", "", 0, 0, "c", COMMAND_USAGE,
	    "read the account documents and say what is in them", list_accounts },
	{ "config", "check", "", 0, 0, "c", COMMAND_USAGE,
	    "whether the configuration is good, with certificate and key", check_conf },
	{ "config", "dump", "", 0, 0, "c", COMMAND_USAGE,
	    "the settings in force, with an explanation of each", dump_conf },
	{ "store", "check", "", 0, 0, "c", COMMAND_USAGE,
	    "whether the store is whole; also while the collector runs", check_store },
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
	char option[40], letter[8];

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
		snprintf(option, sizeof(option), "%-3s --%s%s%s",
		    row->letter >= 'a' ? letter : "", row->name, row->value != NULL ? "=" : "",
		    row->value != NULL ? row->value : "");
		printf("  %-22s  %s\n", option, row->what);
	}
	printf("  %-22s  %s\n", "-h, --help", "this text");
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
				option_table[i].value != NULL ? required_argument : no_argument,
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
	case 'U': words->uses = optarg; return true;
	case 'E': words->expires = optarg; return true;
	case 'R': words->replace = true; return true;
	case 'B': words->bearer = true; return true;
	case 'o': words->output = optarg; return true;
	case 'N': words->no_color = true; return true;
	case 'Z': words->exit_zero = true; return true;
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
