#include "probe/cassandra/cassandra_dialog.h"

/* One a request, so that an answer tells to which. */
enum { OPTIONS_STREAM = 0, STARTUP_STREAM = 1 };

static void
say_request(void *self, struct wbuf *out)
{
	struct cassandra_dialog *dialog = self;

	if (dialog->supported_heard)
		cassandra_startup_put(out, STARTUP_STREAM, dialog->supported.first);
	else
		cassandra_options_put(out, OPTIONS_STREAM);
}

static enum next
hear_error(struct cassandra_dialog *dialog, struct rcur body)
{
	dialog->refused = cassandra_error_parse(
	    &dialog->error, body, dialog->arena, &dialog->broken);
	return dialog->refused ? NEXT_DONE : NEXT_BROKEN;
}

static enum next
refuse_opcode(struct cassandra_dialog *dialog, uint8_t opcode, const char *request)
{
	err_set(
	    &dialog->broken, ERR_PARSE, "opcode 0x%02x is no answer to %s", opcode, request);
	return NEXT_BROKEN;
}

static enum next
hear_supported(struct cassandra_dialog *dialog, const struct cassandra_frame *frame)
{
	switch (frame->opcode) {
	case CASSANDRA_ERROR: return hear_error(dialog, frame->body);
	case CASSANDRA_SUPPORTED: break;
	default: return refuse_opcode(dialog, frame->opcode, "OPTIONS");
	}
	dialog->supported_heard = cassandra_supported_parse(
	    &dialog->supported, frame->body, dialog->arena, &dialog->broken);
	return dialog->supported_heard ? NEXT_SAY : NEXT_BROKEN;
}

static enum next
hear_authenticate(struct cassandra_dialog *dialog, const struct cassandra_frame *frame)
{
	const char *class;

	switch (frame->opcode) {
	case CASSANDRA_ERROR: return hear_error(dialog, frame->body);
	case CASSANDRA_READY: return NEXT_DONE;
	case CASSANDRA_AUTHENTICATE: break;
	default: return refuse_opcode(dialog, frame->opcode, "STARTUP");
	}
	if (!cassandra_authenticate_parse(&class, frame->body, dialog->arena, &dialog->broken))
		return NEXT_BROKEN;
	dialog->authenticator = class;
	return NEXT_DONE;
}

static enum next
hear_frame(void *self, struct rcur *in)
{
	struct cassandra_dialog *dialog = self;
	int16_t stream = dialog->supported_heard ? STARTUP_STREAM : OPTIONS_STREAM;
	struct cassandra_frame frame;

	switch (cassandra_frame_parse(&frame, stream, in, &dialog->broken)) {
	case CASSANDRA_MORE: return NEXT_HEAR;
	case CASSANDRA_BAD: return NEXT_BROKEN;
	case CASSANDRA_WHOLE: break;
	}
	return dialog->supported_heard ? hear_authenticate(dialog, &frame)
	                               : hear_supported(dialog, &frame);
}

const struct dialog_ops cassandra_ops = { "cassandra", say_request, hear_frame };
