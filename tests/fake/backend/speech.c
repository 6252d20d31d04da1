#include "tests/fake/backend/speech.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

static const char http[] = "HTTP/1.1 400 Bad Request\r\n"
                           "Content-Type: text/html\r\n"
                           "Content-Length: 11\r\n\r\nBad Request";
static const char garbage[] = "\xde\xad\xbe\xef\x00\xff\x5a\xa5 neither this nor that \x80";

bool
speech_hear(struct ssl_st *ssl, void *bytes, size_t count)
{
	size_t heard = 0, more;

	while (heard < count) {
		if (SSL_read_ex(ssl, (char *)bytes + heard, count - heard, &more) != 1)
			return false;
		heard += more;
	}
	return true;
}

static bool
say(struct ssl_st *ssl, const void *words, size_t count)
{
	size_t written;

	return count == 0 || SSL_write_ex(ssl, words, count, &written) == 1;
}

static bool
drip(struct ssl_st *ssl, const char *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!say(ssl, words + i, 1))
			return false;
	}
	return true;
}

/* Says the last of it, and hears until the peer goes: a close with bytes unread would be a reset
 * of our kernel's. */
static bool
leave(struct ssl_st *ssl, const void *words, size_t count)
{
	char byte;

	if (say(ssl, words, count) && SSL_shutdown(ssl) >= 0)
		while (speech_hear(ssl, &byte, 1))
			;
	return false;
}

/* The close that follows sends RST. */
static bool
reset(struct ssl_st *ssl)
{
	struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	return false;
}

bool
speech_say(struct ssl_st *ssl, enum speech_fault fault, const void *words, size_t count)
{
	switch (fault) {
	case SPEECH_WELL: return say(ssl, words, count);
	case SPEECH_SILENT: return true;
	case SPEECH_CLOSES: return leave(ssl, NULL, 0);
	case SPEECH_RESETS: return reset(ssl);
	case SPEECH_HTTP: return leave(ssl, http, sizeof(http) - 1);
	case SPEECH_GARBAGE: return leave(ssl, garbage, sizeof(garbage) - 1);
	case SPEECH_CUT: return leave(ssl, words, count / 2);
	case SPEECH_DRIP: return drip(ssl, words, count);
	}
	return false;
}
