#include "agent/spool_list.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

static bool
is_before(const struct spool_batch *left, const struct spool_batch *right)
{
	if (left->order != right->order)
		return left->order < right->order;
	if (left->created_ms != right->created_ms)
		return left->created_ms < right->created_ms;
	if (left->epoch != right->epoch)
		return left->epoch < right->epoch;
	return left->seq < right->seq;
}

void
spool_list_insert(struct spool *spool, const struct spool_batch *batch)
{
	size_t at = spool->count;

	if (spool->count == spool->room) {
		spool->room = spool->room * 2 + 16;
		spool->batches = mem_grow(spool->batches, spool->room, sizeof(*spool->batches));
	}
	while (at > 0 && is_before(batch, &spool->batches[at - 1]))
		at--;
	memmove(
	    &spool->batches[at + 1], &spool->batches[at], (spool->count - at) * sizeof(*batch));
	spool->batches[at] = *batch;
	spool->count++;
	spool->stats.bytes += batch->bytes;
	if (batch->memory != NULL)
		spool->memory_bytes += batch->bytes;
}

struct spool_batch *
spool_list_find(const struct spool *spool, uint64_t epoch, uint32_t seq)
{
	for (size_t i = 0; i < spool->count; i++) {
		if (spool->batches[i].seq == seq && spool->batches[i].epoch == epoch)
			return &spool->batches[i];
	}
	return NULL;
}

/* Forgets it, and frees what it holds in memory; files are the caller's matter. */
void
spool_list_remove(struct spool *spool, struct spool_batch *batch)
{
	size_t at = (size_t)(batch - spool->batches);

	spool->stats.bytes -= batch->bytes;
	if (batch->memory != NULL)
		spool->memory_bytes -= batch->bytes;
	free(batch->memory);
	spool->count--;
	memmove(batch, batch + 1, (spool->count - at) * sizeof(*batch));
}

void
spool_list_unlink_leftover(struct spool *spool, const struct spool_leftover *leftover)
{
	char name[SPOOL_NAME];

	if (leftover->seq == 0)
		return;
	spool_dir_unlink(
	    &spool->dir, spool_dir_open_name(name, leftover->epoch, leftover->seq));
	spool_dir_unlink(&spool->dir,
	    spool_dir_seal_name(name, leftover->epoch, leftover->seq, leftover->records));
}

void
spool_list_unlink(struct spool *spool, struct spool_batch *batch)
{
	char name[SPOOL_NAME];

	/* No sync of the folder: a file that comes back is a repeat, and the collector knows. */
	if (batch->memory == NULL)
		spool_dir_unlink(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records));
	spool_list_unlink_leftover(spool, &batch->leftover);
	spool_list_remove(spool, batch);
}
