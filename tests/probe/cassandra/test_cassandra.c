#include "tests/fake/backend/cassandra.h"
#include "tests/support/support_front.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { LIMIT_MS = 5000, SHORT_MS = 1000 };

static const char host[] = "contoso.cassandra.cosmos.azure.com";

static struct support_front *front;

static int
set_up(void **state)
{
	front = support_front_new("cassandra", host, "*.cassandra.cosmos.azure.com");
	return 0;
}

static int
tear_down(void **state)
{
	support_front_free(front);
	return 0;
}

static void
serve_manner(SSL *ssl, void *arg)
{
	cassandra_serve(ssl, arg);
}

/* One probe of a front end that does so. */
static struct support_probe *
ask_manner(const struct cassandra_manner *manner, int64_t limit_ms)
{
	struct support_probe *run = support_front_ask(
	    front, serve_manner, (void *)manner, limit_ms);

	assert_int_equal(run->overs, 1);
	assert_non_null(run->endpoint.greeting);
	return run;
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

static void
test_good(void **state)
{
	struct support_probe  *run = ask_manner(cassandra_manner_find("good"), LIMIT_MS);
	const struct endpoint *seen = &run->endpoint;
	const struct greeting *said = seen->greeting;

	assert_int_equal(seen->tcp, OUTCOME_OK);
	assert_int_equal(seen->tls, OUTCOME_OK);
	assert_string_equal(seen->sans, "*.cassandra.cosmos.azure.com");
	assert_string_equal(seen->local, "127.0.0.1");
	assert_null(seen->detail);
	assert_int_equal(said->outcome, OUTCOME_OK);
	assert_in_range(said->took_us, 1, 1000000);
	assert_string_equal(said->versions, "3.4.4");
	assert_string_equal(said->compression, "snappy lz4");
	assert_string_equal(
	    said->authenticator, "org.apache.cassandra.auth.PasswordAuthenticator");
	assert_true(said->wants_login);
	assert_string_equal(said->detail, "");
	assert_null(said->error_code);
	support_probe_free(run);
}

static const struct manner_case {
	const char  *manner;
	enum outcome outcome;
	bool         supported, wants_login;
	const char  *detail; /* NULL: none */
} manner_cases[] = {
	{ "open", OUTCOME_OK, true, false, NULL },
	{ "many-versions", OUTCOME_OK, true, false, NULL },
	{ "drip", OUTCOME_OK, true, true, NULL },
	{ "v3", OUTCOME_OK, true, true, NULL },
	{ "v5", OUTCOME_OK, true, true, NULL },
	{ "closes", OUTCOME_CLOSED, false, false, "closed" },
	{ "resets", OUTCOME_RESET, false, false, "reset" },
	{ "cut", OUTCOME_CLOSED, false, false, "closed" },
	{ "startup-closes", OUTCOME_CLOSED, true, false, "closed" },
	{ "http", OUTCOME_BROKE_PROTOCOL, false, false, "the peer speaks HTTP" },
	{ "garbage", OUTCOME_BROKE_PROTOCOL, false, false, "protocol version 94" },
	{ "v2", OUTCOME_BROKE_PROTOCOL, false, false, "protocol version 2, 3 to 5 wanted" },
	{ "asks", OUTCOME_BROKE_PROTOCOL, false, false, "begins with 0x04" },
	{ "bad-stream", OUTCOME_BROKE_PROTOCOL, false, false, "stream 1, ours was 0" },
	{ "event", OUTCOME_BROKE_PROTOCOL, false, false,
	    "opcode 0x0c is no answer to OPTIONS" },
	{ "compressed", OUTCOME_BROKE_PROTOCOL, false, false, "flags 0x01" },
	{ "claims-2-gib", OUTCOME_BROKE_PROTOCOL, false, false, "2147483647 bytes" },
	{ "negative", OUTCOME_BROKE_PROTOCOL, false, false, "4294967295 bytes" },
	{ "huge-lists", OUTCOME_BROKE_PROTOCOL, false, false, "SUPPORTED is cut short" },
};

static void
test_manners(void **state)
{
	for (size_t i = 0; i < sizeof(manner_cases) / sizeof(manner_cases[0]); i++) {
		const struct manner_case *c = &manner_cases[i];
		struct support_probe     *run = ask_manner(
		        cassandra_manner_find(c->manner), LIMIT_MS);
		const struct greeting *said = run->endpoint.greeting;

		print_message("%s: %s\n", c->manner, said->detail);
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_null(run->endpoint.detail);
		assert_int_equal(said->outcome, c->outcome);
		assert_int_equal(said->versions != NULL, c->supported);
		assert_int_equal(said->wants_login, c->wants_login);
		assert_int_equal(said->authenticator != NULL, c->wants_login);
		if (c->detail != NULL)
			expect_words(said->detail, c->detail);
		else
			assert_string_equal(said->detail, "");
		support_probe_free(run);
	}
}

static const struct refusal_case {
	const char *manner, *code;
	bool        supported;
	uint32_t    path;
	const char *words, *detail;
} refusal_cases[] = {
	{ "protocol-error", "0x000A", false, PATH_NOT_TOLD, "the greatest is 3",
	    "OPTIONS is refused: protocol error (0x000A)" },
	{ "overloaded", "0x1001", true, PATH_NOT_TOLD, "Request rate is large",
	    "STARTUP is refused: overloaded (0x1001)" },
	{ "blocked", "0x2100", true, PATH_PRIVATE_ENDPOINT, "through private endpoint",
	    "STARTUP is refused: unauthorized (0x2100)" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusal_cases) / sizeof(refusal_cases[0]); i++) {
		const struct refusal_case *c = &refusal_cases[i];
		struct support_probe      *run = ask_manner(
		         cassandra_manner_find(c->manner), LIMIT_MS);
		const struct greeting *said = run->endpoint.greeting;

		print_message("%s\n", c->manner);
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_int_equal(said->outcome, OUTCOME_REFUSED_BY_PEER);
		assert_in_range(said->took_us, 1, 1000000);
		assert_string_equal(said->error_code, c->code);
		expect_words(said->error_text, c->words);
		assert_string_equal(said->detail, c->detail);
		assert_int_equal(said->path, c->path);
		assert_int_equal(said->versions != NULL, c->supported);
		assert_false(said->wants_login);
		support_probe_free(run);
	}
}

static void
test_silent(void **state)
{
	struct support_probe *run = ask_manner(cassandra_manner_find("silent"), SHORT_MS);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_null(run->endpoint.detail);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_TIMEOUT);
	expect_words(run->endpoint.greeting->detail, "no whole answer within 1000 ms");
	support_probe_free(run);

	/* Without STARTUP nobody can log in, whatever OPTIONS tells. */
	run = ask_manner(cassandra_manner_find("startup-silent"), SHORT_MS);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_TIMEOUT);
	assert_string_equal(run->endpoint.greeting->versions, "3.4.4");
	support_probe_free(run);
}

/* Where there is no dialogue, the endpoint says how far it came, as the kind tls does. */
static void
test_below_the_dialogue(void **state)
{
	struct arena *arena = arena_new();
	const char   *words = support_front_below(
	      front, serve_manner, (void *)cassandra_manners, arena);

	if (words != NULL)
		fail_msg("%s", words);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_manners),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_below_the_dialogue),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
