/* spool_loss: what a spool has to give up, and how that is declared before it is gone.
 *
 * A gap record is on the disk before the file that it speaks of is deleted; a crash between the two
 * leaves both, and what is stored counts more than what is declared.
 */
#ifndef AGENT_SPOOL_LOSS_H
#define AGENT_SPOOL_LOSS_H

#include "agent/gaps.h"
#include "agent/spool_body.h"

/* The gap of a whole batch, now. */
struct gap spool_loss_gap(
    const struct spool *spool, const struct spool_batch *batch, const char *reason);
/* Counts what a gap takes. */
void spool_loss_count(struct spool *spool, const struct gap *gap);

/* A batch is about to be lost: it is added to the gaps, and so is what it declares itself. */
void spool_loss_declare(struct spool *spool, const struct spool_batch *batch,
    const char *reason, struct gaps *gaps);
/* Appends one, unsynced; appends all, which are on disk when it returns if the disk takes anything,
 * and frees them. */
void spool_loss_say(struct spool *spool, const struct gap *gap);
void spool_loss_say_all(struct spool *spool, struct gaps *gaps);

/* Drops the oldest until bytes, files, age and the room of the disk are within the options. */
void spool_loss_keep_bounds(struct spool *spool);
/* The same of batches that the disk did not take. */
void spool_loss_keep_memory(struct spool *spool);
/* Of a full disk the oldest batch, emptied but still named, which the caller unlinks when the gaps
 * are said; NULL when there is none. */
struct spool_batch *spool_loss_make_room(struct spool *spool, struct gaps *gaps);
/* Declared as lost and kept in bad/. */
void spool_loss_set_aside(struct spool *spool, struct spool_batch *batch, const char *reason);

#endif
