/* websocket: the opening key and the frames of the WebSocket protocol, as a client [rfc6455].
 *
 * Bytes to struct and back, pure.  A frame is taken when it is whole; what breaks a rule that a
 * server has to keep is bad, with the rule.
 */
#ifndef PROBE_GREMLIN_WEBSOCKET_H
#define PROBE_GREMLIN_WEBSOCKET_H

#include "base/base64.h"
#include "base/digest.h"
#include "base/rcur.h"
#include "base/wbuf.h"

enum {
	WEBSOCKET_NONCE_BYTES = 16,
	WEBSOCKET_KEY_ROOM = BASE64_ROOM(WEBSOCKET_NONCE_BYTES),
	WEBSOCKET_ACCEPT_ROOM = BASE64_ROOM(DIGEST_SHA1_BYTES),
	WEBSOCKET_MASK_BYTES = 4,
	WEBSOCKET_PAYLOAD_MAX = 64 * 1024, /* of a message, too: ours are answered in less */
	WEBSOCKET_CONTROL_MAX = 125        /* [rfc6455 5.5] */
};

enum websocket_opcode {
	WEBSOCKET_MORE_OF = 0, /* continues a message */
	WEBSOCKET_TEXT = 1,
	WEBSOCKET_BINARY = 2,
	WEBSOCKET_CLOSE = 8,
	WEBSOCKET_PING = 9,
	WEBSOCKET_PONG = 10
};

enum { WEBSOCKET_NORMAL = 1000, WEBSOCKET_NO_CODE = 1005 }; /* of a Close [rfc6455 7.4.1] */

struct websocket_frame {
	bool                  last; /* of its message */
	enum websocket_opcode opcode;
	const uint8_t        *payload; /* borrowed from the bytes that were parsed */
	size_t                count;
};

enum websocket_parse {
	WEBSOCKET_WHOLE,
	WEBSOCKET_SHORT, /* the frame is not all there; in is where it was */
	WEBSOCKET_BAD
};

/* What a server has to answer to that key; accept holds WEBSOCKET_ACCEPT_ROOM. Returns accept. */
char *websocket_accept(const char *key, char *accept);

/* Takes one frame of a server off in. */
enum websocket_parse websocket_frame_parse(
    struct websocket_frame *frame, struct rcur *in, struct err *err) MUST_CHECK;

/* One whole message in one frame, masked, as clients must [rfc6455 5.3]; the mask is to be fresh
 * from the kernel's generator for each. */
void websocket_frame_put(struct wbuf *out, enum websocket_opcode opcode,
    const uint8_t mask[WEBSOCKET_MASK_BYTES], const void *bytes, size_t count);

/* Code of a Close; its reason is the rest of the payload.  WEBSOCKET_NO_CODE without one. */
unsigned websocket_close_code(const struct websocket_frame *frame);

#endif
