/* gremlin_dialog: who says what when: upgrade, 101, one request, its status, farewell.
 *
 * A 101 with the right Sec-WebSocket-Accept shows that the front end is a WebSocket server which
 * has read our request; nobody is asked to log in before the first request, and then in band
 * [cosmos-gremlin].  Nothing is ever logged in.
 */
#ifndef PROBE_GREMLIN_GREMLIN_DIALOG_H
#define PROBE_GREMLIN_GREMLIN_DIALOG_H

#include "probe/dialog.h"
#include "probe/gremlin/gremlin_json.h"
#include "probe/gremlin/gremlin_spec.h"
#include "probe/reply.h"

/* The order of life. */
enum gremlin_state {
	GREMLIN_UPGRADE, /* asked for; the head is awaited */
	GREMLIN_REFUSED, /* another answer than 101; its body is awaited */
	GREMLIN_ASK,     /* upgraded; the request is ours to say */
	GREMLIN_ANSWER,  /* asked; a message is awaited */
	GREMLIN_OVER
};

enum { GREMLIN_PINGS_MAX = 16 };

struct gremlin_dialog {
	struct gremlin_spec   spec;
	struct arena         *arena; /* borrowed; outlives us */
	enum gremlin_state    state;
	struct reply          reply;
	struct gremlin_status status;                      /* code 0 before it came */
	uint8_t               pong[WEBSOCKET_CONTROL_MAX]; /* what a ping wants back */
	size_t                pong_bytes;
	bool                  owes_pong;
	unsigned              pings;
	uint8_t              *message; /* of several frames, so far; in the arena */
	size_t                message_bytes;
	bool                  in_message;
	struct err            broken; /* why, after NEXT_BROKEN */
	bool                  closed; /* it sent a Close before it had answered */
};

/* self is a struct gremlin_dialog with spec and arena set (that of reply too), all else zero. */
extern const struct dialog_ops gremlin_ops;

#endif
