/* fuzz_feed_json: any bytes as each of the documents of the chain: taken within the limits, or
 * refused with a reason. */
#include "base/text.h"
#include "probe/feed/feed_json.h"
#include "probe/feed/feed_tally.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static void
check_text(struct arena *arena, const char *text, size_t most)
{
	want(text == NULL ||
	    (strlen(text) <= most &&
	        strcmp(text_sane(arena, text, strlen(text), most), text) == 0));
}

static void
check_host(const char *host, unsigned port)
{
	size_t count = host != NULL ? strlen(host) : 0;

	want((count == 0) == (port == 0) && port <= UINT16_MAX && count <= 253);
	want(count == 0 || strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == count);
}

static void
try_account(struct arena *arena, const char *body, size_t count)
{
	struct feed feed = { 0 };
	struct err  err = { 0 };

	if (!feed_json_account(&feed, body, count, arena, &err)) {
		want(err.kind != ERR_NONE && err.text[0] != '\0');
		return;
	}
	want(feed.regions_count <= FEED_REGIONS_MAX);
	check_text(arena, feed.account, FEED_NAME_MAX);
	for (size_t i = 0; i < feed.regions_count; i++) {
		check_text(arena, feed.regions[i].name, 64);
		check_host(feed.regions[i].host, feed.regions[i].port);
		check_host(feed.regions[i].v2_host, feed.regions[i].v2_port);
	}
}

static void
try_lists(struct arena *arena, const char *body, size_t count)
{
	static const char *const members[] = { "Databases", "DocumentCollections",
		"PartitionKeyRanges" };

	struct feed_list list = { 0 };
	const char      *rid = NULL;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (feed_json_list(&list, members[i], 5, body, count, arena, NULL))
			want(list.count <= 5 && list.count <= list.told);
	}
	for (size_t i = 0; i < list.count; i++) {
		want(list.items[i].id[0] != '\0' && strchr(list.items[i].id, '/') == NULL);
		check_text(arena, list.items[i].id, FEED_NAME_MAX);
	}
	if (feed_json_container(&rid, body, count, arena, NULL))
		want(strlen(feed_json_database_rid(rid, arena)) == 8);
}

static void
try_addresses(struct arena *arena, const char *body, size_t count)
{
	struct feed_addresses addresses = { 0 };
	struct feed           feed = { 0 };
	struct err            err = { 0 };

	if (!feed_json_addresses(&addresses, body, count, arena, &err))
		want(err.kind != ERR_NONE && err.text[0] != '\0');
	want(addresses.count <= FEED_REPLICAS_MAX);
	want((addresses.bad == 0) == (addresses.why == NULL));
	for (size_t i = 0; i < addresses.count; i++) {
		want(addresses.replicas[i].uri.port != 0);
		want(addresses.replicas[i].uri.host[0] != '\0');
		check_text(arena, addresses.replicas[i].partition, 64);
	}
	feed_tally(&feed, &addresses, arena);
	want(feed.partitions <= addresses.count && feed.partitions_short <= feed.partitions);
	want((feed.partitions_short == 0) == (feed.short_detail[0] == '\0'));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena *arena = arena_new();
	const char   *body = (const char *)bytes;

	try_account(arena, body, count);
	try_lists(arena, body, count);
	try_addresses(arena, body, count);
	arena_free(arena);
	return 0;
}
