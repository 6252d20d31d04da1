#include "analyze/incident_words.h"

#include "analyze/region.h"

#include <string.h>

enum { ACCOUNTS_TOLD = 3 };

enum incident_about
incident_about(enum finding_code code)
{
	const struct finding_desc *desc = &finding_table[code];

	if (code == FINDING_RESOLVERS_DISAGREE || code == FINDING_RESOLVER_SLOW)
		return ABOUT_RESOLVER;
	if (code == FINDING_GLOBAL_NAME_MISSING)
		return ABOUT_RECORD;
	switch (desc->owner) {
	case OWNER_CLIENT: return ABOUT_VM;
	case OWNER_DNS: return desc->stage == STAGE_NAME ? ABOUT_RESOLVER : ABOUT_RECORD;
	case OWNER_NETWORK: return desc->stage == STAGE_NAME ? ABOUT_RESOLVER : ABOUT_PATH;
	case OWNER_ACCOUNT:
	case OWNER_COLLECTOR:
	case OWNER_NOBODY: break;
	}
	return ABOUT_ACCOUNT;
}

bool
incident_is_unseen_zone(enum finding_code code)
{
	return code == FINDING_PUBLIC_ANSWER || code == FINDING_ZONE_NOT_LINKED ||
	    code == FINDING_ZONE_NAME_MISTYPED || code == FINDING_SERVER_NOT_FORWARDING;
}

bool
incident_is_of_zone(enum finding_code code, const char *region)
{
	/* That all of its names are missing, or wrong, says nothing of other accounts' records. */
	return (incident_is_unseen_zone(code) && strcmp(region, "*") == 0) ||
	    code == FINDING_WILDCARD_RECORD || code == FINDING_ALIAS_BYPASSED;
}

static const char *
name_accounts(struct arena *arena, const struct incident *incident)
{
	const char *text = "";
	size_t      told = incident->account_count;

	if (told > ACCOUNTS_TOLD)
		told = ACCOUNTS_TOLD - 1;
	for (size_t i = 0; i < told; i++)
		text = arena_printf(
		    arena, "%s%s%s", text, i > 0 ? ", " : "", incident->accounts[i]);
	if (told < incident->account_count)
		text = arena_printf(
		    arena, "%s and %zu more", text, incident->account_count - told);
	return text;
}

/* What it is about, before the colon. */
static const char *
name_subject(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts)
{
	const char *accounts = name_accounts(arena, incident);

	if (incident_is_of_zone(incident->code, incident->region) &&
	    (!facts->mixed || !incident_is_unseen_zone(incident->code)))
		return incident->zone;
	if (incident_about(incident->code) == ABOUT_RESOLVER)
		return arena_printf(arena, "DNS for %s", incident->zone);
	if (strcmp(incident->region, "*") == 0)
		return accounts;
	return arena_printf(arena, "%s %s", accounts,
	    incident->region[0] == '\0' ? "Global" : region_name(incident->region));
}

static const char *
name_vms(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts)
{
	if (incident->agent_count > 1)
		return arena_printf(arena, "on %zu of %zu agents in %s", incident->agent_count,
		    facts->witnesses, facts->network);
	if (incident->only)
		return arena_printf(
		    arena, "on %s, the only agent in %s", incident->place, facts->network);
	return arena_printf(
	    arena, "on %s, and not on others in %s", incident->place, facts->network);
}

static const char *
name_where(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts)
{
	switch (incident->scope) {
	case SCOPE_VM: return name_vms(arena, incident, facts);
	case SCOPE_SUBNET:
	case SCOPE_VNET: return arena_printf(arena, "in all of %s", incident->place);
	case SCOPE_RESOLVER:
		return arena_printf(arena, "wherever %s is asked", incident->place);
	case SCOPE_EVERYWHERE: break;
	}
	if (facts->shared[0] != '\0')
		return arena_printf(arena, "in every VNet, all of which ask %s", facts->shared);
	return "in every VNet";
}

/* Public addresses for all names of a zone have a cause that can be named. */
static const char *
name_link(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts)
{
	switch (incident->scope) {
	case SCOPE_SUBNET:
	case SCOPE_VNET:
		return arena_printf(arena, "%s is not linked to %s%s", incident->zone,
		    incident->place,
		    facts->azure_only ? "" : ", or its DNS servers do not ask Azure's");
	case SCOPE_RESOLVER:
		return arena_printf(arena,
		    "%s does not forward to where %s is linked: public addresses",
		    incident->place, incident->zone);
	case SCOPE_EVERYWHERE:
		return arena_printf(arena,
		    "%s has no records for them, or is linked to no VNet: public addresses %s",
		    incident->zone, name_where(arena, incident, facts));
	case SCOPE_VM:
		/* Beside an agent that is alone in its VNet nobody could show that it is the VM. */
		if (facts->vnet[0] != '\0')
			return arena_printf(arena,
			    "%s is not linked to %s%s, as its only agent %s sees it",
			    incident->zone, facts->vnet,
			    facts->azure_only ? "" : ", or its DNS servers do not ask Azure's",
			    incident->place);
		break;
	}
	return NULL;
}

static const char *
count_them(struct arena *arena, const struct incident *incident)
{
	const char *agents = arena_printf(
	    arena, "%zu agent%s", incident->agent_count, incident->agent_count == 1 ? "" : "s");

	if (incident->account_count < 2)
		return agents;
	return arena_printf(arena, "%s, %zu accounts", agents, incident->account_count);
}

/* What a VNet or a subnet cannot be told apart from. */
static const char *
name_doubt(const struct incident *incident)
{
	if (!incident->only)
		return "";
	switch (incident->scope) {
	case SCOPE_VNET: return "; no other VNet has an agent to compare with";
	case SCOPE_SUBNET: return "; no other subnet there has an agent to compare with";
	case SCOPE_VM:
	case SCOPE_RESOLVER:
	case SCOPE_EVERYWHERE: break;
	}
	return "";
}

const char *
incident_sentence(
    struct arena *arena, const struct incident *incident, const struct incident_facts *facts)
{
	const char *what = NULL;

	if (incident->code == FINDING_PUBLIC_ANSWER && !facts->mixed &&
	    incident_is_of_zone(incident->code, incident->region))
		what = name_link(arena, incident, facts);
	if (what == NULL)
		what = arena_printf(arena, "%s: %s %s", name_subject(arena, incident, facts),
		    finding_table[incident->code].words, name_where(arena, incident, facts));
	return arena_printf(
	    arena, "%s: %s%s", what, count_them(arena, incident), name_doubt(incident));
}

enum owner
incident_owner(const struct incident *incident)
{
	enum owner owner = finding_table[incident->code].owner;

	/* Others beside it are well, so it is nothing that they share. */
	if (incident->scope == SCOPE_VM && !incident->only)
		return OWNER_CLIENT;
	if (incident->scope == SCOPE_RESOLVER)
		return OWNER_DNS;
	if (incident->scope == SCOPE_EVERYWHERE && incident_about(incident->code) == ABOUT_PATH)
		return OWNER_ACCOUNT;
	return owner;
}
