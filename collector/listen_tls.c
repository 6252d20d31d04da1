#include "collector/listen_tls.h"

#include "base/arena.h"
#include "base/clock.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const int64_t warn_before_ms = 14 * MS_PER_DAY;

struct listen_tls {
	char                *certificate_path, *key_path; /* owned */
	char                *own_path, *operator_path;    /* owned; NULL: nobody is asked */
	SSL_CTX             *context; /* owned; connections hold references */
	struct listen_trust *trust;   /* owned; NULL: nobody is asked */
	unsigned             trusted; /* how often that was read */
};

/* Hangs on the SSL of its connection and dies with it: the only sign of a connection's end that
 * evhttp leaves us. */
struct listen_conn {
	const struct listen_watch *watch;  /* borrowed; outlives us */
	struct bufferevent        *stream; /* borrowed; owns the SSL that owns us */
	struct loop_watch          timer;
	int64_t                    born_us;
	bool                       parked; /* a request waits for our answer */
	const struct listen_tls   *tls;    /* borrowed; only for requests */
	struct listen_peer         peer;
	unsigned                   trusted; /* when peer was read; 0: never */
};

static int            conn_index = -1;
static pthread_once_t index_once = PTHREAD_ONCE_INIT;

static void
free_conn(void *parent, void *ptr, CRYPTO_EX_DATA *data, int index, long number, void *arg)
{
	struct listen_conn *conn = ptr;

	if (conn == NULL)
		return;
	loop_watch_fini(&conn->timer);
	conn->watch->on_count(conn->watch->arg, -1);
	free(conn);
}

static void
make_index(void)
{
	conn_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_conn);
}

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

	pthread_once(&index_once, make_index);
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
	free(tls->operator_path);
	free(tls);
}

bool
listen_tls_trust(
    struct listen_tls *tls, const char *own_path, const char *operator_path, struct err *err)
{
	struct listen_trust *trust = listen_trust_new(own_path, operator_path, err);

	if (trust == NULL)
		return false;
	listen_trust_free(tls->trust);
	tls->trust = trust;
	tls->trusted++;
	free(tls->own_path);
	free(tls->operator_path);
	tls->own_path = mem_strdup(own_path);
	tls->operator_path = mem_strdup(operator_path);
	listen_trust_ask(trust, tls->context);
	return true;
}

bool
listen_tls_reload(struct listen_tls *tls, struct err *err)
{
	SSL_CTX *fresh = make_context(tls->certificate_path, tls->key_path, err);
	SSL_CTX *before = tls->context;
	char    *own_path, *operator_path;
	bool     done = true;

	if (fresh == NULL)
		return false;
	tls->context = fresh;
	if (tls->trust != NULL) {
		own_path = mem_strdup(tls->own_path);
		operator_path = mem_strdup(tls->operator_path);
		done = listen_tls_trust(tls, own_path, operator_path, err);
		free(own_path);
		free(operator_path);
	}
	if (!done)
		tls->context = before;
	SSL_CTX_free(done ? before : fresh);
	return done;
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

static void
set_deadline(struct listen_conn *conn, int64_t limit_ms)
{
	loop_watch_set(&conn->timer, -1, 0, limit_ms > 0 ? limit_ms * US_PER_MS : 0);
}

/* The deadline of the first request, or of the whole connection, has come. */
static void
on_deadline(void *arg, unsigned what)
{
	struct listen_conn *conn = arg;
	int                 fd = bufferevent_getfd(conn->stream);

	if (conn->parked) {
		set_deadline(conn, MS_PER_S);
		return;
	}
	conn->watch->on_overdue(conn->watch->arg);
	/* evhttp frees a connection only when its socket says so. */
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

struct bufferevent *
listen_conn_new(struct listen_tls *tls, const struct listen_watch *watch)
{
	SSL                *ssl = SSL_new(tls->context);
	struct listen_conn *conn = mem_alloc(sizeof(*conn));

	conn->watch = watch;
	conn->tls = tls;
	conn->born_us = clock_mono_us(clock_system());
	loop_watch_init(&conn->timer, watch->loop, on_deadline, conn);
	/* NULL from here would make evhttp speak without TLS on the TLS port.  What fails here is
	 * memory, which is fatal everywhere. */
	if (ssl == NULL || SSL_set_ex_data(ssl, conn_index, conn) != 1)
		abort();
	conn->stream = bufferevent_openssl_socket_new(
	    loop_base(watch->loop), -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (conn->stream == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(conn->stream, 1);
	watch->on_count(watch->arg, 1);
	set_deadline(conn, watch->first_request_ms);
	return conn->stream;
}

struct listen_conn *
listen_conn_of(struct bufferevent *stream)
{
	SSL *ssl = bufferevent_openssl_get_ssl(stream);

	return ssl != NULL ? SSL_get_ex_data(ssl, conn_index) : NULL;
}

void
listen_conn_ask(struct listen_conn *conn)
{
	int64_t age_ms = (clock_mono_us(clock_system()) - conn->born_us) / US_PER_MS;

	conn->parked = true;
	set_deadline(conn, conn->watch->age_ms - age_ms);
}

void
listen_conn_told(struct listen_conn *conn)
{
	conn->parked = false;
}

const struct listen_peer *
listen_conn_peer(struct listen_conn *conn)
{
	if (conn->tls->trust == NULL)
		return NULL;
	if (conn->trusted != conn->tls->trusted)
		listen_peer_read(
		    &conn->peer, conn->tls->trust, bufferevent_openssl_get_ssl(conn->stream));
	conn->trusted = conn->tls->trusted;
	return &conn->peer;
}
