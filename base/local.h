/* local: a socket in the file system, for who may open that file.
 *
 * It has its mode from birth, so that there is no moment in which others may connect.
 */
#ifndef BASE_LOCAL_H
#define BASE_LOCAL_H

#include "base/err.h"

/* Listens at path with that mode; what an earlier program left there goes.  The descriptor, which
 * does not block; -1 with err: also where another program answers.  The path is the caller's to
 * remove, at the end. */
int local_listen(const char *path, unsigned mode, int backlog, struct err *err) MUST_CHECK;

#endif
