/* thin_record: the kind "thin": is Gateway V2, the thin client's proxy, ready at this address?
 *
 * TLS with ALPN h2, and POST /connectivity-probe over HTTP/2 [rfc9113], which the SDKs send to
 * decide whether they use it; no credentials.  Fills the connection's fields of *endpoint and the
 * rest of *thin.
 */
#ifndef PROBE_THIN_THIN_RECORD_H
#define PROBE_THIN_THIN_RECORD_H

#include "probe/probe.h"

extern const struct probe_kind probe_thin;

#endif
