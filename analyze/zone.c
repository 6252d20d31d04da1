#include "analyze/zone.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct zone_index {
	const struct zone  **zones; /* by name, then id */
	size_t               zone_count;
	struct zone_network *networks; /* by network, then zone */
	size_t               network_count;
};

static int
compare_zones(const void *left, const void *right)
{
	const struct zone *const *a = left, *const *b = right;
	int                       by_name = strcasecmp((*a)->name, (*b)->name);

	if (by_name == 0)
		by_name = strcasecmp((*a)->id, (*b)->id);
	/* Parts of a zone without an id stay apart by file. */
	return by_name != 0 ? by_name : strcmp((*a)->source, (*b)->source);
}

static int
compare_records(const void *left, const void *right)
{
	const struct zone_record *a = left, *b = right;
	int                       by_name = strcmp(a->name, b->name);

	return by_name != 0 ? by_name : strcmp(a->source, b->source);
}

static int
compare_links(const void *left, const void *right)
{
	const struct zone_link *a = left, *b = right;
	int                     by_network = strcasecmp(a->vnet, b->vnet);

	if (by_network == 0)
		by_network = strcasecmp(a->name, b->name);
	return by_network != 0 ? by_network : strcmp(a->source, b->source);
}

static int
compare_networks(const void *left, const void *right)
{
	const struct zone_network *a = left, *b = right;
	int                        by_network = strcasecmp(a->vnet, b->vnet);

	return by_network != 0 ? by_network : compare_zones(&a->zone, &b->zone);
}

/* The same may stand in two files: the first by its name counts. */
static void
drop_doubles(struct zone *zone)
{
	size_t to = 0;

	for (size_t i = 0; i < zone->record_count; i++) {
		if (to == 0 || strcmp(zone->records[to - 1].name, zone->records[i].name) != 0)
			zone->records[to++] = zone->records[i];
	}
	zone->record_count = to;
	to = 0;
	for (size_t i = 0; i < zone->link_count; i++) {
		if (to == 0 || strcasecmp(zone->links[to - 1].vnet, zone->links[i].vnet) != 0 ||
		    strcasecmp(zone->links[to - 1].name, zone->links[i].name) != 0)
			zone->links[to++] = zone->links[i];
	}
	zone->link_count = to;
}

static void
sort_parts(struct zone *zone)
{
	if (zone->record_count > 0)
		qsort(
		    zone->records, zone->record_count, sizeof(*zone->records), compare_records);
	if (zone->link_count > 0)
		qsort(zone->links, zone->link_count, sizeof(*zone->links), compare_links);
	drop_doubles(zone);
}

static void
merge(struct zone *into, const struct zone *from)
{
	for (size_t i = 0; i < from->record_count; i++)
		into->records[into->record_count++] = from->records[i];
	for (size_t i = 0; i < from->link_count; i++)
		into->links[into->link_count++] = from->links[i];
	if (into->set_total < 0)
		into->set_total = from->set_total;
	if (into->link_total < 0)
		into->link_total = from->link_total;
}

static bool
is_same_zone(const struct zone *left, const struct zone *right)
{
	if (strcasecmp(left->name, right->name) != 0 || strcasecmp(left->id, right->id) != 0)
		return false;
	return *left->id != '\0' || strcmp(left->source, right->source) == 0;
}

/* All that is said of one zone, from sorted[from] on; *to is behind its last. */
static struct zone *
join(struct arena *arena, struct zone *const *sorted, size_t count, size_t from, size_t *to)
{
	struct zone *joined = arena_alloc(arena, sizeof(*joined));
	size_t       records = 0, links = 0;

	for (*to = from; *to < count && is_same_zone(sorted[from], sorted[*to]); ++*to) {
		records += sorted[*to]->record_count;
		links += sorted[*to]->link_count;
	}
	*joined = *sorted[from];
	joined->records = arena_array(arena, records + 1, sizeof(*joined->records));
	joined->links = arena_array(arena, links + 1, sizeof(*joined->links));
	joined->record_count = joined->link_count = 0;
	for (size_t i = from; i < *to; i++)
		merge(joined, sorted[i]);
	sort_parts(joined);
	return joined;
}

static void
add_networks(struct zone_index *index, const struct zone *zone)
{
	for (size_t i = 0; i < zone->link_count; i++) {
		if (*zone->links[i].vnet != '\0')
			index->networks[index->network_count++] = (struct zone_network){
				zone->links[i].vnet, zone, &zone->links[i]
			};
	}
}

struct zone_index *
zone_index_new(struct arena *arena, const struct zone_list *list)
{
	struct zone_index *index = arena_alloc(arena, sizeof(*index));
	struct zone      **sorted = arena_array(arena, list->count + 1, sizeof(*sorted));
	size_t             links = 0;

	for (size_t i = 0; i < list->count; i++) {
		sorted[i] = list->zones[i];
		links += list->zones[i]->link_count;
	}
	index->zones = arena_array(arena, list->count + 1, sizeof(*index->zones));
	index->networks = arena_array(arena, links + 1, sizeof(*index->networks));
	if (list->count > 0)
		qsort(sorted, list->count, sizeof(*sorted), compare_zones);
	for (size_t from = 0, to; from < list->count; from = to) {
		const struct zone *zone = join(arena, sorted, list->count, from, &to);

		index->zones[index->zone_count++] = zone;
		add_networks(index, zone);
	}
	if (index->network_count > 0)
		qsort(index->networks, index->network_count, sizeof(*index->networks),
		    compare_networks);
	return index;
}

/* The first place in a sorted array whose key is not below; count when there is none. */
static size_t
find_first(size_t count, const void *array, const char *key,
    const char *(*key_at)(const void *array, size_t at))
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(key_at(array, middle), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *
zone_name_at(const void *array, size_t at)
{
	return ((const struct zone *const *)array)[at]->name;
}

static const char *
network_at(const void *array, size_t at)
{
	return ((const struct zone_network *)array)[at].vnet;
}

static const char *
record_name_at(const void *array, size_t at)
{
	return ((const struct zone_record *)array)[at].name;
}

static const char *
link_network_at(const void *array, size_t at)
{
	return ((const struct zone_link *)array)[at].vnet;
}

const struct zone *const *
zone_find(const struct zone_index *index, const char *name, size_t *count)
{
	size_t first;

	*count = 0;
	if (index == NULL)
		return NULL;
	first = find_first(index->zone_count, index->zones, name, zone_name_at);
	while (first + *count < index->zone_count &&
	    strcasecmp(index->zones[first + *count]->name, name) == 0)
		++*count;
	return &index->zones[first];
}

size_t
zone_count(const struct zone_index *index)
{
	return index != NULL ? index->zone_count : 0;
}

const struct zone *
zone_at(const struct zone_index *index, size_t at)
{
	return index->zones[at];
}

const struct zone_network *
zone_by_network(const struct zone_index *index, const char *vnet, size_t *count)
{
	size_t first;

	*count = 0;
	if (index == NULL)
		return NULL;
	first = find_first(index->network_count, index->networks, vnet, network_at);
	while (first + *count < index->network_count &&
	    strcasecmp(index->networks[first + *count].vnet, vnet) == 0)
		++*count;
	return &index->networks[first];
}

const struct zone_record *
zone_record(const struct zone *zone, const char *name)
{
	size_t at = find_first(zone->record_count, zone->records, name, record_name_at);

	return at < zone->record_count && strcasecmp(zone->records[at].name, name) == 0
	    ? &zone->records[at]
	    : NULL;
}

const struct zone_link *
zone_link(const struct zone *zone, const char *vnet)
{
	size_t at = find_first(zone->link_count, zone->links, vnet, link_network_at);

	return at < zone->link_count && strcasecmp(zone->links[at].vnet, vnet) == 0
	    ? &zone->links[at]
	    : NULL;
}

bool
zone_links_are_whole(const struct zone *zone)
{
	return zone->link_total >= 0 && (size_t)zone->link_total <= zone->link_count;
}
