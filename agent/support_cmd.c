#include "agent/support_cmd.h"

#include "analyze/support_json.h"
#include "base/table.h"
#include "base/text.h"
#include "base/wbuf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

enum { OPTION_OUTPUT, OPTION_CLOUD, OPTION_API, OPTION_NO_COLOR };

static const struct cli_option options_table[] = {
	[OPTION_OUTPUT] = { "output", 'o', "FORMAT", "table or json" },
	[OPTION_CLOUD] = { "cloud", 0, "NAME", "names of this cloud alone" },
	[OPTION_API] = { "api", 0, "NAME", "this API alone" },
	[OPTION_NO_COLOR] = { "no-color", 0, NULL, "as a set NO_COLOR" },
	{ 0 },
};

static int support_main(int argc, char **argv);

const struct cli_command support_command = {
	"support",
	"[OPTION...]",
	"Says which API and connection mode works with private endpoints",
	"Clouds: public, usgov, china, usnat, ussec, bleu, delos, germany.\n"
	"APIs: sql, dedicated, mongodb, cassandra, gremlin, table, analytical, vcore, "
	"postgres.\n"
	"A table that is dated and sourced, and asks nobody. Exit code: 0, 2 for wrong "
	"arguments.\n",
	options_table,
	EXIT_USAGE,
	support_main,
};

struct options {
	struct support_choice choice;
	bool                  json, no_color;
};

static const char *
cloud_word(size_t index)
{
	return index < CLOUD_COUNT ? support_clouds[index].word : NULL;
}

static const char *
service_word(size_t index)
{
	return index < SUPPORT_SERVICE_COUNT ? support_services[index].word : NULL;
}

static const char *
format_word(size_t index)
{
	static const char *const words[] = { "table", "json", NULL };

	return words[index];
}

/* "--api: 'mogno'; did you mean 'mongodb'?" */
static bool
refuse_word(
    const char *option, const char *value, const char *(*word)(size_t index), struct err *err)
{
	const char *words[CLOUD_COUNT + SUPPORT_SERVICE_COUNT + 1] = { NULL };
	const char *near;
	struct wbuf list;

	for (size_t i = 0; word(i) != NULL; i++)
		words[i] = word(i);
	near = text_nearest(value, words);
	if (near != NULL)
		return err_set(
		    err, ERR_USAGE, "--%s: '%s'; did you mean '%s'?", option, value, near);
	wbuf_init(&list);
	for (size_t i = 0; words[i] != NULL; i++)
		wbuf_printf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
	err_set(err, ERR_USAGE, "--%s: '%s' is none of %s", option, value, wbuf_text(&list));
	wbuf_fini(&list);
	return false;
}

static bool
take_option(struct options *options, int option, const char *value, struct err *err)
{
	switch (option) {
	case OPTION_OUTPUT:
		options->json = strcmp(value, "json") == 0;
		return options->json || strcmp(value, "table") == 0 ||
		    refuse_word("output", value, format_word, err);
	case OPTION_CLOUD:
		options->choice.cloud = support_cloud_find(value);
		return options->choice.cloud != CLOUD_COUNT ||
		    refuse_word("cloud", value, cloud_word, err);
	case OPTION_API:
		options->choice.service = support_service_find(value);
		return options->choice.service != SUPPORT_SERVICE_COUNT ||
		    refuse_word("api", value, service_word, err);
	case OPTION_NO_COLOR: options->no_color = true; break;
	}
	return true;
}

/* -1: go on; else the exit code. */
static int
read_options(struct options *options, int argc, char **argv)
{
	struct cli cli;
	struct err err;
	int        option;

	*options = (struct options){ .choice = { CLOUD_COUNT, SUPPORT_SERVICE_COUNT } };
	cli_init(&cli, &support_command, argc, argv);
	while ((option = cli_next(&cli, &err)) >= 0) {
		if (!take_option(options, option, cli.value, &err))
			return cli_refuse(&support_command, &err);
	}
	if (option == CLI_HELP)
		return cli_show_help(&support_command);
	if (option == CLI_WRONG)
		return cli_refuse(&support_command, &err);
	if (cli.operand < argc) {
		err_set(
		    &err, ERR_USAGE, "'%s' is too much: no operands wanted", argv[cli.operand]);
		return cli_refuse(&support_command, &err);
	}
	return -1;
}

static enum table_ink
state_ink(enum support_state state)
{
	switch (state) {
	case SUPPORT_SUPPORTED: return TABLE_GREEN;
	case SUPPORT_PREVIEW: return TABLE_YELLOW;
	case SUPPORT_UNSUPPORTED:
	case SUPPORT_GONE: return TABLE_RED;
	case SUPPORT_NOT_NAMED:
	case SUPPORT_UNKNOWN: return TABLE_GREY;
	case SUPPORT_STATE_COUNT: break;
	}
	return TABLE_PLAIN;
}

static bool
is_chosen(const struct support_choice *choice, enum support_service service)
{
	return choice->service == SUPPORT_SERVICE_COUNT || choice->service == service;
}

static const char *
row_title(const struct support_row *row, struct arena *arena)
{
	const char *versions = support_versions(arena, row);

	return arena_printf(arena, "%s%s%s", support_services[row->service].title,
	    versions[0] != '\0' ? ", " : "", versions);
}

static void
put_rows(const struct options *options, bool colour, struct arena *arena, struct wbuf *out)
{
	static const char *const columns[] = { "API", "MODE", "2020", "TODAY", "AS OF", NULL };
	struct table            *table = table_new(columns, 0, colour);

	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		size_t line;

		if (!is_chosen(&options->choice, row->service))
			continue;
		line = table_row(table);
		table_cell(table, line, 0, TABLE_PLAIN, row_title(row, arena));
		table_cell(table, line, 1, TABLE_PLAIN, support_mode_word(row->mode));
		table_cell(table, line, 2, TABLE_PLAIN, support_state_word(row->then));
		table_cell(table, line, 3, state_ink(row->now), support_state_word(row->now));
		table_cell(table, line, 4, TABLE_PLAIN, row->source_date);
	}
	table_print(table, out);
	table_free(table);
}

static const char *
hint_text(const struct support_row *row, struct arena *arena)
{
	return arena_printf(arena, "%s%s%s", row->note,
	    row->note[0] != '\0' && row->hint[0] != '\0' ? ". " : "", row->hint);
}

static void
put_hints(const struct options *options, bool colour, struct arena *arena, struct wbuf *out)
{
	static const char *const columns[] = { "API", "MODE", "WHAT TO KNOW", NULL };
	struct table            *table = table_new(columns, 0, colour);
	size_t                   lines = 0;

	table_wrap(table, 0);
	table_wrap(table, 2);
	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		const char *hint = hint_text(row, arena);
		size_t      line;

		if (!is_chosen(&options->choice, row->service) || hint[0] == '\0')
			continue;
		line = table_row(table);
		lines++;
		table_cell(table, line, 0, TABLE_PLAIN, row_title(row, arena));
		table_cell(table, line, 1, TABLE_PLAIN, support_mode_word(row->mode));
		table_cell(table, line, 2, TABLE_PLAIN, hint);
	}
	if (lines > 0)
		wbuf_puts(out, "\n");
	if (lines > 0)
		table_print(table, out);
	table_free(table);
}

static const char *
ports_text(enum support_service service, struct arena *arena)
{
	struct support_ports ports = support_ports(service, true);

	if (ports.direct_last == 0)
		return arena_printf(arena, "%u", ports.gateway);
	return arena_printf(
	    arena, "%u, Direct %u-%u", ports.gateway, ports.direct_first, ports.direct_last);
}

/* The private zone is "privatelink." and the suffix, and does not stand in a column of its own. */
static void
put_names(const struct options *options, bool colour, struct arena *arena, struct wbuf *out)
{
	static const char *const columns[] = { "CLOUD", "API", "SUFFIX", "GROUP ID", "PORT",
		NULL };
	struct table            *table = table_new(columns, 0, colour);
	size_t                   lines = 0;

	for (const struct support_suffix *name = support_suffixes; name->suffix != NULL;
	     name++) {
		const struct support_desc *desc = &support_services[name->service];
		size_t                     line;

		if (!is_chosen(&options->choice, name->service) ||
		    (options->choice.cloud != CLOUD_COUNT &&
		        options->choice.cloud != name->cloud))
			continue;
		line = table_row(table);
		lines++;
		table_cell(table, line, 0, TABLE_PLAIN, support_clouds[name->cloud].word);
		table_cell(table, line, 1, TABLE_PLAIN, desc->word);
		table_cell(table, line, 2, TABLE_PLAIN, name->suffix);
		table_cell(table, line, 3, TABLE_PLAIN, desc->group);
		table_cell(table, line, 4, TABLE_PLAIN, ports_text(name->service, arena));
	}
	if (lines > 0)
		wbuf_puts(out, "\n");
	if (lines > 0)
		table_print(table, out);
	table_free(table);
}

static bool
is_closed(enum cloud cloud)
{
	return cloud != CLOUD_COUNT && support_clouds[cloud].standing == SUPPORT_CLOSED;
}

static void
put_clouds(const struct options *options, struct wbuf *out)
{
	const char *before = is_closed(options->choice.cloud) ? "" : "\n";

	for (size_t i = 0; i < CLOUD_COUNT; i++) {
		const struct support_cloud *desc = &support_clouds[i];

		if (desc->words[0] == '\0' ||
		    (options->choice.cloud != CLOUD_COUNT && options->choice.cloud != i))
			continue;
		wbuf_printf(out, "%s%s: %s\n", before, desc->word, desc->words);
		before = "";
	}
}

static void
put_tables(const struct options *options, struct wbuf *out)
{
	bool          colour = table_colour(STDOUT_FILENO, options->no_color);
	struct arena *arena = arena_new();

	/* Of a cloud that is gone nothing is supported. */
	if (!is_closed(options->choice.cloud)) {
		put_rows(options, colour, arena, out);
		put_hints(options, colour, arena, out);
		put_names(options, colour, arena, out);
	}
	put_clouds(options, out);
	if (is_closed(options->choice.cloud))
		wbuf_printf(
		    out, "\nAs known on %s; sources: -o json, SUPPORT.md.\n", support_date);
	else
		wbuf_printf(out,
		    "\nThe private zone is 'privatelink.' and the suffix. As known on %s; "
		    "sources: "
		    "-o json, SUPPORT.md.\n",
		    support_date);
	arena_free(arena);
}

static int
support_main(int argc, char **argv)
{
	struct options options;
	struct wbuf    out;
	int            code = read_options(&options, argc, argv);

	if (code >= 0)
		return code;
	wbuf_init(&out);
	if (options.json)
		support_json_write(&options.choice, &out);
	else
		put_tables(&options, &out);
	if (fwrite(out.bytes, 1, out.count, stdout) != out.count || fflush(stdout) != 0) {
		fprintf(stderr, "plprobe support: standard output: %s\n", strerror(errno));
		code = EXIT_FAILED;
	} else {
		code = 0;
	}
	wbuf_fini(&out);
	return code;
}
