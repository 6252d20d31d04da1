/* https_socket: the sockets of libcurl's connections: opened by us, so that what is asked about is
 * the very address that goes to connect(), and looked at by us before they are closed.
 */
#ifndef PROBE_HTTPS_HTTPS_SOCKET_H
#define PROBE_HTTPS_HTTPS_SOCKET_H

#include "base/addr.h"

/* How the TCP connection stood when libcurl gave it up. */
enum https_tcp { HTTPS_TCP_UNKNOWN, HTTPS_TCP_STANDS, HTTPS_TCP_PEER_CLOSED, HTTPS_TCP_RESET };

/* A stream socket for peer, bound to source unless its family is 0; -1, and why. */
int https_socket_open(const struct addr *peer, const struct addr *source, struct err *err);

enum https_tcp https_socket_tcp(int fd);

#endif
