#include "agent/spool_recover.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define AREA "spool"

struct recovery {
	const struct spool_dir *dir;
	void (*found)(void *arg, const struct spool_batch *batch);
	void *arg;
};

/* The longest sound beginning of what was open, sealed under its own id. */
static void
recover_open(struct recovery *recovery, const char *name)
{
	struct segment_head head;
	struct segment_scan scan = { 0 };
	struct wbuf         file;
	struct err          err;
	char                sealed[SPOOL_NAME];
	int                 fd;

	wbuf_init(&file);
	if (!spool_dir_read(recovery->dir, name, &file, &err)) {
		log_warn(AREA, "%s; left alone", err.text);
		goto out;
	}
	if (segment_head_parse(&head, file.bytes, file.count, &err))
		scan = segment_scan(&head, file.bytes, file.count, NULL);
	else if (file.count > SEGMENT_HEAD_BYTES)
		log_warn(AREA, "%s: %s; set aside", name, err.text);
	if (scan.records == 0) {
		if (file.count > SEGMENT_HEAD_BYTES)
			spool_dir_set_aside(recovery->dir, name);
		else
			spool_dir_unlink(recovery->dir, name);
		goto out;
	}
	fd = openat(recovery->dir->fd, name, O_RDWR | O_CLOEXEC);
	spool_dir_seal_name(sealed, head.epoch, head.seq, scan.records);
	if (fd >= 0 && ftruncate(fd, (off_t)scan.bytes) == 0 && fsync(fd) == 0 &&
	    spool_dir_rename(recovery->dir, name, sealed))
		log_info(AREA, "%s: %u records recovered", name, scan.records);
	else
		log_warn(AREA, "%s: cannot be recovered now: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
out:
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
	case SPOOL_FILE_OPEN: recover_open(recovery, name); break;
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
	recovery->found(recovery->arg, &batch);
}

bool
spool_recover(const struct spool_dir *dir,
    void (*found)(void *arg, const struct spool_batch *batch), void *arg, struct err *err)
{
	struct recovery recovery = { .dir = dir, .found = found, .arg = arg };

	return spool_dir_each(dir, on_open_file, &recovery, err) &&
	    spool_dir_each(dir, on_sealed_file, &recovery, err);
}
