#include "collector/fleet.h"

#include "analyze/failover.h"
#include "analyze/incident.h"
#include "analyze/region.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Members that one incident shows; what more there are is counted. */
enum { MEMBERS_MAX = 200 };

/* The board as incident_find() wants it; what stands in it borrows from the board. */
struct muster {
	struct arena                *arena;
	const struct query          *query;
	struct incident_agent       *agents;
	struct incident_sighting    *sightings;
	const struct store_finding **findings; /* of the sightings */
	size_t                       count;
};

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

/* Those that its vitals name; of an older agent, those that its measurements show. */
static const char *
list_resolvers(struct arena *arena, const struct board_agent *agent)
{
	const struct measurement *seen;
	const char               *text = "";

	if (agent->vitals != NULL && agent->vitals->resolvers[0] != '\0')
		return agent->vitals->resolvers;
	if (agent->view_count == 0 || agent->views[0]->seen_count == 0)
		return "";
	seen = agent->views[0]->seen[0]->seen;
	for (size_t i = 0; i < seen->dns_count; i++) {
		if (strcmp(seen->dns[i].resolver, "system") != 0)
			text = arena_printf(arena, "%s %s", text, seen->dns[i].resolver);
	}
	return text;
}

static void
muster_agent(struct muster *muster, size_t at)
{
	const struct board_agent *agent = board_agent_at(muster->query->board, at);
	const char              **accounts = arena_array(
	                 muster->arena, agent->view_count + 1, sizeof(char *));
	size_t count = 0;

	for (size_t i = 0; i < agent->view_count; i++) {
		if (agent->views[i]->seen_count > 0)
			accounts[count++] = agent->views[i]->name;
	}
	muster->agents[at] = (struct incident_agent){ .name = agent->name,
		.network = agent->network,
		.resolvers = list_resolvers(muster->arena, agent),
		.heard = !board_is_silent(muster->query->board, agent, muster->query->now_ms),
		.accounts = accounts,
		.account_count = count };
}

static enum state
read_severity(const char *name)
{
	for (int i = STATE_OK; i <= STATE_CRITICAL; i++) {
		if (strcmp(state_name((enum state)i), name) == 0)
			return (enum state)i;
	}
	return STATE_UNKNOWN;
}

/* Each API has a zone of its own, and the name says which. */
static const char *
name_zone(struct arena *arena, const struct board_view *view, const char *host)
{
	const char *suffix = strchr(host, '.');

	if (suffix != NULL)
		return arena_printf(arena, "privatelink.%s", suffix + 1);
	return view->account != NULL && view->account->zone != NULL ? view->account->zone : "";
}

static void
add_sighting(struct muster *muster, size_t agent, const struct board_view *view,
    const struct store_finding *finding)
{
	enum finding_code code = finding_find(finding->code);

	/* A code of another version of the program. */
	if (code == FINDING_COUNT)
		return;
	muster->findings[muster->count] = finding;
	muster->sightings[muster->count++] = (struct incident_sighting){ .agent = agent,
		.code = code,
		.severity = read_severity(finding->severity),
		.account = finding->account,
		.region = finding->region,
		.host = finding->host,
		.zone = name_zone(muster->arena, view, finding->host),
		.fix = finding->fix,
		.confirmed = finding->confirmed_ms != 0,
		.opened_ms = finding->opened_ms,
		.last_seen_ms = finding->last_seen_ms };
}

/* What the newest verdict says of an open finding; NULL when it was good this time. */
static const struct finding *
find_judged(const struct board_view *view, const struct store_finding *finding)
{
	for (size_t i = 0; view->verdict != NULL && i < view->verdict->finding_count; i++) {
		const struct finding *judged = &view->verdict->findings[i];

		if (strcmp(finding->code, finding_table[judged->code].code) == 0 &&
		    strcmp(finding->region, judged->region) == 0 &&
		    strcmp(finding->host, judged->host) == 0)
			return judged;
	}
	return NULL;
}

static const char *
find_region(const struct verdict *verdict, const char *host)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		if (strcmp(verdict->places[i].target->host, host) == 0)
			return verdict->places[i].target->region;
	}
	return "*";
}

/* One that is told of several names is a sighting of each: others may see fewer of them.  Public
 * addresses of all names are one, the zone's. */
static void
add_sightings(struct muster *muster, size_t agent, const struct board_view *view,
    const struct store_finding *finding)
{
	const struct finding *judged = find_judged(view, finding);
	size_t                first = muster->count;

	add_sighting(muster, agent, view, finding);
	if (judged == NULL || muster->count == first || judged->host_count < 2 ||
	    judged->code == FINDING_PUBLIC_ANSWER ||
	    finding_table[judged->code].owner != OWNER_DNS)
		return;
	muster->count = first;
	for (size_t i = 0; i < judged->host_count; i++) {
		add_sighting(muster, agent, view, finding);
		muster->sightings[muster->count - 1].host = judged->hosts[i];
		muster->sightings[muster->count - 1].region = find_region(
		    view->verdict, judged->hosts[i]);
	}
}

/* How many sightings a view may have. */
static size_t
count_sightings(const struct board_view *view)
{
	size_t count = view->open_count;

	for (size_t i = 0; view->verdict != NULL && i < view->verdict->finding_count; i++)
		count += view->verdict->findings[i].host_count;
	return count;
}

static void
muster_all(struct muster *muster)
{
	const struct board *board = muster->query->board;
	size_t              open = 0;

	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);

		for (size_t j = 0; j < agent->view_count; j++)
			open += count_sightings(agent->views[j]);
	}
	muster->agents = arena_array(
	    muster->arena, board_agent_count(board) + 1, sizeof(*muster->agents));
	muster->sightings = arena_array(muster->arena, open + 1, sizeof(*muster->sightings));
	muster->findings = arena_array(muster->arena, open + 1, sizeof(*muster->findings));
	for (size_t i = 0; i < board_agent_count(board); i++) {
		const struct board_agent *agent = board_agent_at(board, i);

		muster_agent(muster, i);
		for (size_t j = 0; j < agent->view_count; j++) {
			const struct board_view *view = agent->views[j];

			for (size_t k = 0; k < view->open_count; k++) {
				if (!board_is_old(board, agent, &view->open[k]->finding,
				        muster->query->now_ms))
					add_sightings(muster, i, view, &view->open[k]->finding);
			}
		}
	}
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
	struct muster               muster = { .arena = arena_new(), .query = query };
	const struct incident_list *list;
	struct incident_ask         ask;
	json_t                     *incidents = json_array();

	muster_all(&muster);
	ask = (struct incident_ask){ muster.agents, board_agent_count(query->board),
		muster.sightings, muster.count };
	list = incident_find(muster.arena, &ask);
	for (size_t i = 0; i < list->count && i < QUERY_PAGE_MAX; i++)
		json_array_append_new(incidents, make_incident(&muster, &list->incidents[i]));
	arena_free(muster.arena);
	return make_envelope(query, "incidents", incidents);
}

static struct failover *
find_failover(struct arena *arena, const struct query *query, const struct account *account)
{
	struct failover_ask   ask = { .account = account };
	struct failover_view *views = arena_array(
	    arena, board_agent_count(query->board) + 1, sizeof(*views));

	for (size_t i = 0; i < board_agent_count(query->board); i++) {
		const struct board_agent *agent = board_agent_at(query->board, i);
		const struct board_view  *view = board_view_find(agent, account->name);
		enum state               *states;

		if (view == NULL || view->verdict == NULL || view->seen_count == 0)
			continue;
		states = arena_array(arena, view->verdict->place_count + 1, sizeof(*states));
		for (size_t j = 0; j < view->verdict->place_count; j++)
			states[j] = board_state(
			    query->board, &view->verdict->places[j], query->now_ms);
		views[ask.view_count++] = (struct failover_view){ agent->name, agent->network,
			view->verdict, states };
	}
	ask.views = views;
	return failover_find(arena, &ask);
}

static json_t *
make_failover(const struct query *query, const struct account *account)
{
	struct arena          *arena = arena_new();
	const struct failover *failover = find_failover(arena, query, account);
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

static json_t *
make_view(const struct query *query, const struct propagation_region *region,
    const struct propagation_view *view)
{
	const struct board_agent *agent = board_agent_find(query->board, view->agent);
	bool silent = agent == NULL || board_is_silent(query->board, agent, query->now_ms);
	const char *state = view->right ? "right" : silent ? "silent" : "wrong";
	json_t     *made = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "agent", view->agent,
	        "network", agent != NULL ? agent->network : "", "state", state, "right_ms",
	        make_time(view->right_ms), "wrong_ms", make_time(view->wrong_ms), "until_ms",
	        make_time(view->until_ms));

	if (view->right_ms != 0)
		json_object_set_new(
		    made, "after_ms", json_integer(view->right_ms - region->added_ms));
	return made;
}

static json_t *
make_region(const struct query *query, const struct propagation_region *region)
{
	json_t    *agents = json_array();
	json_int_t right = 0;

	for (size_t i = 0; i < region->view_count; i++) {
		right += region->views[i].right;
		json_array_append_new(agents, make_view(query, region, &region->views[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "account", region->account,
	    "region", region->region, "name", region_name(region->region), "added_ms",
	    (json_int_t)region->added_ms, "right", right, "missing",
	    (json_int_t)region->view_count - right, "agents", agents);
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
