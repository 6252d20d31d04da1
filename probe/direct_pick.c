#include "probe/direct_pick.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_MAX_BYTES = 255, PORT_LOW = 10000, PORT_HIGH = 20000, PORT_LEAST = 1024 };

static const char service_host[] = "cdb-ms-";

/* A replica while they are joined. */
struct item {
	const struct feed_replica *replica;
	size_t                     at;        /* in the feed */
	size_t                     spot;      /* that it belongs to */
	size_t                     partition; /* number of its partition */
};

struct picking {
	struct arena       *arena;
	struct item        *items;
	size_t              count;
	struct direct_spot *spots;
	size_t              spot_count;
	size_t *first; /* of each spot: its first item, items being sorted by spot */
	size_t  partition_count;
	bool   *covered; /* partitions */
	bool   *taken;   /* spots */
	struct direct_spot *out;
	size_t              out_count;
};

static int
compare_at(size_t left, size_t right)
{
	return left < right ? -1 : left > right;
}

static int
by_address(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int                order = strcmp(a->replica->uri.host, b->replica->uri.host);

	if (order == 0)
		order = compare_at(a->replica->uri.port, b->replica->uri.port);
	return order != 0 ? order : compare_at(a->at, b->at);
}

static int
by_partition(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int                order = strcmp(a->replica->partition, b->replica->partition);

	return order != 0 ? order : compare_at(a->at, b->at);
}

static int
by_feed(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return compare_at(a->at, b->at);
}

static int
by_spot(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int                order = compare_at(a->spot, b->spot);

	return order != 0 ? order : compare_at(a->at, b->at);
}

static void
number_partitions(struct picking *pick)
{
	qsort(pick->items, pick->count, sizeof(struct item), by_partition);
	for (size_t i = 0; i < pick->count; i++) {
		struct item *item = &pick->items[i];

		if (i == 0 ||
		    strcmp(item[-1].replica->partition, item->replica->partition) != 0)
			pick->partition_count++;
		item->partition = pick->partition_count - 1;
	}
}

/* Like addresses get the number of the first of them in the feed, so that the order of the feed
 * stays that of the spots. */
static void
mark_spots(struct picking *pick)
{
	size_t lead = 0;

	qsort(pick->items, pick->count, sizeof(struct item), by_address);
	for (size_t i = 0; i < pick->count; i++) {
		const struct rntbd_uri *own = &pick->items[i].replica->uri;
		const struct rntbd_uri *other = &pick->items[lead].replica->uri;

		if (own->port != other->port || strcmp(own->host, other->host) != 0)
			lead = i;
		pick->items[i].spot = pick->items[lead].at;
	}
	qsort(pick->items, pick->count, sizeof(struct item), by_spot);
}

/* Whole ids, space between. */
static const char *
join_partitions(struct picking *pick, size_t first, size_t end)
{
	char   text[PARTITIONS_MAX_BYTES + 8];
	size_t length = 0;

	for (size_t i = first; i < end; i++) {
		const char *id = pick->items[i].replica->partition;
		size_t      more = strlen(id) + (length > 0);
		bool        told = false;

		for (size_t j = first; j < i && !told; j++)
			told = pick->items[j].partition == pick->items[i].partition;
		if (told || *id == '\0')
			continue;
		if (length + more > PARTITIONS_MAX_BYTES - 4) {
			memcpy(text + length, " ...", 4);
			length += 4;
			break;
		}
		if (length > 0)
			text[length++] = ' ';
		memcpy(text + length, id, strlen(id));
		length += strlen(id);
	}
	return arena_strndup(pick->arena, text, length);
}

static void
make_spots(struct picking *pick, enum origin origin)
{
	pick->spots = arena_array(pick->arena, pick->count + 1, sizeof(struct direct_spot));
	pick->first = arena_array(pick->arena, pick->count + 1, sizeof(size_t));
	for (size_t i = 0, end; i < pick->count; i = end) {
		struct direct_spot *spot = &pick->spots[pick->spot_count];

		for (end = i; end < pick->count && pick->items[end].spot == pick->items[i].spot;
		     end++)
			spot->primary |= pick->items[end].replica->uri.primary;
		spot->host = pick->items[i].replica->uri.host;
		spot->port = pick->items[i].replica->uri.port;
		spot->origin = origin;
		spot->replicas = (uint32_t)(end - i);
		spot->partitions = join_partitions(pick, i, end);
		pick->first[pick->spot_count++] = i;
	}
	pick->first[pick->spot_count] = pick->count;
}

static void
take(struct picking *pick, size_t spot)
{
	pick->taken[spot] = true;
	pick->out[pick->out_count++] = pick->spots[spot];
	for (size_t i = pick->first[spot]; i < pick->first[spot + 1]; i++)
		pick->covered[pick->items[i].partition] = true;
}

static bool
is_host_taken(const struct picking *pick, const char *host)
{
	for (size_t i = 0; i < pick->out_count; i++) {
		if (strcmp(pick->out[i].host, host) == 0)
			return true;
	}
	return false;
}

static bool
covers_more(const struct picking *pick, size_t spot)
{
	for (size_t i = pick->first[spot]; i < pick->first[spot + 1]; i++) {
		if (!pick->covered[pick->items[i].partition])
			return true;
	}
	return false;
}

enum pass { PASS_HOSTS, PASS_PRIMARIES, PASS_PARTITIONS, PASS_REST, PASS_COUNT };

static bool
is_wanted(const struct picking *pick, size_t spot, enum pass pass)
{
	if (pick->taken[spot])
		return false;
	switch (pass) {
	case PASS_HOSTS: return !is_host_taken(pick, pick->spots[spot].host);
	case PASS_PRIMARIES: return pick->spots[spot].primary && covers_more(pick, spot);
	case PASS_PARTITIONS: return covers_more(pick, spot);
	case PASS_REST: return true;
	case PASS_COUNT: break;
	}
	return false;
}

void
direct_pick(struct arena *arena, const struct feed_found *found, enum origin origin,
    size_t most, struct direct_spots *picked)
{
	struct picking pick = { .arena = arena, .count = found->count };

	pick.items = arena_array(arena, found->count + 1, sizeof(struct item));
	for (size_t i = 0; i < found->count; i++)
		pick.items[i] = (struct item){ .replica = &found->replicas[i], .at = i };
	number_partitions(&pick);
	qsort(pick.items, pick.count, sizeof(struct item), by_feed);
	mark_spots(&pick);
	make_spots(&pick, origin);
	pick.covered = arena_array(arena, pick.partition_count + 1, sizeof(bool));
	pick.taken = arena_array(arena, pick.spot_count + 1, sizeof(bool));
	pick.out = arena_array(arena, pick.spot_count + 1, sizeof(struct direct_spot));
	for (int pass = 0; pass < PASS_COUNT; pass++) {
		for (size_t i = 0; i < pick.spot_count && pick.out_count < most; i++) {
			if (is_wanted(&pick, i, (enum pass)pass))
				take(&pick, i);
		}
	}
	*picked = (struct direct_spots){ pick.out, pick.spot_count, pick.out_count };
}

/* The service numbers its clusters behind the region: "cdb-ms-prod-westus1-be169" is of westus.
 * "eastus21" may be of eastus2 or of eastus: it is tried for whichever the account has. */
static bool
is_service_host_in(const char *host, const char *region)
{
	const char *label = strchr(host + strlen(service_host), '-');
	size_t      length = strlen(region);

	if (label == NULL || strncmp(label + 1, region, length) != 0)
		return false;
	label += 1 + length;
	return label[strspn(label, "0123456789")] == '-' || *label == '.';
}

bool
direct_is_for(const struct rntbd_uri *uri, const struct target *target)
{
	size_t length = strlen(target->account);
	bool   service = strncmp(uri->host, service_host, strlen(service_host)) == 0;

	if (text_equal_nocase(uri->host, target->host))
		return true;
	if (target->region[0] != '\0')
		return service && is_service_host_in(uri->host, target->region);
	return service ||
	    (strncmp(uri->host, target->account, length) == 0 &&
	        (uri->host[length] == '-' || uri->host[length] == '.'));
}

/* FNV-1a, then mixed so that neighbours differ in all bits. */
static uint32_t
hash(const char *text, unsigned at)
{
	uint32_t value = 2166136261u;

	for (; *text != '\0'; text++)
		value = (value ^ (uint8_t)*text) * 16777619u;
	value ^= at * 2654435761u;
	value = (value ^ (value >> 16)) * 0x45d9f3bu;
	return value ^ (value >> 15);
}

uint16_t
direct_sample_port(const char *host, unsigned at)
{
	uint32_t value = hash(host, at);
	uint32_t span = PORT_HIGH - PORT_LOW;

	if (at % 2 == 0)
		return (uint16_t)(PORT_LOW + value % span);
	value = PORT_LEAST + value % (UINT16_MAX - PORT_LEAST - span);
	return (uint16_t)(value < PORT_LOW ? value : value + span);
}
