#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
read_all(struct arena *arena, int fd, const char *path, size_t limit_bytes, size_t *count,
    struct err *err)
{
	size_t room = 4096, used = 0;
	char  *bytes = mem_alloc(room + 1), *copy;

	for (;;) {
		ssize_t got = read(fd, bytes + used, room - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			err_errno(err, "%s", path);
			break;
		}
		used += (size_t)got;
		if (used > limit_bytes) {
			err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, limit_bytes);
			break;
		}
		if (got == 0) {
			copy = arena_strndup(arena, bytes, used);
			*count = used;
			free(bytes);
			return copy;
		}
		if (used == room)
			bytes = mem_grow(bytes, (room *= 2) + 1, 1);
	}
	free(bytes);
	return NULL;
}

char *
file_read(
    struct arena *arena, const char *path, size_t limit_bytes, size_t *count, struct err *err)
{
	char *bytes;
	int   fd;

	if (strcmp(path, "-") == 0)
		return read_all(arena, STDIN_FILENO, "standard input", limit_bytes, count, err);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_errno(err, "%s", path);
		return NULL;
	}
	bytes = read_all(arena, fd, path, limit_bytes, count, err);
	close(fd);
	return bytes;
}

static bool
write_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t put = write(fd, bytes, count);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		bytes += put;
		count -= (size_t)put;
	}
	return true;
}

static bool
sync_folder(const char *path)
{
	char *copy = mem_strdup(path);
	int   fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool  synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return synced;
}

bool
file_replace(const char *path, const void *bytes, size_t count, unsigned mode, struct err *err)
{
	char *temporary = mem_printf("%s.%d.new", path, (int)getpid());
	int   fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)mode);
	bool  done = fd >= 0 && fchmod(fd, (mode_t)mode) == 0 && write_all(fd, bytes, count) &&
	    fsync(fd) == 0;

	if (fd >= 0 && close(fd) != 0)
		done = false;
	if (done && rename(temporary, path) != 0)
		done = false;
	if (!done) {
		err_errno(err, "%s", path);
		if (fd >= 0)
			unlink(temporary);
	} else if (!sync_folder(path)) {
		done = err_errno(err, "%s: sync of its directory", path);
	}
	free(temporary);
	return done;
}

int
file_lock(const char *path, struct err *err)
{
	char *name = mem_printf("%s.lock", path);
	int   fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		err_errno(err, "%s", name);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	free(name);
	return fd;
}
