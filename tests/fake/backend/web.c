#include "tests/fake/backend/web.h"

#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool
web_hear_bytes(SSL *ssl, void *bytes, size_t count)
{
	size_t heard = 0, more;

	while (heard < count) {
		if (SSL_read_ex(ssl, (char *)bytes + heard, count - heard, &more) != 1)
			return false;
		heard += more;
	}
	return true;
}

/* A byte at a time, so that nothing behind the head is taken. */
bool
web_hear(SSL *ssl, char request[WEB_REQUEST_MAX + 1])
{
	for (size_t count = 0; count < WEB_REQUEST_MAX; count++) {
		if (!web_hear_bytes(ssl, request + count, 1))
			return false;
		if (count >= 3 && memcmp(request + count - 3, "\r\n\r\n", 4) == 0) {
			request[count + 1] = '\0';
			return true;
		}
	}
	return false;
}

char *
web_header(const char *request, const char *name, char *value, size_t room)
{
	size_t length = strlen(name);

	value[0] = '\0';
	for (const char *line = strstr(request, "\r\n"); line != NULL;
	     line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		snprintf(value, room, "%.*s", (int)strcspn(line, "\r"), line);
		break;
	}
	return value;
}

bool
web_say(SSL *ssl, const void *bytes, size_t count)
{
	size_t written;

	return count == 0 || SSL_write_ex(ssl, bytes, count, &written) == 1;
}

bool
web_say_text(SSL *ssl, const char *text)
{
	return web_say(ssl, text, strlen(text));
}

bool
web_drip(SSL *ssl, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!web_say(ssl, (const char *)bytes + i, 1))
			return false;
	}
	return true;
}

void
web_leave(SSL *ssl)
{
	char byte;

	if (SSL_shutdown(ssl) < 0)
		return;
	while (web_hear_bytes(ssl, &byte, 1))
		;
}

void
web_guid(char guid[37])
{
	unsigned char b[16] = { 0 };

	RAND_bytes(b, sizeof(b));
	snprintf(guid, 37,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	    b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	    b[15]);
}
