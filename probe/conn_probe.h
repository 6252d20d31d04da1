/* conn_probe: a whole probe for a kind of which one connection is all.
 *
 * The kind says in a recipe what goes over the connection and how what was seen becomes its
 * record; starting, waiting, cancelling and freeing are done here.
 */
#ifndef PROBE_CONN_PROBE_H
#define PROBE_CONN_PROBE_H

#include "probe/conn.h"
#include "probe/probe.h"

struct conn_recipe {
	bool                     tls;
	const char              *alpn;   /* with TLS: as of struct conn_ask; NULL: none */
	const struct dialog_ops *dialog; /* NULL: none */
	/* Makes the dialogue's state in ask->arena, or refuses with NULL and a reason: nothing is
	 * sent then, and tcp is LOCAL.  NULL where there is no dialogue. */
	void *(*spec)(const struct probe_ask *ask, struct err *err);
	/* Lets go of what self, which spec() made, holds outside the arena; NULL: nothing.  Called
	 * exactly once and last of all, whether the probe ends or is cancelled. */
	void (*fini)(void *self);
	/* Writes the kind's own fields; self is what spec() made. */
	void (*record)(
	    const struct probe_ask *ask, const struct conn_seen *seen, const void *self);
};

/* For the `start` and `cancel` of a struct probe_kind. */
void *conn_probe_start(struct probe *probe, const struct conn_recipe *recipe);
void  conn_probe_cancel(void *run);

#endif
