#include "probe/skeleton/skeleton_wire.h"

#include <assert.h>

/* What is wrong is said as soon as the head shows it: the length is held against the limit before
 * anybody waits for so many bytes. */
enum skeleton_parse
skeleton_frame_parse(struct skeleton_frame *frame, struct rcur *in, struct err *err)
{
	struct rcur at = *in;

	frame->type = rcur_u8(&at);
	frame->count = rcur_u16be(&at);
	if (!rcur_ok(&at))
		return SKELETON_MORE;
	if (frame->type != SKELETON_HELLO && frame->type != SKELETON_ECHO) {
		err_set(err, ERR_PARSE, "frame of type %u, 1 or 2 wanted", frame->type);
		return SKELETON_BAD;
	}
	if (frame->count > SKELETON_BODY_MAX) {
		err_set(err, ERR_LIMIT, "frame of %u bytes, at most %d wanted", frame->count,
		    SKELETON_BODY_MAX);
		return SKELETON_BAD;
	}
	frame->body = rcur_bytes(&at, frame->count);
	if (!rcur_ok(&at))
		return SKELETON_MORE;
	*in = at;
	return SKELETON_WHOLE;
}

void
skeleton_frame_put(struct wbuf *out, enum skeleton_type type, const void *body, size_t count)
{
	assert(count <= SKELETON_BODY_MAX);
	wbuf_u8(out, (uint8_t)type);
	wbuf_u16be(out, (uint16_t)count);
	wbuf_put(out, body, count);
}
