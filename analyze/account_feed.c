#include "analyze/account.h"

#include "analyze/arm.h"
#include "analyze/region.h"
#include "base/text.h"

#include <string.h>

/* A gateway is believed about its own regions, not about names of others. */
static bool
is_own_name(const struct account *account, const char *host)
{
	size_t      length = strlen(account->name);
	const char *dot = strchr(host, '.');

	return arm_is_host(host) && dot != NULL &&
	    text_equal_nocase(dot + 1, account->suffix) &&
	    text_starts_nocase(host, account->name) &&
	    (host[length] == '-' || host[length] == '.');
}

static bool
has_label(const struct account *account, const char *label)
{
	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return true;
	}
	return false;
}

static void
add_location(struct arena *arena, struct account *account, const struct gateway_region *region)
{
	struct location *location = &account->locations[account->location_count];
	const char      *host = arm_lower(arena, region->host, strlen(region->host));
	char             label[REGION_LABEL_ROOM];

	if (!is_own_name(account, host) || region->port == 0 || region->port > UINT16_MAX ||
	    !region_label_parse(label, region->name, NULL) || has_label(account, label))
		return;
	location->label = arena_strdup(arena, label);
	location->name = arena_strdup(arena, region->name);
	location->host = host;
	location->port = (uint16_t)region->port;
	location->provisioning_state = "";
	location->failover_priority = -1;
	account->location_count++;
}

struct account *
account_of_feed(struct arena *arena, const struct account *named, const struct feed *feed)
{
	struct account *account = arena_alloc(arena, sizeof(*account));

	*account = *named;
	account->locations = arena_array(
	    arena, feed->regions_count + 1, sizeof(struct location));
	account->location_count = 0;
	for (int writable = 1; writable >= 0; writable--) {
		for (size_t i = 0; i < feed->regions_count; i++) {
			if (feed->regions[i].writable == (writable != 0))
				add_location(arena, account, &feed->regions[i]);
		}
	}
	account->source = arena_printf(arena, "the gateway of %s at %s", named->name,
	    feed->address != NULL && *feed->address != '\0' ? feed->address : named->host);
	return account->location_count > 0 ? account : NULL;
}
