/* tls_record: the kind "tls": does the address take a connection, and is its certificate good for
 * the name?
 *
 * One connection answers both, so a measurement needs no tcp probe beside it.  Under TLS 1.3 a
 * server that wants a certificate of ours objects only after the handshake; the probe listens
 * for that when, and only when, it was asked for one.
 */
#ifndef PROBE_TLS_TLS_RECORD_H
#define PROBE_TLS_TLS_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;

extern const struct probe_kind probe_tls;

/* Fills what tcp_record() fills, and the fields of the handshake and the certificate. */
void tls_record(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena);

#endif
