/* net: a network, as people write it: "10.20.0.0/16", or one address for itself. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/addr.h"

struct net {
	struct addr addr;
	unsigned    bits; /* of the prefix: at most 32 or 128 */
};

/* Refuses a port, a scope, and bits that are set behind the prefix. */
bool net_parse(struct net *net, const char *text, struct err *err) MUST_CHECK;
bool net_has(const struct net *net, const struct addr *addr);

#endif
