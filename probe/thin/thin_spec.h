/* thin_spec: what a thin probe shall ask, checked before anything is sent.
 */
#ifndef PROBE_THIN_THIN_SPEC_H
#define PROBE_THIN_THIN_SPEC_H

#include "base/arena.h"

#include <stdint.h>

struct thin_spec {
	const char
	    *authority; /* in the arena: host, and :port unless it is 443 [rfc9113 8.3.1] */
};

/* Refuses what is not a plain host name, and port 0. */
bool thin_spec_make(struct thin_spec *spec, const char *host, uint16_t port,
    struct arena *arena, struct err *err) MUST_CHECK;

#endif
