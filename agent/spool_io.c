#include "agent/spool_io.h"

#include "base/arena.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int
spool_io_folder(int at, const char *path)
{
	bool made = mkdirat(at, path, 0700) == 0 || errno == EEXIST;
	bool sealed = !made && errno == EROFS;
	int  fd;

	if (!made && !sealed)
		return -1;
	/* A folder on a disk that cannot be written may be there all the same. */
	fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && sealed && errno == ENOENT)
		errno = EROFS; /* why it is not there: the disk may heal */
	return fd;
}

int
spool_io_open(int folder, const char *name, int flags)
{
	return openat(folder, name, flags | O_CLOEXEC, 0600);
}

int
spool_io_close(int fd)
{
	return close(fd);
}

int
spool_io_lock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

ssize_t
spool_io_read(int fd, void *bytes, size_t count)
{
	return read(fd, bytes, count);
}

ssize_t
spool_io_write(int fd, const void *bytes, size_t count)
{
	return write(fd, bytes, count);
}

int
spool_io_allocate(int fd, size_t bytes)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes);
}

int
spool_io_truncate(int fd, size_t bytes)
{
	return ftruncate(fd, (off_t)bytes);
}

int
spool_io_sync(int fd)
{
	return fsync(fd);
}

int
spool_io_look(int fd, struct spool_io_facts *facts)
{
	struct stat stat;

	if (fstat(fd, &stat) != 0)
		return -1;
	facts->bytes = (size_t)stat.st_size;
	facts->changed_ns = stat.st_mtim.tv_sec * INT64_C(1000000000) + stat.st_mtim.tv_nsec;
	facts->links = (unsigned)stat.st_nlink;
	return 0;
}

int
spool_io_rename(int from_folder, const char *from, int to_folder, const char *to)
{
	return renameat(from_folder, from, to_folder, to);
}

int
spool_io_unlink(int folder, const char *name)
{
	return unlinkat(folder, name, 0);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int
spool_io_list(int folder, char ***names)
{
	struct dirent **entries;
	int             fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int             count;

	if (fd < 0)
		return -1;
	count = scandirat(fd, ".", &entries, is_visible, alphasort);
	close(fd);
	if (count < 0)
		return -1;
	*names = mem_array((size_t)count + 1, sizeof(**names));
	for (int i = 0; i < count; i++) {
		(*names)[i] = mem_strdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return count;
}

int
spool_io_room(int folder, uint64_t *free_bytes, uint64_t *all_bytes)
{
	struct statvfs facts;

	if (fstatvfs(folder, &facts) != 0)
		return -1;
	*free_bytes = (uint64_t)facts.f_bavail * facts.f_frsize;
	*all_bytes = (uint64_t)facts.f_blocks * facts.f_frsize;
	return 0;
}
