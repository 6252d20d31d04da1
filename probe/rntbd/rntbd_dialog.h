/* rntbd_dialog: who says what when: we ask for a context, the back end grants or refuses it.
 *
 * A well-formed refusal is an answer, too: the dialogue is done then as well.
 */
#ifndef PROBE_RNTBD_RNTBD_DIALOG_H
#define PROBE_RNTBD_RNTBD_DIALOG_H

#include "base/arena.h"
#include "probe/dialog.h"
#include "probe/rntbd/rntbd_spec.h"

enum { RNTBD_FIRST_BYTES = 64 };

/* What the context response said.  Texts are sane, in the arena and never NULL. */
struct rntbd_answer {
	uint32_t    status;
	bool        refuses;
	const char *server_agent, *server_version, *client_version, *thumbprint;
	uint32_t    protocol_version;
	uint32_t    idle_timeout_s, unauthenticated_timeout_s;
	const char *error_code, *error_text; /* of a refusal, when its body is whole; else "" */
};

struct rntbd_dialog {
	struct rntbd_spec   spec;
	struct arena       *arena;                    /* borrowed; outlives us */
	size_t              heard_bytes, taken_bytes; /* from the peer, and of whole messages */
	uint32_t            wanted_bytes; /* of the frame, or of the body; 0: not known yet */
	uint8_t             first[RNTBD_FIRST_BYTES]; /* what the peer said first */
	bool                answered; /* the frame is whole; a body may be missing */
	struct rntbd_answer answer;   /* when answered */
	bool       trailing; /* more came behind the answer; as far as it was offered */
	struct err broken;   /* why, after NEXT_BROKEN */
};

/* self is a struct rntbd_dialog with spec and arena set, all else zero. */
extern const struct dialog_ops rntbd_ops;

#endif
