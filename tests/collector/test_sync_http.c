/* One question over TLS, to servers that answer well and badly: what is tried again, what is not, and
 * what of the token goes where. */
#include "collector/sync_http.h"

#include "tests/support/support_certs.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_http.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct stage {
	char                 *folder;
	char                  ca_file[256];
	struct support_certs *certs;
};

static int
set_up(void **state)
{
	static const char *const        names[] = { "127.0.0.1", NULL };
	const struct support_certs_plan plan = { .subject = "arm", .names = names };
	struct stage                   *stage = calloc(1, sizeof(*stage));

	stage->folder = support_dir_new();
	stage->certs = support_certs_new(&plan);
	snprintf(stage->ca_file, sizeof(stage->ca_file), "%s/ca.pem", stage->folder);
	support_certs_write(stage->certs, stage->ca_file, NULL);
	*state = stage;
	return 0;
}

static int
tear_down(void **state)
{
	struct stage *stage = *state;

	support_certs_free(stage->certs);
	support_dir_free(stage->folder);
	free(stage);
	return 0;
}

/* One question to a server with the replies. */
struct asked {
	bool                    done;
	struct sync_http_answer answer;
	struct err              err;
	struct support_http     http; /* what it has seen */
	int64_t                 took_ms;
};

static void
ask(const struct stage *stage, const struct support_http_reply *replies,
    const struct sync_http_ask *like, int64_t limit_ms, struct asked *asked)
{
	struct sync_http_options options = {
		.ca_file = stage->ca_file, .limit_ms = limit_ms, .request_ms = 500
	};
	struct sync_http    *http = sync_http_new(&options);
	struct sync_http_ask question = *like;
	struct support_peer *peer;
	char                 at[ADDR_TEXT], url[128];
	struct addr          addr;
	int64_t              began_us = clock_mono_us(clock_system());

	*asked = (struct asked){ .done = false };
	wbuf_init(&asked->answer.body);
	support_http_init(&asked->http, stage->certs, replies);
	peer = support_peer_start(support_http_serve, &asked->http);
	addr = support_peer_addr(peer);
	snprintf(url, sizeof(url), "https://%s/x?y=1", addr_render_port(&addr, at, sizeof(at)));
	question.url = url;
	asked->done = sync_http_ask(http, &question, &asked->answer, &asked->err);
	asked->took_ms = (clock_mono_us(clock_system()) - began_us) / US_PER_MS;
	sync_http_free(http);
	support_peer_stop(peer);
}

static void
forget(struct asked *asked)
{
	wbuf_fini(&asked->answer.body);
	support_http_fini(&asked->http);
}

static const struct answer_case {
	const char               *name;
	struct support_http_reply replies[3];
	unsigned                  status; /* 0: none */
	unsigned                  requests;
	const char               *words; /* of the body, or of the error */
} answer_cases[] = {
	{ "well", { { .body = "{}" } }, 200, 1, "{}" },
	{ "refused", { { .status = 403, .body = "no" } }, 403, 1, "no" },
	{ "not there", { { .status = 404, .body = "no" } }, 404, 1, "no" },
	{ "busy, then well", { { .status = 503, .times = 1 }, { .body = "{}" } }, 200, 2,
	    "{}" },
	{ "throttled, then well",
	    { { .status = 429, .head = "Retry-After: 1\r\n", .times = 1 }, { .body = "{}" } },
	    200, 2, "{}" },
	{ "throttled for longer than there is time",
	    { { .status = 429, .head = "Retry-After: 600\r\n", .body = "later" } }, 429, 1,
	    "later" },
	{ "closed without a word, then well",
	    { { .fault = SUPPORT_HTTP_CLOSE_BEFORE, .times = 1 }, { .body = "{}" } }, 200, 2,
	    "{}" },
	{ "cut short, then well",
	    { { .fault = SUPPORT_HTTP_CUT_BODY, .body = "{\"a\":1}", .times = 1 },
	        { .body = "{}" } },
	    200, 2, "{}" },
	{ "silent, then well",
	    { { .fault = SUPPORT_HTTP_SILENT, .times = 1 }, { .body = "{}" } }, 200, 2, "{}" },
	{ "without end", { { .fault = SUPPORT_HTTP_ENDLESS_BODY } }, 0, 1, "too large" },
	{ "a head without end", { { .fault = SUPPORT_HTTP_ENDLESS_HEAD } }, 0, 1, "too large" },
	{ "a redirect", { { .status = 302, .head = "Location: https://127.0.0.1:1/\r\n" } },
	    302, 1, "" },
};

static void
test_answers(void **state)
{
	const struct sync_http_ask like = { .bearer = "s3cret" };

	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *row = &answer_cases[i];
		struct asked              asked;

		print_message("%s\n", row->name);
		ask(*state, row->replies, &like, 8000, &asked);
		assert_int_equal(asked.done, row->status != 0);
		assert_int_equal(asked.answer.status, row->status);
		assert_int_equal(asked.http.requests, row->requests);
		if (asked.done)
			assert_string_equal(wbuf_text(&asked.answer.body), row->words);
		else
			assert_non_null(strstr(asked.err.text, row->words));
		forget(&asked);
	}
}

/* It ends when the time is up, whatever is promised. */
static void
test_deadline(void **state)
{
	static const struct support_http_reply busy[] = { { .status = 503 },
		{ .target = NULL } };
	static const struct support_http_reply silent[] = { { .fault = SUPPORT_HTTP_SILENT },
		{ .target = NULL } };
	const struct sync_http_ask             like = { .bearer = NULL };
	struct asked                           asked;

	ask(*state, busy, &like, 1500, &asked);
	assert_true(asked.done);
	assert_int_equal(asked.answer.status, 503);
	assert_true(asked.took_ms < 4000);
	forget(&asked);
	ask(*state, silent, &like, 1200, &asked);
	assert_false(asked.done);
	assert_true(asked.took_ms < 4000);
	assert_null(strstr(asked.err.text, "y=1"));
	forget(&asked);
}

static void
test_headers(void **state)
{
	static const struct support_http_reply replies[] = {
		{ .status = 304, .head = "ETag:  W/\"7\" \r\n" }, { .target = NULL }
	};
	struct asked asked;

	ask(*state, replies, &(struct sync_http_ask){ .bearer = "s3cret", .etag = "W/\"7\"" },
	    3000, &asked);
	assert_int_equal(asked.answer.status, 304);
	assert_string_equal(asked.answer.etag, "W/\"7\"");
	assert_non_null(strstr(wbuf_text(&asked.http.log), "Authorization: Bearer s3cret\r\n"));
	assert_non_null(strstr(wbuf_text(&asked.http.log), "If-None-Match: W/\"7\"\r\n"));
	assert_null(strstr(wbuf_text(&asked.http.log), "Metadata"));
	forget(&asked);

	ask(*state, replies, &(struct sync_http_ask){ .metadata = true }, 3000, &asked);
	assert_non_null(strstr(wbuf_text(&asked.http.log), "Metadata: true\r\n"));
	assert_null(strstr(wbuf_text(&asked.http.log), "Authorization"));
	assert_null(strstr(wbuf_text(&asked.http.log), "If-None-Match"));
	forget(&asked);

	ask(*state, replies, &(struct sync_http_ask){ .form = "a=1" }, 3000, &asked);
	assert_non_null(strstr(wbuf_text(&asked.http.log), "POST /x?y=1 "));
	forget(&asked);
}

/* The metadata service says 404 and 410 while it starts [azure-msi]. */
static void
test_metadata_passes(void **state)
{
	static const struct support_http_reply replies[] = { { .status = 410, .times = 1 },
		{ .body = "{}" }, { .target = NULL } };
	struct asked                           asked;

	ask(*state, replies, &(struct sync_http_ask){ .metadata = true }, 5000, &asked);
	assert_int_equal(asked.answer.status, 200);
	assert_int_equal(asked.http.requests, 2);
	forget(&asked);
}

/* Nobody who cannot prove who he is gets a question; nor does plain HTTP. */
static void
test_strangers(void **state)
{
	static const struct support_http_reply replies[] = { { .body = "{}" },
		{ .target = NULL } };
	struct stage                           stage = *(struct stage *)*state;
	struct sync_http_answer                answer = { .status = 0 };
	struct sync_http_options               options = { .ca_file = "", .limit_ms = 2000 };
	struct sync_http                      *http = sync_http_new(&options);
	struct asked                           asked;
	struct err                             err;

	stage.ca_file[0] = '\0';
	ask(&stage, replies, &(struct sync_http_ask){ .bearer = "s3cret" }, 2000, &asked);
	assert_false(asked.done);
	assert_int_equal(asked.http.requests, 0);
	forget(&asked);

	wbuf_init(&answer.body);
	assert_false(sync_http_ask(http,
	    &(struct sync_http_ask){ .url = "http://127.0.0.1:1/", .bearer = "s3cret" },
	    &answer, &err));
	assert_non_null(strstr(err.text, "rotocol"));
	wbuf_fini(&answer.body);
	sync_http_free(http);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_metadata_passes),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
