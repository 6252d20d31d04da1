#include "collector/propagation.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct propagation {
	struct propagation_region *regions; /* owned; by account and region */
	size_t                     count;
	bool                       learnt; /* there was a first time */
	bool                       loaded; /* measurements are news */
};

struct propagation *
propagation_new(void)
{
	return mem_alloc(sizeof(struct propagation));
}

static void
free_views(struct propagation_region *region)
{
	for (size_t i = 0; i < region->view_count; i++)
		free(region->views[i].agent);
	free(region->views);
	region->views = NULL;
	region->view_count = 0;
}

static void
free_region(struct propagation_region *region)
{
	free_views(region);
	free(region->account);
	free(region->region);
}

void
propagation_free(struct propagation *propagation)
{
	if (propagation == NULL)
		return;
	for (size_t i = 0; i < propagation->count; i++)
		free_region(&propagation->regions[i]);
	free(propagation->regions);
	free(propagation);
}

static int
compare(const struct propagation_region *region, const char *account, const char *label)
{
	int by_account = strcmp(region->account, account);

	return by_account != 0 ? by_account : strcmp(region->region, label);
}

/* Where the region is, or where it belongs. */
static size_t
seek(const struct propagation *propagation, const char *account, const char *label, bool *found)
{
	size_t low = 0, high = propagation->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&propagation->regions[middle], account, label) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low < propagation->count &&
	    compare(&propagation->regions[low], account, label) == 0;
	return low;
}

static bool
knows(const struct propagation *propagation, const char *account)
{
	bool   found;
	size_t at = seek(propagation, account, "", &found);

	return at < propagation->count &&
	    strcmp(propagation->regions[at].account, account) == 0;
}

static void
add_region(
    struct propagation *propagation, const char *account, const char *label, int64_t added_ms)
{
	bool   found;
	size_t at = seek(propagation, account, label, &found);

	if (found)
		return;
	propagation->regions = mem_grow(
	    propagation->regions, propagation->count + 1, sizeof(*propagation->regions));
	memmove(propagation->regions + at + 1, propagation->regions + at,
	    (propagation->count - at) * sizeof(*propagation->regions));
	propagation->regions[at] = (struct propagation_region){ .account = mem_strdup(account),
		.region = mem_strdup(label),
		.added_ms = added_ms };
	propagation->count++;
}

static bool
has_region(const struct account *account, const char *label)
{
	for (size_t i = 0; account != NULL && i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return true;
	}
	return false;
}

/* Regions of the account that it has no more; account NULL: it is gone. */
static void
drop_gone(struct propagation *propagation, const char *name, const struct account *account)
{
	size_t to = 0;

	for (size_t i = 0; i < propagation->count; i++) {
		struct propagation_region *region = &propagation->regions[i];

		if (strcmp(region->account, name) != 0 || has_region(account, region->region))
			propagation->regions[to++] = *region;
		else
			free_region(region);
	}
	propagation->count = to;
}

/* known: the account's regions were known before, so that others are added. */
static void
learn_account(
    struct propagation *propagation, const struct account *account, bool known, int64_t at_ms)
{
	drop_gone(propagation, account->name, account);
	for (size_t i = 0; i < account->location_count; i++)
		add_region(
		    propagation, account->name, account->locations[i].label, known ? at_ms : 0);
}

static void
on_document(void *arg, const struct store_document *document)
{
	struct propagation  *propagation = arg;
	struct arena        *arena;
	struct account_list *list;

	if (document->count == 0) {
		if (document->account[0] != '\0' && strcmp(document->kind, "account") == 0)
			drop_gone(propagation, document->account, NULL);
		return;
	}
	arena = arena_new();
	list = account_parse(
	    arena, (const char *)document->bytes, document->count, document->id, NULL);
	for (size_t i = 0; list != NULL && i < list->count; i++)
		learn_account(propagation, list->accounts[i],
		    knows(propagation, list->accounts[i]->name), document->seen_ms);
	propagation->learnt = true;
	arena_free(arena);
}

bool
propagation_load(struct propagation *propagation, struct store *store, struct err *err)
{
	struct store_reader reader = { .on_document = on_document, .arg = propagation };

	return store_load(store, &reader, err);
}

void
propagation_loaded(struct propagation *propagation)
{
	propagation->loaded = true;
}

void
propagation_learn(
    struct propagation *propagation, const struct documents *documents, int64_t now_ms)
{
	for (size_t i = propagation->count; i-- > 0;) {
		const char *name = propagation->regions[i].account;

		if (documents_find(documents, name) != NULL)
			continue;
		free_region(&propagation->regions[i]);
		memmove(&propagation->regions[i], &propagation->regions[i + 1],
		    (--propagation->count - i) * sizeof(*propagation->regions));
	}
	for (size_t i = 0; i < documents_count(documents); i++) {
		const struct account *account = documents_at(documents, i);

		learn_account(propagation, account,
		    propagation->learnt && knows(propagation, account->name), now_ms);
	}
	propagation->learnt = true;
}

static struct propagation_view *
get_view(struct propagation_region *region, const char *agent)
{
	size_t low = 0, high = region->view_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(region->views[middle].agent, agent) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < region->view_count && strcmp(region->views[low].agent, agent) == 0)
		return &region->views[low];
	region->views = mem_grow(region->views, region->view_count + 1, sizeof(*region->views));
	memmove(region->views + low + 1, region->views + low,
	    (region->view_count - low) * sizeof(*region->views));
	region->views[low] = (struct propagation_view){ .agent = mem_strdup(agent), .why = "" };
	region->view_count++;
	return &region->views[low];
}

static bool
is_right(const struct place *place)
{
	return place->address_count > 0 &&
	    (place->state == STATE_OK || place->state == STATE_WARNING);
}

static bool
is_negative(const struct dns *dns)
{
	return dns->outcome == OUTCOME_NXDOMAIN || dns->outcome == OUTCOME_NODATA;
}

/* For how long the wrong answer of one resolver may be kept. */
static uint32_t
find_ttl_s(const struct dns *dns)
{
	uint32_t ttl_s = 0;

	if (is_negative(dns))
		return dns->negative_ttl_s;
	for (size_t i = 0; i < dns->addresses_count; i++) {
		if (dns->addresses[i].ttl_s > ttl_s)
			ttl_s = dns->addresses[i].ttl_s;
	}
	return ttl_s;
}

static void
note_wrong(struct propagation_view *view, const struct place *place)
{
	const struct measurement *seen = place->seen;
	uint32_t                  ttl_s = 0;

	view->negative = false;
	for (size_t i = 0; i < seen->dns_count; i++) {
		if (find_ttl_s(&seen->dns[i]) <= ttl_s)
			continue;
		ttl_s = find_ttl_s(&seen->dns[i]);
		view->negative = is_negative(&seen->dns[i]);
	}
	view->wrong_ms = seen->started_ms;
	view->until_ms = ttl_s != 0 ? seen->started_ms + (int64_t)ttl_s * MS_PER_S : 0;
	view->why = place->worst != FINDING_COUNT ? finding_table[place->worst].words : "";
}

/* Of all APIs the worst: a region is right when each of its names is. */
static const struct place *
find_place(const struct verdict *verdict, const char *region)
{
	const struct place *found = NULL;

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (place->seen != NULL && place->target->mode == MODE_GATEWAY &&
		    strcmp(place->target->region, region) == 0 &&
		    (found == NULL || (is_right(found) && !is_right(place))))
			found = place;
	}
	return found;
}

static void
look_at(
    struct propagation_region *region, const char *agent, const struct place *place, bool news)
{
	struct propagation_view *view = get_view(region, agent);

	if (view->right)
		return;
	if (is_right(place)) {
		view->right = true;
		view->right_ms = news ? place->seen->started_ms : 0;
		view->until_ms = 0;
	} else if (place->seen->started_ms > view->wrong_ms) {
		note_wrong(view, place);
	}
}

void
propagation_look(struct propagation *propagation, const char *agent, const char *account,
    const struct verdict *verdict)
{
	bool found;

	for (size_t i = seek(propagation, account, "", &found);
	     i < propagation->count && strcmp(propagation->regions[i].account, account) == 0;
	     i++) {
		struct propagation_region *region = &propagation->regions[i];
		const struct place        *place = region->added_ms != 0
		           ? find_place(verdict, region->region)
		           : NULL;

		if (place != NULL)
			look_at(region, agent, place, propagation->loaded);
	}
}

void
propagation_expire(struct propagation *propagation, int64_t before_ms)
{
	for (size_t i = 0; i < propagation->count; i++) {
		struct propagation_region *region = &propagation->regions[i];

		if (region->added_ms == 0 || region->added_ms >= before_ms)
			continue;
		region->added_ms = 0;
		free_views(region);
	}
}

size_t
propagation_count(const struct propagation *propagation)
{
	return propagation->count;
}

const struct propagation_region *
propagation_at(const struct propagation *propagation, size_t at)
{
	return &propagation->regions[at];
}
