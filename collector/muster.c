#include "collector/muster.h"

#include "analyze/incident_words.h"
#include "base/addr.h"

#include <string.h>

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

static bool
is_unseen_zone(const char *text)
{
	for (int code = 0; code < FINDING_COUNT; code++) {
		if (incident_is_unseen_zone((enum finding_code)code) &&
		    strcmp(text, finding_table[code].code) == 0)
			return true;
	}
	return false;
}

static bool
has_unseen_zone(const struct board_agent *agent)
{
	for (size_t i = 0; i < agent->view_count; i++) {
		for (size_t j = 0; j < agent->views[i]->open_count; j++) {
			if (is_unseen_zone(agent->views[i]->open[j]->finding.code))
				return true;
		}
	}
	return false;
}

/* "contoso.privatelink.documents.azure.com" -> "privatelink.documents.azure.com", if that is the
 * alias of an answer with private addresses; NULL else. */
static const char *
find_zone(const struct dns *dns)
{
	const char *zone = NULL;

	if (dns->outcome != OUTCOME_OK || dns->addresses_count == 0)
		return NULL;
	for (size_t i = 0; i < dns->hops_count && zone == NULL; i++)
		zone = strstr(dns->hops[i].target, ".privatelink.");
	for (size_t i = 0; i < dns->addresses_count; i++) {
		struct addr addr;

		if (!addr_parse(&addr, dns->addresses[i].address, 443, NULL) ||
		    addr_class(&addr) != ADDR_PRIVATE)
			return NULL;
	}
	return zone != NULL ? zone + 1 : NULL;
}

static bool
has_text(const char *const *texts, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(texts[i], text) == 0)
			return true;
	}
	return false;
}

/* Zones that answer the agent as they should. */
static void
list_zones(struct arena *arena, struct incident_look *look, const struct board_view *view)
{
	const char **zones = arena_array(arena, view->seen_count + 1, sizeof(char *));

	for (size_t i = 0; i < view->seen_count; i++) {
		const struct measurement *seen = view->seen[i]->seen;
		const char               *zone = NULL;

		for (size_t j = 0; j < seen->dns_count && zone == NULL; j++)
			zone = find_zone(&seen->dns[j]);
		if (zone != NULL && !has_text(zones, look->zone_count, zone))
			zones[look->zone_count++] = zone;
	}
	look->zones = zones;
}

static struct incident_look
make_look(struct arena *arena, const struct board_view *view)
{
	const char **regions = arena_array(arena, view->seen_count + 1, sizeof(char *));

	for (size_t i = 0; i < view->seen_count; i++)
		regions[i] = view->seen[i]->seen->target->region;
	return (struct incident_look){
		.account = view->name, .regions = regions, .region_count = view->seen_count
	};
}

static void
add_agent(struct muster *muster, size_t at)
{
	const struct board_agent *agent = board_agent_at(muster->query->board, at);
	struct incident_look     *looks = arena_array(
	        muster->arena, agent->view_count + 1, sizeof(*looks));
	size_t count = 0;
	bool   doubts = has_unseen_zone(agent); /* only then it matters */

	for (size_t i = 0; i < agent->view_count; i++) {
		if (agent->views[i]->seen_count == 0)
			continue;
		looks[count] = make_look(muster->arena, agent->views[i]);
		if (doubts)
			list_zones(muster->arena, &looks[count], agent->views[i]);
		count++;
	}
	muster->agents[at] = (struct incident_agent){ .name = agent->name,
		.network = agent->network,
		.resolvers = list_resolvers(muster->arena, agent),
		.heard = !board_is_silent(muster->query->board, agent, muster->query->now_ms),
		.looks = looks,
		.look_count = count };
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

/* One that is told of several names is a sighting of each: others may see fewer of them.  A zone that
 * is not seen is one, the zone's. */
static void
add_sightings(struct muster *muster, size_t agent, const struct board_view *view,
    const struct store_finding *finding)
{
	const struct finding *judged = find_judged(view, finding);
	size_t                first = muster->count;

	add_sighting(muster, agent, view, finding);
	if (judged == NULL || muster->count == first || judged->host_count < 2 ||
	    incident_is_unseen_zone(judged->code) ||
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
add_all(struct muster *muster)
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

		add_agent(muster, i);
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

struct muster *
muster_make(struct arena *arena, const struct query *query)
{
	struct muster      *muster = arena_alloc(arena, sizeof(*muster));
	struct incident_ask ask;

	muster->arena = arena;
	muster->query = query;
	add_all(muster);
	ask = (struct incident_ask){ muster->agents, board_agent_count(query->board),
		muster->sightings, muster->count };
	muster->incidents = incident_find(arena, &ask);
	return muster;
}

struct failover *
muster_failover(struct arena *arena, const struct query *query, const struct account *account)
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
