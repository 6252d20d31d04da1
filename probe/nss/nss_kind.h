/* nss_kind: the kind "nss" of the registry in probe.c: a name resolved the way an application
 * does it, by getaddrinfo(): nsswitch.conf, /etc/hosts, search domains, ndots, systemd-resolved.
 */
#ifndef PROBE_NSS_NSS_KIND_H
#define PROBE_NSS_NSS_KIND_H

#include "probe/probe.h"

extern const struct probe_kind probe_nss;

#endif
