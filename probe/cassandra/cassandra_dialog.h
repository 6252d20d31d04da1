/* cassandra_dialog: OPTIONS, and STARTUP up to the question for credentials.
 *
 * Both are what every driver says first.  No credentials are sent, whatever is asked.
 */
#ifndef PROBE_CASSANDRA_CASSANDRA_DIALOG_H
#define PROBE_CASSANDRA_CASSANDRA_DIALOG_H

#include "probe/cassandra/cassandra_wire.h"
#include "probe/dialog.h"

struct cassandra_dialog {
	struct arena              *arena;           /* borrowed; outlives us */
	bool                       supported_heard; /* supported is there */
	struct cassandra_supported supported;
	bool                       refused; /* error is there: of OPTIONS, or else of STARTUP */
	struct cassandra_error     error;
	const char                *authenticator; /* NULL: credentials were not asked for */
	struct err                 broken;        /* why, after NEXT_BROKEN */
};

/* self is a struct cassandra_dialog with arena set, all else zero. */
extern const struct dialog_ops cassandra_ops;

#endif
