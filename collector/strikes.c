#include "collector/strikes.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* A bucket as one number: when all that was taken from it will have come back.  In the past: it is
 * full. */
struct bucket {
	int64_t full_us;
};

struct entry {
	struct addr   from; /* of IPv6 the first half */
	struct bucket bucket;
};

static const int64_t each_us = 30 * US_PER_S; /* for one attempt to come back */
static const int64_t all_us = 2 * US_PER_S;

struct strikes {
	const struct clock *clock; /* borrowed */
	struct bucket       all;
	struct entry        entries[STRIKES_TABLE];
};

struct strikes *
strikes_new(const struct clock *clock)
{
	struct strikes *strikes = mem_alloc(sizeof(*strikes));

	memset(strikes, 0, sizeof(*strikes));
	strikes->clock = clock;
	strikes->all.full_us = INT64_MIN;
	for (size_t i = 0; i < STRIKES_TABLE; i++)
		strikes->entries[i].bucket.full_us = INT64_MIN;
	return strikes;
}

void
strikes_free(struct strikes *strikes)
{
	free(strikes);
}

/* 0, or how long until one attempt has come back. */
static int64_t
find_wait(const struct bucket *bucket, int64_t now_us, int64_t back_us, int count)
{
	int64_t left_us = bucket->full_us > now_us ? bucket->full_us - now_us : 0;
	int64_t most_us = back_us * (count - 1);

	return left_us > most_us ? left_us - most_us : 0;
}

static void
take_one(struct bucket *bucket, int64_t now_us, int64_t back_us)
{
	bucket->full_us = (bucket->full_us > now_us ? bucket->full_us : now_us) + back_us;
}

static struct addr
find_key(const struct addr *from)
{
	struct addr key = *from;

	key.port = 0;
	key.scope = 0;
	if (key.family == 6)
		memset(key.bytes + 8, 0, 8);
	return key;
}

static const struct entry *
find_entry(const struct strikes *strikes, const struct addr *key)
{
	for (size_t i = 0; i < STRIKES_TABLE; i++) {
		if (addr_equal(&strikes->entries[i].from, key))
			return &strikes->entries[i];
	}
	return NULL;
}

/* Its own, or that of whoever has the least to wait for. */
static struct entry *
claim_entry(struct strikes *strikes, const struct addr *key)
{
	struct entry *best = &strikes->entries[0];

	for (size_t i = 0; i < STRIKES_TABLE; i++) {
		struct entry *entry = &strikes->entries[i];

		if (addr_equal(&entry->from, key))
			return entry;
		if (entry->bucket.full_us < best->bucket.full_us)
			best = entry;
	}
	*best = (struct entry){ .from = *key, .bucket = { INT64_MIN } };
	return best;
}

static unsigned
round_up(int64_t wait_us)
{
	return (unsigned)((wait_us + US_PER_S - 1) / US_PER_S);
}

unsigned
strikes_wait_s(const struct strikes *strikes, const struct addr *from)
{
	struct addr         key = find_key(from);
	const struct entry *entry = find_entry(strikes, &key);

	if (entry == NULL)
		return 0;
	return round_up(
	    find_wait(&entry->bucket, clock_mono_us(strikes->clock), each_us, STRIKES_EACH));
}

unsigned
strikes_take(struct strikes *strikes, const struct addr *from)
{
	int64_t       now_us = clock_mono_us(strikes->clock);
	struct addr   key = find_key(from);
	int64_t       wait_us = find_wait(&strikes->all, now_us, all_us, STRIKES_ALL);
	unsigned      wait_s = strikes_wait_s(strikes, from);
	struct entry *entry;

	if (round_up(wait_us) > wait_s)
		wait_s = round_up(wait_us);
	if (wait_s > 0)
		return wait_s;
	entry = claim_entry(strikes, &key);
	take_one(&entry->bucket, now_us, each_us);
	take_one(&strikes->all, now_us, all_us);
	return 0;
}

void
strikes_forgive(struct strikes *strikes, const struct addr *from)
{
	struct addr         key = find_key(from);
	const struct entry *found = find_entry(strikes, &key);

	strikes->all.full_us -= all_us;
	if (found != NULL)
		claim_entry(strikes, &key)->bucket.full_us -= each_us;
}
