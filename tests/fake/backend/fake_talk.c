#include "tests/fake/backend/fake_talk.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static struct {
	FILE           *file; /* NULL: no log */
	pthread_mutex_t lock;
} journal = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
fake_talk_free(struct fake_talk *talk)
{
	SSL_free(talk->ssl);
	ERR_clear_error();
	close(talk->fd);
	free(talk);
}

bool
fake_talk_secure(struct fake_talk *talk, SSL_CTX *tls)
{
	talk->ssl = SSL_new(tls);
	SSL_set_fd(talk->ssl, talk->fd);
	if (SSL_accept(talk->ssl) == 1)
		return true;
	/* The alert must not be overtaken by a reset for what the peer said since. */
	shutdown(talk->fd, SHUT_WR);
	fake_talk_wait(talk);
	return false;
}

bool
fake_talk_send(struct fake_talk *talk, const void *bytes, size_t count)
{
	const char *at = bytes;

	while (count > 0) {
		ssize_t sent = talk->ssl != NULL ? SSL_write(talk->ssl, at, (int)count)
		                                 : send(talk->fd, at, count, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		count -= (size_t)sent;
	}
	return true;
}

bool
fake_talk_text(struct fake_talk *talk, const char *text)
{
	return fake_talk_send(talk, text, strlen(text));
}

size_t
fake_talk_hear(struct fake_talk *talk, void *bytes, size_t room)
{
	int got = SSL_read(talk->ssl, bytes, (int)room);

	return got > 0 ? (size_t)got : 0;
}

bool
fake_talk_hear_all(struct fake_talk *talk, void *bytes, size_t count)
{
	uint8_t *at = bytes;

	while (count > 0) {
		size_t got = fake_talk_hear(talk, at, count);

		if (got == 0)
			return false;
		at += got;
		count -= got;
	}
	return true;
}

void
fake_talk_limit(struct fake_talk *talk, int64_t left_ms)
{
	int64_t        ms = left_ms > 0 ? left_ms : 1; /* 0 would be for ever */
	struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	setsockopt(talk->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

void
fake_talk_end(struct fake_talk *talk)
{
	/* After a fatal error of OpenSSL's there is nothing to say any more. */
	ERR_clear_error();
	SSL_shutdown(talk->ssl);
}

void
fake_talk_wait(struct fake_talk *talk)
{
	char bytes[512];

	while (recv(talk->fd, bytes, sizeof(bytes), 0) > 0)
		continue;
}

bool
fake_talk_hello(struct fake_talk *talk)
{
	char bytes[4096];

	return recv(talk->fd, bytes, sizeof(bytes), 0) > 0;
}

void
fake_talk_reset(struct fake_talk *talk)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(talk->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void
fake_talk_plain(struct fake_talk *talk, const char *text)
{
	fake_talk_text(talk, text);
	shutdown(talk->fd, SHUT_WR);
	fake_talk_wait(talk);
}

bool
fake_log_open(const char *path, struct err *err)
{
	journal.file = fopen(path, "ae");
	return journal.file != NULL || err_errno(err, "%s", path);
}

void
fake_talk_log(const struct fake_talk *talk, const char *format, ...)
{
	const char *sni = talk->ssl != NULL
	    ? SSL_get_servername(talk->ssl, TLSEXT_NAMETYPE_host_name)
	    : NULL;
	char        peer[ADDR_TEXT], local[ADDR_TEXT];
	va_list     args;

	if (journal.file == NULL)
		return;
	pthread_mutex_lock(&journal.lock);
	fprintf(journal.file, "%s %s sni=%s ",
	    addr_render_port(&talk->peer, peer, sizeof(peer)),
	    addr_render_port(&talk->local, local, sizeof(local)), sni != NULL ? sni : "");
	va_start(args, format);
	vfprintf(journal.file, format, args);
	va_end(args);
	fputc('\n', journal.file);
	fflush(journal.file);
	pthread_mutex_unlock(&journal.lock);
}

int64_t
fake_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
fake_sleep_ms(int64_t ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		continue;
}
