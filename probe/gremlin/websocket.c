#include "probe/gremlin/websocket.h"

#include <assert.h>
#include <string.h>

enum {
	LAST = 0x80,
	RESERVED = 0x70,
	OPCODE = 0x0f,
	MASKED = 0x80,
	LENGTH = 0x7f,
	LENGTH_16 = 126,
	LENGTH_64 = 127
};

char *
websocket_accept(const char *key, char *accept)
{
	static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* [rfc6455 1.3] */
	char              text[WEBSOCKET_KEY_ROOM + sizeof(magic)];
	uint8_t           digest[DIGEST_SHA1_BYTES];
	size_t            count = strlen(key);

	assert(count < WEBSOCKET_KEY_ROOM);
	memcpy(text, key, count);
	memcpy(text + count, magic, sizeof(magic));
	digest_sha1(text, count + sizeof(magic) - 1, digest);
	return base64_encode(digest, sizeof(digest), accept);
}

static bool
is_control(unsigned opcode)
{
	return opcode >= WEBSOCKET_CLOSE;
}

static bool
check_first(unsigned first, struct err *err)
{
	unsigned opcode = first & OPCODE;

	if (first & RESERVED)
		return err_set(err, ERR_PARSE,
		    "a frame with reserved bits, though no extension was agreed on");
	if (opcode > WEBSOCKET_PONG || (opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_CLOSE))
		return err_set(err, ERR_PARSE, "a frame of unknown kind %u", opcode);
	if (is_control(opcode) && !(first & LAST))
		return err_set(err, ERR_PARSE, "a control frame in pieces");
	return true;
}

/* The shortest form that holds the length is the only one allowed [rfc6455 5.2]. */
static bool
read_length(struct rcur *in, unsigned second, uint64_t *length, struct err *err)
{
	uint64_t least = 0;

	*length = second & LENGTH;
	if (*length == LENGTH_16) {
		*length = rcur_u16be(in);
		least = LENGTH_16;
	} else if (*length == LENGTH_64) {
		*length = rcur_u64be(in);
		least = UINT16_MAX + 1;
	}
	if (rcur_ok(in) && *length < least)
		return err_set(err, ERR_PARSE, "a frame whose length is not the shortest form");
	return true;
}

static bool
check_length(unsigned first, uint64_t length, struct err *err)
{
	if (is_control(first & OPCODE) && length > WEBSOCKET_CONTROL_MAX)
		return err_set(err, ERR_PARSE,
		    "a control frame of %llu bytes, at most %d wanted",
		    (unsigned long long)length, WEBSOCKET_CONTROL_MAX);
	if (length > WEBSOCKET_PAYLOAD_MAX)
		return err_set(err, ERR_LIMIT, "a frame of %llu bytes, at most %d wanted",
		    (unsigned long long)length, WEBSOCKET_PAYLOAD_MAX);
	return true;
}

enum websocket_parse
websocket_frame_parse(struct websocket_frame *frame, struct rcur *in, struct err *err)
{
	struct rcur at = *in;
	unsigned    first = rcur_u8(&at), second;
	uint64_t    length;

	if (!rcur_ok(&at))
		return WEBSOCKET_SHORT;
	if (!check_first(first, err))
		return WEBSOCKET_BAD;
	second = rcur_u8(&at);
	if (!rcur_ok(&at))
		return WEBSOCKET_SHORT;
	if (second & MASKED) {
		err_set(err, ERR_PARSE, "a masked frame: only clients mask [rfc6455 5.1]");
		return WEBSOCKET_BAD;
	}
	if (!read_length(&at, second, &length, err))
		return WEBSOCKET_BAD;
	if (!rcur_ok(&at))
		return WEBSOCKET_SHORT;
	if (!check_length(first, length, err))
		return WEBSOCKET_BAD;
	frame->last = (first & LAST) != 0;
	frame->opcode = first & OPCODE;
	frame->count = (size_t)length;
	frame->payload = rcur_bytes(&at, frame->count);
	if (!rcur_ok(&at))
		return WEBSOCKET_SHORT;
	*in = at;
	return WEBSOCKET_WHOLE;
}

void
websocket_frame_put(struct wbuf *out, enum websocket_opcode opcode,
    const uint8_t mask[WEBSOCKET_MASK_BYTES], const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	uint8_t       *to;

	assert(count <= UINT16_MAX);
	wbuf_u8(out, (uint8_t)(LAST | opcode));
	if (count < LENGTH_16) {
		wbuf_u8(out, (uint8_t)(MASKED | count));
	} else {
		wbuf_u8(out, MASKED | LENGTH_16);
		wbuf_u16be(out, (uint16_t)count);
	}
	wbuf_put(out, mask, WEBSOCKET_MASK_BYTES);
	to = wbuf_space(out, count);
	for (size_t i = 0; i < count; i++)
		to[i] = from[i] ^ mask[i % WEBSOCKET_MASK_BYTES];
}

unsigned
websocket_close_code(const struct websocket_frame *frame)
{
	if (frame->count < 2)
		return WEBSOCKET_NO_CODE;
	return (unsigned)frame->payload[0] << 8 | frame->payload[1];
}
