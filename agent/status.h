/* status: what the agent is doing, told over a socket on this machine.
 *
 * Who connects gets one JSON text and the end of the file; what they write is never read.  Who may
 * connect is a matter of the socket's mode, 0660.  There is no other door to the agent, and this
 * one changes nothing.
 */
#ifndef AGENT_STATUS_H
#define AGENT_STATUS_H

#include "agent/spool.h"
#include "base/loop.h"
#include "proto/record.h"

enum { STATUS_BYTES_MAX = 64 * 1024, STATUS_VERSION = 1 };

/* All texts are borrowed, and "" where there is nothing; times are Unix time, 0 for never. */
struct status_facts {
	const char *version, *agent, *network;
	int64_t     pid, at_ms, started_ms;

	struct spool_stats spool;
	int64_t            spool_limit_bytes, oldest_ms;

	const char *collector;
	const char *upload; /* "none", "idle", "sending" or "waiting" */
	uint64_t    sent, stored, refused;
	int64_t     failures; /* in a row */
	int64_t     acked_ms, ended_ms;
	int64_t     answer;  /* HTTP status of the last request; 0: none */
	const char *trouble; /* why there was no answer */

	bool          prober_alive;
	int64_t       record_ms;    /* when its last record came */
	struct vitals vitals;       /* its last; at_ms 0: none yet */
	int64_t       cert_ends_ms; /* of our own certificate; 0: none */
};

struct arena;
struct status;

/* fill: makes the JSON text when somebody asks.  NULL with err; a socket that is in use by
 * another agent is an error, one that is left over is replaced. */
struct status *status_open(struct loop *loop, const char *path,
    void (*fill)(void *arg, struct wbuf *out), void *arg, struct err *err) MUST_CHECK;
void           status_close(struct status *status); /* removes the socket; NULL is fine */

/* In status_json.c. */
void status_json_write(const struct status_facts *facts, struct wbuf *out);
bool status_json_read(struct status_facts *facts, struct arena *arena, const char *bytes,
    size_t count, struct err *err) MUST_CHECK;

#endif
