#include "tests/fake/backend/mongo.h"
#include "tests/support/support_front.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { LIMIT_MS = 5000, SHORT_MS = 1000 };

static const char host[] = "contoso.mongo.cosmos.azure.com";

static struct support_front *front;

static int
set_up(void **state)
{
	front = support_front_new("mongo", host, "*.mongo.cosmos.azure.com");
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
	mongo_serve(ssl, arg);
}

/* One probe of a front end that does so. */
static struct support_probe *
ask_manner(const struct mongo_manner *manner, int64_t limit_ms)
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
	struct support_probe  *run = ask_manner(mongo_manner_find("good"), LIMIT_MS);
	const struct endpoint *seen = &run->endpoint;
	const struct greeting *said = seen->greeting;

	assert_int_equal(seen->tcp, OUTCOME_OK);
	assert_int_equal(seen->tls, OUTCOME_OK);
	assert_string_equal(seen->sans, "*.mongo.cosmos.azure.com");
	assert_string_equal(seen->local, "127.0.0.1");
	assert_null(seen->detail);
	assert_int_equal(said->outcome, OUTCOME_OK);
	assert_in_range(said->took_us, 1, 1000000);
	assert_int_equal(said->wire_least, 0);
	assert_int_equal(said->wire_most, 18);
	assert_string_equal(said->set_name, "globaldb");
	assert_string_equal(said->region, "West Europe");
	expect_words(said->hosts, "contoso.mongo.cosmos.azure.com:");
	assert_int_equal(said->hello_code, 115);
	assert_true(said->wants_login);
	expect_words(said->detail, "hello is refused: CommandNotSupported (115)");
	assert_null(said->error_code);
	assert_int_equal(said->path, PATH_NOT_TOLD);
	support_probe_free(run);
}

static const struct manner_case {
	const char  *manner;
	enum outcome outcome;
	uint32_t     hello_code;
	bool         wants_login;
	const char  *hosts;  /* NULL: whatever they are */
	const char  *detail; /* NULL: none */
} manner_cases[] = {
	{ "takes-hello", OUTCOME_OK, 0, false, NULL, NULL },
	{ "old", OUTCOME_OK, 0, false, NULL, "wire version 2 has no OP_MSG" },
	{ "many-hosts", OUTCOME_OK, 115, true,
	    "contoso-westeurope.mongo.cosmos.azure.com:10255 "
	    "contoso-northeurope.mongo.cosmos.azure.com:10255",
	    "(115)" },
	{ "dirty-hosts", OUTCOME_OK, 115, true, "b.example:10255",
	    "(115); 3 of the hosts left out" },
	{ "drip", OUTCOME_OK, 115, true, NULL, "(115)" },
	{ "hello-closes", OUTCOME_OK, 0, false, NULL, "hello: closed, " },
	{ "hello-garbage", OUTCOME_OK, 0, false, NULL, "hello: broke-protocol, message of" },
	{ "closes", OUTCOME_CLOSED, 0, false, NULL, "closed" },
	{ "resets", OUTCOME_RESET, 0, false, NULL, "reset" },
	{ "cut", OUTCOME_CLOSED, 0, false, NULL, "closed" },
	{ "http", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "the peer speaks HTTP" },
	{ "garbage", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "message of 4022250974 bytes" },
	{ "other-request", OUTCOME_BROKE_PROTOCOL, 0, false, NULL,
	    "answer to request 2, ours was 1" },
	{ "no-documents", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "reply of 0 documents" },
	{ "claims-2-gib", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "claims 2147483647 bytes" },
	{ "negative", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "claims 4294967291 bytes" },
	{ "deep", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "nested more than 16 deep" },
	{ "strange-type", OUTCOME_BROKE_PROTOCOL, 0, false, NULL,
	    "element 'expr?ssion' is of type 0x0b" },
	{ "no-server", OUTCOME_BROKE_PROTOCOL, 0, false, NULL, "does not say whether" },
};

static void
test_manners(void **state)
{
	for (size_t i = 0; i < sizeof(manner_cases) / sizeof(manner_cases[0]); i++) {
		const struct manner_case *c = &manner_cases[i];
		struct support_probe  *run = ask_manner(mongo_manner_find(c->manner), LIMIT_MS);
		const struct greeting *said = run->endpoint.greeting;

		print_message("%s: %s\n", c->manner, said->detail);
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_null(run->endpoint.detail);
		assert_int_equal(said->outcome, c->outcome);
		assert_int_equal(said->hello_code, c->hello_code);
		assert_int_equal(said->wants_login, c->wants_login);
		if (c->hosts != NULL)
			assert_string_equal(said->hosts, c->hosts);
		if (c->detail != NULL)
			expect_words(said->detail, c->detail);
		else
			assert_string_equal(said->detail, "");
		/* What isMaster told is there whenever it is called ok. */
		assert_int_equal(said->wire_most != 0, c->outcome == OUTCOME_OK);
		support_probe_free(run);
	}
}

static const struct refusal_case {
	const char *manner, *code;
	uint32_t    path;
	const char *seen_as; /* NULL: none */
	const char *words, *detail;
} refusal_cases[] = {
	{ "blocked-public", "13", PATH_PUBLIC_INTERNET, "127.0.0.1",
	    "Request originated from IP 127.0.0.1 through public internet",
	    "isMaster is refused: Unauthorized (13)" },
	{ "blocked-service-endpoint", "13", PATH_SERVICE_ENDPOINT, "", "service endpoint",
	    "Unauthorized (13)" },
	{ "blocked-private-endpoint", "13", PATH_PRIVATE_ENDPOINT, "", "private endpoint",
	    "Unauthorized (13)" },
	{ "no-account", "18", PATH_NOT_TOLD, NULL, "SNI or appName",
	    "AuthenticationFailed (18)" },
	{ "throttled", "16500", PATH_NOT_TOLD, NULL, "Request rate is large",
	    "RequestRateTooLarge (16500)" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusal_cases) / sizeof(refusal_cases[0]); i++) {
		const struct refusal_case *c = &refusal_cases[i];
		struct support_probe  *run = ask_manner(mongo_manner_find(c->manner), LIMIT_MS);
		const struct greeting *said = run->endpoint.greeting;

		print_message("%s\n", c->manner);
		assert_int_equal(run->endpoint.tls, OUTCOME_OK);
		assert_int_equal(said->outcome, OUTCOME_REFUSED_BY_PEER);
		assert_in_range(said->took_us, 1, 1000000);
		assert_string_equal(said->error_code, c->code);
		expect_words(said->error_text, c->words);
		expect_words(said->detail, c->detail);
		assert_int_equal(said->path, c->path);
		if (c->seen_as != NULL)
			assert_string_equal(said->seen_as, c->seen_as);
		else
			assert_null(said->seen_as);
		assert_int_equal(said->wire_most, 0);
		assert_false(said->wants_login);
		support_probe_free(run);
	}
}

/* isMaster is answered, and hello meets the network rules. */
static void
test_hello_blocked(void **state)
{
	struct mongo_manner    manner = *mongo_manner_find("blocked-public");
	struct support_probe  *run;
	const struct greeting *said;

	manner.refuses_hello_only = true;
	run = ask_manner(&manner, LIMIT_MS);
	said = run->endpoint.greeting;
	assert_int_equal(said->outcome, OUTCOME_REFUSED_BY_PEER);
	assert_int_equal(said->path, PATH_PUBLIC_INTERNET);
	assert_string_equal(said->seen_as, "127.0.0.1");
	assert_int_equal(said->hello_code, 13);
	assert_int_equal(said->wire_most, 18);
	assert_false(said->wants_login);
	expect_words(said->detail, "hello is refused: Unauthorized (13)");
	support_probe_free(run);

	/* As servers that are not the service say it: a matter of logging in. */
	manner.refuses_text = "command hello requires authentication";
	run = ask_manner(&manner, LIMIT_MS);
	said = run->endpoint.greeting;
	assert_int_equal(said->outcome, OUTCOME_OK);
	assert_int_equal(said->hello_code, 13);
	assert_true(said->wants_login);
	assert_null(said->error_code);
	support_probe_free(run);

	/* A code that is none is a refusal all the same. */
	manner.refuses_code = -1;
	run = ask_manner(&manner, LIMIT_MS);
	said = run->endpoint.greeting;
	assert_int_equal(said->outcome, OUTCOME_OK);
	assert_int_equal(said->hello_code, UINT32_MAX);
	assert_false(said->wants_login);
	expect_words(said->detail, "hello is refused: Unauthorized (-1)");
	support_probe_free(run);
}

static void
test_silent(void **state)
{
	struct support_probe *run = ask_manner(mongo_manner_find("silent"), SHORT_MS);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_null(run->endpoint.detail);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_TIMEOUT);
	assert_int_equal(run->endpoint.greeting->took_us, 0);
	expect_words(run->endpoint.greeting->detail, "no whole answer within 1000 ms");
	assert_in_range(run->took_us, SHORT_MS * 1000, 10 * SHORT_MS * 1000);
	support_probe_free(run);

	run = ask_manner(mongo_manner_find("hello-silent"), SHORT_MS);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_OK);
	assert_int_equal(run->endpoint.greeting->wire_most, 18);
	expect_words(run->endpoint.greeting->detail, "hello: timeout, no whole answer");
	support_probe_free(run);
}

/* As much as we take in one message, and more behind it for ever. */
static void
flood(SSL *ssl, void *unused)
{
	static const uint8_t head[] = { 0, 0, 1, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0 };
	uint8_t              bytes[4096] = { 0 };

	SSL_write(ssl, head, sizeof(head));
	while (SSL_write(ssl, bytes, sizeof(bytes)) > 0)
		;
}

static void
test_flood(void **state)
{
	struct support_probe *run = support_front_ask(front, flood, NULL, LIMIT_MS);

	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_BROKE_PROTOCOL);
	expect_words(run->endpoint.greeting->detail, "a reply of 0 documents");
	support_probe_free(run);
}

/* Where there is no dialogue, the endpoint says how far it came, as the kind tls does. */
static void
test_below_the_dialogue(void **state)
{
	struct arena *arena = arena_new();
	const char   *words = support_front_below(
	      front, serve_manner, (void *)mongo_manners, arena);

	if (words != NULL)
		fail_msg("%s", words);
	arena_free(arena);
}

static void
note_sni(SSL *ssl, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	snprintf(arg, 256, "%s", name != NULL ? name : "");
	mongo_serve(ssl, mongo_manners);
}

/* Behind a private endpoint the account is told apart by SNI, and by nothing else before login. */
static void
test_sni(void **state)
{
	char                  name[256] = "";
	struct support_probe *run = support_front_ask(front, note_sni, name, LIMIT_MS);

	assert_string_equal(name, host);
	assert_int_equal(run->endpoint.greeting->outcome, OUTCOME_OK);
	support_probe_free(run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_manners),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_hello_blocked),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_below_the_dialogue),
		cmocka_unit_test(test_sni),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
