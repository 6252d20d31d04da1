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

/* Also when there was none yet. */
static bool
is_in_handshake(const struct https_seen *seen)
{
	return seen->times.tls_us == 0 && !seen->kept;
}

static struct https_end
judge_timeout(const struct https_seen *seen, struct arena *arena)
{
	const struct https_times *times = &seen->times;
	const char               *reached;

	if (seen->late_us > late_max_us)
		return (struct https_end){ OUTCOME_AGENT_LATE,
			arena_printf(arena,
			    "our own loop came %lld ms after the deadline: no statement",
			    (long long)(seen->late_us / US_PER_MS)) };
	if (times->connect_us == 0 && !seen->kept)
		reached = "not connected";
	else if (is_in_handshake(seen))
		reached = "connected, handshake not finished";
	else if (seen->head_bytes == 0)
		reached = arena_printf(
		    arena, "handshake finished, no answer to GET %s", seen->target);
	else
		reached = "answer begun, not finished";
	return (struct https_end){ OUTCOME_TIMEOUT,
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

static struct https_end
judge_connect(const struct https_seen *seen, struct arena *arena)
{
	if (seen->os_errno == 0)
		return (struct https_end){ OUTCOME_LOCAL, seen->text };
	return (struct https_end){ judge_errno(seen->os_errno),
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
	if (is_in_handshake(seen))
		return "during the handshake";
	return seen->head_bytes == 0 ? "without an answer" : "within its answer";
}

static struct https_end
judge_closed(const struct https_seen *seen, struct arena *arena)
{
	return (struct https_end){ OUTCOME_CLOSED,
		arena_printf(arena, "the peer closed the connection %s", name_stage(seen)) };
}

static struct https_end
judge_lost(const struct https_seen *seen, struct arena *arena)
{
	switch (seen->tcp) {
	case HTTPS_TCP_RESET:
		return (struct https_end){ OUTCOME_RESET,
			arena_printf(arena, "connection reset %s", name_stage(seen)) };
	case HTTPS_TCP_PEER_CLOSED: return judge_closed(seen, arena);
	default: return (struct https_end){ OUTCOME_BROKE_PROTOCOL, seen->text };
	}
}

/* A failure in or under TLS, during the handshake or later. */
static struct https_end
judge_tls(const struct https_seen *seen, struct arena *arena)
{
	unsigned long error = find_tls_error(seen->text);
	bool          handshake = is_in_handshake(seen);

	if (error == 0 || (error >> 23 & 0xff) != LIBRARY_SSL)
		return seen->tcp == HTTPS_TCP_STANDS && handshake
		    ? (struct https_end){ OUTCOME_TLS_FAILED, seen->text }
		    : judge_lost(seen, arena);
	switch (error & REASON_MASK) {
	case REASON_WRONG_VERSION_NUMBER:
	case REASON_PACKET_LENGTH_TOO_LONG:
	case REASON_HTTP_REQUEST:
	case REASON_HTTPS_PROXY_REQUEST:
		return (struct https_end){ handshake ? OUTCOME_NOT_TLS : OUTCOME_TLS_FAILED,
			seen->text };
	case REASON_EXCESSIVE_MESSAGE_SIZE:
		return (struct https_end){ OUTCOME_TOO_LARGE, seen->text };
	case REASON_UNEXPECTED_EOF:
		return (struct https_end){ OUTCOME_CLOSED,
			handshake ? "the peer closed the connection during the handshake"
			          : "the peer closed the connection without an answer" };
	default: return (struct https_end){ OUTCOME_TLS_FAILED, seen->text };
	}
}

static struct https_end
judge_stop(const struct https_seen *seen, struct arena *arena)
{
	switch (seen->stop) {
	case HTTPS_STOP_NONE: break;
	case HTTPS_STOP_SPEC:
	case HTTPS_STOP_SOCKET: return (struct https_end){ OUTCOME_LOCAL, seen->why };
	case HTTPS_STOP_POLICY:
		return (struct https_end){ OUTCOME_POLICY,
			"our own policy does not allow to connect to this address" };
	case HTTPS_STOP_HEAD:
		return (struct https_end){ OUTCOME_TOO_LARGE,
			"the head of the answer is larger than 16 KiB" };
	case HTTPS_STOP_BODY:
		return (struct https_end){ OUTCOME_TOO_LARGE,
			arena_printf(arena, "the body of the answer is larger than %zu KiB",
			    seen->body_max / 1024) };
	}
	return (struct https_end){ OUTCOME_LOCAL, seen->text };
}

static struct https_end
judge_failure(const struct https_seen *seen, struct arena *arena)
{
	if (seen->stop != HTTPS_STOP_NONE)
		return judge_stop(seen, arena);
	switch (seen->code) {
	case CURLE_OPERATION_TIMEDOUT: return judge_timeout(seen, arena);
	case CURLE_COULDNT_CONNECT: return judge_connect(seen, arena);
	case CURLE_PEER_FAILED_VERIFICATION:
		return (struct https_end){ OUTCOME_TLS_REJECTED, seen->text };
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR: return judge_tls(seen, arena);
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CLIENTCERT: return (struct https_end){ OUTCOME_TLS_FAILED, seen->text };
	case CURLE_GOT_NOTHING: /* an end of the stream, whatever our close_notify met after */
	case CURLE_PARTIAL_FILE: return judge_closed(seen, arena);
	case CURLE_UNSUPPORTED_PROTOCOL: /* of the answer: "HTTP/0.9" */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
		return (struct https_end){ OUTCOME_BROKE_PROTOCOL, seen->text };
	case CURLE_OUT_OF_MEMORY: /* so libcurl calls a header line beyond its own limit */
		return (struct https_end){ OUTCOME_TOO_LARGE, seen->text };
	default: return (struct https_end){ OUTCOME_LOCAL, seen->text };
	}
}

/* libcurl may have been led to another connection than ours; then the answer is another's. */
static bool
is_of_the_wanted(const struct https_seen *seen)
{
	if (seen->connections != 1 && !(seen->kept && seen->connections == 0))
		return false;
	return seen->proxy != NULL || addr_equal(&seen->reached, &seen->wanted);
}

/* The proxy answered in the gateway's place. */
static struct https_end
judge_proxy(const struct https_seen *seen, struct arena *arena)
{
	return (struct https_end){ OUTCOME_HTTP_OTHER,
		arena_printf(arena, "the proxy refuses the way to the host, with status %ld%s",
		    seen->proxy_status,
		    seen->proxy_status == 407 ? ": it wants authentication" : "") };
}

struct https_end
https_record_end(const struct https_seen *seen, struct arena *arena)
{
	struct https_end end;

	if (seen->code == CURLE_OK && is_of_the_wanted(seen))
		return (struct https_end){ OUTCOME_OK, NULL };
	if (seen->code == CURLE_OK && seen->stop == HTTPS_STOP_NONE)
		return (struct https_end){ OUTCOME_LOCAL,
			"the answer did not come over one fresh connection to this address" };
	if (seen->proxy != NULL && seen->proxy_status >= 300 && seen->times.tls_us == 0)
		end = judge_proxy(seen, arena);
	else
		end = judge_failure(seen, arena);
	end.detail = text_sane(arena, end.detail, strlen(end.detail), DETAIL_MAX);
	return end;
}

void
https_record(const struct https_seen *seen, const struct https_answer *answer,
    struct arena *arena, struct endpoint *endpoint)
{
	struct https_end end = https_record_end(seen, arena);

	record_times(&seen->times, endpoint);
	if (seen->proxy != NULL)
		endpoint->proxy = arena_strdup(arena, seen->proxy);
	if (end.outcome == OUTCOME_OK) {
		https_answer_judge(answer, arena, endpoint);
		return;
	}
	https_answer_head(answer, endpoint);
	if (seen->proxy != NULL && answer->status == 0 && seen->proxy_status > 0)
		endpoint->http_status = (uint32_t)seen->proxy_status;
	endpoint->http = end.outcome;
	endpoint->http_detail = end.detail;
}
