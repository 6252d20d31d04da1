/* spool_io: the door between the spool and the file system.
 *
 * Whatever the spool wants of the kernel goes through here, so that a test can put a disk of its
 * own in the place of this file when it is linked (tests/agent/disk.c), one that fails, fills up
 * and forgets.  As thin as the calls behind it: -1 with errno, nothing is tried again.
 */
#ifndef AGENT_SPOOL_IO_H
#define AGENT_SPOOL_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct spool_io_facts {
	size_t   bytes;
	int64_t  changed_ns; /* Unix time of the last change */
	unsigned links;      /* 0: it was deleted, and lives on as our descriptor */
};

/* Made when it is not there; path is relative to the folder `at`, which may be AT_FDCWD. */
int spool_io_folder(int at, const char *path);
/* flags as of openat(); what is made can be read by nobody else. */
int spool_io_open(int folder, const char *name, int flags);
int spool_io_close(int fd);
int spool_io_lock(int fd); /* without waiting */

ssize_t spool_io_read(int fd, void *bytes, size_t count);
ssize_t spool_io_write(int fd, const void *bytes, size_t count);
/* Room that is set aside without making the file longer. */
int spool_io_allocate(int fd, size_t bytes);
int spool_io_truncate(int fd, size_t bytes);
int spool_io_sync(int fd); /* a file, or the names of a folder */
int spool_io_look(int fd, struct spool_io_facts *facts);

int spool_io_rename(int from_folder, const char *from, int to_folder, const char *to);
int spool_io_unlink(int folder, const char *name);
/* How many names, which are sorted and the caller's to free, each and all. */
int spool_io_list(int folder, char ***names);
/* Bytes of the file system. */
int spool_io_room(int folder, uint64_t *free_bytes, uint64_t *all_bytes);

#endif
