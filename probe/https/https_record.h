/* https_record: how a request ended, from libcurl's words to the fields of an endpoint.  Pure. */
#ifndef PROBE_HTTPS_HTTPS_RECORD_H
#define PROBE_HTTPS_HTTPS_RECORD_H

#include "base/addr.h"
#include "probe/https/https_answer.h"
#include "probe/https/https_socket.h"

/* Why we ourselves put an end to it. */
enum https_stop {
	HTTPS_STOP_NONE,
	HTTPS_STOP_SPEC,   /* what was asked for is no question; why holds the words */
	HTTPS_STOP_POLICY, /* the address may not be connected to */
	HTTPS_STOP_SOCKET, /* no socket, or not with the source address; why */
	HTTPS_STOP_HEAD,   /* more head than we take */
	HTTPS_STOP_BODY    /* more body than we take */
};

/* Cumulative since the start, as libcurl counts them; 0: not reached. */
struct https_times {
	int64_t lookup_us, connect_us, tls_us, sent_us, first_us, total_us;
};

struct https_seen {
	int                code; /* CURLcode */
	const char        *text; /* libcurl's words for a failure; borrowed */
	enum https_stop    stop;
	const char        *why;      /* for HTTPS_STOP_SPEC and _SOCKET; borrowed */
	int                os_errno; /* of a failed connect */
	enum https_tcp     tcp;
	struct https_times times;
	long               connections;     /* made for this request: 1, or it is not ours */
	struct addr        wanted, reached; /* reached: family 0 when nothing was */
	bool               kept;            /* over the connection of an earlier request */
	const char        *proxy; /* reached is it, and wanted does not count; NULL: none */
	long               proxy_status;           /* its answer to CONNECT; 0: none */
	const char        *target;                 /* what was asked for, in words; borrowed */
	size_t             head_bytes, body_bytes; /* received */
	size_t             body_max;               /* bytes of body that we take */
	int64_t            limit_ms;
	int64_t            late_us; /* how far behind the deadline it ended; <= 0: before */
};

/* How the request itself ended, whatever the answer says: OUTCOME_OK when one came whole. */
struct https_end {
	enum outcome outcome;
	const char  *detail; /* in the arena; NULL with OUTCOME_OK */
};
struct https_end https_record_end(const struct https_seen *seen, struct arena *arena);

/* The http_* and answer fields of the endpoint. */
void https_record(const struct https_seen *seen, const struct https_answer *answer,
    struct arena *arena, struct endpoint *endpoint);

#endif
