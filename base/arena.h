/* arena: memory that dies together.
 *
 * One measurement, one document, one report: everything that belongs to it is allocated here and
 * goes in one call.  Not for what outlives its arena, and not thread safe.  No memory is fatal:
 * the process ends with a line on stderr, systemd restarts it, and the spool is on disk.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/err.h"

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void          arena_free(struct arena *arena); /* NULL is fine */
/* As arena_free(), and nothing of what was in it stays in memory: for arenas with a secret. */
void arena_free_wiped(struct arena *arena);

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_array(struct arena *arena, size_t count, size_t bytes_each);
char *arena_strdup(struct arena *arena, const char *text); /* NULL gives "" */
char *arena_strndup(struct arena *arena, const char *text, size_t count);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes taken from the heap so far. */
size_t arena_bytes(const struct arena *arena);

/* The heap, for what has a life of its own: zeroed, never NULL; freed with free(). */
void *mem_alloc(size_t bytes);
void *mem_array(size_t count, size_t bytes_each);
void *mem_grow(void *old, size_t count, size_t bytes_each); /* realloc; new part not zeroed */
char *mem_strdup(const char *text);                         /* NULL gives "" */
char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
