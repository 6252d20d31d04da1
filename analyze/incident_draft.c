#include "analyze/incident_work.h"

#include <stdlib.h>
#include <string.h>

static struct incident_draft *
add_draft(struct incident_work *work)
{
	struct incident_draft *larger;

	if (work->draft_count == work->room) {
		work->room = 2 * work->room + 16;
		larger = arena_array(work->arena, work->room, sizeof(*larger));
		if (work->draft_count > 0)
			memcpy(larger, work->drafts, work->draft_count * sizeof(*larger));
		work->drafts = larger;
	}
	return &work->drafts[work->draft_count++];
}

static int
compare_words(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void
fill_accounts(struct incident_work *work, struct incident *incident)
{
	const struct incident_sighting *sightings = work->ask->sightings;

	work->crowd->round++;
	incident->accounts = arena_array(work->arena, incident->member_count, sizeof(char *));
	for (size_t i = 0; i < incident->member_count; i++) {
		const char *account = sightings[incident->members[i]].account;
		int         number = crowd_number(&work->crowd->accounts, account);

		if (work->crowd->account_stamps[number] == work->crowd->round)
			continue;
		work->crowd->account_stamps[number] = work->crowd->round;
		incident->accounts[incident->account_count++] = account;
	}
	qsort(incident->accounts, incident->account_count, sizeof(char *), compare_words);
}

/* The worst member's fix, and of equals the first one's. */
static void
add_member(struct incident *incident, const struct incident_sighting *sighting)
{
	if (incident->agent_count == 0 || sighting->severity > incident->severity) {
		incident->severity = sighting->severity;
		incident->fix = sighting->fix;
	}
	if (incident->agent_count == 0) {
		incident->region = sighting->region;
		incident->opened_ms = sighting->opened_ms;
	} else if (strcmp(incident->region, sighting->region) != 0) {
		incident->region = "*";
	}
	incident->confirmed = incident->confirmed || sighting->confirmed;
	if (sighting->opened_ms < incident->opened_ms)
		incident->opened_ms = sighting->opened_ms;
	if (sighting->last_seen_ms > incident->last_seen_ms)
		incident->last_seen_ms = sighting->last_seen_ms;
}

/* Whether the zone answers the agent as it should, for whatever account. */
static bool
has_zone(const struct incident_agent *agent, const char *zone)
{
	for (size_t i = 0; i < agent->look_count; i++) {
		for (size_t j = 0; j < agent->looks[i].zone_count; j++) {
			if (strcmp(agent->looks[i].zones[j], zone) == 0)
				return true;
		}
	}
	return false;
}

/* Whether an agent of it sees one of the accounts well, or another one of the zone: then no whole
 * zone is to blame. */
static bool
is_mixed(const struct incident_work *work, const struct incident *incident)
{
	const struct incident_ask *ask = work->ask;
	size_t                     at = 0;

	while (at < incident->member_count) {
		size_t      agent = ask->sightings[incident->members[at]].agent, shows = 0;
		size_t      looks = 0;
		const char *last = "";

		for (; at < incident->member_count &&
		     ask->sightings[incident->members[at]].agent == agent;
		     at++) {
			const char *account = ask->sightings[incident->members[at]].account;

			shows += strcmp(last, account) != 0;
			last = account;
		}
		for (size_t i = 0; i < ask->agents[agent].look_count; i++)
			looks += bsearch(&ask->agents[agent].looks[i].account,
			             incident->accounts, incident->account_count,
			             sizeof(char *), compare_words) != NULL;
		if (looks > shows || has_zone(&ask->agents[agent], incident->zone))
			return true;
	}
	return false;
}

static const char *
name_place(const struct incident_work *work, const struct incident *incident, int place)
{
	const struct incident_ask *ask = work->ask;

	switch (incident->scope) {
	case SCOPE_VM:
		if (incident->agent_count == 1)
			return ask->agents[ask->sightings[incident->members[0]].agent].name;
		return work->crowd->places.by_number[place];
	case SCOPE_SUBNET:
	case SCOPE_VNET: return work->crowd->places.by_number[place];
	case SCOPE_RESOLVER: return work->crowd->resolvers.by_number[place];
	case SCOPE_EVERYWHERE: break;
	}
	return "";
}

/* Beside them is nobody to compare with. */
static bool
is_only(const struct incident_work *work, const struct incident *incident,
    const struct crowd_spot *spot)
{
	switch (incident->scope) {
	case SCOPE_VM:
		return work->crowd->subnets[spot->subnet].affected ==
		    work->crowd->subnets[spot->subnet].total;
	case SCOPE_SUBNET:
		return work->crowd->subnets[spot->subnet].total ==
		    work->crowd->vnets[spot->vnet].total;
	case SCOPE_VNET: return !crowd_in_vnets(work->crowd);
	case SCOPE_RESOLVER:
	case SCOPE_EVERYWHERE: break;
	}
	return false;
}

/* The resolver that all of the incident's agents ask; "" none. */
static const char *
find_shared(const struct incident_work *work, const struct incident *incident)
{
	const struct incident_ask *ask = work->ask;
	const struct crowd_spot   *first =
	    &work->crowd->spots[ask->sightings[incident->members[0]].agent];

	for (size_t i = 0; i < first->resolver_count; i++) {
		size_t at = 0;

		while (at < incident->member_count &&
		    crowd_asks(&work->crowd->spots[ask->sightings[incident->members[at]].agent],
		        first->resolvers[i]))
			at++;
		if (at == incident->member_count)
			return work->crowd->resolvers.by_number[first->resolvers[i]];
	}
	return "";
}

static void
finish_draft(struct incident_work *work, struct incident_draft *draft, int place)
{
	const struct incident_ask *ask = work->ask;
	struct incident           *incident = &draft->incident;
	size_t                     first = ask->sightings[incident->members[0]].agent;
	const struct crowd_spot   *spot = &work->crowd->spots[first];

	draft->facts = (struct incident_facts){ .azure_only = true,
		.network = crowd_network(&ask->agents[first]),
		.witnesses = work->crowd->subnets[spot->subnet].total,
		.vnet = spot->told && work->crowd->vnets[spot->vnet].total == 1
		    ? work->crowd->places.by_number[spot->vnet]
		    : "",
		.shared = "" };
	incident->only = is_only(work, incident, spot);
	incident->place = name_place(work, incident, place);
	for (size_t i = 0; i < incident->member_count; i++)
		draft->facts.azure_only = draft->facts.azure_only &&
		    work->crowd->spots[ask->sightings[incident->members[i]].agent].azure_only;
	fill_accounts(work, incident);
	draft->facts.mixed = is_mixed(work, incident);
	if (incident->scope == SCOPE_EVERYWHERE)
		draft->facts.shared = find_shared(work, incident);
	incident->owner = incident_owner(incident);
}

void
incident_draft_add(struct incident_work *work, struct incident_cause *causes, size_t count,
    enum incident_scope scope, int place)
{
	struct incident_draft *draft = add_draft(work);
	struct incident       *incident = &draft->incident;
	size_t                 last_agent = SIZE_MAX;

	incident->members = arena_array(work->arena, count, sizeof(size_t));
	incident->scope = scope;
	for (size_t i = 0; i < count; i++) {
		const struct incident_sighting *sighting = causes[i].sighting;

		if (causes[i].taken || causes[i].scope != scope || causes[i].place != place)
			continue;
		causes[i].taken = true;
		incident->code = sighting->code;
		incident->zone = sighting->zone;
		add_member(incident, sighting);
		incident->members[incident->member_count++] = causes[i].number;
		incident->agent_count += sighting->agent != last_agent;
		last_agent = sighting->agent;
	}
	finish_draft(work, draft, place);
}
