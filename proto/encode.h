/* encode: a message of fields.def as msgpack.
 *
 * Int-keyed maps, keys ascending, smallest encodings, defaults left out: the same struct always
 * gives the same bytes.  The door to msgpack-c, with decode.c.
 */
#ifndef PROTO_ENCODE_H
#define PROTO_ENCODE_H

#include "base/wbuf.h"
#include "proto/record.h"

/* Appends the message at `from`, described by desc. */
void encode_message(const struct message_desc *desc, const void *from, struct wbuf *out);

/* Appends a batch whose records are encoded already: bytes holds record_count of them, one
 * behind the other.  batch->records is not looked at.  The bytes are those that encode_message()
 * would give. */
void encode_batch_of(const struct batch *batch, const uint8_t *records, size_t bytes,
    size_t record_count, struct wbuf *out);

#endif
