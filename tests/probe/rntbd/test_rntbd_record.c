#include "probe/rntbd/rntbd_record.h"

#include "probe/conn.h"
#include "probe/rntbd/rntbd_dialog.h"
#include "tests/support/support_rntbd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct record_case {
	const char        *name;
	enum support_rntbd which; /* what the peer says */
	size_t             count; /* so many bytes of it; 0: none, SUPPORT_RNTBD_MAX: all */
	enum outcome       tls, dialog; /* as conn saw it */
	enum outcome       context;
	const char        *stage;
	uint32_t           code, status;
	const char        *detail; /* a part of it; "": it is empty */
} record_cases[] = {
	{ "good", SUPPORT_RNTBD_R1, SUPPORT_RNTBD_MAX, OUTCOME_OK, OUTCOME_OK, OUTCOME_OK, "",
	    0, 200, "" },
	{ "refused", SUPPORT_RNTBD_E1, SUPPORT_RNTBD_MAX, OUTCOME_OK, OUTCOME_OK,
	    OUTCOME_REFUSED_BY_PEER, "context_failed", 0, 400,
	    "the back end refuses with status 400" },
	{ "no handshake", SUPPORT_RNTBD_R1, 0, OUTCOME_TLS_REJECTED, OUTCOME_NOT_RUN,
	    OUTCOME_NOT_RUN, "tls_failed", 7, 0, "" },
	{ "closed without a word", SUPPORT_RNTBD_R1, 0, OUTCOME_OK, OUTCOME_CLOSED,
	    OUTCOME_CLOSED, "closed", 17, 0,
	    "closed without a word on the context request: why" },
	{ "closed in the head", SUPPORT_RNTBD_R1, 3, OUTCOME_OK, OUTCOME_CLOSED, OUTCOME_CLOSED,
	    "closed", 17, 0, "why; 3 of the 24 bytes of its head came: 500000" },
	{ "closed before the tokens", SUPPORT_RNTBD_R1, 23, OUTCOME_OK, OUTCOME_CLOSED,
	    OUTCOME_CLOSED, "closed", 17, 0, "23 of the 24 bytes of its head" },
	{ "closed in the tokens", SUPPORT_RNTBD_R1, 79, OUTCOME_OK, OUTCOME_CLOSED,
	    OUTCOME_CLOSED, "closed", 17, 0, "79 of the 80 bytes of the context response" },
	{ "closed before the body", SUPPORT_RNTBD_E1, 87, OUTCOME_OK, OUTCOME_CLOSED,
	    OUTCOME_CLOSED, "closed", 17, 400, "status 400, and 0 bytes of the 4" },
	{ "closed in the body", SUPPORT_RNTBD_E1, 100, OUTCOME_OK, OUTCOME_CLOSED,
	    OUTCOME_CLOSED, "closed", 17, 400, "status 400, and 9 of the 62 bytes" },
	{ "silent", SUPPORT_RNTBD_R1, 0, OUTCOME_OK, OUTCOME_TIMEOUT, OUTCOME_TIMEOUT,
	    "context_timeout", 9, 0, "why; no byte of the context response came" },
	{ "silent in the tokens", SUPPORT_RNTBD_R1, 40, OUTCOME_OK, OUTCOME_TIMEOUT,
	    OUTCOME_TIMEOUT, "context_timeout", 9, 0, "why; 40 of the 80 bytes" },
	{ "reset", SUPPORT_RNTBD_R1, 0, OUTCOME_OK, OUTCOME_RESET, OUTCOME_RESET,
	    "receive_failed", 15, 0, "why; no byte" },
};

static void
test_records(void **state)
{
	for (size_t i = 0; i < sizeof(record_cases) / sizeof(record_cases[0]); i++) {
		const struct record_case *c = &record_cases[i];
		struct rntbd_dialog       dialog = { .arena = arena_new() };
		struct conn_seen          seen = {
			         .tcp = OUTCOME_OK, .tls = c->tls, .dialog = c->dialog
		};
		struct endpoint endpoint = { 0 };
		struct replica  replica = { .host = "kept", .partitions = "0 1" };
		uint8_t         bytes[SUPPORT_RNTBD_MAX];
		size_t          count = support_rntbd_bytes(c->which, bytes);
		struct rcur     in = rcur_of(bytes, c->count < count ? c->count : count);

		print_message("%s\n", c->name);
		seen.detail = c->dialog == OUTCOME_OK ? "" : "why";
		seen.dialog_us = c->dialog == OUTCOME_OK ? 1234 : 0;
		seen.os_errno = c->dialog == OUTCOME_RESET ? ECONNRESET : 0;
		memcpy(dialog.spec.request.activity_id, support_rntbd_id, RNTBD_ID_BYTES);
		if (rcur_left(&in) > 0)
			assert_int_equal(rntbd_ops.hear(&dialog, &in),
			    c->dialog == OUTCOME_OK ? NEXT_DONE : NEXT_HEAR);
		rntbd_record(&replica, &endpoint, &seen, &dialog, dialog.arena);
		assert_int_equal(replica.context, c->context);
		assert_int_equal(replica.context_us, seen.dialog_us);
		assert_int_equal(replica.status, c->status);
		assert_string_equal(replica.stage, c->stage);
		assert_int_equal(replica.sdk_code, c->code);
		if (strstr(replica.detail, c->detail) == NULL)
			fail_msg("'%s' does not say '%s'", replica.detail, c->detail);
		assert_int_equal(c->detail[0] == '\0', replica.detail[0] == '\0');
		/* What happens behind the handshake is none of the endpoint's. */
		assert_int_equal(endpoint.tls, c->tls);
		assert_int_equal(endpoint.detail != NULL, c->tls != OUTCOME_OK);
		assert_int_equal(endpoint.os_errno, 0);
		assert_ptr_equal(replica.end, &endpoint);
		assert_string_equal(replica.host, "kept");
		assert_string_equal(replica.partitions, "0 1");
		arena_free(dialog.arena);
	}
}

static void
test_fields(void **state)
{
	struct rntbd_dialog dialog = { .arena = arena_new(),
		.answered = true,
		.trailing = true,
		.answer = {
		    401, true, "agent", "version", "2014", "", 2, 3, 4, "code", "text" } };
	struct conn_seen    seen = {
		   .tcp = OUTCOME_OK, .tls = OUTCOME_OK, .dialog = OUTCOME_OK, .detail = ""
	};
	struct endpoint endpoint = { 0 };
	struct replica  replica = { 0 };

	rntbd_record(&replica, &endpoint, &seen, &dialog, dialog.arena);
	assert_int_equal(replica.status, 401);
	assert_string_equal(replica.server_agent, "agent");
	assert_string_equal(replica.server_version, "version");
	assert_string_equal(replica.client_version, "2014");
	assert_int_equal(replica.protocol_version, 2);
	assert_int_equal(replica.idle_timeout_s, 3);
	assert_int_equal(replica.unauthenticated_timeout_s, 4);
	assert_string_equal(replica.error_code, "code");
	assert_string_equal(replica.error_text, "text");
	assert_true(replica.trailing);

	dialog.answer.thumbprint = "AB12";
	rntbd_record(&replica, &endpoint, &seen, &dialog, dialog.arena);
	assert_string_equal(replica.detail,
	    "the back end refuses with status 401, and the client certificate AB12");
	arena_free(dialog.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
