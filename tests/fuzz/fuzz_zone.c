/* Any bytes as documents of private DNS zones and of the account's side of Private Link: taken, or
 * refused with a place and a reason.  What is taken is found again by name and by network. */
#include "analyze/account.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_among(const struct zone *const *zones, size_t count, const struct zone *part)
{
	for (size_t i = 0; i < count; i++) {
		bool found = true;

		for (size_t j = 0; j < part->record_count; j++)
			found &= zone_record(zones[i], part->records[j].name) != NULL;
		for (size_t j = 0; j < part->link_count; j++)
			found &= zone_link(zones[i], part->links[j].vnet) != NULL;
		if (found)
			return true;
	}
	return false;
}

static void
check_part(const struct zone_index *index, const struct zone *part)
{
	size_t                    count;
	const struct zone *const *zones = zone_find(index, part->name, &count);

	want(count > 0);
	want(is_among(zones, count, part));
	for (size_t i = 0; i < part->record_count; i++)
		want(part->records[i].addr_count <= ZONE_ADDRESSES_MAX);
	for (size_t i = 0; i < part->link_count; i++) {
		zone_by_network(index, part->links[i].vnet, &count);
		want(count > 0 || *part->links[i].vnet == '\0');
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena              *arena = arena_new();
	struct err                 err = { .text = "" };
	const struct account_list *list = account_parse(
	    arena, (const char *)bytes, count, "in", &err);
	const struct zone_index *index;

	if (list == NULL) {
		want(strncmp(err.text, "in:", 3) == 0);
		arena_free(arena);
		return 0;
	}
	index = zone_index_new(arena, &list->zones);
	for (size_t i = 0; i < list->zones.count; i++)
		check_part(index, list->zones.zones[i]);
	for (size_t i = 0; i < list->plinks.resource_count; i++) {
		const struct plink_resource *resource = list->plinks.resources[i];

		want(plink_find(&list->plinks, resource->account, resource->group) != NULL);
		want(resource->member_count <= PLINK_MEMBERS_MAX);
	}
	want(account_list_sum(arena, &list, 1)->count == list->count);
	arena_free(arena);
	return 0;
}
