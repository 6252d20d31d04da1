#include "agent/agent.h"
#include "agent/bundle.h"
#include "agent/check.h"
#include "agent/config.h"
#include "agent/enroll_cmd.h"
#include "agent/explain.h"
#include "agent/status_cmd.h"
#include "agent/support_cmd.h"
#include "agent/versions.h"
#include "base/confine.h"
#include "base/text.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static const struct cli_command *const commands[] = { &check_command, &bundle_command,
	&agent_command, &enroll_command, &status_command, &explain_command, &support_command,
	&config_command };

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct cli_command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static int
print_usage(void)
{
	puts("Usage: plprobe COMMAND [OPTION...]\n\nCan this machine use these Azure Cosmos DB "
	     "accounts, and if not, why?\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->what);
	puts("  help      Says more about a command: plprobe help COMMAND\n\n"
	     "  --version says the versions of this program and of its libraries");
	return 0;
}

static int
refuse_command(const char *name)
{
	const char *names[COMMANDS + 2] = { "help" };
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i + 1] = commands[i]->name;
	near = text_nearest(name, names);
	if (near != NULL)
		fprintf(
		    stderr, "plprobe: unknown command '%s'; did you mean '%s'?\n", name, near);
	else
		fprintf(stderr, "plprobe: unknown command '%s'\nTry 'plprobe help'.\n", name);
	return EXIT_USAGE;
}

static int
run_help(int argc, char **argv)
{
	const struct cli_command *command = argc > 1 ? find_command(argv[1]) : NULL;

	if (argc == 1)
		return print_usage();
	return command != NULL ? cli_show_help(command) : refuse_command(argv[1]);
}

int
main(int argc, char **argv)
{
	const struct cli_command *command;

	setlocale(LC_ALL, "");
	confine_not_descriptors();
	if (argc < 2) {
		fputs(
		    "plprobe: a command wanted: check, bundle, agent, enroll, status, explain, "
		    "support, config or help\n",
		    stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return run_help(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		versions_print();
		return 0;
	}
	command = find_command(argv[1]);
	return command != NULL ? command->run(argc - 1, argv + 1) : refuse_command(argv[1]);
}
