/* dns_socket: the sockets of the dns probe: fresh, non-blocking, connected, and told of ICMP.
 *
 * A connected UDP socket of its own for every question lets the kernel draw the port and drop
 * what comes from elsewhere.  Never SO_REUSEPORT: it would make the port guessable.
 */
#ifndef PROBE_DNS_DNS_SOCKET_H
#define PROBE_DNS_DNS_SOCKET_H

#include "base/addr.h"
#include "proto/outcome.h"

/* type: SOCK_DGRAM or SOCK_STREAM.  source may have family 0.  Returns the descriptor, or -1 with
 * errno; a stream's connect may still be under way. */
int dns_socket_open(int type, const struct addr *source, const struct addr *peer);

/* For many questions to one peer: a datagram socket that is not connected, and gets its port when
 * something is sent.  Whoever reads from it must look at where a datagram comes from; ICMP comes
 * as an error all the same.  Returns the descriptor, or -1 with errno. */
int dns_socket_open_loose(const struct addr *source, const struct addr *peer);
/* Takes its port away: nothing can reach it any more, and the kernel draws another one for the
 * next sendto().  What lies in its queue stays there. */
bool dns_socket_leave(int fd);

/* What an errno of such a socket says of the peer. */
enum outcome dns_socket_outcome(int cause);

/* Empties the error queue, and says in *router who sent the first ICMP message in it; false when
 * nobody did.  An error queue that is not empty keeps the descriptor readable for ever. */
bool dns_socket_blame(int fd, struct addr *router);

#endif
