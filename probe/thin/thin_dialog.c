#include "probe/thin/thin_dialog.h"

#include "base/text.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

/* The one stream we open is the first one of a client [rfc9113 5.1.1]. */
enum { OUR_STREAM = 1, STATUS_FINAL = 200, STATUS_LINE_MAX_BYTES = 128, WORDS_MAX_BYTES = 255 };
/* What a header counts for beside its text [rfc9113 6.5.2]. */
enum { HEADER_EXTRA_BYTES = 32 };
/* A frame's head, and the most that may follow it: we allow no more [rfc9113 4.1, 4.2]. */
enum { FRAME_HEAD_BYTES = 9, FRAME_BODY_MAX_BYTES = 16 * 1024 };

/* The first reason stands: what comes behind it is its consequence. */
static void
fail(struct thin_dialog *dialog, enum outcome how, const char *detail)
{
	if (dialog->how != OUTCOME_NOT_RUN || dialog->answered)
		return;
	dialog->how = how;
	dialog->detail = detail;
}

/* Before a peer has said anything nghttp2 can only lack memory, which is fatal as everywhere. */
static void
expect_done(int result)
{
	if (result < 0)
		abort();
}

static const char *
name_frame(uint8_t type)
{
	static const char *const names[] = { "DATA", "HEADERS", "PRIORITY", "RST_STREAM",
		"SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION" };

	return type < sizeof(names) / sizeof(names[0]) ? names[type] : "unknown";
}

/* "GOAWAY ENHANCE_YOUR_CALM 'too many pings'" */
static const char *
describe_goaway(struct arena *arena, const nghttp2_goaway *goaway)
{
	const char *code = nghttp2_http2_strerror(goaway->error_code);
	size_t      count = goaway->opaque_data_len;

	if (count == 0)
		return arena_printf(arena, "GOAWAY %s", code);
	return arena_printf(arena, "GOAWAY %s '%s'", code,
	    text_sane(arena, goaway->opaque_data, count, WORDS_MAX_BYTES));
}

/* A GOAWAY that spares our stream only says that there shall be no others [rfc9113 6.8]. */
static void
hear_goaway(struct thin_dialog *dialog, const nghttp2_goaway *goaway)
{
	const char *words = describe_goaway(dialog->arena, goaway);

	if (goaway->last_stream_id >= OUR_STREAM)
		dialog->goodbye = words;
	else
		fail(dialog, OUTCOME_REFUSED_BY_PEER,
		    arena_printf(dialog->arena, "%s instead of an answer", words));
}

static void
hear_reset(struct thin_dialog *dialog, uint32_t error_code)
{
	fail(dialog, OUTCOME_REFUSED_BY_PEER,
	    arena_printf(dialog->arena, "RST_STREAM %s instead of an answer",
	        nghttp2_http2_strerror(error_code)));
}

static uint32_t
parse_status(const uint8_t *digits, size_t count)
{
	uint32_t status = 0;

	/* The session takes no status but three digits. */
	for (size_t i = 0; i < count; i++)
		status = status * 10 + (digits[i] - '0');
	return status;
}

static int
on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_bytes, const uint8_t *value, size_t value_bytes, uint8_t flags, void *self)
{
	struct thin_dialog *dialog = self;
	uint32_t            status;

	dialog->header_bytes += name_bytes + value_bytes + HEADER_EXTRA_BYTES;
	if (dialog->header_bytes > THIN_HEADERS_MAX_BYTES) {
		fail(dialog, OUTCOME_TOO_LARGE,
		    arena_printf(dialog->arena, "headers of more than %d bytes",
		        THIN_HEADERS_MAX_BYTES));
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	}
	if (name_bytes == 7 && memcmp(name, ":status", 7) == 0) {
		status = parse_status(value, value_bytes);
		if (status >= STATUS_FINAL) /* 1xx only announces one [rfc9110 15.2] */
			dialog->status = status;
	}
	return 0;
}

static int
on_body(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
    size_t count, void *self)
{
	struct thin_dialog *dialog = self;

	dialog->body_bytes += count;
	if (dialog->body_bytes <= THIN_BODY_MAX_BYTES)
		return 0;
	fail(dialog, OUTCOME_TOO_LARGE,
	    arena_printf(dialog->arena, "a body of more than %d bytes", THIN_BODY_MAX_BYTES));
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int
on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
	struct thin_dialog *dialog = self;

	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS: dialog->settled = true; break;
	case NGHTTP2_GOAWAY: hear_goaway(dialog, &frame->goaway); break;
	case NGHTTP2_RST_STREAM: hear_reset(dialog, frame->rst_stream.error_code); break;
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && dialog->status != 0 &&
		    dialog->how == OUTCOME_NOT_RUN)
			dialog->answered = true;
		break;
	default: break;
	}
	return 0;
}

/* Of an answer that HTTP forbids.  Of a frame that HTTP/2 forbids the GOAWAY that follows says
 * more than the code. */
static int
on_invalid_frame(
    nghttp2_session *session, const nghttp2_frame *frame, int lib_error_code, void *self)
{
	struct thin_dialog *dialog = self;

	if (lib_error_code != NGHTTP2_ERR_PROTO)
		fail(dialog, OUTCOME_BROKE_PROTOCOL,
		    arena_printf(dialog->arena, "%s frame: %s", name_frame(frame->hd.type),
		        nghttp2_strerror(lib_error_code)));
	return 0;
}

/* The session answers so when the peer broke the rules.  Other streams than ours are none of our
 * business: a push is refused until the peer knows that we want none. */
static int
on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
	struct thin_dialog *dialog = self;

	if (frame->hd.type == NGHTTP2_GOAWAY)
		fail(dialog, OUTCOME_BROKE_PROTOCOL,
		    arena_printf(dialog->arena, "not HTTP/2: we answer %s",
		        describe_goaway(dialog->arena, &frame->goaway)));
	else if (frame->hd.type == NGHTTP2_RST_STREAM && frame->hd.stream_id == OUR_STREAM)
		fail(dialog, OUTCOME_BROKE_PROTOCOL,
		    arena_printf(dialog->arena, "not HTTP/2: we answer RST_STREAM %s",
		        nghttp2_http2_strerror(frame->rst_stream.error_code)));
	return 0;
}

#define HEADER(name, value)                                                         \
	{                                                                           \
		(uint8_t *)(name), (uint8_t *)(value), strlen(name), strlen(value), \
		    NGHTTP2_NV_FLAG_NONE                                            \
	}

/* The request of the SDKs [cosmos-thin-client]; it ends its stream, so it has no body. */
static void
submit_request(struct thin_dialog *dialog)
{
	const nghttp2_nv headers[] = {
		HEADER(":method", "POST"),
		HEADER(":scheme", "https"),
		HEADER(":authority", dialog->spec.authority),
		HEADER(":path", "/connectivity-probe"),
		HEADER("content-length", "0"),
		HEADER("user-agent", "plprobe/" PLPROBE_VERSION),
		HEADER("x-ms-thinclient-proxy-operation-type", "ConnectivityProbe"),
	};

	expect_done(nghttp2_submit_request(
	    dialog->session, NULL, headers, sizeof(headers) / sizeof(headers[0]), NULL, NULL));
}

static void
submit_settings(struct thin_dialog *dialog)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, THIN_HEADERS_MAX_BYTES },
	};

	expect_done(nghttp2_submit_settings(dialog->session, NGHTTP2_FLAG_NONE, settings,
	    sizeof(settings) / sizeof(settings[0])));
}

static void
open_session(struct thin_dialog *dialog)
{
	nghttp2_session_callbacks *calls;

	expect_done(nghttp2_session_callbacks_new(&calls));
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_body);
	nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(calls, on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(calls, on_frame_sent);
	expect_done(nghttp2_session_client_new(&dialog->session, calls, dialog));
	nghttp2_session_callbacks_del(calls);
	submit_settings(dialog);
	submit_request(dialog);
}

/* All that the session has to say by now. */
static void
collect(struct thin_dialog *dialog)
{
	const uint8_t *bytes;
	ssize_t        count;

	while ((count = nghttp2_session_mem_send(dialog->session, &bytes)) > 0)
		wbuf_put(&dialog->owed, bytes, (size_t)count);
	if (count < 0)
		fail(dialog, OUTCOME_BROKE_PROTOCOL, nghttp2_strerror((int)count));
}

static void
say_owed(void *self, struct wbuf *out)
{
	struct thin_dialog *dialog = self;

	if (dialog->session == NULL) {
		open_session(dialog);
		collect(dialog);
	}
	wbuf_put(out, dialog->owed.bytes, dialog->owed.count);
	wbuf_clear(&dialog->owed);
}

/* As a frame it would be one of 4.7 MB of type 'P': no mistake is possible. */
static bool
is_http1(const struct rcur *in)
{
	static const char start[] = "HTTP/";
	size_t            count = rcur_left(in);

	return count > 0 &&
	    memcmp(in->at, start, count < strlen(start) ? count : strlen(start)) == 0;
}

/* The status line of an older HTTP, which says more than its first byte: waited for. */
static enum next
hear_http1(struct thin_dialog *dialog, const struct rcur *in)
{
	size_t count = rcur_left(in), line = 0;

	while (line < count && in->at[line] != '\r' && in->at[line] != '\n')
		line++;
	if (line == count && count < STATUS_LINE_MAX_BYTES)
		return NEXT_HEAR;
	fail(dialog, OUTCOME_BROKE_PROTOCOL,
	    arena_printf(dialog->arena, "no HTTP/2: the peer says '%s'",
	        text_sane(dialog->arena, in->at, line, STATUS_LINE_MAX_BYTES)));
	return NEXT_BROKEN;
}

/* The bytes of the frame at in; 0 while it is not whole.  One that is too long is refused by its
 * head, and not waited for. */
static size_t
measure_frame(const struct rcur *in)
{
	struct rcur at = *in;
	size_t      body = (size_t)rcur_u8(&at) << 16;

	body |= rcur_u16be(&at);
	rcur_skip(&at, FRAME_HEAD_BYTES - 3);
	if (!rcur_ok(&at))
		return 0;
	if (body > FRAME_BODY_MAX_BYTES)
		return FRAME_HEAD_BYTES;
	return rcur_left(&at) < body ? 0 : FRAME_HEAD_BYTES + body;
}

static void
hear_frame(struct thin_dialog *dialog, const uint8_t *bytes, size_t count)
{
	ssize_t taken;

	dialog->heard = true;
	if (++dialog->frames > THIN_FRAMES_MAX) {
		fail(dialog, OUTCOME_TOO_LARGE,
		    arena_printf(dialog->arena, "more than %d frames", THIN_FRAMES_MAX));
		return;
	}
	taken = nghttp2_session_mem_recv(dialog->session, bytes, count);
	if (taken < 0)
		fail(dialog, OUTCOME_BROKE_PROTOCOL, nghttp2_strerror((int)taken));
	else
		collect(dialog);
}

/* The session could keep what is not whole, but counts a frame for each piece of it that it sees
 * where it expects a CONTINUATION.  Frame by frame, the pieces that the network makes do not
 * matter, and all frames are counted, also of types it does not know. */
static enum next
hear_frames(void *self, struct rcur *in)
{
	struct thin_dialog *dialog = self;
	size_t              count;

	if (!dialog->heard && is_http1(in))
		return hear_http1(dialog, in);
	while (dialog->how == OUTCOME_NOT_RUN && !dialog->answered &&
	    (count = measure_frame(in)) > 0)
		hear_frame(dialog, rcur_bytes(in, count), count);
	if (dialog->answered)
		return NEXT_DONE;
	if (dialog->how != OUTCOME_NOT_RUN)
		return NEXT_BROKEN;
	return dialog->owed.count > 0 ? NEXT_SAY : NEXT_HEAR;
}

const struct dialog_ops thin_ops = { .name = "thin", .say = say_owed, .hear = hear_frames };

void
thin_dialog_fini(struct thin_dialog *dialog)
{
	nghttp2_session_del(dialog->session);
	dialog->session = NULL;
	wbuf_fini(&dialog->owed);
}

const char *
thin_dialog_library(void)
{
	return nghttp2_version(0)->version_str;
}
