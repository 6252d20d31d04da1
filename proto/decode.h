/* decode: msgpack from a peer into a message of fields.def.
 *
 * Two steps, and the first allocates nothing: decode_check() walks the bytes and holds every
 * declared count and length against what is left; only then msgpack-c may build its tree.  Unknown
 * keys are skipped, absent ones are defaults; text passes text_sane().
 */
#ifndef PROTO_DECODE_H
#define PROTO_DECODE_H

#include "base/arena.h"
#include "proto/record.h"

/* Bounds of one document from the wire. */
enum {
	DECODE_DEPTH_MAX = 10,
	DECODE_ITEMS_MAX = 200000,
	DECODE_TEXT_MAX = 4096,
	DECODE_BYTES_MAX = 1 << 20
};

/* Exactly one well-formed msgpack object within the bounds, and nothing behind it [msgpack]. */
bool decode_check(const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;

/* The message in the arena; NULL with err.  Calls decode_check() itself. */
void *decode_message(const struct message_desc *desc, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err) MUST_CHECK;

#endif
