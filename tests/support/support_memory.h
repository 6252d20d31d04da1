/* support_memory: is a secret still somewhere in the memory of this process?
 *
 * Looks at all that can be written: heap, also what was freed, stacks, variables.  The secret is
 * named by its bytes XOR SUPPORT_MEMORY_MASK, so that the question does not put it there.
 */
#ifndef TESTS_SUPPORT_MEMORY_H
#define TESTS_SUPPORT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

enum { SUPPORT_MEMORY_MASK = 0x5a };

/* Masks, and unmasks, in place. */
void support_memory_mask(void *bytes, size_t count);

/* Random letters, masked: a secret that is nowhere yet. */
void support_memory_make(uint8_t *masked, size_t count);

/* What is masked, unmasked, as a file of mode 0600; by another process, so that it was never in the
 * memory of this one. */
void support_memory_write(const char *path, const uint8_t *masked, size_t count);

/* How often it is there; count at least 8. */
unsigned support_memory_count(const uint8_t *masked, size_t count);

#endif
