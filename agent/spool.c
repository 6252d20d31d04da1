#include "agent/spool.h"

#include "agent/gaps.h"
#include "agent/spool_file.h"
#include "agent/spool_io.h"
#include "agent/spool_recover.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/log.h"
#include "proto/encode.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEAL_BYTES_PRESET = 64 << 10,
	FILES_PRESET = 4096,
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

/* The segment that is written now. */
struct open_segment {
	struct segment_head head;
	int                 fd;      /* -1: in memory only */
	struct wbuf         payload; /* the records; kept until sealed, for a disk that fails */
	size_t              bytes;   /* of the file */
	unsigned            records;
	int64_t             begun_us; /* monotonic */
	int64_t             dirty_us; /* first unsynced write; -1: all is synced */
	bool                begun;
	struct spool_leftover leftover; /* of the file that was given up */
};

struct spool {
	struct spool_options options; /* strings owned */
	struct spool_dir     dir;
	uint64_t             epoch, agent_hash;
	uint32_t             next_seq;
	uint64_t             last_order;
	struct open_segment  open;
	struct spool_batch  *batches; /* sealed, in order */
	size_t               count, room;
	struct spool_stats   stats; /* bytes: of sealed ones */
	uint64_t             memory_bytes;
	bool unrecovered; /* a file of an earlier agent could not be recovered yet */
	bool inside;      /* a change is half done: nothing is sealed now */
};

const char *
spool_loss_name(enum spool_loss loss)
{
	return loss_names[loss];
}

static void
count_lost(struct spool *spool, const struct gap *gap)
{
	spool->stats.dropped += gap->records;
	for (int i = 0; i < SPOOL_LOSSES; i++) {
		if (strcmp(loss_names[i], gap->reason) == 0)
			spool->stats.lost[i] += gap->records;
	}
}

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

static void
insert_batch(struct spool *spool, const struct spool_batch *batch)
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

static struct spool_batch *
find_batch(const struct spool *spool, uint64_t epoch, uint32_t seq)
{
	for (size_t i = 0; i < spool->count; i++) {
		if (spool->batches[i].seq == seq && spool->batches[i].epoch == epoch)
			return &spool->batches[i];
	}
	return NULL;
}

/* Forgets it, and frees what it holds in memory; files are the caller's matter. */
static void
remove_batch(struct spool *spool, struct spool_batch *batch)
{
	size_t at = (size_t)(batch - spool->batches);

	spool->stats.bytes -= batch->bytes;
	if (batch->memory != NULL)
		spool->memory_bytes -= batch->bytes;
	free(batch->memory);
	spool->count--;
	memmove(batch, batch + 1, (spool->count - at) * sizeof(*batch));
}

static void
unlink_leftover(struct spool *spool, const struct spool_leftover *leftover)
{
	char name[SPOOL_NAME];

	if (leftover->seq == 0)
		return;
	spool_dir_unlink(
	    &spool->dir, spool_dir_open_name(name, leftover->epoch, leftover->seq));
	spool_dir_unlink(&spool->dir,
	    spool_dir_seal_name(name, leftover->epoch, leftover->seq, leftover->records));
}

static void
unlink_batch(struct spool *spool, struct spool_batch *batch)
{
	char name[SPOOL_NAME];

	/* No sync of the folder: a file that comes back is a repeat, and the collector knows. */
	if (batch->memory == NULL)
		spool_dir_unlink(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records));
	unlink_leftover(spool, &batch->leftover);
	remove_batch(spool, batch);
}

static void
append_gap(struct spool *spool, const struct gap *gap)
{
	struct record record = { .gap = (struct gap *)gap };
	struct wbuf   out;

	wbuf_init(&out);
	encode_message(&record_desc, &record, &out);
	spool_append(spool, out.bytes, out.count);
	wbuf_fini(&out);
}

static void sync_open(struct spool *spool);

static struct gap
gap_of(const struct spool *spool, const struct spool_batch *batch, const char *reason)
{
	return (struct gap){ .epoch = batch->epoch,
		.first_seq = batch->seq,
		.last_seq = batch->seq,
		.records = batch->records,
		.reason = reason,
		.at_ms = clock_wall_ms(spool->options.clock) };
}

/* A batch is about to be lost: it is declared, and what it declares itself is carried on. */
static void
declare(
    struct spool *spool, const struct spool_batch *batch, const char *reason, struct gaps *gaps)
{
	struct gap          gap = gap_of(spool, batch, reason);
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
	count_lost(spool, &gap);
	wbuf_fini(&records);
	wbuf_fini(&file);
}

/* They are on disk when it returns, if the disk takes anything. */
static void
append_gaps(struct spool *spool, struct gaps *gaps)
{
	for (size_t i = 0; i < gaps->count; i++)
		append_gap(spool, &gaps->rows[i]);
	gaps_fini(gaps);
	sync_open(spool);
}

/* The disk does not take the open segment: what it holds goes on in memory under a new number,
 * since part of it may be in the file and come back with the old one.  The file stays for that
 * case, and the collector is told that the old number is the new one's beginning. */
static void
abandon_file(struct spool *spool, const char *what)
{
	struct open_segment *open = &spool->open;
	struct gap           moved = { .epoch = open->head.epoch,
		          .first_seq = open->head.seq,
		          .last_seq = open->head.seq,
		          .reason = GAP_MOVED,
		          .at_ms = clock_wall_ms(spool->options.clock) };
	bool                 inside = spool->inside;

	log_warn(AREA, "%s: %s: %s; results go on in memory", spool->dir.path, what,
	    strerror(errno));
	spool->stats.degraded = true;
	spool_dir_shut(&open->fd);
	open->dirty_us = -1;
	open->leftover = (struct spool_leftover){ open->head.epoch, open->head.seq,
		open->records };
	open->head.seq = spool->next_seq++;
	spool->inside = true;
	append_gap(spool, &moved);
	spool->inside = inside;
}

static void
sync_open(struct spool *spool)
{
	struct open_segment *open = &spool->open;

	if (open->fd < 0 || open->dirty_us < 0)
		return;
	open->dirty_us = -1;
	if (spool_io_sync(open->fd) != 0)
		abandon_file(spool, "cannot sync");
}

/* A segment whose file cannot be made; tells whether making room may help. */
static bool
create_file(struct spool *spool, bool *full)
{
	struct open_segment *open = &spool->open;
	struct wbuf          head;
	char                 name[SPOOL_NAME];
	bool                 made;
	int                  cause;

	spool_dir_open_name(name, open->head.epoch, open->head.seq);
	open->fd = spool_dir_create(&spool->dir, name, spool->options.seal_bytes);
	*full = open->fd < 0 && (errno == ENOSPC || errno == EDQUOT);
	if (open->fd < 0)
		return false;
	wbuf_init(&head);
	segment_head_write(&open->head, &head);
	made = spool_dir_write(open->fd, head.bytes, head.count) &&
	    spool_io_sync(open->fd) == 0 && spool_dir_sync(&spool->dir);
	wbuf_fini(&head);
	if (made) {
		open->bytes = SEGMENT_HEAD_BYTES;
		return true;
	}
	*full = errno == ENOSPC || errno == EDQUOT;
	cause = errno;
	spool_dir_shut(&open->fd);
	spool_dir_unlink(&spool->dir, name);
	errno = cause;
	return false;
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
static void
keep_bounds(struct spool *spool)
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
		declare(spool, batch, reason, &gaps);
		freed += batch->memory == NULL ? batch->bytes : 0;
	}
	append_gaps(spool, &gaps);
	if (spool->open.fd < 0)
		return;
	if (gone > 0)
		log_warn(AREA, "%s: over its bounds; %zu oldest batches dropped, %s",
		    spool->dir.path, gone, "spool continues");
	for (; gone > 0; gone--)
		unlink_batch(spool, &spool->batches[0]);
}

/* What an earlier agent left, while nothing can be appended yet. */
struct findings {
	struct spool *spool;
	struct gaps  *gaps;
};

static void
on_found(void *arg, const struct spool_batch *batch)
{
	struct findings *findings = arg;

	if (find_batch(findings->spool, batch->epoch, batch->seq) == NULL)
		insert_batch(findings->spool, batch);
}

static void
on_torn(void *arg, uint64_t epoch, uint32_t seq, unsigned records)
{
	struct findings         *findings = arg;
	const struct spool_batch batch = { .epoch = epoch, .seq = seq, .records = records };
	struct gap               gap = gap_of(findings->spool, &batch, "damaged");

	count_lost(findings->spool, &gap);
	gaps_add(findings->gaps, &gap);
}

static void
on_left(void *arg)
{
	struct findings *findings = arg;

	findings->spool->unrecovered = true;
}

/* Not while a segment of our own is open: it would be recovered too. */
static bool
find_files(struct spool *spool, struct gaps *gaps, struct err *err)
{
	struct findings          findings = { spool, gaps };
	struct spool_recover_ops ops = { on_found, on_torn, on_left, &findings };

	spool->unrecovered = false;
	if (spool_recover(&spool->dir, &ops, err))
		return true;
	spool->dir.cause = errno;
	return false;
}

/* The disk is full, and without room not even the gap record could be written.  So the oldest is
 * emptied, which a crash cannot hide, since its name says what it held; it is deleted when it is
 * declared. */
static struct spool_batch *
make_room(struct spool *spool, struct gaps *gaps)
{
	char name[SPOOL_NAME];

	for (size_t i = 0; i < spool->count; i++) {
		struct spool_batch *batch = &spool->batches[i];

		if (batch->memory != NULL)
			continue;
		declare(spool, batch, "disk-full", gaps);
		spool_dir_cut(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records), 0);
		return batch;
	}
	return NULL;
}

/* What can be done about a file that cannot be made: the batch that was emptied for it, or NULL.
 */
static struct spool_batch *
create_somehow(struct spool *spool, struct gaps *gaps)
{
	struct open_segment *open = &spool->open;
	struct spool_batch  *emptied = NULL;
	bool                 full, made = create_file(spool, &full);
	int                  cause = errno;

	if (!made && !full && spool_dir_renew(&spool->dir)) {
		log_warn(AREA, "%s: made anew", spool->dir.path);
		if (!find_files(spool, gaps, NULL))
			log_warn(AREA, "%s: cannot be listed", spool->dir.path);
		made = create_file(spool, &full);
		cause = errno;
	}
	if (!made && full && (emptied = make_room(spool, gaps)) != NULL) {
		made = create_file(spool, &full);
		cause = errno;
	}
	if (!made && !spool->stats.degraded)
		log_warn(AREA, "%s: cannot write: %s; results go on in memory", spool->dir.path,
		    strerror(cause));
	else if (made && spool->stats.degraded)
		log_info(AREA, "%s: can be written again", spool->dir.path);
	spool->stats.degraded = !made;
	assert(made == (open->fd >= 0));
	return emptied;
}

static void
begin_segment(struct spool *spool)
{
	struct open_segment *open = &spool->open;
	struct spool_batch  *emptied;
	struct gaps          gaps;

	open->head = (struct segment_head){ .epoch = spool->epoch,
		.seq = spool->next_seq++,
		.schema = PROTO_VERSION,
		.created_ms = clock_wall_ms(spool->options.clock),
		.boot_ns = (uint64_t)clock_boot_ns(spool->options.clock),
		.agent_hash = spool->agent_hash };
	open->records = 0;
	open->bytes = 0;
	open->begun = true;
	open->begun_us = clock_mono_us(spool->options.clock);
	open->dirty_us = -1;
	open->leftover = (struct spool_leftover){ 0 };
	gaps_init(&gaps);
	spool->inside = true;
	/* Not while what is in memory has leftovers: they are not to be sent before it. */
	if (spool->unrecovered && spool->memory_bytes == 0 && !find_files(spool, &gaps, NULL))
		spool->unrecovered = true;
	emptied = create_somehow(spool, &gaps);
	append_gaps(spool, &gaps);
	if (emptied != NULL && open->fd >= 0)
		unlink_batch(spool, emptied);
	else if (emptied != NULL) /* the file stays: it says so if memory is lost */
		remove_batch(spool, emptied);
	keep_bounds(spool);
	spool->inside = false;
}

static void
write_record(struct spool *spool, const void *bytes, size_t count)
{
	struct open_segment *open = &spool->open;
	struct wbuf          frame;
	bool                 written;

	wbuf_init(&frame);
	segment_record_write(&open->head, bytes, count, &frame);
	written = spool_dir_write(open->fd, frame.bytes, frame.count);
	if (written) {
		open->bytes += frame.count;
		if (open->dirty_us < 0)
			open->dirty_us = clock_mono_us(spool->options.clock);
	}
	wbuf_fini(&frame);
	if (!written)
		abandon_file(spool, "cannot write");
}

void
spool_append(struct spool *spool, const void *bytes, size_t count)
{
	struct open_segment *open = &spool->open;

	assert(count > 0 && count <= SEGMENT_RECORD_MAX);
	/* Else a large one would make a batch that the collector does not take. */
	if (!spool->inside && open->begun &&
	    open->payload.count + count > 2 * spool->options.seal_bytes)
		spool_seal(spool);
	if (!open->begun)
		begin_segment(spool);
	/* First into memory: if the file fails now, this record goes with the others. */
	wbuf_put(&open->payload, bytes, count);
	open->records++;
	if (open->fd >= 0)
		write_record(spool, bytes, count);
	if (spool->options.flush_ms == 0)
		sync_open(spool);
	if (!spool->inside &&
	    (open->payload.count >= spool->options.seal_bytes ||
	        open->records >= SEGMENT_RECORDS_MAX))
		spool_seal(spool);
}

/* Batches that the disk did not take are bounded too. */
static void
keep_memory_bound(struct spool *spool)
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
		declare(spool, &spool->batches[i], "disk-full", &gaps);
		unlink_batch(spool, &spool->batches[i]);
	}
	append_gaps(spool, &gaps);
}

/* Closes the file under its sealed name; false when that failed. */
static bool
seal_file(struct spool *spool)
{
	struct open_segment *open = &spool->open;
	char                 from[SPOOL_NAME], to[SPOOL_NAME];

	/* Gives back the room that was set aside. */
	if (spool_io_truncate(open->fd, open->bytes) != 0 || spool_io_sync(open->fd) != 0)
		return false;
	spool_dir_open_name(from, open->head.epoch, open->head.seq);
	spool_dir_seal_name(to, open->head.epoch, open->head.seq, open->records);
	if (!spool_dir_rename(&spool->dir, from, to))
		return false;
	/* Not sent before its name is on disk: else it could be sealed once more, shorter. */
	if (!spool_dir_sync(&spool->dir))
		return false;
	spool_dir_shut(&open->fd);
	return true;
}

void
spool_seal(struct spool *spool)
{
	struct open_segment *open = &spool->open;
	struct spool_batch   batch;
	bool                 sealed;

	if (!open->begun || open->records == 0)
		return;
	sealed = open->fd >= 0 && seal_file(spool);
	if (open->fd >= 0)
		abandon_file(spool, "cannot seal");
	batch = (struct spool_batch){ .epoch = open->head.epoch,
		.seq = open->head.seq,
		.records = open->records,
		.created_ms = open->head.created_ms,
		.order = ++spool->last_order,
		.boot_ns = open->head.boot_ns,
		.leftover = open->leftover,
		.bytes = sealed ? open->bytes : open->payload.count };
	if (!sealed)
		batch.memory = (uint8_t *)wbuf_take(&open->payload);
	wbuf_clear(&open->payload);
	open->begun = false;
	insert_batch(spool, &batch);
	keep_memory_bound(spool);
}

void
spool_tick(struct spool *spool)
{
	struct open_segment *open = &spool->open;
	int64_t              now_us = clock_mono_us(spool->options.clock);

	if (!open->begun)
		return;
	if (now_us - open->begun_us >= spool->options.seal_age_ms * US_PER_MS)
		spool_seal(spool);
	else if (open->dirty_us >= 0 &&
	    now_us - open->dirty_us >= spool->options.flush_ms * US_PER_MS)
		sync_open(spool);
}

int64_t
spool_wait_ms(const struct spool *spool)
{
	const struct open_segment *open = &spool->open;
	int64_t                    now_us = clock_mono_us(spool->options.clock);
	int64_t due_us = open->begun_us + spool->options.seal_age_ms * US_PER_MS;
	int64_t flush_us = open->dirty_us + spool->options.flush_ms * US_PER_MS;

	if (!open->begun)
		return -1;
	if (open->dirty_us >= 0 && flush_us < due_us)
		due_us = flush_us;
	return due_us > now_us ? (due_us - now_us) / US_PER_MS + 1 : 0;
}

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
	return find_batch(spool, epoch, seq);
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

/* Declares a batch as lost; the batch, which append may have moved, NULL when it is gone. */
static struct spool_batch *
declare_one(struct spool *spool, const struct spool_batch *batch, const char *reason)
{
	uint64_t    epoch = batch->epoch;
	uint32_t    seq = batch->seq;
	struct gaps gaps;

	gaps_init(&gaps);
	declare(spool, batch, reason, &gaps);
	append_gaps(spool, &gaps);
	return find_batch(spool, epoch, seq);
}

static void
set_aside(struct spool *spool, struct spool_batch *batch, const char *reason)
{
	char name[SPOOL_NAME];

	spool->stats.set_aside++;
	batch = declare_one(spool, batch, reason);
	if (batch == NULL)
		return;
	if (batch->memory == NULL)
		spool_dir_set_aside(&spool->dir,
		    spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records));
	unlink_leftover(spool, &batch->leftover);
	remove_batch(spool, batch);
}

/* Bits have rotted: what is sound stays under its id, and is marked, because the collector may
 * have the whole of it already.  What is not is declared before the file says so no more. */
static bool
salvage(struct spool *spool, uint64_t epoch, uint32_t seq, const struct segment_head *head,
    const struct wbuf *file)
{
	struct spool_batch *batch = find_batch(spool, epoch, seq);
	struct segment_scan scan = segment_scan(head, file->bytes, file->count, NULL);
	struct segment_head marked = *head;
	struct gap          gap = gap_of(spool, batch, "damaged");
	struct gaps         gaps;
	char                from[SPOOL_NAME], to[SPOOL_NAME];

	spool_dir_seal_name(from, epoch, seq, batch->records);
	spool_dir_seal_name(to, epoch, seq, scan.records);
	log_warn(AREA, "%s: damaged; %u of %u records are sound and go on", from, scan.records,
	    batch->records);
	gap.records = batch->records > scan.records ? batch->records - scan.records : 0;
	gaps_init(&gaps);
	gaps_add(&gaps, &gap);
	append_gaps(spool, &gaps);
	batch = find_batch(spool, epoch, seq);
	marked.flags |= SEGMENT_SALVAGED;
	if (batch == NULL || !spool_file_replace(&spool->dir, head, file, &marked, from, to))
		return false;
	count_lost(spool, &gap);
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
	if (find_batch(spool, head->epoch, head->seq) != NULL ||
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
	struct spool_batch *batch = find_batch(spool, copy->epoch, copy->seq);
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
	*copy = *find_batch(spool, copy->epoch, copy->seq);
	return SPOOL_LOADED;
}

enum spool_load
spool_load(struct spool *spool, struct spool_batch *copy, struct wbuf *records)
{
	struct spool_batch *batch = find_batch(spool, copy->epoch, copy->seq);
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
	batch = find_batch(spool, copy->epoch, copy->seq);
	if (loaded == SPOOL_LOST && batch != NULL)
		set_aside(spool, batch, "damaged");
	return loaded;
}

void
spool_delivered(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = find_batch(spool, epoch, seq);

	if (batch != NULL)
		unlink_batch(spool, batch);
}

void
spool_rejected(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = find_batch(spool, epoch, seq);

	if (batch != NULL)
		set_aside(spool, batch, "rejected");
}

void
spool_expired(struct spool *spool, uint64_t epoch, uint32_t seq)
{
	struct spool_batch *batch = find_batch(spool, epoch, seq);

	if (batch != NULL)
		batch = declare_one(spool, batch, "spool-age");
	if (batch != NULL)
		unlink_batch(spool, batch);
}

static void
begin_epoch(struct spool *spool)
{
	do
		digest_random(&spool->epoch, sizeof(spool->epoch));
	while (spool->epoch == 0);
	spool->next_seq = 1;
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
	struct spool_batch *batch = find_batch(spool, epoch, seq);
	uint32_t            fresh;

	if (batch == NULL)
		return;
	if (batch->salvaged) { /* what is stored is the whole of what we have a part of */
		unlink_batch(spool, batch);
		return;
	}
	spool->stats.conflicts++;
	if (epoch == spool->epoch) {
		spool_seal(spool);
		begin_epoch(spool);
		batch = find_batch(spool, epoch, seq);
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

static void
take_options(struct spool *spool, const struct spool_options *options)
{
	uint8_t digest[DIGEST_BYTES];

	spool->options = *options;
	spool->options.dir = mem_strdup(options->dir);
	spool->options.agent = mem_strdup(options->agent);
	if (spool->options.seal_bytes == 0)
		spool->options.seal_bytes = SEAL_BYTES_PRESET;
	if (spool->options.files_max == 0)
		spool->options.files_max = FILES_PRESET;
	digest_sha256(options->agent, strlen(options->agent), digest);
	memcpy(&spool->agent_hash, digest, sizeof(spool->agent_hash));
	spool->open.fd = -1;
	wbuf_init(&spool->open.payload);
}

struct spool *
spool_open(const struct spool_options *options, struct err *err)
{
	struct spool *spool = mem_alloc(sizeof(*spool));
	struct gaps   gaps;
	bool          opened;

	gaps_init(&gaps);
	take_options(spool, options);
	begin_epoch(spool);
	opened = spool_dir_open(&spool->dir, options->dir, err) &&
	    find_files(spool, &gaps, err);
	if (!opened && !spool_dir_is_sick(spool->dir.cause)) {
		gaps_fini(&gaps);
		spool_close(spool);
		return NULL;
	}
	if (!opened)
		log_warn(AREA, "%s: %s; results go on in memory, and the disk is tried again",
		    options->dir, strerror(spool->dir.cause));
	spool->stats.degraded = !opened;
	append_gaps(spool, &gaps);
	return spool;
}

void
spool_close(struct spool *spool)
{
	if (spool == NULL)
		return;
	spool_dir_shut(&spool->open.fd);
	wbuf_fini(&spool->open.payload);
	spool_dir_close(&spool->dir);
	for (size_t i = 0; i < spool->count; i++)
		free(spool->batches[i].memory);
	free(spool->batches);
	free((char *)spool->options.dir);
	free((char *)spool->options.agent);
	free(spool);
}

struct spool_stats
spool_stats(const struct spool *spool)
{
	struct spool_stats stats = spool->stats;

	stats.bytes += spool->open.begun ? spool->open.bytes : 0;
	stats.files = (unsigned)spool->count;
	stats.degraded = stats.degraded || spool->memory_bytes > 0;
	stats.records = spool->open.begun ? spool->open.records : 0;
	for (size_t i = 0; i < spool->count; i++)
		stats.records += spool->batches[i].records;
	return stats;
}
