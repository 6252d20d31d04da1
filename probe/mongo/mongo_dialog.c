#include "probe/mongo/mongo_dialog.h"

#include "base/text.h"

static void
say_question(void *self, struct wbuf *out)
{
	struct mongo_dialog *dialog = self;

	dialog->asked_hello = dialog->knows;
	mongo_question_put(out, dialog->knows ? MONGO_HELLO : MONGO_ISMASTER);
}

static enum next
refuse(struct mongo_dialog *dialog, const char *why)
{
	err_set(&dialog->broken, ERR_PARSE, "%s", why);
	return NEXT_BROKEN;
}

static enum next
judge_ismaster(struct mongo_dialog *dialog, const struct mongo_reply *reply)
{
	const struct mongo_answer *answer = &dialog->ismaster;

	mongo_answer_read(&dialog->ismaster, reply, dialog->arena);
	if (answer->ok ? !answer->is_server : !answer->is_error)
		return refuse(dialog,
		    answer->ok ? "the answer to isMaster does not say whether it is one"
		               : "the answer to isMaster is neither ok nor an error");
	dialog->knows = true;
	if (!answer->ok || answer->wire_most < MONGO_WIRE_OP_MSG)
		return NEXT_DONE; /* hello would get the same, or nothing */
	return NEXT_SAY;
}

static enum next
judge_hello(struct mongo_dialog *dialog, const struct mongo_reply *reply)
{
	mongo_answer_read(&dialog->hello, reply, dialog->arena);
	if (!dialog->hello.ok && !dialog->hello.is_error)
		return refuse(dialog, "the answer to hello is neither ok nor an error");
	dialog->knows_hello = true;
	return NEXT_DONE;
}

static enum next
hear_answer(void *self, struct rcur *in)
{
	struct mongo_dialog *dialog = self;
	enum mongo_question  question = dialog->asked_hello ? MONGO_HELLO : MONGO_ISMASTER;
	struct mongo_reply   reply;

	switch (mongo_reply_parse(&reply, question, in, &dialog->broken)) {
	case MONGO_MORE: return NEXT_HEAR;
	case MONGO_BAD:
		text_clean(dialog->broken.text); /* it may name an element */
		return NEXT_BROKEN;
	case MONGO_WHOLE: break;
	}
	return question == MONGO_HELLO ? judge_hello(dialog, &reply)
	                               : judge_ismaster(dialog, &reply);
}

const struct dialog_ops mongo_ops = { "mongo", say_question, hear_answer };
