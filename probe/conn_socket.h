/* conn_socket: the socket under a conn: opening it, and reading why it failed.
 *
 * The only place that knows what the kernel's errors mean for a connection.  It waits for nothing.
 */
#ifndef PROBE_CONN_SOCKET_H
#define PROBE_CONN_SOCKET_H

#include "base/addr.h"
#include "base/arena.h"
#include "proto/outcome.h"

#include <sys/types.h>

/* A stream socket that does not block, bound to source (family 0: not bound); -1 with errno and
 * what failed in *what. */
int conn_socket_open(const struct addr *peer, const struct addr *source, const char **what);

/* 0 while connecting or connected, else the errno of the failure; once. */
int  conn_socket_error(int fd);
bool conn_socket_is_writable(int fd); /* now */
/* To be called when the connection stands: ICMP is only a hint from here on, as for any client. */
void conn_socket_stands(int fd);
/* The local address; family 0 when there is none. */
struct addr conn_socket_local(int fd);

/* As send() and recv(), never waiting, without SIGPIPE; a RST is ECONNRESET in either. */
ssize_t conn_socket_send(int fd, const void *bytes, size_t count);
ssize_t conn_socket_receive(int fd, void *bytes, size_t room);

/* How a connection ended, from its errno. */
enum outcome conn_socket_outcome(int error);
/* "connect: No route to host, by ICMP administratively prohibited (3/13) of 10.0.0.1": the cause
 * in words, and who said so when the kernel kept it. */
const char *conn_socket_cause(int fd, int error, const char *what, struct arena *arena);

#endif
