#include "collector/ca.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/wbuf.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 10, RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 4096 };

static const int64_t authority_life_s = INT64_C(10) * 365 * 86400;
static const int64_t skew_s = 300; /* clocks of agents may be behind ours */

struct ca {
	EVP_PKEY *key;  /* owned */
	X509     *cert; /* owned */
};

struct ca_key {
	EVP_PKEY *pkey; /* owned */
};

/* OpenSSL's words for what went wrong last. */
static bool
refuse(struct err *err, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return err_set(err, ERR_PARSE, "%s: %s", what, reason != NULL ? reason : "not usable");
}

static bool
add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX      context;
	X509_EXTENSION *extension;
	bool            done;

	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	done = extension != NULL && X509_add_ext(cert, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

/* 128 random bits, the first of them 0 so that the number is positive [rfc5280 4.1.2.2]. */
static bool
set_serial(X509 *cert, char text[CA_SERIAL_ROOM])
{
	uint8_t bytes[CA_SERIAL_BYTES];
	BIGNUM *number;
	bool    done;

	digest_random(bytes, sizeof(bytes));
	bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40); /* and never shorter */
	digest_hex(bytes, sizeof(bytes), text);
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	done = number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
	BN_free(number);
	return done;
}

static bool
set_times(X509 *cert, int64_t now_ms, int64_t life_s)
{
	time_t now_s = (time_t)(now_ms / MS_PER_S);

	return ASN1_TIME_set(X509_getm_notBefore(cert), now_s - skew_s) != NULL &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), now_s + life_s) != NULL;
}

static bool
set_name(X509 *cert, const char *text)
{
	return X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), NID_commonName,
	           MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool
make_authority(struct ca *ca, int64_t now_ms)
{
	X509 *cert = X509_new();
	char  serial[CA_SERIAL_ROOM];

	ca->key = EVP_EC_gen("P-256");
	ca->cert = cert;
	return ca->key != NULL && cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert, serial) && set_times(cert, now_ms, authority_life_s) &&
	    set_name(cert, "plprobe agents") &&
	    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
	    X509_set_pubkey(cert, ca->key) == 1 &&
	    add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	    add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
	    X509_sign(cert, ca->key, EVP_sha256()) > 0;
}

/* The key first: a certificate without its key is refused, a key without one is made anew. */
static bool
write_authority(
    const struct ca *ca, const char *key_path, const char *cert_path, struct err *err)
{
	BIO  *key = BIO_new(BIO_s_mem()), *cert = BIO_new(BIO_s_mem());
	char *key_text, *cert_text;
	long  key_count, cert_count;
	bool  done = false;

	if (key == NULL || cert == NULL)
		abort();
	if (PEM_write_bio_PKCS8PrivateKey(key, ca->key, NULL, NULL, 0, NULL, NULL) != 1 ||
	    PEM_write_bio_X509(cert, ca->cert) != 1) {
		refuse(err, "authority");
	} else {
		key_count = BIO_get_mem_data(key, &key_text);
		cert_count = BIO_get_mem_data(cert, &cert_text);
		done = file_replace(key_path, key_text, (size_t)key_count, 0600, err) &&
		    file_replace(cert_path, cert_text, (size_t)cert_count, 0644, err);
		digest_wipe(key_text, (size_t)key_count);
	}
	BIO_free(key);
	BIO_free(cert);
	return done;
}

/* The first certificate of the text and the key, which must belong together. */
static bool
read_authority(struct ca *ca, const char *key_path, const char *cert_path, struct err *err)
{
	struct arena *arena = arena_new();
	size_t        key_count = 0, cert_count = 0;
	char         *key_text = file_read(arena, key_path, FILE_MAX, &key_count, err);
	char         *cert_text = file_read(arena, cert_path, FILE_MAX, &cert_count, err);
	BIO          *bio;
	bool          done = false;

	if (key_text != NULL && cert_text != NULL) {
		bio = BIO_new_mem_buf(key_text, (int)key_count);
		ca->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		BIO_free(bio);
		bio = BIO_new_mem_buf(cert_text, (int)cert_count);
		ca->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
		BIO_free(bio);
		if (ca->key == NULL)
			refuse(err, key_path);
		else if (ca->cert == NULL)
			refuse(err, cert_path);
		else if (X509_check_private_key(ca->cert, ca->key) != 1)
			err_set(err, ERR_USAGE,
			    "%s: its first certificate is not of the key in %s", cert_path,
			    key_path);
		else
			done = true;
	}
	ERR_clear_error();
	arena_free_wiped(arena);
	return done;
}

static bool
is_absent(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT;
}

struct ca *
ca_open(const char *folder, int64_t now_ms, struct err *err)
{
	struct ca *ca = mem_alloc(sizeof(*ca));
	char      *key_path = mem_printf("%s/ca.key", folder);
	char      *cert_path = mem_printf("%s/ca.pem", folder);
	bool       done;

	ERR_clear_error();
	if (!is_absent(cert_path))
		done = read_authority(ca, key_path, cert_path, err);
	else
		done = (make_authority(ca, now_ms) || refuse(err, "making an authority")) &&
		    write_authority(ca, key_path, cert_path, err);
	free(key_path);
	free(cert_path);
	if (done)
		return ca;
	ca_free(ca);
	return NULL;
}

void
ca_free(struct ca *ca)
{
	if (ca == NULL)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	free(ca);
}

static int64_t
read_end_ms(const X509 *cert)
{
	struct tm when;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(cert), &when) != 1)
		return 0;
	return (int64_t)timegm(&when) * MS_PER_S;
}

int64_t
ca_ends_ms(const struct ca *ca)
{
	return read_end_ms(ca->cert);
}

static bool
check_key(EVP_PKEY *pkey, struct err *err)
{
	char group[64] = "";
	int  bits = EVP_PKEY_get_bits(pkey);

	if (EVP_PKEY_is_a(pkey, "ED25519"))
		return true;
	if (EVP_PKEY_is_a(pkey, "RSA")) {
		if (bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST)
			return true;
		return err_set(err, ERR_LIMIT,
		    "signing request: an RSA key of %d bits; %d to %d wanted", bits,
		    RSA_BITS_LEAST, RSA_BITS_MOST);
	}
	if (EVP_PKEY_is_a(pkey, "EC") &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 &&
	    (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0))
		return true;
	return err_set(err, ERR_USAGE,
	    "signing request: a key of another kind; P-256, Ed25519 or RSA wanted");
}

struct ca_key *
ca_key_parse(const uint8_t *der, size_t count, struct err *err)
{
	const unsigned char *at = der;
	X509_REQ            *csr;
	struct ca_key       *key = NULL;
	EVP_PKEY            *pkey;

	ERR_clear_error();
	csr = d2i_X509_REQ(NULL, &at, (long)count);
	pkey = csr != NULL ? X509_REQ_get0_pubkey(csr) : NULL;
	if (csr == NULL || at != der + count)
		err_set(err, ERR_PARSE, "signing request: not one in DER form");
	else if (pkey == NULL)
		err_set(err, ERR_PARSE, "signing request: without a key that can be read");
	else if (!check_key(pkey, err))
		;
	else if (X509_REQ_verify(csr, pkey) != 1)
		err_set(err, ERR_PARSE, "signing request: not signed with its own key");
	else {
		key = mem_alloc(sizeof(*key));
		EVP_PKEY_up_ref(pkey);
		key->pkey = pkey;
	}
	X509_REQ_free(csr);
	ERR_clear_error();
	return key;
}

void
ca_key_free(struct ca_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

void
ca_key_digest(const struct ca_key *key, uint8_t digest[DIGEST_BYTES])
{
	unsigned char *der = NULL;
	int            count = i2d_PUBKEY(key->pkey, &der);

	if (count <= 0)
		abort(); /* it was read from DER */
	digest_sha256(der, (size_t)count, digest);
	OPENSSL_free(der);
}

static bool
fill_leaf(X509 *cert, const struct ca *ca, const struct ca_order *order, struct ca_made *made)
{
	char *uri = mem_printf("URI:" CA_AGENT_URI "%s", order->agent);
	bool  done = X509_set_version(cert, X509_VERSION_3) == 1 &&
	    set_serial(cert, made->serial) &&
	    set_times(cert, order->now_ms, order->life_ms / MS_PER_S) &&
	    set_name(cert, order->agent) &&
	    X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1 &&
	    X509_set_pubkey(cert, order->key->pkey) == 1 &&
	    add_extension(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
	    add_extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
	    add_extension(cert, ca->cert, NID_ext_key_usage, "clientAuth") &&
	    add_extension(cert, ca->cert, NID_authority_key_identifier, "keyid") &&
	    add_extension(cert, ca->cert, NID_subject_alt_name, uri);

	free(uri);
	return done;
}

bool
ca_sign(
    const struct ca *ca, const struct ca_order *order, struct ca_made *made, struct err *err)
{
	X509          *cert = X509_new();
	unsigned char *at = made->der;
	int            count = -1;

	ERR_clear_error();
	if (cert != NULL && fill_leaf(cert, ca, order, made) &&
	    X509_sign(cert, ca->key, EVP_sha256()) > 0)
		count = i2d_X509(cert, NULL);
	if (count > 0 && count <= CA_DER_MAX) {
		made->count = (size_t)i2d_X509(cert, &at);
		made->ends_ms = read_end_ms(cert);
	} else {
		refuse(err, "signing");
	}
	X509_free(cert);
	return count > 0 && count <= CA_DER_MAX;
}
