#include "agent/spool_file.h"

#include "agent/spool_io.h"

#include <errno.h>

bool
spool_file_load(const struct spool_dir *dir, const struct spool_batch *batch,
    struct segment_head *head, struct wbuf *file, struct err *err)
{
	char name[SPOOL_NAME];

	spool_dir_seal_name(name, batch->epoch, batch->seq, batch->records);
	if (!spool_dir_read(dir, name, file, err))
		return false;
	if (!segment_head_parse(head, file->bytes, file->count, err))
		return err_in(err, "%s", name);
	return true;
}

static void
frame_again(const struct segment_head *head, const struct wbuf *file,
    const struct segment_head *fresh, struct wbuf *out)
{
	struct segment_scan scan = segment_scan(head, file->bytes, file->count, NULL);
	size_t              at = SEGMENT_HEAD_BYTES;

	segment_head_write(fresh, out);
	while (at < scan.bytes) {
		const uint8_t *frame = file->bytes + at;
		size_t length = frame[0] | (size_t)frame[1] << 8 | (size_t)frame[2] << 16 |
		    (size_t)frame[3] << 24;

		segment_record_write(fresh, frame + SEGMENT_FRAME_BYTES, length, out);
		at += SEGMENT_FRAME_BYTES + length;
	}
}

bool
spool_file_replace(const struct spool_dir *dir, const struct segment_head *head,
    const struct wbuf *file, const struct segment_head *fresh, const char *name, const char *to)
{
	struct wbuf out;
	bool        done;
	int         fd, cause;

	spool_dir_unlink(dir, "tmp");
	fd = spool_dir_create(dir, "tmp", 0);
	if (fd < 0)
		return false;
	wbuf_init(&out);
	frame_again(head, file, fresh, &out);
	done = spool_dir_write(fd, out.bytes, out.count) && spool_io_sync(fd) == 0 &&
	    spool_dir_rename(dir, "tmp", name) && spool_dir_sync(dir) &&
	    spool_dir_rename(dir, name, to);
	cause = errno;
	wbuf_fini(&out);
	spool_io_close(fd);
	errno = cause;
	return done;
}
