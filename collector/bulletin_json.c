#include "collector/bulletin.h"

#include "analyze/verdict.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/table.h"
#include "base/text.h"
#include "collector/board.h"
#include "collector/fleet.h"
#include "collector/recall.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 40 };

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

static enum state
read_state(const char *name)
{
	for (int i = STATE_OK; i <= STATE_CRITICAL; i++) {
		if (strcmp(state_name((enum state)i), name) == 0)
			return (enum state)i;
	}
	return STATE_UNKNOWN;
}

static enum table_ink
pick_ink(const char *state)
{
	switch (read_state(state)) {
	case STATE_OK: return TABLE_GREEN;
	case STATE_UNKNOWN: return TABLE_GREY;
	case STATE_WARNING: return TABLE_YELLOW;
	case STATE_CRITICAL: return TABLE_RED;
	}
	return TABLE_PLAIN;
}

/* What stands in a cell: the word of the state, and in short what is wrong. */
static char *
write_cell(const json_t *cell)
{
	const char *state = get(cell, "state"), *what = get(cell, "short");
	const char *outside = get(cell, "public_address");
	const char *between = outside[0] != '\0' ? "; public address " : "";

	if (json_is_true(json_object_get(cell, "stale")))
		return mem_printf("unknown: too old");
	/* An `ok` may have a word, too: of a region that is still being added. */
	if (what[0] == '\0')
		return mem_printf("%s%s%s", state, between, outside);
	return mem_printf("%s: %s%s%s", state, what, between, outside);
}

static const json_t *
find_cell(const json_t *row, const char *agent)
{
	size_t  at;
	json_t *cell;

	json_array_foreach (json_object_get(row, "cells"), at, cell) {
		if (strcmp(get(cell, "agent"), agent) == 0)
			return cell;
	}
	return NULL;
}

static void
fill_row(struct table *table, const json_t *row, const char *account, const json_t *agents)
{
	size_t        number = table_row(table), at;
	const json_t *agent;

	table_cell(table, number, 0, TABLE_BOLD, account);
	table_cell(table, number, 1, TABLE_PLAIN, get(row, "name"));
	json_array_foreach (agents, at, agent) {
		const json_t *cell = find_cell(row, get(agent, "agent"));
		char         *text;

		if (at >= COLUMNS_MAX - 2)
			break;
		if (cell == NULL) {
			table_cell(table, number, at + 2, TABLE_GREY, "-");
			continue;
		}
		text = write_cell(cell);
		table_cell(table, number, at + 2, pick_ink(get(cell, "state")), text);
		free(text);
	}
}

static void
print_grid(const json_t *state, unsigned width, bool colour, struct wbuf *out)
{
	const json_t *agents = json_object_get(state, "agents"), *account, *row, *agent;
	const char   *columns[COLUMNS_MAX + 1] = { "ACCOUNT", "REGION" };
	char         *heads[COLUMNS_MAX] = { NULL };
	struct table *table;
	size_t        at, inner, count = 2;

	json_array_foreach (agents, at, agent) {
		if (count == COLUMNS_MAX)
			break;
		heads[at] = get(agent, "network")[0] != '\0'
		    ? mem_printf("%s (%s)", get(agent, "agent"), get(agent, "network"))
		    : mem_strdup(get(agent, "agent"));
		columns[count++] = heads[at];
	}
	table = table_new(columns, width, colour);
	for (size_t i = 2; i < count; i++)
		table_wrap(table, i);
	json_array_foreach (json_object_get(state, "accounts"), at, account) {
		json_array_foreach (json_object_get(account, "places"), inner, row)
			fill_row(table, row, inner == 0 ? get(account, "account") : "", agents);
	}
	table_print(table, out);
	table_free(table);
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		free(heads[i]);
}

static const char *
pick_escape(const char *severity, bool colour)
{
	if (!colour)
		return "";
	switch (read_state(severity)) {
	case STATE_CRITICAL: return "\033[1;31m";
	case STATE_WARNING: return "\033[1;33m";
	case STATE_UNKNOWN: return "\033[1;90m";
	case STATE_OK: return "\033[1;32m";
	}
	return "";
}

/* At most so many lines of a text, and how many more there are. */
static void
print_lines(struct wbuf *out, const char *label, const char *text, unsigned most)
{
	char    *copy = mem_strdup(text), *rest = copy, *line;
	unsigned count = 0;

	while (text[0] != '\0' && (line = strsep(&rest, "\n")) != NULL) {
		if (count++ < most)
			wbuf_printf(out, "    %-9s %s\n", count == 1 ? label : "", line);
	}
	if (count > most)
		wbuf_printf(out, "    %-9s and %u more like it\n", "", count - most);
	free(copy);
}

static void
print_finding(const json_t *finding, bool colour, struct wbuf *out)
{
	char when[CLOCK_TEXT];

	wbuf_printf(out, "%s%s %s%s  %s\n", pick_escape(get(finding, "severity"), colour),
	    get(finding, "severity"), get(finding, "code"), colour ? "\033[0m" : "",
	    get(finding, "sentence"));
	wbuf_printf(out, "    %-9s %s%s%s%s%s\n", "seen by", get(finding, "agent"),
	    get(finding, "network")[0] != '\0' ? " in " : "", get(finding, "network"),
	    ", since ", clock_render(get_number(finding, "opened_ms"), when, sizeof(when)));
	if (strcmp(get(finding, "state"), "confirmed") != 0)
		wbuf_printf(out, "    %-9s %s (newest looks: %s)\n", "state",
		    get(finding, "state"), get(finding, "looks"));
	if (json_is_true(json_object_get(finding, "stale")))
		wbuf_printf(out, "    %-9s %s\n", "",
		    "there is no news: whether it still holds is unknown");
	print_lines(out, "evidence", get(finding, "evidence"), 3);
	print_lines(out, "owner", get(finding, "owner"), 1);
	print_lines(out, "fix", get(finding, "fix"), 100);
	wbuf_puts(out, "\n");
}

static void
print_agents(const json_t *state, struct wbuf *out)
{
	const json_t *agent;
	size_t        at;
	char          when[CLOCK_TEXT];

	json_array_foreach (json_object_get(state, "agents"), at, agent) {
		long long refused = get_number(agent, "refused_items");

		/* Else it looks as if it had not come to them yet. */
		if (refused > 0)
			wbuf_printf(out,
			    "agent %s refuses %lld of the names it is to measure, by its own "
			    "settings: %s\n",
			    get(agent, "agent"), refused, get(agent, "refused_first"));
		if (strcmp(get(agent, "state"), "silent") == 0)
			wbuf_printf(out,
			    "agent %s is silent since %s: what it saw is unknown now\n",
			    get(agent, "agent"),
			    clock_render(
			        get_number(agent, "last_seen_ms"), when, sizeof(when)));
	}
}

void
bulletin_table(
    const json_t *state, const json_t *findings, unsigned width, bool colour, struct wbuf *out)
{
	const json_t *list = json_object_get(findings, "findings"), *finding;
	size_t        at, all = (size_t)get_number(findings, "total");

	if (json_array_size(json_object_get(state, "accounts")) == 0)
		wbuf_puts(
		    out, "nothing is known yet: no document, and no agent has reported\n");
	else
		print_grid(state, width, colour, out);
	wbuf_puts(out, "\n");
	if (json_array_size(json_object_get(state, "agents")) == 0 &&
	    json_array_size(json_object_get(state, "accounts")) > 0)
		wbuf_puts(out, "no agent has reported yet\n");
	print_agents(state, out);
	json_array_foreach (list, at, finding)
		print_finding(finding, colour, out);
	if (all > json_array_size(list))
		wbuf_printf(
		    out, "and %zu findings more, see -o json\n", all - json_array_size(list));
	wbuf_printf(out, "%s: %zu finding%s\n", get(state, "state"), all, all == 1 ? "" : "s");
}

/* Quoted when it must be [rfc4180 2]; a spreadsheet takes what begins with = + - @ for a formula,
 * so that gets an apostrophe in front. */
void
bulletin_field(struct wbuf *out, const char *text, const char *behind)
{
	bool risky = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;

	wbuf_puts(out, "\"");
	if (risky)
		wbuf_puts(out, "'");
	for (; *text != '\0'; text++)
		wbuf_printf(out, *text == '"' ? "\"%c" : "%c", *text);
	wbuf_printf(out, "\"%s", behind);
}

static const char *const csv_columns[] = { "severity", "code", "account", "region", "host",
	"agent", "network", "owner", "sentence", "evidence", "fix", "state" };

void
bulletin_csv(const json_t *findings, struct wbuf *out)
{
	const json_t *finding;
	size_t        at, count = sizeof(csv_columns) / sizeof(csv_columns[0]);
	char          when[CLOCK_TEXT];

	for (size_t i = 0; i < count; i++)
		wbuf_printf(out, "%s,", csv_columns[i]);
	wbuf_puts(out, "opened,last_seen\r\n");
	json_array_foreach (json_object_get(findings, "findings"), at, finding) {
		for (size_t i = 0; i < count; i++)
			bulletin_field(out, get(finding, csv_columns[i]), ",");
		bulletin_field(out,
		    clock_render(get_number(finding, "opened_ms"), when, sizeof(when)), ",");
		bulletin_field(out,
		    clock_render(get_number(finding, "last_seen_ms"), when, sizeof(when)),
		    "\r\n");
	}
}

/* What the report is made of; from the running collector or from the store. */
struct material {
	json_t *state, *findings, *incidents, *propagation; /* owned */
	json_t *failover;                                   /* owned; instead of the others */
};

static void
drop(struct material *material)
{
	json_decref(material->state);
	json_decref(material->findings);
	json_decref(material->incidents);
	json_decref(material->propagation);
	json_decref(material->failover);
	*material = (struct material){ NULL, NULL, NULL, NULL, NULL };
}

static json_t *
fetch_json(const struct collector_conf *conf, const char *path, struct err *err)
{
	struct wbuf bytes;
	json_t     *value = NULL;

	wbuf_init(&bytes);
	if (bulletin_fetch(conf, path, &bytes, err))
		value = json_read((const char *)bytes.bytes, bytes.count, path, err);
	wbuf_fini(&bytes);
	return value;
}

/* A picked port is not in the configuration: then only the store can tell. */
static bool
ask_collector(struct material *material, const struct bulletin_ask *ask, struct err *err)
{
	const struct collector_conf *conf = ask->conf;

	if (conf->page_at.port == 0 && !conf->page_guarded)
		return err_set(err, ERR_USAGE, "page: port 0 names no collector");
	if (ask->failover) {
		material->failover = fetch_json(conf, "/v1/failover", err);
		return material->failover != NULL;
	}
	material->state = fetch_json(conf, "/v1/state", err);
	if (material->state == NULL)
		return false;
	material->findings = fetch_json(conf, "/v1/findings", err);
	material->incidents = fetch_json(conf, "/v1/incidents", err);
	material->propagation = fetch_json(conf, "/v1/propagation", err);
	return material->findings != NULL && material->incidents != NULL &&
	    material->propagation != NULL;
}

static void
ignore(void *arg, const struct err *err)
{
}

static bool
ask_store(struct material *material, const struct collector_conf *conf, struct err *err)
{
	struct store        *store = store_open(conf->store, true, err);
	struct documents    *documents = documents_new(conf->accounts_dir);
	struct propagation  *propagation = propagation_new();
	struct board_options options = { .documents = documents,
		.rules = conf->rules,
		.propagation = propagation,
		.silent_ms = conf->silent_ms };
	struct board        *board;
	bool                 loaded = false;

	if (store != NULL &&
	    !(recall_documents(documents, store, err) &&
	        propagation_load(propagation, store, err))) {
		store_close(store);
		store = NULL;
	}
	documents_scan(documents, ignore, NULL);
	board = board_new(&options);
	if (store != NULL && board_load(board, store, err)) {
		struct query query = { .board = board,
			.documents = documents,
			.now_ms = clock_wall_ms(clock_system()),
			.propagation = propagation };

		material->state = query_state(&query, NULL);
		material->findings = query_findings(&query, false, 0, QUERY_PAGE_MAX);
		material->incidents = fleet_incidents(&query);
		material->propagation = fleet_propagation(&query);
		material->failover = fleet_failover(&query, NULL);
		loaded = true;
	}
	board_free(board);
	propagation_free(propagation);
	documents_free(documents);
	store_close(store);
	return loaded;
}

static bool
gather(struct material *material, const struct bulletin_ask *ask)
{
	const struct collector_conf *conf = ask->conf;

	struct err away = { 0 }, err = { 0 };

	if (ask_collector(material, ask, &away))
		return true;
	drop(material);
	if (strncmp(conf->store, "memory:", 7) != 0 && ask_store(material, conf, &err)) {
		fprintf(stderr,
		    "plprobe-collector: no collector answers (%s); this is from its store\n",
		    away.text);
		return true;
	}
	fprintf(stderr, "plprobe-collector: %s\n", away.text);
	if (err.kind != ERR_NONE)
		fprintf(stderr, "plprobe-collector: %s\n", err.text);
	return false;
}

static void
print_json(const struct material *material, bool failover, struct wbuf *out)
{
	json_t *all = failover
	    ? json_incref(material->failover)
	    : json_pack("{s:i, s:O, s:O, s:O, s:O}", "version", 1, "state", material->state,
	          "findings", json_object_get(material->findings, "findings"), "incidents",
	          json_object_get(material->incidents, "incidents"), "propagation",
	          json_object_get(material->propagation, "regions"));

	json_write(out, all, 2);
	wbuf_puts(out, "\n");
	json_decref(all);
}

static void
print_table(const struct material *material, bool failover, bool colour, struct wbuf *out)
{
	/* Into a pipe or a file nothing needs to be cut to a width. */
	unsigned width = isatty(STDOUT_FILENO) ? 0 : 400;

	if (failover) {
		bulletin_failover_table(material->failover, width, colour, out);
		return;
	}
	bulletin_incidents(material->incidents, colour, out);
	bulletin_propagation(material->propagation, out);
	bulletin_table(material->state, material->findings, width, colour, out);
}

static void
print(const struct bulletin_ask *ask, const char *format, const struct material *material)
{
	struct wbuf out;

	wbuf_init(&out);
	if (strcmp(format, "json") == 0)
		print_json(material, ask->failover, &out);
	else if (strcmp(format, "table") == 0)
		print_table(
		    material, ask->failover, table_colour(STDOUT_FILENO, !ask->colour), &out);
	else if (ask->failover)
		bulletin_failover_csv(material->failover, &out);
	else
		bulletin_csv(material->findings, &out);
	fwrite(out.bytes, 1, out.count, stdout);
	wbuf_fini(&out);
}

/* Of all accounts the worst. */
static enum state
weigh(const struct material *material, bool failover)
{
	const json_t *accounts = json_object_get(material->failover, "accounts"), *account;
	enum state    state = STATE_OK;
	size_t        at;

	if (!failover)
		return read_state(get(material->state, "state"));
	json_array_foreach (accounts, at, account) {
		if (read_state(get(account, "state")) > state)
			state = read_state(get(account, "state"));
	}
	return json_array_size(accounts) > 0 ? state : STATE_UNKNOWN;
}

int
bulletin_run(const struct bulletin_ask *ask)
{
	static const char *const formats[] = { "table", "json", "csv", NULL };
	const char              *format = ask->format != NULL ? ask->format : "table";
	struct material          material = { NULL, NULL, NULL, NULL, NULL };
	size_t                   at = 0;
	int                      code = verdict_exit(STATE_UNKNOWN);

	while (formats[at] != NULL && strcmp(formats[at], format) != 0)
		at++;
	if (formats[at] == NULL) {
		fprintf(
		    stderr, "plprobe-collector: -o %s: table, json or csv wanted\n", format);
		return code;
	}
	if (!gather(&material, ask))
		return code;
	print(ask, format, &material);
	code = ask->exit_zero ? 0 : verdict_exit(weigh(&material, ask->failover));
	drop(&material);
	return code;
}
