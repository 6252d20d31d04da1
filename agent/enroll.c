#include "agent/enroll.h"

#include "base/clock.h"
#include "base/text.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DER_MAX = 3000 };

static const char agent_uri[] = "urn:plprobe:agent:";

/* The text of a memory BIO, which is freed. */
static char *
take_text(struct arena *arena, BIO *bio)
{
	char *bytes, *text;
	long  count = BIO_get_mem_data(bio, &bytes);

	text = arena_strndup(arena, bytes, (size_t)count);
	digest_wipe(bytes, (size_t)count);
	BIO_free(bio);
	return text;
}

char *
enroll_key_new(struct arena *arena)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIO      *bio = BIO_new(BIO_s_mem());

	/* What fails here is memory or the generator of random numbers. */
	if (key == NULL || bio == NULL ||
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	EVP_PKEY_free(key);
	return take_text(arena, bio);
}

static EVP_PKEY *
read_key(const char *pem, struct err *err)
{
	BIO      *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	ERR_clear_error();
	if (key == NULL)
		err_set(err, ERR_PARSE, "no key that can be read");
	return key;
}

/* The name is left out: the collector gives it. */
static int
make_csr(EVP_PKEY *key, unsigned char *der)
{
	X509_REQ *csr = X509_REQ_new();
	int       count = -1;

	if (csr != NULL && X509_REQ_set_version(csr, X509_REQ_VERSION_1) == 1 &&
	    X509_REQ_set_pubkey(csr, key) == 1 && X509_REQ_sign(csr, key, EVP_sha256()) > 0 &&
	    i2d_X509_REQ(csr, NULL) <= DER_MAX)
		count = i2d_X509_REQ(csr, &der);
	X509_REQ_free(csr);
	ERR_clear_error();
	return count;
}

bool
enroll_ask_write(const struct enroll_ask *ask, struct wbuf *out, struct err *err)
{
	EVP_PKEY        *key = read_key(ask->key, err);
	unsigned char    der[DER_MAX];
	char             text[BASE64_ROOM(DER_MAX)];
	struct enrolment said = { .v = PROTO_VERSION,
		.token = ask->token,
		.agent = ask->agent,
		.network = ask->network,
		.csr = text };
	int              count;

	if (key == NULL)
		return false;
	count = make_csr(key, der);
	EVP_PKEY_free(key);
	if (count <= 0)
		return err_set(err, ERR_SYSTEM, "the signing request cannot be made");
	base64_encode(der, (size_t)count, text);
	encode_message(&enrolment_desc, &said, out);
	return true;
}

static int64_t
read_time_ms(const ASN1_TIME *time)
{
	struct tm when;

	return ASN1_TIME_to_tm(time, &when) == 1 ? (int64_t)timegm(&when) * MS_PER_S : 0;
}

static const char *
read_agent(struct arena *arena, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t         prefix = sizeof(agent_uri) - 1;
	const char    *agent = "";

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char         *text;
		size_t              count;

		if (name->type != GEN_URI)
			continue;
		text = (const char *)ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
		count = (size_t)ASN1_STRING_length(name->d.uniformResourceIdentifier);
		if (count > prefix && memcmp(text, agent_uri, prefix) == 0)
			agent = text_sane(arena, text + prefix, count - prefix, 64);
	}
	GENERAL_NAMES_free(names);
	return agent;
}

static void
take_facts(struct enroll_facts *facts, struct arena *arena, const X509 *cert)
{
	facts->agent = read_agent(arena, cert);
	facts->starts_ms = read_time_ms(X509_get0_notBefore(cert));
	facts->ends_ms = read_time_ms(X509_get0_notAfter(cert));
}

bool
enroll_facts_read(
    struct enroll_facts *facts, struct arena *arena, const char *pem, struct err *err)
{
	EVP_PKEY *key = read_key(pem, err);
	BIO      *bio = BIO_new_mem_buf(pem, -1);
	X509     *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bool      done = false;

	if (key == NULL)
		;
	else if (cert == NULL)
		err_set(err, ERR_PARSE, "no certificate that can be read");
	else if (X509_check_private_key(cert, key) != 1)
		err_set(err, ERR_PARSE, "certificate and key do not belong together");
	else
		done = true;
	if (done)
		take_facts(facts, arena, cert);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return done;
}

/* The certificate of the answer as PEM; NULL when it is none. */
static char *
read_given(struct arena *arena, const char *text)
{
	size_t               chars = strlen(text), count = base64_bytes(text, chars);
	unsigned char       *der = arena_alloc(arena, count + 1);
	const unsigned char *at = der;
	BIO                 *bio;
	X509                *cert;
	char                *pem = NULL;

	if (count == 0 || !base64_decode(text, chars, der, count))
		return NULL;
	cert = d2i_X509(NULL, &at, (long)count);
	bio = BIO_new(BIO_s_mem());
	if (cert != NULL && bio != NULL && PEM_write_bio_X509(bio, cert) == 1)
		pem = take_text(arena, bio);
	else
		BIO_free(bio);
	X509_free(cert);
	ERR_clear_error();
	return pem;
}

bool
enroll_answer_read(struct enroll_given *given, struct arena *arena, const char *key,
    const uint8_t *body, size_t count, struct err *err)
{
	const struct admission *got = decode_message(&admission_desc, arena, body, count, err);
	struct enroll_facts     facts;
	const char             *pem;

	if (got == NULL)
		return err_in(err, "the answer is no certificate");
	pem = read_given(arena, got->certificate);
	if (pem == NULL)
		return err_set(err, ERR_PARSE, "the answer is no certificate");
	given->pem = arena_printf(arena, "%s%s", key, pem);
	if (!enroll_facts_read(&facts, arena, given->pem, err))
		return err_in(err, "the answer");
	if (strcmp(facts.agent, got->agent) != 0)
		return err_set(err, ERR_PARSE, "the answer: the certificate is not for '%.64s'",
		    got->agent);
	given->agent = facts.agent;
	given->network = got->network;
	given->ends_ms = facts.ends_ms;
	return true;
}

bool
enroll_pin(char *pin, bool *root, const char *pem)
{
	BIO           *bio = BIO_new_mem_buf(pem, -1);
	X509          *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	uint8_t        digest[DIGEST_BYTES];
	int            count = -1;

	if (cert != NULL) {
		count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
		*root = X509_NAME_cmp(
		            X509_get_subject_name(cert), X509_get_issuer_name(cert)) == 0;
	}
	if (count > 0) {
		digest_sha256(der, (size_t)count, digest);
		base64_url_encode(digest, sizeof(digest), pin);
	}
	OPENSSL_free(der);
	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	return count > 0;
}

/* {"status":"refused","reason":"..."}: a reason of ours has no escapes but for \" and \\. */
const char *
enroll_reason(struct arena *arena, const uint8_t *body, size_t count)
{
	static const char mark[] = "\"reason\":";
	char             *text = text_sane(arena, body, count, 500);
	char             *at = strstr(text, mark), *out;

	if (at == NULL || (at = strchr(at + sizeof(mark) - 1, '"')) == NULL)
		return "";
	text = out = ++at;
	for (; *at != '\0' && *at != '"'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		*out++ = *at;
	}
	*out = '\0';
	return text;
}
