/* resolvers: which DNS servers this machine uses.
 *
 * Reads resolv.conf(5); where it names only systemd-resolved's stub 127.0.0.53, the servers behind
 * it are read from /run/systemd/resolve/resolv.conf, since the stub hides who answers.
 */
#ifndef PROBE_DNS_RESOLVERS_H
#define PROBE_DNS_RESOLVERS_H

#include "base/addr.h"

#define RESOLVERS_SYSTEM_FILE "/etc/resolv.conf"

/* Fills at most room addresses (port 53) and says how many; none is an error. */
bool resolvers_read(const char *path, struct addr *servers, size_t room, size_t *count,
    struct err *err) MUST_CHECK;

#endif
