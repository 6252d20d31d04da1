/* rntbd_record: the kind "rntbd": does a Cosmos DB back end answer at this address and port?
 *
 * TCP, TLS with SNI and name verification, one context request, one context response: what the
 * SDKs do to open a connection of Direct mode, and no more.  Nothing is authenticated, so that a
 * good answer shows the network path and the back end, never that the account's firewall admits
 * us.  Fills the connection's fields of *endpoint and the context's of *replica.
 */
#ifndef PROBE_RNTBD_RNTBD_RECORD_H
#define PROBE_RNTBD_RNTBD_RECORD_H

#include "probe/probe.h"

struct conn_seen;
struct rntbd_dialog;

extern const struct probe_kind probe_rntbd;

/* Fills what tls_record() fills in *endpoint, makes it replica->end, and fills of *replica all that
 * the context shows, and stage and sdk_code.  dialog is NULL when the spec was refused; texts are in the arena. */
void rntbd_record(struct replica *replica, struct endpoint *endpoint,
    const struct conn_seen *seen, const struct rntbd_dialog *dialog, struct arena *arena);

#endif
