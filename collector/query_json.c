#include "collector/query_parts.h"

#include "base/json.h"
#include "proto/render.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A name has one row in each mode that was measured: "West Europe", "West Europe (direct)",
 * "West Europe (MongoDB)". */
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
	json_t                      *object = query_envelope(query), *findings = json_array();
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
		    query_make_finding(
		        query, closed ? board_closed_at(query->board, i) : open[i]));
	free(open);
	query_put_number(object, "total", (int64_t)all);
	query_put_number(object, "skip", (int64_t)skip);
	query_put(object, "findings", findings);
	return object;
}

json_t *
query_agents(const struct query *query)
{
	json_t *object = query_envelope(query), *agents = json_array();

	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);
		json_t                   *one = query_make_agent(query, agent);

		query_put_time(one, "first_seen_ms", agent->first_seen_ms);
		query_put_number(one, "batches", (int64_t)agent->batches);
		query_put_number(one, "lost_records", (int64_t)agent->lost_records);
		query_put_number(one, "accounts", (int64_t)agent->view_count);
		query_put(one, "clock_suspect", json_boolean(agent->clock_suspect));
		query_put(one, "vitals",
		    agent->vitals != NULL ? render_json(&vitals_desc, agent->vitals, true)
		                          : json_null());
		json_array_append_new(agents, one);
	}
	query_put(object, "agents", agents);
	return object;
}

static json_t *
make_document(const struct account *account)
{
	json_t *object = json_object(), *regions = json_array();

	query_put_text(object, "account", account->name);
	query_put_text(object, "host", account->host);
	query_put_text(object, "zone", account->zone);
	query_put_text(object, "kind", account->kind);
	query_put_text(object, "public_network_access", account->public_network_access);
	query_put_text(object, "provisioning_state", account->provisioning_state);
	query_put_number(object, "connections", (int64_t)account->connection_count);
	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];
		json_t                *region = json_object();

		query_put_text(region, "region", location->label);
		query_put_text(region, "name", location->name);
		query_put_text(region, "host", location->host);
		query_put_text(region, "provisioning_state", location->provisioning_state);
		query_put(region, "pending", json_boolean(location->pending));
		json_array_append_new(regions, region);
	}
	query_put(object, "regions", regions);
	return object;
}

json_t *
query_accounts(const struct query *query)
{
	json_t      *object = query_envelope(query), *accounts = json_array();
	size_t       count;
	const char **names = query_list_accounts(query, &count);

	for (size_t i = 0; i < count; i++) {
		const struct account *account = documents_find(query->documents, names[i]);
		json_t               *one;

		if (account != NULL) {
			one = make_document(account);
		} else {
			one = json_object();
			query_put_text(one, "account", names[i]);
		}
		query_put(one, "document", json_boolean(account != NULL));
		json_array_append_new(accounts, one);
	}
	free(names);
	query_put(object, "accounts", accounts);
	query_put_number(
	    object, "broken_documents", (int64_t)documents_broken(query->documents));
	return object;
}

void
query_reply(struct wbuf *out, const char *status, const char *reason)
{
	json_t *object = json_object();

	query_put_text(object, "status", status);
	query_put_text(object, "reason", reason);
	json_write(out, object, 0);
	json_decref(object);
}
