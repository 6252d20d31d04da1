#include "collector/query.h"

#include "analyze/facet.h"
#include "analyze/region.h"
#include "base/json.h"
#include "base/text.h"
#include "proto/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* All text in the board passed text_sane(); what did not is a mistake of ours. */
static json_t *
make_text(const char *text)
{
	json_t *value = json_string(text != NULL ? text : "");

	return value != NULL ? value : json_string("?");
}

static void
put(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		abort();
}

static void
put_text(json_t *object, const char *name, const char *text)
{
	put(object, name, make_text(text));
}

static void
put_number(json_t *object, const char *name, int64_t number)
{
	put(object, name, json_integer(number));
}

/* Of times that may not be there. */
static void
put_time(json_t *object, const char *name, int64_t ms)
{
	put(object, name, ms != 0 ? json_integer(ms) : json_null());
}

static const char *
name_place(const char *region)
{
	if (strcmp(region, "*") == 0)
		return "several";
	return region[0] == '\0' ? "Global" : region_name(region);
}

/* A name has one row in each mode that was measured: "West Europe", "West Europe (direct)",
 * "West Europe (MongoDB)". */
static void
put_name(json_t *object, const char *name, const struct target *target)
{
	const char *place = name_place(target->region);
	char       *text;

	if (target->mode == MODE_GATEWAY && target->api == API_SQL) {
		put_text(object, name, place);
		return;
	}
	if (target->api == API_SQL)
		text = mem_printf("%s (%s)", place, mode_name(target->mode));
	else
		text = mem_printf("%s (%s%s%s)", place, facet_title((enum api)target->api),
		    target->mode == MODE_GATEWAY ? "" : ", ",
		    target->mode == MODE_GATEWAY ? "" : mode_name(target->mode));
	put_text(object, name, text);
	free(text);
}

static const char *
name_agent_state(const struct query *query, const struct board_agent *agent)
{
	return board_is_silent(query->board, agent, query->now_ms) ? "silent" : "heard";
}

static enum state
worse(enum state left, enum state right)
{
	return left > right ? left : right;
}

/* The grid under construction. */
struct grid {
	const struct query *query;
	enum state          state; /* of everything */
	size_t              cells;
	bool                truncated;
	size_t              counts[STATE_CRITICAL + 1]; /* cells by state */
};

static json_t *
make_cell(struct grid *grid, const struct board_agent *agent, const struct place *place)
{
	json_t    *cell = json_object();
	enum state state = board_state(grid->query->board, place, grid->query->now_ms);
	bool       stale = board_is_stale(grid->query->board, place, grid->query->now_ms);

	put_text(cell, "agent", agent->name);
	put_text(cell, "state", state_name(state));
	put(cell, "stale", json_boolean(stale));
	if (stale && place->seen != NULL)
		put_text(cell, "last_state", state_name(place->state));
	put_text(cell, "code",
	    place->worst != FINDING_COUNT ? finding_table[place->worst].code : "");
	put_text(cell, "short",
	    place->worst != FINDING_COUNT ? finding_table[place->worst].words : "");
	put_text(cell, "words", place->words);
	put_text(cell, "public_address",
	    place->outside != OUTSIDE_UNASKED ? outside_kind_name(place->outside) : "");
	put_time(cell, "seen_ms", place->seen != NULL ? place->seen->started_ms : 0);
	grid->cells++;
	grid->counts[state]++;
	return cell;
}

/* host, api and mode NULL: any. */
static const struct place *
find_place(const struct board_view *view, const struct query_cell *cell)
{
	for (size_t i = 0; view->verdict != NULL && i < view->verdict->place_count; i++) {
		const struct place *place = &view->verdict->places[i];

		if (strcmp(place->target->region, cell->region) == 0 &&
		    (cell->host == NULL || strcmp(place->target->host, cell->host) == 0) &&
		    (cell->api == NULL ||
		        strcmp(api_name(place->target->api), cell->api) == 0) &&
		    (cell->mode == NULL ||
		        strcmp(mode_name(place->target->mode), cell->mode) == 0))
			return place;
	}
	return NULL;
}

/* One row: a name of the account, and what each agent sees of it. */
static json_t *
make_row(struct grid *grid, const char *account, const struct target *target, enum state *of)
{
	const struct board *board = grid->query->board;
	json_t             *row = json_object(), *cells = json_array();
	enum state          state = STATE_OK;
	bool                any = false;

	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);
		const struct board_view  *view = board_view_find(agent, account);
		const struct place       *place = view != NULL
		          ? find_place(view,
		                &(struct query_cell){ .region = target->region,
		                    .host = target->host,
		                    .api = api_name(target->api),
		                    .mode = mode_name(target->mode) })
		          : NULL;

		if (place == NULL)
			continue;
		if (grid->cells == QUERY_CELLS_MAX) {
			grid->truncated = true;
			break;
		}
		any = true;
		state = worse(state, board_state(board, place, grid->query->now_ms));
		json_array_append_new(cells, make_cell(grid, agent, place));
	}
	if (!any)
		state = STATE_UNKNOWN;
	put_text(row, "region", target->region);
	put_name(row, "name", target);
	put_text(row, "api", api_name(target->api));
	put_text(row, "mode", mode_name(target->mode));
	put_text(row, "host", target->host);
	put_text(row, "role", field_word(FIELD_ROLE, target->role));
	put_text(row, "state", state_name(state));
	put(row, "cells", cells);
	*of = worse(*of, state);
	return row;
}

static bool
has_row(const json_t *rows, const struct target *target)
{
	size_t  at;
	json_t *row;

	json_array_foreach (rows, at, row) {
		if (strcmp(json_string_value(json_object_get(row, "region")), target->region) ==
		        0 &&
		    strcmp(json_string_value(json_object_get(row, "api")),
		        api_name(target->api)) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "mode")),
		        mode_name(target->mode)) == 0 &&
		    strcmp(json_string_value(json_object_get(row, "host")), target->host) == 0)
			return true;
	}
	return false;
}

/* The names that the document configures stand there even if nobody has looked at them yet. */
static void
add_document_rows(
    struct grid *grid, const struct account *account, json_t *rows, enum state *of)
{
	struct target target = { .account = account->name,
		.api = account->api,
		.region = "",
		.host = account->host,
		.role = ROLE_CONFIGURED };

	json_array_append_new(rows, make_row(grid, account->name, &target, of));
	for (size_t i = 0; i < account->location_count; i++) {
		target.region = account->locations[i].label;
		target.host = account->locations[i].host;
		if (target.host[0] != '\0')
			json_array_append_new(rows, make_row(grid, account->name, &target, of));
	}
}

static void
add_view_rows(struct grid *grid, const char *account, json_t *rows, enum state *of)
{
	const struct board *board = grid->query->board;

	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_view *view = board_view_find(
		    board_agent_at(board, i), account);

		for (size_t j = 0;
		     view != NULL && view->verdict != NULL && j < view->verdict->place_count;
		     j++) {
			const struct target *target = view->verdict->places[j].target;

			if (!has_row(rows, target))
				json_array_append_new(
				    rows, make_row(grid, account, target, of));
		}
	}
}

static json_t *
make_account(struct grid *grid, const char *name)
{
	const struct account *account = documents_find(grid->query->documents, name);
	json_t               *object = json_object(), *rows = json_array();
	struct arena         *arena = arena_new();
	enum state            state = STATE_OK;

	for (unsigned api = 0; account != NULL && api < API_COUNT; api++) {
		const struct account *facet = (account->apis & (1u << api)) != 0
		    ? facet_of(arena, account, (enum api)api)
		    : NULL;

		if (facet != NULL)
			add_document_rows(grid, facet, rows, &state);
	}
	arena_free(arena);
	add_view_rows(grid, name, rows, &state);
	put_text(object, "account", name);
	put(object, "document", json_boolean(account != NULL));
	put_text(object, "state", state_name(state));
	put(object, "places", rows);
	grid->state = worse(grid->state, state);
	return object;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* All accounts that somebody knows: documents or agents. */
static const char **
list_accounts(const struct query *query, size_t *count)
{
	size_t       room = documents_count(query->documents), all = 0;
	const char **names;

	for (size_t i = 0; i < board_agent_count(query->board); i++)
		room += board_agent_at(query->board, i)->view_count;
	names = mem_array(room + 1, sizeof(char *));
	for (size_t i = 0; i < documents_count(query->documents); i++)
		names[all++] = documents_at(query->documents, i)->name;
	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);

		for (size_t j = 0; j < agent->view_count; j++)
			names[all++] = agent->views[j]->name;
	}
	qsort(names, all, sizeof(*names), compare_names);
	*count = 0;
	for (size_t i = 0; i < all; i++) {
		if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
			names[(*count)++] = names[i];
	}
	return names;
}

/* In words, with the name that is refused. */
static const char *
first_refusal(const struct vitals *vitals)
{
	return vitals != NULL && vitals->refusals_count > 0 ? vitals->refusals[0].reason : "";
}

static json_t *
make_agent(const struct query *query, const struct board_agent *agent)
{
	json_t *object = json_object();

	put_text(object, "agent", agent->name);
	put_text(object, "network", agent->network);
	put_text(object, "state", name_agent_state(query, agent));
	put_time(object, "last_seen_ms", agent->last_seen_ms);
	put_number(
	    object, "refused_items", agent->vitals != NULL ? agent->vitals->refused_items : 0);
	put_text(object, "refused_first", first_refusal(agent->vitals));
	return object;
}

static json_t *
make_envelope(const struct query *query)
{
	json_t *object = json_object();

	put_number(object, "version", 1);
	put_number(object, "now_ms", query->now_ms);
	return object;
}

json_t *
query_state(const struct query *query, const char *only)
{
	struct grid  grid = { .query = query };
	json_t      *state = make_envelope(query), *agents = json_array();
	json_t      *accounts = json_array(), *counts = json_object();
	size_t       count;
	const char **names = list_accounts(query, &count);

	for (size_t i = 0; i < count; i++) {
		if (only == NULL || strcmp(only, names[i]) == 0)
			json_array_append_new(accounts, make_account(&grid, names[i]));
	}
	for (size_t i = 0; i < board_agent_count(query->board); i++)
		json_array_append_new(
		    agents, make_agent(query, board_agent_at(query->board, i)));
	if (json_array_size(accounts) == 0)
		grid.state = STATE_UNKNOWN;
	for (int i = STATE_OK; i <= STATE_CRITICAL; i++)
		put_number(counts, state_name((enum state)i), (int64_t)grid.counts[i]);
	put_text(state, "state", state_name(grid.state));
	put_number(state, "silent_after_ms", board_silent_ms(query->board));
	put(state, "cells", counts);
	put(state, "agents", agents);
	put(state, "accounts", accounts);
	put(state, "truncated", json_boolean(grid.truncated));
	free(names);
	return state;
}

static json_t *
make_finding(const struct query *query, const struct store_finding *finding)
{
	json_t                   *object = json_object();
	const struct board_agent *agent = board_agent_find(query->board, finding->agent);

	put_text(object, "agent", finding->agent);
	put_text(object, "network", finding->network);
	put_text(object, "account", finding->account);
	put_text(object, "region", finding->region);
	put_text(object, "place", name_place(finding->region));
	put_text(object, "host", finding->host);
	put_text(object, "code", finding->code);
	put_text(object, "severity", finding->severity);
	put_text(object, "owner", finding->owner);
	put_text(object, "sentence", finding->sentence);
	put_text(object, "evidence", finding->evidence);
	put_text(object, "fix", finding->fix);
	put_time(object, "opened_ms", finding->opened_ms);
	put_time(object, "last_seen_ms", finding->last_seen_ms);
	put_time(object, "closed_ms", finding->closed_ms);
	put_text(object, "state", finding->state);
	put_text(object, "looks", finding->looks);
	put_time(object, "confirmed_ms", finding->confirmed_ms);
	put_time(object, "looked_ms", finding->looked_ms);
	put(object, "stale",
	    json_boolean(finding->closed_ms == 0 &&
	        board_is_old(query->board, agent, finding, query->now_ms)));
	return object;
}

static int
rank(const struct store_finding *finding)
{
	static const char *const order[] = { "critical", "warning", "unknown" };
	int                      at = 0;

	while (at < 3 && strcmp(order[at], finding->severity) != 0)
		at++;
	return at;
}

static int
compare_findings(const void *left, const void *right)
{
	const struct store_finding *const *a = left, *const *b = right;
	int                                by_rank = rank(*a) - rank(*b);

	if (by_rank != 0)
		return by_rank;
	if ((*a)->opened_ms != (*b)->opened_ms)
		return (*a)->opened_ms < (*b)->opened_ms ? 1 : -1;
	return strcmp((*a)->account, (*b)->account);
}

/* Open ones: worst first, then newest. */
static const struct store_finding **
list_open(const struct board *board, size_t *count)
{
	const struct store_finding **list = NULL;
	size_t                       room = 0;

	*count = 0;
	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);

		for (size_t j = 0; j < agent->view_count; j++) {
			const struct board_view *view = agent->views[j];

			if (*count + view->open_count > room) {
				room = (*count + view->open_count) * 2;
				list = mem_grow(list, room, sizeof(*list));
			}
			for (size_t k = 0; k < view->open_count; k++)
				list[(*count)++] = &view->open[k]->finding;
		}
	}
	if (*count > 0)
		qsort(list, *count, sizeof(*list), compare_findings);
	return list;
}

json_t *
query_findings(const struct query *query, bool closed, size_t skip, size_t count)
{
	json_t                      *object = make_envelope(query), *findings = json_array();
	size_t                       all = 0;
	const struct store_finding **open = NULL;

	if (count > QUERY_PAGE_MAX)
		count = QUERY_PAGE_MAX;
	if (closed)
		all = board_closed_count(query->board);
	else
		open = list_open(query->board, &all);
	for (size_t i = skip; i < all && i - skip < count; i++)
		json_array_append_new(findings,
		    make_finding(query, closed ? board_closed_at(query->board, i) : open[i]));
	free(open);
	put_number(object, "total", (int64_t)all);
	put_number(object, "skip", (int64_t)skip);
	put(object, "findings", findings);
	return object;
}

json_t *
query_agents(const struct query *query)
{
	json_t *object = make_envelope(query), *agents = json_array();

	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);
		json_t                   *one = make_agent(query, agent);

		put_time(one, "first_seen_ms", agent->first_seen_ms);
		put_number(one, "batches", (int64_t)agent->batches);
		put_number(one, "lost_records", (int64_t)agent->lost_records);
		put_number(one, "accounts", (int64_t)agent->view_count);
		put(one, "clock_suspect", json_boolean(agent->clock_suspect));
		put(one, "vitals",
		    agent->vitals != NULL ? render_json(&vitals_desc, agent->vitals, true)
		                          : json_null());
		json_array_append_new(agents, one);
	}
	put(object, "agents", agents);
	return object;
}

static json_t *
make_document(const struct account *account)
{
	json_t *object = json_object(), *regions = json_array();

	put_text(object, "account", account->name);
	put_text(object, "host", account->host);
	put_text(object, "zone", account->zone);
	put_text(object, "kind", account->kind);
	put_text(object, "public_network_access", account->public_network_access);
	put_text(object, "provisioning_state", account->provisioning_state);
	put_number(object, "connections", (int64_t)account->connection_count);
	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];
		json_t                *region = json_object();

		put_text(region, "region", location->label);
		put_text(region, "name", location->name);
		put_text(region, "host", location->host);
		put_text(region, "provisioning_state", location->provisioning_state);
		put(region, "pending", json_boolean(location->pending));
		json_array_append_new(regions, region);
	}
	put(object, "regions", regions);
	return object;
}

json_t *
query_accounts(const struct query *query)
{
	json_t      *object = make_envelope(query), *accounts = json_array();
	size_t       count;
	const char **names = list_accounts(query, &count);

	for (size_t i = 0; i < count; i++) {
		const struct account *account = documents_find(query->documents, names[i]);
		json_t               *one;

		if (account != NULL) {
			one = make_document(account);
		} else {
			one = json_object();
			put_text(one, "account", names[i]);
		}
		put(one, "document", json_boolean(account != NULL));
		json_array_append_new(accounts, one);
	}
	free(names);
	put(object, "accounts", accounts);
	put_number(object, "broken_documents", (int64_t)documents_broken(query->documents));
	return object;
}

static const struct store_finding *
find_open(const struct board_view *view, const struct finding *judged)
{
	for (size_t i = 0; i < view->open_count; i++) {
		const struct store_finding *open = &view->open[i]->finding;

		if (strcmp(open->code, finding_table[judged->code].code) == 0 &&
		    strcmp(open->region, judged->region) == 0 &&
		    strcmp(open->host, judged->host) == 0)
			return open;
	}
	return NULL;
}

static json_t *
list_cell_findings(
    const struct query *query, const struct board_view *view, const struct place *place)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < view->verdict->finding_count; i++) {
		const struct finding       *judged = &view->verdict->findings[i];
		const struct store_finding *open = find_open(view, judged);

		if (open != NULL &&
		    (judged->host_count == 0 || finding_concerns(judged, place)))
			json_array_append_new(findings, make_finding(query, open));
	}
	return findings;
}

/* The private zone of the API. */
static void
put_zone(json_t *object, const struct account *account, enum api api)
{
	struct arena         *arena = arena_new();
	const struct account *facet = facet_of(arena, account, api);

	put_text(object, "zone", facet != NULL ? facet->zone : account->zone);
	arena_free(arena);
}

json_t *
query_cell(const struct query *query, const struct query_cell *cell)
{
	const struct board_agent *agent = board_agent_find(query->board, cell->agent);
	const struct board_view  *view = agent != NULL ? board_view_find(agent, cell->account)
	                                               : NULL;
	const struct place       *place = view != NULL ? find_place(view, cell) : NULL;
	struct grid               grid = { .query = query };
	json_t                   *object;

	if (place == NULL)
		return NULL;
	object = make_envelope(query);
	put_text(object, "account", view->name);
	put(object, "document", json_boolean(view->has_document));
	put_zone(object, view->account, (enum api)place->target->api);
	put_text(object, "region", place->target->region);
	put_name(object, "name", place->target);
	put_text(object, "api", api_name(place->target->api));
	put_text(object, "mode", mode_name(place->target->mode));
	put_text(object, "host", place->target->host);
	put_text(object, "role", field_word(FIELD_ROLE, place->target->role));
	put(object, "agent", make_agent(query, agent));
	put(object, "cell", make_cell(&grid, agent, place));
	put(object, "findings", list_cell_findings(query, view, place));
	put(object, "measurement",
	    place->seen != NULL ? render_json(&measurement_desc, place->seen, true)
	                        : json_null());
	return object;
}

void
query_reply(struct wbuf *out, const char *status, const char *reason)
{
	json_t *object = json_object();

	put_text(object, "status", status);
	put_text(object, "reason", reason);
	json_write(out, object, 0);
	json_decref(object);
}
