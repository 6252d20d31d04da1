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

/* Calls found() with each sealed batch, in order of name. */
bool spool_recover(const struct spool_dir *dir,
    void (*found)(void *arg, const struct spool_batch *batch), void *arg,
    struct err *err) MUST_CHECK;

#endif
