#include "agent/config.h"

#include "agent/access.h"
#include "agent/agent_conf.h"
#include "agent/assign.h"
#include "agent/credential.h"
#include "agent/policy.h"
#include "agent/secret_file.h"
#include "analyze/account.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/wbuf.h"
#include "proto/decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct cli_option options_table[] = {
	{ "config", 'c', "PATH", "file to read; " AGENT_CONF_FILE },
	{ 0 },
};

static int config_main(int argc, char **argv);

const struct cli_command config_command = {
	"config",
	"check|dump [OPTION...]",
	"Tries the configuration of the agent, or prints what it amounts to",
	"check reads it as the agent would, with the documents it names, and says what is "
	"wrong.\n"
	"dump prints every setting in force, with what it is for; the output is a "
	"configuration,\n"
	"and without a file it is the one to begin with.\n"
	"Exit code: 0, 1 when the configuration is wrong, 2 for wrong arguments.\n",
	options_table,
	EXIT_USAGE,
	config_main,
};

/* Everything that the agent would trip over later. */
static bool
check_documents(struct arena *arena, const struct agent_conf *conf, struct err *err)
{
	struct support_more         own = { conf->suffixes.texts, conf->suffixes.count };
	const struct agent_account *accounts = conf->accounts.rows;
	const struct account       *named;

	for (size_t i = 0; i < conf->accounts.count; i++) {
		if (accounts[i].document[0] != '\0') {
			const struct account_list *list = account_read(
			    arena, accounts[i].document, err);

			if (list == NULL)
				return false;
			if (list->count == 0)
				return err_set(err, ERR_USAGE,
				    "accounts: %s holds no account; `az cosmosdb show` wanted",
				    accounts[i].document);
		} else {
			named = account_named_more(arena, accounts[i].name, &own, err);
			if (named == NULL)
				return err_in(err, "accounts: entry %zu", i + 1);
			if (named->warning[0] != '\0')
				fprintf(stderr, "plprobe config: accounts: entry %zu: %s\n",
				    i + 1, named->warning);
		}
	}
	return true;
}

/* Names that the agent's own policy would refuse: it would start, and measure nothing of them. */
static bool
check_policy(struct arena *arena, const struct agent_conf *conf, struct err *err)
{
	struct wbuf        out;
	struct assignment *assignment = NULL;
	bool               done;

	wbuf_init(&out);
	if (assign_local(conf, &out, err))
		assignment = decode_message(&assignment_desc, arena, out.bytes, out.count, err);
	done = assignment != NULL;
	for (size_t i = 0; done && i < assignment->targets_count; i++)
		done = policy_takes(conf, &assignment->targets[i], err) ||
		    err_in(err, "accounts");
	wbuf_fini(&out);
	return done;
}

static bool
check_files(const struct agent_conf *conf, struct err *err)
{
	const struct {
		const char *name, *path;
	} files[] = { { "collector_ca", conf->collector_ca }, { "ca_file", conf->ca_file } };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].path[0] != '\0' && access(files[i].path, R_OK) != 0)
			return err_errno(err, "%s: %s", files[i].name, files[i].path);
	}
	return true;
}

/* Where no file is named, systemd brings the token, and not to us. */
static bool
check_token(struct arena *arena, const struct agent_conf *conf, struct err *err)
{
	char *token;

	if (conf->collector[0] == '\0' || conf->token_file[0] == '\0')
		return true;
	token = agent_conf_token(arena, conf, err);
	if (token != NULL)
		digest_wipe(token, strlen(token));
	return token != NULL;
}

/* As check_token(): what systemd brings is not brought to us. */
static bool
check_credentials(const struct agent_conf *conf, struct err *err)
{
	const struct access *access = conf->access.rows;

	for (size_t i = 0; i < conf->access.count; i++) {
		struct credential_source source = credential_of(conf, &access[i]);

		if (source.kind == CREDENTIAL_NONE || secret_file_is_placed(source.path))
			continue;
		if (!credential_check(&source, err))
			return err_in(err, "access: entry %zu", i + 1);
	}
	return true;
}

static int
run_check(struct arena *arena, const char *path)
{
	struct err         err;
	struct agent_conf *conf = agent_conf_read(arena, path, &err);

	if (conf == NULL || !check_documents(arena, conf, &err) ||
	    !check_policy(arena, conf, &err) || !check_files(conf, &err) ||
	    !check_token(arena, conf, &err) || !check_credentials(conf, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILED;
	}
	if (conf->outside_count > policy_outside(conf))
		fprintf(stderr,
		    "plprobe config: outside_resolvers: never asked, since the policy file has "
		    "'outside' or 'public' false\n");
	printf("%s: good\n", path);
	return 0;
}

/* Also of settings that are not enough to run on: what is printed is where one begins. */
static int
run_dump(struct arena *arena, const char *path, bool preset_path)
{
	bool               absent = preset_path && access(path, F_OK) != 0 && errno == ENOENT;
	struct err         err;
	struct agent_conf *conf = agent_conf_load(arena, path, absent, &err);
	struct wbuf        out;

	if (conf == NULL) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILED;
	}
	if (absent)
		fprintf(stderr, "%s: no such file; these are the presets\n", path);
	else if (!agent_conf_settle(conf, arena, &err))
		fprintf(stderr, "%s: not enough to run on: %s\n", path, err.text);
	wbuf_init(&out);
	conf_dump(conf, agent_conf_rows, &out);
	fputs(wbuf_text(&out), stdout);
	wbuf_fini(&out);
	return 0;
}

static bool
is_verb(int argc, char **argv, int operand, struct err *err)
{
	static const char *const verbs[] = { "check", "dump", NULL };
	const char              *near;

	if (argc - operand != 1)
		return err_set(err, ERR_USAGE, "'check' or 'dump' wanted");
	if (strcmp(argv[operand], verbs[0]) == 0 || strcmp(argv[operand], verbs[1]) == 0)
		return true;
	near = text_nearest(argv[operand], verbs);
	if (near == NULL)
		return err_set(err, ERR_USAGE, "'%s': 'check' or 'dump' wanted", argv[operand]);
	return err_set(err, ERR_USAGE, "'%s'; did you mean '%s'?", argv[operand], near);
}

static int
config_main(int argc, char **argv)
{
	struct arena *arena;
	const char   *path = NULL, *preset = AGENT_CONF_FILE;
	struct cli    cli;
	struct err    err;
	int           option, code;

	cli_init(&cli, &config_command, argc, argv);
	while ((option = cli_next(&cli, &err)) >= 0)
		path = cli.value;
	if (option == CLI_HELP)
		return cli_show_help(&config_command);
	if (option != CLI_OVER || !is_verb(argc, argv, cli.operand, &err))
		return cli_refuse(&config_command, &err);
	arena = arena_new();
	if (strcmp(argv[cli.operand], "check") == 0)
		code = run_check(arena, path != NULL ? path : preset);
	else
		code = run_dump(arena, path != NULL ? path : preset, path == NULL);
	arena_free(arena);
	return code;
}
