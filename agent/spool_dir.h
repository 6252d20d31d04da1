/* spool_dir: the files of a spool: names, and the few things that are done with them.
 *
 * Everything goes through one directory descriptor.  What must survive a power cut is synced here,
 * file and folder.  A sync that failed is never tried again on the same file: the kernel has
 * forgotten what it could not write.
 */
#ifndef AGENT_SPOOL_DIR_H
#define AGENT_SPOOL_DIR_H

#include "agent/segment.h"

enum { SPOOL_NAME = 64, SPOOL_BAD_FILES_MAX = 8, SPOOL_BAD_BYTES_MAX = 1 << 20 };

struct spool_dir {
	int   fd, bad_fd, lock_fd; /* owned; -1: not open */
	char *path;                /* owned */
	int   cause;               /* errno of spool_dir_open(), when it failed by one */
};

enum spool_file { SPOOL_FILE_OTHER, SPOOL_FILE_OPEN, SPOOL_FILE_SEALED, SPOOL_FILE_TEMPORARY };

/* Makes folder and bad/ when they are not there, and takes the lock. */
bool spool_dir_open(struct spool_dir *dir, const char *path, struct err *err) MUST_CHECK;
void spool_dir_close(struct spool_dir *dir);
/* A folder that was deleted under us, or could not be opened before: one that is there now takes
 * its place.  false: there is nothing to mend, or it cannot be. */
bool spool_dir_renew(struct spool_dir *dir);

/* Causes that lie in the disk, which may heal, and in ourselves: descriptors, memory. */
bool spool_dir_is_sick(int cause);
bool spool_dir_is_short(int cause);

char *spool_dir_open_name(char name[SPOOL_NAME], uint64_t epoch, uint32_t seq);
char *spool_dir_seal_name(
    char name[SPOOL_NAME], uint64_t epoch, uint32_t seq, unsigned records);
/* What a name says; records only of a sealed one. */
enum spool_file spool_dir_parse(
    const char *name, uint64_t *epoch, uint32_t *seq, unsigned *records);

/* Calls visit() with each name; it may rename and unlink. */
bool spool_dir_each(const struct spool_dir *dir, void (*visit)(void *arg, const char *name),
    void *arg, struct err *err) MUST_CHECK;

/* A new file with room set aside for it; the descriptor, or -1 with errno. */
int  spool_dir_create(const struct spool_dir *dir, const char *name, size_t room_bytes);
bool spool_dir_write(int fd, const void *bytes, size_t count); /* false with errno */
void spool_dir_shut(int *fd);                                  /* closes; it is -1 then */
/* The whole file appended to out; false with err, and errno, when it cannot be read or is too
 * large. */
bool spool_dir_read(const struct spool_dir *dir, const char *name, struct wbuf *out,
    struct err *err) MUST_CHECK;
/* Its beginning of SEGMENT_HEAD_BYTES (zeroes where it is shorter), size and last change. */
bool spool_dir_peek(const struct spool_dir *dir, const char *name, uint8_t *head,
    size_t *file_bytes, int64_t *changed_ms);

bool spool_dir_rename(const struct spool_dir *dir, const char *from, const char *to);
bool spool_dir_sync(const struct spool_dir *dir);
void spool_dir_unlink(const struct spool_dir *dir, const char *name);
/* Cuts it to so many bytes, and syncs that. */
bool spool_dir_cut(const struct spool_dir *dir, const char *name, size_t bytes);
/* Moves it to bad/, where the oldest go when there are too many. */
void spool_dir_set_aside(const struct spool_dir *dir, const char *name);
/* Whether the file system has less free than it should: 5 %, at most 100 MiB. */
bool spool_dir_is_low(const struct spool_dir *dir);

#endif
