/* listen_tls: the server's certificate, and the life of each TLS connection.
 *
 * evhttp has no limit on the number, the age or the slowness of connections; this adds them.
 */
#ifndef COLLECTOR_LISTEN_TLS_H
#define COLLECTOR_LISTEN_TLS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "collector/listen_peer.h"

struct bufferevent;
struct listen_tls;
struct listen_conn;

/* Reads a PEM chain and its key, which must belong together. */
struct listen_tls *listen_tls_new(
    const char *certificate_path, const char *key_path, struct err *err);
void listen_tls_free(struct listen_tls *tls); /* NULL is fine; connections live on */
/* From now on clients are asked for a certificate, and known by these authorities: PEM files, ""
 * for none. */
bool listen_tls_trust(struct listen_tls *tls, const char *own_path, const char *operator_path,
    struct err *err) MUST_CHECK;
/* Reads the files again; new connections get the new certificate.  On an error the old one stays
 * in force. */
bool listen_tls_reload(struct listen_tls *tls, struct err *err) MUST_CHECK;
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

/* What the server wants to know of its connections. */
struct listen_watch {
	struct loop *loop; /* borrowed */
	int64_t      first_request_ms, age_ms;
	void (*on_count)(void *arg, int by); /* +1: one more, -1: one is gone */
	void (*on_overdue)(void *arg);
	void *arg;
};

/* A bufferevent that waits for the handshake of a connection still to be accepted, never NULL. The
 * watch outlives all connections. */
struct bufferevent *listen_conn_new(struct listen_tls *tls, const struct listen_watch *watch);
/* The connection behind a bufferevent that listen_conn_new() made. */
struct listen_conn *listen_conn_of(struct bufferevent *stream);
/* A request has come in whole; its answer has gone. */
void listen_conn_ask(struct listen_conn *conn);
void listen_conn_told(struct listen_conn *conn);
/* Who it is by its certificate; after the handshake, while the tls is there. */
const struct listen_peer *listen_conn_peer(struct listen_conn *conn);

#endif
