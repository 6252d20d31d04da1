#include "analyze/names.h"

#include "analyze/region.h"

#include <string.h>

const char *
names_region_host(struct arena *arena, const struct account *account, const char *label)
{
	int first = (int)strcspn(account->host, ".");

	return arena_printf(
	    arena, "%.*s-%s%s", first, account->host, label, account->host + first);
}

/* The cloud of a region that the document names says more than its suffix: the suffixes of some
 * clouds are not public. */
static enum cloud
find_cloud(const struct account *account)
{
	for (size_t i = 0; i < account->location_count; i++) {
		const struct region *region = region_find(account->locations[i].label);

		if (region != NULL)
			return region->cloud;
	}
	return region_cloud(account->suffix);
}

static bool
is_configured(const struct account *account, const char *label)
{
	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return true;
	}
	return false;
}

static struct target *
add_target(struct name_list *list, const struct account *account, const char *region,
    const char *host, uint16_t port)
{
	struct target *target = &list->targets[list->count++];

	target->account = account->name;
	target->api = API_SQL;
	target->mode = MODE_GATEWAY;
	target->role = ROLE_CONFIGURED;
	target->region = region;
	target->host = host;
	target->port = port;
	return target;
}

static void
add_configured(struct arena *arena, struct name_list *list, const struct account *account)
{
	add_target(list, account, "", account->host, account->port);
	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];
		const char            *host = location->host;

		/* While a region is being added its document has no endpoint yet. */
		if (*host == '\0')
			host = names_region_host(arena, account, location->label);
		add_target(list, account, location->label, host, location->port);
	}
}

static void
add_swept(struct arena *arena, struct name_list *list, const struct account *account,
    const char *label)
{
	bool           has_document = account->location_count > 0;
	int            first = (int)strcspn(account->host, ".");
	const char    *host;
	struct target *target;

	if (has_document)
		host = arena_printf(
		    arena, "%.*s-%s.%s", first, account->host, label, account->zone);
	else
		host = names_region_host(arena, account, label);
	target = add_target(list, account, label, host, account->port);
	target->role = ROLE_SWEEP;
	target->dns_only = has_document;
}

static bool
has_region(const struct name_list *list, const char *label)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->targets[i].region, label) == 0)
			return true;
	}
	return false;
}

static void
add_sweep(struct arena *arena, struct name_list *list, const struct account *account,
    const struct name_regions *more)
{
	enum cloud cloud = find_cloud(account);

	for (const struct region *region = region_table; region->label != NULL; region++) {
		if (region->cloud == cloud && !region->hidden &&
		    !is_configured(account, region->label))
			add_swept(arena, list, account, region->label);
	}
	for (size_t i = 0; i < more->count; i++) {
		if (!has_region(list, more->labels[i]))
			add_swept(arena, list, account, arena_strdup(arena, more->labels[i]));
	}
}

struct name_list *
names_targets(struct arena *arena, const struct account *account, unsigned flags)
{
	return names_targets_more(arena, account, flags, &(struct name_regions){ 0 });
}

struct name_list *
names_targets_more(struct arena *arena, const struct account *account, unsigned flags,
    const struct name_regions *more)
{
	struct name_list *list = arena_alloc(arena, sizeof(*list));
	size_t            room = 1 + account->location_count + more->count;

	for (const struct region *region = region_table; region->label != NULL; region++)
		room++;
	list->targets = arena_array(arena, room, sizeof(struct target));
	add_configured(arena, list, account);
	if (flags & NAMES_SWEEP)
		add_sweep(arena, list, account, more);
	for (size_t i = 0; i < list->count; i++)
		list->targets[i].dns_only |= (flags & NAMES_DNS_ONLY) != 0;
	return list;
}
