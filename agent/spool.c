#include "agent/spool.h"

#include "agent/gaps.h"
#include "agent/spool_io.h"
#include "agent/spool_list.h"
#include "agent/spool_loss.h"
#include "agent/spool_recover.h"
#include "base/arena.h"
#include "base/digest.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEAL_BYTES_PRESET = 64 << 10, FILES_PRESET = 4096 };

#define AREA "spool"

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
	spool_loss_say(spool, &moved);
	spool->inside = inside;
}

void
spool_body_sync(struct spool *spool)
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

/* What an earlier agent left, while nothing can be appended yet. */
struct findings {
	struct spool *spool;
	struct gaps  *gaps;
};

static void
on_found(void *arg, const struct spool_batch *batch)
{
	struct findings *findings = arg;

	if (spool_list_find(findings->spool, batch->epoch, batch->seq) == NULL)
		spool_list_insert(findings->spool, batch);
}

static void
on_torn(void *arg, uint64_t epoch, uint32_t seq, unsigned records)
{
	struct findings         *findings = arg;
	const struct spool_batch batch = { .epoch = epoch, .seq = seq, .records = records };
	struct gap               gap = spool_loss_gap(findings->spool, &batch, "damaged");

	spool_loss_count(findings->spool, &gap);
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
	if (!made && full && (emptied = spool_loss_make_room(spool, gaps)) != NULL) {
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
	spool_loss_say_all(spool, &gaps);
	if (emptied != NULL && open->fd >= 0)
		spool_list_unlink(spool, emptied);
	else if (emptied != NULL) /* the file stays: it says so if memory is lost */
		spool_list_remove(spool, emptied);
	spool_loss_keep_bounds(spool);
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
		spool_body_sync(spool);
	if (!spool->inside &&
	    (open->payload.count >= spool->options.seal_bytes ||
	        open->records >= SEGMENT_RECORDS_MAX))
		spool_seal(spool);
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
	spool_list_insert(spool, &batch);
	spool_loss_keep_memory(spool);
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
		spool_body_sync(spool);
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

void
spool_body_epoch(struct spool *spool)
{
	do
		digest_random(&spool->epoch, sizeof(spool->epoch));
	while (spool->epoch == 0);
	spool->next_seq = 1;
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
	spool_body_epoch(spool);
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
	spool_loss_say_all(spool, &gaps);
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
