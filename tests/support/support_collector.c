#include "tests/support/support_collector.h"

#include "base/arena.h"
#include "base/text.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

void
support_collector_init(struct support_collector *collector)
{
	*collector = (struct support_collector){ 0 };
	pthread_mutex_init(&collector->lock, NULL);
}

void
support_collector_fini(struct support_collector *collector)
{
	for (unsigned i = 0; i < collector->count; i++) {
		free(collector->heads[i]);
		wbuf_fini(&collector->bodies[i]);
	}
	pthread_mutex_destroy(&collector->lock);
}

unsigned
support_collector_count(struct support_collector *collector)
{
	unsigned count;

	pthread_mutex_lock(&collector->lock);
	count = collector->count;
	pthread_mutex_unlock(&collector->lock);
	return count;
}

static size_t
body_length(const char *head)
{
	const char *at = text_find_nocase(head, "\r\nContent-Length:");

	return at != NULL ? strtoul(at + 17, NULL, 10) : 0;
}

/* One request; false when the client has gone. */
static bool
read_request(SSL *ssl, char **head, struct wbuf *body)
{
	static const char end[] = "\r\n\r\n";
	struct wbuf       in;
	char             *found = NULL;
	char              bytes[4096];
	size_t            wanted = SIZE_MAX;
	int               got;

	wbuf_init(&in);
	while (in.count < wanted && (got = SSL_read(ssl, bytes, sizeof(bytes))) > 0) {
		wbuf_put(&in, bytes, (size_t)got);
		if (found == NULL && (found = memmem(in.bytes, in.count, end, 4)) != NULL) {
			size_t length = (size_t)(found - (char *)in.bytes) + 4;
			char  *copy = mem_printf("%.*s", (int)length, (char *)in.bytes);

			*head = copy;
			wanted = length + body_length(copy);
		}
	}
	if (in.count < wanted || found == NULL) {
		wbuf_fini(&in);
		return false;
	}
	wbuf_init(body);
	wbuf_put(body, in.bytes + strlen(*head), in.count - strlen(*head));
	wbuf_fini(&in);
	return true;
}

void
support_collector_talk(struct ssl_st *ssl, void *arg)
{
	struct support_collector *script = arg;
	char                     *head;
	struct wbuf               body;

	while (read_request(ssl, &head, &body)) {
		const char *answer = script->answers[0];

		pthread_mutex_lock(&script->lock);
		for (unsigned i = 0; i <= script->count && script->answers[i] != NULL; i++)
			answer = script->answers[i];
		if (script->count < SUPPORT_REQUESTS_MAX) {
			script->heads[script->count] = head;
			script->bodies[script->count++] = body;
		}
		pthread_mutex_unlock(&script->lock);
		if (SSL_write(ssl, answer, (int)strlen(answer)) <= 0)
			return;
	}
}
