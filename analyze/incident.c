#include "analyze/incident.h"

#include "analyze/incident_work.h"

#include <stdlib.h>
#include <string.h>

static int
compare_keys(const struct incident_cause *a, const struct incident_cause *b)
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
	const struct incident_cause *a = left, *b = right;
	int                          order = compare_keys(a, b);

	if (order != 0 || (order = strcmp(a->agent, b->agent)) != 0 ||
	    (order = strcmp(a->sighting->account, b->sighting->account)) != 0 ||
	    (order = strcmp(a->sighting->region, b->sighting->region)) != 0)
		return order;
	return strcmp(a->sighting->host, b->sighting->host);
}

/* The key of a sighting; fine: a path is the account's. */
static struct incident_cause
make_cause(const struct incident_ask *ask, size_t number, bool fine)
{
	const struct incident_sighting *sighting = &ask->sightings[number];
	struct incident_cause cause = { sighting, number, ask->agents[sighting->agent].name, "",
		"", "", SCOPE_VM, 0, false };

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

/* Rule 4: of the resolvers that the affected ask who have no incident yet, that which most ask, if all
 * who ask it are affected. */
static int
pick_resolver(
    const struct incident_work *work, const struct incident_cause *causes, size_t count)
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
take_resolvers(struct incident_work *work, struct incident_cause *causes, size_t count)
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
		incident_draft_add(work, causes, count, SCOPE_RESOLVER, resolver);
		crowd_dismiss(work->crowd, resolver);
	}
	crowd_count(work->crowd);
}

/* Rules 5 to 7. */
static void
place_cause(const struct incident_work *work, struct incident_cause *cause)
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
	const struct incident_cause *a = left, *b = right;

	if (a->taken != b->taken)
		return a->taken - b->taken;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return compare_causes(left, right);
}

static void
split_places(struct incident_work *work, struct incident_cause *causes, size_t count)
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
		incident_draft_add(work, causes + i, end - i, causes[i].scope, causes[i].place);
	}
}

static bool
take_everywhere(struct incident_work *work, struct incident_cause *causes, size_t count)
{
	if (!crowd_all_affected(work->crowd) || !crowd_in_vnets(work->crowd))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!causes[i].taken) {
			causes[i].scope = SCOPE_EVERYWHERE;
			causes[i].place = 0;
		}
	}
	incident_draft_add(work, causes, count, SCOPE_EVERYWHERE, 0);
	return true;
}

/* All causes with one key. */
static void
infer(struct incident_work *work, struct incident_cause *causes, size_t count, bool fine)
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
infer_all(struct incident_work *work, bool fine, bool *taken)
{
	const struct incident_ask *ask = work->ask;
	struct incident_cause     *causes = arena_array(
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
list_incidents(struct incident_work *work)
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
	struct incident_work work = {
		.arena = arena, .ask = ask, .crowd = crowd_new(arena, ask)
	};
	bool *taken = arena_array(arena, ask->sighting_count + 1, sizeof(bool));

	for (size_t i = 0; i < ask->sighting_count; i++)
		taken[i] = ask->sightings[i].severity == STATE_OK ||
		    !ask->agents[ask->sightings[i].agent].heard;
	infer_all(&work, true, taken);
	infer_all(&work, false, taken);
	incident_fold_regions(&work);
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
