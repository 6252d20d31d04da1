#include "probe/rntbd/rntbd_stage.h"

#include "proto/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define DONE OUTCOME_OK
#define NONE OUTCOME_NOT_RUN

static const struct stage_case {
	const char  *name;
	enum outcome dns, tcp, tls, context;
	const char  *stage;
	uint32_t     code;
} stage_cases[] = {
	{ "all is well", DONE, DONE, DONE, DONE, "", 0 },
	{ "nothing was done", NONE, NONE, NONE, NONE, "", 0 },
	{ "the name was known", NONE, DONE, DONE, DONE, "", 0 },
	{ "nxdomain", OUTCOME_NXDOMAIN, NONE, NONE, NONE, "dns_failed", 3 },
	{ "nodata", OUTCOME_NODATA, NONE, NONE, NONE, "dns_failed", 3 },
	{ "dns silent", OUTCOME_TIMEOUT, NONE, NONE, NONE, "dns_timeout", 4 },
	{ "refused", NONE, OUTCOME_REFUSED, NONE, NONE, "connect_failed", 5 },
	{ "unreachable", DONE, OUTCOME_UNREACHABLE, NONE, NONE, "connect_failed", 5 },
	{ "filtered", DONE, OUTCOME_TIMEOUT, NONE, NONE, "connect_timeout", 6 },
	{ "bad certificate", DONE, DONE, OUTCOME_TLS_REJECTED, NONE, "tls_failed", 7 },
	{ "not TLS", DONE, DONE, OUTCOME_NOT_TLS, NONE, "tls_failed", 7 },
	{ "reset in the handshake", DONE, DONE, OUTCOME_RESET, NONE, "tls_failed", 7 },
	{ "silent in the handshake", DONE, DONE, OUTCOME_TIMEOUT, NONE, "tls_timeout", 8 },
	{ "silent after it", DONE, DONE, DONE, OUTCOME_TIMEOUT, "context_timeout", 9 },
	{ "refused context", DONE, DONE, DONE, OUTCOME_REFUSED_BY_PEER, "context_failed", 0 },
	{ "no RNTBD", DONE, DONE, DONE, OUTCOME_BROKE_PROTOCOL, "context_failed", 0 },
	{ "endless", DONE, DONE, DONE, OUTCOME_TOO_LARGE, "context_failed", 0 },
	{ "closed", DONE, DONE, DONE, OUTCOME_CLOSED, "closed", 17 },
	{ "reset", DONE, DONE, DONE, OUTCOME_RESET, "receive_failed", 15 },
	{ "cut by ICMP", DONE, DONE, DONE, OUTCOME_UNREACHABLE, "receive_failed", 15 },
	{ "alert", DONE, DONE, DONE, OUTCOME_TLS_FAILED, "receive_failed", 15 },
	{ "our own policy", DONE, OUTCOME_POLICY, NONE, NONE, "", 0 },
	{ "our own descriptors", DONE, OUTCOME_LOCAL, NONE, NONE, "", 0 },
	{ "ourselves late", DONE, DONE, DONE, OUTCOME_AGENT_LATE, "", 0 },
	{ "ourselves late with dns", OUTCOME_AGENT_LATE, NONE, NONE, NONE, "", 0 },
	{ "of a newer version", DONE, (enum outcome)999, NONE, NONE, "connect_failed", 5 },
};

static void
test_stages(void **state)
{
	for (size_t i = 0; i < sizeof(stage_cases) / sizeof(stage_cases[0]); i++) {
		const struct stage_case *c = &stage_cases[i];
		struct endpoint          end = { .tcp = c->tcp, .tls = c->tls };
		struct replica replica = { .dns = c->dns, .context = c->context, .end = &end };

		print_message("%s\n", c->name);
		rntbd_stage(&replica);
		assert_string_equal(replica.stage, c->stage);
		assert_int_equal(replica.sdk_code, c->code);
	}
}

/* Who could not resolve the host has no endpoint to show. */
static void
test_without_endpoint(void **state)
{
	struct replica replica = {
		.dns = OUTCOME_SERVFAIL, .stage = "left over", .sdk_code = 7
	};

	rntbd_stage(&replica);
	assert_string_equal(replica.stage, "dns_failed");
	assert_int_equal(replica.sdk_code, 3);
	replica.dns = OUTCOME_OK;
	rntbd_stage(&replica);
	assert_string_equal(replica.stage, "");
	assert_int_equal(replica.sdk_code, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stages),
		cmocka_unit_test(test_without_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
