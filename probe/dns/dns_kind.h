/* dns_kind: the kind "dns" of the registry in probe.c: A and AAAA of one name, asked of one
 * resolver at the same time.
 */
#ifndef PROBE_DNS_DNS_KIND_H
#define PROBE_DNS_DNS_KIND_H

#include "probe/probe.h"

extern const struct probe_kind probe_dns;

#endif
