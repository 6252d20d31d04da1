#include "probe/rntbd/rntbd_stage.h"

#include "proto/record.h"

/* TransportErrorCode of the SDKs. */
enum {
	SDK_NONE = 0,
	SDK_DNS_FAILED = 3,
	SDK_DNS_TIMEOUT = 4,
	SDK_CONNECT_FAILED = 5,
	SDK_CONNECT_TIMEOUT = 6,
	SDK_TLS_FAILED = 7,
	SDK_TLS_TIMEOUT = 8,
	SDK_CONTEXT_TIMEOUT = 9,
	SDK_RECEIVE_FAILED = 15,
	SDK_RECEIVE_CLOSED = 17
};

struct verdict {
	const char *stage;
	uint32_t    code;
};

static const struct verdict none = { "", SDK_NONE };

static const struct ends {
	struct verdict failed, timeout;
} dns_ends = { { "dns_failed", SDK_DNS_FAILED }, { "dns_timeout", SDK_DNS_TIMEOUT } },
  connect_ends = { { "connect_failed", SDK_CONNECT_FAILED },
	  { "connect_timeout", SDK_CONNECT_TIMEOUT } },
  tls_ends = { { "tls_failed", SDK_TLS_FAILED }, { "tls_timeout", SDK_TLS_TIMEOUT } },
  context_ends = { { "context_failed", SDK_NONE }, { "context_timeout", SDK_CONTEXT_TIMEOUT } };

static bool
is_our_own(uint32_t outcome)
{
	return outcome == OUTCOME_AGENT_LATE || outcome == OUTCOME_POLICY ||
	    outcome == OUTCOME_LOCAL;
}

/* A stage that was reached and did not end well. */
static bool
is_end(uint32_t outcome)
{
	return outcome != OUTCOME_NOT_RUN && outcome != OUTCOME_OK;
}

static struct verdict
pick(const struct ends *ends, uint32_t outcome)
{
	if (is_our_own(outcome))
		return none;
	return outcome == OUTCOME_TIMEOUT ? ends->timeout : ends->failed;
}

/* The connection may also break while the answer is awaited; the SDKs tell that apart. */
static struct verdict
pick_context(uint32_t outcome)
{
	switch (outcome) {
	case OUTCOME_CLOSED: return (struct verdict){ "closed", SDK_RECEIVE_CLOSED };
	case OUTCOME_RESET:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_TLS_FAILED:
		return (struct verdict){ "receive_failed", SDK_RECEIVE_FAILED };
	default: return pick(&context_ends, outcome);
	}
}

static struct verdict
judge(const struct replica *replica)
{
	if (is_end(replica->dns))
		return pick(&dns_ends, replica->dns);
	if (replica->end != NULL && is_end(replica->end->tcp))
		return pick(&connect_ends, replica->end->tcp);
	if (replica->end != NULL && is_end(replica->end->tls))
		return pick(&tls_ends, replica->end->tls);
	return is_end(replica->context) ? pick_context(replica->context) : none;
}

void
rntbd_stage(struct replica *replica)
{
	struct verdict verdict = judge(replica);

	replica->stage = verdict.stage;
	replica->sdk_code = verdict.code;
}
