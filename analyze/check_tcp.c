#include "analyze/checks.h"

#include "analyze/check_link.h"
#include <string.h>

static enum finding_code
find_failure(const struct site *site, unsigned outcome)
{
	switch (outcome) {
	case OUTCOME_REFUSED: return FINDING_TCP_REFUSED;
	case OUTCOME_UNREACHABLE: return FINDING_TCP_UNREACHABLE;
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_TCP_RESET;
	case OUTCOME_TIMEOUT:
		return site->seen->agent_late ? FINDING_COUNT : FINDING_TCP_TIMEOUT;
	default: return FINDING_COUNT; /* ended well, or says nothing about the peer */
	}
}

static const char *
describe(const struct scene *scene, const struct site *site, const struct attempt *attempt)
{
	const struct endpoint *end = attempt->end;
	const char            *text = arena_printf(
	               scene->arena, "%s: %s", attempt->peer, outcome_name(end->tcp));

	if (end->detail != NULL && *end->detail != '\0')
		text = arena_printf(scene->arena, "%s (%s)", text, end->detail);
	else if (end->os_errno != 0)
		text = arena_printf(
		    scene->arena, "%s (%s)", text, strerror((int)end->os_errno));
	if (end->local != NULL && *end->local != '\0')
		text = arena_printf(scene->arena, "%s, from %s", text, end->local);
	if (site->attempt_count > 1)
		text = arena_printf(
		    scene->arena, "%s, one of %zu addresses", text, site->attempt_count);
	if (attempt->claim.kind == CLAIM_RIGHT)
		return arena_printf(scene->arena, "%s; the address of %s for this name", text,
		    check_describe_endpoint(scene, attempt->claim.entry->endpoint));
	if (addr_class(&attempt->addr) != ADDR_PUBLIC)
		return arena_printf(scene->arena, "%s; %s by its range (a hint)", text,
		    addr_class_name(addr_class(&attempt->addr)));
	return text;
}

/* Something in the virtual network answers: then there is a way. */
static bool
is_network_reached(const struct scene *scene, const struct vnet *vnet)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		for (size_t j = 0; j < scene->sites[i].attempt_count; j++) {
			const struct attempt *attempt = &scene->sites[i].attempts[j];
			struct vnet           there;

			if (attempt->claim.entry == NULL || attempt->end->tcp != OUTCOME_OK)
				continue;
			there = vnet_of(scene->arena, attempt->claim.entry->endpoint->subnet);
			if (vnet_is_same(&there, vnet))
				return true;
		}
	}
	return false;
}

/* "the endpoint is in vnet-hub, this machine in vnet-a"; NULL: not known to be so. */
static const char *
describe_apart(const struct scene *scene, const struct attempt *attempt, enum finding_code code)
{
	struct vnet there;

	if ((code != FINDING_TCP_TIMEOUT && code != FINDING_TCP_UNREACHABLE) ||
	    !check_vnet_is_known(scene) || attempt->claim.kind != CLAIM_RIGHT)
		return NULL;
	there = vnet_of(scene->arena, attempt->claim.entry->endpoint->subnet);
	if (*there.id == '\0' || vnet_is_same(&there, scene->ask->vnet) ||
	    is_network_reached(scene, &there))
		return NULL;
	return arena_printf(scene->arena, "the endpoint is in %s, this machine in %s",
	    vnet_name(scene->arena, &there), vnet_name(scene->arena, scene->ask->vnet));
}

void
check_tcp(const struct scene *scene, const struct site *site, const struct attempt *attempt,
    struct report *out)
{
	enum finding_code        code = find_failure(site, attempt->end->tcp);
	enum finding_code        cause;
	const struct connection *blocking = check_blocking_connection(scene, &cause);
	struct sighting          sighting = {
		         .code = code,
		         .site = site,
		         .address = attempt->end->address,
		         .port = attempt->end->port,
	};

	if (code == FINDING_COUNT)
		return;
	sighting.evidence = describe(scene, site, attempt);
	if (code != FINDING_TCP_RESET)
		sighting.detail = check_open_neighbour(scene, site, attempt);
	if (sighting.detail != NULL) {
		sighting.code = FINDING_API_PORT_CLOSED;
		sighting.evidence = arena_printf(
		    scene->arena, "%s; %s", sighting.evidence, sighting.detail);
	}
	if (sighting.detail == NULL) {
		sighting.detail = describe_apart(scene, attempt, code);
		if (sighting.detail != NULL)
			sighting.code = FINDING_NETWORKS_APART;
	}
	/* An endpoint that is not approved carries no traffic: nothing else is to blame. */
	if (blocking != NULL && addr_class(&attempt->addr) != ADDR_PUBLIC) {
		sighting.code = cause;
		sighting.connection = blocking->name;
		sighting.group = "account";
	}
	report_add(out, &sighting);
}
