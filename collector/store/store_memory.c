#include "collector/store/store_memory.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* Everything kept is copied into an arena of its own, which dies with it. */
struct kept_batch {
	struct arena      *arena; /* owned; holds what batch points at */
	struct store_batch batch;
};

struct kept_agent {
	struct arena      *arena; /* owned */
	struct store_agent agent; /* texts in the arena, vitals on the heap */
};

struct kept_row {
	struct arena *arena; /* owned */
	const char   *agent, *key;
	int64_t       at_ms, received_ms;
	uint8_t      *bytes; /* in the arena */
	size_t        count;
};

struct kept_gap {
	char    *agent; /* owned */
	uint64_t records, epoch;
	uint32_t first_seq, last_seq;
	bool     moved;
	int64_t  received_ms;
};

struct kept_finding {
	struct arena        *arena; /* owned */
	struct store_finding finding;
};

struct kept_document {
	struct arena         *arena; /* owned */
	struct store_document document;
};

struct memory {
	struct store          store;
	struct kept_batch    *batches;
	size_t                batch_count;
	struct kept_agent    *agents;
	size_t                agent_count;
	struct kept_row      *rows;
	size_t                row_count;
	struct kept_gap      *gaps;
	size_t                gap_count;
	struct kept_finding  *findings;
	size_t                finding_count;
	struct kept_document *documents;
	size_t                document_count;
};

/* Room for one more at the end of an array that doubles. */
static void *
grow(void *array, size_t count, size_t bytes_each)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	return mem_grow(array, count == 0 ? 1 : count * 2, bytes_each);
}

static uint8_t *
copy_bytes(struct arena *arena, const uint8_t *bytes, size_t count)
{
	uint8_t *copy = arena_alloc(arena, count + 1);

	if (count > 0)
		memcpy(copy, bytes, count);
	return copy;
}

static struct store *
open_memory(const char *place, bool read_only, struct err *err)
{
	struct memory *memory;

	if (place[0] != '\0') {
		err_set(
		    err, ERR_USAGE, "store memory:%s: nothing may stand behind memory:", place);
		return NULL;
	}
	memory = mem_alloc(sizeof(*memory));
	memory->store.ops = &store_memory;
	return &memory->store;
}

static void
close_memory(struct store *store)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < memory->batch_count; i++)
		arena_free(memory->batches[i].arena);
	for (size_t i = 0; i < memory->agent_count; i++)
		arena_free(memory->agents[i].arena);
	for (size_t i = 0; i < memory->row_count; i++)
		arena_free(memory->rows[i].arena);
	for (size_t i = 0; i < memory->gap_count; i++)
		free(memory->gaps[i].agent);
	for (size_t i = 0; i < memory->finding_count; i++)
		arena_free(memory->findings[i].arena);
	for (size_t i = 0; i < memory->document_count; i++)
		arena_free(memory->documents[i].arena);
	free(memory->documents);
	free(memory->batches);
	free(memory->agents);
	free(memory->rows);
	free(memory->gaps);
	free(memory->findings);
	free(memory);
}

static const struct store_batch *
find_batch(const struct memory *memory, const struct store_batch *wanted)
{
	for (size_t i = memory->batch_count; i-- > 0;) {
		const struct store_batch *batch = &memory->batches[i].batch;

		if (batch->seq == wanted->seq && batch->epoch == wanted->epoch &&
		    strcmp(batch->agent, wanted->agent) == 0)
			return batch;
	}
	return NULL;
}

static void
keep_batch(struct memory *memory, const struct store_batch *batch)
{
	struct arena       *arena = arena_new();
	struct store_batch *kept;

	memory->batches = grow(memory->batches, memory->batch_count, sizeof(*memory->batches));
	memory->batches[memory->batch_count].arena = arena;
	kept = &memory->batches[memory->batch_count++].batch;
	*kept = *batch;
	kept->agent = arena_strdup(arena, batch->agent);
	kept->network = arena_strdup(arena, batch->network);
	kept->body = copy_bytes(arena, batch->body, batch->body_bytes);
	kept->rows = NULL;
	kept->gaps = NULL;
	kept->vitals = NULL;
	kept->vitals_bytes = NULL;
	kept->row_count = kept->gap_count = kept->vitals_count = 0;
}

static void
keep_row(
    struct memory *memory, const char *agent, int64_t received_ms, const struct store_row *row)
{
	struct kept_row *kept = NULL;

	for (size_t i = 0; i < memory->row_count && kept == NULL; i++) {
		if (strcmp(memory->rows[i].agent, agent) == 0 &&
		    strcmp(memory->rows[i].key, row->key) == 0)
			kept = &memory->rows[i];
	}
	if (kept != NULL && kept->at_ms > row->at_ms)
		return;
	if (kept != NULL) {
		arena_free(kept->arena);
	} else {
		memory->rows = grow(memory->rows, memory->row_count, sizeof(*memory->rows));
		kept = &memory->rows[memory->row_count++];
	}
	kept->arena = arena_new();
	kept->agent = arena_strdup(kept->arena, agent);
	kept->key = arena_strdup(kept->arena, row->key);
	kept->at_ms = row->at_ms;
	kept->received_ms = received_ms;
	kept->bytes = copy_bytes(kept->arena, row->bytes, row->count);
	kept->count = row->count;
}

static void
keep_gap(struct memory *memory, const struct store_batch *batch, const struct gap *gap)
{
	memory->gaps = grow(memory->gaps, memory->gap_count, sizeof(*memory->gaps));
	memory->gaps[memory->gap_count++] = (struct kept_gap){ .agent = mem_strdup(
		                                                   batch->agent),
		.records = gap->records,
		.epoch = gap->epoch,
		.first_seq = gap->first_seq,
		.last_seq = gap->last_seq,
		.moved = strcmp(gap->reason, GAP_MOVED) == 0,
		.received_ms = batch->received_ms };
}

static bool
has_moved(const struct memory *memory, const struct store_batch *batch)
{
	for (size_t i = 0; i < memory->gap_count; i++) {
		const struct kept_gap *gap = &memory->gaps[i];

		if (gap->moved && gap->epoch == batch->epoch && gap->first_seq <= batch->seq &&
		    batch->seq <= gap->last_seq && strcmp(gap->agent, batch->agent) == 0)
			return true;
	}
	return false;
}

static struct store_agent *
find_agent(struct memory *memory, const char *name)
{
	for (size_t i = 0; i < memory->agent_count; i++) {
		if (strcmp(memory->agents[i].agent.agent, name) == 0)
			return &memory->agents[i].agent;
	}
	return NULL;
}

/* An arena a change would grow for ever with an agent that never goes: made anew each time. */
static void
keep_agent(struct memory *memory, const struct store_batch *batch)
{
	struct store_agent *old = find_agent(memory, batch->agent);
	struct kept_agent  *slot;
	struct store_agent  fresh = { .first_seen_ms = batch->received_ms };
	struct arena       *arena = arena_new();

	if (old == NULL) {
		memory->agents = grow(
		    memory->agents, memory->agent_count, sizeof(*memory->agents));
		slot = &memory->agents[memory->agent_count++];
		slot->arena = NULL;
	} else {
		slot = (struct kept_agent *)((char *)old - offsetof(struct kept_agent, agent));
		fresh = *old;
	}
	if (batch->vitals_bytes != NULL) {
		fresh.vitals_bytes = batch->vitals_bytes;
		fresh.vitals_count = batch->vitals_count;
	}
	fresh.agent = arena_strdup(arena, batch->agent);
	fresh.network = arena_strdup(arena, batch->network);
	if (fresh.vitals_bytes != NULL)
		fresh.vitals_bytes = copy_bytes(arena, fresh.vitals_bytes, fresh.vitals_count);
	if (batch->received_ms > fresh.last_seen_ms)
		fresh.last_seen_ms = batch->received_ms;
	fresh.batches++;
	arena_free(slot->arena);
	*slot = (struct kept_agent){ arena, fresh };
}

static bool
append_memory(struct store *store, const struct store_batch *const *batches, size_t count,
    enum store_answer *answers, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < count; i++) {
		const struct store_batch *old = find_batch(memory, batches[i]);

		if (has_moved(memory, batches[i])) {
			answers[i] = STORE_DUPLICATE;
			continue;
		}

		if (old != NULL) {
			answers[i] = digest_equal(old->digest, batches[i]->digest, DIGEST_BYTES)
			    ? STORE_DUPLICATE
			    : STORE_CONFLICT;
			continue;
		}
		answers[i] = STORE_STORED;
		keep_batch(memory, batches[i]);
		keep_agent(memory, batches[i]);
		for (size_t j = 0; j < batches[i]->row_count; j++)
			keep_row(memory, batches[i]->agent, batches[i]->received_ms,
			    &batches[i]->rows[j]);
		for (size_t j = 0; j < batches[i]->gap_count; j++)
			keep_gap(memory, batches[i], batches[i]->gaps[j]);
	}
	return true;
}

static bool
is_same_finding(const struct store_finding *left, const struct store_finding *right)
{
	return left->opened_ms == right->opened_ms && strcmp(left->agent, right->agent) == 0 &&
	    strcmp(left->account, right->account) == 0 &&
	    strcmp(left->region, right->region) == 0 && strcmp(left->code, right->code) == 0 &&
	    strcmp(left->host, right->host) == 0;
}

static void
copy_finding(struct kept_finding *kept, const struct store_finding *from)
{
	struct arena         *arena = arena_new();
	struct store_finding *to = &kept->finding;

	*to = *from;
	to->agent = arena_strdup(arena, from->agent);
	to->account = arena_strdup(arena, from->account);
	to->region = arena_strdup(arena, from->region);
	to->code = arena_strdup(arena, from->code);
	to->host = arena_strdup(arena, from->host);
	to->network = arena_strdup(arena, from->network);
	to->severity = arena_strdup(arena, from->severity);
	to->owner = arena_strdup(arena, from->owner);
	to->sentence = arena_strdup(arena, from->sentence);
	to->evidence = arena_strdup(arena, from->evidence);
	to->fix = arena_strdup(arena, from->fix);
	to->state = arena_strdup(arena, from->state);
	to->looks = arena_strdup(arena, from->looks);
	to->mode = arena_strdup(arena, from->mode);
	arena_free(kept->arena);
	kept->arena = arena;
}

static bool
put_memory(
    struct store *store, const struct store_finding *findings, size_t count, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < memory->finding_count &&
		    !is_same_finding(&memory->findings[at].finding, &findings[i]))
			at++;
		if (at == memory->finding_count) {
			memory->findings = grow(
			    memory->findings, memory->finding_count, sizeof(*memory->findings));
			memory->findings[memory->finding_count++].arena = NULL;
		}
		copy_finding(&memory->findings[at], &findings[i]);
	}
	return true;
}

/* The newest version of the id from place `from` on; NULL when there is none. */
static const struct store_document *
find_document(const struct memory *memory, const char *id, size_t from, int64_t before_ms)
{
	for (size_t i = memory->document_count; i-- > from;) {
		const struct store_document *document = &memory->documents[i].document;

		if (strcmp(document->id, id) == 0 && document->seen_ms < before_ms)
			return document;
	}
	return NULL;
}

static struct store_mark
find_newest(const struct memory *memory)
{
	const struct store_batch *batch;

	if (memory->batch_count == 0)
		return (struct store_mark){ "", 0, 0 };
	batch = &memory->batches[memory->batch_count - 1].batch;
	return (struct store_mark){ batch->agent, batch->epoch, batch->seq };
}

static void
copy_document(struct memory *memory, const struct store_document *from)
{
	struct arena          *arena = arena_new();
	struct store_document *to;

	memory->documents = grow(
	    memory->documents, memory->document_count, sizeof(*memory->documents));
	memory->documents[memory->document_count].arena = arena;
	to = &memory->documents[memory->document_count++].document;
	*to = *from;
	to->id = arena_strdup(arena, from->id);
	to->kind = arena_strdup(arena, from->kind);
	to->account = arena_strdup(arena, from->account);
	to->change = arena_strdup(arena, from->change);
	to->bytes = copy_bytes(arena, from->bytes, from->count);
	if (to->after.agent == NULL)
		to->after = find_newest(memory);
	to->after.agent = arena_strdup(arena, to->after.agent);
}

static bool
keep_memory(
    struct store *store, const struct store_document *documents, size_t count, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < count; i++) {
		const struct store_document *newest = find_document(
		    memory, documents[i].id, 0, INT64_MAX);

		if (newest == NULL ||
		    !digest_equal(newest->digest, documents[i].digest, DIGEST_BYTES))
			copy_document(memory, &documents[i]);
	}
	return true;
}

/* The last word of a document that is gone, when nothing is left that it ended. */
static bool
is_last_word(const struct memory *memory, size_t at, int64_t before_ms)
{
	static const uint8_t         gone[DIGEST_BYTES];
	const struct store_document *last = &memory->documents[at].document;

	if (last->seen_ms >= before_ms || memcmp(last->digest, gone, DIGEST_BYTES) != 0)
		return false;
	for (size_t i = 0; i < memory->document_count; i++) {
		if (i != at && strcmp(memory->documents[i].document.id, last->id) == 0)
			return false;
	}
	return true;
}

static size_t
expire_last_words(struct memory *memory, int64_t before_ms, size_t most)
{
	size_t gone = 0;

	for (size_t i = memory->document_count; i-- > 0 && gone < most;) {
		if (!is_last_word(memory, i, before_ms))
			continue;
		arena_free(memory->documents[i].arena);
		memmove(&memory->documents[i], &memory->documents[i + 1],
		    (--memory->document_count - i) * sizeof(*memory->documents));
		gone++;
	}
	return gone;
}

/* Removes the elements of an array that are old, in place. */
#define EXPIRE(array, count, old, release)                   \
	do {                                                 \
		size_t to = 0, gone = 0;                     \
		for (size_t at = 0; at < (count); at++) {    \
			if (gone < most && (old)) {          \
				release;                     \
				gone++;                      \
			} else {                             \
				(array)[to++] = (array)[at]; \
			}                                    \
		}                                            \
		(count) = to;                                \
		*removed += gone;                            \
	} while (0)

static bool
expire_memory(
    struct store *store, int64_t before_ms, size_t most, size_t *removed, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	*removed = 0;
	EXPIRE(memory->batches, memory->batch_count,
	    memory->batches[at].batch.received_ms < before_ms,
	    arena_free(memory->batches[at].arena));
	EXPIRE(memory->rows, memory->row_count, memory->rows[at].received_ms < before_ms,
	    arena_free(memory->rows[at].arena));
	EXPIRE(memory->agents, memory->agent_count,
	    memory->agents[at].agent.last_seen_ms < before_ms,
	    arena_free(memory->agents[at].arena));
	EXPIRE(memory->gaps, memory->gap_count, memory->gaps[at].received_ms < before_ms,
	    free(memory->gaps[at].agent));
	EXPIRE(memory->findings, memory->finding_count,
	    memory->findings[at].finding.closed_ms != 0 &&
	        memory->findings[at].finding.closed_ms < before_ms,
	    arena_free(memory->findings[at].arena));
	EXPIRE(memory->documents, memory->document_count,
	    find_document(memory, memory->documents[at].document.id, at + 1, before_ms) != NULL,
	    arena_free(memory->documents[at].arena));
	*removed += expire_last_words(memory, before_ms, most);
	return true;
}

static uint64_t
count_lost(const struct memory *memory, const char *agent)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < memory->gap_count; i++) {
		if (strcmp(memory->gaps[i].agent, agent) == 0)
			lost += memory->gaps[i].records;
	}
	return lost;
}

static bool
load_memory(struct store *store, const struct store_reader *to, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; to->on_agent != NULL && i < memory->agent_count; i++) {
		struct store_agent agent = memory->agents[i].agent;

		agent.lost_records = count_lost(memory, agent.agent);
		to->on_agent(to->arg, &agent);
	}
	for (size_t i = 0; to->on_row != NULL && i < memory->row_count; i++) {
		const struct kept_row *row = &memory->rows[i];

		to->on_row(
		    to->arg, row->agent, row->at_ms, row->received_ms, row->bytes, row->count);
	}
	for (size_t i = 0; to->on_finding != NULL && i < memory->finding_count; i++)
		to->on_finding(to->arg, &memory->findings[i].finding);
	for (size_t i = 0; to->on_batch != NULL && i < memory->batch_count; i++)
		to->on_batch(to->arg, &memory->batches[i].batch);
	for (size_t i = 0; to->on_document != NULL && i < memory->document_count; i++)
		to->on_document(to->arg, &memory->documents[i].document);
	if (to->on_newest != NULL && memory->batch_count > 0) {
		struct store_mark newest = find_newest(memory);

		to->on_newest(to->arg, &newest);
	}
	return true;
}

static bool
check_memory(struct store *store, struct err *err)
{
	struct memory *memory = (struct memory *)store;

	for (size_t i = 0; i < memory->batch_count; i++) {
		const struct store_batch *batch = &memory->batches[i].batch;
		uint8_t                   digest[DIGEST_BYTES];

		digest_sha256(batch->body, batch->body_bytes, digest);
		if (!digest_equal(digest, batch->digest, DIGEST_BYTES))
			return err_set(err, ERR_STORE,
			    "batch %u of %s is not what was received", batch->seq,
			    batch->agent);
	}
	return true;
}

const struct store_ops store_memory = {
	.scheme = "memory",
	.open = open_memory,
	.close = close_memory,
	.append = append_memory,
	.put = put_memory,
	.keep = keep_memory,
	.expire = expire_memory,
	.load = load_memory,
	.check = check_memory,
};
