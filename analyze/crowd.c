#include "analyze/crowd.h"

#include "base/addr.h"

#include <string.h>

static const char untold[] = "networks that are not told";

static void
init_texts(struct crowd_texts *texts, struct arena *arena, size_t most)
{
	size_t room = 16;

	while (room < 2 * most)
		room *= 2;
	texts->by_number = arena_array(arena, most + 1, sizeof(char *));
	texts->slots = arena_array(arena, room, sizeof(int));
	texts->mask = room - 1;
}

int
crowd_number(struct crowd_texts *texts, const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t   at;

	for (const char *c = text; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	at = (size_t)(hash ^ hash >> 32) & texts->mask;
	while (
	    texts->slots[at] != 0 && strcmp(texts->by_number[texts->slots[at] - 1], text) != 0)
		at = (at + 1) & texts->mask;
	if (texts->slots[at] == 0) {
		texts->by_number[texts->count++] = text;
		texts->slots[at] = (int)texts->count;
	}
	return texts->slots[at] - 1;
}

static bool
is_azure(const char *resolver)
{
	struct addr addr;

	return strcmp(resolver, "168.63.129.16") == 0 ||
	    (addr_parse(&addr, resolver, 53, NULL) && addr_class(&addr) == ADDR_LOOPBACK);
}

static size_t
count_words(const char *text)
{
	size_t count = 0;

	while (*(text += strspn(text, " ")) != '\0') {
		text += strcspn(text, " ");
		count++;
	}
	return count;
}

static void
read_resolvers(struct crowd *crowd, struct crowd_spot *spot, const char *text)
{
	spot->resolvers = arena_array(crowd->arena, count_words(text) + 1, sizeof(int));
	spot->azure_only = true;
	while (*(text += strspn(text, " ")) != '\0') {
		const char *one = arena_strndup(crowd->arena, text, strcspn(text, " "));

		text += strcspn(text, " ");
		if (is_azure(one))
			continue;
		spot->azure_only = false;
		spot->resolvers[spot->resolver_count++] = crowd_number(&crowd->resolvers, one);
	}
}

const char *
crowd_network(const struct incident_agent *agent)
{
	return agent->network[0] != '\0' ? agent->network : untold;
}

static void
read_agent(struct crowd *crowd, size_t at)
{
	const struct incident_agent *agent = &crowd->ask->agents[at];
	struct crowd_spot           *spot = &crowd->spots[at];
	const char                  *network = crowd_network(agent);

	spot->told = agent->network[0] != '\0';
	spot->subnet = crowd_number(&crowd->places, network);
	spot->vnet = crowd_number(
	    &crowd->places, arena_strndup(crowd->arena, network, strcspn(network, "/")));
	read_resolvers(crowd, spot, agent->resolvers);
	for (size_t i = 0; i < agent->look_count; i++)
		crowd_number(&crowd->accounts, agent->looks[i].account);
}

static void
list_lookers(struct crowd *crowd)
{
	const struct incident_ask *ask = crowd->ask;

	crowd->lookers = arena_array(crowd->arena, crowd->accounts.count + 1, sizeof(size_t *));
	crowd->looker_counts = arena_array(
	    crowd->arena, crowd->accounts.count + 1, sizeof(size_t));
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; pass == 1 && i < crowd->accounts.count; i++) {
			crowd->lookers[i] = arena_array(
			    crowd->arena, crowd->looker_counts[i] + 1, sizeof(size_t));
			crowd->looker_counts[i] = 0;
		}
		for (size_t i = 0; i < ask->agent_count; i++) {
			for (size_t j = 0;
			     ask->agents[i].heard && j < ask->agents[i].look_count; j++) {
				int account = crowd_number(
				    &crowd->accounts, ask->agents[i].looks[j].account);

				if (pass == 1)
					crowd->lookers[account][crowd->looker_counts[account]] =
					    i;
				crowd->looker_counts[account]++;
			}
		}
	}
}

struct crowd *
crowd_new(struct arena *arena, const struct incident_ask *ask)
{
	struct crowd *crowd = arena_alloc(arena, sizeof(*crowd));
	size_t        accounts = 0, resolvers = 0;

	crowd->arena = arena;
	crowd->ask = ask;
	for (size_t i = 0; i < ask->agent_count; i++) {
		accounts += ask->agents[i].look_count;
		resolvers += count_words(ask->agents[i].resolvers);
	}
	init_texts(&crowd->places, arena, 2 * ask->agent_count);
	init_texts(&crowd->accounts, arena, accounts + ask->sighting_count);
	init_texts(&crowd->resolvers, arena, resolvers);
	crowd->spots = arena_array(arena, ask->agent_count + 1, sizeof(*crowd->spots));
	crowd->agent_stamps = arena_array(arena, ask->agent_count + 1, sizeof(unsigned));
	crowd->account_stamps = arena_array(
	    arena, accounts + ask->sighting_count + 1, sizeof(unsigned));
	crowd->vnets = arena_array(arena, 2 * ask->agent_count + 1, sizeof(struct crowd_tally));
	crowd->subnets = arena_array(
	    arena, 2 * ask->agent_count + 1, sizeof(struct crowd_tally));
	crowd->askers = arena_array(arena, resolvers + 1, sizeof(struct crowd_tally));
	crowd->matters = arena_array(arena, ask->sighting_count + 1, sizeof(*crowd->matters));
	crowd->affected = arena_array(arena, ask->agent_count + 1, sizeof(bool));
	crowd->witnesses = arena_array(arena, ask->agent_count + 1, sizeof(size_t));
	for (size_t i = 0; i < ask->agent_count; i++)
		read_agent(crowd, i);
	for (size_t i = 0; i < ask->sighting_count; i++)
		crowd_number(&crowd->accounts, ask->sightings[i].account);
	list_lookers(crowd);
	return crowd;
}

bool
crowd_asks(const struct crowd_spot *spot, int resolver)
{
	for (size_t i = 0; i < spot->resolver_count; i++) {
		if (spot->resolvers[i] == resolver)
			return true;
	}
	return false;
}

void
crowd_call(struct crowd *crowd)
{
	crowd->round++;
	crowd->witness_count = 0;
	crowd->matter_count = 0;
}

static void
add_witness(struct crowd *crowd, size_t agent)
{
	if (crowd->agent_stamps[agent] == crowd->round)
		return;
	crowd->agent_stamps[agent] = crowd->round;
	crowd->affected[agent] = false;
	crowd->witnesses[crowd->witness_count++] = agent;
}

static bool
looks_at(const struct incident_agent *agent, const char *account, const char *region)
{
	size_t at = 0;

	while (at < agent->look_count && strcmp(agent->looks[at].account, account) != 0)
		at++;
	if (at == agent->look_count)
		return false;
	if (agent->looks[at].regions == NULL || strcmp(region, "*") == 0)
		return true;
	for (size_t i = 0; i < agent->looks[at].region_count; i++) {
		if (strcmp(agent->looks[at].regions[i], region) == 0)
			return true;
	}
	return false;
}

static void
add_lookers(struct crowd *crowd, int account, const char *region)
{
	const char *name = crowd->accounts.by_number[account];

	for (size_t i = 0; i < crowd->looker_counts[account]; i++) {
		size_t agent = crowd->lookers[account][i];

		if (crowd->agent_stamps[agent] != crowd->round &&
		    looks_at(&crowd->ask->agents[agent], name, region))
			add_witness(crowd, agent);
	}
}

/* Whether the round is about this already; notes it. */
static bool
is_noted(struct crowd *crowd, int account, const char *region)
{
	for (size_t i = 0; i < crowd->matter_count; i++) {
		if (crowd->matters[i].account == account &&
		    strcmp(crowd->matters[i].region, region) == 0)
			return true;
	}
	crowd->matters[crowd->matter_count++] = (struct crowd_matter){ account, region };
	return false;
}

void
crowd_add(struct crowd *crowd, const struct incident_sighting *sighting)
{
	int account = crowd_number(&crowd->accounts, sighting->account);

	if (!is_noted(crowd, account, sighting->region))
		add_lookers(crowd, account, sighting->region);
	add_witness(crowd, sighting->agent); /* who sees it has looked */
	crowd->affected[sighting->agent] = true;
}

/* Counts the witnesses of this round by place and by resolver. */
void
crowd_count(struct crowd *crowd)
{
	static const struct crowd_tally none = { 0 };

	for (size_t i = 0; i < crowd->witness_count; i++) {
		const struct crowd_spot *spot = &crowd->spots[crowd->witnesses[i]];

		crowd->vnets[spot->vnet] = none;
		crowd->subnets[spot->subnet] = none;
		for (size_t j = 0; j < spot->resolver_count; j++)
			crowd->askers[spot->resolvers[j]] = none;
	}
	for (size_t i = 0; i < crowd->witness_count; i++) {
		const struct crowd_spot *spot = &crowd->spots[crowd->witnesses[i]];
		bool                     affected = crowd->affected[crowd->witnesses[i]];

		crowd->vnets[spot->vnet].total++;
		crowd->vnets[spot->vnet].affected += affected;
		if (affected && crowd->subnets[spot->subnet].affected == 0)
			crowd->vnets[spot->vnet].subnets_affected++;
		crowd->subnets[spot->subnet].total++;
		crowd->subnets[spot->subnet].affected += affected;
		for (size_t j = 0; j < spot->resolver_count; j++) {
			struct crowd_tally *tally = &crowd->askers[spot->resolvers[j]];

			tally->total++;
			tally->affected += affected;
			if (spot->told && tally->vnet == 0)
				tally->vnet = spot->vnet + 1;
			tally->several = tally->several ||
			    (spot->told && tally->vnet != spot->vnet + 1);
		}
	}
}

bool
crowd_in_vnets(const struct crowd *crowd)
{
	int first = -1;

	for (size_t i = 0; i < crowd->witness_count; i++) {
		const struct crowd_spot *spot = &crowd->spots[crowd->witnesses[i]];

		if (!spot->told)
			continue;
		if (first >= 0 && spot->vnet != first)
			return true;
		first = spot->vnet;
	}
	return false;
}

bool
crowd_all_affected(const struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->witness_count; i++) {
		if (!crowd->affected[crowd->witnesses[i]])
			return false;
	}
	return crowd->witness_count > 0;
}

void
crowd_dismiss(struct crowd *crowd, int resolver)
{
	size_t to = 0;

	for (size_t i = 0; i < crowd->witness_count; i++) {
		if (!crowd_asks(&crowd->spots[crowd->witnesses[i]], resolver))
			crowd->witnesses[to++] = crowd->witnesses[i];
	}
	crowd->witness_count = to;
}
