/* listen_peer: who stands at the other end of a connection, by the certificate it has shown.
 *
 * The handshake proves only that the peer has the certificate's key, and takes any certificate or
 * none; whose it is, is asked here, so that a refusal can be said in words over HTTP and a new
 * authority counts for connections that are there already.  Whether an agent of that name may do
 * what it asks for is the gate's matter (collector/gate.h).
 */
#ifndef COLLECTOR_LISTEN_PEER_H
#define COLLECTOR_LISTEN_PEER_H

#include "collector/listen_trust.h"

#include <stdint.h>

enum listen_peer_kind {
	LISTEN_PEER_NONE,     /* it has shown no certificate */
	LISTEN_PEER_OURS,     /* of our own authority */
	LISTEN_PEER_OPERATOR, /* of the authority that the operator names */
	LISTEN_PEER_STRANGER /* of neither, revoked, not for clients, or without a name for an agent */
};

enum { LISTEN_PEER_AGENT_ROOM = 65, LISTEN_PEER_SERIAL_ROOM = 41 };

/* A certificate that has ended is OURS or OPERATOR all the same: look at ends_ms. */
struct listen_peer {
	enum listen_peer_kind kind;
	char                  agent[LISTEN_PEER_AGENT_ROOM];
	char                  serial[LISTEN_PEER_SERIAL_ROOM]; /* lower-case hex */
	int64_t               starts_ms, ends_ms;
	const char           *why; /* of a stranger: what is wrong with it; static */
};

/* After the handshake.  The agent of a certificate is, of our own authority, what stands behind
 * "urn:plprobe:agent:" in its URI; of the operator's, that, or else its first DNS name, or else
 * its common name [rfc5280 4.2.1.6]. */
void listen_peer_read(
    struct listen_peer *peer, const struct listen_trust *trust, const struct ssl_st *ssl);

#endif
