#include "collector/past.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

/* What recalls stand below; no file of it is ever looked at. */
static const char folder[] = "accounts_dir";

struct version {
	const char       *id;
	const uint8_t    *bytes;
	size_t            count;
	int64_t           seen_ms;
	struct store_mark after;
	size_t            behind; /* so many batches; SIZE_MAX: not known yet */
};

struct past {
	struct documents *documents; /* owned */
	struct arena     *arena;     /* owned; holds what versions say */
	struct version   *versions;  /* owned; in the order of their storing */
	struct version  **by_mark; /* owned; those behind a batch that is named, by its name */
	size_t            count, named, next;
	size_t            batches; /* seen while loading; later, judged */
};

struct past *
past_new(void)
{
	struct past *past = mem_alloc(sizeof(*past));

	past->documents = documents_new(folder);
	past->arena = arena_new();
	return past;
}

void
past_free(struct past *past)
{
	if (past == NULL)
		return;
	documents_free(past->documents);
	arena_free(past->arena);
	free(past->versions);
	free(past->by_mark);
	free(past);
}

const struct documents *
past_documents(const struct past *past)
{
	return past->documents;
}

static void
on_document(void *arg, const struct store_document *document)
{
	struct past    *past = arg;
	struct version *version;

	past->versions = mem_grow(past->versions, past->count + 1, sizeof(*past->versions));
	version = &past->versions[past->count++];
	*version = (struct version){ .id = arena_strdup(past->arena, document->id),
		.count = document->count,
		.seen_ms = document->seen_ms,
		.after = document->after,
		.behind = SIZE_MAX };
	if (document->count > 0)
		version->bytes = (const uint8_t *)arena_strndup(
		    past->arena, (const char *)document->bytes, document->count);
	if (document->after.agent != NULL)
		version->after.agent = arena_strdup(past->arena, document->after.agent);
}

static int
compare_marks(const struct store_mark *a, const struct store_mark *b)
{
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	if (a->epoch != b->epoch)
		return a->epoch < b->epoch ? -1 : 1;
	return strcmp(a->agent, b->agent);
}

static int
compare_named(const void *left, const void *right)
{
	const struct version *const *a = left, *const *b = right;

	return compare_marks(&(*a)->after, &(*b)->after);
}

static void
list_named(struct past *past)
{
	past->by_mark = mem_array(past->count + 1, sizeof(struct version *));
	for (size_t i = 0; i < past->count; i++) {
		if (past->versions[i].after.agent != NULL)
			past->by_mark[past->named++] = &past->versions[i];
	}
	if (past->named > 0)
		qsort(past->by_mark, past->named, sizeof(struct version *), compare_named);
}

/* The first of those that are behind the batch, or where they would stand. */
static size_t
seek_named(const struct past *past, const struct store_mark *mark)
{
	size_t low = 0, high = past->named;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_marks(&past->by_mark[middle]->after, mark) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Finds the place of versions among the batches. */
static void
on_batch(void *arg, const struct store_batch *batch)
{
	struct past      *past = arg;
	struct store_mark mark = { batch->agent, batch->epoch, batch->seq };

	for (size_t i = 0; i < past->count; i++) {
		struct version *version = &past->versions[i];

		if (version->after.agent != NULL)
			break; /* from there on all versions say so */
		if (version->behind == SIZE_MAX && version->seen_ms <= batch->received_ms)
			version->behind = past->batches;
	}
	past->batches++;
	for (size_t i = seek_named(past, &mark);
	     i < past->named && compare_marks(&past->by_mark[i]->after, &mark) == 0; i++)
		past->by_mark[i]->behind = past->batches;
}

/* A batch that is no longer kept was before all that are; and versions stay in their order. */
static void
settle_order(struct past *past)
{
	size_t least = 0;

	for (size_t i = 0; i < past->count; i++) {
		struct version *version = &past->versions[i];

		if (version->behind == SIZE_MAX)
			version->behind = version->after.agent != NULL ? 0 : past->batches;
		if (version->behind < least)
			version->behind = least;
		least = version->behind;
	}
	past->batches = 0;
}

bool
past_load(struct past *past, struct store *store, struct err *err)
{
	struct store_reader versions = { .on_document = on_document, .arg = past };
	struct store_reader batches = { .on_batch = on_batch, .arg = past };

	if (!store_load(store, &versions, err))
		return false;
	list_named(past);
	if (past->count > 0 && !store_load(store, &batches, err))
		return false;
	settle_order(past);
	return true;
}

/* Those that one look at the folder found have one time. */
bool
past_turn(struct past *past)
{
	size_t first = past->next;

	while (past->next < past->count && past->versions[past->next].behind <= past->batches &&
	    past->versions[past->next].behind == past->versions[first].behind &&
	    past->versions[past->next].seen_ms == past->versions[first].seen_ms) {
		const struct version *version = &past->versions[past->next++];

		documents_recall(past->documents, version->id, version->bytes, version->count);
	}
	if (past->next == first)
		return false;
	documents_settle(past->documents);
	return true;
}

void
past_release(struct past *past)
{
	documents_release(past->documents);
}

void
past_step(struct past *past)
{
	past->batches++;
}

void
past_end(struct past *past)
{
	past->batches = SIZE_MAX;
}
