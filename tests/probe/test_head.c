#include "probe/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK_LINE "HTTP/1.1 200 OK\r\n"

static const struct head_case {
	const char     *name, *text;
	enum head_parse parse;
	unsigned        status;
	size_t          fields, left;
	const char     *words;
} head_cases[] = {
	{ "smallest", "HTTP/1.1 200\r\n\r\n", HEAD_WHOLE, 200, 0, 0, NULL },
	{ "with reason", "HTTP/1.1 401 Not so\r\n\r\n", HEAD_WHOLE, 401, 0, 0, NULL },
	{ "empty reason", "HTTP/1.1 401 \r\n\r\n", HEAD_WHOLE, 401, 0, 0, NULL },
	{ "old version", "HTTP/1.0 599 x\r\n\r\n", HEAD_WHOLE, 599, 0, 0, NULL },
	{ "fields", OK_LINE "a: 1\r\nB:2\r\n\r\nbody", HEAD_WHOLE, 200, 2, 4, NULL },
	{ "empty value", OK_LINE "a:\r\nb: \t \r\n\r\n", HEAD_WHOLE, 200, 2, 0, NULL },
	{ "high bytes", OK_LINE "a: \xff\r\n\r\n", HEAD_WHOLE, 200, 1, 0, NULL },
	{ "nothing", "", HEAD_MORE, 0, 0, 0, NULL },
	{ "cut in the version", "HTT", HEAD_MORE, 0, 0, 3, NULL },
	{ "cut before the empty line", OK_LINE "a: 1\r\n", HEAD_MORE, 0, 0, 23, NULL },
	{ "cut in the empty line", OK_LINE "\r", HEAD_MORE, 0, 0, 18, NULL },
	{ "another protocol", "SSH-2.0-OpenSSH_9.2p1\r\n", HEAD_BAD, 0, 0, 23, "as HTTP/1" },
	{ "wrong from its first byte", "S", HEAD_BAD, 0, 0, 1, "as HTTP/1" },
	{ "HTTP/2", "HTTP/2 200\r\n\r\n", HEAD_BAD, 0, 0, 14, "as HTTP/1" },
	{ "no minor", "HTTP/1.x 200\r\n\r\n", HEAD_BAD, 0, 0, 16, "status line" },
	{ "two digits", "HTTP/1.1 20\r\n\r\n", HEAD_BAD, 0, 0, 15, "status line" },
	{ "four digits", "HTTP/1.1 2000\r\n\r\n", HEAD_BAD, 0, 0, 17, "status line" },
	{ "status 99", "HTTP/1.1 099 x\r\n\r\n", HEAD_BAD, 0, 0, 18, "status 99" },
	{ "status 600", "HTTP/1.1 600 x\r\n\r\n", HEAD_BAD, 0, 0, 18, "status 600" },
	{ "bare LF", "HTTP/1.1 200 OK\n\n", HEAD_BAD, 0, 0, 17, "CR LF" },
	{ "no colon", OK_LINE "abc\r\n\r\n", HEAD_BAD, 0, 0, 24, "line 2" },
	{ "no name", OK_LINE ": 1\r\n\r\n", HEAD_BAD, 0, 0, 24, "line 2" },
	{ "blank before colon", OK_LINE "a: 1\r\nb : 1\r\n\r\n", HEAD_BAD, 0, 0, 32, "line 3" },
	{ "folded", OK_LINE "a: 1\r\n b\r\n\r\n", HEAD_BAD, 0, 0, 29, "line 3" },
	{ "control", OK_LINE "a: \x1b[2J\r\n\r\n", HEAD_BAD, 0, 0, 28, "control" },
	{ "CR within", OK_LINE "a: 1\r2\r\n\r\n", HEAD_BAD, 0, 0, 27, "control" },
};

static void
test_heads(void **state)
{
	for (size_t i = 0; i < sizeof(head_cases) / sizeof(head_cases[0]); i++) {
		const struct head_case *c = &head_cases[i];
		struct rcur             in = rcur_of(c->text, strlen(c->text));
		struct head             head;
		struct err              err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(head_parse(&head, &in, &err), c->parse);
		assert_int_equal(rcur_left(&in), c->left);
		assert_true(rcur_ok(&in));
		if (c->parse == HEAD_WHOLE) {
			assert_int_equal(head.status, c->status);
			assert_int_equal(head.count, c->fields);
		}
		assert_int_equal(err.kind != ERR_NONE, c->parse == HEAD_BAD);
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
	}
}

/* Cut short at every byte, a good head is never taken and never bad. */
static void
test_every_cut(void **state)
{
	static const char text[] = OK_LINE "Server: x\r\nContent-Length: 0\r\n\r\n";
	struct head       head;
	struct err        err;

	for (size_t count = 0; count < sizeof(text) - 1; count++) {
		struct rcur in = rcur_of(text, count);

		assert_int_equal(head_parse(&head, &in, &err), HEAD_MORE);
	}
}

static enum head_parse
parse_repeated(const char *field, size_t times, const char *end, struct err *err)
{
	size_t      room = sizeof(OK_LINE) + times * strlen(field) + strlen(end) + 1;
	char       *text = malloc(room);
	size_t      used = (size_t)snprintf(text, room, OK_LINE);
	struct head head;
	struct rcur in;

	for (size_t i = 0; i < times; i++)
		used += (size_t)snprintf(text + used, room - used, "%s", field);
	used += (size_t)snprintf(text + used, room - used, "%s", end);
	in = rcur_of(text, used);
	enum head_parse parse = head_parse(&head, &in, err);
	free(text);
	return parse;
}

static void
test_limits(void **state)
{
	struct err err = { ERR_NONE, "" };

	assert_int_equal(parse_repeated("a: 1\r\n", HEAD_FIELDS_MAX, "\r\n", &err), HEAD_WHOLE);
	assert_int_equal(
	    parse_repeated("a: 1\r\n", HEAD_FIELDS_MAX + 1, "\r\n", &err), HEAD_BAD);
	assert_non_null(strstr(err.text, "more than 64 fields"));
	/* 17 of the status line, 2 of the empty one. */
	assert_int_equal(
	    parse_repeated("a", HEAD_MAX_BYTES - 19 - 4, ": \r\n\r\n", &err), HEAD_WHOLE);
	assert_int_equal(
	    parse_repeated("a", HEAD_MAX_BYTES - 19 - 3, ": \r\n\r\n", &err), HEAD_BAD);
	assert_non_null(strstr(err.text, "larger than 16384"));
	assert_int_equal(parse_repeated("a", HEAD_MAX_BYTES, "", &err), HEAD_BAD);
}

static void
parse_good(struct head *head, const char *text)
{
	struct rcur in = rcur_of(text, strlen(text));

	assert_int_equal(head_parse(head, &in, NULL), HEAD_WHOLE);
}

static void
test_fields(void **state)
{
	struct arena *arena = arena_new();
	struct head   head;

	parse_good(&head,
	    OK_LINE "Server:  a \x80 b \r\nConnection: keep-alive , Upgrade\r\n"
	            "connection: other\r\nserver: 2\r\n\r\n");
	assert_string_equal(head_text(&head, "SERVER", arena, 99), "a ? b");
	assert_string_equal(head_text(&head, "server", arena, 1), "a");
	assert_string_equal(head_text(&head, "serve", arena, 99), "");
	assert_null(head_find(&head, "servers"));
	assert_true(head_lists(&head, "Connection", "upgrade"));
	assert_true(head_lists(&head, "Connection", "other"));
	assert_false(head_lists(&head, "Connection", "up"));
	assert_false(head_lists(&head, "Connection", "keep-alive , Upgrade"));
	arena_free(arena);
}

static const struct framing_case {
	const char       *name, *text;
	bool              ok;
	enum head_framing framing;
	uint64_t          count;
	const char       *words;
} framing_cases[] = {
	{ "length", OK_LINE "Content-Length: 12\r\n\r\n", true, HEAD_LENGTH, 12, NULL },
	{ "same twice", OK_LINE "Content-Length: 7\r\ncontent-length: 7\r\n\r\n", true,
	    HEAD_LENGTH, 7, NULL },
	{ "longest", OK_LINE "Content-Length: 999999999999999999\r\n\r\n", true, HEAD_LENGTH,
	    999999999999999999, NULL },
	{ "chunked", OK_LINE "Transfer-Encoding: Chunked\r\n\r\n", true, HEAD_CHUNKED, 0,
	    NULL },
	{ "to its end", OK_LINE "\r\n", true, HEAD_TO_CLOSE, 0, NULL },
	{ "204", "HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n", true, HEAD_NO_BODY, 0, NULL },
	{ "304", "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", true, HEAD_NO_BODY, 0, NULL },
	{ "101", "HTTP/1.1 101 x\r\n\r\n", true, HEAD_NO_BODY, 0, NULL },
	{ "two that differ", OK_LINE "Content-Length: 7\r\nContent-Length: 8\r\n\r\n", false, 0,
	    0, "differ" },
	{ "both", OK_LINE "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n", false, 0,
	    0, "both" },
	{ "negative", OK_LINE "Content-Length: -1\r\n\r\n", false, 0, 0, "no number" },
	{ "empty", OK_LINE "Content-Length:\r\n\r\n", false, 0, 0, "no number" },
	{ "overflow", OK_LINE "Content-Length: 1999999999999999999\r\n\r\n", false, 0, 0,
	    "no number" },
	{ "gzip", OK_LINE "Transfer-Encoding: gzip, chunked\r\n\r\n", false, 0, 0,
	    "not chunked" },
};

static void
test_framings(void **state)
{
	for (size_t i = 0; i < sizeof(framing_cases) / sizeof(framing_cases[0]); i++) {
		const struct framing_case *c = &framing_cases[i];
		enum head_framing          framing;
		uint64_t                   count;
		struct head                head;
		struct err                 err;

		print_message("%s\n", c->name);
		parse_good(&head, c->text);
		assert_int_equal(head_framing(&head, &framing, &count, &err), c->ok);
		if (c->ok) {
			assert_int_equal(framing, c->framing);
			assert_int_equal(count, c->count);
		} else {
			assert_non_null(strstr(err.text, c->words));
		}
	}
}

static void
test_hosts(void **state)
{
	char       long_host[HEAD_HOST_MAX + 2];
	struct err err;

	memset(long_host, 'a', sizeof(long_host));
	long_host[HEAD_HOST_MAX + 1] = '\0';
	assert_false(head_host_check(long_host, &err));
	assert_non_null(strstr(err.text, "254 bytes, 1 to 253"));
	assert_true(head_host_check(long_host + 1, &err));
	assert_true(head_host_check("contoso-westeurope.gremlin.cosmos.azure.com", &err));
	assert_false(head_host_check("", &err));
	assert_false(head_host_check(NULL, &err));
	assert_false(head_host_check("a\r\nX: 1", &err));
	assert_non_null(strstr(err.text, "byte 2"));
	assert_false(head_host_check("a b", &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_framings),
		cmocka_unit_test(test_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
