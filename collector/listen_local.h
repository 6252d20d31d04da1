/* listen_local: a socket in the file system, for who may open that file. */
#ifndef COLLECTOR_LISTEN_LOCAL_H
#define COLLECTOR_LISTEN_LOCAL_H

#include "base/err.h"

/* Listens there, for its owner alone; what an earlier program left at the path goes.  -1 with err:
 * also where another program answers. */
int listen_local_open(const char *path, int backlog, struct err *err) MUST_CHECK;

#endif
