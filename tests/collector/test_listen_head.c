/* Heads of requests: what is plain, and what two readers could understand differently. */
#include "collector/listen_head.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

enum { LINES = 4 };

#define HOST                             \
	{                                \
		"Host", "collector:8643" \
	}
#define NINE(a)   a a a a a a a a a
#define LONG_PATH "/" NINE(NINE(NINE("xyz")))

static const struct {
	const char             *name;
	const char             *target;
	struct listen_head_line lines[LINES];
	unsigned                status;
} cases[] = {
	{ "an agent's batch", "/v1/batches",
	    { HOST, { "Content-Length", "1234" },
	        { "Content-Type", "application/vnd.msgpack" } },
	    0 },
	{ "a query", "/api/v1/fleet?network=vnet%20a&x=", { HOST }, 0 },
	{ "chunked", "/v1/batches", { HOST, { "transfer-encoding", "Chunked" } }, 0 },
	{ "an address as host", "/", { { "Host", "[fd00::1]:8643" } }, 0 },
	{ "some header twice", "/", { HOST, { "Accept", "a" }, { "Accept", "b" } }, 0 },
	{ "dots and slashes are only another path", "//v1/../v1/batches", { HOST }, 0 },
	{ "no host", "/", { { "Accept", "*/*" } }, 400 },
	{ "an empty host", "/", { { "Host", "" } }, 400 },
	{ "two hosts", "/", { HOST, { "host", "other" } }, 400 },
	{ "a host with a path", "/", { { "Host", "collector/x" } }, 400 },
	{ "a host with a user", "/", { { "Host", "a@collector" } }, 400 },
	{ "two lengths", "/", { HOST, { "Content-Length", "5" }, { "Content-Length", "6" } },
	    400 },
	{ "the same length twice", "/",
	    { HOST, { "Content-Length", "5" }, { "content-length", "5" } }, 400 },
	{ "length and coding", "/",
	    { HOST, { "Content-Length", "5" }, { "Transfer-Encoding", "chunked" } }, 400 },
	{ "two codings", "/",
	    { HOST, { "Transfer-Encoding", "chunked" }, { "Transfer-Encoding", "chunked" } },
	    400 },
	{ "another coding", "/", { HOST, { "Transfer-Encoding", "gzip, chunked" } }, 400 },
	{ "a coding that looks like it", "/", { HOST, { "Transfer-Encoding", "xchunked" } },
	    400 },
	{ "a coding behind a vertical tab", "/", { HOST, { "Transfer-Encoding", "\vchunked" } },
	    400 },
	{ "a space before the colon", "/", { HOST, { "Content-Length ", "5" } }, 400 },
	{ "a length with a sign", "/", { HOST, { "Content-Length", "+5" } }, 400 },
	{ "a length below none", "/", { HOST, { "Content-Length", "-5" } }, 400 },
	{ "a length in hex", "/", { HOST, { "Content-Length", "0x5" } }, 400 },
	{ "a list of lengths", "/", { HOST, { "Content-Length", "5, 5" } }, 400 },
	{ "a length beyond 64 bits", "/",
	    { HOST, { "Content-Length", "99999999999999999999" } }, 400 },
	{ "no length", "/", { HOST, { "Content-Length", "" } }, 400 },
	{ "two credentials", "/",
	    { HOST, { "Authorization", "Bearer a" }, { "Authorization", "Bearer b" } }, 400 },
	{ "two digests", "/", { HOST, { "Content-Digest", "a" }, { "Content-Digest", "b" } },
	    400 },
	{ "a line within a value", "/", { HOST, { "Accept", "a\rb" } }, 400 },
	{ "a header without a name", "/", { HOST, { "", "x" } }, 400 },
	{ "an absolute form", "http://collector/v1/batches", { HOST }, 400 },
	{ "an authority", "collector:443", { HOST }, 400 },
	{ "an asterisk", "*", { HOST }, 400 },
	{ "nothing", "", { HOST }, 400 },
	{ "a NUL in code", "/v1/batches%00.html", { HOST }, 400 },
	{ "a fragment", "/v1/batches#x", { HOST }, 400 },
	{ "a tab", "/v1\t/batches", { HOST }, 400 },
	{ "bytes beyond ASCII", "/v1/b\xc3\xa4tches", { HOST }, 400 },
	{ "too long", LONG_PATH, { HOST }, 414 },
};

static struct listen_head
make_head(const char *target, const struct listen_head_line *lines, unsigned minor)
{
	struct listen_head head = { .target = target, .minor = minor, .lines = lines };

	while (head.count < LINES && lines[head.count].name != NULL)
		head.count++;
	return head;
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct listen_head head = make_head(cases[i].target, cases[i].lines, 1);
		const char        *why;
		unsigned           status = listen_head_check(&head, &why);

		if (status != cases[i].status)
			fail_msg("%s: %u %s", cases[i].name, status, why);
		assert_int_equal(status != 0, why[0] != '\0');
	}
}

/* A client of HTTP/1.0 need not say the host, and knows no chunks. */
static void
test_old_version(void **state)
{
	static const struct listen_head_line none[LINES] = { { NULL, NULL } };
	static const struct listen_head_line coded[LINES] = { { "Transfer-Encoding",
	    "chunked" } };
	struct listen_head                   head = make_head("/healthz", none, 0);
	const char                          *why;

	assert_int_equal(listen_head_check(&head, &why), 0);
	head = make_head("/healthz", coded, 0);
	assert_int_equal(listen_head_check(&head, &why), 400);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_old_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
