#include "probe/https/https_record.h"

#include "base/clock.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_MAX = 255 };

/* A timer that fires this far behind its deadline says nothing of the peer. */
static const int64_t late_max_us = 100 * US_PER_MS;

struct verdict {
	enum outcome outcome;
	const char  *detail; /* in the arena, or constant */
};

static uint32_t
phase_us(int64_t from_us, int64_t to_us)
{
	int64_t phase = to_us - from_us;

	if (to_us == 0)
		return 0;
	if (phase < 1)
		return 1; /* reached: 0 would say that it was not */
	return phase < UINT32_MAX ? (uint32_t)phase : UINT32_MAX;
}

/* libcurl's times run on from the start; the record holds what each phase took. */
static void
record_times(const struct https_times *times, struct endpoint *endpoint)
{
	endpoint->http_connect_us = phase_us(times->lookup_us, times->connect_us);
	endpoint->http_tls_us = phase_us(times->connect_us, times->tls_us);
	endpoint->http_wait_us = phase_us(times->sent_us, times->first_us);
	endpoint->http_total_us = phase_us(0, times->total_us);
}

static struct verdict
judge_timeout(const struct https_seen *seen, struct arena *arena)
{
	const struct https_times *times = &seen->times;
	const char               *reached;

	if (seen->late_us > late_max_us)
		return (struct verdict){ OUTCOME_AGENT_LATE,
			arena_printf(arena,
			    "our own loop came %lld ms after the deadline: no statement",
			    (long long)(seen->late_us / US_PER_MS)) };
	if (times->connect_us == 0)
		reached = "not connected";
	else if (times->tls_us == 0)
		reached = "connected, handshake not finished";
	else if (seen->head_bytes == 0)
		reached = "handshake finished, no answer to GET /";
	else
		reached = "answer begun, not finished";
	return (struct verdict){ OUTCOME_TIMEOUT,
		arena_printf(arena, "%s within %lld ms", reached, (long long)seen->limit_ms) };
}

static enum outcome
judge_errno(int os_errno)
{
	switch (os_errno) {
	case ECONNREFUSED: return OUTCOME_REFUSED;
	case ECONNRESET: return OUTCOME_RESET;
	case ETIMEDOUT: return OUTCOME_TIMEOUT;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EACCES: return OUTCOME_UNREACHABLE; /* ICMP prohibited, prohibit route */
	default: return OUTCOME_LOCAL;
	}
}

static struct verdict
judge_connect(const struct https_seen *seen, struct arena *arena)
{
	if (seen->os_errno == 0)
		return (struct verdict){ OUTCOME_LOCAL, seen->text };
	return (struct verdict){ judge_errno(seen->os_errno),
		arena_printf(arena, "connect: %s", strerror(seen->os_errno)) };
}

/* OpenSSL's own number for what went wrong stands in libcurl's words as "error:0A00010B:"; the
 * reason is its low part.  0 when there is none. */
static unsigned long
find_tls_error(const char *text)
{
	const char *at = text;

	while ((at = strstr(at, "error:")) != NULL) {
		at += strlen("error:");
		if (strspn(at, "0123456789ABCDEFabcdef") == 8 && at[8] == ':')
			return strtoul(at, NULL, 16);
	}
	return 0;
}

/* Reasons of OpenSSL's ssl library; the numbers are part of its ABI. */
enum {
	REASON_MASK = 0x7fffff,
	REASON_HTTPS_PROXY_REQUEST = 155,
	REASON_HTTP_REQUEST = 156,
	REASON_EXCESSIVE_MESSAGE_SIZE = 152,
	REASON_PACKET_LENGTH_TOO_LONG = 198,
	REASON_WRONG_VERSION_NUMBER = 267,
	REASON_UNEXPECTED_EOF = 294,
	LIBRARY_SSL = 20
};

/* How far it had come. */
static const char *
name_stage(const struct https_seen *seen)
{
	if (seen->times.tls_us == 0)
		return "during the handshake";
	return seen->head_bytes == 0 ? "without an answer" : "within its answer";
}

static struct verdict
judge_closed(const struct https_seen *seen, struct arena *arena)
{
	return (struct verdict){ OUTCOME_CLOSED,
		arena_printf(arena, "the peer closed the connection %s", name_stage(seen)) };
}

static struct verdict
judge_lost(const struct https_seen *seen, struct arena *arena)
{
	switch (seen->tcp) {
	case HTTPS_TCP_RESET:
		return (struct verdict){ OUTCOME_RESET,
			arena_printf(arena, "connection reset %s", name_stage(seen)) };
	case HTTPS_TCP_PEER_CLOSED: return judge_closed(seen, arena);
	default: return (struct verdict){ OUTCOME_BROKE_PROTOCOL, seen->text };
	}
}

/* A failure in or under TLS, during the handshake or later. */
static struct verdict
judge_tls(const struct https_seen *seen, struct arena *arena)
{
	unsigned long error = find_tls_error(seen->text);
	bool          handshake = seen->times.tls_us == 0;

	if (error == 0 || (error >> 23 & 0xff) != LIBRARY_SSL)
		return seen->tcp == HTTPS_TCP_STANDS && handshake
		    ? (struct verdict){ OUTCOME_TLS_FAILED, seen->text }
		    : judge_lost(seen, arena);
	switch (error & REASON_MASK) {
	case REASON_WRONG_VERSION_NUMBER:
	case REASON_PACKET_LENGTH_TOO_LONG:
	case REASON_HTTP_REQUEST:
	case REASON_HTTPS_PROXY_REQUEST:
		return (struct verdict){ handshake ? OUTCOME_NOT_TLS : OUTCOME_TLS_FAILED,
			seen->text };
	case REASON_EXCESSIVE_MESSAGE_SIZE:
		return (struct verdict){ OUTCOME_TOO_LARGE, seen->text };
	case REASON_UNEXPECTED_EOF:
		return (struct verdict){ OUTCOME_CLOSED,
			handshake ? "the peer closed the connection during the handshake"
			          : "the peer closed the connection without an answer" };
	default: return (struct verdict){ OUTCOME_TLS_FAILED, seen->text };
	}
}

static struct verdict
judge_stop(const struct https_seen *seen)
{
	switch (seen->stop) {
	case HTTPS_STOP_NONE: break;
	case HTTPS_STOP_SPEC:
	case HTTPS_STOP_SOCKET: return (struct verdict){ OUTCOME_LOCAL, seen->why };
	case HTTPS_STOP_POLICY:
		return (struct verdict){ OUTCOME_POLICY,
			"our own policy does not allow to connect to this address" };
	case HTTPS_STOP_HEAD:
		return (struct verdict){ OUTCOME_TOO_LARGE,
			"the head of the answer is larger "
			"than 16 KiB" };
	case HTTPS_STOP_BODY:
		return (struct verdict){ OUTCOME_TOO_LARGE,
			"the body of the answer is larger "
			"than 64 KiB" };
	}
	return (struct verdict){ OUTCOME_LOCAL, seen->text };
}

static struct verdict
judge_failure(const struct https_seen *seen, struct arena *arena)
{
	if (seen->stop != HTTPS_STOP_NONE)
		return judge_stop(seen);
	switch (seen->code) {
	case CURLE_OPERATION_TIMEDOUT: return judge_timeout(seen, arena);
	case CURLE_COULDNT_CONNECT: return judge_connect(seen, arena);
	case CURLE_PEER_FAILED_VERIFICATION:
		return (struct verdict){ OUTCOME_TLS_REJECTED, seen->text };
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return judge_tls(seen, arena);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CLIENTCERT: return (struct verdict){ OUTCOME_TLS_FAILED, seen->text };
	case CURLE_GOT_NOTHING: /* an end of the stream, whatever our close_notify met after */
	case CURLE_PARTIAL_FILE: return judge_closed(seen, arena);
	case CURLE_UNSUPPORTED_PROTOCOL: /* of the answer: "HTTP/0.9" */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return (struct verdict){ OUTCOME_BROKE_PROTOCOL, seen->text };
	case CURLE_OUT_OF_MEMORY: /* so libcurl calls a header line beyond its own limit */
		return (struct verdict){ OUTCOME_TOO_LARGE, seen->text };
	default: return (struct verdict){ OUTCOME_LOCAL, seen->text };
	}
}

/* libcurl may have been led to another connection than ours; then the answer is another's. */
static bool
is_of_the_wanted(const struct https_seen *seen)
{
	return seen->connections == 1 && addr_equal(&seen->reached, &seen->wanted);
}

void
https_record(const struct https_seen *seen, const struct https_answer *answer,
    struct arena *arena, struct endpoint *endpoint)
{
	struct verdict verdict;

	record_times(&seen->times, endpoint);
	if (seen->code == CURLE_OK && is_of_the_wanted(seen)) {
		https_answer_judge(answer, arena, endpoint);
		return;
	}
	if (seen->code == CURLE_OK && seen->stop == HTTPS_STOP_NONE)
		verdict = (struct verdict){ OUTCOME_LOCAL,
			"the answer did not come over one fresh connection to this address" };
	else
		verdict = judge_failure(seen, arena);
	https_answer_head(answer, endpoint);
	endpoint->http = verdict.outcome;
	endpoint->http_detail = text_sane(
	    arena, verdict.detail, strlen(verdict.detail), DETAIL_MAX);
}
