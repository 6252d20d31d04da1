#include "probe/mongo/mongo_dialog.h"

static void
say_question(void *self, struct wbuf *out)
{
	struct mongo_dialog *dialog = self;

	dialog->asked_hello = dialog->knows;
	mongo_question_put(out, dialog->knows ? MONGO_HELLO : MONGO_ISMASTER);
}

static enum next
judge_ismaster(struct mongo_dialog *dialog)
{
	const struct mongo_answer *answer = &dialog->ismaster;

	dialog->knows = true;
	if (!answer->ok)
		return NEXT_DONE; /* a refusal: hello would get the same */
	if (!answer->is_server) {
		err_set(&dialog->broken, ERR_PARSE,
		    "the answer to isMaster does not say whether it is one");
		return NEXT_BROKEN;
	}
	return answer->wire_most >= MONGO_WIRE_OP_MSG ? NEXT_SAY : NEXT_DONE;
}

static enum next
hear_answer(void *self, struct rcur *in)
{
	struct mongo_dialog *dialog = self;
	enum mongo_question  question = dialog->asked_hello ? MONGO_HELLO : MONGO_ISMASTER;
	struct mongo_reply   reply;

	switch (mongo_reply_parse(&reply, question, in, &dialog->broken)) {
	case MONGO_MORE: return NEXT_HEAR;
	case MONGO_BAD: return NEXT_BROKEN;
	case MONGO_WHOLE: break;
	}
	if (question == MONGO_ISMASTER) {
		mongo_answer_read(&dialog->ismaster, &reply, dialog->arena);
		return judge_ismaster(dialog);
	}
	mongo_answer_read(&dialog->hello, &reply, dialog->arena);
	dialog->knows_hello = true;
	return NEXT_DONE;
}

const struct dialog_ops mongo_ops = { "mongo", say_question, hear_answer };
