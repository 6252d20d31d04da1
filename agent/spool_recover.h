/* spool_recover: what an earlier agent left in the folder, made whole and listed.
 *
 * A file that was open is cut to its longest sound beginning and sealed under its own id; damage
 * in one file touches no other.  The content of sealed files is not looked at here, only when
 * they are sent.
 */
#ifndef AGENT_SPOOL_RECOVER_H
#define AGENT_SPOOL_RECOVER_H

#include "agent/spool.h"
#include "agent/spool_dir.h"

struct spool_recover_ops {
	/* Each sealed batch, in order of name. */
	void (*on_found)(void *arg, const struct spool_batch *batch);
	/* What was cut off: so many records behind the sound ones, in a file that was open. */
	void (*on_torn)(void *arg, uint64_t epoch, uint32_t seq, unsigned records);
	/* A file that was open could not be read, or not be written anew. */
	void (*on_left)(void *arg);
	void *arg;
};
/* Calls on_torn() for all, then on_found() for all. */
bool spool_recover(const struct spool_dir *dir, const struct spool_recover_ops *ops,
    struct err *err) MUST_CHECK;

#endif
