#include "agent/agent.h"

#include "agent/agent_conf.h"
#include "agent/channel.h"
#include "agent/prober.h"
#include "agent/shipper.h"
#include "base/confine.h"

#include <stdio.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const struct cli_option options_table[] = {
	{ "config", 'c', "PATH", "file to read; " AGENT_CONF_FILE },
	{ 0 },
};

static int agent_main(int argc, char **argv);

const struct cli_command agent_command = {
	"agent",
	"[OPTION...]",
	"Measures accounts for ever, and brings the results to a collector",
	"In the foreground, logging to stderr. SIGHUP reads the configuration again, SIGTERM\n"
	"stops measuring, and sends what can be sent within 5 seconds.\n",
	options_table,
	EXIT_USAGE,
	agent_main,
};

static int
run_prober(struct arena *arena, struct agent_conf *conf, int fd)
{
	log_open("prober", conf->log_level, conf->log_format);
	return prober_run(&(struct prober_ask){ .arena = arena, .conf = conf, .fd = fd });
}

/* The prober is the child: the service manager knows the shipper, and the shipper has not yet
 * touched anything that the prober should not have. */
static int
part(const char *path, struct arena *arena, struct agent_conf *conf)
{
	struct err err;
	int        ends[2];
	pid_t      child;

	if (!channel_pair(ends, &err)) {
		fprintf(stderr, "plprobe agent: %s\n", err.text);
		return EXIT_FAILED;
	}
	child = fork();
	if (child < 0) {
		perror("plprobe agent: fork");
		return EXIT_FAILED;
	}
	if (child == 0) {
		close(ends[0]);
		return run_prober(arena, conf, ends[1]);
	}
	close(ends[1]);
	log_open("shipper", conf->log_level, conf->log_format);
	return shipper_run(&(struct shipper_ask){
	    .conf_path = path, .arena = arena, .conf = conf, .fd = ends[0], .prober = child });
}

static int
run_agent(const char *path)
{
	struct arena      *arena = arena_new();
	struct err         err;
	struct agent_conf *conf = agent_conf_read(arena, path, &err);

	if (conf == NULL) {
		fprintf(stderr, "plprobe agent: %s\n", err.text);
		arena_free(arena);
		return EXIT_FAILED;
	}
	confine_daemon();
	return part(path, arena, conf);
}

static int
agent_main(int argc, char **argv)
{
	const char *path = AGENT_CONF_FILE;
	struct cli  cli;
	struct err  err;
	int         option;

	cli_init(&cli, &agent_command, argc, argv);
	while ((option = cli_next(&cli, &err)) >= 0)
		path = cli.value;
	if (option == CLI_HELP)
		return cli_show_help(&agent_command);
	if (option == CLI_OVER && cli.operand < argc) {
		err_set(&err, ERR_USAGE, "'%s' is not an option", argv[cli.operand]);
		option = CLI_WRONG;
	}
	return option == CLI_OVER ? run_agent(path) : cli_refuse(&agent_command, &err);
}
