#include "tests/fake/backend/fake_thin.h"

#include "tests/fake/backend/fake_http.h"

#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { READ_BYTES = 16 * 1024 };

/* What may be asked for with --thin-does. */
enum act {
	STATUS,   /* =N in place of 200 */
	NO_ALPN,  /* the handshake chooses no protocol; then HTTP/1.1 */
	HTTP1,    /* it chooses http/1.1 */
	H2_BLIND, /* it chooses none, and yet HTTP/2 is spoken */
	SILENCE,  /* after the handshake */
	SILENCE_AFTER_REQUEST,
	RESET, /* after the handshake */
	CLOSE,
	GOAWAY,       /* in place of an answer */
	RESET_STREAM, /* the same */
	GARBAGE,
	DELAY, /* =MS before the answer */
	ACTS
};

static const struct {
	const char *name;
	bool        number;
} acts[ACTS] = {
	[STATUS] = { "status", true },
	[NO_ALPN] = { "no-alpn", false },
	[HTTP1] = { "http1", false },
	[H2_BLIND] = { "h2-without-alpn", false },
	[SILENCE] = { "silence", false },
	[SILENCE_AFTER_REQUEST] = { "silence-after-request", false },
	[RESET] = { "reset", false },
	[CLOSE] = { "close", false },
	[GOAWAY] = { "goaway", false },
	[RESET_STREAM] = { "reset-stream", false },
	[GARBAGE] = { "garbage", false },
	[DELAY] = { "delay", true },
};

static struct {
	struct ssl_ctx_st *tls;
	bool               does[ACTS];
	uint32_t           number[ACTS];
} thin;

/* One connection; one request is looked at at a time. */
struct proxy {
	struct fake_talk *talk;
	nghttp2_session  *session;
	char              method[16], path[256], authority[300], operation[64];
};

bool
fake_thin_does(const char *text, struct err *err)
{
	size_t length = strcspn(text, "=");

	for (unsigned i = 0; i < ACTS; i++) {
		if (strlen(acts[i].name) != length || strncmp(acts[i].name, text, length) != 0)
			continue;
		if (acts[i].number != (text[length] == '='))
			return err_set(err, ERR_USAGE, "%s: %s number is wanted", text,
			    acts[i].number ? "a" : "no");
		if (acts[i].number)
			thin.number[i] = (uint32_t)strtoul(text + length + 1, NULL, 10);
		thin.does[i] = true;
		return true;
	}
	return err_set(err, ERR_USAGE, "no proxy does \"%s\"", text);
}

void
fake_thin_list(FILE *out)
{
	for (unsigned i = 0; i < ACTS; i++)
		fprintf(out, "  %s%s\n", acts[i].name, acts[i].number ? "=N" : "");
}

static int
choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_count,
    const unsigned char *offered, unsigned offered_count, void *arg)
{
	const char *wanted = thin.does[HTTP1] ? "\x08http/1.1" : "\x02h2";
	const int   none = thin.does[NO_ALPN] || thin.does[H2_BLIND] || thin.does[HTTP1]
	      ? SSL_TLSEXT_ERR_NOACK
	      : SSL_TLSEXT_ERR_ALERT_FATAL;

	if (thin.does[NO_ALPN] || thin.does[H2_BLIND] ||
	    SSL_select_next_proto((unsigned char **)(void *)chosen, chosen_count,
	        (const unsigned char *)wanted, (unsigned)strlen(wanted), offered,
	        offered_count) != OPENSSL_NPN_NEGOTIATED)
		return none;
	return SSL_TLSEXT_ERR_OK;
}

void
fake_thin_setup(SSL_CTX *tls)
{
	thin.tls = tls;
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
}

static ssize_t
on_send(nghttp2_session *session, const uint8_t *bytes, size_t count, int flags, void *arg)
{
	struct proxy *proxy = arg;

	return fake_talk_send(proxy->talk, bytes, count) ? (ssize_t)count
	                                                 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_count, const uint8_t *value, size_t value_count, uint8_t flags, void *arg)
{
	struct proxy *proxy = arg;
	const struct {
		const char *name;
		char       *into;
		size_t      room;
	} wanted[] = { { ":method", proxy->method, sizeof(proxy->method) },
		{ ":path", proxy->path, sizeof(proxy->path) },
		{ ":authority", proxy->authority, sizeof(proxy->authority) },
		{ "x-ms-thinclient-proxy-operation-type", proxy->operation,
		    sizeof(proxy->operation) } };

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strlen(wanted[i].name) == name_count &&
		    memcmp(wanted[i].name, name, name_count) == 0)
			snprintf(wanted[i].into, wanted[i].room, "%.*s", (int)value_count,
			    (const char *)value);
	}
	return 0;
}

static unsigned
choose_status(const struct proxy *proxy)
{
	if (strcmp(proxy->path, "/connectivity-probe") != 0)
		return 404;
	if (strcmp(proxy->method, "POST") != 0)
		return 405;
	return thin.does[STATUS] ? thin.number[STATUS] : 200;
}

static void
answer(struct proxy *proxy, int32_t stream)
{
	char       status[12], guid[FAKE_GUID];
	nghttp2_nv headers[] = {
		{ (uint8_t *)":status", (uint8_t *)status, 7, 0, NGHTTP2_NV_FLAG_NONE },
		{ (uint8_t *)"content-length", (uint8_t *)"0", 14, 1, NGHTTP2_NV_FLAG_NONE },
		{ (uint8_t *)"x-ms-activity-id", (uint8_t *)fake_guid(guid), 16, 36,
		    NGHTTP2_NV_FLAG_NONE },
	};

	snprintf(status, sizeof(status), "%u", choose_status(proxy));
	headers[0].valuelen = strlen(status);
	fake_talk_log(proxy->talk, "thin %s %s authority=%s operation=%s answered %s",
	    proxy->method, proxy->path, proxy->authority, proxy->operation, status);
	if (thin.does[DELAY])
		fake_sleep_ms(thin.number[DELAY]);
	nghttp2_submit_response(
	    proxy->session, stream, headers, sizeof(headers) / sizeof(headers[0]), NULL);
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct proxy *proxy = arg;
	bool request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;

	if (!request || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return 0;
	if (thin.does[SILENCE_AFTER_REQUEST])
		return 0;
	if (thin.does[GOAWAY])
		nghttp2_submit_goaway(
		    session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_ENHANCE_YOUR_CALM, NULL, 0);
	else if (thin.does[RESET_STREAM])
		nghttp2_submit_rst_stream(
		    session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
	else
		answer(proxy, frame->hd.stream_id);
	return 0;
}

static void
run_session(struct proxy *proxy)
{
	uint8_t bytes[READ_BYTES];
	size_t  count;

	nghttp2_submit_settings(proxy->session, NGHTTP2_FLAG_NONE, NULL, 0);
	while (nghttp2_session_send(proxy->session) == 0 &&
	    (nghttp2_session_want_read(proxy->session) ||
	        nghttp2_session_want_write(proxy->session))) {
		count = fake_talk_hear(proxy->talk, bytes, sizeof(bytes));
		if (count == 0 || nghttp2_session_mem_recv(proxy->session, bytes, count) < 0)
			break;
	}
}

static void
talk_h2(struct fake_talk *talk)
{
	struct proxy               proxy = { .talk = talk };
	nghttp2_session_callbacks *callbacks;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return;
	nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	if (nghttp2_session_server_new(&proxy.session, callbacks, &proxy) == 0) {
		run_session(&proxy);
		nghttp2_session_del(proxy.session);
	}
	nghttp2_session_callbacks_del(callbacks);
}

static void
talk_http1(struct fake_talk *talk)
{
	char bytes[4096];

	fake_talk_log(talk, "thin http/1.1");
	if (fake_talk_hear(talk, bytes, sizeof(bytes)) > 0)
		fake_talk_text(talk,
		    "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n"
		    "Connection: close\r\n\r\n");
}

void
fake_thin_serve(struct fake_talk *talk)
{
	const unsigned char *protocol = NULL;
	unsigned             count = 0;

	if (!fake_talk_secure(talk, thin.tls))
		return;
	SSL_get0_alpn_selected(talk->ssl, &protocol, &count);
	if (thin.does[SILENCE]) {
		fake_talk_wait(talk);
		return;
	}
	if (thin.does[RESET]) {
		fake_talk_reset(talk);
		return;
	}
	if (thin.does[GARBAGE])
		fake_talk_text(
		    talk, "\x01\x02\x03 this is no frame of HTTP/2, nor of anything");
	else if (!thin.does[CLOSE] && (count == 2 || thin.does[H2_BLIND]))
		talk_h2(talk);
	else if (!thin.does[CLOSE])
		talk_http1(talk);
	fake_talk_end(talk);
}
