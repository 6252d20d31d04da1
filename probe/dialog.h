/* dialog: a protocol as say and hear, without I/O.
 *
 * conn does the waiting, the reading and the writing; a dialog only turns its state into bytes
 * and bytes into its state.  So a test is a byte string and a fuzzer a loop.  It knows no clock,
 * no descriptor and no loop.
 */
#ifndef PROBE_DIALOG_H
#define PROBE_DIALOG_H

#include "base/rcur.h"
#include "base/wbuf.h"

enum next {
	NEXT_HEAR,  /* more bytes are wanted */
	NEXT_SAY,   /* it is our turn */
	NEXT_DONE,  /* the peer has said all we asked for */
	NEXT_LEAVE, /* the same, and there is a farewell to say(), which nobody waits for */
	NEXT_BROKEN /* the peer does not follow the protocol; why is in self */
};

struct dialog_ops {
	const char *name;
	/* Called first of all, and after each NEXT_SAY.  Writes nothing when it is the peer who
	 * speaks first. */
	void (*say)(void *self, struct wbuf *out);
	/* Offered is all that was not consumed before, so a message may be taken only when it is
	 * whole: what in->at has not passed comes again, with more behind it.  When reading failed
	 * (rcur_ok() is false) nothing counts as consumed.  NEXT_SAY must have consumed something. */
	enum next (*hear)(void *self, struct rcur *in);
};

#endif
