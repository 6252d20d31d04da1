/* rntbd_spec: what a context request shall say, checked before anything is sent.
 */
#ifndef PROBE_RNTBD_RNTBD_SPEC_H
#define PROBE_RNTBD_RNTBD_SPEC_H

#include "base/addr.h"
#include "probe/rntbd/rntbd_wire.h"

struct rntbd_spec {
	struct rntbd_request request;
};

/* host is the name for SNI and verification, peer where to connect to, with its port; random are
 * RNTBD_ID_BYTES bytes, of which a version 4 GUID is made.  Refuses a host that is no name and no
 * address, and a peer without a port. */
bool rntbd_spec_make(struct rntbd_spec *spec, const char *host, const struct addr *peer,
    const uint8_t *random, struct err *err) MUST_CHECK;

#endif
