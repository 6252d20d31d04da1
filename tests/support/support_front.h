/* support_front: a front end of an API on the loopback, and one probe of it.
 *
 * Its certificate is signed by a root of its own, which the probe is told to trust.
 */
#ifndef TESTS_SUPPORT_FRONT_H
#define TESTS_SUPPORT_FRONT_H

#include "base/arena.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

struct support_front;

/* The kind that asks, the host that it asks for, and the one name in the certificate. */
struct support_front *support_front_new(const char *kind, const char *host, const char *name);
void                  support_front_free(struct support_front *front); /* NULL is fine */

/* One probe of a front end that does talk() after the handshake. */
struct support_probe *support_front_ask(const struct support_front *front,
    void (*talk)(struct ssl_st *ssl, void *arg), void *arg, int64_t limit_ms);
/* One of a TLS server that may have its own ways; NULL certs: the front's own. */
struct support_probe *support_front_ask_tls(
    const struct support_front *front, const struct support_tls *tls, int64_t limit_ms);
/* One of a server that does serve() with each connection. */
struct support_probe *support_front_ask_peer(const struct support_front *front,
    void (*serve)(int fd, void *arg), void *arg, int64_t limit_ms);
/* One signed by the same root, for another name. */
struct support_certs *support_front_leaf(const struct support_front *front, const char *name);

/* Below the dialogue: a certificate for another name, an old TLS, a reset, a server of plain HTTP.
 * The endpoint must say how far it came, and the greeting that nobody spoke.  talk() is what the
 * front end would do.  What is not so, in words, in the arena; NULL: nothing. */
const char *support_front_below(const struct support_front *front,
    void (*talk)(struct ssl_st *ssl, void *arg), void *arg, struct arena *arena);

#endif
