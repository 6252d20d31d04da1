/* spool_file: a sealed file as a whole: read, and put in the place of another.
 */
#ifndef AGENT_SPOOL_FILE_H
#define AGENT_SPOOL_FILE_H

#include "agent/spool.h"
#include "agent/spool_dir.h"

/* The file of a batch, appended to `file`, and its header, whose id is the file's, whatever the
 * name.  false: ERR_SYSTEM with errno when it could not be read, else it is damaged. */
bool spool_file_load(const struct spool_dir *dir, const struct spool_batch *batch,
    struct segment_head *head, struct wbuf *file, struct err *err) MUST_CHECK;

/* The sound records of `file`, which are framed under `head`, framed under `fresh`: written in
 * the place of the file `name`, which then is called `to`.  At every instant there is one file
 * with this content: the header's id counts, whatever the name.  false: with errno, and the old
 * content or the new under the old name. */
bool spool_file_replace(const struct spool_dir *dir, const struct segment_head *head,
    const struct wbuf *file, const struct segment_head *fresh, const char *name,
    const char *to) MUST_CHECK;

#endif
