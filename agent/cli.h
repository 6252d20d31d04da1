/* cli: the options of a command, said once, in a table: read and explained from the same rows.
 *
 * GNU long options over getopt_long(3), with "did you mean".  Knows nothing of what a command
 * does; the caller turns options into its own struct.
 */
#ifndef AGENT_CLI_H
#define AGENT_CLI_H

#include "base/err.h"
#include "base/wbuf.h"

struct cli_option {
	const char *name;   /* long name; NULL ends a table */
	char        letter; /* short form; 0: none */
	const char *value; /* what its value is called, "[SEC]" when it may be left out; NULL */
	const char *help;
};

struct cli_command {
	const char *name;  /* "check" */
	const char *usage; /* what stands behind the name: "ACCOUNT... [OPTION...]" */
	const char *what;  /* one line */
	const char *more;  /* behind the options; "" when there is nothing */
	const struct cli_option *options;
	int                      usage_exit; /* exit code of bad arguments */
	int (*run)(int argc, char **argv);   /* argv[0] is the command's name */
};

enum { CLI_OVER = -1, CLI_WRONG = -2, CLI_HELP = -3 };

/* A walk over one command line; one at a time in a process, since getopt(3) has one state. */
struct cli {
	const struct cli_command *command;
	int                       argc;
	char                    **argv;    /* borrowed; options are moved to the front */
	const char               *value;   /* of the option just read; NULL when it has none */
	int                       operand; /* after CLI_OVER: index of the first operand */
};

void cli_init(struct cli *cli, const struct cli_command *command, int argc, char **argv);
/* Index in command->options of the next option, or CLI_*; CLI_WRONG with err. */
int cli_next(struct cli *cli, struct err *err);

void cli_help(const struct cli_command *command, struct wbuf *out);
/* Says err and where help is, on stderr; returns the command's usage_exit. */
int cli_refuse(const struct cli_command *command, const struct err *err);
/* Prints cli_help() on stdout; returns 0. */
int cli_show_help(const struct cli_command *command);
/* Options that take no further thought: --help, and nothing else.  -1: go on with the operands
 * from argv[*operand] on; else the exit code. */
int cli_only_operands(const struct cli_command *command, int argc, char **argv, int *operand);

#endif
