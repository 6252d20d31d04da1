#include "agent/explain.h"

#include "analyze/findings_md.h"
#include "base/table.h"

#include <stdio.h>
#include <unistd.h>

enum { EXIT_USAGE = 2 };

static const struct cli_option no_options[] = { { 0 } };

static int explain_main(int argc, char **argv);

const struct cli_command explain_command = {
	"explain",
	"[CODE...]",
	"Says what a finding means, how it is recognised and how it is fixed",
	"CODE is the whole code, or its beginning without PLP-: 101; or the label of a failure "
	"mode,\n"
	"such as D13, and then what it shows as. Without CODE all findings are listed.\n",
	no_options,
	EXIT_USAGE,
	explain_main,
};

static enum table_ink
state_ink(enum state state)
{
	switch (state) {
	case STATE_OK: return TABLE_GREEN;
	case STATE_UNKNOWN: return TABLE_GREY;
	case STATE_WARNING: return TABLE_YELLOW;
	case STATE_CRITICAL: return TABLE_RED;
	}
	return TABLE_PLAIN;
}

static void
list_findings(struct wbuf *out)
{
	static const char *const columns[] = { "CODE", "SEVERITY", "OWNER", NULL };
	struct table *table = table_new(columns, 0, table_colour(STDOUT_FILENO, false));

	for (size_t i = 0; i != FINDING_COUNT; i++) {
		const struct finding_desc *desc = &finding_table[i];
		size_t                     row = table_row(table);

		table_cell(table, row, 0, TABLE_PLAIN, desc->code);
		table_cell(
		    table, row, 1, state_ink(desc->severity), state_name(desc->severity));
		table_cell(table, row, 2, TABLE_PLAIN, owner_name(desc->owner));
	}
	table_print(table, out);
	table_free(table);
}

static bool
explain_codes(int count, char **codes, struct wbuf *out, struct err *err)
{
	for (int i = 0; i < count; i++) {
		enum finding_code code = finding_find(codes[i]);
		const char       *near = finding_nearest(codes[i]);

		if (i > 0)
			wbuf_puts(out, "\n");
		if (code == FINDING_COUNT && findings_explain_failure(codes[i], out))
			continue;
		if (code == FINDING_COUNT && near != NULL)
			return err_set(err, ERR_USAGE, "no finding '%s'; did you mean '%s'?",
			    codes[i], near);
		if (code == FINDING_COUNT)
			return err_set(err, ERR_USAGE,
			    "no finding '%s'; `plprobe explain` lists them all", codes[i]);
		findings_explain(code, out);
	}
	return true;
}

static int
explain_main(int argc, char **argv)
{
	struct wbuf out;
	struct err  err;
	int         operand;
	int         code = cli_only_operands(&explain_command, argc, argv, &operand);

	if (code >= 0)
		return code;
	wbuf_init(&out);
	code = 0;
	if (operand == argc)
		list_findings(&out);
	else if (!explain_codes(argc - operand, argv + operand, &out, &err))
		code = cli_refuse(&explain_command, &err);
	fputs(code == 0 ? wbuf_text(&out) : "", stdout);
	wbuf_fini(&out);
	return code;
}
