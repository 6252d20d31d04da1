#include "analyze/check_link.h"

#include "analyze/arm.h"
#include "analyze/checks.h"
#include "analyze/facet.h"
#include "analyze/support.h"
#include "base/text.h"

#include <string.h>

enum { LISTED_MAX = 4, NEAR_EDITS = 2 };

static const char prefix[] = "privatelink.";

const struct zone *const *
check_zones(const struct scene *scene, size_t *count)
{
	return zone_find(scene->ask->zones, scene->ask->account->zone, count);
}

const char *
check_label(const struct scene *scene, const struct site *site)
{
	const char *host = site->place->target->host;

	return arena_strndup(scene->arena, host, strcspn(host, "."));
}

bool
check_vnet_is_known(const struct scene *scene)
{
	return scene->ask->vnet != NULL && *scene->ask->vnet->id != '\0';
}

const char *
check_vnet_name(const struct scene *scene)
{
	return check_vnet_is_known(scene) ? arm_name(scene->ask->vnet->id) : "";
}

const struct zone *
check_own_zone(const struct scene *scene, const struct zone_link **link)
{
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);

	*link = NULL;
	for (size_t i = 0; i < count && check_vnet_is_known(scene); i++) {
		*link = zone_link(zones[i], scene->ask->vnet->id);
		if (*link != NULL)
			return zones[i];
	}
	return NULL;
}

const struct private_endpoint *
check_own_endpoint(const struct scene *scene, const char *host)
{
	const struct private_endpoint *endpoint, *own = NULL;

	if (!check_vnet_is_known(scene))
		return NULL;
	for (size_t i = 0; (endpoint = claim_endpoint(&scene->claims, host, i)) != NULL; i++) {
		struct vnet there = vnet_of(scene->arena, endpoint->subnet);

		if (!vnet_is_same(&there, scene->ask->vnet))
			continue;
		if (own != NULL)
			return NULL;
		own = endpoint;
	}
	return own;
}

/* "vnet-hub and vnet-b", of all zones; "" when they have no link. */
static const char *
list_networks(const struct scene *scene, const struct zone *const *zones, size_t count)
{
	const char *text = "";
	size_t      listed = 0;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < zones[i]->link_count; j++) {
			if (++listed <= LISTED_MAX)
				text = arena_printf(scene->arena, "%s%s%s", text,
				    listed > 1 ? ", " : "", arm_name(zones[i]->links[j].vnet));
		}
	}
	return listed <= LISTED_MAX
	    ? text
	    : arena_printf(scene->arena, "%s and %zu more", text, listed - LISTED_MAX);
}

/* Azure's own resolver answers by the zones that are linked to the network it is asked in.  Of a
 * network's own server another link counts, and it may not ask Azure at all. */
const char *
check_unlinked(const struct scene *scene, const struct site *site, const struct view *view)
{
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);
	const struct zone_link   *own;
	const char               *networks;

	for (size_t i = 0; i < count; i++) {
		if (!zone_links_are_whole(zones[i]))
			return NULL;
	}
	if (count == 0 || check_own_zone(scene, &own) != NULL)
		return NULL;
	networks = list_networks(scene, zones, count);
	if (*networks == '\0')
		return "no virtual network";
	if (!check_is_azure(view->dns))
		return NULL;
	if (check_vnet_is_known(scene))
		return arena_printf(scene->arena, "%s, and not to this network, %s", networks,
		    check_vnet_name(scene));
	/* Any zone may lack the record: only one that has it would have been asked for it. */
	if (check_zone_record(scene, site, NULL) == NULL)
		return NULL;
	return arena_printf(scene->arena, "%s alone", networks);
}

const char *
check_link_fallback(const struct scene *scene, const struct site *site, const struct view *view)
{
	const struct zone_link *link;
	const struct zone      *own = check_own_zone(scene, &link);
	const char             *label = check_label(scene, site);

	if (own == NULL || !text_equal_nocase(link->policy, "NxDomainRedirect") ||
	    !check_is_azure(view->dns) || zone_record(own, label) != NULL)
		return NULL;
	return link->name;
}

/* Another server answers with the private address what this one knows the public one of. */
const char *
check_not_forwarding(
    const struct scene *scene, const struct site *site, const struct view *view)
{
	const struct zone_link *link;
	const struct zone      *own = check_own_zone(scene, &link);
	const char             *label = check_label(scene, site);

	if (check_is_azure(view->dns))
		return NULL;
	if (site->control != NULL && scene_says_something(site->control))
		return site->control->kind == VIEW_PRIVATE && site->control->alias
		    ? "Azure's own resolver gives the private one"
		    : NULL;
	if (own == NULL || zone_record(own, label) == NULL)
		return NULL;
	return arena_printf(scene->arena, "the zone that %s is linked to holds the private one",
	    check_vnet_name(scene));
}

/* A name that some service of Azure Cosmos DB wants is no typing error. */
static bool
is_wanted_zone(const char *name)
{
	if (!text_starts_nocase(name, prefix))
		return false;
	for (const struct support_suffix *row = support_suffixes; row->suffix != NULL; row++) {
		if (text_equal_nocase(name + strlen(prefix), row->suffix))
			return true;
	}
	return false;
}

static bool
is_mistyped(const struct scene *scene, const struct zone *zone)
{
	const char *wanted = scene->ask->account->zone;

	return !text_equal_nocase(zone->name, wanted) && !is_wanted_zone(zone->name) &&
	    !text_equal_nocase(zone->name, scene->ask->account->suffix) &&
	    text_distance(zone->name, wanted) <= NEAR_EDITS;
}

/* Of the zones that this network is linked to; where it is not known, of all with a link. */
static const struct zone *
find_mistyped(const struct scene *scene)
{
	const struct zone_network *networks;
	size_t                     count;

	if (!check_vnet_is_known(scene)) {
		for (size_t i = 0; i < zone_count(scene->ask->zones); i++) {
			const struct zone *zone = zone_at(scene->ask->zones, i);

			if (zone->link_count > 0 && is_mistyped(scene, zone))
				return zone;
		}
		return NULL;
	}
	networks = zone_by_network(scene->ask->zones, scene->ask->vnet->id, &count);
	for (size_t i = 0; i < count; i++) {
		if (is_mistyped(scene, networks[i].zone))
			return networks[i].zone;
	}
	return NULL;
}

/* The zone group of an endpoint for the API writes into zones of other names alone. */
static const struct private_endpoint *
find_misfiled(const struct scene *scene)
{
	for (size_t i = 0; i < scene->claims.own_count; i++) {
		const struct private_endpoint *own = scene->claims.own[i];
		bool                           right = own->zone_count == 0 ||
		    (*own->group != '\0' &&
		        !text_equal_nocase(own->group, facet_group(scene->ask->account)));

		for (size_t j = 0; j < own->zone_count; j++)
			right |= text_equal_nocase(
			    arm_name(own->zones[j]), scene->ask->account->zone);
		if (!right)
			return own;
	}
	return NULL;
}

const char *
check_mistyped_zone(const struct scene *scene, const char **evidence)
{
	const struct zone_link        *link;
	const struct zone             *near;
	const struct private_endpoint *misfiled;
	size_t                         count;

	check_zones(scene, &count);
	if (check_vnet_is_known(scene) ? check_own_zone(scene, &link) != NULL : count > 0)
		return NULL;
	near = find_mistyped(scene);
	if (near != NULL) {
		*evidence = arena_printf(scene->arena, "; zone %s (%s) has %zu link%s",
		    *near->id != '\0' ? near->id : near->name, near->source, near->link_count,
		    near->link_count == 1 ? "" : "s");
		return near->name;
	}
	misfiled = find_misfiled(scene);
	if (misfiled == NULL)
		return NULL;
	*evidence = arena_printf(scene->arena, "; the zone group of endpoint %s fills %s (%s)",
	    misfiled->name, misfiled->zones[0], misfiled->source);
	return arm_name(misfiled->zones[0]);
}

const char *
check_describe_zones(const struct scene *scene)
{
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);
	const char               *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(scene->arena, "%s; %s (%s) has %zu link%s", text,
		    *zones[i]->id != '\0' ? zones[i]->id : zones[i]->name, zones[i]->source,
		    zones[i]->link_count, zones[i]->link_count == 1 ? "" : "s");
	return text;
}

const char *
check_describe_policy(const struct scene *scene)
{
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);
	const struct zone_link   *own;

	if (check_own_zone(scene, &own) != NULL)
		return arena_printf(scene->arena,
		    "; link %s of this network, %s, has the policy %s (%s)", own->name,
		    check_vnet_name(scene), *own->policy != '\0' ? own->policy : "Default",
		    own->source);
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < zones[i]->link_count; j++) {
			const struct zone_link *link = &zones[i]->links[j];

			if (text_equal_nocase(link->policy, "NxDomainRedirect"))
				return arena_printf(scene->arena,
				    "; link %s of %s has the policy %s (%s)", link->name,
				    arm_name(link->vnet), link->policy, link->source);
		}
	}
	return "";
}

/* The resource group of a zone, or its whole id where that tells none. */
static const char *
name_group(const struct scene *scene, const struct zone *zone)
{
	static const char marker[] = "/resourceGroups/";
	const char       *at = text_find_nocase(zone->id, marker);

	if (at == NULL)
		return zone->id;
	at += strlen(marker);
	return arena_strndup(scene->arena, at, strcspn(at, "/"));
}

/* The record of the name in the zone is the address that an endpoint has for it. */
static bool
is_right_record(
    const struct scene *scene, const struct site *site, const struct zone_record *record)
{
	for (size_t i = 0; i < record->addr_count; i++) {
		if (claim_find(&scene->claims, site->place->target->host, &record->addrs[i])
		        .kind == CLAIM_RIGHT)
			return true;
	}
	return false;
}

static bool
has_address(const struct zone_record *record, const char *address)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < record->addr_count; i++) {
		if (strcmp(addr_render(&record->addrs[i], text, sizeof(text)), address) == 0)
			return true;
	}
	return false;
}

const char *
check_outdated_zone(const struct scene *scene, const struct site *site, const char *address)
{
	const char               *label = check_label(scene, site);
	const struct zone_link   *link;
	const struct zone        *own = check_own_zone(scene, &link), *with = NULL, *old = NULL;
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);

	for (size_t i = 0; i < count; i++) {
		const struct zone_record *record = zone_record(zones[i], label);

		if (record == NULL)
			continue;
		if (is_right_record(scene, site, record))
			with = with == NULL ? zones[i] : with;
		else if (has_address(record, address) && (own == NULL || own == zones[i]))
			old = old == NULL ? zones[i] : old;
	}
	if (with == NULL || old == NULL)
		return NULL;
	if (own != NULL)
		return arena_printf(scene->arena,
		    "this network, %s, is linked to that of %s, which holds an old address; "
		    "that "
		    "of %s holds the right one",
		    check_vnet_name(scene), name_group(scene, old), name_group(scene, with));
	return arena_printf(scene->arena,
	    "that of %s holds the right address, that of %s an old one",
	    name_group(scene, with), name_group(scene, old));
}

const char *
check_other_zone(const struct scene *scene, const struct site *site)
{
	const char               *label = check_label(scene, site);
	const struct zone_link   *link;
	const struct zone        *own = check_own_zone(scene, &link);
	const struct zone        *with = NULL, *without = own;
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);

	if (own != NULL && zone_record(own, label) != NULL)
		return NULL; /* the answer says otherwise, but not for want of a record there */
	for (size_t i = 0; i < count; i++) {
		if (zone_record(zones[i], label) != NULL)
			with = with == NULL ? zones[i] : with;
		else
			without = without == NULL ? zones[i] : without;
	}
	if (with == NULL || without == NULL)
		return NULL;
	if (own != NULL)
		return arena_printf(scene->arena,
		    "this network, %s, is linked to that of %s, which lacks the record; that "
		    "of "
		    "%s holds it",
		    check_vnet_name(scene), name_group(scene, own), name_group(scene, with));
	return arena_printf(scene->arena, "that of %s holds the record, that of %s does not",
	    name_group(scene, with), name_group(scene, without));
}
