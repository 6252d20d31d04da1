/* support_peer: a server on the loopback that does to each connection what the test says.
 *
 * It listens on a free port and serves in a thread of its own, one connection after the other.
 */
#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include "base/addr.h"

struct support_certs;
struct ssl_st;
struct support_peer;

/* serve() gets a blocking descriptor and must not close it; NULL only accepts. */
struct support_peer *support_peer_start(void (*serve)(int fd, void *arg), void *arg);
/* One whose queue is full: it drops every SYN, as a firewall does. */
struct support_peer *support_peer_start_full(void);
/* Cuts the connections short, joins the thread, closes.  NULL is fine. */
void        support_peer_stop(struct support_peer *peer);
struct addr support_peer_addr(const struct support_peer *peer);

/* For serve(): a TLS handshake as server, and what comes after. */
struct support_tls {
	const struct support_certs *certs;
	int  least_version, most_version; /* TLS1_2_VERSION and so on; 0: any */
	bool wants_client;                /* demand a certificate of the client */
	bool wants_client_politely;       /* ask for one, and do without */
	bool no_tickets;                  /* say nothing between handshake and talk() */
	/* What to agree on when the client offers protocols, whatever it offers; "": an alert that
	 * none of them will do; NULL: the offer is not looked at. */
	const char *alpn;
	/* After the handshake; NULL: read until the client closes. */
	void (*talk)(struct ssl_st *ssl, void *arg);
	void *arg;
};
void support_tls_serve(int fd, void *support_tls);

/* For serve(). */
void support_peer_reset(int fd, void *unused);  /* RST at once */
void support_peer_silent(int fd, void *unused); /* reads until the client closes */
void support_peer_says(int fd, void *text);     /* sends the text and closes */

#endif
