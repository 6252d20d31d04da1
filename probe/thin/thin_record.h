/* thin_record: the kind "thin": is Gateway V2, the thin client's proxy, ready at this address?
 *
 * TLS with ALPN h2, and POST /connectivity-probe over HTTP/2 [rfc9113], which the SDKs send to
 * decide whether they use it [cosmos-thin-client]; no credentials.  Fills the connection's fields
 * of *endpoint and the rest of *thin.
 */
#ifndef PROBE_THIN_THIN_RECORD_H
#define PROBE_THIN_THIN_RECORD_H

#include "probe/probe.h"

struct conn_seen;
struct thin_dialog;

extern const struct probe_kind probe_thin;

/* Fills alpn, outcome, status, wait_us and detail.  dialog is NULL when the spec was refused. */
void thin_record(struct thin *thin, const struct conn_seen *seen,
    const struct thin_dialog *dialog, struct arena *arena);

#endif
