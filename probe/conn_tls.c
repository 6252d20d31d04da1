#include "probe/conn_tls.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/wbuf.h"
#include "probe/conn_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { GREETING_MAX = 64, PROBLEMS_MAX = 4, NAME_MAX_BYTES = 255, SANS_MAX_BYTES = 1024 };
enum { ALPN_MAX_BYTES = 255 };

/* Content types with which a server's first record may begin [rfc8446 5.1]. */
enum { RECORD_ALERT = 0x15, RECORD_HANDSHAKE = 0x16, RECORD_MAJOR = 0x03 };

struct problem {
	int code; /* X509_V_ERR_* */
	int depth;
};

struct conn_tls {
	struct tls_roots *roots;  /* borrowed; outlives us */
	struct arena     *arena;  /* borrowed; outlives us */
	SSL              *ssl;    /* owned */
	BIO_METHOD       *socket; /* owned; what ssl reads and writes with */
	const char       *host;   /* in the arena */
	int               fd;     /* borrowed; outlives us */
	int               error;  /* errno of the last read or write that failed for good */
	bool              ended;  /* the peer closed */
	uint64_t          heard_bytes;
	uint8_t           greeting[GREETING_MAX]; /* the first bytes the peer sent */
	size_t            greeting_bytes;
	bool              shaken; /* the handshake is complete */
	bool              asked;  /* for a certificate of ours */
	struct problem    problems[PROBLEMS_MAX];
	size_t            problem_count;
	enum outcome      how;
	unsigned          alert;  /* the peer's last word; 0: none */
	const char       *detail; /* in the arena */
};

/* OpenSSL's own socket BIO raises SIGPIPE, and loses errno before one can look. */
static int
write_socket(BIO *bio, const char *bytes, int count)
{
	struct conn_tls *tls = BIO_get_data(bio);
	ssize_t          done = conn_socket_send(tls->fd, bytes, (size_t)count);

	BIO_clear_retry_flags(bio);
	if (done >= 0)
		return (int)done;
	if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_write(bio);
	else
		tls->error = errno;
	return -1;
}

static void
keep_greeting(struct conn_tls *tls, const void *bytes, size_t count)
{
	size_t room = GREETING_MAX - tls->greeting_bytes;

	if (count > room)
		count = room;
	memcpy(tls->greeting + tls->greeting_bytes, bytes, count);
	tls->greeting_bytes += count;
}

static int
read_socket(BIO *bio, char *bytes, int room)
{
	struct conn_tls *tls = BIO_get_data(bio);
	ssize_t          count = conn_socket_receive(tls->fd, bytes, (size_t)room);

	BIO_clear_retry_flags(bio);
	if (count > 0) {
		keep_greeting(tls, bytes, (size_t)count);
		tls->heard_bytes += (uint64_t)count;
		return (int)count;
	}
	if (count == 0) {
		tls->ended = true;
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		BIO_set_retry_read(bio);
	else
		tls->error = errno;
	return -1;
}

static long
control_socket(BIO *bio, int command, long number, void *pointer)
{
	struct conn_tls *tls = BIO_get_data(bio);

	switch (command) {
	case BIO_CTRL_FLUSH: return 1;
	case BIO_CTRL_EOF: return tls->ended;
	default: return 0;
	}
}

static void
set_socket(struct conn_tls *tls)
{
	BIO *bio;

	tls->socket = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "probe");
	BIO_meth_set_write(tls->socket, write_socket);
	BIO_meth_set_read(tls->socket, read_socket);
	BIO_meth_set_ctrl(tls->socket, control_socket);
	bio = BIO_new(tls->socket);
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(tls->ssl, bio, bio);
}

static bool
has_problem(const struct conn_tls *tls, int code)
{
	for (size_t i = 0; i < tls->problem_count; i++) {
		if (tls->problems[i].code == code)
			return true;
	}
	return false;
}

/* Goes on after every problem, so that the handshake completes and all of them are known. */
static int
note_problem(int good, X509_STORE_CTX *context)
{
	int              at = SSL_get_ex_data_X509_STORE_CTX_idx();
	struct conn_tls *tls = SSL_get_app_data(X509_STORE_CTX_get_ex_data(context, at));
	int              code = X509_STORE_CTX_get_error(context);

	if (!good && tls->problem_count < PROBLEMS_MAX && !has_problem(tls, code))
		tls->problems[tls->problem_count++] = (struct problem){
			.code = code,
			.depth = X509_STORE_CTX_get_error_depth(context),
		};
	return 1;
}

static int
note_asked(SSL *ssl, void *arg)
{
	struct conn_tls *tls = arg;

	tls->asked = true;
	return 1;
}

/* An address has no SNI [rfc6066 3] and is looked for among the addresses of the certificate. */
static void
set_name(struct conn_tls *tls, int64_t wall_ms)
{
	X509_VERIFY_PARAM *wanted = SSL_get0_param(tls->ssl);
	uint8_t            address[16];

	X509_VERIFY_PARAM_set_time(wanted, wall_ms / MS_PER_S);
	X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (inet_pton(AF_INET, tls->host, address) == 1 ||
	    inet_pton(AF_INET6, tls->host, address) == 1) {
		X509_VERIFY_PARAM_set1_ip_asc(wanted, tls->host);
		return;
	}
	X509_VERIFY_PARAM_set1_host(wanted, tls->host, 0);
	SSL_set_tlsext_host_name(tls->ssl, tls->host);
}

/* Neither certificates nor SNI know the final dot of a DNS name [rfc6066 3]. */
static const char *
copy_host(struct arena *arena, const char *host)
{
	size_t count = strlen(host);

	return arena_strndup(
	    arena, host, count > 0 && host[count - 1] == '.' ? count - 1 : count);
}

struct conn_tls *
conn_tls_new(
    struct tls_roots *roots, int fd, const char *host, int64_t wall_ms, struct arena *arena)
{
	struct conn_tls *tls = mem_alloc(sizeof(*tls));

	tls->roots = roots;
	tls->arena = arena;
	tls->fd = fd;
	tls->host = copy_host(arena, host);
	tls->detail = "";
	tls->ssl = SSL_new(tls_roots_client(roots));
	if (tls->ssl == NULL)
		abort(); /* no memory: as everywhere */
	set_socket(tls);
	set_name(tls, wall_ms);
	SSL_set_app_data(tls->ssl, tls);
	SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, note_problem);
	SSL_set_cert_cb(tls->ssl, note_asked, tls);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void
conn_tls_offer(struct conn_tls *tls, const char *alpn)
{
	uint8_t offer[1 + ALPN_MAX_BYTES];
	size_t  count = strlen(alpn);

	assert(count > 0 && count <= ALPN_MAX_BYTES);
	offer[0] = (uint8_t)count;
	memcpy(offer + 1, alpn, count);
	/* Unlike its neighbours it says 0 when all is well. */
	if (SSL_set_alpn_protos(tls->ssl, offer, 1 + (unsigned)count) != 0)
		abort(); /* no memory: as everywhere */
}

void
conn_tls_free(struct conn_tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	BIO_meth_free(tls->socket);
	free(tls);
}

static bool
is_tls_so_far(const struct conn_tls *tls)
{
	if (tls->greeting_bytes > 0 && tls->greeting[0] != RECORD_ALERT &&
	    tls->greeting[0] != RECORD_HANDSHAKE)
		return false;
	return tls->greeting_bytes < 2 || tls->greeting[1] == RECORD_MAJOR;
}

static enum conn_io
end(struct conn_tls *tls, enum outcome how, const char *detail)
{
	tls->how = how;
	tls->detail = detail;
	/* Having none to show is the likeliest cause then, whichever way the peer leaves. */
	if (tls->asked)
		tls->detail = arena_printf(
		    tls->arena, "%s; it asks for a client certificate", detail);
	ERR_clear_error();
	return CONN_IO_OVER;
}

static bool
is_printable(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] < 0x20 || bytes[i] > 0x7e)
			return false;
	}
	return true;
}

/* What OpenSSL has not read, because it had seen enough or could not even say its part. */
static void
read_greeting(struct conn_tls *tls)
{
	uint8_t more[GREETING_MAX];
	ssize_t count = conn_socket_receive(tls->fd, more, sizeof(more));

	if (count > 0)
		keep_greeting(tls, more, (size_t)count);
}

/* What it said instead: its first line, or the first bytes in hex. */
static enum conn_io
end_not_tls(struct conn_tls *tls)
{
	struct wbuf words;
	size_t      line = 0;
	const char *said;

	while (line < tls->greeting_bytes && tls->greeting[line] != '\r' &&
	    tls->greeting[line] != '\n')
		line++;
	wbuf_init(&words);
	if (line > 0 && is_printable(tls->greeting, line)) {
		wbuf_puts(&words, "the peer says '");
		wbuf_put(&words, tls->greeting, line);
		wbuf_puts(&words, "'");
	} else {
		wbuf_puts(&words, "the peer's first bytes are");
		for (size_t i = 0; i < tls->greeting_bytes && i < 16; i++)
			wbuf_printf(&words, " %02x", tls->greeting[i]);
	}
	said = arena_strdup(tls->arena, wbuf_text(&words));
	wbuf_fini(&words);
	return end(tls, OUTCOME_NOT_TLS, said);
}

static const char *
name_moment(const struct conn_tls *tls)
{
	if (tls->shaken)
		return "after the handshake";
	return tls->heard_bytes == 0 ? "in answer to the ClientHello" : "in the handshake";
}

/* OpenSSL's table of alerts ends before TLS 1.3, its reasons do not: "tlsv13 alert certificate
 * required". */
static const char *
name_alert(unsigned long error)
{
	const char *words = ERR_reason_error_string(error);
	const char *alert = words != NULL ? strstr(words, "alert ") : NULL;

	if (alert != NULL)
		return alert + strlen("alert ");
	return SSL_alert_desc_string_long(ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET);
}

static enum conn_io
end_failed(struct conn_tls *tls, unsigned long error)
{
	int         reason = ERR_GET_REASON(error);
	const char *words = ERR_reason_error_string(error);

	if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return end(tls, OUTCOME_CLOSED,
		    arena_printf(tls->arena, "the peer closed %s", name_moment(tls)));
	if (reason > SSL_AD_REASON_OFFSET) {
		tls->alert = (unsigned)(reason - SSL_AD_REASON_OFFSET);
		return end(tls, OUTCOME_TLS_FAILED,
		    arena_printf(tls->arena, "the peer sent alert %u, %s", tls->alert,
		        name_alert(error)));
	}
	if (reason == SSL_R_EXCESSIVE_MESSAGE_SIZE)
		return end(tls, OUTCOME_TLS_FAILED,
		    arena_printf(tls->arena, "the peer's certificates take more than %ld bytes",
		        SSL_get_max_cert_list(tls->ssl)));
	return end(tls, OUTCOME_TLS_FAILED,
	    arena_printf(tls->arena, "%s", words != NULL ? words : "no reason given"));
}

/* Why SSL_get_error() is what it is; the first error of the queue is the cause, the others are
 * its consequences. */
static enum conn_io
judge(struct conn_tls *tls, int result)
{
	int why = SSL_get_error(tls->ssl, result);

	if (!tls->shaken && (tls->error != 0 || !is_tls_so_far(tls)))
		read_greeting(tls);
	if (!tls->shaken && !is_tls_so_far(tls))
		return end_not_tls(tls);
	if (why == SSL_ERROR_WANT_READ)
		return CONN_IO_WANT_READ;
	if (why == SSL_ERROR_WANT_WRITE)
		return CONN_IO_WANT_WRITE;
	if (tls->error != 0)
		return end(tls, conn_socket_outcome(tls->error),
		    arena_printf(tls->arena, "%s %s", strerror(tls->error), name_moment(tls)));
	if (why == SSL_ERROR_ZERO_RETURN || (why == SSL_ERROR_SYSCALL && tls->ended))
		return end(tls, OUTCOME_CLOSED,
		    arena_printf(tls->arena, "the peer closed %s", name_moment(tls)));
	return end_failed(tls, ERR_peek_error());
}

static const char *
describe_problems(const struct conn_tls *tls)
{
	struct wbuf words;
	const char *text;

	wbuf_init(&words);
	for (size_t i = 0; i < tls->problem_count; i++) {
		const struct problem *problem = &tls->problems[i];

		wbuf_printf(&words, "%s%s", i != 0 ? "; " : "",
		    X509_verify_cert_error_string(problem->code));
		if (problem->code == X509_V_ERR_HOSTNAME_MISMATCH)
			wbuf_printf(&words, ", wanted %s", tls->host);
		if (problem->depth > 0)
			wbuf_printf(&words, ", %d above the leaf", problem->depth);
	}
	if (tls_roots_origin(tls->roots)[0] == '\0')
		wbuf_puts(&words, "; this machine has no root certificates");
	text = arena_strdup(tls->arena, wbuf_text(&words));
	wbuf_fini(&words);
	return text;
}

enum conn_io
conn_tls_shake(struct conn_tls *tls)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(tls->ssl);
	if (result != 1)
		return judge(tls, result);
	tls->shaken = true;
	tls->how = OUTCOME_OK;
	if (tls->problem_count != 0) {
		tls->how = OUTCOME_TLS_REJECTED;
		tls->detail = describe_problems(tls);
	}
	return CONN_IO_DONE;
}

const char *
conn_tls_alpn(const struct conn_tls *tls)
{
	const unsigned char *name = NULL;
	unsigned             count = 0;

	if (tls->shaken)
		SSL_get0_alpn_selected(tls->ssl, &name, &count);
	return count > 0 ? text_sane(tls->arena, name, count, ALPN_MAX_BYTES) : "";
}

bool
conn_tls_is_asked(const struct conn_tls *tls)
{
	return tls->asked && SSL_version(tls->ssl) >= TLS1_3_VERSION;
}

enum conn_io
conn_tls_settle(struct conn_tls *tls)
{
	uint64_t     before = tls->heard_bytes;
	char         byte;
	enum conn_io io;
	int          result;

	ERR_clear_error();
	result = SSL_peek(tls->ssl, &byte, 1);
	if (result > 0)
		return CONN_IO_DONE;
	io = judge(tls, result);
	/* Session tickets are eaten silently; they are only sent to whom the peer took. */
	if (io == CONN_IO_WANT_READ && tls->heard_bytes > before && !SSL_has_pending(tls->ssl))
		return CONN_IO_DONE;
	return io;
}

enum conn_io
conn_tls_read(struct conn_tls *tls, void *bytes, size_t room, size_t *count)
{
	int result;

	ERR_clear_error();
	result = SSL_read_ex(tls->ssl, bytes, room, count);
	return result == 1 ? CONN_IO_DONE : judge(tls, result);
}

enum conn_io
conn_tls_write(struct conn_tls *tls, const void *bytes, size_t count, size_t *written)
{
	int result;

	ERR_clear_error();
	result = SSL_write_ex(tls->ssl, bytes, count, written);
	return result == 1 ? CONN_IO_DONE : judge(tls, result);
}

enum outcome
conn_tls_outcome(const struct conn_tls *tls)
{
	return tls->how;
}

const char *
conn_tls_detail(const struct conn_tls *tls)
{
	return tls->detail;
}

int
conn_tls_errno(const struct conn_tls *tls)
{
	return tls->error;
}

uint64_t
conn_tls_heard_bytes(const struct conn_tls *tls)
{
	return tls->heard_bytes;
}

static const char *
render_name(struct arena *arena, const X509_NAME *name)
{
	/* As UTF-8: what is no text is made harmless by text_sane(). */
	unsigned long form = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO          *words = BIO_new(BIO_s_mem());
	const char   *text;
	char         *bytes;
	long          count;

	X509_NAME_print_ex(words, name, 0, form);
	count = BIO_get_mem_data(words, &bytes);
	text = text_sane(arena, bytes, count > 0 ? (size_t)count : 0, NAME_MAX_BYTES);
	BIO_free(words);
	return text;
}

/* A name with a space in it would pass for two. */
static void
put_san(struct wbuf *words, const ASN1_STRING *name)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(name);
	size_t               count = (size_t)ASN1_STRING_length(name);

	if (words->count + 1 + count > SANS_MAX_BYTES)
		return;
	if (words->count != 0)
		wbuf_puts(words, " ");
	for (size_t i = 0; i < count; i++)
		wbuf_u8(words, bytes[i] == ' ' ? '?' : bytes[i]);
}

static const char *
render_sans(struct arena *arena, const X509 *leaf)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	struct wbuf    words;
	const char    *text;

	wbuf_init(&words);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS)
			put_san(&words, name->d.dNSName);
	}
	text = text_sane(arena, wbuf_text(&words), words.count, SANS_MAX_BYTES);
	wbuf_fini(&words);
	GENERAL_NAMES_free(names);
	return text;
}

static int64_t
read_time_ms(const ASN1_TIME *when)
{
	struct tm parts;

	if (when == NULL || ASN1_TIME_to_tm(when, &parts) != 1)
		return 0;
	return timegm(&parts) * MS_PER_S;
}

static void
read_leaf(const struct conn_tls *tls, const X509 *leaf, struct conn_tls_facts *facts)
{
	int code = tls->problem_count != 0 ? tls->problems[0].code : X509_V_OK;

	facts->verify_code = (uint32_t)code;
	facts->verify_text = arena_strdup(tls->arena, X509_verify_cert_error_string(code));
	facts->subject = render_name(tls->arena, X509_get_subject_name(leaf));
	facts->issuer = render_name(tls->arena, X509_get_issuer_name(leaf));
	facts->sans = render_sans(tls->arena, leaf);
	facts->not_before_ms = read_time_ms(X509_get0_notBefore(leaf));
	facts->not_after_ms = read_time_ms(X509_get0_notAfter(leaf));
	facts->chain_length = (uint32_t)sk_X509_num(SSL_get_peer_cert_chain(tls->ssl));
}

/* The verification says "good" when the handshake died before any certificate came: its result
 * counts only beside one. */
void
conn_tls_facts(const struct conn_tls *tls, struct conn_tls_facts *facts)
{
	const X509 *leaf = SSL_get0_peer_certificate(tls->ssl);

	*facts = (struct conn_tls_facts){ "", "", 0, "", "", "", "", 0, 0, 0, tls->alert };
	if (tls->shaken)
		facts->version = arena_strdup(tls->arena, SSL_get_version(tls->ssl));
	facts->alpn = conn_tls_alpn(tls);
	if (leaf != NULL)
		read_leaf(tls, leaf, facts);
	ERR_clear_error();
}
