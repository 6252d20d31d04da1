#include "probe/skeleton/skeleton_dialog.h"

#include "base/text.h"
#include "probe/skeleton/skeleton_wire.h"

#include <string.h>

enum { BANNER_MAX_BYTES = 255 };

static void
say_word(void *self, struct wbuf *out)
{
	struct skeleton_dialog *dialog = self;

	/* The first turn is the peer's. */
	if (dialog->greeted)
		skeleton_frame_put(
		    out, SKELETON_ECHO, dialog->spec.word, strlen(dialog->spec.word));
}

static enum next
hear_hello(struct skeleton_dialog *dialog, const struct skeleton_frame *frame)
{
	if (frame->type != SKELETON_HELLO) {
		err_set(&dialog->broken, ERR_PARSE, "an echo before the greeting");
		return NEXT_BROKEN;
	}
	dialog->greeted = true;
	/* What a peer says is made sane where it is decoded, and nowhere else. */
	dialog->banner = text_sane(dialog->arena, frame->body, frame->count, BANNER_MAX_BYTES);
	return NEXT_SAY;
}

static enum next
hear_echo(struct skeleton_dialog *dialog, const struct skeleton_frame *frame)
{
	size_t count = strlen(dialog->spec.word);

	if (frame->type == SKELETON_ECHO && frame->count == count &&
	    memcmp(frame->body, dialog->spec.word, count) == 0)
		return NEXT_DONE;
	err_set(&dialog->broken, ERR_PARSE, "not the word that was said came back");
	return NEXT_BROKEN;
}

static enum next
hear_frame(void *self, struct rcur *in)
{
	struct skeleton_dialog *dialog = self;
	struct skeleton_frame   frame;

	switch (skeleton_frame_parse(&frame, in, &dialog->broken)) {
	case SKELETON_MORE: return NEXT_HEAR;
	case SKELETON_BAD: return NEXT_BROKEN;
	case SKELETON_WHOLE: break;
	}
	return dialog->greeted ? hear_echo(dialog, &frame) : hear_hello(dialog, &frame);
}

const struct dialog_ops skeleton_ops = { "skeleton", say_word, hear_frame };
