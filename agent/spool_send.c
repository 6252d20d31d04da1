/* What the spool gives to be sent, and what becomes of it: the second half of agent/spool.h. */
#include "agent/spool_file.h"
#include "agent/spool_list.h"
#include "agent/spool_loss.h"
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>

#define AREA "spool"

const struct spool_batch *
spool_oldest(const struct spool *spool)
{
	return spool->count > 0 ? &spool->batches[0] : NULL;
}

const struct spool_batch *
spool_newest(const struct spool *spool)
{
	return spool->count > 0 ? &spool->batches[spool->count - 1] : NULL;
}

const struct spool_batch *
spool_find(const struct spool *spool, uint64_t epoch, uint32_t seq)
{
	return spool_list_find(spool, epoch, seq);
}

size_t
spool_count(const struct spool *spool)
{
	return spool->count;
}

int64_t
spool_age_s(const struct spool *spool, const struct spool_batch *batch)
{
	int64_t now_ns = clock_boot_ns(spool->options.clock);

	return batch->order != 0 ? (now_ns - (int64_t)batch->boot_ns) / 1000000000 : -1;
}

/* Bits have rotted: what is sound stays under its id, and is marked, because the collector may
 * have the whole of it already.  What is not is declared before the file says so no more. */
static bool
salvage(struct spool *spool, uint64_t epoch, uint32_t seq, const struct segment_head *head,
    const struct wbuf *file)
{
	struct spool_batch *batch = spool_list_find(spool, epoch, seq);
	struct segment_scan scan = segment_scan(head, file->bytes, file->count, NULL);
	struct segment_head marked = *head;
	struct gap          gap = spool_loss_gap(spool, batch, "damaged");
	struct gaps         gaps;
	char                from[SPOOL_NAME], to[SPOOL_NAME];

	spool_dir_seal_name(from, epoch, seq, batch->records);
	spool_dir_seal_name(to, epoch, seq, scan.records);
	log_warn(AREA, "%s: damaged; %u of %u records are sound and go on", from, scan.records,
	    batch->records);
	gap.records = batch->records > scan.records ? batch->records - scan.records : 0;
	gaps_init(&gaps);
	gaps_add(&gaps, &gap);
	spool_loss_say_all(spool, &gaps);
	batch = spool_list_find(spool, epoch, seq);
	marked.flags |= SEGMENT_SALVAGED;
	if (batch == NULL || !spool_file_replace(&spool->dir, head, file, &marked, from, to))
		return false;
	spool_loss_count(spool, &gap);
	spool->stats.bytes = spool->stats.bytes - batch->bytes + scan.bytes;
	batch->bytes = scan.bytes;
	batch->records = scan.records;
	batch->salvaged = true;
	return true;
}

/* A new id was given, and the file could not be named after it: it has the new one. */
static bool
adopt_id(struct spool *spool, struct spool_batch *batch, const struct segment_head *head)
{
	char from[SPOOL_NAME], to[SPOOL_NAME];

	if (head->epoch == batch->epoch && head->seq == batch->seq)
		return true;
	if (spool_list_find(spool, head->epoch, head->seq) != NULL ||
	    !spool_dir_rename(&spool->dir,
	        spool_dir_seal_name(from, batch->epoch, batch->seq, batch->records),
	        spool_dir_seal_name(to, head->epoch, head->seq, batch->records)))
		return false;
	batch->epoch = head->epoch;
	batch->seq = head->seq;
	return true;
}

/* From its file; *copy and records only matter when it is SPOOL_LOADED. */
static enum spool_load
load_file(
    struct spool *spool, struct spool_batch *copy, struct wbuf *file, struct wbuf *records)
{
	struct spool_batch *batch = spool_list_find(spool, copy->epoch, copy->seq);
	struct segment_head head;
	struct segment_scan scan;
	struct err          err = { 0 };

	if (!spool_file_load(&spool->dir, batch, &head, file, &err)) {
		if (err.kind == ERR_SYSTEM && spool_dir_is_short(errno))
			return SPOOL_LATER;
		log_warn(AREA, "%s; set aside, spool continues", err.text);
		return SPOOL_LOST;
	}
	if (!adopt_id(spool, batch, &head))
		return SPOOL_LOST;
	copy->epoch = batch->epoch;
	copy->seq = batch->seq;
	scan = segment_scan(&head, file->bytes, file->count, records);
	batch->salvaged = (head.flags & SEGMENT_SALVAGED) != 0;
	if (scan.records != batch->records &&
	    (scan.records == 0 || !salvage(spool, copy->epoch, copy->seq, &head, file)))
		return SPOOL_LOST;
	*copy = *spool_list_find(spool, copy->epoch, copy->seq);
	return SPOOL_LOADED;
}

enum spool_load
spool_load(struct spool *spool, struct spool_batch *copy, struct wbuf *records)
{
	struct spool_batch *batch = spool_list_find(spool, copy->epoch, copy->seq);
	struct wbuf         file;
	enum spool_load     loaded;

	if (batch == NULL)
		return SPOOL_LOST;
	if (batch->memory != NULL) {
		wbuf_put(records, batch->memory, batch->bytes);
		return SPOOL_LOADED;
	}
	wbuf_init(&file);
	loaded = load_file(spool, copy, &file, records);
	wbuf_fini(&file);
	batch = spool_list_find(spool, copy->epoch, copy->seq);
	if (loaded == SPOOL_LOST && batch != NULL)
		spool_loss_set_aside(spool, batch, "damaged");
	return loaded;
}

void
spool_delivered(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = spool_list_find(spool, epoch, seq);

	if (batch != NULL)
		spool_list_unlink(spool, batch);
}

static bool
rewrite_batch(struct spool *spool, const struct spool_batch *batch, uint32_t seq)
{
	struct segment_head head, renamed;
	struct wbuf         file;
	char                from[SPOOL_NAME], to[SPOOL_NAME];
	bool                done = false;

	wbuf_init(&file);
	if (spool_file_load(&spool->dir, batch, &head, &file, NULL)) {
		renamed = head;
		renamed.epoch = spool->epoch;
		renamed.seq = seq;
		spool_dir_seal_name(from, batch->epoch, batch->seq, batch->records);
		spool_dir_seal_name(to, renamed.epoch, renamed.seq, batch->records);
		done = spool_file_replace(&spool->dir, &head, &file, &renamed, from, to);
	}
	wbuf_fini(&file);
	return done;
}

void
spool_conflicted(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = spool_list_find(spool, epoch, seq);
	uint32_t            fresh;

	if (batch == NULL)
		return;
	if (batch->salvaged) { /* what is stored is the whole of what we have a part of */
		spool_list_unlink(spool, batch);
		return;
	}
	spool->stats.conflicts++;
	if (epoch == spool->epoch) {
		spool_seal(spool);
		spool_body_epoch(spool);
		batch = spool_list_find(spool, epoch, seq);
		if (batch == NULL)
			return;
	}
	fresh = spool->next_seq++;
	if (batch->memory == NULL && !rewrite_batch(spool, batch, fresh)) {
		log_warn(AREA,
		    "%016" PRIx64 "-%08" PRIx32 ": cannot be written under a new "
		    "number; tried again later",
		    epoch, seq);
		return;
	}
	batch->epoch = spool->epoch;
	batch->seq = fresh;
	log_warn(AREA,
	    "%016" PRIx64 "-%08" PRIx32 ": the collector has other results under this number; "
	    "was this machine cloned or rolled back? sent again as %016" PRIx64 "-%08" PRIx32,
	    epoch, seq, batch->epoch, batch->seq);
}
