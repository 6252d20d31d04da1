/* rntbd_uri: the address of a replica as the address feed and the logs of the SDKs write it,
 * rntbd://host:port/apps/.../replicas/...p/ [rntbd-sdk].
 */
#ifndef PROBE_RNTBD_RNTBD_URI_H
#define PROBE_RNTBD_RNTBD_URI_H

#include "base/arena.h"

#include <stdint.h>

enum { RNTBD_URI_MAX_BYTES = 2048 };

struct rntbd_uri {
	const char *host; /* lower case; in the arena */
	uint16_t    port; /* never 0 */
	const char *path; /* with its leading '/', without a final one; "" when there is none */
	bool        primary; /* the last segment ends in 'p' */
};

/* Scheme, host and port are held strictly (a host name, or an IPv6 address in brackets; a port of
 * 1 to 65535), the path is opaque.  Blanks around it are not part of it.  A refusal says what was
 * wanted and where. */
bool rntbd_uri_parse(struct rntbd_uri *uri, const char *text, size_t count, struct arena *arena,
    struct err *err) MUST_CHECK;

#endif
