#include "tests/support/support_certs.h"

#include "base/arena.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PRESET_START_S = -3600, PRESET_END_S = 30 * 86400 };

struct support_certs {
	EVP_PKEY                   *key;    /* owned */
	X509                       *x509;   /* owned */
	const struct support_certs *issuer; /* borrowed; outlives us */
};

static void
need(bool done, const char *what)
{
	if (done)
		return;
	fprintf(stderr, "support_certs: cannot %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

static void
add_name(GENERAL_NAMES *names, const char *text)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	unsigned char bytes[16];
	int           count = inet_pton(AF_INET, text, bytes) == 1 ? 4
	              : inet_pton(AF_INET6, text, bytes) == 1      ? 16
	                                                           : 0;
	ASN1_STRING  *value = count != 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

	if (count != 0)
		ASN1_STRING_set(value, bytes, count);
	else
		ASN1_STRING_set(value, text, (int)strlen(text));
	GENERAL_NAME_set0_value(name, count != 0 ? GEN_IPADD : GEN_DNS, value);
	need(sk_GENERAL_NAME_push(names, name) > 0, "add a name");
}

static void
add_names(X509 *x509, const char *const *texts)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();

	for (; *texts != NULL; texts++)
		add_name(names, *texts);
	need(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1,
	    "add the names");
	GENERAL_NAMES_free(names);
}

static void
add_extension(X509 *x509, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX      context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, issuer, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	need(extension != NULL && X509_add_ext(x509, extension, -1) == 1, "add an extension");
	X509_EXTENSION_free(extension);
}

static void
add_extensions(X509 *x509, X509 *issuer, const struct support_certs_plan *plan)
{
	add_extension(x509, issuer, NID_basic_constraints,
	    plan->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(x509, issuer, NID_key_usage,
	    plan->authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	if (!plan->authority)
		add_extension(x509, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
	add_extension(x509, issuer, NID_subject_key_identifier, "hash");
	add_extension(x509, issuer, NID_authority_key_identifier, "keyid");
	if (plan->names != NULL)
		add_names(x509, plan->names);
}

static void
set_dates(X509 *x509, const struct support_certs_plan *plan)
{
	bool preset = plan->starts_s == 0 && plan->ends_s == 0;

	X509_gmtime_adj(
	    X509_getm_notBefore(x509), preset ? PRESET_START_S : (long)plan->starts_s);
	X509_gmtime_adj(X509_getm_notAfter(x509), preset ? PRESET_END_S : (long)plan->ends_s);
}

struct support_certs *
support_certs_new(const struct support_certs_plan *plan)
{
	struct support_certs *certs = mem_alloc(sizeof(*certs));
	X509                 *x509 = X509_new();
	X509                 *issuer = plan->issuer != NULL ? plan->issuer->x509 : x509;
	BIGNUM               *serial = BN_new();

	certs->x509 = x509;
	certs->issuer = plan->issuer;
	certs->key = plan->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	need(certs->key != NULL, "make a key");
	BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
	BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509));
	BN_free(serial);
	X509_set_version(x509, X509_VERSION_3);
	set_dates(x509, plan);
	need(X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
	         (const unsigned char *)plan->subject, -1, -1, 0) == 1,
	    "set the subject");
	X509_set_issuer_name(x509, X509_get_subject_name(issuer));
	X509_set_pubkey(x509, certs->key);
	add_extensions(x509, issuer, plan);
	need(X509_sign(
	         x509, plan->issuer != NULL ? plan->issuer->key : certs->key, EVP_sha256()) > 0,
	    "sign");
	return certs;
}

void
support_certs_free(struct support_certs *certs)
{
	if (certs == NULL)
		return;
	X509_free(certs->x509);
	EVP_PKEY_free(certs->key);
	free(certs);
}

struct x509_st *
support_certs_x509(const struct support_certs *certs)
{
	return certs->x509;
}

struct evp_pkey_st *
support_certs_key(const struct support_certs *certs)
{
	return certs->key;
}

const struct support_certs *
support_certs_issuer(const struct support_certs *certs)
{
	return certs->issuer;
}

static FILE *
open_file(const char *path, mode_t mode)
{
	mode_t old = umask(0777 & ~mode);
	FILE  *file = fopen(path, "w");

	umask(old);
	need(file != NULL, path);
	return file;
}

void
support_certs_write(
    const struct support_certs *certs, const char *cert_path, const char *key_path)
{
	FILE *file;

	if (cert_path != NULL) {
		file = open_file(cert_path, 0644);
		PEM_write_X509(file, certs->x509);
		for (const struct support_certs *up = certs->issuer;
		     up != NULL && up->issuer != NULL; up = up->issuer)
			PEM_write_X509(file, up->x509);
		need(fclose(file) == 0, cert_path);
	}
	if (key_path != NULL) {
		file = open_file(key_path, 0600);
		PEM_write_PrivateKey(file, certs->key, NULL, NULL, 0, NULL, NULL);
		need(fclose(file) == 0, key_path);
	}
}
