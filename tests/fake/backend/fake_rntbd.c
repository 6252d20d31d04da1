#include "tests/fake/backend/fake_rntbd.h"

#include "tests/fake/backend/fake_account.h"
#include "tests/fake/backend/fake_rntbd_wire.h"

#include "base/arena.h"

#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum { UNAUTHENTICATED_S = 25, DRIP_MS = 20 };

#define UNAUTHORIZED                                                              \
	"{\"code\":\"Unauthorized\",\"message\":\"Required Header authorization " \
	"is missing.\"}"

/* What may be asked for with --rntbd-does. */
enum act {
	OLD_TLS,          /* 1.0 and 1.1 only */
	WANT_CERTIFICATE, /* of the client's, in the handshake */
	DELAY_BEFORE_TLS, /* =MS */
	CLOSE_AFTER_ACCEPT,
	RESET,
	SILENCE_AFTER_ACCEPT,
	CLOSE_AFTER_TLS,
	RESET_AFTER_TLS,
	SILENCE,
	DELAY_BEFORE_ANSWER, /* =MS */
	R2,
	R3,
	REFUSE,
	STATUS, /* =N */
	WRONG_ECHO,
	GARBAGE,
	HTTP,
	TLS_IN_TLS,
	OVERSIZED,
	SHORT,
	NO_TOKENS,
	TRAILING,
	DRIP,
	CLOSE_AFTER, /* =N bytes of the answer */
	GONE,
	UNAUTHENTICATED, /* =SECONDS */
	ACTS
};

/* Which acts want a number behind "=". */
static const struct {
	const char *name;
	bool        number;
} acts[ACTS] = {
	[OLD_TLS] = { "old-tls", false },
	[WANT_CERTIFICATE] = { "want-certificate", false },
	[DELAY_BEFORE_TLS] = { "delay-before-tls", true },
	[CLOSE_AFTER_ACCEPT] = { "close-after-accept", false },
	[RESET] = { "reset", false },
	[SILENCE_AFTER_ACCEPT] = { "silence-after-accept", false },
	[CLOSE_AFTER_TLS] = { "close-after-tls", false },
	[RESET_AFTER_TLS] = { "reset-after-tls", false },
	[SILENCE] = { "silence", false },
	[DELAY_BEFORE_ANSWER] = { "delay-before-answer", true },
	[R2] = { "r2", false },
	[R3] = { "r3", false },
	[REFUSE] = { "refuse", false },
	[STATUS] = { "status", true },
	[WRONG_ECHO] = { "wrong-echo", false },
	[GARBAGE] = { "garbage", false },
	[HTTP] = { "http", false },
	[TLS_IN_TLS] = { "tls-in-tls", false },
	[OVERSIZED] = { "oversized", false },
	[SHORT] = { "short", false },
	[NO_TOKENS] = { "no-tokens", false },
	[TRAILING] = { "trailing", false },
	[DRIP] = { "drip", false },
	[CLOSE_AFTER] = { "close-after", true },
	[GONE] = { "410", false },
	[UNAUTHENTICATED] = { "unauthenticated", true },
};

static struct {
	struct ssl_ctx_st *tls;
	bool               does[ACTS];
	uint32_t           number[ACTS];
} replica;

bool
fake_rntbd_does(const char *text, struct err *err)
{
	size_t length = strcspn(text, "=");
	char  *end;

	for (unsigned i = 0; i < ACTS; i++) {
		if (strlen(acts[i].name) != length || strncmp(acts[i].name, text, length) != 0)
			continue;
		if (acts[i].number != (text[length] == '='))
			return err_set(err, ERR_USAGE, "%s: %s number is wanted", text,
			    acts[i].number ? "a" : "no");
		if (acts[i].number) {
			replica.number[i] = (uint32_t)strtoul(text + length + 1, &end, 10);
			if (end == text + length + 1 || *end != '\0')
				return err_set(err, ERR_USAGE, "%s: not a number", text);
		}
		replica.does[i] = true;
		return true;
	}
	return err_set(err, ERR_USAGE, "no replica does \"%s\"", text);
}

void
fake_rntbd_list(FILE *out)
{
	for (unsigned i = 0; i < ACTS; i++)
		fprintf(out, "  %s%s\n", acts[i].name, acts[i].number ? "=N" : "");
}

void
fake_rntbd_setup(SSL_CTX *tls)
{
	replica.tls = tls;
	if (replica.does[OLD_TLS]) {
		SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(tls, TLS1_1_VERSION);
		SSL_CTX_set_cipher_list(tls, "ALL:@SECLEVEL=0");
	}
	if (replica.does[WANT_CERTIFICATE])
		SSL_CTX_set_verify(
		    tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (!replica.does[UNAUTHENTICATED])
		replica.number[UNAUTHENTICATED] = UNAUTHENTICATED_S;
}

/* False when that was all of the connection. */
static bool
act_before_tls(struct fake_talk *talk)
{
	if (replica.does[DELAY_BEFORE_TLS])
		fake_sleep_ms(replica.number[DELAY_BEFORE_TLS]);
	if (replica.does[SILENCE_AFTER_ACCEPT])
		fake_talk_wait(talk);
	if (replica.does[RESET] && fake_talk_hello(talk))
		fake_talk_reset(talk);
	return !replica.does[SILENCE_AFTER_ACCEPT] && !replica.does[RESET] &&
	    !replica.does[CLOSE_AFTER_ACCEPT];
}

static bool
act_after_tls(struct fake_talk *talk)
{
	if (replica.does[RESET_AFTER_TLS])
		fake_talk_reset(talk);
	if (replica.does[SILENCE])
		fake_talk_wait(talk);
	if (replica.does[CLOSE_AFTER_TLS])
		fake_talk_end(talk);
	return !replica.does[RESET_AFTER_TLS] && !replica.does[SILENCE] &&
	    !replica.does[CLOSE_AFTER_TLS];
}

/* One frame, into bytes of FAKE_RNTBD_MAX.  Its length; 0 when the peer has gone, or time is up. */
static size_t
hear_frame(struct fake_talk *talk, uint8_t *bytes)
{
	int64_t ends_ms = talk->accepted_ms + (int64_t)replica.number[UNAUTHENTICATED] * 1000;
	size_t  length;

	fake_talk_limit(talk, ends_ms - fake_now_ms());
	if (!fake_talk_hear_all(talk, bytes, 4))
		return 0;
	length = fake_frame_length(bytes);
	if (length == 0) {
		fake_talk_log(talk, "rntbd no frame: %02x%02x%02x%02x", bytes[0], bytes[1],
		    bytes[2], bytes[3]);
		return 0;
	}
	return fake_talk_hear_all(talk, bytes + 4, length - 4) ? length : 0;
}

/* What is no frame at all, in place of the answer. */
static bool
put_nonsense(struct wbuf *out)
{
	static const uint8_t alert[] = { 0x15, 3, 3, 0, 2, 2, 40 };

	if (replica.does[GARBAGE]) {
		uint8_t *bytes = wbuf_space(out, 200);

		RAND_bytes(bytes, 200);
		bytes[3] |= 0x80; /* never a length that could be */
	} else if (replica.does[HTTP]) {
		wbuf_puts(out,
		    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
		    "Connection: close\r\n\r\n");
	} else if (replica.does[TLS_IN_TLS]) {
		wbuf_put(out, alert, sizeof(alert));
	}
	return out->count > 0;
}

static void
put_context(struct wbuf *out, const struct fake_frame *request, bool good)
{
	enum fake_context kind = !good || replica.does[REFUSE] ? FAKE_CONTEXT_E1
	    : replica.does[R2]                                 ? FAKE_CONTEXT_R2
	    : replica.does[R3]                                 ? FAKE_CONTEXT_R3
	                                                       : FAKE_CONTEXT_R1;
	uint32_t          status = kind == FAKE_CONTEXT_E1 ? 400 : 200;
	uint8_t           activity[FAKE_RNTBD_ACTIVITY];

	memcpy(activity, request->activity, sizeof(activity));
	if (replica.does[WRONG_ECHO])
		activity[0] ^= 0xff;
	if (good && replica.does[STATUS])
		status = replica.number[STATUS];
	if (put_nonsense(out))
		return;
	if (replica.does[NO_TOKENS]) {
		wbuf_u32le(out, FAKE_RNTBD_HEAD);
		wbuf_u32le(out, status);
		wbuf_put(out, activity, sizeof(activity));
		return;
	}
	fake_context_put(out, kind, status, replica.number[UNAUTHENTICATED], activity);
	if (replica.does[OVERSIZED])
		memset(out->bytes, 0xff, 4);
	if (replica.does[SHORT])
		out->bytes[0] = FAKE_RNTBD_HEAD - 1;
	if (replica.does[TRAILING])
		wbuf_puts(out, "and more");
}

/* False when the connection is to end. */
static bool
send_answer(struct fake_talk *talk, const struct wbuf *out)
{
	size_t count = out->count;

	if (replica.does[DELAY_BEFORE_ANSWER])
		fake_sleep_ms(replica.number[DELAY_BEFORE_ANSWER]);
	if (replica.does[CLOSE_AFTER] && replica.number[CLOSE_AFTER] < count)
		count = replica.number[CLOSE_AFTER];
	if (!replica.does[DRIP])
		return fake_talk_send(talk, out->bytes, count) && !replica.does[CLOSE_AFTER];
	for (size_t i = 0; i < count; i++) {
		if (!fake_talk_send(talk, out->bytes + i, 1))
			return false;
		fake_sleep_ms(DRIP_MS);
	}
	return !replica.does[CLOSE_AFTER];
}

static bool
answer_context(struct fake_talk *talk, const uint8_t *bytes, size_t count)
{
	struct fake_frame frame;
	struct wbuf       out;
	struct err        err;
	bool              good = fake_frame_parse(&frame, bytes, count, &err), goes_on;

	if (good && !fake_frame_is_context(&frame))
		good = err_set(&err, ERR_PARSE, "not a context request");
	good = good && fake_frame_check_context(&frame, &err);
	fake_talk_log(talk, "rntbd context length=%zu version=%u client=%s agent=\"%s\" %s%s",
	    count, frame.version, frame.client, frame.agent,
	    good ? "ok" : "bad: ", good ? "" : err.text);
	wbuf_init(&out);
	put_context(&out, &frame, good);
	goes_on = send_answer(talk, &out) && good;
	wbuf_fini(&out);
	return goes_on;
}

/* The body of a request has its own length, which the frame does not count. */
static bool
skip_body(struct fake_talk *talk, const struct fake_frame *frame, uint8_t *bytes)
{
	size_t length;

	if (!frame->has_payload)
		return true;
	if (!fake_talk_hear_all(talk, bytes, 4))
		return false;
	length = (size_t)bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 |
	    (size_t)bytes[3] << 24;
	return length <= FAKE_RNTBD_MAX && fake_talk_hear_all(talk, bytes, length);
}

static void
put_answer(struct wbuf *out, const struct fake_talk *talk, const struct fake_frame *frame)
{
	const struct fake_replica *named = fake_accounts_replica(frame->path, talk->local.port);
	uint32_t                   status = 410, substatus = 1002;

	/* Who is not here any more is gone, as with a replica that has moved. */
	if (named != NULL && !replica.does[GONE]) {
		status = named->status;
		substatus = named->substatus;
	}
	fake_frame_put_answer(
	    out, frame, status, substatus, status == 410 ? NULL : UNAUTHORIZED);
	fake_talk_log(talk, "rntbd request %u/%u id=%u path=%s %s answered %u/%u",
	    frame->resource, frame->operation, frame->transport_id, frame->path,
	    frame->has_authorization ? "signed" : "unsigned", status, substatus);
}

static bool
answer_request(struct fake_talk *talk, uint8_t *bytes, size_t count)
{
	struct fake_frame frame;
	struct wbuf       out;
	struct err        err;
	bool              sent;

	if (!fake_frame_parse(&frame, bytes, count, &err) || !frame.has_payload_flag ||
	    !frame.has_path || !frame.has_transport_id) {
		fake_talk_log(talk, "rntbd request bad");
		return false;
	}
	if (!skip_body(talk, &frame, bytes))
		return false;
	wbuf_init(&out);
	put_answer(&out, talk, &frame);
	sent = fake_talk_send(talk, out.bytes, out.count);
	wbuf_fini(&out);
	return sent;
}

void
fake_rntbd_serve(struct fake_talk *talk)
{
	uint8_t *bytes;
	size_t   count;

	if (!act_before_tls(talk) || !fake_talk_secure(talk, replica.tls) ||
	    !act_after_tls(talk))
		return;
	bytes = mem_alloc(FAKE_RNTBD_MAX);
	count = hear_frame(talk, bytes);
	if (count > 0 && answer_context(talk, bytes, count)) {
		while ((count = hear_frame(talk, bytes)) > 0) {
			if (!answer_request(talk, bytes, count))
				break;
		}
	}
	free(bytes);
	fake_talk_end(talk);
}
