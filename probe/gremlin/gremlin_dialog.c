#include "probe/gremlin/gremlin_dialog.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

enum { REASON_MAX = 123 };

static enum next
breaks(struct gremlin_dialog *dialog, const char *what)
{
	err_set(&dialog->broken, ERR_PARSE, "%s", what);
	return NEXT_BROKEN;
}

/* Each frame with a mask of its own, that nobody can foresee [rfc6455 5.3]. */
static void
put_frame(struct wbuf *out, enum websocket_opcode opcode, const void *bytes, size_t count)
{
	uint8_t mask[WEBSOCKET_MASK_BYTES];

	digest_random(mask, sizeof(mask));
	websocket_frame_put(out, opcode, mask, bytes, count);
}

static void
say_request(struct gremlin_dialog *dialog, struct wbuf *out)
{
	struct wbuf request;

	wbuf_init(&request);
	gremlin_request_put(&request, &dialog->spec);
	put_frame(out, WEBSOCKET_BINARY, request.bytes, request.count);
	wbuf_fini(&request);
	dialog->state = GREMLIN_ANSWER;
}

static void
say_next(void *self, struct wbuf *out)
{
	static const uint8_t   normal[] = { WEBSOCKET_NORMAL >> 8, WEBSOCKET_NORMAL & 0xff };
	struct gremlin_dialog *dialog = self;

	if (dialog->owes_pong)
		put_frame(out, WEBSOCKET_PONG, dialog->pong, dialog->pong_bytes);
	dialog->owes_pong = false;
	switch (dialog->state) {
	case GREMLIN_UPGRADE: gremlin_upgrade_put(out, &dialog->spec); break;
	case GREMLIN_ASK: say_request(dialog, out); break;
	case GREMLIN_OVER: put_frame(out, WEBSOCKET_CLOSE, normal, sizeof(normal)); break;
	case GREMLIN_REFUSED:
	case GREMLIN_ANSWER: break;
	}
}

/* What a client has to hold a 101 against [rfc6455 4.1]. */
static bool
check_upgrade(struct gremlin_dialog *dialog, const struct head *head)
{
	struct err              *err = &dialog->broken;
	char                     accept[WEBSOCKET_ACCEPT_ROOM];
	const struct head_field *told = head_find(head, "sec-websocket-accept");

	if (head->minor == 0)
		return err_set(err, ERR_PARSE, "a 101 in HTTP/1.0, which has no upgrade");
	if (!head_lists(head, "upgrade", "websocket") ||
	    !head_lists(head, "connection", "upgrade"))
		return err_set(err, ERR_PARSE, "a 101, but not to a WebSocket");
	if (told == NULL)
		return err_set(err, ERR_PARSE, "a 101 without Sec-WebSocket-Accept");
	websocket_accept(dialog->spec.key, accept);
	if (told->value_bytes != strlen(accept) ||
	    memcmp(told->value, accept, told->value_bytes) != 0)
		return err_set(err, ERR_PARSE,
		    "a 101 with another Sec-WebSocket-Accept than our key gives: the answer is "
		    "not to our request");
	if (head_find(head, "sec-websocket-extensions") != NULL ||
	    head_find(head, "sec-websocket-protocol") != NULL)
		return err_set(
		    err, ERR_PARSE, "a 101 with an extension or subprotocol nobody asked for");
	return true;
}

static enum next
hear_refusal(struct gremlin_dialog *dialog, struct rcur *in)
{
	switch (reply_hear(&dialog->reply, in, &dialog->broken)) {
	case HEAD_MORE: return NEXT_HEAR;
	case HEAD_BAD: return NEXT_BROKEN;
	case HEAD_WHOLE: break;
	}
	return NEXT_DONE;
}

static enum next
hear_head(struct gremlin_dialog *dialog, struct rcur *in)
{
	struct head head;

	switch (reply_hear_head(&dialog->reply, &head, in, &dialog->broken)) {
	case HEAD_MORE: return NEXT_HEAR;
	case HEAD_BAD: return NEXT_BROKEN;
	case HEAD_WHOLE: break;
	}
	if (head.status != 101) {
		dialog->state = GREMLIN_REFUSED;
		return hear_refusal(dialog, in);
	}
	if (!check_upgrade(dialog, &head))
		return NEXT_BROKEN;
	dialog->state = GREMLIN_ASK;
	return NEXT_SAY;
}

static enum next
hear_close(struct gremlin_dialog *dialog, const struct websocket_frame *frame)
{
	unsigned    code = websocket_close_code(frame);
	const char *reason = "";

	if (frame->count == 1)
		return breaks(dialog, "a Close with half a code");
	if (frame->count > 2)
		reason = text_sane(
		    dialog->arena, frame->payload + 2, frame->count - 2, REASON_MAX);
	dialog->closed = true;
	if (code == WEBSOCKET_NO_CODE)
		return breaks(dialog, "it closed the WebSocket without a code or an answer");
	err_set(&dialog->broken, ERR_PEER, "it closed the WebSocket with code %u%s%s", code,
	    *reason != '\0' ? ": " : "", reason);
	return NEXT_BROKEN;
}

static enum next
hear_ping(struct gremlin_dialog *dialog, const struct websocket_frame *frame)
{
	if (++dialog->pings > GREMLIN_PINGS_MAX)
		return breaks(dialog, "it pings and pings, and does not answer");
	memcpy(dialog->pong, frame->payload, frame->count);
	dialog->pong_bytes = frame->count;
	dialog->owes_pong = true;
	return NEXT_SAY;
}

static enum next
hear_message(struct gremlin_dialog *dialog, const uint8_t *bytes, size_t count)
{
	if (!gremlin_status_read(
	        &dialog->status, bytes, count, dialog->arena, &dialog->broken)) {
		err_in(&dialog->broken, "not a Gremlin response");
		return NEXT_BROKEN;
	}
	dialog->state = GREMLIN_OVER;
	return NEXT_LEAVE;
}

/* A message in pieces, with control frames between them [rfc6455 5.4]. */
static enum next
hear_piece(struct gremlin_dialog *dialog, const struct websocket_frame *frame)
{
	if ((frame->opcode == WEBSOCKET_MORE_OF) != dialog->in_message)
		return breaks(dialog, "the pieces of a message are out of order");
	if (frame->last && !dialog->in_message)
		return hear_message(dialog, frame->payload, frame->count);
	if (dialog->message == NULL)
		dialog->message = arena_alloc(dialog->arena, WEBSOCKET_PAYLOAD_MAX);
	if (frame->count > WEBSOCKET_PAYLOAD_MAX - dialog->message_bytes)
		return breaks(dialog, "the message does not end");
	memcpy(dialog->message + dialog->message_bytes, frame->payload, frame->count);
	dialog->message_bytes += frame->count;
	dialog->in_message = !frame->last;
	if (frame->last)
		return hear_message(dialog, dialog->message, dialog->message_bytes);
	return NEXT_HEAR;
}

static enum next
hear_frame(struct gremlin_dialog *dialog, const struct websocket_frame *frame)
{
	switch (frame->opcode) {
	case WEBSOCKET_MORE_OF:
	case WEBSOCKET_TEXT:
	case WEBSOCKET_BINARY: return hear_piece(dialog, frame);
	case WEBSOCKET_CLOSE: return hear_close(dialog, frame);
	case WEBSOCKET_PING: return hear_ping(dialog, frame);
	case WEBSOCKET_PONG: return NEXT_HEAR; /* one-way; nobody answers it */
	}
	return NEXT_HEAR;
}

static enum next
hear_frames(struct gremlin_dialog *dialog, struct rcur *in)
{
	struct websocket_frame frame;
	enum next              next = NEXT_HEAR;

	while (next == NEXT_HEAR) {
		switch (websocket_frame_parse(&frame, in, &dialog->broken)) {
		case WEBSOCKET_SHORT: return NEXT_HEAR;
		case WEBSOCKET_BAD: return NEXT_BROKEN;
		case WEBSOCKET_WHOLE: break;
		}
		next = hear_frame(dialog, &frame);
	}
	return next;
}

static enum next
hear_next(void *self, struct rcur *in)
{
	struct gremlin_dialog *dialog = self;

	switch (dialog->state) {
	case GREMLIN_UPGRADE: return hear_head(dialog, in);
	case GREMLIN_REFUSED: return hear_refusal(dialog, in);
	case GREMLIN_ANSWER: return hear_frames(dialog, in);
	case GREMLIN_ASK:
	case GREMLIN_OVER: break;
	}
	assert(!"it is our turn");
	return NEXT_BROKEN;
}

const struct dialog_ops gremlin_ops = { "gremlin", say_next, hear_next };
