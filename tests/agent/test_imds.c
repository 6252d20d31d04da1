#include "agent/imds.h"

#include "base/token_json.h"
#include "base/arena.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

enum { REQUESTS_MAX = 8, REQUEST_ROOM = 2048, TEXT_ROOM = 512 };

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
#define TOKEN   "eyJ0.s3cret-A_b.c"
#define GOOD                                                                             \
	OK_HEAD "{\"access_token\":\"" TOKEN                                             \
	        "\",\"refresh_token\":\"\",\"expires_in\":\"86399\","                    \
	        "\"expires_on\":\"4102444800\",\"resource\":\"https://cosmos.azure.com/" \
	        "\",\"token_type\":\"Bearer\"}"
#define NO_IDENTITY                                             \
	"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" \
	"{\"error\":\"invalid_request\",\"error_description\":\"Identity not found\"}"
#define SEVERAL                                                                          \
	"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"                          \
	"{\"error\":\"invalid_request\",\"error_description\":\"Multiple user assigned " \
	"identities "                                                                    \
	"exist, please specify the clientId / resourceId of the identity in the token "  \
	"request\"}"

/* Answers in order, the last one again and again; what was asked. */
struct script {
	const char *const *answers;
	unsigned           requests;
	char               asked[REQUESTS_MAX][REQUEST_ROOM];
};

struct fixture {
	struct loop         *loop;
	struct imds         *imds;
	struct support_peer *peer;
	struct script        script;
	char                *url;
	unsigned             overs, wanted;
	char                 token[TEXT_ROOM], why[TEXT_ROOM];
};

static void
read_request(int fd, char *asked)
{
	size_t used = 0;

	while (used + 1 < REQUEST_ROOM && strstr(asked, "\r\n\r\n") == NULL) {
		ssize_t got = recv(fd, asked + used, REQUEST_ROOM - 1 - used, 0);

		if (got <= 0)
			return;
		used += (size_t)got;
		asked[used] = '\0';
	}
}

static void
say_endlessly(int fd, const char *head, const char *piece)
{
	(void)!send(fd, head, strlen(head), MSG_NOSIGNAL);
	while (send(fd, piece, strlen(piece), MSG_NOSIGNAL) > 0)
		continue;
}

static void
serve(int fd, void *arg)
{
	struct script *script = arg;
	unsigned       at = script->requests < REQUESTS_MAX ? script->requests : 0;
	const char    *answer = script->answers[0];

	for (unsigned i = 0; i <= at && script->answers[i] != NULL; i++)
		answer = script->answers[i];
	read_request(fd, script->asked[at]);
	script->requests++;
	if (strcmp(answer, "endless body") == 0)
		say_endlessly(fd, OK_HEAD, "{\"access_token\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	else if (strcmp(answer, "endless head") == 0)
		say_endlessly(
		    fd, "HTTP/1.1 200 OK\r\n", "X-Filler: aaaaaaaaaaaaaaaaaaaaaaa\r\n");
	else if (strcmp(answer, "silence") == 0)
		support_peer_silent(fd, NULL);
	else
		support_peer_says(fd, (void *)answer);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	imds_free(f->imds);
	support_peer_stop(f->peer);
	loop_free(f->loop);
	free(f->url);
	free(f);
	return 0;
}

static void
start(struct fixture *f, const char *const *answers, const struct imds_options *more)
{
	struct addr addr;
	struct err  err;
	char        text[ADDR_TEXT];

	f->script.answers = answers;
	f->peer = support_peer_start(serve, &f->script);
	addr = support_peer_addr(f->peer);
	f->url = mem_printf("http://%s", addr_render_port(&addr, text, sizeof(text)));
	f->imds = imds_new(
	    &(struct imds_options){ .loop = f->loop,
	        .clock = more != NULL && more->clock != NULL ? more->clock : clock_system(),
	        .url = f->url,
	        .client_id = more != NULL && more->client_id != NULL ? more->client_id : "",
	        .limit_ms = more != NULL ? more->limit_ms : 0 },
	    &err);
	assert_non_null(f->imds);
}

static void
on_token(void *arg, const char *token, const char *why)
{
	struct fixture *f = arg;

	assert_true((token == NULL) != (why == NULL));
	snprintf(f->token, sizeof(f->token), "%s", token != NULL ? token : "");
	snprintf(f->why, sizeof(f->why), "%s", why != NULL ? why : "");
	if (++f->overs == f->wanted)
		loop_stop(f->loop);
}

static void
ask(struct fixture *f, unsigned times)
{
	f->overs = 0;
	f->wanted = times;
	for (unsigned i = 0; i < times; i++)
		imds_start(f->imds, on_token, f);
	assert_int_equal(f->overs, 0); /* never from inside */
	loop_run(f->loop);
	assert_int_equal(f->overs, times);
}

static void
test_good(void **state)
{
	static const char *const answers[] = { GOOD, NULL };
	struct fixture          *f = *state;
	const char              *asked = f->script.asked[0];

	/* Never through a proxy: there is none at this port. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	start(f, answers, NULL);
	ask(f, 3);
	unsetenv("http_proxy");
	assert_string_equal(f->token, TOKEN);
	assert_ptr_equal(strstr(asked,
	                     "GET /metadata/identity/oauth2/token?api-version=2018-02-01"
	                     "&resource=https%3A%2F%2Fcosmos.azure.com%2F HTTP/1.1\r\n"),
	    asked);
	assert_non_null(strstr(asked, "\r\nMetadata: true\r\n"));
	assert_null(strstr(asked, "X-Forwarded-For"));
	ask(f, 1);
	assert_string_equal(f->token, TOKEN);
	assert_int_equal(f->script.requests, 1); /* who asks together or later: one request */
}

/* How each answer ends; requests: how many are made. */
static const struct answer_case {
	const char *name;
	const char *answers[4];
	const char *client_id;
	unsigned    requests;
	const char *why; /* NULL: a token */
} answer_cases[] = {
	{ "no identity", { NO_IDENTITY }, "", 1, "this VM has no managed identity (inv" },
	{ "no such identity", { NO_IDENTITY }, "01234567-89ab-cdef-0123-456789abcdef", 1,
	    "no managed identity with the client id 01234567-89ab-cdef-0123-456789abcdef" },
	{ "several", { SEVERAL }, "", 1,
	    "several managed identities: the client id of one wanted" },
	{ "not yet", { "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", GOOD }, "", 2,
	    NULL },
	{ "in an update", { "HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n", GOOD }, "", 2,
	    NULL },
	{ "broken", { "HTTP/1.1 503 Oh\r\nConnection: close\r\n\r\n", "", GOOD }, "", 3, NULL },
	{ "too many",
	    { "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nConnection: close\r\n\r\n", GOOD }, "", 2,
	    NULL },
	{ "too long to wait",
	    { "HTTP/1.1 429 Slow\r\nRetry-After: 99999999999\r\nConnection: close\r\n\r\n" },
	    "", 1, "answers 429" },
	{ "forbidden", { "HTTP/1.1 403 No\r\nConnection: close\r\n\r\nnot JSON" }, "", 1,
	    "answers 403" },
	{ "redirect",
	    { "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nConnection: close\r\n\r\n", GOOD },
	    "", 1, "answers 302, which is not followed" },
	{ "garbage", { OK_HEAD "<html>s3cret</html>" }, "", 1, "no JSON object" },
	{ "not HTTP", { "s3cret\r\n\r\n" }, "", 1, "http://127.0.0.1" },
	{ "a list", { OK_HEAD "[\"s3cret\"]" }, "", 1, "no JSON object" },
	{ "twice a member", { OK_HEAD "{\"access_token\":\"a\",\"access_token\":\"s3cret\"}" },
	    "", 1, "no JSON object" },
	{ "no token", { OK_HEAD "{\"refresh_token\":\"s3cret\"}" }, "", 1, "no access_token" },
	{ "a number", { OK_HEAD "{\"access_token\":5}" }, "", 1, "no access_token" },
	{ "a second header", { OK_HEAD "{\"access_token\":\"s3cret\\r\\nX: y\"}" }, "", 1,
	    "the access_token is none" },
	{ "no ASCII", { OK_HEAD "{\"access_token\":\"s3cret\\u00e4\"}" }, "", 1,
	    "the access_token is none" },
	{ "another type", { OK_HEAD "{\"access_token\":\"s3cret\",\"token_type\":\"pop\"}" },
	    "", 1, "another type than Bearer" },
	{ "endless body", { "endless body" }, "", 1, "too large" },
	{ "endless head", { "endless head" }, "", 1, "too large" },
};

static void
test_answers(void **state)
{
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];
		void                     *fresh = NULL;
		struct fixture           *f;

		setup(&fresh);
		f = fresh;
		start(f, c->answers, &(struct imds_options){ .client_id = c->client_id });
		ask(f, 2);
		if ((c->why == NULL) != (f->token[0] != '\0') ||
		    (c->why != NULL && strstr(f->why, c->why) == NULL))
			fail_msg("%s: '%s' '%s'", c->name, f->token, f->why);
		assert_null(strstr(f->why, "s3cret"));
		ask(f, 1); /* kept, a token as well as a failure */
		if (f->script.requests != c->requests)
			fail_msg("%s: %u requests", c->name, f->script.requests);
		if (c->client_id[0] != '\0')
			assert_non_null(strstr(f->script.asked[0],
			    "&client_id=01234567-89ab-cdef-0123-456789abcdef "));
		teardown(&fresh);
	}
}

/* A token is kept until shortly before it ends, by either way of saying when. */
static const struct life_case {
	const char *name, *members;
	int64_t     wall_s, kept_s; /* kept_s: how long it is not asked for again */
} life_cases[] = {
	{ "an hour", "\"expires_in\":\"3600\",\"expires_on\":\"1003600\"", 1000000, 3300 },
	{ "numbers", "\"expires_in\":3600,\"expires_on\":1003600", 1000000, 3300 },
	{ "only the end", "\"expires_on\":\"1003600\"", 1000000, 3300 },
	{ "only the rest", "\"expires_in\":\"3600\"", 1000000, 3300 },
	{ "a wrong clock", "\"expires_in\":\"3600\",\"expires_on\":\"1003600\"", 900000, 3300 },
	{ "soon over", "\"expires_in\":\"60\"", 1000000, 30 },
	{ "for ever", "\"expires_in\":\"999999999999\"", 1000000, 86100 },
};

static void
test_lives(void **state)
{
	for (size_t i = 0; i < sizeof(life_cases) / sizeof(life_cases[0]); i++) {
		const struct life_case *c = &life_cases[i];
		char                   *answer = mem_printf(
		                      OK_HEAD "{\"access_token\":\"" TOKEN "\",%s}", c->members);
		const char       *answers[] = { answer, NULL };
		struct clock_hand hand;
		void             *fresh = NULL;
		struct fixture   *f;

		clock_hand_init(&hand, c->wall_s * MS_PER_S);
		setup(&fresh);
		f = fresh;
		start(f, answers, &(struct imds_options){ .clock = &hand.clock });
		ask(f, 1);
		clock_hand_wind(&hand, (c->kept_s - 1) * US_PER_S);
		ask(f, 1);
		if (f->script.requests != 1)
			fail_msg("%s: asked again too early", c->name);
		clock_hand_wind(&hand, 2 * US_PER_S);
		ask(f, 1);
		if (f->script.requests != 2)
			fail_msg("%s: kept too long", c->name);
		assert_string_equal(f->token, TOKEN);
		teardown(&fresh);
		free(answer);
	}
}

/* By its own word it is over, or nobody says when: good for those who wait, and for no other. */
static void
test_not_kept(void **state)
{
	static const char *const answers[] = { OK_HEAD "{\"access_token\":\"" TOKEN
		                                       "\",\"expires_on\":\"5\"}",
		OK_HEAD "{\"access_token\":\"" TOKEN "\",\"expires_on\":\"never\"}", NULL };
	struct fixture          *f = *state;

	start(f, answers, NULL);
	for (unsigned i = 1; i <= 3; i++) {
		ask(f, 2);
		assert_string_equal(f->token, TOKEN);
		assert_int_equal(f->script.requests, i);
	}
}

static void
test_failure_is_not_for_ever(void **state)
{
	static const char *const answers[] = { NO_IDENTITY, GOOD, NULL };
	struct fixture          *f = *state;
	struct clock_hand        hand;

	clock_hand_init(&hand, 1000000);
	start(f, answers, &(struct imds_options){ .clock = &hand.clock });
	ask(f, 1);
	assert_string_equal(f->token, "");
	clock_hand_wind(&hand, 11 * US_PER_S);
	ask(f, 1);
	assert_string_equal(f->token, TOKEN);
}

static void
test_silence(void **state)
{
	static const char *const answers[] = { "silence", NULL };
	struct fixture          *f = *state;
	int64_t                  begun_us = clock_mono_us(clock_system());

	start(f, answers, &(struct imds_options){ .limit_ms = 700 });
	ask(f, 1);
	assert_non_null(strstr(f->why, "does not answer: no Azure VM"));
	assert_in_range(clock_mono_us(clock_system()) - begun_us, 0, 3 * US_PER_S);
}

static void
test_nobody(void **state)
{
	static const char *const answers[] = { GOOD, NULL };
	struct fixture          *f = *state;

	start(f, answers, NULL);
	support_peer_stop(f->peer);
	f->peer = NULL;
	ask(f, 1);
	assert_non_null(strstr(f->why, "cannot be reached: no Azure VM"));
}

static void
on_never(void *arg, const char *token, const char *why)
{
	fail_msg("an answer after cancel");
}

static void
test_cancel(void **state)
{
	static const char *const answers[] = { GOOD, NULL };
	struct fixture          *f = *state;
	struct imds_ask         *first, *middle;

	start(f, answers, NULL);
	first = imds_start(f->imds, on_never, f);
	middle = imds_start(f->imds, on_token, f);
	f->wanted = 1;
	imds_cancel(imds_start(f->imds, on_never, f));
	imds_cancel(first);
	loop_run(f->loop);
	assert_non_null(middle);
	assert_int_equal(f->overs, 1);
	imds_cancel(NULL);
	/* What is out when it goes. */
	imds_start(f->imds, on_never, f);
}

static void
test_free_while_out(void **state)
{
	static const char *const answers[] = { "silence", NULL };
	struct fixture          *f = *state;

	start(f, answers, NULL);
	imds_start(f->imds, on_never, f);
	for (int i = 0; i < 20; i++)
		loop_run_once(f->loop, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_lives),
		cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_failure_is_not_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_while_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
