#include "collector/query_parts.h"

#include "analyze/facet.h"
#include "proto/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* The grid under construction. */
struct grid {
	const struct query *query;
	enum state          state; /* of everything */
	size_t              cells;
	bool                truncated;
	size_t              counts[STATE_CRITICAL + 1]; /* cells by state */
};

static enum state
worse(enum state left, enum state right)
{
	return left > right ? left : right;
}

static json_t *
make_cell(struct grid *grid, const struct board_agent *agent, const struct place *place)
{
	json_t    *cell = json_object();
	enum state state = board_state(grid->query->board, place, grid->query->now_ms);
	bool       stale = board_is_stale(grid->query->board, place, grid->query->now_ms);

	query_put_text(cell, "agent", agent->name);
	query_put_text(cell, "state", state_name(state));
	query_put(cell, "stale", json_boolean(stale));
	if (stale && place->seen != NULL)
		query_put_text(cell, "last_state", state_name(place->state));
	query_put_text(cell, "code",
	    place->worst != FINDING_COUNT ? finding_table[place->worst].code : "");
	query_put_text(cell, "short",
	    place->worst != FINDING_COUNT ? finding_table[place->worst].words : "");
	query_put_text(cell, "words", place->words);
	query_put_text(cell, "public_address",
	    place->outside != OUTSIDE_UNASKED ? outside_kind_name(place->outside) : "");
	query_put_time(cell, "seen_ms", place->seen != NULL ? place->seen->started_ms : 0);
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
	query_put_text(row, "region", target->region);
	query_put_name(row, "name", target);
	query_put_text(row, "api", api_name(target->api));
	query_put_text(row, "mode", mode_name(target->mode));
	query_put_text(row, "host", target->host);
	query_put_text(row, "role", field_word(FIELD_ROLE, target->role));
	query_put_text(row, "state", state_name(state));
	query_put(row, "cells", cells);
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
	query_put_text(object, "account", name);
	query_put(object, "document", json_boolean(account != NULL));
	query_put_text(object, "state", state_name(state));
	query_put(object, "places", rows);
	grid->state = worse(grid->state, state);
	return object;
}

json_t *
query_state(const struct query *query, const char *only)
{
	struct grid  grid = { .query = query };
	json_t      *state = query_envelope(query), *agents = json_array();
	json_t      *accounts = json_array(), *counts = json_object();
	size_t       count;
	const char **names = query_list_accounts(query, &count);

	for (size_t i = 0; i < count; i++) {
		if (only == NULL || strcmp(only, names[i]) == 0)
			json_array_append_new(accounts, make_account(&grid, names[i]));
	}
	for (size_t i = 0; i < board_agent_count(query->board); i++)
		json_array_append_new(
		    agents, query_make_agent(query, board_agent_at(query->board, i)));
	if (json_array_size(accounts) == 0)
		grid.state = STATE_UNKNOWN;
	for (int i = STATE_OK; i <= STATE_CRITICAL; i++)
		query_put_number(counts, state_name((enum state)i), (int64_t)grid.counts[i]);
	query_put_text(state, "state", state_name(grid.state));
	query_put_number(state, "silent_after_ms", board_silent_ms(query->board));
	query_put(state, "cells", counts);
	query_put(state, "agents", agents);
	query_put(state, "accounts", accounts);
	query_put(state, "truncated", json_boolean(grid.truncated));
	free(names);
	return state;
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
			json_array_append_new(findings, query_make_finding(query, open));
	}
	return findings;
}

/* The private zone of the API. */
static void
put_zone(json_t *object, const struct account *account, enum api api)
{
	struct arena         *arena = arena_new();
	const struct account *facet = facet_of(arena, account, api);

	query_put_text(object, "zone", facet != NULL ? facet->zone : account->zone);
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
	object = query_envelope(query);
	query_put_text(object, "account", view->name);
	query_put(object, "document", json_boolean(view->has_document));
	put_zone(object, view->account, (enum api)place->target->api);
	query_put_text(object, "region", place->target->region);
	query_put_name(object, "name", place->target);
	query_put_text(object, "api", api_name(place->target->api));
	query_put_text(object, "mode", mode_name(place->target->mode));
	query_put_text(object, "host", place->target->host);
	query_put_text(object, "role", field_word(FIELD_ROLE, place->target->role));
	query_put(object, "agent", query_make_agent(query, agent));
	query_put(object, "cell", make_cell(&grid, agent, place));
	query_put(object, "findings", list_cell_findings(query, view, place));
	query_put(object, "measurement",
	    place->seen != NULL ? render_json(&measurement_desc, place->seen, true)
	                        : json_null());
	return object;
}
