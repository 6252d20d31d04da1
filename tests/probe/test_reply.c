#include "probe/reply.h"

#include "probe/reply_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

static const struct reply_case {
	const char     *name, *text;
	enum head_parse parse;
	const char     *body, *words;
	size_t          left;
	bool            ended;
} reply_cases[] = {
	{ "length", OK_LINE "Content-Length: 4\r\n\r\nbodyrest", HEAD_WHOLE, "body", NULL, 4,
	    true },
	{ "length 0", OK_LINE "Content-Length: 0\r\n\r\n", HEAD_WHOLE, "", NULL, 0, true },
	{ "short of its length", OK_LINE "Content-Length: 5\r\n\r\nbody", HEAD_MORE, "body",
	    NULL, 0, false },
	{ "to its end", OK_LINE "\r\nbody", HEAD_MORE, "body", NULL, 0, true },
	{ "chunks", CHUNKED "3\r\nbod\r\n1;x=y\r\ny\r\n0\r\n\r\n", HEAD_WHOLE, "body", NULL, 0,
	    true },
	{ "trailers", CHUNKED "4\r\nbody\r\n0\r\na: b\r\n\r\n!", HEAD_WHOLE, "body", NULL, 1,
	    true },
	{ "long hex", CHUNKED "00000004\r\nbody\r\n0\r\n\r\n", HEAD_WHOLE, "body", NULL, 0,
	    true },
	{ "upper hex", CHUNKED "A\r\n0123456789\r\n0\r\n\r\n", HEAD_WHOLE, "0123456789", NULL,
	    0, true },
	{ "no last chunk", CHUNKED "4\r\nbody\r\n", HEAD_MORE, "body", NULL, 2, false },
	{ "within a chunk", CHUNKED "5\r\nbody", HEAD_MORE, "body", NULL, 0, false },
	{ "size too long", CHUNKED "000000004\r\nbody\r\n", HEAD_BAD, NULL, "size of a chunk",
	    0, false },
	{ "size none", CHUNKED "\r\nbody\r\n", HEAD_BAD, NULL, "size of a chunk", 0, false },
	{ "size of words", CHUNKED "body\r\n", HEAD_BAD, NULL, "size of a chunk", 0, false },
	{ "chunk too long", CHUNKED "3\r\nbody\r\n0\r\n\r\n", HEAD_BAD, NULL, "longer than", 0,
	    false },
	{ "bare LF in chunks", CHUNKED "4\nbody\n0\n\n", HEAD_BAD, NULL, "broken", 0, false },
	{ "interim", "HTTP/1.1 103 x\r\na: b\r\n\r\n" OK_LINE "Content-Length: 1\r\n\r\n1",
	    HEAD_WHOLE, "1", NULL, 0, true },
	{ "interim only", "HTTP/1.1 100 x\r\n\r\n", HEAD_MORE, NULL, NULL, 0, false },
	{ "length and chunks",
	    OK_LINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HEAD_BAD, NULL,
	    "both", 0, false },
	{ "no HTTP", "SSH-2.0", HEAD_BAD, NULL, "as HTTP/1", 0, false },
};

/* The whole answer with so many bytes at a time, as conn would offer it. */
static enum head_parse
hear_in_strides(
    struct reply *reply, const char *text, size_t stride, size_t *left, struct err *err)
{
	size_t          count = strlen(text), taken = 0, offered = 0;
	enum head_parse parse = HEAD_MORE;

	while (parse == HEAD_MORE && offered < count) {
		struct rcur in;

		offered = count - offered > stride ? offered + stride : count;
		in = rcur_of(text + taken, offered - taken);
		parse = reply_hear(reply, &in, err);
		assert_true(rcur_ok(&in));
		taken = offered - rcur_left(&in);
	}
	*left = count - taken;
	return parse;
}

static void
test_replies(void **state)
{
	for (size_t i = 0; i < sizeof(reply_cases) / sizeof(reply_cases[0]); i++) {
		const struct reply_case *c = &reply_cases[i];

		print_message("%s\n", c->name);
		for (size_t stride = 1; stride <= strlen(c->text); stride++) {
			struct reply reply = { .arena = arena_new() };
			struct err   err = { ERR_NONE, "" };
			size_t       left;

			assert_int_equal(
			    hear_in_strides(&reply, c->text, stride, &left, &err), c->parse);
			assert_int_equal(reply_is_ended(&reply), c->ended);
			if (c->parse != HEAD_BAD)
				assert_int_equal(left, c->left);
			if (c->body != NULL) {
				assert_int_equal(reply.body_bytes, strlen(c->body));
				assert_memory_equal(reply.body, c->body, reply.body_bytes);
			}
			if (c->words != NULL)
				assert_non_null(strstr(err.text, c->words));
			arena_free(reply.arena);
		}
	}
}

/* More of a body than is kept is not waited for. */
static void
test_cut_body(void **state)
{
	static const char head[] = OK_LINE "Content-Length: 1000000000\r\n\r\n";
	size_t            count = sizeof(head) - 1 + REPLY_BODY_MAX + 1;
	char             *text = malloc(count);
	struct reply      reply = { .arena = arena_new() };
	struct rcur       in = rcur_of(text, count - 1);
	struct err        err;

	memset(text, 'x', count);
	memcpy(text, head, sizeof(head) - 1);
	assert_int_equal(reply_hear(&reply, &in, &err), HEAD_MORE);
	assert_false(reply.cut);
	in = rcur_of(text + count - 1, 1);
	assert_int_equal(reply_hear(&reply, &in, &err), HEAD_WHOLE);
	assert_true(reply.cut);
	assert_true(reply_is_ended(&reply));
	assert_int_equal(reply.body_bytes, REPLY_BODY_MAX);
	arena_free(reply.arena);
	free(text);
}

static void
test_interims_end(void **state)
{
	static const char interim[] = "HTTP/1.1 102 x\r\n\r\n";
	char              text[(REPLY_INTERIMS_MAX + 1) * (sizeof(interim) - 1) + 1] = "";
	struct reply      reply = { .arena = arena_new() };
	struct err        err;
	struct rcur       in;

	for (int i = 0; i <= REPLY_INTERIMS_MAX; i++)
		strcat(text, interim);
	in = rcur_of(text, strlen(text));
	assert_int_equal(reply_hear(&reply, &in, &err), HEAD_BAD);
	assert_non_null(strstr(err.text, "more than 8 interim"));
	arena_free(reply.arena);
}

static const struct stranger_case {
	const char *name, *text, *words;
	bool        html, xml;
} stranger_cases[] = {
	{ "redirect", "HTTP/1.1 302 x\r\nLocation: http://portal/\r\nContent-Length: 0\r\n\r\n",
	    "redirects to http://portal/", false, false },
	{ "proxy", "HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n", "wants authentication", false,
	    false },
	{ "page by its type",
	    OK_LINE "Content-Type: text/html; charset=x\r\nContent-Length: 1\r\n\r\nx",
	    "HTML page", true, false },
	{ "page by its look", OK_LINE "Content-Length: 17\r\n\r\n\r\n <!DOCTYPE HTML>",
	    "HTML page", true, false },
	{ "XML by its look", OK_LINE "Content-Length: 8\r\n\r\n\xef\xbb\xbf<?xml", "200", false,
	    true },
	{ "XML by its type",
	    OK_LINE "Content-Type: application/xml\r\nContent-Length: 1\r\n\r\n ", "200", false,
	    true },
	{ "bare 404", "HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", "404 without a body",
	    false, false },
	{ "old", "HTTP/1.0 200 x\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.0", false, false },
	{ "server error", "HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n", "status 502 without",
	    false, false },
	{ "throttled", "HTTP/1.1 429 x\r\nContent-Length: 0\r\n\r\n", "throttled", false,
	    false },
	{ "nothing known", OK_LINE "Content-Length: 2\r\n\r\nok", "nothing that the service",
	    false, false },
};

static void
test_strangers(void **state)
{
	for (size_t i = 0; i < sizeof(stranger_cases) / sizeof(stranger_cases[0]); i++) {
		const struct stranger_case *c = &stranger_cases[i];
		struct reply                reply = { .arena = arena_new() };
		struct rcur                 in = rcur_of(c->text, strlen(c->text));

		print_message("%s\n", c->name);
		assert_int_equal(reply_hear(&reply, &in, NULL), HEAD_WHOLE);
		assert_non_null(strstr(reply_stranger(&reply), c->words));
		assert_int_equal(reply_is_html(&reply), c->html);
		assert_int_equal(reply_is_xml(&reply), c->xml);
		arena_free(reply.arena);
	}
}

static const struct error_case {
	const char     *name, *body;
	enum reply_form form;
	const char     *code, *message;
} error_cases[] = {
	{ "OData",
	    "{\"odata.error\":{\"code\":\"A\",\"message\":{\"lang\":\"x\",\"value\":\"b\"}}}",
	    REPLY_ODATA, "A", "b" },
	{ "OData, plain message", "{\"odata.error\":{\"code\":\"A\",\"message\":\"b\"}}",
	    REPLY_ODATA, "A", "b" },
	{ "OData, empty", "{\"odata.error\":{}}", REPLY_ODATA, "", "" },
	{ "OData, not an object", "{\"odata.error\":\"x\"}", REPLY_OTHER_JSON, "", "" },
	{ "gateway", "{\"code\":\"Forbidden\",\"message\":\"no\\u001b\"}", REPLY_GATEWAY,
	    "Forbidden", "no?" },
	{ "other", "{\"value\":[]}", REPLY_OTHER_JSON, "", "" },
	{ "array", "[1]", REPLY_NOT_JSON, "", "" },
	{ "nothing", "", REPLY_NOT_JSON, "", "" },
	{ "cut", "{\"code\":", REPLY_NOT_JSON, "", "" },
};

static void
test_errors(void **state)
{
	for (size_t i = 0; i < sizeof(error_cases) / sizeof(error_cases[0]); i++) {
		const struct error_case *c = &error_cases[i];
		struct arena            *arena = arena_new();
		struct reply_error       error;

		print_message("%s\n", c->name);
		reply_error_read(&error, c->body, strlen(c->body), arena);
		assert_int_equal(error.form, c->form);
		assert_string_equal(error.code, c->code);
		assert_string_equal(error.message, c->message);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_cut_body),
		cmocka_unit_test(test_interims_end),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
