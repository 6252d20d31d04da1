/* thin_dialog: POST /connectivity-probe over HTTP/2 [rfc9113], on one stream and without I/O.
 *
 * The door to libnghttp2, which is given bytes and asked for bytes and never sees a socket.  What
 * the peer may send is bounded: frames, the size of its header list, the size of its body; for all
 * bytes together conn has a limit.  It is no HTTP client: one request, of which it wants the
 * status.
 */
#ifndef PROBE_THIN_THIN_DIALOG_H
#define PROBE_THIN_THIN_DIALOG_H

#include "base/arena.h"
#include "probe/dialog.h"
#include "probe/thin/thin_spec.h"
#include "proto/outcome.h"

struct nghttp2_session;

enum {
	THIN_FRAMES_MAX = 128,
	THIN_HEADERS_MAX_BYTES = 16 * 1024, /* counted as in [rfc9113 6.5.2] */
	THIN_BODY_MAX_BYTES = 16 * 1024
};

struct thin_dialog {
	struct thin_spec spec;
	struct arena    *arena; /* borrowed; outlives us */

	struct nghttp2_session *session; /* owned; NULL before the first say() */
	struct wbuf             owed;    /* said by the session, not yet by us */
	bool                    heard;   /* a frame of the peer, whatever it was */
	size_t                  frames, header_bytes, body_bytes;

	bool     settled;  /* the peer's SETTINGS came: it speaks HTTP/2 */
	bool     answered; /* status and the end of the answer came */
	uint32_t status;   /* final HTTP status; 0 before it came */
	/* A GOAWAY that still lets us wait, sane, in the arena; NULL: none came. */
	const char *goodbye;
	/* After NEXT_BROKEN: REFUSED_BY_PEER (by GOAWAY or RST_STREAM), TOO_LARGE or
	 * BROKE_PROTOCOL, and why, in words, sane, constant or in the arena; else NOT_RUN, NULL. */
	enum outcome how;
	const char  *detail;
};

/* self is a struct thin_dialog with spec and arena set, all else zero. */
extern const struct dialog_ops thin_ops;

/* Frees what the dialogue holds beside the arena; the results stay.  In any state. */
void thin_dialog_fini(struct thin_dialog *dialog);

/* Version of the libnghttp2 that is loaded; constant. */
const char *thin_dialog_library(void);

#endif
