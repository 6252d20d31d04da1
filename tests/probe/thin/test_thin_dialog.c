#include "probe/thin/thin_dialog.h"

#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Frames: length (3), type, flags, stream (4), payload [rfc9113 4.1]. */
#define SETTINGS         "\0\0\0\4\0\0\0\0\0"
#define SETTINGS_ACK     "\0\0\0\4\1\0\0\0\0"
#define PING             "\0\0\x08\6\0\0\0\0\0abcdefgh"
#define PING_ACK         "\0\0\x08\6\1\0\0\0\0abcdefgh"
#define STATUS_200       "\0\0\1\1\5\0\0\0\1\x88" /* END_STREAM, END_HEADERS */
#define CASE_BYTES(text) text, sizeof(text) - 1

static const char host[] = "acct-eastus.documents.azure.com:10250";

static const struct answer_case {
	const char  *name, *bytes; /* all that the peer says */
	size_t       count;
	enum next    end; /* NEXT_HEAR: it would go on waiting */
	enum outcome how;
	uint32_t     status;
	const char  *words; /* NULL: none */
} answer_cases[] = {
	{ "200", CASE_BYTES(SETTINGS SETTINGS_ACK STATUS_200), NEXT_DONE, 0, 200, NULL },
	{ "200 before our SETTINGS are acknowledged", CASE_BYTES(SETTINGS STATUS_200),
	    NEXT_DONE, 0, 200, NULL },
	{ "200 with a body, padded",
	    CASE_BYTES(SETTINGS "\0\0\1\1\4\0\0\0\1\x88"
	                        "\0\0\5\0\x09\0\0\0\1\2ok\0\0"),
	    NEXT_DONE, 0, 200, NULL },
	{ "503 plain",
	    CASE_BYTES(SETTINGS "\0\0\5\1\5\0\0\0\1\x08\x03"
	                        "503"),
	    NEXT_DONE, 0, 503, NULL },
	{ "503 in Huffman's code",
	    CASE_BYTES(SETTINGS "\0\0\5\1\5\0\0\0\1\x48\x83\x6c\x0c\xff"), NEXT_DONE, 0, 503,
	    NULL },
	{ "503 by its full name",
	    CASE_BYTES(SETTINGS "\0\0\x0d\1\5\0\0\0\1\0\7:status\3"
	                        "503"),
	    NEXT_DONE, 0, 503, NULL },
	{ "404 after a change of the table's size",
	    CASE_BYTES(SETTINGS "\0\0\2\1\5\0\0\0\1\x20\x8d"), NEXT_DONE, 0, 404, NULL },
	{ "500, header block in two frames",
	    CASE_BYTES(SETTINGS "\0\0\0\1\1\0\0\0\1"
	                        "\0\0\1\x09\4\0\0\0\1\x8e"),
	    NEXT_DONE, 0, 500, NULL },
	{ "100, then 200",
	    CASE_BYTES(SETTINGS "\0\0\5\1\4\0\0\0\1\x08\x03"
	                        "100" STATUS_200),
	    NEXT_DONE, 0, 200, NULL },
	{ "200 with trailers",
	    CASE_BYTES(SETTINGS "\0\0\1\1\4\0\0\0\1\x88"
	                        "\0\0\5\1\5\0\0\0\1\0\1a\1b"),
	    NEXT_DONE, 0, 200, NULL },
	{ "an unknown frame between",
	    CASE_BYTES(SETTINGS "\0\0\2\xee\xff\0\0\0\1xy" STATUS_200), NEXT_DONE, 0, 200,
	    NULL },
	{ "PING between", CASE_BYTES(SETTINGS PING STATUS_200), NEXT_DONE, 0, 200, NULL },
	{ "WINDOW_UPDATE between",
	    CASE_BYTES(SETTINGS "\0\0\4\x08\0\0\0\0\0\0\0\xff\xff" STATUS_200), NEXT_DONE, 0,
	    200, NULL },
	{ "a GOAWAY that spares us",
	    CASE_BYTES(SETTINGS "\0\0\x08\7\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0" STATUS_200),
	    NEXT_DONE, 0, 200, NULL },
	{ "a push before our SETTINGS were heard",
	    CASE_BYTES(SETTINGS "\0\0\5\5\4\0\0\0\1\0\0\0\2\x82" STATUS_200), NEXT_DONE, 0, 200,
	    NULL },
	{ "noise behind the answer", CASE_BYTES(SETTINGS STATUS_200 "HTTP/1.1 400\r\n"),
	    NEXT_DONE, 0, 200, NULL },

	{ "silence", CASE_BYTES(""), NEXT_HEAR, 0, 0, NULL },
	{ "SETTINGS only", CASE_BYTES(SETTINGS SETTINGS_ACK), NEXT_HEAR, 0, 0, NULL },
	{ "100 only",
	    CASE_BYTES(SETTINGS "\0\0\5\1\4\0\0\0\1\x08\x03"
	                        "100"),
	    NEXT_HEAR, 0, 0, NULL },
	{ "200 without an end", CASE_BYTES(SETTINGS "\0\0\1\1\4\0\0\0\1\x88"), NEXT_HEAR, 0,
	    200, NULL },

	{ "GOAWAY", CASE_BYTES(SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\x0b"), NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 0, "GOAWAY ENHANCE_YOUR_CALM instead of an answer" },
	{ "GOAWAY with words",
	    CASE_BYTES(SETTINGS "\0\0\x0c\7\0\0\0\0\0\0\0\0\0\0\0\0\2no\x1b\n"), NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 0,
	    "GOAWAY INTERNAL_ERROR 'no?"
	    "?'" },
	{ "GOAWAY with an unknown code",
	    CASE_BYTES(SETTINGS "\0\0\x08\7\0\0\0\0\0\0\0\0\0\xff\0\0\0"), NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 0, "GOAWAY unknown" },
	{ "RST_STREAM", CASE_BYTES(SETTINGS "\0\0\4\3\0\0\0\0\1\0\0\0\x0d"), NEXT_BROKEN,
	    OUTCOME_REFUSED_BY_PEER, 0, "RST_STREAM HTTP_1_1_REQUIRED instead of an answer" },
	{ "RST_STREAM before the end",
	    CASE_BYTES(SETTINGS "\0\0\1\1\4\0\0\0\1\x88"
	                        "\0\0\4\3\0\0\0\0\1\0\0\0\2"),
	    NEXT_BROKEN, OUTCOME_REFUSED_BY_PEER, 200, "RST_STREAM INTERNAL_ERROR" },

	{ "HTTP/1.1", CASE_BYTES("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
	    NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 0,
	    "no HTTP/2: the peer says 'HTTP/1.1 400 Bad Request'" },
	{ "half a status line", CASE_BYTES("HTTP/1.1 400 Bad"), NEXT_HEAR, 0, 0, NULL },
	{ "nearly HTTP/1.1", CASE_BYTES("HTTQ/1.1 400 Bad Request\r\n"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "SETTINGS expected" },
	{ "SSH", CASE_BYTES("SSH-2.0-OpenSSH_9.2p1\r\n"), NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL,
	    0, "SETTINGS expected" },
	{ "no SETTINGS first", CASE_BYTES(STATUS_200 SETTINGS), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "SETTINGS expected" },
	{ "a frame too large", CASE_BYTES(SETTINGS "\0\x40\1\0\0\0\0\0\1"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "FRAME_SIZE_ERROR" },
	{ "SETTINGS of 5 bytes", CASE_BYTES("\0\0\5\4\0\0\0\0\0\0\0\0\0\0"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "FRAME_SIZE_ERROR" },
	{ "a stream of the server", CASE_BYTES(SETTINGS "\0\0\1\1\5\0\0\0\2\x88"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "HEADERS" },
	{ "a push against our SETTINGS",
	    CASE_BYTES(SETTINGS SETTINGS_ACK "\0\0\5\5\4\0\0\0\1\0\0\0\2\x82"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "PUSH_PROMISE" },
	{ "DATA before HEADERS", CASE_BYTES(SETTINGS "\0\0\1\0\1\0\0\0\1x"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "PROTOCOL_ERROR" },
	{ "headers without a status", CASE_BYTES(SETTINGS "\0\0\5\1\5\0\0\0\1\0\1a\1b"),
	    NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 0, "HEADERS" },
	{ "a status of two digits",
	    CASE_BYTES(SETTINGS "\0\0\4\1\5\0\0\0\1\x08\x02"
	                        "20"),
	    NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 0, "HEADERS" },
	{ "an index of no table", CASE_BYTES(SETTINGS "\0\0\1\1\5\0\0\0\1\xfe"), NEXT_BROKEN,
	    OUTCOME_BROKE_PROTOCOL, 0, "COMPRESSION_ERROR" },
	{ "a body longer than its length",
	    CASE_BYTES(SETTINGS "\0\0\5\1\4\0\0\0\1\x88\x0f\x0d\1"
	                        "1"
	                        "\0\0\2\0\1\0\0\0\1xy"),
	    NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 200, "PROTOCOL_ERROR" },
};

static void
open_dialog(struct thin_dialog *dialog)
{
	memset(dialog, 0, sizeof(*dialog));
	dialog->arena = arena_new();
	dialog->spec.authority = host;
}

static void
close_dialog(struct thin_dialog *dialog)
{
	thin_dialog_fini(dialog);
	assert_null(dialog->session);
	thin_dialog_fini(dialog); /* in any state */
	arena_free(dialog->arena);
}

/* The whole dialogue with so many bytes at a time, as conn would lead it. */
static enum next
converse(struct thin_dialog *dialog, const char *bytes, size_t count, size_t stride,
    struct wbuf *said)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	thin_ops.say(dialog, said);
	while (next == NEXT_HEAR || next == NEXT_SAY) {
		size_t      before = taken;
		struct rcur in;

		if (next == NEXT_SAY) {
			size_t said_before = said->count;

			thin_ops.say(dialog, said);
			assert_true(said->count > said_before);
		}
		if (next == NEXT_HEAR && offered == count)
			return NEXT_HEAR;
		if (next == NEXT_HEAR || offered == taken)
			offered = count - offered > stride ? offered + stride : count;
		in = rcur_of(bytes + taken, offered - taken);
		next = thin_ops.hear(dialog, &in);
		if (rcur_ok(&in))
			taken = offered - rcur_left(&in);
		assert_true(next != NEXT_SAY || taken > before);
	}
	return next;
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];

		print_message("%s\n", c->name);
		for (size_t stride = 1; stride <= c->count + 1; stride++) {
			struct thin_dialog dialog;
			struct wbuf        said;

			wbuf_init(&said);
			open_dialog(&dialog);
			assert_int_equal(
			    converse(&dialog, c->bytes, c->count, stride, &said), c->end);
			assert_int_equal(dialog.how, c->how);
			assert_int_equal(dialog.status, c->status);
			assert_int_equal(dialog.answered, c->end == NEXT_DONE);
			if (c->words != NULL)
				expect_words(dialog.detail, c->words);
			else
				assert_null(dialog.detail);
			close_dialog(&dialog);
			wbuf_fini(&said);
		}
	}
}

/* Whatever is missing at the end is waited for. */
static void
test_cut_short(void **state)
{
	static const char whole[] = SETTINGS PING SETTINGS_ACK
	    "\0\0\5\1\4\0\0\0\1\x48\x83\x6c\x0c\xff"
	    "\0\0\2\0\1\0\0\0\1no";

	for (size_t count = 0; count < sizeof(whole); count++) {
		struct thin_dialog dialog;
		struct wbuf        said;

		wbuf_init(&said);
		open_dialog(&dialog);
		assert_int_equal(converse(&dialog, whole, count, count + 1, &said),
		    count == sizeof(whole) - 1 ? NEXT_DONE : NEXT_HEAR);
		assert_int_equal(dialog.settled, count >= sizeof(SETTINGS) - 1);
		close_dialog(&dialog);
		wbuf_fini(&said);
	}
}

/* What our bytes say to a server. */
struct heard {
	struct wbuf headers; /* name=value, space between */
	bool        ended;
	unsigned    settings, acks, pings;
};

static int
note_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags, void *arg)
{
	struct heard *heard = arg;

	wbuf_printf(&heard->headers, "%.*s=%.*s ", (int)name_bytes, (const char *)name,
	    (int)value_bytes, (const char *)value);
	return 0;
}

static int
note_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
	struct heard *heard = arg;
	bool          ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;

	if (frame->hd.type == NGHTTP2_SETTINGS)
		*(ack ? &heard->acks : &heard->settings) += 1;
	if (frame->hd.type == NGHTTP2_PING && ack)
		heard->pings++;
	if (frame->hd.type == NGHTTP2_HEADERS)
		heard->ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	return 0;
}

static int
refuse_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
	fail_msg("a server refuses what we say: %s", nghttp2_strerror(error));
	return 0;
}

static void
test_request(void **state)
{
	static const char answer[] = SETTINGS PING SETTINGS_ACK STATUS_200;
	nghttp2_session_callbacks                              *calls;
	nghttp2_session                                        *server;
	struct thin_dialog                                      dialog;
	struct heard                                            heard = { 0 };
	struct wbuf                                             said;

	wbuf_init(&said);
	wbuf_init(&heard.headers);
	open_dialog(&dialog);
	assert_int_equal(converse(&dialog, answer, sizeof(answer) - 1, 1, &said), NEXT_DONE);
	close_dialog(&dialog);
	assert_memory_equal(said.bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);

	assert_int_equal(nghttp2_session_callbacks_new(&calls), 0);
	nghttp2_session_callbacks_set_on_header_callback(calls, note_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, note_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, refuse_frame);
	assert_int_equal(nghttp2_session_server_new(&server, calls, &heard), 0);
	nghttp2_session_callbacks_del(calls);
	/* Or the acknowledgement of its SETTINGS is one too many. */
	assert_int_equal(nghttp2_submit_settings(server, NGHTTP2_FLAG_NONE, NULL, 0), 0);
	for (const uint8_t *bytes; nghttp2_session_mem_send(server, &bytes) > 0;)
		;
	assert_int_equal(
	    nghttp2_session_mem_recv(server, said.bytes, said.count), (int)said.count);
	assert_string_equal(wbuf_text(&heard.headers),
	    ":method=POST :scheme=https :authority=acct-eastus.documents.azure.com:10250 "
	    ":path=/connectivity-probe content-length=0 user-agent=plprobe/" PLPROBE_VERSION
	    " x-ms-thinclient-proxy-operation-type=ConnectivityProbe ");
	assert_true(heard.ended);
	assert_int_equal(heard.settings, 1);
	assert_int_equal(heard.acks, 1);
	assert_int_equal(heard.pings, 1);
	nghttp2_session_del(server);
	wbuf_fini(&heard.headers);
	wbuf_fini(&said);
}

static void
put_frame(struct wbuf *out, uint8_t type, uint8_t flags, uint32_t stream, const void *bytes,
    size_t count)
{
	wbuf_u8(out, (uint8_t)(count >> 16));
	wbuf_u16be(out, (uint16_t)count);
	wbuf_u8(out, type);
	wbuf_u8(out, flags);
	wbuf_u32be(out, stream);
	wbuf_put(out, bytes, count);
}

/* More headers than we take, each of them one byte. */
static void
put_header_flood(struct wbuf *out)
{
	uint8_t block[1000];

	memset(block, 0x90, sizeof(block)); /* accept-encoding: gzip, deflate */
	block[0] = 0x88;
	put_frame(out, NGHTTP2_HEADERS, 5, 1, block, sizeof(block));
}

static void
put_continuation_flood(struct wbuf *out)
{
	put_frame(out, NGHTTP2_HEADERS, 1, 1, "\x88", 1);
	for (int i = 0; i < 2000; i++)
		put_frame(out, NGHTTP2_CONTINUATION, 0, 1, "", 0);
}

static void
put_interim_flood(struct wbuf *out)
{
	for (int i = 0; i < 2000; i++)
		put_frame(out, NGHTTP2_HEADERS, 4, 1,
		    "\x08\x03"
		    "102",
		    5);
}

static void
put_settings_flood(struct wbuf *out)
{
	for (int i = 0; i < 2000; i++)
		put_frame(out, NGHTTP2_SETTINGS, 0, 0, "", 0);
}

static void
put_settings_of_many(struct wbuf *out)
{
	char entries[6 * 2000];

	memset(entries, 0, sizeof(entries));
	put_frame(out, NGHTTP2_SETTINGS, 0, 0, entries, sizeof(entries));
}

static void
put_ping_flood(struct wbuf *out)
{
	for (int i = 0; i < 2000; i++)
		put_frame(out, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void
put_unknown_flood(struct wbuf *out)
{
	for (int i = 0; i < 2000; i++)
		put_frame(out, 0xee, 0, 0, "", 0);
}

static void
put_empty_data_flood(struct wbuf *out)
{
	put_frame(out, NGHTTP2_HEADERS, 4, 1, "\x88", 1);
	for (int i = 0; i < 2000; i++)
		put_frame(out, NGHTTP2_DATA, 0, 1, "", 0);
}

static void
put_long_body(struct wbuf *out)
{
	char bytes[4096];

	memset(bytes, 'x', sizeof(bytes));
	put_frame(out, NGHTTP2_HEADERS, 4, 1, "\x88", 1);
	for (int i = 0; i < 5; i++)
		put_frame(out, NGHTTP2_DATA, i == 4, 1, bytes, sizeof(bytes));
}

/* Exactly what is taken. */
static void
put_longest_body(struct wbuf *out)
{
	char bytes[4096];

	memset(bytes, 'x', sizeof(bytes));
	put_frame(out, NGHTTP2_HEADERS, 4, 1, "\x88", 1);
	for (int i = 0; i < 4; i++)
		put_frame(out, NGHTTP2_DATA, i == 3, 1, bytes, sizeof(bytes));
}

static void
put_most_frames(struct wbuf *out)
{
	for (int i = 2; i < THIN_FRAMES_MAX; i++)
		put_frame(out, NGHTTP2_PING, 0, 0, "12345678", 8);
	put_frame(out, NGHTTP2_HEADERS, 5, 1, "\x88", 1);
}

/* All that a library can make of a list: indexed, Huffman's code, a name that comes again. */
static void
put_deflated(struct wbuf *out)
{
	static const char *const pairs[][2] = {
		{ ":status", "503" },
		{ "server", "Microsoft-HTTPAPI/2.0" },
		{ "x-ms-activity-id", "c6ab6d3b-2f1c-4a5d-9d6c-0f3c2a0a1b2c" },
		{ "x-ms-activity-id", "c6ab6d3b-2f1c-4a5d-9d6c-0f3c2a0a1b2c" },
		{ "content-length", "0" },
	};
	nghttp2_hd_deflater *deflater;
	nghttp2_nv           list[5];
	uint8_t              block[512];
	ssize_t              count;

	for (size_t i = 0; i < 5; i++)
		list[i] = (nghttp2_nv){ (uint8_t *)pairs[i][0], (uint8_t *)pairs[i][1],
			strlen(pairs[i][0]), strlen(pairs[i][1]), NGHTTP2_NV_FLAG_NONE };
	assert_int_equal(nghttp2_hd_deflate_new(&deflater, 4096), 0);
	count = nghttp2_hd_deflate_hd(deflater, block, sizeof(block), list, 5);
	assert_true(count > 0);
	put_frame(out, NGHTTP2_HEADERS, 5, 1, block, (size_t)count);
	nghttp2_hd_deflate_del(deflater);
}

static const struct made_case {
	const char *name;
	void (*put)(struct wbuf *out);
	enum next    end;
	enum outcome how;
	uint32_t     status;
	const char  *words;
} made_cases[] = {
	{ "503 by a library", put_deflated, NEXT_DONE, 0, 503, NULL },
	{ "the longest body", put_longest_body, NEXT_DONE, 0, 200, NULL },
	{ "as many frames as are taken", put_most_frames, NEXT_DONE, 0, 200, NULL },
	{ "a body too long", put_long_body, NEXT_BROKEN, OUTCOME_TOO_LARGE, 200,
	    "a body of more than 16384 bytes" },
	{ "headers", put_header_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 200,
	    "headers of more than 16384 bytes" },
	/* The library takes eight of them; our own bound is the second line. */
	{ "CONTINUATION", put_continuation_flood, NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL, 200,
	    "CONTINUATION" },
	{ "interim answers", put_interim_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 0,
	    "more than 128 frames" },
	{ "SETTINGS", put_settings_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 0,
	    "more than 128 frames" },
	{ "SETTINGS of many entries", put_settings_of_many, NEXT_BROKEN, OUTCOME_BROKE_PROTOCOL,
	    0, "SETTINGS" },
	{ "PING", put_ping_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 0, "more than 128 frames" },
	{ "unknown frames", put_unknown_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 0,
	    "more than 128 frames" },
	{ "empty DATA", put_empty_data_flood, NEXT_BROKEN, OUTCOME_TOO_LARGE, 200,
	    "more than 128 frames" },
};

static void
test_bounds(void **state)
{
	static const size_t strides[] = { 1, 7, 4096, 1 << 20 };

	for (size_t i = 0; i < 4 * sizeof(made_cases) / sizeof(made_cases[0]); i++) {
		const struct made_case *c = &made_cases[i / 4];
		struct thin_dialog      dialog;
		struct wbuf             bytes, said;

		if (i % 4 == 0)
			print_message("%s\n", c->name);
		wbuf_init(&bytes);
		wbuf_init(&said);
		put_frame(&bytes, NGHTTP2_SETTINGS, 0, 0, "", 0);
		c->put(&bytes);
		open_dialog(&dialog);
		assert_int_equal(converse(&dialog, (const char *)bytes.bytes, bytes.count,
		                     strides[i % 4], &said),
		    c->end);
		assert_int_equal(dialog.how, c->how);
		assert_int_equal(dialog.status, c->status);
		if (c->words != NULL)
			expect_words(dialog.detail, c->words);
		/* Nor do we let ourselves be made to say much. */
		assert_in_range(said.count, 1, 4096);
		close_dialog(&dialog);
		wbuf_fini(&said);
		wbuf_fini(&bytes);
	}
}

static void
test_goodbye(void **state)
{
	static const char  bytes[] = SETTINGS "\0\0\x0a\7\0\0\0\0\0\x7f\xff\xff\xff\0\0\0\0go";
	struct thin_dialog dialog;
	struct wbuf        said;

	wbuf_init(&said);
	open_dialog(&dialog);
	assert_int_equal(converse(&dialog, bytes, sizeof(bytes) - 1, 100, &said), NEXT_HEAR);
	assert_string_equal(dialog.goodbye, "GOAWAY NO_ERROR 'go'");
	close_dialog(&dialog);
	wbuf_fini(&said);
}

static void
test_never_begun(void **state)
{
	struct thin_dialog dialog;

	open_dialog(&dialog);
	close_dialog(&dialog);
}

static void
test_library(void **state)
{
	assert_int_equal(
	    strspn(thin_dialog_library(), "0123456789."), strlen(thin_dialog_library()));
	assert_true(strlen(thin_dialog_library()) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_goodbye),
		cmocka_unit_test(test_never_begun),
		cmocka_unit_test(test_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
