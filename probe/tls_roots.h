/* tls_roots: whom this machine trusts, loaded once and shared by all handshakes.
 *
 * The system's roots are read from its hashed directory one by one, as peers need them: loading
 * the whole bundle costs 22 to 37 ms and 3 MB.  Where there is no such directory the bundle is
 * loaded, once.  A file given by configuration replaces both.  It verifies nothing itself.
 */
#ifndef PROBE_TLS_ROOTS_H
#define PROBE_TLS_ROOTS_H

#include "base/err.h"

struct ssl_ctx_st;
struct tls_roots;
struct x509_store_st;

/* ca_file: PEM bundle that replaces the system's roots; NULL or "": those.  A machine without
 * roots is no error, a ca_file without a certificate is. */
struct tls_roots *tls_roots_new(const char *ca_file, struct err *err);
void              tls_roots_free(struct tls_roots *roots); /* NULL is fine */

/* Both lent; whoever keeps them longer than the roots takes a reference. */
struct x509_store_st *tls_roots_store(const struct tls_roots *roots);
struct ssl_ctx_st    *tls_roots_client(const struct tls_roots *roots);

/* Where they come from: a path, or "" when this machine has none. */
const char *tls_roots_origin(const struct tls_roots *roots);

#endif
