/* https_tls: our part in the handshakes that libcurl makes: the shared roots, and limits.
 *
 * Reading the system's bundle costs more than twenty handshakes; libcurl without its CA cache
 * would do it for each connection.
 */
#ifndef PROBE_HTTPS_HTTPS_TLS_H
#define PROBE_HTTPS_HTTPS_TLS_H

struct tls_roots;

/* ssl_ctx is an SSL_CTX, as CURLOPT_SSL_CTX_FUNCTION gives it. */
void https_tls_apply(void *ssl_ctx, const struct tls_roots *roots);

#endif
