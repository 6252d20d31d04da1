#include "probe/tables/tables_dialog.h"

static void
say_request(void *self, struct wbuf *out)
{
	const struct tables_dialog *dialog = self;

	tables_request_put(out, &dialog->spec);
}

static enum next
hear_answer(void *self, struct rcur *in)
{
	struct tables_dialog *dialog = self;

	switch (reply_hear(&dialog->reply, in, &dialog->broken)) {
	case HEAD_MORE: return NEXT_HEAR;
	case HEAD_BAD: return NEXT_BROKEN;
	case HEAD_WHOLE: break;
	}
	return NEXT_DONE;
}

const struct dialog_ops tables_ops = { "table", say_request, hear_answer };
