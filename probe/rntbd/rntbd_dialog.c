#include "probe/rntbd/rntbd_dialog.h"

#include "base/text.h"
#include "probe/rntbd/rntbd_json.h"

#include <string.h>

/* What a SmallString holds. */
enum { TEXT_MAX_BYTES = 255 };

static void
say_request(void *self, struct wbuf *out)
{
	struct rntbd_dialog *dialog = self;

	rntbd_request_put(out, &dialog->spec.request);
}

static void
note_heard(struct rntbd_dialog *dialog, const struct rcur *in)
{
	size_t count = rcur_left(in);

	dialog->heard_bytes = dialog->taken_bytes + count;
	if (dialog->taken_bytes == 0)
		memcpy(dialog->first, in->at,
		    count < RNTBD_FIRST_BYTES ? count : RNTBD_FIRST_BYTES);
}

static const char *
copy_text(struct arena *arena, const struct rntbd_text *text)
{
	return text_sane(arena, text->bytes, text->count, TEXT_MAX_BYTES);
}

/* " version=2.14.0.0" comes with its leading blank. */
static const char *
copy_trimmed(struct arena *arena, const struct rntbd_text *text)
{
	struct rntbd_text inner = *text;

	while (inner.count > 0 && inner.bytes[0] == ' ') {
		inner.bytes++;
		inner.count--;
	}
	while (inner.count > 0 && inner.bytes[inner.count - 1] == ' ')
		inner.count--;
	return copy_text(arena, &inner);
}

static void
keep_context(struct rntbd_dialog *dialog, const struct rntbd_context *context)
{
	dialog->answer = (struct rntbd_answer){
		.status = context->status,
		.refuses = rntbd_context_is_refusal(context),
		.server_agent = copy_text(dialog->arena, &context->server_agent),
		.server_version = copy_trimmed(dialog->arena, &context->server_version),
		.client_version = copy_text(dialog->arena, &context->client_version),
		.thumbprint = copy_text(dialog->arena, &context->thumbprint),
		.protocol_version = context->protocol_version,
		.idle_timeout_s = context->idle_timeout_s,
		.unauthenticated_timeout_s = context->unauthenticated_timeout_s,
		.error_code = "",
		.error_text = "",
	};
	dialog->answered = true;
	dialog->wanted_bytes = 0;
}

/* The echo is compared as it stands on the wire: peers differ in how they write an id as text.  The
 * .NET SDK takes whatever comes [rntbd-sdk]; we want to know who answers, and to whom. */
static bool
check_echo(struct rntbd_dialog *dialog, const struct rntbd_context *context)
{
	char theirs[RNTBD_ID_TEXT], ours[RNTBD_ID_TEXT];

	if (memcmp(context->activity_id, dialog->spec.request.activity_id, RNTBD_ID_BYTES) == 0)
		return true;
	return err_set(&dialog->broken, ERR_PARSE,
	    "the answer is for activity %s, asked was %s",
	    rntbd_id_render(context->activity_id, theirs),
	    rntbd_id_render(dialog->spec.request.activity_id, ours));
}

static enum next
hear_context(struct rntbd_dialog *dialog, struct rcur *in)
{
	struct rntbd_context context;
	size_t               before = rcur_left(in);

	switch (rntbd_context_parse(&context, in, &dialog->broken)) {
	case RNTBD_MORE: dialog->wanted_bytes = context.length; return NEXT_HEAR;
	case RNTBD_BAD: return NEXT_BROKEN;
	case RNTBD_WHOLE: break;
	}
	if (!check_echo(dialog, &context))
		return NEXT_BROKEN;
	keep_context(dialog, &context);
	dialog->taken_bytes += before - rcur_left(in);
	return NEXT_DONE;
}

static enum next
hear_body(struct rntbd_dialog *dialog, struct rcur *in)
{
	struct rntbd_body body;

	switch (rntbd_body_parse(&body, in, &dialog->broken)) {
	case RNTBD_MORE: dialog->wanted_bytes = body.count; return NEXT_HEAR;
	case RNTBD_BAD: return NEXT_BROKEN;
	case RNTBD_WHOLE: break;
	}
	rntbd_json_read(body.bytes, body.count, dialog->arena, &dialog->answer.error_code,
	    &dialog->answer.error_text);
	return NEXT_DONE;
}

static enum next
hear_answer(void *self, struct rcur *in)
{
	struct rntbd_dialog *dialog = self;
	enum next            next = NEXT_DONE;

	note_heard(dialog, in);
	if (!dialog->answered)
		next = hear_context(dialog, in);
	if (next == NEXT_DONE && dialog->answer.refuses)
		next = hear_body(dialog, in);
	dialog->trailing = next == NEXT_DONE && rcur_left(in) > 0;
	return next;
}

const struct dialog_ops rntbd_ops = { "rntbd", say_request, hear_answer };
