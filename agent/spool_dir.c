#include "agent/spool_dir.h"

#include "agent/spool_io.h"
#include "base/arena.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 2 << 20, READ_BYTES = 65536 };

static const uint64_t free_bytes_wanted = UINT64_C(100) << 20;

bool
spool_dir_is_sick(int cause)
{
	return cause == EROFS || cause == ENOSPC || cause == EDQUOT || cause == EIO ||
	    spool_dir_is_short(cause);
}

bool
spool_dir_is_short(int cause)
{
	return cause == EMFILE || cause == ENFILE || cause == ENOMEM;
}

static bool
fail(struct spool_dir *dir, const char *name, struct err *err)
{
	dir->cause = errno;
	return err_errno(err, "%s%s", dir->path, name);
}

static bool
take_lock(struct spool_dir *dir, struct err *err)
{
	dir->lock_fd = spool_io_open(dir->fd, "lock", O_RDWR | O_CREAT);
	/* A disk that is read-only has results of better days, and they can be sent. */
	if (dir->lock_fd < 0 && errno == EROFS) {
		dir->lock_fd = spool_io_open(dir->fd, "lock", O_RDONLY);
		errno = dir->lock_fd < 0 && errno == ENOENT ? EROFS : errno;
	}
	if (dir->lock_fd < 0)
		return fail(dir, "/lock", err);
	if (spool_io_lock(dir->lock_fd) != 0)
		return err_set(
		    err, ERR_ORDER, "%s: another agent is using this spool", dir->path);
	return true;
}

bool
spool_dir_open(struct spool_dir *dir, const char *path, struct err *err)
{
	*dir = (struct spool_dir){ .fd = -1, .bad_fd = -1, .lock_fd = -1 };
	dir->path = mem_strdup(path);
	dir->fd = spool_io_folder(AT_FDCWD, path);
	if (dir->fd < 0)
		return fail(dir, "", err);
	dir->bad_fd = spool_io_folder(dir->fd, "bad");
	if (dir->bad_fd < 0)
		return fail(dir, "/bad", err);
	return take_lock(dir, err);
}

static void
close_all(struct spool_dir *dir)
{
	spool_dir_shut(&dir->lock_fd);
	spool_dir_shut(&dir->bad_fd);
	spool_dir_shut(&dir->fd);
}

void
spool_dir_close(struct spool_dir *dir)
{
	close_all(dir);
	free(dir->path);
}

bool
spool_dir_renew(struct spool_dir *dir)
{
	struct spool_io_facts facts;
	struct spool_dir      fresh;
	bool                  renewed;

	if (dir->lock_fd >= 0 && (spool_io_look(dir->fd, &facts) != 0 || facts.links > 0))
		return false;
	close_all(dir);
	renewed = spool_dir_open(&fresh, dir->path, NULL);
	if (!renewed)
		close_all(&fresh);
	free(dir->path);
	*dir = fresh;
	return renewed;
}

char *
spool_dir_open_name(char name[SPOOL_NAME], uint64_t epoch, uint32_t seq)
{
	snprintf(name, SPOOL_NAME, "%016" PRIx64 "-%08" PRIx32 ".open", epoch, seq);
	return name;
}

char *
spool_dir_seal_name(char name[SPOOL_NAME], uint64_t epoch, uint32_t seq, unsigned records)
{
	snprintf(name, SPOOL_NAME, "%016" PRIx64 "-%08" PRIx32 ".%u.seg", epoch, seq, records);
	return name;
}

enum spool_file
spool_dir_parse(const char *name, uint64_t *epoch, uint32_t *seq, unsigned *records)
{
	char again[SPOOL_NAME];

	*records = 0;
	if (sscanf(name, "%16" SCNx64 "-%8" SCNx32 ".%u.seg", epoch, seq, records) == 3 &&
	    strcmp(spool_dir_seal_name(again, *epoch, *seq, *records), name) == 0)
		return SPOOL_FILE_SEALED;
	if (sscanf(name, "%16" SCNx64 "-%8" SCNx32 ".open", epoch, seq) == 2 &&
	    strcmp(spool_dir_open_name(again, *epoch, *seq), name) == 0)
		return SPOOL_FILE_OPEN;
	return strcmp(name, "tmp") == 0 ? SPOOL_FILE_TEMPORARY : SPOOL_FILE_OTHER;
}

bool
spool_dir_each(const struct spool_dir *dir, void (*visit)(void *arg, const char *name),
    void *arg, struct err *err)
{
	char **names;
	/* All names first: what visit() renames must not be seen twice. */
	int count = spool_io_list(dir->fd, &names);

	if (count < 0)
		return err_errno(err, "%s", dir->path);
	for (int i = 0; i < count; i++) {
		visit(arg, names[i]);
		free(names[i]);
	}
	free(names);
	return true;
}

bool
spool_dir_write(int fd, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count > 0) {
		ssize_t put = spool_io_write(fd, at, count);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		count -= (size_t)put;
	}
	return true;
}

void
spool_dir_shut(int *fd)
{
	if (*fd >= 0)
		spool_io_close(*fd);
	*fd = -1;
}

int
spool_dir_create(const struct spool_dir *dir, const char *name, size_t room_bytes)
{
	int fd = spool_io_open(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND);

	if (fd < 0)
		return -1;
	/* So that a full disk says so now, and not when a result is written back. */
	if (room_bytes > 0 && spool_io_allocate(fd, room_bytes) != 0 && errno != EOPNOTSUPP &&
	    errno != ENOSYS) {
		int cause = errno;

		spool_io_close(fd);
		spool_io_unlink(dir->fd, name);
		errno = cause;
		return -1;
	}
	return fd;
}

bool
spool_dir_read(const struct spool_dir *dir, const char *name, struct wbuf *out, struct err *err)
{
	int     fd = spool_io_open(dir->fd, name, O_RDONLY);
	size_t  from = out->count;
	ssize_t got = -1;
	int     cause = errno;

	if (fd < 0) {
		err_errno(err, "%s", name);
		errno = cause;
		return false;
	}
	do {
		void *space = wbuf_space(out, READ_BYTES);

		got = spool_io_read(fd, space, READ_BYTES);
		out->count -= READ_BYTES - (got > 0 ? (size_t)got : 0);
	} while (
	    (got > 0 && out->count - from <= FILE_BYTES_MAX) || (got < 0 && errno == EINTR));
	cause = got < 0 ? errno : EFBIG;
	if (got < 0)
		err_errno(err, "%s", name);
	else if (got > 0)
		err_set(err, ERR_LIMIT, "%s: larger than %d bytes", name, FILE_BYTES_MAX);
	spool_io_close(fd);
	errno = cause;
	return got == 0;
}

bool
spool_dir_peek(const struct spool_dir *dir, const char *name, uint8_t *head, size_t *file_bytes,
    int64_t *changed_ms)
{
	int                   fd = spool_io_open(dir->fd, name, O_RDONLY);
	struct spool_io_facts facts = { 0 };
	bool                  done;

	memset(head, 0, SEGMENT_HEAD_BYTES);
	if (fd < 0)
		return false;
	done = spool_io_look(fd, &facts) == 0 &&
	    spool_io_read(fd, head, SEGMENT_HEAD_BYTES) >= 0;
	spool_io_close(fd);
	*file_bytes = facts.bytes;
	*changed_ms = facts.changed_ns / 1000000;
	return done;
}

bool
spool_dir_rename(const struct spool_dir *dir, const char *from, const char *to)
{
	return spool_io_rename(dir->fd, from, dir->fd, to) == 0;
}

bool
spool_dir_sync(const struct spool_dir *dir)
{
	return spool_io_sync(dir->fd) == 0;
}

void
spool_dir_unlink(const struct spool_dir *dir, const char *name)
{
	spool_io_unlink(dir->fd, name);
}

bool
spool_dir_cut(const struct spool_dir *dir, const char *name, size_t bytes)
{
	int  fd = spool_io_open(dir->fd, name, O_RDWR);
	bool done;

	if (fd < 0)
		return false;
	done = spool_io_truncate(fd, bytes) == 0 && spool_io_sync(fd) == 0;
	spool_io_close(fd);
	return done;
}

struct bad_facts {
	unsigned files;
	uint64_t bytes;
	int64_t  oldest_ns;
	char     oldest_name[SPOOL_NAME];
};

static void
look_at_bad(const struct spool_dir *dir, struct bad_facts *bad)
{
	char **names;
	int    count = spool_io_list(dir->bad_fd, &names);

	*bad = (struct bad_facts){ 0 };
	for (int i = 0; i < count; i++) {
		struct spool_io_facts facts = { 0 };
		int                   fd = spool_io_open(dir->bad_fd, names[i], O_RDONLY);

		if (fd >= 0 && strlen(names[i]) < SPOOL_NAME &&
		    spool_io_look(fd, &facts) == 0) {
			bad->bytes += facts.bytes;
			if (bad->files++ == 0 || facts.changed_ns < bad->oldest_ns) {
				bad->oldest_ns = facts.changed_ns;
				strcpy(bad->oldest_name, names[i]);
			}
		}
		spool_dir_shut(&fd);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
}

void
spool_dir_set_aside(const struct spool_dir *dir, const char *name)
{
	struct bad_facts facts;

	if (spool_io_rename(dir->fd, name, dir->bad_fd, name) != 0)
		spool_io_unlink(dir->fd, name);
	for (look_at_bad(dir, &facts); facts.files > SPOOL_BAD_FILES_MAX ||
	     (facts.files > 1 && facts.bytes > SPOOL_BAD_BYTES_MAX);
	     look_at_bad(dir, &facts)) {
		if (spool_io_unlink(dir->bad_fd, facts.oldest_name) != 0)
			return;
	}
}

bool
spool_dir_is_low(const struct spool_dir *dir)
{
	uint64_t free_bytes, all_bytes, wanted;

	if (spool_io_room(dir->fd, &free_bytes, &all_bytes) != 0 || all_bytes == 0)
		return false;
	wanted = all_bytes / 20;
	if (wanted > free_bytes_wanted)
		wanted = free_bytes_wanted;
	return free_bytes < wanted;
}
