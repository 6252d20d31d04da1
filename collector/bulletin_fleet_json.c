#include "collector/bulletin.h"

#include "analyze/judge.h"
#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Agents of one region that are told by name. */
enum { AGENTS_MAX = 20 };

static const char *
get(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : "";
}

static int64_t
get_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static const char *
pick_escape(const char *severity, bool colour)
{
	if (!colour)
		return "";
	if (strcmp(severity, "critical") == 0)
		return "\033[1;31m";
	return strcmp(severity, "warning") == 0 ? "\033[1;33m" : "\033[1;90m";
}

/* One of a single agent says nothing that its finding does not. */
void
bulletin_incidents(const json_t *incidents, bool colour, struct wbuf *out)
{
	const json_t *incident;
	size_t        at;
	char          when[CLOCK_TEXT];

	json_array_foreach (json_object_get(incidents, "incidents"), at, incident) {
		if (get_number(incident, "agents") < 2)
			continue;
		wbuf_printf(out,
		    "%s%s%s  %s\n    owner %s, since %s%s; its findings are below\n\n",
		    pick_escape(get(incident, "severity"), colour), get(incident, "severity"),
		    colour ? "\033[0m" : "", get(incident, "sentence"), get(incident, "owner"),
		    clock_render(get_number(incident, "opened_ms"), when, sizeof(when)),
		    json_is_true(json_object_get(incident, "confirmed"))
		        ? ""
		        : ", not confirmed yet");
	}
}

/* Why it is not right yet, and for how long a cache may be why. */
static void
print_wrong(const json_t *view, int64_t now_ms, struct wbuf *out)
{
	const char *why = get(view, "why"), *whose = "its TTL";
	int64_t     until_ms = get_number(view, "until_ms");
	char        wrong[CLOCK_TEXT], until[CLOCK_TEXT];

	if (json_is_true(json_object_get(view, "negative")))
		whose = "the negative TTL";
	wbuf_printf(out, "%s at %s%s%s",
	    strcmp(get(view, "state"), "silent") == 0 ? "silent; not yet" : "not yet",
	    clock_render(get_number(view, "wrong_ms"), wrong, sizeof(wrong)),
	    why[0] != '\0' ? ": " : "", why);
	if (until_ms != 0)
		wbuf_printf(out,
		    until_ms > now_ms ? "; by %s caches may keep that until %s"
		                      : "; by %s no cache may keep that since %s",
		    whose, clock_render(until_ms, until, sizeof(until)));
}

static void
print_view(const json_t *view, int64_t now_ms, struct wbuf *out)
{
	const char *state = get(view, "state");
	int64_t     after_ms = get_number(view, "after_ms");

	wbuf_printf(out, "    %s%s%s%s: ", get(view, "agent"),
	    get(view, "network")[0] != '\0' ? " (" : "", get(view, "network"),
	    get(view, "network")[0] != '\0' ? ")" : "");
	if (strcmp(state, "waiting") == 0)
		wbuf_puts(out, "has not looked at it yet");
	else if (get_number(view, "wrong_ms") == 0 && strcmp(state, "silent") == 0)
		wbuf_puts(out, "silent; has not looked at it yet");
	else if (strcmp(state, "right") != 0)
		print_wrong(view, now_ms, out);
	else if (get_number(view, "right_ms") == 0)
		wbuf_puts(out, "right since before the collector started");
	else if (after_ms < 0)
		wbuf_puts(out, "right even before the document said so");
	else
		wbuf_printf(out, "right after %lld s", (long long)(after_ms / MS_PER_S));
	wbuf_puts(out, "\n");
}

void
bulletin_propagation(const json_t *regions, struct wbuf *out)
{
	const json_t *region, *view;
	size_t        at, inner;
	char          when[CLOCK_TEXT];

	json_array_foreach (json_object_get(regions, "regions"), at, region) {
		int64_t right = get_number(region, "right");
		int64_t missing = get_number(region, "missing");

		wbuf_printf(out,
		    "region %s was added to %s at %s, says its document: %lld agent%s it "
		    "right, "
		    "%lld do%s not yet\n",
		    get(region, "name"), get(region, "account"),
		    clock_render(get_number(region, "added_ms"), when, sizeof(when)),
		    (long long)right, right == 1 ? " sees" : "s see", (long long)missing,
		    missing == 1 ? "es" : "");
		json_array_foreach (json_object_get(region, "agents"), inner, view) {
			if (inner < AGENTS_MAX)
				print_view(view, get_number(regions, "now_ms"), out);
		}
		if (right + missing > AGENTS_MAX)
			wbuf_printf(out, "    and %lld agents more\n",
			    (long long)(right + missing - AGENTS_MAX));
		wbuf_puts(out, "\n");
	}
}

static enum table_ink
pick_ink(const char *readiness)
{
	if (strcmp(readiness, "ok") == 0)
		return TABLE_GREEN;
	return strcmp(readiness, "not") == 0 ? TABLE_RED : TABLE_GREY;
}

static void
fill_row(struct table *table, const json_t *row)
{
	size_t      number = table_row(table);
	const char *reason = get(row, "reason");
	char       *text = mem_printf(
	          "%s%s%s", get(row, "readiness"), reason[0] != '\0' ? ": " : "", reason);
	char *region = mem_printf("%s%s", get(row, "name"),
	    json_is_true(json_object_get(row, "writes")) ? " (writes)" : "");

	table_cell(table, number, 0, TABLE_BOLD, region);
	table_cell(table, number, 1, TABLE_PLAIN, get(row, "network"));
	table_cell(table, number, 2, TABLE_PLAIN, get(row, "api"));
	table_cell(table, number, 3, TABLE_PLAIN, get(row, "mode"));
	table_cell(table, number, 4, pick_ink(get(row, "readiness")), text);
	free(text);
	free(region);
}

void
bulletin_failover_table(const json_t *failover, unsigned width, bool colour, struct wbuf *out)
{
	static const char *const columns[] = { "REGION", "NETWORK", "API", "MODE",
		"IF WRITES WERE THERE", NULL };
	const json_t            *account, *row;
	size_t                   at, inner;

	json_array_foreach (json_object_get(failover, "accounts"), at, account) {
		struct table *table = table_new(columns, width, colour);

		wbuf_printf(out, "%s%s: %s\n", at > 0 ? "\n" : "", get(account, "account"),
		    get(account, "sentence"));
		table_wrap(table, 4);
		json_array_foreach (json_object_get(account, "rows"), inner, row)
			fill_row(table, row);
		if (json_array_size(json_object_get(account, "rows")) > 0)
			table_print(table, out);
		table_free(table);
	}
	if (json_array_size(json_object_get(failover, "accounts")) == 0)
		wbuf_puts(out, "no account has a document: its regions are not known\n");
}

void
bulletin_failover_csv(const json_t *failover, struct wbuf *out)
{
	const json_t *account, *row;
	size_t        at, inner;
	char          priority[24];

	wbuf_puts(out, "account,region,priority,writes,network,api,mode,readiness,reason\r\n");
	json_array_foreach (json_object_get(failover, "accounts"), at, account) {
		json_array_foreach (json_object_get(account, "rows"), inner, row) {
			snprintf(priority, sizeof(priority), "%lld",
			    (long long)get_number(row, "priority"));
			bulletin_field(out, get(account, "account"), ",");
			bulletin_field(out, get(row, "region"), ",");
			bulletin_field(out, priority, ",");
			bulletin_field(out,
			    json_is_true(json_object_get(row, "writes")) ? "yes" : "no", ",");
			bulletin_field(out, get(row, "network"), ",");
			bulletin_field(out, get(row, "api"), ",");
			bulletin_field(out, get(row, "mode"), ",");
			bulletin_field(out, get(row, "readiness"), ",");
			bulletin_field(out, get(row, "reason"), "\r\n");
		}
	}
}
