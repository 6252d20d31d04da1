#include "tests/support/support_peer.h"

#include "base/arena.h"
#include "tests/support/support_certs.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One connection more than a backlog of 0 lets in, and one to spare. */
enum { FILLERS = 2 };

struct support_peer {
	void (*serve)(int fd, void *arg);
	void           *arg;
	int             listener;         /* owned */
	int             fillers[FILLERS]; /* owned; of a full queue, else -1 */
	struct addr     addr;
	pthread_t       thread;
	bool            served; /* there is a thread */
	pthread_mutex_t lock;
	int             fd; /* the connection that is served, -1 when none; under the lock */
	bool            stopping; /* under the lock */
};

static bool
keep(struct support_peer *peer, int fd)
{
	bool stopping;

	pthread_mutex_lock(&peer->lock);
	peer->fd = fd;
	stopping = peer->stopping;
	pthread_mutex_unlock(&peer->lock);
	return !stopping;
}

static void *
run(void *arg)
{
	struct support_peer *peer = arg;
	int                  fd;

	while ((fd = accept(peer->listener, NULL, NULL)) >= 0) {
		if (keep(peer, fd) && peer->serve != NULL)
			peer->serve(fd, peer->arg);
		keep(peer, -1);
		close(fd);
	}
	return NULL;
}

static struct support_peer *
open_peer(int backlog)
{
	struct support_peer    *peer = mem_alloc(sizeof(*peer));
	struct sockaddr_storage at;
	struct addr             any = addr_from_bytes("\x7f\0\0\1", 4, 0);
	socklen_t               count = addr_to_sockaddr(&any, &at);

	signal(SIGPIPE, SIG_IGN);
	peer->fd = -1;
	for (size_t i = 0; i < FILLERS; i++)
		peer->fillers[i] = -1;
	pthread_mutex_init(&peer->lock, NULL);
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (peer->listener < 0 || bind(peer->listener, (struct sockaddr *)&at, count) != 0 ||
	    listen(peer->listener, backlog) != 0)
		abort();
	count = sizeof(at);
	getsockname(peer->listener, (struct sockaddr *)&at, &count);
	peer->addr = addr_from_sockaddr((struct sockaddr *)&at);
	return peer;
}

struct support_peer *
support_peer_start(void (*serve)(int fd, void *arg), void *arg)
{
	struct support_peer *peer = open_peer(16);

	peer->serve = serve;
	peer->arg = arg;
	peer->served = true;
	if (pthread_create(&peer->thread, NULL, run, peer) != 0)
		abort();
	return peer;
}

struct support_peer *
support_peer_start_full(void)
{
	struct support_peer    *peer = open_peer(0);
	struct sockaddr_storage at;
	unsigned                count = addr_to_sockaddr(&peer->addr, &at);

	for (size_t i = 0; i < FILLERS; i++) {
		peer->fillers[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(peer->fillers[i], (struct sockaddr *)&at, count);
	}
	return peer;
}

void
support_peer_stop(struct support_peer *peer)
{
	if (peer == NULL)
		return;
	pthread_mutex_lock(&peer->lock);
	peer->stopping = true;
	shutdown(peer->listener, SHUT_RDWR);
	if (peer->fd >= 0)
		shutdown(peer->fd, SHUT_RDWR);
	pthread_mutex_unlock(&peer->lock);
	if (peer->served)
		pthread_join(peer->thread, NULL);
	close(peer->listener);
	for (size_t i = 0; i < FILLERS; i++) {
		if (peer->fillers[i] >= 0)
			close(peer->fillers[i]);
	}
	pthread_mutex_destroy(&peer->lock);
	free(peer);
}

struct addr
support_peer_addr(const struct support_peer *peer)
{
	return peer->addr;
}

static int
take_any(int good, X509_STORE_CTX *context)
{
	return 1;
}

static int
choose_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *count,
    const unsigned char *offer, unsigned offer_bytes, void *arg)
{
	const char *alpn = arg;

	*chosen = (const unsigned char *)alpn;
	*count = (unsigned char)strlen(alpn);
	return *count != 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *
make_server(const struct support_tls *tls)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	int      mode = SSL_VERIFY_NONE;

	if (tls->wants_client)
		mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	else if (tls->wants_client_politely)
		mode = SSL_VERIFY_PEER;
	/* Level 0, or TLS 1.0 has no cipher to offer. */
	SSL_CTX_set_security_level(server, 0);
	SSL_CTX_set_min_proto_version(server, tls->least_version);
	SSL_CTX_set_max_proto_version(server, tls->most_version);
	SSL_CTX_set_verify(server, mode, take_any);
	if (tls->alpn != NULL)
		SSL_CTX_set_alpn_select_cb(server, choose_alpn, (void *)tls->alpn);
	if (tls->no_tickets)
		SSL_CTX_set_num_tickets(server, 0);
	SSL_CTX_set_max_cert_list(server, 1 << 20);
	SSL_CTX_use_certificate(server, support_certs_x509(tls->certs));
	SSL_CTX_use_PrivateKey(server, support_certs_key(tls->certs));
	for (const struct support_certs *up = support_certs_issuer(tls->certs);
	     up != NULL && support_certs_issuer(up) != NULL; up = support_certs_issuer(up))
		SSL_CTX_add1_chain_cert(server, support_certs_x509(up));
	return server;
}

void
support_tls_serve(int fd, void *arg)
{
	struct support_tls *tls = arg;
	SSL_CTX            *server = make_server(tls);
	SSL                *ssl = SSL_new(server);
	char                bytes[512];

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		if (tls->talk != NULL)
			tls->talk(ssl, tls->arg);
		else
			while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
				;
	}
	SSL_free(ssl);
	SSL_CTX_free(server);
}

void
support_peer_reset(int fd, void *unused)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void
support_peer_silent(int fd, void *unused)
{
	char bytes[512];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

void
support_peer_says(int fd, void *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
	shutdown(fd, SHUT_WR);
	support_peer_silent(fd, NULL);
}
