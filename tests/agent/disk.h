/* disk: a file system in memory, in the place of agent/spool_io.c, that can fail and lose power.
 *
 * It knows of every file and of every name what is durable and what is not yet, and can make each
 * state that a power cut may leave: of the writes that were not synced any may be missing, and one
 * may be torn at any byte or be nothing but zeroes; of the names that were not synced any change
 * may be missing.  And it can let any call fail: once, or from there on.  One disk is in the slot
 * at a time; all calls of the spool go to it.
 */
#ifndef TESTS_AGENT_DISK_H
#define TESTS_AGENT_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

struct disk *disk_new(void);
struct disk *disk_copy(const struct disk *disk); /* as after kill -9: nothing is lost, no fds */
void         disk_free(struct disk *disk);
void         disk_insert(struct disk *disk); /* into the slot */

/* Called before each call that changes something: an instant at which power can fail. */
void disk_watch(struct disk *disk, void (*on_change)(void *arg), void *arg);

/* Calls may fail from here on: the at-th from now, and when `for_ever` all after it. */
void disk_fail(struct disk *disk, unsigned at, bool for_ever, int cause);
void disk_heal(struct disk *disk);
/* How many calls could have failed since disk_fail(). */
unsigned disk_calls(const struct disk *disk);
/* A full one takes no new bytes; what is deleted or cut makes room. */
void disk_limit(struct disk *disk, size_t bytes);

/* Calls visit() with each state that a power cut now may leave, at most `most`; those beyond are
 * drawn by `draw`, which answers a number below its argument.  The state is visit()'s to use for
 * the call.  How many there were. */
size_t   disk_cuts(const struct disk *disk, size_t       most, unsigned (*draw)(unsigned below),
      void (*visit)(void *arg, struct disk *left), void *arg);
uint64_t disk_sum(const struct disk *disk); /* equal for equal content */

/* Inverts one bit of the file whose name ends so; false when there is none, or no such byte. */
bool   disk_flip(struct disk *disk, const char *ending, size_t byte, unsigned bit);
size_t disk_bytes(const struct disk *disk, const char *ending); /* of all such files */

#endif
