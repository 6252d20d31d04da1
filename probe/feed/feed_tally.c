#include "probe/feed/feed_tally.h"

#include "base/wbuf.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT_TOLD = 5 };

/* One entry, with what it is sorted by. */
struct entry {
	const char *partition;
	uint32_t    target;
};

/* Shorter ids first, so that 9 stands before 10. */
static int
compare(const void *left_entry, const void *right_entry)
{
	const struct entry *left = left_entry, *right = right_entry;
	size_t              left_count = strlen(left->partition);
	size_t              right_count = strlen(right->partition);

	if (left_count != right_count)
		return left_count < right_count ? -1 : 1;
	return strcmp(left->partition, right->partition);
}

static struct entry *
sort_entries(const struct feed_addresses *addresses)
{
	struct entry *entries = mem_array(addresses->count + 1, sizeof(*entries));

	for (size_t i = 0; i < addresses->count; i++)
		entries[i] = (struct entry){ addresses->replicas[i].partition,
			addresses->targets[i] };
	qsort(entries, addresses->count, sizeof(*entries), compare);
	return entries;
}

static void
tell_short(struct feed *feed, struct wbuf *text, const struct entry *first, size_t count,
    uint32_t target)
{
	if (feed->partitions_short < SHORT_TOLD)
		wbuf_printf(text, "%s%s has %zu of %u", text->count != 0 ? ", " : "",
		    first->partition, count, target);
	feed->partitions_short++;
}

void
feed_tally(struct feed *feed, const struct feed_addresses *addresses, struct arena *arena)
{
	struct entry *entries = sort_entries(addresses);
	struct wbuf   text;
	size_t        next;

	wbuf_init(&text);
	feed->replicas = (uint32_t)addresses->told;
	feed->partitions = feed->partitions_short = 0;
	for (size_t at = 0; at < addresses->count; at = next) {
		uint32_t target = 0;

		for (next = at; next < addresses->count &&
		     strcmp(entries[next].partition, entries[at].partition) == 0;
		     next++)
			target = entries[next].target > target ? entries[next].target : target;
		feed->partitions++;
		if (next - at < target)
			tell_short(feed, &text, &entries[at], next - at, target);
	}
	feed->short_detail = arena_strdup(arena, wbuf_text(&text));
	wbuf_fini(&text);
	free(entries);
}
