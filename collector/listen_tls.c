#include "collector/listen_tls.h"

#include "base/arena.h"
#include "base/clock.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t warn_before_ms = 14 * MS_PER_DAY;

struct listen_tls {
	char    *certificate_path, *key_path;              /* owned */
	char    *own_path, *operators_path, *revoked_path; /* owned; NULL: nobody is asked */
	SSL_CTX *context;             /* owned; connections hold references */
	struct listen_trust *trust;   /* owned; NULL: nobody is asked */
	unsigned             changes; /* how often that was read */
};

static bool
refuse(struct err *err, const char *path)
{
	unsigned long code = ERR_get_error();
	const char   *text;

	ERR_clear_error();
	if (ERR_SYSTEM_ERROR(code))
		return err_set(err, ERR_PARSE, "%s: %s", path, strerror(ERR_GET_REASON(code)));
	text = ERR_reason_error_string(code);
	return err_set(err, ERR_PARSE, "%s: not the certificate or key, in PEM form: %s", path,
	    text != NULL ? text : "not usable");
}

static void
set_options(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
	        SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* 29 kB to 6 kB for each agent that waits with its connection open. */
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

static SSL_CTX *
make_context(const char *certificate_path, const char *key_path, struct err *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool     well = false;

	ERR_clear_error();
	if (context == NULL) {
		refuse(err, "TLS");
		return NULL;
	}
	set_options(context);
	if (SSL_CTX_use_certificate_chain_file(context, certificate_path) != 1)
		refuse(err, certificate_path);
	else if (SSL_CTX_use_PrivateKey_file(context, key_path, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		refuse(err, key_path);
	else
		well = true;
	if (well)
		return context;
	SSL_CTX_free(context);
	return NULL;
}

struct listen_tls *
listen_tls_new(const char *certificate_path, const char *key_path, struct err *err)
{
	struct listen_tls *tls = mem_alloc(sizeof(*tls));

	tls->certificate_path = mem_strdup(certificate_path);
	tls->key_path = mem_strdup(key_path);
	tls->context = make_context(certificate_path, key_path, err);
	if (tls->context != NULL)
		return tls;
	listen_tls_free(tls);
	return NULL;
}

void
listen_tls_free(struct listen_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->context);
	listen_trust_free(tls->trust);
	free(tls->certificate_path);
	free(tls->key_path);
	free(tls->own_path);
	free(tls->operators_path);
	free(tls->revoked_path);
	free(tls);
}

static void
keep(char **place, const char *text)
{
	char *copy = mem_strdup(text);

	free(*place);
	*place = copy;
}

static void
put_trust(
    struct listen_tls *tls, const struct listen_trust_files *files, struct listen_trust *trust)
{
	listen_trust_free(tls->trust);
	tls->trust = trust;
	tls->changes++;
	keep(&tls->own_path, files->own);
	keep(&tls->operators_path, files->operators);
	keep(&tls->revoked_path, files->revoked);
	listen_trust_ask(trust, tls->context);
}

static struct listen_trust_files
files_now(const struct listen_tls *tls)
{
	return (
	    struct listen_trust_files){ tls->own_path, tls->operators_path, tls->revoked_path };
}

bool
listen_tls_trust(
    struct listen_tls *tls, const struct listen_trust_files *files, struct err *err)
{
	struct listen_trust *trust = listen_trust_new(files, err);

	if (trust == NULL)
		return false;
	put_trust(tls, files, trust);
	return true;
}

bool
listen_tls_refresh(struct listen_tls *tls, struct err *err)
{
	const struct listen_trust_files files = files_now(tls);

	if (tls->trust == NULL || !listen_trust_is_stale(tls->trust))
		return true;
	return listen_tls_trust(tls, &files, err);
}

/* All that may go wrong comes first. */
bool
listen_tls_change(struct listen_tls *tls, const char *certificate_path, const char *key_path,
    const struct listen_trust_files *files, struct err *err)
{
	SSL_CTX             *fresh = make_context(certificate_path, key_path, err);
	struct listen_trust *trust = NULL;

	if (fresh == NULL)
		return false;
	if (files != NULL && (trust = listen_trust_new(files, err)) == NULL) {
		SSL_CTX_free(fresh);
		return false;
	}
	SSL_CTX_free(tls->context);
	tls->context = fresh;
	keep(&tls->certificate_path, certificate_path);
	keep(&tls->key_path, key_path);
	if (trust != NULL)
		put_trust(tls, files, trust);
	return true;
}

bool
listen_tls_reload(struct listen_tls *tls, struct err *err)
{
	const struct listen_trust_files files = files_now(tls);

	return listen_tls_change(
	    tls, tls->certificate_path, tls->key_path, tls->trust != NULL ? &files : NULL, err);
}

const struct listen_trust *
listen_tls_trusted(const struct listen_tls *tls)
{
	return tls->trust;
}

unsigned
listen_tls_changes(const struct listen_tls *tls)
{
	return tls->changes;
}

SSL *
listen_tls_ssl(struct listen_tls *tls)
{
	SSL *ssl = SSL_new(tls->context);

	if (ssl == NULL)
		abort();
	return ssl;
}

int64_t
listen_tls_ends_ms(const struct listen_tls *tls)
{
	const X509 *leaf = SSL_CTX_get0_certificate(tls->context);
	struct tm   when;

	if (leaf == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &when) != 1)
		return 0;
	return (int64_t)timegm(&when) * MS_PER_S;
}

bool
listen_tls_is_for(const struct listen_tls *tls, const char *host)
{
	X509 *leaf = SSL_CTX_get0_certificate(tls->context);

	return leaf != NULL &&
	    (X509_check_host(leaf, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
	        X509_check_ip_asc(leaf, host, 0) == 1);
}

const char *
listen_tls_warning(const struct listen_tls *tls, struct arena *arena, int64_t now_ms)
{
	int64_t ends_ms = listen_tls_ends_ms(tls);
	char    when[CLOCK_TEXT];

	if (ends_ms - now_ms >= warn_before_ms)
		return NULL;
	clock_render(ends_ms, when, sizeof(when));
	if (ends_ms > now_ms)
		return arena_printf(
		    arena, "%s: the certificate ends %s", tls->certificate_path, when);
	return arena_printf(arena, "%s: the certificate has ended %s; agents refuse it",
	    tls->certificate_path, when);
}

const char *
listen_tls_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}
