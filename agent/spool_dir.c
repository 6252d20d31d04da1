#include "agent/spool_dir.h"

#include "base/arena.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 2 << 20, READ_BYTES = 65536 };

static const uint64_t free_bytes_wanted = UINT64_C(100) << 20;

static int
open_folder(int at, const char *path)
{
	if (mkdirat(at, path, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool
take_lock(struct spool_dir *dir, struct err *err)
{
	dir->lock_fd = openat(dir->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock_fd < 0)
		return err_errno(err, "%s/lock", dir->path);
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(
		    err, ERR_ORDER, "%s: another agent is using this spool", dir->path);
	return true;
}

bool
spool_dir_open(struct spool_dir *dir, const char *path, struct err *err)
{
	*dir = (struct spool_dir){ .fd = -1, .bad_fd = -1, .lock_fd = -1 };
	dir->path = mem_strdup(path);
	dir->fd = open_folder(AT_FDCWD, path);
	if (dir->fd < 0)
		return err_errno(err, "%s", path);
	dir->bad_fd = open_folder(dir->fd, "bad");
	if (dir->bad_fd < 0)
		return err_errno(err, "%s/bad", path);
	return take_lock(dir, err);
}

void
spool_dir_close(struct spool_dir *dir)
{
	const int fds[] = { dir->lock_fd, dir->bad_fd, dir->fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(dir->path);
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
	struct dirent **names;
	int             fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int             count;

	if (fd < 0)
		return err_errno(err, "%s", dir->path);
	/* All names first: what visit() renames must not be seen twice. */
	count = scandirat(fd, ".", &names, NULL, alphasort);
	close(fd);
	if (count < 0)
		return err_errno(err, "%s", dir->path);
	for (int i = 0; i < count; i++) {
		visit(arg, names[i]->d_name);
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
		ssize_t put = write(fd, at, count);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += put;
		count -= (size_t)put;
	}
	return true;
}

int
spool_dir_create(const struct spool_dir *dir, const char *name, size_t room_bytes)
{
	int fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	/* So that a full disk says so now, and not when a result is written back. */
	if (room_bytes > 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)room_bytes) != 0 &&
	    errno != EOPNOTSUPP && errno != ENOSYS) {
		int cause = errno;

		close(fd);
		unlinkat(dir->fd, name, 0);
		errno = cause;
		return -1;
	}
	return fd;
}

bool
spool_dir_read(const struct spool_dir *dir, const char *name, struct wbuf *out, struct err *err)
{
	int     fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC);
	size_t  from = out->count;
	ssize_t got = -1;

	if (fd < 0)
		return err_errno(err, "%s", name);
	do {
		void *space = wbuf_space(out, READ_BYTES);

		got = read(fd, space, READ_BYTES);
		out->count -= READ_BYTES - (got > 0 ? (size_t)got : 0);
	} while (
	    (got > 0 && out->count - from <= FILE_BYTES_MAX) || (got < 0 && errno == EINTR));
	if (got < 0)
		err_errno(err, "%s", name);
	else if (got > 0)
		err_set(err, ERR_LIMIT, "%s: larger than %d bytes", name, FILE_BYTES_MAX);
	close(fd);
	return got == 0;
}

bool
spool_dir_peek(const struct spool_dir *dir, const char *name, uint8_t *head, size_t *file_bytes,
    int64_t *changed_ms)
{
	int         fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC);
	struct stat facts;
	bool        done;

	memset(head, 0, SEGMENT_HEAD_BYTES);
	if (fd < 0)
		return false;
	done = fstat(fd, &facts) == 0 && pread(fd, head, SEGMENT_HEAD_BYTES, 0) >= 0;
	close(fd);
	*file_bytes = done ? (size_t)facts.st_size : 0;
	*changed_ms = done ? facts.st_mtim.tv_sec * INT64_C(1000) : 0;
	return done;
}

bool
spool_dir_rename(const struct spool_dir *dir, const char *from, const char *to)
{
	return renameat(dir->fd, from, dir->fd, to) == 0;
}

bool
spool_dir_sync(const struct spool_dir *dir)
{
	return fsync(dir->fd) == 0;
}

void
spool_dir_unlink(const struct spool_dir *dir, const char *name)
{
	unlinkat(dir->fd, name, 0);
}

struct bad_facts {
	unsigned        files;
	uint64_t        bytes;
	struct timespec oldest;
	char            oldest_name[SPOOL_NAME];
};

static bool
is_older(const struct timespec *left, const struct timespec *right)
{
	return left->tv_sec != right->tv_sec ? left->tv_sec < right->tv_sec
	                                     : left->tv_nsec < right->tv_nsec;
}

static void
look_at_bad(const struct spool_dir *dir, struct bad_facts *facts)
{
	int            fd = openat(dir->fd, "bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR           *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	struct stat    stat;

	*facts = (struct bad_facts){ 0 };
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		if (fstatat(dir->bad_fd, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(stat.st_mode) || strlen(entry->d_name) >= SPOOL_NAME)
			continue;
		facts->files++;
		facts->bytes += (uint64_t)stat.st_size;
		if (facts->files == 1 || is_older(&stat.st_mtim, &facts->oldest)) {
			facts->oldest = stat.st_mtim;
			strcpy(facts->oldest_name, entry->d_name);
		}
	}
	if (folder != NULL)
		closedir(folder);
}

void
spool_dir_set_aside(const struct spool_dir *dir, const char *name)
{
	struct bad_facts facts;

	if (renameat(dir->fd, name, dir->bad_fd, name) != 0)
		unlinkat(dir->fd, name, 0);
	for (look_at_bad(dir, &facts); facts.files > SPOOL_BAD_FILES_MAX ||
	     (facts.files > 1 && facts.bytes > SPOOL_BAD_BYTES_MAX);
	     look_at_bad(dir, &facts)) {
		if (unlinkat(dir->bad_fd, facts.oldest_name, 0) != 0)
			return;
	}
}

bool
spool_dir_is_low(const struct spool_dir *dir)
{
	struct statvfs facts;
	uint64_t       wanted;

	if (fstatvfs(dir->fd, &facts) != 0 || facts.f_blocks == 0)
		return false;
	wanted = (uint64_t)facts.f_blocks * facts.f_frsize / 20;
	if (wanted > free_bytes_wanted)
		wanted = free_bytes_wanted;
	return (uint64_t)facts.f_bavail * facts.f_frsize < wanted;
}
