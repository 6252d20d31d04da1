#include "collector/listen_trust.h"

#include "base/clock.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What a client may send of certificates, before we know it. */
enum { CHAIN_BYTES_MAX = 16 << 10 };

struct listen_trust {
	X509_STORE     *own, *operators;                          /* owned; NULL: none */
	char           *own_path, *operators_path, *revoked_path; /* owned */
	bool            lists; /* the operators' store has revocation lists */
	int64_t         due_ms;
	struct timespec changed; /* of the file of revocation lists */
	ino_t           inode;
};

static const char *
say_reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return text != NULL ? text : "nothing in it";
}

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
	    say_reason());
	X509_STORE_free(store);
	return NULL;
}

/* A list in the name of an authority that is here has to be signed by it. */
static bool
is_forged(STACK_OF(X509_OBJECT) * all, X509_CRL *list)
{
	bool named = false;

	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));

		if (authority == NULL ||
		    X509_NAME_cmp(
		        X509_get_subject_name(authority), X509_CRL_get_issuer(list)) != 0)
			continue;
		named = true;
		if (X509_CRL_verify(list, X509_get0_pubkey(authority)) == 1)
			return false;
	}
	ERR_clear_error();
	return named;
}

static int64_t
read_due_ms(const X509_CRL *list)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
	struct tm        when;

	if (next == NULL || ASN1_TIME_to_tm(next, &when) != 1)
		return INT64_MAX;
	return (int64_t)timegm(&when) * MS_PER_S;
}

static bool
check_lists(struct listen_trust *trust, struct err *err)
{
	STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(trust->operators);

	trust->due_ms = INT64_MAX;
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		X509_CRL *list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(all, i));
		int64_t   due_ms;

		if (list == NULL)
			continue;
		if (is_forged(all, list))
			return err_set(err, ERR_PARSE,
			    "%s: a revocation list that the authority in %s has not signed",
			    trust->revoked_path, trust->operators_path);
		due_ms = read_due_ms(list);
		trust->due_ms = due_ms < trust->due_ms ? due_ms : trust->due_ms;
	}
	return true;
}

static bool
read_lists(struct listen_trust *trust, struct err *err)
{
	X509_LOOKUP *lookup = X509_STORE_add_lookup(trust->operators, X509_LOOKUP_file());
	struct stat  now;

	ERR_clear_error();
	if (lookup == NULL)
		abort();
	if (stat(trust->revoked_path, &now) != 0)
		return err_errno(err, "%s", trust->revoked_path);
	trust->changed = now.st_mtim;
	trust->inode = now.st_ino;
	if (X509_load_crl_file(lookup, trust->revoked_path, X509_FILETYPE_PEM) <= 0)
		return err_set(err, ERR_PARSE, "%s: no revocation lists in PEM form: %s",
		    trust->revoked_path, say_reason());
	X509_STORE_set_flags(
	    trust->operators, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	trust->lists = true;
	return check_lists(trust, err);
}

static bool
read_files(struct listen_trust *trust, struct err *err)
{
	if (trust->own_path[0] != '\0' &&
	    (trust->own = read_store(trust->own_path, err)) == NULL)
		return false;
	if (trust->operators_path[0] != '\0' &&
	    (trust->operators = read_store(trust->operators_path, err)) == NULL)
		return false;
	if (trust->operators == NULL || trust->revoked_path[0] == '\0')
		return true;
	return read_lists(trust, err);
}

struct listen_trust *
listen_trust_new(const struct listen_trust_files *files, struct err *err)
{
	struct listen_trust *trust = mem_alloc(sizeof(*trust));

	trust->own_path = mem_strdup(files->own);
	trust->operators_path = mem_strdup(files->operators);
	trust->revoked_path = mem_strdup(files->revoked);
	if (read_files(trust, err))
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
	free(trust->operators_path);
	free(trust->revoked_path);
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
		SSL_add_file_cert_subjects_to_stack(names, trust->operators_path);
	ERR_clear_error();
	SSL_CTX_set_client_CA_list(context, names);
	SSL_CTX_set_max_cert_list(context, CHAIN_BYTES_MAX);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(context, take_any, NULL);
}

/* That the certificate itself has ended is judged with our clock, request by request.  A list that
 * is overdue has not become wrong, and a fleet that is locked out for a file that did not come is no
 * safer.  An authority that has no list is asked for one only for what it signs for a peer. */
static int
on_verify(int good, X509_STORE_CTX *context)
{
	int depth = X509_STORE_CTX_get_error_depth(context);

	if (good)
		return 1;
	switch (X509_STORE_CTX_get_error(context)) {
	case X509_V_ERR_CERT_HAS_EXPIRED: return depth == 0;
	case X509_V_ERR_CRL_HAS_EXPIRED: return 1;
	case X509_V_ERR_UNABLE_TO_GET_CRL: return depth > 0;
	default: return 0;
	}
}

static int
verify(X509_STORE *store, X509 *cert, STACK_OF(X509) * chain)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	int             cause = X509_V_ERR_UNSPECIFIED;

	if (context == NULL)
		abort();
	if (store != NULL && X509_STORE_CTX_init(context, store, cert, chain) == 1) {
		X509_STORE_CTX_set_default(context, "ssl_client");
		X509_STORE_CTX_set_verify_cb(context, on_verify);
		cause = X509_verify_cert(context) == 1 ? X509_V_OK
		                                       : X509_STORE_CTX_get_error(context);
	}
	X509_STORE_CTX_free(context);
	ERR_clear_error();
	return cause;
}

enum listen_trust_verdict
listen_trust_judge(const struct listen_trust *trust, const SSL *ssl)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	if (verify(trust->own, cert, chain) == X509_V_OK)
		return LISTEN_TRUST_OURS;
	switch (verify(trust->operators, cert, chain)) {
	case X509_V_OK: return LISTEN_TRUST_OPERATORS;
	case X509_V_ERR_CERT_REVOKED: return LISTEN_TRUST_REVOKED;
	case X509_V_ERR_UNABLE_TO_GET_CRL: return LISTEN_TRUST_UNLISTED;
	default: return LISTEN_TRUST_NOBODYS;
	}
}

bool
listen_trust_is_stale(const struct listen_trust *trust)
{
	struct stat now;

	return trust->lists && stat(trust->revoked_path, &now) == 0 &&
	    (now.st_ino != trust->inode || now.st_mtim.tv_sec != trust->changed.tv_sec ||
	        now.st_mtim.tv_nsec != trust->changed.tv_nsec);
}

int64_t
listen_trust_due_ms(const struct listen_trust *trust)
{
	return trust->lists ? trust->due_ms : 0;
}

const char *
listen_trust_warning(const struct listen_trust *trust, struct arena *arena, int64_t now_ms)
{
	char when[CLOCK_TEXT];

	if (!trust->lists || now_ms < trust->due_ms)
		return NULL;
	return arena_printf(arena,
	    "%s: a newer revocation list was due %s; what was revoked since is not known",
	    trust->revoked_path, clock_render(trust->due_ms, when, sizeof(when)));
}
