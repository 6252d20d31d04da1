#include "agent/enroll_cmd.h"

#include "agent/agent_conf.h"
#include "agent/courier.h"
#include "agent/identity.h"
#include "agent/pin.h"
#include "agent/secret_file.h"
#include "base/clock.h"
#include "base/confine.h"
#include "base/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, TOKEN_ROOM = 200, TRIES = 3 };

static const char    token_prefix[] = "enroll-";
static const int64_t limit_ms = 20 * MS_PER_S;

/* In the order of the table below. */
enum option {
	OPTION_COLLECTOR,
	OPTION_CA,
	OPTION_TOKEN,
	OPTION_AGENT,
	OPTION_NETWORK,
	OPTION_CONFIG,
	OPTIONS
};

static const struct cli_option options_table[] = {
	{ "collector", 0, "URL", "https://host:port of the collector" },
	{ "ca", 0, "FILE",
	    "PEM file of the authority of its certificate; what the token names, or the "
	    "system's roots" },
	{ "token-file", 0, "FILE",
	    "file with the token, mode 0600; -: standard input, which is preset" },
	{ "agent", 0, "ID", "name of this agent; the host name" },
	{ "network", 0, "NAME", "this machine's place, for example vnet-a/default" },
	{ "config", 'c', "PATH", "file with what is not given here; " AGENT_CONF_FILE },
	{ 0 },
};

static int enroll_main(int argc, char **argv);

const struct cli_command enroll_command = {
	"enroll",
	"[OPTION...]",
	"Gets this machine a certificate from a collector, for a token",
	"Makes a key, which never leaves the machine, has the collector sign it, and puts both "
	"in\n"
	"identity.pem of `state_dir`. The token is made by `plprobe-collector token create`.\n"
	"A token that names the key of the collector's authority takes the place of --ca.\n"
	"The agent renews the certificate by itself; one that runs takes a new one within 30 "
	"s.\n"
	"Exit code: 0, 1 when it is refused or fails, 2 for wrong arguments.\n",
	options_table,
	EXIT_USAGE,
	enroll_main,
};

/* One enrolment; the arena is wiped. */
struct errands {
	struct arena            *arena;
	const struct agent_conf *conf;
	const char              *token;
	const char  *pin;     /* of the collector's authority; NULL: the token has none */
	const char  *ca_file; /* that vouches for the collector; "": the system's roots */
	char        *key;
	struct loop *loop;
	struct wbuf  body;
	unsigned     status;
	const char  *words; /* of the refusal, or of what went wrong */
	struct enroll_given given;
	bool                done;
};

static bool
read_line(char *token, size_t room, struct err *err)
{
	size_t count = 0;
	int    letter;

	while ((letter = getchar()) != EOF && letter != '\n' && letter != '\r') {
		if (count + 1 == room)
			return err_set(err, ERR_LIMIT,
			    "standard input: a longer line than a "
			    "token");
		token[count++] = (char)letter;
	}
	token[count] = '\0';
	return strlen(token) == count ||
	    err_set(err, ERR_PARSE, "standard input: a NUL; a token wanted");
}

/* Behind a second dot: the key of the collector's authority, which is no secret. */
static bool
cut_pin(char *token, const char **pin, const char *path, struct err *err)
{
	char *dot = strchr(token, '.');

	dot = dot != NULL ? strchr(dot + 1, '.') : NULL;
	*pin = NULL;
	if (dot == NULL)
		return true;
	*dot = '\0';
	*pin = dot + 1;
	return strlen(*pin) == ENROLL_PIN_ROOM - 2 ||
	    err_set(err, ERR_USAGE, "%s: the token is not whole", path);
}

static bool
read_token(char *token, const char **pin, size_t room, const char *path, struct err *err)
{
	if (path == NULL || strcmp(path, "-") == 0) {
		path = "standard input";
		if (isatty(STDIN_FILENO))
			fputs("token: ", stderr);
		if (!read_line(token, room, err))
			return false;
	} else if (!secret_file_read(path, token, room, err)) {
		return false;
	}
	if (strncmp(token, token_prefix, sizeof(token_prefix) - 1) == 0)
		return cut_pin(token, pin, path, err);
	return err_set(err, ERR_USAGE,
	    "%s: no token for enrolment, which begins with '%s'; `plprobe-collector token "
	    "create AGENT` makes one",
	    path, token_prefix);
}

/* What the options say goes before the file. */
static bool
settle(struct agent_conf *conf, struct arena *arena, const char *const *said, struct err *err)
{
	char host[256] = "";

	if (said[OPTION_COLLECTOR] != NULL)
		conf->collector = said[OPTION_COLLECTOR];
	if (said[OPTION_CA] != NULL)
		conf->collector_ca = said[OPTION_CA];
	if (said[OPTION_AGENT] != NULL)
		conf->agent = said[OPTION_AGENT];
	if (said[OPTION_NETWORK] != NULL)
		conf->network = said[OPTION_NETWORK];
	if (conf->agent[0] == '\0' && gethostname(host, sizeof(host) - 1) == 0)
		conf->agent = arena_strdup(arena, host);
	if (conf->collector[0] == '\0')
		return err_set(err, ERR_USAGE, "--collector https://host:port wanted");
	if (!agent_conf_check_collector(conf->collector, err))
		return err_in(err, "--collector");
	if (conf->collector_ca[0] != '\0' && access(conf->collector_ca, R_OK) != 0)
		return err_errno(err, "--ca %s", conf->collector_ca);
	return agent_conf_check_agent(conf->agent, err);
}

static void
on_answer(void *arg, const struct courier_answer *answer)
{
	struct errands *errands = arg;
	struct err      err;

	errands->status = answer->status;
	if (answer->status == 0)
		errands->words = arena_strdup(errands->arena, answer->trouble);
	else if (answer->status != 200)
		errands->words = enroll_reason(errands->arena, answer->body, answer->count);
	else if (enroll_answer_read(&errands->given, errands->arena, errands->key, answer->body,
	             answer->count, &err))
		errands->done = true;
	else
		errands->words = arena_strdup(errands->arena, err.text);
	loop_stop(errands->loop);
}

/* Again with the same key where nothing is heard: the collector knows it by its key. */
static bool
ask(struct errands *errands, struct courier *courier)
{
	const struct timespec pause = { .tv_sec = 1 };
	struct errand        *errand = errand_new(courier, on_answer, errands);

	for (int tries = 0; tries < TRIES; tries++) {
		if (tries > 0)
			nanosleep(&pause, NULL);
		errand_post(errand, "/v1/enroll", "application/vnd.msgpack", "",
		    errands->body.bytes, errands->body.count);
		loop_run(errands->loop);
		if (errands->status != 0)
			break;
	}
	errand_free(errand);
	return errands->done;
}

/* What to do about a refusal that the collector's own words do not say. */
static const char *
find_advice(const struct errands *errands)
{
	if (errands->status == 0 && strstr(errands->words, "certificate") != NULL)
		return "; --ca FILE: the authority of the collector's certificate";
	if (errands->status == 404)
		return "; is this the address for agents, of a collector that enrols?";
	if (errands->status == 401)
		return "; is it a token of this collector, and whole?";
	return "";
}

static bool
run_errands(struct errands *errands, struct err *err)
{
	const struct enroll_ask said = { errands->key, errands->token, errands->conf->agent,
		errands->conf->network };
	struct courier         *courier;
	bool                    done;

	if (!enroll_ask_write(&said, &errands->body, err))
		return false;
	courier = courier_new(&(struct courier_options){ .loop = errands->loop,
	                          .url = errands->conf->collector,
	                          .ca_file = errands->ca_file,
	                          .limit_ms = limit_ms },
	    err);
	if (courier == NULL)
		return false;
	done = ask(errands, courier);
	courier_free(courier);
	if (done)
		return true;
	if (errands->status == 0)
		return err_set(err, ERR_PEER, "%s: not reached: %s%s", errands->conf->collector,
		    errands->words, find_advice(errands));
	return err_set(err, ERR_PEER, "%s refuses (%u): %s%s", errands->conf->collector,
	    errands->status, errands->words, find_advice(errands));
}

/* What vouches for the collector is known before anything is sent to it: by the setting, by the
 * token, or by the system.  Where the token names a key it must be there in any case. */
static bool
find_authority(struct errands *errands, struct pin_found *found, struct err *err)
{
	const struct agent_conf *conf = errands->conf;

	errands->ca_file = conf->collector_ca;
	if (errands->pin == NULL)
		return true;
	if (!pin_find(found, errands->arena, conf->collector, errands->pin, limit_ms, err))
		return false;
	if (conf->collector_ca[0] != '\0')
		return true;
	if (!identity_store(conf->state_dir, IDENTITY_COLLECTOR_NEXT, found->pem, err))
		return false;
	errands->ca_file = identity_path(
	    errands->arena, conf->state_dir, IDENTITY_COLLECTOR_NEXT);
	return true;
}

/* It has vouched for the collector, and does so from now on.  What is no root is exchanged one day,
 * so it is kept only where the system would not do. */
static bool
keep_authority(const struct errands *errands, const struct pin_found *found, struct err *err)
{
	const struct agent_conf *conf = errands->conf;

	if (found->pem == NULL || conf->collector_ca[0] != '\0')
		return true;
	if (!found->root && pin_is_public(conf->collector, limit_ms)) {
		identity_drop(conf->state_dir, IDENTITY_COLLECTOR);
		return true;
	}
	if (!found->root)
		fputs(
		    "plprobe enroll: the collector shows no root; when the certificate that "
		    "the "
		    "token named is exchanged, this machine has to be enrolled again, or needs "
		    "'collector_ca'\n",
		    stderr);
	return identity_store(conf->state_dir, IDENTITY_COLLECTOR, found->pem, err);
}

static bool
get_certificate(struct errands *errands, struct err *err)
{
	struct pin_found found = { 0 };
	bool             done = false;

	errands->key = enroll_key_new(errands->arena);
	errands->loop = loop_new(err);
	errands->words = "";
	wbuf_init(&errands->body);
	if (errands->loop != NULL && find_authority(errands, &found, err))
		done = run_errands(errands, err) && keep_authority(errands, &found, err);
	identity_drop(errands->conf->state_dir, IDENTITY_COLLECTOR_NEXT);
	if (errands->body.count > 0)
		digest_wipe(errands->body.bytes, errands->body.count);
	wbuf_fini(&errands->body);
	loop_free(errands->loop);
	return done &&
	    identity_store(errands->conf->state_dir, IDENTITY_NOW, errands->given.pem, err);
}

static void
say_done(const struct errands *errands)
{
	const struct enroll_given *given = &errands->given;
	char                       when[CLOCK_TEXT];

	printf("enrolled as %s%s%s; certificate until %s, in %s/identity.pem\n", given->agent,
	    given->network[0] != '\0' ? ", network " : "", given->network,
	    clock_render(given->ends_ms, when, sizeof(when)), errands->conf->state_dir);
}

/* Before a token is spent on what cannot be kept. */
static bool
check_folder(const char *folder, struct err *err)
{
	if ((mkdir(folder, 0700) != 0 && errno != EEXIST) || access(folder, W_OK | X_OK) != 0)
		return err_errno(err, "state_dir: %s", folder);
	return true;
}

static bool
run_enroll(struct arena *arena, const char *const *said, int *code, struct err *err)
{
	const char *path = said[OPTION_CONFIG] != NULL ? said[OPTION_CONFIG] : AGENT_CONF_FILE;
	bool        absent = said[OPTION_CONFIG] == NULL && access(path, F_OK) != 0;
	struct agent_conf *conf = agent_conf_load(arena, path, absent, err);
	char              *token = arena_alloc(arena, TOKEN_ROOM);
	struct errands     errands = { .arena = arena, .conf = conf, .token = token };

	if (conf == NULL)
		return false;
	if (!settle(conf, arena, said, err)) {
		*code = EXIT_USAGE;
		return false;
	}
	if (!check_folder(conf->state_dir, err) ||
	    !read_token(token, &errands.pin, TOKEN_ROOM, said[OPTION_TOKEN], err) ||
	    !get_certificate(&errands, err))
		return false;
	say_done(&errands);
	return true;
}

static int
enroll_main(int argc, char **argv)
{
	const char   *said[OPTIONS] = { NULL };
	struct arena *arena;
	struct cli    cli;
	struct err    err;
	int           option, code = EXIT_FAILED;

	cli_init(&cli, &enroll_command, argc, argv);
	while ((option = cli_next(&cli, &err)) >= 0)
		said[option] = cli.value;
	if (option == CLI_HELP)
		return cli_show_help(&enroll_command);
	if (option == CLI_OVER && cli.operand < argc) {
		err_set(&err, ERR_USAGE, "'%s' is not an option", argv[cli.operand]);
		option = CLI_WRONG;
	}
	if (option != CLI_OVER)
		return cli_refuse(&enroll_command, &err);
	confine_daemon();
	arena = arena_new();
	if (run_enroll(arena, said, &code, &err))
		code = 0;
	else
		fprintf(stderr, "plprobe enroll: %s\n", err.text);
	arena_free_wiped(arena);
	return code;
}
