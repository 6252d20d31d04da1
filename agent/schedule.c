#include "agent/schedule.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	struct job    job;   /* first member: a job is its entry */
	struct arena *arena; /* owned; holds the target */
	int64_t       interval_us, phase_us, due_us;
	bool          kept; /* while schedule_set() runs */
};

struct schedule {
	char          *agent; /* owned */
	struct entry **entries;
	size_t         count, room;
};

static uint64_t
hash_text(uint64_t hash, const char *text)
{
	const char *at = text != NULL ? text : "";

	do { /* the NUL too: "ab" "c" is not "a" "bc" */
		hash ^= (uint8_t)*at;
		hash *= UINT64_C(0x100000001b3);
	} while (*at++ != '\0');
	return hash;
}

/* Names that differ in one letter must lie far apart: the last step of a good hash. */
static uint64_t
mix(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	hash ^= hash >> 33;
	hash *= UINT64_C(0xc4ceb9fe1a85ec53);
	return hash ^ (hash >> 33);
}

static uint64_t
hash_target(const char *agent, const struct target *target)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = hash_text(hash, agent);
	hash = hash_text(hash, target->account);
	hash = hash_text(hash, target->host);
	hash ^= target->port + ((uint64_t)target->api << 20) + ((uint64_t)target->mode << 24);
	return mix(hash);
}

static bool
is_text_equal(const char *left, const char *right)
{
	return strcmp(left != NULL ? left : "", right != NULL ? right : "") == 0;
}

static bool
is_target_equal(const struct target *left, const struct target *right)
{
	return is_text_equal(left->account, right->account) &&
	    is_text_equal(left->host, right->host) &&
	    is_text_equal(left->region, right->region) && left->api == right->api &&
	    left->role == right->role && left->mode == right->mode &&
	    left->port == right->port && left->dns_only == right->dns_only &&
	    left->interval_ms == right->interval_ms && left->limit_ms == right->limit_ms;
}

struct schedule *
schedule_new(const char *agent)
{
	struct schedule *schedule = mem_alloc(sizeof(*schedule));

	schedule->agent = mem_strdup(agent);
	return schedule;
}

static void
free_entry(struct entry *entry)
{
	arena_free(entry->arena);
	free(entry);
}

void
schedule_free(struct schedule *schedule)
{
	if (schedule == NULL)
		return;
	for (size_t i = 0; i < schedule->count; i++)
		free_entry(schedule->entries[i]);
	free(schedule->entries);
	free(schedule->agent);
	free(schedule);
}

static void
copy_target(struct entry *entry, const struct target *from)
{
	struct target *target = arena_alloc(entry->arena, sizeof(*target));

	*target = *from;
	target->account = arena_strdup(entry->arena, from->account);
	target->region = arena_strdup(entry->arena, from->region);
	target->host = arena_strdup(entry->arena, from->host);
	entry->job.target = target;
}

/* The first time after `from_us` that lies at the entry's place in its interval. */
static int64_t
find_turn(const struct entry *entry, int64_t from_us)
{
	int64_t since_us = from_us - entry->phase_us;
	int64_t turns = since_us / entry->interval_us;

	if (since_us >= 0)
		turns++;
	return entry->phase_us + turns * entry->interval_us;
}

static struct entry *
new_entry(const struct schedule *schedule, const struct target *target, int64_t interval_ms,
    int64_t now_us)
{
	struct entry *entry = mem_alloc(sizeof(*entry));
	uint64_t      hash = hash_target(schedule->agent, target);
	int64_t       within_us = SCHEDULE_FIRST_WITHIN_MS * US_PER_MS;

	if (target->interval_ms != 0)
		interval_ms = target->interval_ms;
	entry->arena = arena_new();
	copy_target(entry, target);
	entry->interval_us = interval_ms * US_PER_MS;
	entry->phase_us = (int64_t)(hash % (uint64_t)entry->interval_us);
	if (within_us > entry->interval_us)
		within_us = entry->interval_us;
	entry->due_us = now_us + (int64_t)(mix(hash + 1) % (uint64_t)within_us);
	return entry;
}

static void
append_entry(struct schedule *schedule, struct entry *entry)
{
	if (schedule->count == schedule->room) {
		schedule->room = schedule->room * 2 + 16;
		schedule->entries = mem_grow(
		    schedule->entries, schedule->room, sizeof(*schedule->entries));
	}
	schedule->entries[schedule->count++] = entry;
}

static struct entry *
find_entry(const struct schedule *schedule, size_t count, const struct target *target,
    int64_t interval_ms)
{
	if (target->interval_ms != 0)
		interval_ms = target->interval_ms;
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = schedule->entries[i];

		if (!entry->job.gone && entry->interval_us == interval_ms * US_PER_MS &&
		    is_target_equal(entry->job.target, target))
			return entry;
	}
	return NULL;
}

static void
drop_entries(struct schedule *schedule, size_t old_count)
{
	size_t left = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		struct entry *entry = schedule->entries[i];

		if (i < old_count && !entry->kept) {
			entry->job.gone = true;
			if (!entry->job.running) {
				free_entry(entry);
				continue;
			}
		}
		entry->kept = false;
		schedule->entries[left++] = entry;
	}
	schedule->count = left;
}

void
schedule_set(struct schedule *schedule, const struct target *targets, size_t count,
    int64_t interval_ms, int64_t now_us)
{
	size_t old_count = schedule->count;

	for (size_t i = 0; i < count; i++) {
		struct entry *entry = find_entry(schedule, old_count, &targets[i], interval_ms);

		if (entry == NULL)
			append_entry(
			    schedule, new_entry(schedule, &targets[i], interval_ms, now_us));
		else
			entry->kept = true;
	}
	drop_entries(schedule, old_count);
}

size_t
schedule_count(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++)
		count += !schedule->entries[i]->job.gone;
	return count;
}

static struct entry *
find_next(const struct schedule *schedule)
{
	struct entry *next = NULL;

	for (size_t i = 0; i < schedule->count; i++) {
		struct entry *entry = schedule->entries[i];

		if (!entry->job.running && !entry->job.gone &&
		    (next == NULL || entry->due_us < next->due_us))
			next = entry;
	}
	return next;
}

const struct target *
schedule_due(const struct schedule *schedule, int64_t now_us)
{
	const struct entry *entry = find_next(schedule);

	return entry != NULL && entry->due_us <= now_us ? entry->job.target : NULL;
}

struct job *
schedule_take(struct schedule *schedule, int64_t now_us)
{
	struct entry *entry = find_next(schedule);

	if (entry == NULL || entry->due_us > now_us)
		return NULL;
	entry->job.running = true;
	/* Half an interval off at least, since the first run has no regard for the turn. */
	entry->due_us = find_turn(entry, now_us + entry->interval_us / 2);
	return &entry->job;
}

void
schedule_done(struct schedule *schedule, struct job *job)
{
	struct entry *entry = (struct entry *)job;

	job->running = false;
	if (!job->gone)
		return;
	for (size_t i = 0; i < schedule->count; i++) {
		if (schedule->entries[i] == entry) {
			schedule->entries[i] = schedule->entries[--schedule->count];
			break;
		}
	}
	free_entry(entry);
}

int64_t
schedule_wait_us(const struct schedule *schedule, int64_t now_us)
{
	const struct entry *next = find_next(schedule);

	if (next == NULL)
		return -1;
	return next->due_us > now_us ? next->due_us - now_us : 0;
}
