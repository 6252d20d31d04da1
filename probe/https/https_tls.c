#include "probe/https/https_tls.h"

#include "probe/tls_roots.h"

#include <openssl/ssl.h>

/* As in tls_roots.c: a certificate with thousands of names is refused. */
enum { CERT_LIST_BYTES = 64 * 1024 };

void
https_tls_apply(void *ssl_ctx, const struct tls_roots *roots)
{
	SSL_CTX_set1_cert_store(ssl_ctx, tls_roots_store(roots));
	SSL_CTX_set_max_cert_list(ssl_ctx, CERT_LIST_BYTES);
}
