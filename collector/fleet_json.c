#include "collector/fleet.h"

#include "analyze/region.h"
#include "collector/muster.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Members that one incident shows, and agents of one kind that a region does; what more there are is
 * counted. */
enum { MEMBERS_MAX = 200 };

/* Times that may not be there. */
static json_t *
make_time(int64_t ms)
{
	return ms != 0 ? json_integer(ms) : json_null();
}

static json_t *
make_envelope(const struct query *query, const char *name, json_t *list)
{
	return json_pack(
	    "{s:i, s:I, s:o}", "version", 1, "now_ms", (json_int_t)query->now_ms, name, list);
}

static json_t *
make_member(const struct store_finding *finding)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "agent", finding->agent,
	    "network", finding->network, "account", finding->account, "region", finding->region,
	    "host", finding->host, "state", finding->state, "sentence", finding->sentence,
	    "opened_ms", (json_int_t)finding->opened_ms);
}

static json_t *
make_incident(const struct muster *muster, const struct incident *incident)
{
	json_t                     *accounts = json_array(), *members = json_array();
	const struct store_finding *last = NULL;
	json_int_t                  findings = 0;

	for (size_t i = 0; i < incident->account_count; i++)
		json_array_append_new(accounts, json_string(incident->accounts[i]));
	for (size_t i = 0; i < incident->member_count; i++) {
		const struct store_finding *finding = muster->findings[incident->members[i]];

		/* Those of one finding stand in line. */
		if (finding == last)
			continue;
		last = finding;
		if (findings++ < MEMBERS_MAX)
			json_array_append_new(members, make_member(finding));
	}
	return json_pack(
	    "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, "
	    "s:s, s:o, s:o}",
	    "code", finding_table[incident->code].code, "severity",
	    state_name(incident->severity), "scope", incident_scope_name(incident->scope),
	    "place", incident->place, "zone", incident->zone, "region", incident->region,
	    "owner", owner_name(incident->owner), "sentence", incident->sentence, "confirmed",
	    incident->confirmed, "only", incident->only, "agents",
	    (json_int_t)incident->agent_count, "findings", findings, "opened_ms",
	    (json_int_t)incident->opened_ms, "last_seen_ms", (json_int_t)incident->last_seen_ms,
	    "fix", incident->fix, "accounts", accounts, "members", members);
}

json_t *
fleet_incidents(const struct query *query)
{
	struct arena               *arena = arena_new();
	const struct muster        *muster = muster_make(arena, query);
	const struct incident_list *list = muster->incidents;
	json_t                     *incidents = json_array();

	for (size_t i = 0; i < list->count && i < QUERY_PAGE_MAX; i++)
		json_array_append_new(incidents, make_incident(muster, &list->incidents[i]));
	arena_free(arena);
	return make_envelope(query, "incidents", incidents);
}

static json_t *
make_failover(const struct query *query, const struct account *account)
{
	struct arena          *arena = arena_new();
	const struct failover *failover = muster_failover(arena, query, account);
	json_t                *rows = json_array(), *made;

	for (size_t i = 0; i < failover->row_count; i++) {
		const struct failover_row *row = &failover->rows[i];

		json_array_append_new(rows,
		    json_pack("{s:s, s:s, s:i, s:b, s:s, s:s, s:s, s:s, s:s, s:I}", "region",
		        row->location->label, "name", row->location->name, "priority",
		        row->location->failover_priority, "writes", row->writes, "network",
		        row->network, "api", api_name(row->api), "mode", mode_name(row->mode),
		        "readiness", readiness_name(row->readiness), "reason", row->reason,
		        "agents", (json_int_t)row->agents));
	}
	made = json_pack("{s:s, s:s, s:s, s:b, s:b, s:o}", "account", account->name, "state",
	    state_name(failover->state), "sentence", failover->sentence, "multi_write",
	    account->multi_write, "automatic_failover", account->automatic_failover, "rows",
	    rows);
	arena_free(arena);
	return made;
}

json_t *
fleet_failover(const struct query *query, const char *only)
{
	json_t *accounts = json_array();

	for (size_t i = 0; i < documents_count(query->documents); i++) {
		const struct account *account = documents_at(query->documents, i);

		if (only == NULL || strcmp(only, account->name) == 0)
			json_array_append_new(accounts, make_failover(query, account));
	}
	return make_envelope(query, "accounts", accounts);
}

/* How an agent stands to an added region; what needs somebody first. */
enum arrival { ARRIVAL_WRONG, ARRIVAL_WAITING, ARRIVAL_SILENT, ARRIVAL_RIGHT };

static const char *const arrival_names[] = { "wrong", "waiting", "silent", "right" };

/* view NULL: it looks at the account, and has not come to look at the region. */
static enum arrival
find_arrival(const struct query *query, const struct board_agent *agent,
    const struct propagation_view *view)
{
	if (view != NULL && view->right)
		return ARRIVAL_RIGHT;
	if (agent == NULL || board_is_silent(query->board, agent, query->now_ms))
		return ARRIVAL_SILENT;
	return view != NULL ? ARRIVAL_WRONG : ARRIVAL_WAITING;
}

static json_t *
make_arrival(const struct propagation_region *region, const char *name,
    const struct board_agent *agent, const struct propagation_view *view, enum arrival arrival)
{
	static const struct propagation_view none = { .why = "" };
	json_t                              *made;

	if (view == NULL)
		view = &none;
	made = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:s}", "agent", name, "network",
	    agent != NULL ? agent->network : "", "state", arrival_names[arrival], "right_ms",
	    make_time(view->right_ms), "wrong_ms", make_time(view->wrong_ms), "until_ms",
	    make_time(view->until_ms), "negative", view->negative, "why", view->why);
	if (view->right_ms != 0)
		json_object_set_new(
		    made, "after_ms", json_integer(view->right_ms - region->added_ms));
	return made;
}

/* Agents by arrival; both the board's and the region's are in the order of their names. */
struct arrivals {
	json_t    *lists[ARRIVAL_RIGHT + 1]; /* owned */
	json_int_t counts[ARRIVAL_RIGHT + 1];
};

static void
add_arrival(struct arrivals *arrivals, const struct query *query,
    const struct propagation_region *region, const char *name,
    const struct propagation_view *view)
{
	const struct board_agent *agent = board_agent_find(query->board, name);
	enum arrival              arrival = find_arrival(query, agent, view);

	if (arrivals->counts[arrival]++ < MEMBERS_MAX)
		json_array_append_new(
		    arrivals->lists[arrival], make_arrival(region, name, agent, view, arrival));
}

static bool
looks_at(const struct board_agent *agent, const char *account)
{
	const struct board_view *view = board_view_find(agent, account);

	return view != NULL && view->seen_count > 0;
}

static void
add_arrivals(struct arrivals *arrivals, const struct query *query,
    const struct propagation_region *region)
{
	size_t at = 0;

	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);

		for (; at < region->view_count &&
		     strcmp(region->views[at].agent, agent->name) < 0;
		     at++)
			add_arrival(arrivals, query, region, region->views[at].agent,
			    &region->views[at]);
		if (at < region->view_count &&
		    strcmp(region->views[at].agent, agent->name) == 0) {
			add_arrival(arrivals, query, region, agent->name, &region->views[at]);
			at++;
		} else if (looks_at(agent, region->account)) {
			add_arrival(arrivals, query, region, agent->name, NULL);
		}
	}
	for (; at < region->view_count; at++)
		add_arrival(
		    arrivals, query, region, region->views[at].agent, &region->views[at]);
}

static json_t *
make_region(const struct query *query, const struct propagation_region *region)
{
	struct arrivals arrivals = { { NULL }, { 0 } };
	json_t         *agents = json_array();
	json_int_t      missing = 0;

	for (int i = 0; i <= ARRIVAL_RIGHT; i++)
		arrivals.lists[i] = json_array();
	add_arrivals(&arrivals, query, region);
	for (int i = 0; i <= ARRIVAL_RIGHT; i++) {
		missing += i != ARRIVAL_RIGHT ? arrivals.counts[i] : 0;
		json_array_extend(agents, arrivals.lists[i]);
		json_decref(arrivals.lists[i]);
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "account", region->account,
	    "region", region->region, "name", region_name(region->region), "added_ms",
	    (json_int_t)region->added_ms, "right", arrivals.counts[ARRIVAL_RIGHT], "missing",
	    missing, "agents", agents);
}

json_t *
fleet_propagation(const struct query *query)
{
	json_t *regions = json_array();

	for (size_t i = 0;
	     query->propagation != NULL && i < propagation_count(query->propagation); i++) {
		const struct propagation_region *region = propagation_at(query->propagation, i);

		if (region->added_ms != 0)
			json_array_append_new(regions, make_region(query, region));
	}
	return make_envelope(query, "regions", regions);
}
