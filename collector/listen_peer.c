#include "collector/listen_peer.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "collector/auth.h"
#include "collector/ca.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a client may send of certificates, before we know it. */
enum { CHAIN_BYTES_MAX = 16 << 10 };

struct listen_trust {
	X509_STORE *own, *operators;          /* owned; NULL: none */
	char       *own_path, *operator_path; /* owned */
};

static X509_STORE *
read_store(const char *path, struct err *err)
{
	X509_STORE *store = X509_STORE_new();

	ERR_clear_error();
	if (store == NULL)
		abort();
	if (X509_STORE_load_file(store, path) == 1)
		return store;
	err_set(err, ERR_PARSE, "%s: no certificates of authorities in PEM form: %s", path,
	    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	X509_STORE_free(store);
	return NULL;
}

struct listen_trust *
listen_trust_new(const char *own_path, const char *operator_path, struct err *err)
{
	struct listen_trust *trust = mem_alloc(sizeof(*trust));
	bool                 done = true;

	trust->own_path = mem_strdup(own_path);
	trust->operator_path = mem_strdup(operator_path);
	if (own_path[0] != '\0')
		done = (trust->own = read_store(own_path, err)) != NULL;
	if (done && operator_path[0] != '\0')
		done = (trust->operators = read_store(operator_path, err)) != NULL;
	if (done)
		return trust;
	listen_trust_free(trust);
	return NULL;
}

void
listen_trust_free(struct listen_trust *trust)
{
	if (trust == NULL)
		return;
	X509_STORE_free(trust->own);
	X509_STORE_free(trust->operators);
	free(trust->own_path);
	free(trust->operator_path);
	free(trust);
}

static int
take_any(X509_STORE_CTX *context, void *arg)
{
	return 1;
}

/* The names of our authorities go with the question, for clients that choose by them. */
void
listen_trust_ask(const struct listen_trust *trust, SSL_CTX *context)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	if (names == NULL)
		abort();
	if (trust->own != NULL)
		SSL_add_file_cert_subjects_to_stack(names, trust->own_path);
	if (trust->operators != NULL)
		SSL_add_file_cert_subjects_to_stack(names, trust->operator_path);
	ERR_clear_error();
	SSL_CTX_set_client_CA_list(context, names);
	SSL_CTX_set_max_cert_list(context, CHAIN_BYTES_MAX);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, take_any, NULL);
}

/* That the certificate itself has ended is judged with our clock, request by request. */
static int
on_verify(int good, X509_STORE_CTX *context)
{
	return good ||
	    (X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_HAS_EXPIRED &&
	        X509_STORE_CTX_get_error_depth(context) == 0);
}

static bool
is_of(X509_STORE *store, X509 *cert, STACK_OF(X509) * chain)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool            good = false;

	if (context == NULL)
		abort();
	if (store != NULL && X509_STORE_CTX_init(context, store, cert, chain) == 1) {
		X509_STORE_CTX_set_default(context, "ssl_client");
		X509_STORE_CTX_set_verify_cb(context, on_verify);
		good = X509_verify_cert(context) == 1;
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return good;
}

/* The text of an ASN.1 string if it names an agent. */
static bool
take_agent(struct listen_peer *peer, const ASN1_STRING *text, const char *prefix)
{
	const char *bytes = (const char *)ASN1_STRING_get0_data(text);
	size_t      count = (size_t)ASN1_STRING_length(text), skip = strlen(prefix);

	if (count <= skip || count - skip >= sizeof(peer->agent) ||
	    memcmp(bytes, prefix, skip) != 0)
		return false;
	memcpy(peer->agent, bytes + skip, count - skip);
	peer->agent[count - skip] = '\0';
	if (strlen(peer->agent) == count - skip && auth_is_agent(peer->agent))
		return true;
	peer->agent[0] = '\0';
	return false;
}

static bool
take_alternative(struct listen_peer *peer, const X509 *cert, int type, const char *prefix)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool           found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		found = name->type == type && take_agent(peer, name->d.ia5, prefix);
	}
	GENERAL_NAMES_free(names);
	return found;
}

static bool
take_common_name(struct listen_peer *peer, const X509 *cert)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int              at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	return at >= 0 &&
	    take_agent(peer, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), "");
}

static int64_t
read_time_ms(const ASN1_TIME *time)
{
	struct tm when;

	return ASN1_TIME_to_tm(time, &when) == 1 ? (int64_t)timegm(&when) * MS_PER_S : 0;
}

static void
take_serial(struct listen_peer *peer, const X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	size_t              count = (size_t)ASN1_STRING_length(serial);

	/* At most 20 octets [rfc5280 4.1.2.2]. */
	if (count <= (sizeof(peer->serial) - 1) / 2)
		digest_hex(ASN1_STRING_get0_data(serial), count, peer->serial);
}

static bool
take_names(struct listen_peer *peer, const X509 *cert)
{
	if (take_alternative(peer, cert, GEN_URI, CA_AGENT_URI))
		return true;
	return peer->kind == LISTEN_PEER_OPERATOR &&
	    (take_alternative(peer, cert, GEN_DNS, "") || take_common_name(peer, cert));
}

void
listen_peer_read(struct listen_peer *peer, const struct listen_trust *trust, const SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	*peer = (struct listen_peer){ .kind = LISTEN_PEER_NONE, .why = "" };
	if (cert == NULL)
		return;
	if (is_of(trust->own, cert, chain))
		peer->kind = LISTEN_PEER_OURS;
	else if (is_of(trust->operators, cert, chain))
		peer->kind = LISTEN_PEER_OPERATOR;
	else
		peer->kind = LISTEN_PEER_STRANGER;
	peer->starts_ms = read_time_ms(X509_get0_notBefore(cert));
	peer->ends_ms = read_time_ms(X509_get0_notAfter(cert));
	take_serial(peer, cert);
	if (peer->kind == LISTEN_PEER_STRANGER) {
		peer->why = "the certificate is of no authority that this collector trusts";
	} else if (peer->serial[0] == '\0' || !take_names(peer, cert)) {
		peer->kind = LISTEN_PEER_STRANGER;
		peer->why = "the certificate names no agent";
	}
}
