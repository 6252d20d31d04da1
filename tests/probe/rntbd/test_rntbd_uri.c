#include "probe/rntbd/rntbd_uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define HOST "cdb-ms-prod-westus1-be169.documents.azure.com"
#define PATH "/apps/81e4cdc8/services/2844fd18/partitions/1e954280/replicas/133888881810264235"
#define L63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct good_case {
	const char *name, *text;
	const char *host;
	uint16_t    port;
	const char *path;
	bool        primary;
} good_cases[] = {
	{ "primary", "rntbd://" HOST ":14031" PATH "p/", HOST, 14031, PATH "p", true },
	{ "secondary", "rntbd://" HOST ":14184" PATH "s/", HOST, 14184, PATH "s", false },
	{ "no final slash", "rntbd://" HOST ":14184" PATH "p", HOST, 14184, PATH "p", true },
	{ "many final slashes", "rntbd://" HOST ":1" PATH "s//", HOST, 1, PATH "s", false },
	{ "no path", "rntbd://" HOST ":65535", HOST, 65535, "", false },
	{ "a slash alone", "rntbd://" HOST ":65535/", HOST, 65535, "", false },
	{ "private endpoint", "rntbd://cosmos-account-41895-eastus.documents.azure.com:21226/",
	    "cosmos-account-41895-eastus.documents.azure.com", 21226, "", false },
	{ "capitals", "RNTBD://CDB.Documents.Azure.COM:10/Apps/P", "cdb.documents.azure.com",
	    10, "/Apps/P", false },
	{ "blanks around", " \t\r\nrntbd://a.b:2/p\r\n ", "a.b", 2, "/p", true },
	{ "emulator", "rntbd://127.0.0.1:10251/apps/DocDbApp/services/DocDbServer1/p/",
	    "127.0.0.1", 10251, "/apps/DocDbApp/services/DocDbServer1/p", true },
	{ "IPv6", "rntbd://[::1]:10251/x", "::1", 10251, "/x", false },
	{ "IPv6 in capitals", "rntbd://[FD00::A]:10251", "fd00::a", 10251, "", false },
	{ "port with zeroes", "rntbd://a:00080/", "a", 80, "", false },
	{ "underscore", "rntbd://a_b:80/", "a_b", 80, "", false },
	{ "longest label", "rntbd://" L63 ".b:80/", L63 ".b", 80, "", false },
};

static const struct bad_case {
	const char *name, *text;
	const char *words;
} bad_cases[] = {
	{ "nothing", "", "character 1: 'rntbd://' wanted" },
	{ "blanks", "  ", "character 3: 'rntbd://' wanted" },
	{ "another scheme", "https://a:443/", "character 1: 'rntbd://' wanted" },
	{ "a scheme beside it", "rntbds://a:443/", "character 6: 'rntbd://' wanted" },
	{ "host and port only", HOST ":14031", "character 1: 'rntbd://' wanted" },
	{ "behind blanks", "  xntbd://a:1", "character 3: 'rntbd://' wanted" },
	{ "cut in the scheme", "rntbd:/", "character 8: 'rntbd://' wanted" },
	{ "no host", "rntbd://", "character 9: a letter or digit of the host wanted" },
	{ "no host before the port", "rntbd://:80", "character 9: a letter or digit" },
	{ "no host before the path", "rntbd:///apps", "character 9: a letter or digit" },
	{ "a dot first", "rntbd://.a:80", "character 9: a letter or digit" },
	{ "two dots", "rntbd://a..b:80", "character 11: a letter or digit" },
	{ "a dot last", "rntbd://a.example.:80/", "character 19: a letter or digit" },
	{ "user", "rntbd://u@a:80", "character 10: a letter, digit" },
	{ "blank in the host", "rntbd://a b:80", "character 10: a letter, digit" },
	{ "no ASCII", "rntbd://\xc3\xa4:80", "character 9: a letter or digit" },
	{ "long label", "rntbd://" L63 "a:80", "character 72: a '.' after at most 63" },
	{ "long host", "rntbd://" L63 "." L63 "." L63 "." L63 ":80",
	    "character 262: a host of at most 253" },
	{ "no port", "rntbd://a", "character 10: ':' and a port wanted" },
	{ "no port, but a path", "rntbd://a/apps", "character 10: ':' and a port wanted" },
	{ "empty port", "rntbd://a:/apps", "character 11: a port of 1 to 65535 wanted" },
	{ "port 0", "rntbd://a:0/", "character 11: a port of 1 to 65535 wanted" },
	{ "port 65536", "rntbd://a:65536/", "character 11: a port of 1 to 65535 wanted" },
	{ "long port", "rntbd://a:000080/", "character 11: a port of 1 to 65535 wanted" },
	{ "negative port", "rntbd://a:-1/", "character 11: a port of 1 to 65535 wanted" },
	{ "letters behind the port", "rntbd://a:80x", "character 13: a digit, '/' or the end" },
	{ "a question", "rntbd://a:80?x", "character 13: a digit, '/' or the end" },
	{ "two of them", "rntbd://a:80/p rntbd://b:80/", "character 15: the end, or a path" },
	{ "a control", "rntbd://a:80/p\x01q", "character 15: the end, or a path" },
	{ "bracket left open", "rntbd://[::1:80/", "character 17: ']' behind the IPv6" },
	{ "empty brackets", "rntbd://[]:80/", "character 10: an IPv6 address wanted" },
	{ "IPv4 in brackets", "rntbd://[127.0.0.1]:80/", "character 10: an IPv6 address" },
	{ "name in brackets", "rntbd://[a.b]:80/", "character 10: an IPv6 address" },
	{ "brackets in brackets", "rntbd://[[::1]:80/", "character 10: an IPv6 address" },
	{ "no port behind brackets", "rntbd://[::1]/", "character 14: ':' and a port" },
};

/* A copy of its own size, so that a read behind the end is seen. */
static bool
parse(
    struct rntbd_uri *uri, const char *text, size_t count, struct arena *arena, struct err *err)
{
	char *copy = malloc(count != 0 ? count : 1);
	bool  done;

	memcpy(copy, text, count);
	done = rntbd_uri_parse(uri, copy, count, arena, err);
	free(copy);
	return done;
}

static void
test_good(void **state)
{
	for (size_t i = 0; i < sizeof(good_cases) / sizeof(good_cases[0]); i++) {
		const struct good_case *c = &good_cases[i];
		struct arena           *arena = arena_new();
		struct rntbd_uri        uri;
		struct err              err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_true(parse(&uri, c->text, strlen(c->text), arena, &err));
		assert_string_equal(uri.host, c->host);
		assert_int_equal(uri.port, c->port);
		assert_string_equal(uri.path, c->path);
		assert_int_equal(uri.primary, c->primary);
		arena_free(arena);
	}
}

static void
test_bad(void **state)
{
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
		const struct bad_case *c = &bad_cases[i];
		struct arena          *arena = arena_new();
		struct rntbd_uri       uri;
		struct err             err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_false(parse(&uri, c->text, strlen(c->text), arena, &err));
		if (strstr(err.text, c->words) == NULL)
			fail_msg("'%s' does not say '%s'", err.text, c->words);
		arena_free(arena);
	}
}

static void
test_limit(void **state)
{
	struct arena    *arena = arena_new();
	char             text[RNTBD_URI_MAX_BYTES + 2];
	struct rntbd_uri uri;
	struct err       err = { ERR_NONE, "" };

	memset(text, 'p', sizeof(text));
	memcpy(text, "rntbd://a:1/", 12);
	assert_true(parse(&uri, text, RNTBD_URI_MAX_BYTES, arena, &err));
	assert_int_equal(strlen(uri.path), RNTBD_URI_MAX_BYTES - 11);
	assert_false(parse(&uri, text, RNTBD_URI_MAX_BYTES + 1, arena, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_non_null(strstr(err.text, "2049 characters, at most 2048"));
	/* A NUL is no end, and does not hide what stands behind it. */
	assert_false(parse(&uri, "rntbd://a\0b:1", 13, arena, &err));
	assert_false(parse(&uri, "rntbd://[::1\0]:1", 16, arena, &err));
	assert_false(parse(&uri, "rntbd://a:1/\0", 13, arena, &err));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
