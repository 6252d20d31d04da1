#include "analyze/checks.h"

#include "analyze/arm.h"

#include <string.h>

enum { LISTED_MAX = 4 };

/* All zones of the API's name that were given. */
static const struct zone *const *
find_zones(const struct scene *scene, size_t *count)
{
	return zone_find(scene->ask->zones, scene->ask->account->zone, count);
}

static const char *
find_label(struct arena *arena, const struct site *site)
{
	const char *host = site->place->target->host;

	return arena_strndup(arena, host, strcspn(host, "."));
}

const struct zone_record *
check_zone_record(const struct scene *scene, const struct site *site)
{
	const char               *label = find_label(scene->arena, site);
	size_t                    count;
	const struct zone *const *zones = find_zones(scene, &count);

	for (size_t i = 0; i < count; i++) {
		const struct zone_record *record = zone_record(zones[i], label);

		if (record != NULL)
			return record;
	}
	return NULL;
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
	const struct zone *const *zones = find_zones(scene, &count);
	const char               *networks;

	for (size_t i = 0; i < count; i++) {
		if (!zone_links_are_whole(zones[i]))
			return NULL;
	}
	if (count == 0)
		return NULL;
	networks = list_networks(scene, zones, count);
	if (*networks == '\0')
		return "no virtual network";
	if (!check_is_azure(view->dns) || check_zone_record(scene, site) == NULL)
		return NULL;
	return arena_printf(scene->arena, "%s alone", networks);
}

const char *
check_describe_zones(const struct scene *scene)
{
	size_t                    count;
	const struct zone *const *zones = find_zones(scene, &count);
	const char               *text = "";

	for (size_t i = 0; i < count; i++)
		text = arena_printf(scene->arena, "%s; %s (%s) has %zu link%s", text,
		    *zones[i]->id != '\0' ? zones[i]->id : zones[i]->name, zones[i]->source,
		    zones[i]->link_count, zones[i]->link_count == 1 ? "" : "s");
	return text;
}
