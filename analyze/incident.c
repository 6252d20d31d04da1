#include "analyze/incident.h"

#include "analyze/crowd.h"
#include "analyze/incident_words.h"

#include <stdlib.h>
#include <string.h>

/* A sighting with its key: same keys are one cause. */
struct cause {
	const struct incident_sighting *sighting;
	size_t                          number;                  /* in the ask */
	const char                     *agent;                   /* its name */
	const char                     *account, *region, *zone; /* of the key; "" folded */
	/* Where the partition puts it. */
	enum incident_scope scope;
	int                 place;
	bool                taken;
};

/* An incident, and what its sentence will need. */
struct draft {
	struct incident       incident;
	struct incident_facts facts;
};

struct work {
	struct arena              *arena;
	const struct incident_ask *ask;
	struct crowd              *crowd;
	struct draft              *drafts;
	size_t                     draft_count, room;
};

static int
compare_keys(const struct cause *a, const struct cause *b)
{
	int by_text;

	if (a->sighting->code != b->sighting->code)
		return a->sighting->code < b->sighting->code ? -1 : 1;
	if ((by_text = strcmp(a->zone, b->zone)) != 0 ||
	    (by_text = strcmp(a->account, b->account)) != 0)
		return by_text;
	return strcmp(a->region, b->region);
}

static int
compare_causes(const void *left, const void *right)
{
	const struct cause *a = left, *b = right;
	int                 order = compare_keys(a, b);

	if (order != 0 || (order = strcmp(a->agent, b->agent)) != 0 ||
	    (order = strcmp(a->sighting->account, b->sighting->account)) != 0 ||
	    (order = strcmp(a->sighting->region, b->sighting->region)) != 0)
		return order;
	return strcmp(a->sighting->host, b->sighting->host);
}

/* The key of a sighting; fine: a path is the account's. */
static struct cause
make_cause(const struct incident_ask *ask, size_t number, bool fine)
{
	const struct incident_sighting *sighting = &ask->sightings[number];
	struct cause cause = { sighting, number, ask->agents[sighting->agent].name, "", "", "",
		SCOPE_VM, 0, false };

	switch (incident_about(sighting->code)) {
	case ABOUT_VM: break;
	case ABOUT_RESOLVER: cause.zone = sighting->zone; break;
	case ABOUT_RECORD:
		if (incident_is_of_zone(sighting->code, sighting->region)) {
			cause.zone = sighting->zone;
			cause.region = "*";
			break;
		}
		cause.account = sighting->account;
		cause.region = sighting->region;
		break;
	case ABOUT_PATH: cause.account = fine ? sighting->account : ""; break;
	case ABOUT_ACCOUNT: cause.account = sighting->account; break;
	}
	return cause;
}

static struct draft *
add_draft(struct work *work)
{
	struct draft *larger;

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
fill_accounts(struct work *work, struct incident *incident)
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
is_mixed(const struct work *work, const struct incident *incident)
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
name_place(const struct work *work, const struct incident *incident, int place)
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
is_only(const struct work *work, const struct incident *incident, const struct crowd_spot *spot)
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
find_shared(const struct work *work, const struct incident *incident)
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
finish_draft(struct work *work, struct draft *draft, int place)
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

/* The causes that are of this scope and place, which are not taken yet, as one incident. */
static void
make_incident(
    struct work *work, struct cause *causes, size_t count, enum incident_scope scope, int place)
{
	struct draft    *draft = add_draft(work);
	struct incident *incident = &draft->incident;
	size_t           last_agent = SIZE_MAX;

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

/* Rule 4: of the resolvers that the affected ask who have no incident yet, that which most ask, if all
 * who ask it are affected. */
static int
pick_resolver(const struct work *work, const struct cause *causes, size_t count)
{
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		const struct crowd_spot *spot = &work->crowd->spots[causes[i].sighting->agent];

		for (size_t j = 0; !causes[i].taken && j < spot->resolver_count; j++) {
			int                       number = spot->resolvers[j];
			const struct crowd_tally *tally = &work->crowd->askers[number];

			if (number == best || !tally->several ||
			    tally->affected != tally->total)
				continue;
			if (best >= 0 && work->crowd->askers[best].total > tally->total)
				continue;
			if (best >= 0 && work->crowd->askers[best].total == tally->total &&
			    strcmp(work->crowd->resolvers.by_number[best],
			        work->crowd->resolvers.by_number[number]) < 0)
				continue;
			best = number;
		}
	}
	return best;
}

/* One who asks two that fail is told with the one, and speaks against the other as well: so the
 * tallies stay until all are found. */
static void
take_resolvers(struct work *work, struct cause *causes, size_t count)
{
	int resolver;

	while ((resolver = pick_resolver(work, causes, count)) >= 0) {
		for (size_t i = 0; i < count; i++) {
			if (!causes[i].taken &&
			    crowd_asks(
			        &work->crowd->spots[causes[i].sighting->agent], resolver)) {
				causes[i].scope = SCOPE_RESOLVER;
				causes[i].place = resolver;
			}
		}
		make_incident(work, causes, count, SCOPE_RESOLVER, resolver);
		crowd_dismiss(work->crowd, resolver);
	}
	crowd_count(work->crowd);
}

/* Rules 5 to 7. */
static void
place_cause(const struct work *work, struct cause *cause)
{
	const struct crowd_spot  *spot = &work->crowd->spots[cause->sighting->agent];
	const struct crowd_tally *vnet = &work->crowd->vnets[spot->vnet];
	const struct crowd_tally *subnet = &work->crowd->subnets[spot->subnet];
	enum incident_about       about = incident_about(cause->sighting->code);
	bool                      dns = about == ABOUT_RESOLVER || about == ABOUT_RECORD;

	cause->scope = SCOPE_VM;
	cause->place = spot->subnet;
	if (spot->told && vnet->affected == vnet->total &&
	    (vnet->subnets_affected > 1 || (dns && vnet->affected > 1))) {
		cause->scope = SCOPE_VNET;
		cause->place = spot->vnet;
	} else if (spot->told && subnet->affected == subnet->total && subnet->affected > 1) {
		cause->scope = SCOPE_SUBNET;
	}
}

/* Causes of one place together, and in their order there. */
static int
compare_placed(const void *left, const void *right)
{
	const struct cause *a = left, *b = right;

	if (a->taken != b->taken)
		return a->taken - b->taken;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return compare_causes(left, right);
}

static void
split_places(struct work *work, struct cause *causes, size_t count)
{
	size_t end;

	for (size_t i = 0; i < count; i++) {
		if (!causes[i].taken)
			place_cause(work, &causes[i]);
	}
	qsort(causes, count, sizeof(*causes), compare_placed);
	for (size_t i = 0; i < count && !causes[i].taken; i = end) {
		for (end = i; end < count && !causes[end].taken &&
		     causes[end].scope == causes[i].scope &&
		     causes[end].place == causes[i].place;
		     end++)
			continue;
		make_incident(work, causes + i, end - i, causes[i].scope, causes[i].place);
	}
}

static bool
take_everywhere(struct work *work, struct cause *causes, size_t count)
{
	if (!crowd_all_affected(work->crowd) || !crowd_in_vnets(work->crowd))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!causes[i].taken) {
			causes[i].scope = SCOPE_EVERYWHERE;
			causes[i].place = 0;
		}
	}
	make_incident(work, causes, count, SCOPE_EVERYWHERE, 0);
	return true;
}

/* All causes with one key. */
static void
infer(struct work *work, struct cause *causes, size_t count, bool fine)
{
	enum incident_about about = incident_about(causes[0].sighting->code);

	crowd_call(work->crowd);
	for (size_t i = 0; i < count; i++)
		crowd_add(work->crowd, causes[i].sighting);
	crowd_count(work->crowd);
	if (fine) {
		if (about == ABOUT_PATH)
			take_everywhere(work, causes, count);
		return;
	}
	if (about == ABOUT_RESOLVER)
		take_resolvers(work, causes, count);
	if (work->crowd->witness_count > 0 && take_everywhere(work, causes, count))
		return;
	if (about == ABOUT_RECORD)
		take_resolvers(work, causes, count);
	split_places(work, causes, count);
}

/* One pass over what is left: keys fine or folded; says how many causes are left. */
static void
infer_all(struct work *work, bool fine, bool *taken)
{
	const struct incident_ask *ask = work->ask;
	struct cause              *causes = arena_array(
	                 work->arena, ask->sighting_count + 1, sizeof(*causes));
	size_t count = 0, end;

	for (size_t i = 0; i < ask->sighting_count; i++) {
		if (!taken[i])
			causes[count++] = make_cause(ask, i, fine);
	}
	if (count > 0)
		qsort(causes, count, sizeof(*causes), compare_causes);
	for (size_t i = 0; i < count; i = end) {
		for (end = i + 1; end < count && compare_keys(&causes[i], &causes[end]) == 0;)
			end++;
		infer(work, causes + i, end - i, fine);
	}
	for (size_t i = 0; i < count; i++)
		taken[causes[i].number] = causes[i].taken;
}

/* Records that might be told together come to stand together. */
static int
compare_drafts(const void *left, const void *right)
{
	const struct incident *a = &((const struct draft *)left)->incident;
	const struct incident *b = &((const struct draft *)right)->incident;
	int                    order;

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if ((order = strcmp(a->place, b->place)) != 0 ||
	    (order = strcmp(a->accounts[0], b->accounts[0])) != 0)
		return order;
	if (a->agent_count != b->agent_count)
		return a->agent_count > b->agent_count ? -1 : 1;
	return strcmp(a->region, b->region);
}

/* The next member that is of another agent than this one. */
static size_t
skip_agent(const struct work *work, const struct incident *incident, size_t at)
{
	size_t agent = work->ask->sightings[incident->members[at]].agent;

	while (at < incident->member_count &&
	    work->ask->sightings[incident->members[at]].agent == agent)
		at++;
	return at;
}

static bool
have_same_agents(const struct work *work, const struct incident *a, const struct incident *b)
{
	size_t i = 0, j = 0;

	while (i < a->member_count && j < b->member_count) {
		if (work->ask->sightings[a->members[i]].agent !=
		    work->ask->sightings[b->members[j]].agent)
			return false;
		i = skip_agent(work, a, i);
		j = skip_agent(work, b, j);
	}
	return i == a->member_count && j == b->member_count;
}

static bool
is_foldable(const struct work *work, const struct incident *a, const struct incident *b)
{
	return a->code == b->code && incident_about(a->code) == ABOUT_RECORD &&
	    !incident_is_of_zone(a->code, "") && !incident_is_of_zone(a->code, a->region) &&
	    !incident_is_of_zone(b->code, b->region) && a->scope == b->scope &&
	    strcmp(a->place, b->place) == 0 && strcmp(a->accounts[0], b->accounts[0]) == 0 &&
	    have_same_agents(work, a, b);
}

/* Members stay in order of their agents. */
static void
fold(struct work *work, struct incident *into, const struct incident *from)
{
	size_t *members = arena_array(
	    work->arena, into->member_count + from->member_count, sizeof(*members));
	size_t i = 0, j = 0, to = 0, end;

	while (i < into->member_count) {
		for (end = skip_agent(work, into, i); i < end; i++)
			members[to++] = into->members[i];
		for (end = skip_agent(work, from, j); j < end; j++)
			members[to++] = from->members[j];
	}
	into->members = members;
	into->member_count = to;
	into->region = "*";
	if (from->severity > into->severity) {
		into->severity = from->severity;
		into->fix = from->fix;
	}
	into->confirmed = into->confirmed || from->confirmed;
	if (from->opened_ms < into->opened_ms)
		into->opened_ms = from->opened_ms;
	if (from->last_seen_ms > into->last_seen_ms)
		into->last_seen_ms = from->last_seen_ms;
}

static void
fold_regions(struct work *work)
{
	size_t to = 0;

	if (work->draft_count > 0)
		qsort(work->drafts, work->draft_count, sizeof(*work->drafts), compare_drafts);
	for (size_t i = 0; i < work->draft_count; i++) {
		if (to > 0 &&
		    is_foldable(
		        work, &work->drafts[to - 1].incident, &work->drafts[i].incident))
			fold(work, &work->drafts[to - 1].incident, &work->drafts[i].incident);
		else
			work->drafts[to++] = work->drafts[i];
	}
	work->draft_count = to;
}

static int
compare_incidents(const void *left, const void *right)
{
	const struct incident *a = left, *b = right;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->confirmed != b->confirmed)
		return a->confirmed ? -1 : 1;
	if (a->agent_count != b->agent_count)
		return a->agent_count > b->agent_count ? -1 : 1;
	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	return strcmp(a->sentence, b->sentence);
}

static struct incident_list *
list_incidents(struct work *work)
{
	struct incident_list *list = arena_alloc(work->arena, sizeof(*list));

	list->incidents = arena_array(
	    work->arena, work->draft_count + 1, sizeof(struct incident));
	for (size_t i = 0; i < work->draft_count; i++) {
		struct incident *incident = &list->incidents[list->count++];

		*incident = work->drafts[i].incident;
		incident->sentence = incident_sentence(
		    work->arena, incident, &work->drafts[i].facts);
	}
	if (list->count > 0)
		qsort(list->incidents, list->count, sizeof(struct incident), compare_incidents);
	return list;
}

struct incident_list *
incident_find(struct arena *arena, const struct incident_ask *ask)
{
	struct work work = { .arena = arena, .ask = ask, .crowd = crowd_new(arena, ask) };
	bool       *taken = arena_array(arena, ask->sighting_count + 1, sizeof(bool));

	for (size_t i = 0; i < ask->sighting_count; i++)
		taken[i] = ask->sightings[i].severity == STATE_OK ||
		    !ask->agents[ask->sightings[i].agent].heard;
	infer_all(&work, true, taken);
	infer_all(&work, false, taken);
	fold_regions(&work);
	return list_incidents(&work);
}

const char *
incident_scope_name(enum incident_scope scope)
{
	switch (scope) {
	case SCOPE_VM: return "vm";
	case SCOPE_SUBNET: return "subnet";
	case SCOPE_VNET: return "vnet";
	case SCOPE_RESOLVER: return "resolver";
	case SCOPE_EVERYWHERE: return "everywhere";
	}
	return "";
}
