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

#endif
