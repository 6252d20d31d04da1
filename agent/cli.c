#include "agent/cli.h"

#include "base/text.h"

#include <assert.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { OPTIONS_MAX = 32, LONG_BASE = 256 };

static size_t
count_options(const struct cli_option *options)
{
	size_t count = 0;

	while (options[count].name != NULL)
		count++;
	assert(count < OPTIONS_MAX);
	return count;
}

static int
value_kind(const struct cli_option *option)
{
	if (option->value == NULL)
		return no_argument;
	return option->value[0] == '[' ? optional_argument : required_argument;
}

void
cli_init(struct cli *cli, const struct cli_command *command, int argc, char **argv)
{
	*cli = (struct cli){ .command = command, .argc = argc, .argv = argv };
	optind = 0; /* glibc: begin anew */
	opterr = 0;
}

/* "abh" as getopt(3) wants it, with ':' where a value follows. */
static void
write_letters(const struct cli_option *options, size_t count, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < count; i++) {
		if (options[i].letter == 0)
			continue;
		*letters++ = options[i].letter;
		for (int colons = value_kind(&options[i]); colons > 0; colons--)
			*letters++ = ':';
	}
	*letters++ = 'h';
	*letters = '\0';
}

static void
fill_longs(const struct cli_option *options, size_t count, struct option *longs)
{
	for (size_t i = 0; i < count; i++)
		longs[i] = (struct option){ options[i].name, value_kind(&options[i]), NULL,
			LONG_BASE + (int)i };
	longs[count] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[count + 1] = (struct option){ 0 };
}

static int
refuse_unknown(const struct cli *cli, struct err *err)
{
	const struct cli_option *options = cli->command->options;
	const char              *names[OPTIONS_MAX + 2] = { "help" };
	char                     word[64];
	const char              *given = cli->argv[optind - 1];
	const char              *near;
	size_t                   count = count_options(options);

	if (strncmp(given, "--", 2) != 0) {
		err_set(err, ERR_USAGE, "unknown option '-%c'", optopt);
		return CLI_WRONG;
	}
	if (optopt >= LONG_BASE) {
		err_set(err, ERR_USAGE, "option '%.*s' takes no value",
		    (int)strcspn(given, "="), given);
		return CLI_WRONG;
	}
	for (size_t i = 0; i < count; i++)
		names[i + 1] = options[i].name;
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(given + 2, "="), given + 2);
	near = text_nearest(word, names);
	if (near != NULL)
		err_set(
		    err, ERR_USAGE, "unknown option '--%s'; did you mean '--%s'?", word, near);
	else
		err_set(err, ERR_USAGE, "unknown option '--%s'", word);
	return CLI_WRONG;
}

static int
refuse_missing(const struct cli *cli, struct err *err)
{
	const struct cli_option *options = cli->command->options;
	size_t                   count = count_options(options);

	for (size_t i = 0; i < count; i++) {
		if (optopt == LONG_BASE + (int)i || optopt == options[i].letter) {
			err_set(err, ERR_USAGE, "option '--%s' wants a value: %s",
			    options[i].name, options[i].value);
			return CLI_WRONG;
		}
	}
	err_set(err, ERR_USAGE, "option '%s' wants a value", cli->argv[optind - 1]);
	return CLI_WRONG;
}

int
cli_next(struct cli *cli, struct err *err)
{
	const struct cli_option *options = cli->command->options;
	size_t                   count = count_options(options);
	struct option            longs[OPTIONS_MAX + 2];
	char                     letters[3 * OPTIONS_MAX + 3];
	int                      got;

	write_letters(options, count, letters);
	fill_longs(options, count, longs);
	got = getopt_long(cli->argc, cli->argv, letters, longs, NULL);
	cli->value = optarg;
	switch (got) {
	case -1: cli->operand = optind; return CLI_OVER;
	case 'h': return CLI_HELP;
	case '?': return refuse_unknown(cli, err);
	case ':': return refuse_missing(cli, err);
	default: break;
	}
	if (got >= LONG_BASE)
		return got - LONG_BASE;
	for (size_t i = 0; i < count; i++) {
		if (options[i].letter == got)
			return (int)i;
	}
	return refuse_unknown(cli, err);
}

static void
write_option(const struct cli_option *option, struct wbuf *out)
{
	char left[64];
	char letter[8] = "    ";
	int  used;

	if (option->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	used = snprintf(left, sizeof(left), "  %s--%s", letter, option->name);
	if (option->value != NULL)
		used += snprintf(left + used, sizeof(left) - (size_t)used,
		    value_kind(option) == optional_argument ? "%.1s=%s" : "%.0s=%s",
		    option->value, option->value + (option->value[0] == '['));
	if (used < 30)
		wbuf_printf(out, "%-30s%s\n", left, option->help);
	else
		wbuf_printf(out, "%s\n%30s%s\n", left, "", option->help);
}

void
cli_help(const struct cli_command *command, struct wbuf *out)
{
	static const struct cli_option help = { "help", 'h', NULL, "this text" };

	wbuf_printf(
	    out, "Usage: plprobe %s %s\n%s.\n\n", command->name, command->usage, command->what);
	for (const struct cli_option *option = command->options; option->name != NULL; option++)
		write_option(option, out);
	write_option(&help, out);
	if (command->more[0] != '\0')
		wbuf_printf(out, "\n%s", command->more);
}

int
cli_refuse(const struct cli_command *command, const struct err *err)
{
	fprintf(stderr, "plprobe %s: %s\nTry 'plprobe %s --help'.\n", command->name, err->text,
	    command->name);
	return command->usage_exit;
}

int
cli_show_help(const struct cli_command *command)
{
	struct wbuf out;

	wbuf_init(&out);
	cli_help(command, &out);
	fputs(wbuf_text(&out), stdout);
	wbuf_fini(&out);
	return 0;
}

int
cli_only_operands(const struct cli_command *command, int argc, char **argv, int *operand)
{
	struct cli cli;
	struct err err;

	cli_init(&cli, command, argc, argv);
	switch (cli_next(&cli, &err)) {
	case CLI_OVER: break;
	case CLI_HELP: return cli_show_help(command);
	default: return cli_refuse(command, &err);
	}
	*operand = cli.operand;
	return -1;
}
