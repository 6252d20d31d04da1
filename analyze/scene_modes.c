#include "analyze/scene_modes.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LOW_PORT = 10000, HIGH_PORT = 20000, GOOD_STATUS = 200, BAD_STATUS = 400 };

const char *
scene_modes_peer(struct arena *arena, const struct replica *replica)
{
	const char *address = replica->end != NULL ? replica->end->address : NULL;

	if (address == NULL || *address == '\0')
		return arena_printf(arena, "%s:%u", replica->host, replica->port);
	return arena_printf(arena, "%s:%u (%s)", replica->host, replica->port, address);
}

bool
scene_modes_is_low(const struct replica *replica)
{
	return replica->port >= LOW_PORT && replica->port <= HIGH_PORT;
}

bool
scene_modes_is_proven(const struct site *site)
{
	const struct direct *direct = site->direct;

	return direct != NULL && direct->origin != ORIGIN_SAMPLE && direct->well > 0 &&
	    direct->failed == 0;
}

static bool
is_refused(const struct replica *replica)
{
	return replica->status != 0 &&
	    (replica->status < GOOD_STATUS || replica->status >= BAD_STATUS);
}

/* The first stage that did not end well. */
static void
find_stage(struct contact *contact)
{
	const struct replica  *replica = contact->replica;
	const struct endpoint *end = replica->end;
	const unsigned         outcomes[] = {
		        [CONTACT_DNS] = replica->dns,
		        [CONTACT_TCP] = end != NULL ? end->tcp : OUTCOME_NOT_RUN,
		        [CONTACT_TLS] = end != NULL ? end->tls : OUTCOME_NOT_RUN,
		        [CONTACT_CONTEXT] = replica->context,
	};

	/* A name that is the target's own was resolved with that. */
	contact->stage = replica->dns == OUTCOME_NOT_RUN ? CONTACT_TCP : CONTACT_DNS;
	while (contact->stage < CONTACT_OVER && outcomes[contact->stage] == OUTCOME_OK)
		contact->stage++;
	if (contact->stage == CONTACT_OVER && is_refused(replica))
		contact->stage = CONTACT_CONTEXT;
	contact->outcome = contact->stage == CONTACT_OVER
	    ? OUTCOME_OK
	    : (enum outcome)outcomes[contact->stage];
}

static enum contact_kind
find_kind(const struct contact *contact, bool agent_late)
{
	if (contact->stage == CONTACT_OVER)
		return CONTACT_WELL;
	switch (contact->outcome) {
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return CONTACT_NONE;
	case OUTCOME_TIMEOUT: return agent_late ? CONTACT_NONE : CONTACT_FAILED;
	default: return CONTACT_FAILED;
	}
}

static void
build_contact(const struct scene *scene, const struct site *site, struct contact *contact)
{
	const struct endpoint *end = contact->replica->end;

	contact->own = text_equal_nocase(contact->replica->host, site->place->target->host);
	find_stage(contact);
	contact->kind = find_kind(contact, site->seen->agent_late);
	if (end == NULL || end->address == NULL ||
	    !addr_parse(&contact->attempt.addr, end->address, (uint16_t)end->port, NULL))
		return;
	contact->attempt.end = end;
	contact->attempt.peer = ""; /* nobody quotes it */
	if (site->name == NULL)
		return;
	contact->gateway = scene_attempt(site->name, &contact->attempt.addr);
	if (contact->own)
		scene_trace(scene, site->name, &contact->attempt);
}

/* How far the name came in Direct mode, in the stages of findings.def. */
static unsigned
find_reach(const struct site *site)
{
	const struct direct *direct = site->direct;
	unsigned             reached = 1u << STAGE_NAME | 1u << STAGE_REGION;

	if (direct->count > 0)
		reached |= 1u << STAGE_ANSWER;
	for (size_t i = 0; i < direct->count; i++) {
		const struct contact *contact = &direct->contacts[i];

		if (contact->kind == CONTACT_NONE || contact->stage < CONTACT_TCP)
			continue;
		reached |= 1u << STAGE_TCP;
		if (contact->stage > CONTACT_TCP)
			reached |= 1u << STAGE_TLS;
		if (contact->stage > CONTACT_TLS)
			reached |= 1u << STAGE_HTTP;
	}
	return reached;
}

static void
build_direct(const struct scene *scene, struct site *site)
{
	const struct measurement *seen = site->seen;
	struct direct            *direct;

	if (seen == NULL)
		return;
	direct = arena_alloc(scene->arena, sizeof(*direct));
	direct->origin = (enum origin)seen->origin;
	direct->contacts = arena_array(
	    scene->arena, seen->replicas_count + 1, sizeof(struct contact));
	for (size_t i = 0; i < seen->replicas_count; i++) {
		struct contact *contact = &direct->contacts[direct->count++];

		contact->replica = &seen->replicas[i];
		build_contact(scene, site, contact);
		direct->well += contact->kind == CONTACT_WELL ? 1 : 0;
		direct->failed += contact->kind == CONTACT_FAILED ? 1 : 0;
	}
	site->direct = direct;
	if (!site->pending)
		site->reached = find_reach(site);
}

/* Likewise for Gateway V2. */
static void
build_thin(struct site *site)
{
	if (site->seen == NULL || site->pending)
		return;
	site->reached = 1u << STAGE_NAME | 1u << STAGE_REGION;
	for (size_t i = 0; i < site->seen->thins_count; i++) {
		const struct endpoint *end = site->seen->thins[i].end;

		if (end == NULL || end->tcp == OUTCOME_NOT_RUN)
			continue;
		site->reached |= 1u << STAGE_ANSWER | 1u << STAGE_TCP;
		if (end->tcp == OUTCOME_OK)
			site->reached |= 1u << STAGE_TLS;
		if (end->tls == OUTCOME_OK)
			site->reached |= 1u << STAGE_HTTP;
	}
}

static struct site *
find_name(const struct scene *scene, const char *host)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		if (text_equal_nocase(scene->sites[i].place->target->host, host))
			return &scene->sites[i];
	}
	return NULL;
}

static const struct location *
find_location(const struct scene *scene, const char *label)
{
	const struct account *account = scene->ask->account;

	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return &account->locations[i];
	}
	return NULL;
}

static bool
has_target(const struct name_list *names, const struct target *target)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct target *known = &names->targets[i];

		if (known->mode == target->mode && strcmp(known->region, target->region) == 0 &&
		    (known->mode == MODE_GATEWAY_V2 ||
		        text_equal_nocase(known->host, target->host)))
			return true;
	}
	return false;
}

static bool
is_measured(const struct scene *scene, enum mode mode)
{
	for (size_t i = 0; i < scene->ask->seen_count; i++) {
		const struct target *target = scene->ask->seen[i]->target;

		if (target != NULL && target->mode == mode &&
		    target->api == scene->ask->account->api)
			return true;
	}
	return false;
}

static int
compare_targets(const void *left, const void *right)
{
	const struct target *a = left, *b = right;
	int                  by_region = strcmp(a->region, b->region);

	return by_region != 0 ? by_region : strcmp(a->host, b->host);
}

/* Regions that only the measurements know, as those that a gateway told of. */
void
scene_modes_add_beside(const struct scene *scene, struct name_list *names, enum mode mode)
{
	const struct judge_ask *ask = scene->ask;
	size_t                  begin = names->count;

	for (size_t i = 0; i < ask->seen_count; i++) {
		const struct target *target = ask->seen[i]->target;

		if (target == NULL || target->mode != mode || target->role == ROLE_SWEEP ||
		    target->api != ask->account->api ||
		    strcmp(target->account, ask->account->name) != 0 ||
		    has_target(names, target))
			continue;
		names->targets[names->count++] = *target;
	}
	qsort(names->targets + begin, names->count - begin, sizeof(*names->targets),
	    compare_targets);
}

/* The name's DNS has to be judged somewhere. */
static struct site *
add_name(struct scene *scene, const struct target *target)
{
	struct target *name = arena_alloc(scene->arena, sizeof(*name));
	struct site   *site;

	*name = *target;
	name->mode = MODE_GATEWAY;
	site = scene_add(scene, scene->sites, &scene->site_count, name,
	    find_location(scene, target->region));
	site->unasked = true;
	return site;
}

static void
add_mode(struct scene *scene, const struct name_list *names, enum mode mode, struct site *list,
    size_t *count)
{
	for (size_t i = 0; i < names->count; i++) {
		const struct target *target = &names->targets[i];
		struct site         *site;

		if (target->mode != mode || target->role == ROLE_SWEEP)
			continue;
		site = scene_add(
		    scene, list, count, target, find_location(scene, target->region));
		if (site->seen == NULL && !scene->ask->has_document) {
			(*count)--; /* a name that nobody configured */
			continue;
		}
		if (site->seen != NULL)
			site->place->target = site->seen->target;
		site->name = find_name(scene, site->place->target->host);
		if (site->name == NULL && site->seen != NULL && mode == MODE_DIRECT)
			site->name = add_name(scene, site->place->target);
	}
}

void
scene_modes_add(struct scene *scene, struct name_list *names, size_t room)
{
	scene->direct = arena_array(scene->arena, room, sizeof(struct site));
	scene->thin = arena_array(scene->arena, room, sizeof(struct site));
	if (is_measured(scene, MODE_DIRECT)) {
		scene_modes_add_beside(scene, names, MODE_DIRECT);
		add_mode(scene, names, MODE_DIRECT, scene->direct, &scene->direct_count);
	}
	if (is_measured(scene, MODE_GATEWAY_V2)) {
		scene_modes_add_beside(scene, names, MODE_GATEWAY_V2);
		add_mode(scene, names, MODE_GATEWAY_V2, scene->thin, &scene->thin_count);
	}
	for (size_t i = 0; i < scene->direct_count; i++)
		build_direct(scene, &scene->direct[i]);
	for (size_t i = 0; i < scene->thin_count; i++)
		build_thin(&scene->thin[i]);
}
