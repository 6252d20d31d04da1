#include "analyze/checks.h"

#include "analyze/arm.h"
#include "analyze/check_link.h"
#include "base/text.h"

#include <string.h>

/* Any address will do when none is named. */
static bool
record_has(const struct zone_record *record, const char *address)
{
	char text[ADDR_TEXT];

	if (address == NULL)
		return true;
	for (size_t i = 0; i < record->addr_count; i++) {
		if (strcmp(addr_render(&record->addrs[i], text, sizeof(text)), address) == 0)
			return true;
	}
	return false;
}

const struct zone_record *
check_zone_record(const struct scene *scene, const struct site *site, const char *address)
{
	const char               *label = check_label(scene, site);
	size_t                    count;
	const struct zone *const *zones = check_zones(scene, &count);

	for (size_t i = 0; i < count; i++) {
		const struct zone_record *record = zone_record(zones[i], label);

		if (record != NULL && record_has(record, address))
			return record;
	}
	return NULL;
}

/* Zone groups sign what they write with the endpoint's guid. */
static bool
is_by_hand(const struct zone_record *record)
{
	return *record->guid == '\0';
}

const char *
check_describe_record(const struct scene *scene, const struct site *site, const char *address)
{
	const struct zone_record *record = check_zone_record(scene, site, address);

	if (record == NULL)
		return "";
	if (is_by_hand(record))
		return arena_printf(scene->arena, "; its record was made by no zone group (%s)",
		    record->source);
	return arena_printf(scene->arena,
	    "; its record was made by endpoint %s with guid %s (%s)", record->endpoint,
	    record->guid, record->source);
}

const char *
check_public_zone(const struct scene *scene)
{
	size_t                    count;
	const struct zone *const *zones = zone_find(
	    scene->ask->zones, scene->ask->account->suffix, &count);

	for (size_t i = 0; i < count; i++) {
		bool unlinked = zone_links_are_whole(zones[i]) && zones[i]->link_count == 0;

		if (!unlinked)
			return arena_printf(scene->arena, "; private zone %s (%s)",
			    *zones[i]->id != '\0' ? zones[i]->id : zones[i]->name,
			    zones[i]->source);
	}
	return NULL;
}

/* Whether the account may still have the endpoint: by its guid, and where no document tells that,
 * by its name. */
static bool
is_known(const struct scene *scene, const struct zone_record *record)
{
	bool listed = false;

	if (endpoint_by_guid(scene->ask->endpoints, record->guid) != NULL)
		return true;
	for (size_t i = 0; i < scene->claims.own_count; i++) {
		const struct private_endpoint *own = scene->claims.own[i];

		if (text_equal_nocase(own->name, record->endpoint))
			return own->guid == NULL || *own->guid == '\0';
	}
	for (size_t i = 0; i < scene->connection_count; i++)
		listed |= text_equal_nocase(
		    arm_name(scene->connections[i].endpoint), record->endpoint);
	return listed;
}

const char *
check_orphan(const struct scene *scene, const struct site *site, const char *address)
{
	const struct zone_record *record = check_zone_record(scene, site, address);

	if (record == NULL || is_by_hand(record) || !scene->ask->has_document ||
	    is_known(scene, record))
		return NULL;
	return record->endpoint;
}

/* "zone.json: contoso.privatelink... has no creator, and 3600 s to live". */
static const char *
describe_hand(struct arena *arena, const struct zone_record *record)
{
	const char *text = arena_printf(arena, "%s: %s has ", record->source, record->fqdn);

	text = *record->creator != '\0'
	    ? arena_printf(arena, "%sthe creator \"%s\"", text, record->creator)
	    : arena_printf(arena, "%sno creator", text);
	if (record->ttl_s >= 0)
		text = arena_printf(
		    arena, "%s, and %jd s to live", text, (intmax_t)record->ttl_s);
	return text;
}

/* What follows from a record that is wrong, or not asked, is told by itself. */
void
check_records(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct zone_record *record = NULL;

	if (site->pending || report_is_down(out, site, FINDING_TCP_REFUSED))
		return;
	for (size_t i = 0; i < site->view_count && record == NULL; i++) {
		const struct dns *dns = site->views[i].dns;

		if (site->views[i].kind == VIEW_PRIVATE && dns->addresses_count > 0)
			record = check_zone_record(scene, site, dns->addresses[0].address);
	}
	if (record == NULL || !is_by_hand(record))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_RECORD_BY_HAND,
	        .site = site,
	        .group = "zone",
	        .aside = true,
	        .evidence = describe_hand(scene->arena, record),
	    });
}
