#include "probe/greeting_record.h"

#include "probe/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct end_case {
	const char  *name;
	enum outcome tls, dialog;
	const char  *detail; /* of the connection */
	/* Where it goes, NULL: nowhere. */
	const char *endpoint_detail, *greeting_detail;
} end_cases[] = {
	{ "well", OUTCOME_OK, OUTCOME_OK, "", NULL, "" },
	{ "no handshake", OUTCOME_TLS_FAILED, OUTCOME_NOT_RUN, "alert", "alert", NULL },
	{ "no answer", OUTCOME_OK, OUTCOME_TIMEOUT, "silent", NULL, "silent" },
	{ "a bad one", OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, "of conn", NULL, "of the dialogue" },
};

static void
test_ends(void **state)
{
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(end_cases) / sizeof(end_cases[0]); i++) {
		const struct end_case *c = &end_cases[i];
		struct conn_seen       seen = { .tcp = OUTCOME_OK,
			      .tls = c->tls,
			      .tls_us = 7,
			      .dialog = c->dialog,
			      .dialog_us = 9,
			      .detail = c->detail };
		struct endpoint        endpoint = { 0 };
		struct greeting       *greeting = greeting_record(
		          &endpoint, &seen, "of the dialogue", arena);

		print_message("%s\n", c->name);
		assert_ptr_equal(endpoint.greeting, greeting);
		assert_int_equal(endpoint.tls, c->tls);
		assert_int_equal(endpoint.tls_us, 7);
		assert_int_equal(greeting->outcome, c->dialog);
		assert_int_equal(greeting->took_us, 9);
		if (c->endpoint_detail != NULL)
			assert_string_equal(endpoint.detail, c->endpoint_detail);
		else
			assert_null(endpoint.detail);
		if (c->greeting_detail != NULL)
			assert_string_equal(greeting->detail, c->greeting_detail);
		else
			assert_null(greeting->detail);
	}
	arena_free(arena);
}

static void
test_refusal(void **state)
{
	struct arena   *arena = arena_new();
	struct greeting greeting = { .outcome = OUTCOME_OK };
	char words[600] = "Request originated from IP 1.2.3.4 through public internet."
	                  " ActivityId: 00aa-11";

	memset(words + strlen(words), '.', sizeof(words) - 1 - strlen(words));
	words[sizeof(words) - 1] = '\0';
	greeting_record_refusal(&greeting, "13", words, arena);
	assert_int_equal(greeting.outcome, OUTCOME_REFUSED_BY_PEER);
	assert_string_equal(greeting.error_code, "13");
	assert_int_equal(strlen(greeting.error_text), 255);
	assert_int_equal(greeting.path, PATH_PUBLIC_INTERNET);
	assert_string_equal(greeting.seen_as, "1.2.3.4");
	assert_string_equal(greeting.request_id, "00aa-11");

	greeting = (struct greeting){ .outcome = OUTCOME_OK };
	greeting_record_refusal(&greeting, "18", "no key for IP 1.2.3.4", arena);
	assert_int_equal(greeting.path, PATH_NOT_TOLD);
	assert_null(greeting.seen_as);
	assert_string_equal(greeting.request_id, "");
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
