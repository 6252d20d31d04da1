#include "tests/support/support_http.h"

#include "base/arena.h"
#include "base/text.h"
#include "tests/support/support_peer.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_MAX = 64 * 1024 };

void
support_http_init(struct support_http *http, const struct support_certs *certs,
    const struct support_http_reply *replies)
{
	*http = (struct support_http){ .certs = certs, .replies = replies };
	wbuf_init(&http->log);
}

void
support_http_fini(struct support_http *http)
{
	wbuf_fini(&http->log);
}

/* The head of one request; false: the client is gone. */
static bool
read_head(SSL *ssl, struct wbuf *head)
{
	wbuf_clear(head);
	while (strstr(wbuf_text(head), "\r\n\r\n") == NULL) {
		char byte;

		if (head->count == HEAD_MAX || SSL_read(ssl, &byte, 1) != 1)
			return false;
		wbuf_u8(head, (uint8_t)byte);
	}
	return true;
}

static bool
is_end(const struct support_http_reply *reply)
{
	return reply->target == NULL && reply->status == 0 && reply->body == NULL &&
	    reply->fault == SUPPORT_HTTP_WHOLE;
}

static const struct support_http_reply *
find_reply(struct support_http *http, const char *head)
{
	static const struct support_http_reply none = { .status = 404 };

	const char *target = strchr(head, ' ');

	for (size_t i = 0; !is_end(&http->replies[i]); i++) {
		const struct support_http_reply *reply = &http->replies[i];

		if (reply->times != 0 && http->used[i] == reply->times)
			continue;
		if (reply->target != NULL &&
		    (target == NULL ||
		        strncmp(target + 1, reply->target, strlen(reply->target)) != 0))
			continue;
		http->used[i]++;
		return reply;
	}
	return &none;
}

static void
put_body(struct wbuf *out, const char *body, const char *head)
{
	static const char mark[] = "%AUTHORIZATION%", name[] = "\r\nauthorization: ";

	const char *at = strstr(body, mark);
	const char *value = text_find_nocase(head, name);

	if (at == NULL || value == NULL) {
		wbuf_puts(out, body);
		return;
	}
	value += strlen(name);
	wbuf_put(out, body, (size_t)(at - body));
	wbuf_put(out, value, strcspn(value, "\r"));
	wbuf_puts(out, at + strlen(mark));
}

static bool
say(SSL *ssl, const void *bytes, size_t count)
{
	return count == 0 || SSL_write(ssl, bytes, (int)count) == (int)count;
}

static void
say_slowly(SSL *ssl, const struct wbuf *out)
{
	for (size_t i = 0; i < out->count && say(ssl, out->bytes + i, 1); i++)
		usleep(100 * 1000);
}

static void
say_for_ever(SSL *ssl, const char *first, const char *unit)
{
	struct wbuf many;

	wbuf_init(&many);
	while (many.count < 16000)
		wbuf_puts(&many, unit);
	if (say(ssl, first, strlen(first)))
		while (say(ssl, many.bytes, many.count))
			;
	wbuf_fini(&many);
}

static void
wait_for_the_end(SSL *ssl)
{
	char bytes[512];

	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
}

/* Whether the connection goes on. */
static bool
answer(SSL *ssl, const struct support_http_reply *reply, const struct wbuf *out, size_t head)
{
	switch (reply->fault) {
	case SUPPORT_HTTP_WHOLE: return say(ssl, out->bytes, out->count);
	case SUPPORT_HTTP_CLOSE_AFTER: say(ssl, out->bytes, out->count); return false;
	case SUPPORT_HTTP_CLOSE_BEFORE: return false;
	case SUPPORT_HTTP_CUT_HEAD: say(ssl, out->bytes, head / 2); return false;
	case SUPPORT_HTTP_CUT_BODY:
		say(ssl, out->bytes, head + (out->count - head) / 2);
		return false;
	case SUPPORT_HTTP_RESET: support_peer_reset(SSL_get_fd(ssl), NULL); return false;
	case SUPPORT_HTTP_SILENT: wait_for_the_end(ssl); return false;
	case SUPPORT_HTTP_SLOW: say_slowly(ssl, out); return true;
	case SUPPORT_HTTP_ENDLESS_HEAD:
		say_for_ever(ssl, "HTTP/1.1 200 OK\r\n", "x-more: and more\r\n");
		return false;
	case SUPPORT_HTTP_ENDLESS_BODY:
		say_for_ever(ssl, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		    "10\r\n[[[[[[[[[[[[[[[[\r\n");
		return false;
	case SUPPORT_HTTP_FAULTS: break;
	}
	return false;
}

static void
talk(SSL *ssl, void *arg)
{
	struct support_http *http = arg;
	struct wbuf          head, body, out;
	bool                 goes_on = true;

	wbuf_init(&head);
	wbuf_init(&body);
	wbuf_init(&out);
	while (goes_on && read_head(ssl, &head)) {
		const struct support_http_reply *reply = find_reply(http, wbuf_text(&head));
		size_t                           head_count;

		http->requests++;
		wbuf_put(&http->log, head.bytes, head.count);
		wbuf_clear(&body);
		wbuf_clear(&out);
		put_body(&body, reply->body != NULL ? reply->body : "", wbuf_text(&head));
		wbuf_printf(&out, "HTTP/1.1 %u x\r\nContent-Length: %zu\r\n",
		    reply->status != 0 ? reply->status : 200, body.count);
		put_body(&out, reply->head != NULL ? reply->head : "", wbuf_text(&head));
		wbuf_puts(&out, "\r\n");
		head_count = out.count;
		wbuf_put(&out, body.bytes, body.count);
		goes_on = answer(ssl, reply, &out, head_count);
	}
	wbuf_fini(&head);
	wbuf_fini(&body);
	wbuf_fini(&out);
}

/* As a proxy does; whether it lets through. */
static bool
answer_connect(int fd, struct support_http *http)
{
	struct wbuf head;
	char        byte;

	wbuf_init(&head);
	while (strstr(wbuf_text(&head), "\r\n\r\n") == NULL && recv(fd, &byte, 1, 0) == 1)
		wbuf_u8(&head, (uint8_t)byte);
	wbuf_put(&http->log, head.bytes, head.count);
	wbuf_fini(&head);
	return send(fd, http->connect_answer, strlen(http->connect_answer), MSG_NOSIGNAL) > 0 &&
	    strstr(http->connect_answer, " 200 ") != NULL;
}

void
support_http_serve(int fd, void *arg)
{
	struct support_http *http = arg;
	struct support_tls   tls = { .certs = http->certs, .talk = talk, .arg = http };

	http->connections++;
	if (http->connect_answer == NULL || answer_connect(fd, http))
		support_tls_serve(fd, &tls);
}
