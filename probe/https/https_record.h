/* https_record: how a request ended, from libcurl's words to the fields of an endpoint.  Pure. */
#ifndef PROBE_HTTPS_HTTPS_RECORD_H
#define PROBE_HTTPS_HTTPS_RECORD_H

#include "base/addr.h"
#include "probe/https/https_answer.h"

/* Why we ourselves put an end to it. */
enum https_stop {
	HTTPS_STOP_NONE,
	HTTPS_STOP_SPEC,   /* what was asked for is no question; why holds the words */
	HTTPS_STOP_POLICY, /* the address may not be connected to */
	HTTPS_STOP_SOCKET, /* no socket, or not with the source address; why */
	HTTPS_STOP_HEAD,   /* more head than we take */
	HTTPS_STOP_BODY    /* more body than we take */
};

/* How the TCP connection stood when libcurl gave it up. */
enum https_tcp { HTTPS_TCP_UNKNOWN, HTTPS_TCP_STANDS, HTTPS_TCP_PEER_CLOSED, HTTPS_TCP_RESET };

/* Cumulative since the start, as libcurl counts them; 0: not reached. */
struct https_times {
	int64_t lookup_us, connect_us, tls_us, sent_us, first_us, total_us;
};

struct https_seen {
	int                code; /* CURLcode */
	const char        *text; /* libcurl's words for it; borrowed */
	enum https_stop    stop;
	const char        *why;      /* for HTTPS_STOP_SPEC and _SOCKET; borrowed */
	int                os_errno; /* of a failed connect */
	enum https_tcp     tcp;
	struct https_times times;
	long               connections;     /* made for this request: 1, or it is not ours */
	struct addr        wanted, reached; /* reached: family 0 when nothing was */
	size_t             head_bytes, body_bytes; /* received */
	int64_t            limit_ms;
	int64_t            late_us; /* how far behind the deadline it ended; <= 0: before */
};

void https_record(const struct https_seen *seen, const struct https_answer *answer,
    struct arena *arena, struct endpoint *endpoint);

#endif
