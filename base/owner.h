/* owner: root at work in the folder of a daemon that is not root.
 *
 * What a command of root writes there must be the daemon's own, and must not be led astray by what
 * the daemon has put there: so root becomes the folder's owner for a while.  For one thread.
 */
#ifndef BASE_OWNER_H
#define BASE_OWNER_H

#include "base/err.h"

#include <sys/types.h>

struct owner_ids {
	uid_t user; /* what to go back to */
	gid_t group;
};

/* Of the folder in which the file at path is; nothing happens where we are not root, or the
 * folder is root's.  Nothing has changed when false is returned. */
bool owner_enter(struct owner_ids *owner, const char *path, struct err *err) MUST_CHECK;
void owner_leave(const struct owner_ids *owner);

#endif
