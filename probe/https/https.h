/* https: one fresh HTTPS request, GET / without credentials, to one address.
 *
 * Shows whether a Cosmos DB gateway is reached (Gateway mode).  It cannot show that the account
 * admits us: only a signed request could.  libcurl does the waiting and the talking, so the times
 * of the phases are libcurl's own.  Fills the http_* and answer fields of struct endpoint and
 * nothing else.
 */
#ifndef PROBE_HTTPS_HTTPS_H
#define PROBE_HTTPS_HTTPS_H

#include "probe/probe.h"

extern const struct probe_kind probe_https;

#endif
