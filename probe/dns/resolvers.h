/* resolvers: which DNS servers this machine uses.
 *
 * Reads resolv.conf(5); where it names only systemd-resolved's stub 127.0.0.53, the servers behind
 * it are read from /run/systemd/resolve/resolv.conf and asked beside it, since it hides who answers.
 */
#ifndef PROBE_DNS_RESOLVERS_H
#define PROBE_DNS_RESOLVERS_H

#include "base/addr.h"

#include <stddef.h>

#define RESOLVERS_SYSTEM_FILE "/etc/resolv.conf"
#define RESOLVERS_STUB_FILE   "/run/systemd/resolve/resolv.conf"

/* Fills at most room addresses (port 53), each once, and says how many; none is an error. */
bool resolvers_read(const char *path, struct addr *servers, size_t room, size_t *count,
    struct err *err) MUST_CHECK;

/* The same with the file that names the servers behind the stub. */
bool resolvers_read_behind(const char *path, const char *stub_path, struct addr *servers,
    size_t room, size_t *count, struct err *err) MUST_CHECK;

/* The servers named in the text of such a file; lines that make no sense are passed over, as
 * the C library does.  Returns how many. */
size_t resolvers_parse(const char *text, struct addr *servers, size_t room);

#endif
