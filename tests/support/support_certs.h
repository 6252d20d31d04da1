/* support_certs: keys and certificates made on the spot, good and bad ones.
 *
 * For tests and fake servers.  Nothing here returns an error: a helper that cannot help ends the
 * program with a line on stderr.
 */
#ifndef TESTS_SUPPORT_CERTS_H
#define TESTS_SUPPORT_CERTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evp_pkey_st;
struct support_certs;
struct x509_st;

struct support_certs_plan {
	const char *subject; /* its common name */
	/* Subject alternative names, NULL at the end: a text that is an IP address becomes one, all
	 * others become DNS names, byte for byte.  NULL: none. */
	const char *const *names;
	int64_t            starts_s, ends_s; /* from now; both 0: an hour ago, in 30 days */
	bool               authority;        /* may sign others */
	bool               rsa;              /* RSA of 2048 bits, else P-256 */
	const struct support_certs *issuer;  /* outlives us; NULL: signs itself */
};

/* A key and its certificate, with the way up to its root. */
struct support_certs *support_certs_new(const struct support_certs_plan *plan);
void                  support_certs_free(struct support_certs *certs); /* NULL is fine */

struct x509_st     *support_certs_x509(const struct support_certs *certs); /* borrowed */
struct evp_pkey_st *support_certs_key(const struct support_certs *certs);  /* borrowed */
/* Who signed it; NULL for a root. */
const struct support_certs *support_certs_issuer(const struct support_certs *certs);

/* PEM: the certificate and those between it and its root (a root alone when it is one), and the
 * key with mode 0600.  Either path may be NULL. */
void support_certs_write(
    const struct support_certs *certs, const char *cert_path, const char *key_path);

#endif
