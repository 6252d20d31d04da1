/* mongo_wire: messages of MongoDB's wire protocol to structs and back, without I/O [mongo-wire].
 *
 * Two questions and the answers to them.  isMaster goes by OP_QUERY, as every driver asks first;
 * hello by OP_MSG.  An answer is held against its question: number, form, one document.
 */
#ifndef PROBE_MONGO_MONGO_WIRE_H
#define PROBE_MONGO_MONGO_WIRE_H

#include "base/rcur.h"
#include "base/wbuf.h"

enum {
	MONGO_HEAD_BYTES = 16,
	MONGO_MESSAGE_MAX_BYTES = 64 * 1024 /* a greeting has about 1 KiB */
};

enum mongo_question {
	MONGO_ISMASTER = 1, /* the number is the requestID */
	MONGO_HELLO = 3
};

enum mongo_parse {
	MONGO_WHOLE,
	MONGO_MORE, /* the message is not all there; in is where it was */
	MONGO_BAD
};

/* The one document of an answer, checked; borrowed from the bytes that were parsed. */
struct mongo_reply {
	struct rcur elements;
};

/* Writes the question. */
void mongo_question_put(struct wbuf *out, enum mongo_question question);

/* Takes the answer to the question off in. */
enum mongo_parse mongo_reply_parse(struct mongo_reply *reply, enum mongo_question question,
    struct rcur *in, struct err *err) MUST_CHECK;

#endif
