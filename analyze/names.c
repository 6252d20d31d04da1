#include "analyze/names.h"

#include "analyze/arm.h"
#include "analyze/facet.h"
#include "analyze/region.h"
#include "analyze/support.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { NAMES_MODES = NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2 };

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
	return support_cloud_of_suffix(account->suffix);
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
	target->api = account->api;
	target->mode = MODE_GATEWAY;
	target->role = ROLE_CONFIGURED;
	target->region = region;
	target->host = host;
	target->port = port;
	return target;
}

static void
add_regions(
    struct arena *arena, struct name_list *list, const struct account *account, enum mode mode)
{
	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];
		const char            *host = location->host;

		/* While a region is being added its document has no endpoint yet. */
		if (*host == '\0')
			host = names_region_host(arena, account, location->label);
		add_target(list, account, location->label, host, location->port)->mode = mode;
	}
}

static void
add_configured(
    struct arena *arena, struct name_list *list, const struct account *account, unsigned flags)
{
	if (flags & NAMES_GATEWAY) {
		add_target(list, account, "", account->host, account->port);
		add_regions(arena, list, account, MODE_GATEWAY);
	}
	if (account->api != API_SQL)
		return;
	if (flags & NAMES_DIRECT) {
		if (account->location_count == 0)
			add_target(list, account, "", account->host, account->port)->mode =
			    MODE_DIRECT;
		add_regions(arena, list, account, MODE_DIRECT);
	}
	if (flags & NAMES_V2) {
		size_t begin = list->count;

		if (account->location_count == 0)
			add_target(list, account, "", account->host, 0)->mode = MODE_GATEWAY_V2;
		add_regions(arena, list, account, MODE_GATEWAY_V2);
		for (size_t i = begin; i < list->count; i++)
			list->targets[i].port = NAMES_V2_PORT;
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
has_region(const struct name_list *list, size_t begin, const char *label)
{
	for (size_t i = begin; i < list->count; i++) {
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
	size_t     begin = list->count;

	for (const struct region *region = region_table; region->label != NULL; region++) {
		if (region->cloud == cloud && !region->hidden &&
		    !is_configured(account, region->label))
			add_swept(arena, list, account, region->label);
	}
	for (size_t i = 0; i < more->count; i++) {
		if (!is_configured(account, more->labels[i]) &&
		    !has_region(list, begin, more->labels[i]))
			add_swept(arena, list, account, arena_strdup(arena, more->labels[i]));
	}
}

struct name_list *
names_targets(struct arena *arena, const struct account *account, unsigned flags)
{
	return names_targets_more(arena, account, flags, &(struct name_regions){ 0 });
}

/* Of one API. */
static void
add_api(struct arena *arena, struct name_list *list, const struct account *account,
    unsigned flags, const struct name_regions *more)
{
	bool has_document = account->location_count > 0;

	add_configured(arena, list, account, flags);
	/* Without a document the sweep looks for gateways; where there can be no private zone,
	 * there is none to look in. */
	if ((flags & NAMES_SWEEP) && (has_document || (flags & NAMES_GATEWAY)) &&
	    facet_is_supported(account))
		add_sweep(arena, list, account, more);
}

struct name_list *
names_targets_more(struct arena *arena, const struct account *account, unsigned flags,
    const struct name_regions *more)
{
	struct name_list *list = arena_alloc(arena, sizeof(*list));
	size_t            room = MODE_COUNT * (1 + account->location_count) + more->count;
	unsigned          apis = (flags & NAMES_APIS) >> NAMES_APIS_AT;
	bool              follows = false;

	if ((flags & NAMES_MODES) == 0 || (flags & NAMES_DNS_ONLY))
		flags = (flags & ~(unsigned)NAMES_MODES) | NAMES_GATEWAY;
	if (apis == 0)
		apis = account->apis;
	for (const struct region *region = region_table; region->label != NULL; region++)
		room++;
	list->targets = arena_array(
	    arena, room * (facet_count(apis) + 1), sizeof(struct target));
	for (unsigned api = 0; api < API_COUNT; api++) {
		const struct account *facet = (apis & (1u << api)) != 0
		    ? facet_of(arena, account, (enum api)api)
		    : NULL;

		follows |= facet != NULL;
		if (facet != NULL)
			add_api(arena, list, facet, flags, more);
	}
	/* What the document names itself can be asked for in any case. */
	if (!follows)
		add_api(arena, list, account, flags, more);
	for (size_t i = 0; i < list->count; i++)
		list->targets[i].dns_only |= (flags & NAMES_DNS_ONLY) != 0;
	return list;
}

/* A gateway is believed about its own place, not about names of others. */
static bool
is_beside(const char *host, const char *known)
{
	const char *dot = strchr(host, '.'), *suffix = strchr(known, '.');

	return dot != NULL && dot != host && suffix != NULL && text_equal_nocase(dot, suffix);
}

static bool
is_advertised(const struct gateway_region *told)
{
	return told->v2_host != NULL && *told->v2_host != '\0' && told->v2_port > 0 &&
	    told->v2_port <= UINT16_MAX;
}

unsigned
names_without_mode(const struct account *account, unsigned wanted)
{
	unsigned apis = (wanted & NAMES_APIS) >> NAMES_APIS_AT;

	if ((wanted & NAMES_DIRECT) == 0 || (wanted & NAMES_GATEWAY) != 0 ||
	    (wanted & NAMES_APIS) == NAMES_APIS)
		return 0;
	if (apis == 0 && (account->apis & (1u << API_SQL)) == 0)
		apis = account->apis;
	return apis & ~(1u << API_SQL);
}

void
names_advertise(struct name_list *names, const struct feed *feed)
{
	for (size_t i = 0; i < feed->regions_count; i++) {
		const struct gateway_region *told = &feed->regions[i];
		char                         label[REGION_LABEL_ROOM];

		if (!is_advertised(told))
			continue;
		region_label(told->name, label, sizeof(label));
		for (size_t j = 0; j < names->count; j++) {
			struct target *target = &names->targets[j];

			if (target->mode != MODE_GATEWAY_V2 ||
			    strcmp(target->region, label) != 0 ||
			    !is_beside(told->v2_host, target->host))
				continue;
			target->advertised = true;
			target->host = told->v2_host;
			target->port = told->v2_port;
		}
	}
}

static const char *
find_hosts(const struct endpoint *end)
{
	return end->greeting != NULL && end->greeting->hosts != NULL ? end->greeting->hosts
	                                                             : "";
}

/* "contoso-westeurope.mongo.cosmos.azure.com:10255", the account's own name, or NULL. */
static struct target *
add_handed_out(struct arena *arena, struct name_list *list, const struct account *facet,
    const char *text, size_t length)
{
	size_t      name = strcspn(text, ": "), first = strcspn(text, ".");
	size_t      account = strlen(facet->name);
	char       *end;
	const char *host, *label = "";
	char        parsed[REGION_LABEL_ROOM];

	if (name >= length || text[name] != ':' || first >= name ||
	    strtoul(text + name + 1, &end, 10) != facet->port || end != text + length)
		return NULL;
	host = arm_lower(arena, text, name);
	if (!text_equal_nocase(host + first + 1, facet->suffix) ||
	    !text_starts_nocase(host, facet->name) || first < account)
		return NULL;
	if (first > account) {
		label = arena_strndup(arena, host + account + 1, first - account - 1);
		if (host[account] != '-' || !region_label_parse(parsed, label, NULL))
			return NULL;
		label = arena_strdup(arena, parsed);
	}
	return add_target(list, facet, label, host, facet->port);
}

struct name_list *
names_handed_out(
    struct arena *arena, const struct account *account, const struct measurement *seen)
{
	struct name_list     *list = arena_alloc(arena, sizeof(*list));
	const struct account *facet = seen->target->api != API_MONGO
	    ? NULL
	    : facet_of(arena, account, API_MONGO);
	size_t                room = 1;

	for (size_t i = 0; facet != NULL && i < seen->endpoints_count; i++)
		room += strlen(find_hosts(&seen->endpoints[i]));
	list->targets = arena_array(arena, room, sizeof(struct target));
	for (size_t i = 0; facet != NULL && i < seen->endpoints_count; i++) {
		const char *at = find_hosts(&seen->endpoints[i]);

		for (; *at != '\0'; at += strspn(at, " ")) {
			size_t length = strcspn(at, " ");

			add_handed_out(arena, list, facet, at, length);
			at += length;
		}
	}
	return list;
}

bool
names_is_handed_out(const struct measurement *seen, const char *host)
{
	size_t length = strlen(host);

	for (size_t i = 0; i < seen->endpoints_count; i++) {
		const char *at = find_hosts(&seen->endpoints[i]);

		for (; *at != '\0'; at += strspn(at, " ")) {
			if (text_starts_nocase(at, host) && at[length] == ':')
				return true;
			at += strcspn(at, " ");
		}
	}
	return false;
}
