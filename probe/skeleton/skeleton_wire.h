/* skeleton_wire: bytes of the skeleton's protocol to structs and back, without I/O.
 *
 * An example that is compiled and tested, for whoever adds a kind (probe/ADDING.md).  A frame is
 * a type, a length and as many bytes.
 */
#ifndef PROBE_SKELETON_SKELETON_WIRE_H
#define PROBE_SKELETON_SKELETON_WIRE_H

#include "base/rcur.h"
#include "base/wbuf.h"

enum { SKELETON_HEAD_BYTES = 3, SKELETON_BODY_MAX = 512 };

enum skeleton_type {
	SKELETON_HELLO = 1, /* the peer's first word: its name */
	SKELETON_ECHO = 2   /* comes back as it went */
};

struct skeleton_frame {
	uint8_t        type;
	uint16_t       count;
	const uint8_t *body; /* borrowed from the bytes that were parsed */
};

enum skeleton_parse {
	SKELETON_WHOLE,
	SKELETON_MORE, /* the frame is not all there; in is where it was */
	SKELETON_BAD
};

/* Takes one frame off in. */
enum skeleton_parse skeleton_frame_parse(
    struct skeleton_frame *frame, struct rcur *in, struct err *err) MUST_CHECK;
void skeleton_frame_put(
    struct wbuf *out, enum skeleton_type type, const void *body, size_t count);

#endif
