#include "analyze/facet.h"

#include "analyze/names.h"

#include <string.h>

enum support_service
facet_service(const struct account *facet)
{
	return support_service_of_api(facet->api);
}

const char *
facet_title(enum api api)
{
	return support_services[support_service_of_api(api)].title;
}

const char *
facet_group(const struct account *facet)
{
	return support_group(facet_service(facet));
}

const struct support_row *
facet_support(const struct account *facet, enum mode mode)
{
	static const enum support_mode modes[MODE_COUNT] = {
		[MODE_GATEWAY] = SUPPORT_GATEWAY,
		[MODE_DIRECT] = SUPPORT_DIRECT_TCP,
		[MODE_GATEWAY_V2] = SUPPORT_GATEWAY_V2,
	};

	return support_find(facet_service(facet), modes[mode],
	    facet->api == API_MONGO ? facet->server_version : "");
}

bool
facet_is_supported(const struct account *facet)
{
	const struct support_row *row = facet_support(facet, MODE_GATEWAY);

	return row == NULL || row->now != SUPPORT_UNSUPPORTED;
}

bool
facet_is_version_supported(const struct account *account)
{
	struct account facet = *account;

	facet.api = API_MONGO;
	return facet_is_supported(&facet);
}

bool
facet_is_aside(const struct account *facet)
{
	return facet->api == API_SQL &&
	    (facet->apis & (1u << API_GREMLIN | 1u << API_TABLE)) != 0;
}

bool
facet_is_http(enum api api)
{
	return api != API_MONGO && api != API_CASSANDRA;
}

size_t
facet_count(unsigned apis)
{
	size_t count = 0;

	for (; apis != 0; apis &= apis - 1)
		count++;
	return count;
}

/* "contoso.gremlin.cosmos.azure.com", by the document's own word where it says so. */
static const char *
find_host(struct arena *arena, const struct account *account, const struct account *facet)
{
	const char *told = account->hosts.of[facet->api];

	if (!facet_is_supported(facet))
		return account->host;
	if (told != NULL)
		return told;
	return support_host(arena, account->name, facet_service(facet), "", account->suffix);
}

static void
take_locations(struct arena *arena, const struct account *account, struct account *facet)
{
	facet->locations = arena_array(
	    arena, account->location_count + 1, sizeof(struct location));
	for (size_t i = 0; i < account->location_count; i++) {
		struct location *location = &facet->locations[i];

		*location = account->locations[i];
		location->port = facet->port;
		if (*location->host != '\0' && strcmp(facet->host, account->host) != 0)
			location->host = names_region_host(arena, facet, location->label);
	}
}

const struct account *
facet_of(struct arena *arena, const struct account *account, enum api api)
{
	struct account *facet;

	if (api == account->api)
		return account;
	facet = arena_alloc(arena, sizeof(*facet));
	*facet = *account;
	facet->api = api;
	facet->port = support_services[facet_service(facet)].port;
	facet->host = find_host(arena, account, facet);
	if (facet->host == NULL)
		return NULL;
	facet->suffix = strchr(facet->host, '.') + 1;
	facet->zone = arena_printf(arena, "privatelink.%s", facet->suffix);
	take_locations(arena, account, facet);
	return facet;
}
