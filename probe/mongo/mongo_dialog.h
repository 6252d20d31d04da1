/* mongo_dialog: isMaster, and then hello on the same connection.
 *
 * isMaster is what is answered before anybody logs in, by all servers there are.  hello is asked
 * for what its refusal tells, and only of a server that knows OP_MSG: when isMaster was answered
 * well, the front end has shown itself, whatever becomes of hello.
 */
#ifndef PROBE_MONGO_MONGO_DIALOG_H
#define PROBE_MONGO_MONGO_DIALOG_H

#include "probe/dialog.h"
#include "probe/mongo/mongo_answer.h"

/* Servers of a lower maxWireVersion do not know OP_MSG [mongo-wire]. */
enum { MONGO_WIRE_OP_MSG = 6 };

struct mongo_dialog {
	struct arena       *arena; /* borrowed; outlives us */
	bool                knows; /* ismaster is there: a server, or an error */
	bool                asked_hello;
	bool                knows_hello; /* hello is there */
	struct mongo_answer ismaster, hello;
	struct err          broken; /* why, after NEXT_BROKEN */
};

/* self is a struct mongo_dialog with arena set, all else zero. */
extern const struct dialog_ops mongo_ops;

#endif
