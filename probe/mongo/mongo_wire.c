#include "probe/mongo/mongo_wire.h"

#include "probe/mongo/mongo_bson.h"

#include <assert.h>
#include <string.h>

enum { OP_REPLY = 1, OP_QUERY = 2004, OP_MSG = 2013 };
enum {
	REPLY_HEAD_BYTES = 20, /* flags, cursor, start, count */
	MSG_HEAD_BYTES = 5,    /* flags, kind of the one section */
	MSG_FLAGS_REQUIRED = 0xffff
};

struct head {
	uint32_t length; /* of the whole message */
	uint32_t response_to, op;
};

static const char collection[] = "admin.$cmd";

static void
put_int32(struct wbuf *out, const char *name, int32_t value)
{
	wbuf_u8(out, MONGO_BSON_INT32);
	wbuf_put(out, name, strlen(name) + 1);
	wbuf_u32le(out, (uint32_t)value);
}

static void
put_string(struct wbuf *out, const char *name, const char *value)
{
	wbuf_u8(out, MONGO_BSON_STRING);
	wbuf_put(out, name, strlen(name) + 1);
	wbuf_u32le(out, (uint32_t)strlen(value) + 1);
	wbuf_put(out, value, strlen(value) + 1);
}

static void
put_document(struct wbuf *out, const struct wbuf *elements)
{
	wbuf_u32le(out, (uint32_t)elements->count + MONGO_BSON_LEAST_BYTES);
	wbuf_put(out, elements->bytes, elements->count);
	wbuf_u8(out, 0);
}

static void
put_ismaster(struct wbuf *body, struct wbuf *elements)
{
	wbuf_u32le(body, 0); /* flags */
	wbuf_put(body, collection, sizeof(collection));
	wbuf_u32le(body, 0);          /* skip none */
	wbuf_u32le(body, UINT32_MAX); /* -1: return one, without a cursor */
	put_int32(elements, "ismaster", 1);
}

static void
put_hello(struct wbuf *body, struct wbuf *elements)
{
	wbuf_u32le(body, 0); /* flags */
	wbuf_u8(body, 0);    /* a section of one document */
	put_int32(elements, "hello", 1);
	put_string(elements, "$db", "admin");
}

void
mongo_question_put(struct wbuf *out, enum mongo_question question)
{
	struct wbuf body, elements;

	wbuf_init(&body);
	wbuf_init(&elements);
	switch (question) {
	case MONGO_ISMASTER: put_ismaster(&body, &elements); break;
	case MONGO_HELLO: put_hello(&body, &elements); break;
	}
	put_document(&body, &elements);
	wbuf_u32le(out, (uint32_t)body.count + MONGO_HEAD_BYTES);
	wbuf_u32le(out, question);
	wbuf_u32le(out, 0); /* it answers nothing */
	wbuf_u32le(out, question == MONGO_ISMASTER ? OP_QUERY : OP_MSG);
	wbuf_put(out, body.bytes, body.count);
	wbuf_fini(&elements);
	wbuf_fini(&body);
}

static enum mongo_parse
judge_length(const struct head *head, const struct rcur *in, struct err *err)
{
	if (memcmp(in->at, "HTTP", 4) == 0) {
		err_set(err, ERR_PARSE, "the peer speaks HTTP");
		return MONGO_BAD;
	}
	if (head->length < MONGO_HEAD_BYTES || head->length > MONGO_MESSAGE_MAX_BYTES) {
		err_set(err, ERR_LIMIT, "message of %lu bytes, %d to %d wanted",
		    (unsigned long)head->length, MONGO_HEAD_BYTES, MONGO_MESSAGE_MAX_BYTES);
		return MONGO_BAD;
	}
	return MONGO_WHOLE;
}

static enum mongo_parse
judge_head(const struct head *head, enum mongo_question question, struct err *err)
{
	uint32_t op = question == MONGO_ISMASTER ? OP_REPLY : OP_MSG;

	if (head->op != op) {
		err_set(err, ERR_PARSE, "message of opcode %lu, %lu wanted",
		    (unsigned long)head->op, (unsigned long)op);
		return MONGO_BAD;
	}
	if (head->response_to != question) {
		err_set(err, ERR_PARSE, "answer to request %lu, ours was %d",
		    (unsigned long)head->response_to, question);
		return MONGO_BAD;
	}
	return MONGO_WHOLE;
}

/* What is wrong is said as soon as the head shows it. */
static enum mongo_parse
parse_head(struct head *head, enum mongo_question question, struct rcur *in, struct err *err)
{
	struct rcur at = *in;

	head->length = rcur_u32le(&at);
	if (!rcur_ok(&at))
		return MONGO_MORE;
	if (judge_length(head, in, err) != MONGO_WHOLE)
		return MONGO_BAD;
	rcur_u32le(&at); /* the peer's own number for it */
	head->response_to = rcur_u32le(&at);
	head->op = rcur_u32le(&at);
	if (!rcur_ok(&at))
		return MONGO_MORE;
	*in = at;
	return judge_head(head, question, err);
}

static bool
skip_reply_head(struct rcur *body, struct err *err)
{
	uint32_t count;

	rcur_skip(body, REPLY_HEAD_BYTES - sizeof(count));
	count = rcur_u32le(body);
	if (!rcur_ok(body))
		return err_set(err, ERR_PARSE, "a reply too short for its head");
	if (count != 1)
		return err_set(
		    err, ERR_PARSE, "a reply of %lu documents, 1 wanted", (unsigned long)count);
	return true;
}

/* Of the flags we know none that we asked for; the upper half may be ignored [mongo-wire]. */
static bool
skip_msg_head(struct rcur *body, struct err *err)
{
	uint32_t flags = rcur_u32le(body);
	uint8_t  kind = rcur_u8(body);

	if (!rcur_ok(body))
		return err_set(err, ERR_PARSE, "a message too short for its head");
	if ((flags & MSG_FLAGS_REQUIRED) != 0)
		return err_set(err, ERR_PARSE, "a message with flags 0x%lx, none wanted",
		    (unsigned long)flags);
	if (kind != 0)
		return err_set(
		    err, ERR_PARSE, "a message with a section of kind %u, 0 wanted", kind);
	return true;
}

enum mongo_parse
mongo_reply_parse(
    struct mongo_reply *reply, enum mongo_question question, struct rcur *in, struct err *err)
{
	struct rcur      at = *in, body;
	struct head      head;
	enum mongo_parse parse = parse_head(&head, question, &at, err);
	const uint8_t   *bytes;

	if (parse != MONGO_WHOLE)
		return parse;
	bytes = rcur_bytes(&at, head.length - MONGO_HEAD_BYTES);
	if (bytes == NULL)
		return MONGO_MORE;
	body = rcur_of(bytes, head.length - MONGO_HEAD_BYTES);
	if (question == MONGO_ISMASTER ? !skip_reply_head(&body, err)
	                               : !skip_msg_head(&body, err))
		return MONGO_BAD;
	if (!mongo_bson_check(body.at, rcur_left(&body), &reply->elements, err))
		return MONGO_BAD;
	*in = at;
	return MONGO_WHOLE;
}
