/* https_spec: what to ask libcurl for: the URL, and the pin that leads it to one address. */
#ifndef PROBE_HTTPS_HTTPS_SPEC_H
#define PROBE_HTTPS_HTTPS_SPEC_H

#include "base/addr.h"
#include "base/arena.h"

struct https_spec {
	const char *url;        /* in the arena */
	const char *connect_to; /* in the arena; for CURLOPT_CONNECT_TO */
	const char *target;     /* in the arena; NULL: that of the URL */
	const char *path;       /* target without its query; in the arena */
};

/* Refuses what is not a plain host name: a host comes from a document, and "a/b", "u@h" or "h:1"
 * would turn into another URL.  A target begins with '/' and has neither blanks nor bytes that are
 * not ASCII; it is sent as it stands, also with two slashes at its begin, which in a URL would be
 * tidied or taken for a host. */
bool https_spec_make(struct https_spec *spec, const char *host, const struct addr *peer,
    const char *target, struct arena *arena, struct err *err) MUST_CHECK;
/* The same of the name alone, for whoever sends it in a request of their own. */
bool https_spec_host_check(const char *host, struct err *err) MUST_CHECK;

/* "http://host:port" to "host:port", on the heap.  A proxy that wants TLS, a password or a path is
 * refused. */
bool https_spec_proxy(char **host_port, const char *proxy, struct err *err) MUST_CHECK;

#endif
