/* gaps: declared losses, folded: neighbours of one epoch that went for one reason are one gap.
 *
 * When a batch is dropped that itself declares losses, these are carried into the next
 * declaration; else a long outage would forget its own beginning.
 */
#ifndef AGENT_GAPS_H
#define AGENT_GAPS_H

#include "base/arena.h"
#include "proto/record.h"

struct gaps {
	struct arena *arena; /* owned */
	struct gap   *rows;  /* in the arena */
	size_t        count, room;
};

void gaps_init(struct gaps *gaps);
void gaps_fini(struct gaps *gaps);

void gaps_add(struct gaps *gaps, const struct gap *gap);
/* Adds those that stand among the encoded records, one behind the other; how many records they
 * were. */
unsigned gaps_add_from(
    struct gaps *gaps, const uint8_t *records, size_t bytes, unsigned record_count);

#endif
