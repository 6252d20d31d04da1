/* file: whole files in and out, with bounds.
 *
 * Reading stops at a limit; writing replaces a file in one step, so that a reader or a crash
 * sees the old content or the new, never half.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

/* The content in the arena with a NUL behind; NULL with err when it cannot be read or is larger
 * than limit_bytes.  "-" is standard input. */
char *file_read(struct arena *arena, const char *path, size_t limit_bytes, size_t *count,
    struct err *err) MUST_CHECK;

/* Writes to a temporary file beside path, syncs, renames, syncs the directory. */
bool file_replace(const char *path, const void *bytes, size_t count, unsigned mode,
    struct err *err) MUST_CHECK;

/* Waits until nobody else has locked the file, and locks it: "PATH.lock" beside it, since the file
 * itself is replaced.  Of two commands that change a file at once none loses what the other did.  A
 * descriptor, which ends the lock when it is closed; -1 with err. */
int file_lock(const char *path, struct err *err) MUST_CHECK;

#endif
