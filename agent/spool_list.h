/* spool_list: the sealed batches of a spool, in the order in which they are to go.
 *
 * By the order in which they were sealed, whatever the wall clock said meanwhile; what an earlier
 * agent left comes first, by its clock.
 */
#ifndef AGENT_SPOOL_LIST_H
#define AGENT_SPOOL_LIST_H

#include "agent/spool_body.h"

/* Copies; what it has in memory is the spool's from now on. */
void spool_list_insert(struct spool *spool, const struct spool_batch *batch);
/* NULL when it is not there; valid until the next change. */
struct spool_batch *spool_list_find(const struct spool *spool, uint64_t epoch, uint32_t seq);
/* Forgets it, and frees what it holds in memory; files are the caller's matter. */
void spool_list_remove(struct spool *spool, struct spool_batch *batch);

/* Forgets it and deletes its files. */
void spool_list_unlink(struct spool *spool, struct spool_batch *batch);
void spool_list_unlink_leftover(struct spool *spool, const struct spool_leftover *leftover);

#endif
