/* listen_tls: a server's certificate, whose certificates it takes, and how both change while it runs.
 *
 * What concerns one connection is in listen_conn.
 */
#ifndef COLLECTOR_LISTEN_TLS_H
#define COLLECTOR_LISTEN_TLS_H

#include "base/arena.h"
#include "base/err.h"
#include "collector/listen_peer.h"

struct listen_tls;

/* Reads a PEM chain and its key, which must belong together. */
struct listen_tls *listen_tls_new(
    const char *certificate_path, const char *key_path, struct err *err);
void listen_tls_free(struct listen_tls *tls); /* NULL is fine; connections live on */
/* From now on clients are asked for a certificate, and known by these authorities. */
bool listen_tls_trust(
    struct listen_tls *tls, const struct listen_trust_files *files, struct err *err) MUST_CHECK;
/* Takes other files, or the same ones anew: new connections get the new certificate, those that are
 * there live on; whom to trust counts for all from their next request on.  files NULL: nobody is
 * asked, as before.  On an error all is as it was. */
bool listen_tls_change(struct listen_tls *tls, const char *certificate_path,
    const char *key_path, const struct listen_trust_files *files, struct err *err) MUST_CHECK;
bool listen_tls_reload(struct listen_tls *tls, struct err *err) MUST_CHECK; /* the same files */
/* Reads the revocation lists again where their file has changed; on an error those from before
 * count. */
bool listen_tls_refresh(struct listen_tls *tls, struct err *err) MUST_CHECK;
/* When the certificate in force ends, Unix ms. */
int64_t listen_tls_ends_ms(const struct listen_tls *tls);
/* Whether it is for that name or address, as a client would ask [rfc6125 6.4]. */
bool listen_tls_is_for(const struct listen_tls *tls, const char *host);
/* What a person should be told of it at that time, in the arena: that it has ended, or does so
 * within 14 days.  NULL: nothing. */
const char *listen_tls_warning(
    const struct listen_tls *tls, struct arena *arena, int64_t now_ms);
/* "OpenSSL 3.0.17 ..." */
const char *listen_tls_version(void);

/* For listen_conn: whom to trust, NULL for nobody; how often that has changed; and a new connection
 * of it, never NULL. */
const struct listen_trust *listen_tls_trusted(const struct listen_tls *tls);
unsigned                   listen_tls_changes(const struct listen_tls *tls);
struct ssl_st             *listen_tls_ssl(struct listen_tls *tls);

#endif
