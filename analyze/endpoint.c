#include "analyze/endpoint.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct endpoint_index {
	struct endpoint_entry          *entries; /* by address, then name, then endpoint */
	size_t                          entry_count;
	const struct private_endpoint **endpoints; /* by account, then id */
	size_t                          endpoint_count;
};

static int
compare_ids(const void *left, const void *right)
{
	const struct private_endpoint *const *a = left, *const *b = right;
	int                                   by_id = strcasecmp((*a)->id, (*b)->id);

	/* Fragments without an id stay apart, in a stable order. */
	return by_id != 0 ? by_id : strcmp((*a)->source, (*b)->source);
}

static int
compare_accounts(const void *left, const void *right)
{
	const struct private_endpoint *const *a = left, *const *b = right;
	int                                   by_account = strcmp((*a)->account, (*b)->account);

	return by_account != 0 ? by_account : strcasecmp((*a)->id, (*b)->id);
}

static int
compare_entries(const void *left, const void *right)
{
	const struct endpoint_entry *a = left, *b = right;
	int                          order = addr_compare(&a->addr, &b->addr);

	if (order == 0)
		order = strcmp(a->fqdn, b->fqdn);
	return order != 0 ? order : strcasecmp(a->endpoint->id, b->endpoint->id);
}

static void
take_text(const char **into, const char *text)
{
	if (*into == NULL || **into == '\0')
		*into = text;
}

static void
merge(struct private_endpoint *into, const struct private_endpoint *from)
{
	take_text(&into->name, from->name);
	take_text(&into->subnet, from->subnet);
	take_text(&into->account, from->account);
	take_text(&into->service, from->service);
	take_text(&into->group, from->group);
	take_text(&into->status, from->status);
	take_text(&into->provisioning_state, from->provisioning_state);
	take_text(&into->guid, from->guid);
	take_text(&into->description, from->description);
	take_text(&into->actions_required, from->actions_required);
	into->has_interface |= from->has_interface;
	if (into->zone_count == 0) {
		into->zones = from->zones;
		into->zone_count = from->zone_count;
	}
	for (size_t i = 0; i < from->address_count; i++)
		into->addresses[into->address_count++] = from->addresses[i];
}

/* The names of an endpoint are the account's and, behind a '-', its regions': the shortest is the
 * account's.  For a zone group whose endpoint was not given. */
static void
guess_account(struct arena *arena, struct private_endpoint *endpoint)
{
	const char *shortest = NULL;

	if (*endpoint->service != '\0')
		return;
	for (size_t i = 0; i < endpoint->address_count; i++) {
		const char *fqdn = endpoint->addresses[i].fqdn;

		if (text_find_nocase(fqdn, ".documents.") != NULL &&
		    (shortest == NULL || strlen(fqdn) < strlen(shortest)))
			shortest = fqdn;
	}
	if (shortest != NULL)
		endpoint->account = arena_strndup(arena, shortest, strcspn(shortest, "."));
}

static bool
is_same_endpoint(const struct private_endpoint *left, const struct private_endpoint *right)
{
	return *left->id != '\0' && strcasecmp(left->id, right->id) == 0;
}

/* All that is said of one id, from sorted[from] on; *to is behind its last. */
static struct private_endpoint *
join(struct arena *arena, struct private_endpoint *const *sorted, size_t count, size_t from,
    size_t *to)
{
	struct private_endpoint *joined = arena_alloc(arena, sizeof(*joined));
	size_t                   room = 0;

	for (*to = from; *to < count; ++*to) {
		if (*to > from && !is_same_endpoint(sorted[from], sorted[*to]))
			break;
		room += sorted[*to]->address_count;
	}
	*joined = *sorted[from];
	joined->addresses = arena_array(arena, room + 1, sizeof(struct endpoint_address));
	joined->address_count = 0;
	for (size_t i = from; i < *to; i++)
		merge(joined, sorted[i]);
	guess_account(arena, joined);
	return joined;
}

static void
add_entries(struct endpoint_index *index, const struct private_endpoint *endpoint)
{
	for (size_t i = 0; i < endpoint->address_count; i++)
		index->entries[index->entry_count++] = (struct endpoint_entry){
			endpoint->addresses[i].addr, endpoint->addresses[i].fqdn, endpoint
		};
}

/* The same may stand in the endpoint's document and in its interface's. */
static void
drop_doubles(struct endpoint_index *index)
{
	size_t to = 0;

	for (size_t i = 0; i < index->entry_count; i++) {
		if (to == 0 ||
		    compare_entries(&index->entries[to - 1], &index->entries[i]) != 0)
			index->entries[to++] = index->entries[i];
	}
	index->entry_count = to;
}

struct endpoint_index *
endpoint_index_new(struct arena *arena, const struct endpoint_list *list)
{
	struct endpoint_index    *index = arena_alloc(arena, sizeof(*index));
	struct private_endpoint **sorted = arena_array(arena, list->count + 1, sizeof(void *));
	size_t                    room = 0;

	for (size_t i = 0; i < list->count; i++) {
		sorted[i] = list->endpoints[i];
		room += list->endpoints[i]->address_count;
	}
	index->entries = arena_array(arena, room + 1, sizeof(struct endpoint_entry));
	index->endpoints = arena_array(arena, list->count + 1, sizeof(void *));
	if (list->count > 0)
		qsort(sorted, list->count, sizeof(*sorted), compare_ids);
	for (size_t from = 0, to; from < list->count; from = to) {
		struct private_endpoint *endpoint = join(arena, sorted, list->count, from, &to);

		index->endpoints[index->endpoint_count++] = endpoint;
		add_entries(index, endpoint);
	}
	qsort(index->endpoints, index->endpoint_count, sizeof(void *), compare_accounts);
	qsort(
	    index->entries, index->entry_count, sizeof(struct endpoint_entry), compare_entries);
	drop_doubles(index);
	return index;
}

/* The first place whose address is not below; entry_count when there is none. */
static size_t
find_first(const struct endpoint_index *index, const struct addr *addr)
{
	size_t low = 0, high = index->entry_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&index->entries[middle].addr, addr) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct endpoint_entry *
endpoint_by_address(const struct endpoint_index *index, const struct addr *addr, size_t *count)
{
	size_t first;

	*count = 0;
	if (index == NULL)
		return NULL;
	first = find_first(index, addr);
	while (first + *count < index->entry_count &&
	    addr_equal(&index->entries[first + *count].addr, addr))
		++*count;
	return &index->entries[first];
}

const struct private_endpoint *const *
endpoint_by_account(const struct endpoint_index *index, const char *account, size_t *count)
{
	size_t low = 0, high = index != NULL ? index->endpoint_count : 0, end = high;

	*count = 0;
	if (index == NULL)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(index->endpoints[middle]->account, account) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (
	    low + *count < end && strcmp(index->endpoints[low + *count]->account, account) == 0)
		++*count;
	return &index->endpoints[low];
}

const struct private_endpoint *
endpoint_by_guid(const struct endpoint_index *index, const char *guid)
{
	for (size_t i = 0; index != NULL && *guid != '\0' && i < index->endpoint_count; i++) {
		const struct private_endpoint *endpoint = index->endpoints[i];

		if (endpoint->guid != NULL && strcmp(endpoint->guid, guid) == 0)
			return endpoint;
	}
	return NULL;
}

const struct addr *
endpoint_find(const struct private_endpoint *endpoint, const char *fqdn)
{
	for (size_t i = 0; i < endpoint->address_count; i++) {
		if (text_equal_nocase(endpoint->addresses[i].fqdn, fqdn))
			return &endpoint->addresses[i].addr;
	}
	return NULL;
}
