#include "agent/spool_recover.h"

#include "agent/spool_file.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>

#define AREA "spool"

struct recovery {
	const struct spool_dir         *dir;
	const struct spool_recover_ops *ops;
};

/* How many records a tail may have been.  What is nothing but zeroes is a write that a power cut
 * undid: it was not synced, and nobody was promised it. */
static unsigned
count_torn(const uint8_t *bytes, size_t count)
{
	unsigned records = 0;
	size_t   at = 0;

	while (at < count && bytes[at] == 0)
		at++;
	if (at == count)
		return 0;
	for (at = 0; at + SEGMENT_FRAME_BYTES <= count; records++) {
		size_t length = bytes[at] | (size_t)bytes[at + 1] << 8 |
		    (size_t)bytes[at + 2] << 16 | (size_t)bytes[at + 3] << 24;

		if (length == 0 || length > count - at - SEGMENT_FRAME_BYTES)
			break;
		at += SEGMENT_FRAME_BYTES + length;
	}
	return records + (at < count);
}

/* The sound beginning is sealed under its own id.  It is written anew, and not only synced: where a
 * sync of the agent before has failed, the kernel has the bytes in its cache, calls them clean, and
 * the next sync succeeds without having written them. */
static void
seal_again(struct recovery *recovery, const char *name, const struct segment_head *head,
    const struct segment_scan *scan, const struct wbuf *file)
{
	unsigned torn = count_torn(file->bytes + scan->bytes, file->count - scan->bytes);
	char     sealed[SPOOL_NAME];

	spool_dir_seal_name(sealed, head->epoch, head->seq, scan->records);
	if (!spool_file_replace(recovery->dir, head, file, head, name, sealed)) {
		log_warn(AREA, "%s: cannot be recovered now: %s; tried again later", name,
		    strerror(errno));
		recovery->ops->on_left(recovery->ops->arg);
		return;
	}
	log_info(AREA, "%s: %u records recovered", name, scan->records);
	if (torn == 0)
		return;
	log_warn(AREA, "%s: %u records behind them were torn or damaged, and are declared lost",
	    name, torn);
	recovery->ops->on_torn(recovery->ops->arg, head->epoch, head->seq, torn);
}

/* The longest sound beginning of what was open. */
static void
recover_open(struct recovery *recovery, const char *name, uint64_t epoch, uint32_t seq)
{
	struct segment_head head;
	struct segment_scan scan = { 0 };
	struct wbuf         file;
	struct err          err = { 0 };

	wbuf_init(&file);
	if (!spool_dir_read(recovery->dir, name, &file, &err)) {
		log_warn(AREA, "%s; tried again later", err.text);
		recovery->ops->on_left(recovery->ops->arg);
		wbuf_fini(&file);
		return;
	}
	if (segment_head_parse(&head, file.bytes, file.count, &err))
		scan = segment_scan(&head, file.bytes, file.count, NULL);
	if (scan.records > 0) {
		seal_again(recovery, name, &head, &scan, &file);
	} else if (file.count > SEGMENT_HEAD_BYTES) {
		log_warn(AREA, "%s: %s; set aside", name,
		    err.kind != ERR_NONE ? err.text : "no record in it is sound");
		recovery->ops->on_torn(recovery->ops->arg, epoch, seq,
		    count_torn(
		        file.bytes + SEGMENT_HEAD_BYTES, file.count - SEGMENT_HEAD_BYTES));
		spool_dir_set_aside(recovery->dir, name);
	} else {
		spool_dir_unlink(recovery->dir, name);
	}
	wbuf_fini(&file);
}

static void
on_open_file(void *arg, const char *name)
{
	struct recovery *recovery = arg;
	uint64_t         epoch;
	uint32_t         seq;
	unsigned         records;

	switch (spool_dir_parse(name, &epoch, &seq, &records)) {
	case SPOOL_FILE_OPEN: recover_open(recovery, name, epoch, seq); break;
	case SPOOL_FILE_TEMPORARY: spool_dir_unlink(recovery->dir, name); break;
	case SPOOL_FILE_SEALED:
	case SPOOL_FILE_OTHER: break;
	}
}

/* Reads no more than the header: what it says is the batch's id, whatever the name. */
static void
on_sealed_file(void *arg, const char *name)
{
	struct recovery    *recovery = arg;
	struct spool_batch  batch = { 0 };
	struct segment_head head;
	uint8_t             bytes[SEGMENT_HEAD_BYTES];
	char                right[SPOOL_NAME];

	if (spool_dir_parse(name, &batch.epoch, &batch.seq, &batch.records) !=
	    SPOOL_FILE_SEALED)
		return;
	if (!spool_dir_peek(recovery->dir, name, bytes, &batch.bytes, &batch.created_ms)) {
		log_warn(AREA, "%s: cannot be read: %s; left alone", name, strerror(errno));
		return;
	}
	if (segment_head_parse(&head, bytes, sizeof(bytes), NULL)) {
		batch.created_ms = head.created_ms;
		spool_dir_seal_name(right, head.epoch, head.seq, batch.records);
		if (strcmp(right, name) != 0 && spool_dir_rename(recovery->dir, name, right)) {
			batch.epoch = head.epoch;
			batch.seq = head.seq;
		}
	}
	recovery->ops->on_found(recovery->ops->arg, &batch);
}

bool
spool_recover(const struct spool_dir *dir, const struct spool_recover_ops *ops, struct err *err)
{
	struct recovery recovery = { .dir = dir, .ops = ops };

	return spool_dir_each(dir, on_open_file, &recovery, err) &&
	    spool_dir_each(dir, on_sealed_file, &recovery, err);
}
