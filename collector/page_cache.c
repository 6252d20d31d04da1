#include "collector/page_cache.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Questions that differ are few: those of the page, of Prometheus, of a report. */
enum { ENTRIES = 16, BYTES_MAX = 64 << 20 };

static const int64_t worth_us = 5 * US_PER_MS;
static const int64_t least_us = 500 * US_PER_MS;
static const int64_t most_us = 5 * US_PER_S;
static const int64_t share = 20;

struct entry {
	char    *key;   /* owned; NULL: free */
	uint8_t *bytes; /* owned */
	size_t   count;
	uint64_t version;
	int64_t  made_us, took_us;
};

struct page_cache {
	struct entry entries[ENTRIES];
	size_t       bytes; /* of all */
};

struct page_cache *
page_cache_new(void)
{
	return mem_alloc(sizeof(struct page_cache));
}

static void
drop(struct page_cache *cache, struct entry *entry)
{
	cache->bytes -= entry->count;
	free(entry->key);
	free(entry->bytes);
	*entry = (struct entry){ .key = NULL };
}

void
page_cache_free(struct page_cache *cache)
{
	if (cache == NULL)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		drop(cache, &cache->entries[i]);
	free(cache);
}

static char *
write_key(const struct page_cache_ask *ask)
{
	return mem_printf("%s%s%s", ask->path, ask->query != NULL ? "?" : "",
	    ask->query != NULL ? ask->query : "");
}

static struct entry *
seek(struct page_cache *cache, const char *key)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		if (cache->entries[i].key != NULL && strcmp(cache->entries[i].key, key) == 0)
			return &cache->entries[i];
	}
	return NULL;
}

static bool
is_good(const struct entry *entry, const struct page_cache_ask *ask)
{
	int64_t age_us = ask->now_us - entry->made_us, limit_us = share * entry->took_us;

	if (limit_us < least_us)
		limit_us = least_us;
	if (entry->version == ask->version && limit_us < most_us)
		limit_us = most_us;
	return age_us <= limit_us;
}

bool
page_cache_find(
    struct page_cache *cache, const struct page_cache_ask *ask, struct page_cache_bytes *found)
{
	char         *key = write_key(ask);
	struct entry *entry = seek(cache, key);

	free(key);
	if (entry == NULL || !is_good(entry, ask))
		return false;
	*found = (struct page_cache_bytes){ entry->bytes, entry->count };
	return true;
}

/* A free one, or the oldest. */
static struct entry *
pick_slot(struct page_cache *cache)
{
	struct entry *oldest = &cache->entries[0];

	for (size_t i = 0; i < ENTRIES; i++) {
		if (cache->entries[i].key == NULL)
			return &cache->entries[i];
		if (cache->entries[i].made_us < oldest->made_us)
			oldest = &cache->entries[i];
	}
	return oldest;
}

/* Makes room; false: there is not so much. */
static bool
make_room(struct page_cache *cache, size_t count)
{
	while (cache->bytes + count > BYTES_MAX) {
		struct entry *oldest = NULL;

		for (size_t i = 0; i < ENTRIES; i++) {
			struct entry *entry = &cache->entries[i];

			if (entry->key != NULL &&
			    (oldest == NULL || entry->made_us < oldest->made_us))
				oldest = entry;
		}
		if (oldest == NULL)
			return false;
		drop(cache, oldest);
	}
	return true;
}

void
page_cache_keep(struct page_cache *cache, const struct page_cache_ask *ask, int64_t took_us,
    const struct page_cache_bytes *answer)
{
	char         *key = write_key(ask);
	struct entry *entry = seek(cache, key);

	if (entry != NULL)
		drop(cache, entry);
	if (took_us < worth_us || !make_room(cache, answer->count)) {
		free(key);
		return;
	}
	entry = pick_slot(cache);
	drop(cache, entry);
	*entry = (struct entry){ .key = key,
		.bytes = mem_array(answer->count + 1, 1),
		.count = answer->count,
		.version = ask->version,
		.made_us = ask->now_us,
		.took_us = took_us };
	if (answer->count > 0)
		memcpy(entry->bytes, answer->bytes, answer->count);
	cache->bytes += answer->count;
}
