/* https_spec: what to ask libcurl for: the URL, and the pin that leads it to one address. */
#ifndef PROBE_HTTPS_HTTPS_SPEC_H
#define PROBE_HTTPS_HTTPS_SPEC_H

#include "base/addr.h"
#include "base/arena.h"

struct https_spec {
	const char *url;        /* in the arena */
	const char *connect_to; /* in the arena; for CURLOPT_CONNECT_TO */
};

/* Refuses what is not a plain host name: a host comes from a document, and "a/b", "u@h" or "h:1"
 * would turn into another URL. */
bool https_spec_make(struct https_spec *spec, const char *host, const struct addr *peer,
    struct arena *arena, struct err *err) MUST_CHECK;

#endif
