/* conn_tls: one TLS session of a client on a socket that is connected and does not block.
 *
 * The door to OpenSSL for what conn carries.  The handshake goes on when the certificate does not
 * verify, so that its facts can be shown; the session is then over and carries no data.  It never
 * waits: the caller watches the socket.
 */
#ifndef PROBE_CONN_TLS_H
#define PROBE_CONN_TLS_H

#include "base/arena.h"
#include "probe/tls_roots.h"
#include "proto/outcome.h"

#include <stdint.h>

struct conn_tls;

/* How a step over the socket went, with TLS or without. */
enum conn_io {
	CONN_IO_DONE,
	CONN_IO_WANT_READ,  /* call again when the socket is readable */
	CONN_IO_WANT_WRITE, /* likewise, writable */
	CONN_IO_OVER        /* nothing more will come; why: conn_tls_outcome() */
};

/* What the peer showed of itself.  Texts are sane, bounded, in the arena and never NULL. */
struct conn_tls_facts {
	const char *version;     /* "TLSv1.3"; "" when none was agreed on */
	const char *alpn;        /* protocol agreed on [rfc7301]; "" when none was */
	uint32_t    verify_code; /* first X509_V_ERR_*; 0 is good, or no certificate came */
	const char *verify_text; /* the same in OpenSSL's words; "" when no certificate came */
	const char *subject;     /* one line [rfc4514] */
	const char *sans;        /* DNS names, space between, whole names up to 1 KiB */
	const char *issuer;      /* as subject */
	int64_t     not_before_ms, not_after_ms; /* Unix time */
	uint32_t    chain_length;                /* certificates the peer sent */
	uint32_t    alert; /* with which the peer ended it [rfc8446 6]; 0: with none */
};

/* host is what the certificate must be good for, and SNI unless it is an IP address; wall_ms
 * is the time at which it must be valid.  roots, fd and arena are borrowed and outlive it. */
struct conn_tls *conn_tls_new(
    struct tls_roots *roots, int fd, const char *host, int64_t wall_ms, struct arena *arena);
void conn_tls_free(struct conn_tls *tls); /* sends nothing; NULL is fine */

/* Before the first conn_tls_shake(): offers one protocol [rfc7301 3.1], of 1 to 255 bytes. */
void conn_tls_offer(struct conn_tls *tls, const char *alpn);

enum conn_io conn_tls_shake(struct conn_tls *tls);
/* What the peer took of the offer; "" when nothing, or before the handshake is DONE.  Sane, in the
 * arena. */
const char *conn_tls_alpn(const struct conn_tls *tls);
/* The peer asked for a certificate of ours and we sent none: under TLS 1.3 it objects only after
 * the handshake [rfc8446 4.4.2.4], so the end of the handshake is not yet its word. */
bool conn_tls_is_asked(const struct conn_tls *tls);
/* DONE as soon as the peer said anything after the handshake that is not an objection. */
enum conn_io conn_tls_settle(struct conn_tls *tls);

enum conn_io conn_tls_read(struct conn_tls *tls, void *bytes, size_t room, size_t *count);
enum conn_io conn_tls_write(
    struct conn_tls *tls, const void *bytes, size_t count, size_t *written);

/* After OVER, or after the handshake is DONE: OK, TLS_REJECTED, TLS_FAILED, NOT_TLS, RESET,
 * CLOSED, UNREACHABLE, TIMEOUT (of the kernel). */
enum outcome conn_tls_outcome(const struct conn_tls *tls);
/* Why, in words; "" when all is well. */
const char *conn_tls_detail(const struct conn_tls *tls);
/* errno of the socket, 0 when it was not the socket. */
int      conn_tls_errno(const struct conn_tls *tls);
uint64_t conn_tls_heard_bytes(const struct conn_tls *tls); /* from the socket */
void     conn_tls_facts(const struct conn_tls *tls, struct conn_tls_facts *facts);

#endif
