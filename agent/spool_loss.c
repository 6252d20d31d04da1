#include "agent/spool_loss.h"

#include "agent/spool_file.h"
#include "agent/spool_list.h"
#include "base/log.h"
#include "proto/encode.h"

#include <string.h>

enum {
	MEMORY_BYTES_MAX = 1 << 20, /* of batches that the disk did not take */
	SUSPECT_FACTOR = 10         /* older than so many times the limit: the clock jumped */
};

#define AREA "spool"

static const char *const loss_names[SPOOL_LOSSES] = {
	[SPOOL_LOST_BYTES] = "spool-bytes",
	[SPOOL_LOST_FILES] = "spool-files",
	[SPOOL_LOST_AGE] = "spool-age",
	[SPOOL_LOST_DISK] = "disk-full",
	[SPOOL_LOST_REJECTED] = "rejected",
	[SPOOL_LOST_DAMAGED] = "damaged",
};

const char *
spool_loss_name(enum spool_loss loss)
{
	return loss_names[loss];
}

void
spool_loss_count(struct spool *spool, const struct gap *gap)
{
	spool->stats.dropped += gap->records;
	for (int i = 0; i < SPOOL_LOSSES; i++) {
		if (strcmp(loss_names[i], gap->reason) == 0)
			spool->stats.lost[i] += gap->records;
	}
}

void
spool_loss_say(struct spool *spool, const struct gap *gap)
{
	struct record record = { .gap = (struct gap *)gap };
	struct wbuf   out;

	wbuf_init(&out);
	encode_message(&record_desc, &record, &out);
	spool_append(spool, out.bytes, out.count);
	wbuf_fini(&out);
}

struct gap
spool_loss_gap(const struct spool *spool, const struct spool_batch *batch, const char *reason)
{
	return (struct gap){ .epoch = batch->epoch,
		.first_seq = batch->seq,
		.last_seq = batch->seq,
		.records = batch->records,
		.reason = reason,
		.at_ms = clock_wall_ms(spool->options.clock) };
}

/* A batch is about to be lost: it is declared, and what it declares itself is carried on. */
void
spool_loss_declare(
    struct spool *spool, const struct spool_batch *batch, const char *reason, struct gaps *gaps)
{
	struct gap          gap = spool_loss_gap(spool, batch, reason);
	struct segment_head head;
	struct wbuf         file, records;

	wbuf_init(&file);
	wbuf_init(&records);
	if (batch->memory != NULL)
		wbuf_put(&records, batch->memory, batch->bytes);
	else if (spool_file_load(&spool->dir, batch, &head, &file, NULL) &&
	    segment_scan(&head, file.bytes, file.count, &records).records != batch->records)
		wbuf_clear(&records);
	if (records.count > 0)
		gap.records -= gaps_add_from(
		    gaps, records.bytes, records.count, batch->records);
	gaps_add(gaps, &gap);
	spool_loss_count(spool, &gap);
	wbuf_fini(&records);
	wbuf_fini(&file);
}

/* They are on disk when it returns, if the disk takes anything. */
void
spool_loss_say_all(struct spool *spool, struct gaps *gaps)
{
	for (size_t i = 0; i < gaps->count; i++)
		spool_loss_say(spool, &gaps->rows[i]);
	gaps_fini(gaps);
	spool_body_sync(spool);
}

static uint64_t
disk_bytes(const struct spool *spool)
{
	return spool->stats.bytes - spool->memory_bytes;
}

/* Why the oldest batch must go, "" when it may stay. */
static const char *
find_excess(const struct spool *spool, uint64_t freed, size_t gone)
{
	const struct spool_batch *oldest = &spool->batches[gone];
	int64_t age_ms = clock_wall_ms(spool->options.clock) - oldest->created_ms;

	if (disk_bytes(spool) - freed + spool->options.seal_bytes >
	    (uint64_t)spool->options.limit_bytes)
		return "spool-bytes";
	if (spool->count - gone + 1 > spool->options.files_max)
		return "spool-files";
	if (age_ms > spool->options.age_ms && age_ms / SUSPECT_FACTOR < spool->options.age_ms)
		return "spool-age";
	/* No more than we are about to write: somebody else may be filling the disk. */
	if (freed < spool->options.seal_bytes && spool_dir_is_low(&spool->dir))
		return "disk-full";
	return "";
}

/* The gap records are on disk before what they speak of is deleted.  A disk that takes none keeps
 * what it has: it does not grow. */
void
spool_loss_keep_bounds(struct spool *spool)
{
	struct gaps gaps;
	uint64_t    freed = 0;
	size_t      gone = 0;

	if (spool->open.fd < 0)
		return;
	gaps_init(&gaps);
	for (; gone < spool->count; gone++) {
		const struct spool_batch *batch = &spool->batches[gone];
		const char               *reason = find_excess(spool, freed, gone);

		if (reason[0] == '\0')
			break;
		spool_loss_declare(spool, batch, reason, &gaps);
		freed += batch->memory == NULL ? batch->bytes : 0;
	}
	spool_loss_say_all(spool, &gaps);
	if (spool->open.fd < 0)
		return;
	if (gone > 0)
		log_warn(AREA, "%s: over its bounds; %zu oldest batches dropped, %s",
		    spool->dir.path, gone, "spool continues");
	for (; gone > 0; gone--)
		spool_list_unlink(spool, &spool->batches[0]);
}

/* The disk is full, and without room not even the gap record could be written.  So the oldest is
 * emptied, which a crash cannot hide, since its name says what it held; it is deleted when it is
 * declared. */
struct spool_batch *
spool_loss_make_room(struct spool *spool, struct gaps *gaps)
{
	char name[SPOOL_NAME];

	for (size_t i = 0; i < spool->count; i++) {
		struct spool_batch *batch = &spool->batches[i];

		if (batch->memory != NULL)
			continue;
		spool_loss_declare(spool, batch, "disk-full", gaps);
		spool_dir_cut(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records), 0);
		return batch;
	}
	return NULL;
}

/* Batches that the disk did not take are bounded too. */
void
spool_loss_keep_memory(struct spool *spool)
{
	struct gaps gaps;

	if (spool->memory_bytes <= MEMORY_BYTES_MAX)
		return;
	gaps_init(&gaps);
	for (size_t i = 0; i < spool->count && spool->memory_bytes > MEMORY_BYTES_MAX;) {
		if (spool->batches[i].memory == NULL) {
			i++;
			continue;
		}
		spool_loss_declare(spool, &spool->batches[i], "disk-full", &gaps);
		spool_list_unlink(spool, &spool->batches[i]);
	}
	spool_loss_say_all(spool, &gaps);
}

/* Declares a batch as lost; the batch, which append may have moved, NULL when it is gone. */
static struct spool_batch *
declare_one(struct spool *spool, const struct spool_batch *batch, const char *reason)
{
	uint64_t    epoch = batch->epoch;
	uint32_t    seq = batch->seq;
	struct gaps gaps;

	gaps_init(&gaps);
	spool_loss_declare(spool, batch, reason, &gaps);
	spool_loss_say_all(spool, &gaps);
	return spool_list_find(spool, epoch, seq);
}

void
spool_loss_set_aside(struct spool *spool, struct spool_batch *batch, const char *reason)
{
	char name[SPOOL_NAME];

	spool->stats.set_aside++;
	batch = declare_one(spool, batch, reason);
	if (batch == NULL)
		return;
	if (batch->memory == NULL)
		spool_dir_set_aside(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records));
	spool_list_unlink_leftover(spool, &batch->leftover);
	spool_list_remove(spool, batch);
}

void
spool_rejected(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = spool_list_find(spool, epoch, seq);

	if (batch != NULL)
		spool_loss_set_aside(spool, batch, "rejected");
}

void
spool_expired(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = spool_list_find(spool, epoch, seq);

	if (batch != NULL)
		batch = declare_one(spool, batch, "spool-age");
	if (batch != NULL)
		spool_list_unlink(spool, batch);
}
