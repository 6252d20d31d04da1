#include "probe/feed/feed_sign.h"

#include "base/base64.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

/* The sample key of the vendor's documentation, and its date [cosmos-signing]. */
static const char sample_key[] =
    "dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw==";
static const char sample_date[] = "Thu, 27 Apr 2017 00:51:12 GMT";

static void
test_vectors(void **state)
{
	static const struct {
		const char *name, *verb, *type, *link, *header;
	} cases[] = {
		{ "a database, the documented example", "GET", "dbs", "dbs/ToDoList",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "c09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d" },
		{ "letter case of verb and type does not count", "get", "DBS", "dbs/ToDoList",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "c09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d" },
		{ "the account", "GET", "", "",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "rp533%2fe%2bAfAi87cI2Vg1QmCqQY1Ki3ryYkABWMvF9xw%3d" },
		{ "the list of databases, and the master partition", "GET", "dbs", "",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "oMt68ghyVEcS70kOZOWyTYEgUkWNd441wEjKJu6kvcA%3d" },
		{ "the list of containers", "GET", "colls", "dbs/ToDoList",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "WBTglj74NoAMMPCjkTM9xdVUldfKda5x3Hss0JOR%2fz8%3d" },
		{ "partition key ranges", "GET", "pkranges", "dbs/ToDoList/colls/Items",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "6wXIVDDUco5DatABxir5dt%2bjVeSGwhbSwtCkn%2bNIaIA%3d" },
		{ "addresses", "GET", "docs", "zwunalftz78=",
		    "type%3dmaster%26ver%3d1.0%26sig%3d"
		    "KjxZw%2f2n%2fsJj%2b%2fyneLfqrOCb2SwUuCbdLQIc9bHthSI%3d" },
	};
	struct arena   *arena = arena_new();
	struct feed_key key;
	struct err      err;

	assert_true(feed_key_parse(&key, sample_key, &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct signer_ask ask = { .account = "contoso",
			.host = "contoso.documents.azure.com",
			.verb = cases[i].verb,
			.type = cases[i].type,
			.link = cases[i].link,
			.date = sample_date };

		assert_string_equal(feed_sign_key(arena, &key, &ask), cases[i].header);
	}
	arena_free(arena);
}

/* What is signed hangs on each part, and on the case of a name. */
static void
test_each_part_counts(void **state)
{
	static const struct signer_ask asks[] = {
		{ .verb = "GET", .type = "colls", .link = "dbs/a", .date = sample_date },
		{ .verb = "PUT", .type = "colls", .link = "dbs/a", .date = sample_date },
		{ .verb = "GET", .type = "docs", .link = "dbs/a", .date = sample_date },
		{ .verb = "GET", .type = "colls", .link = "dbs/A", .date = sample_date },
		{ .verb = "GET", .type = "colls", .link = "dbs/a", .date = "" },
	};
	struct arena   *arena = arena_new();
	struct feed_key key;

	assert_true(feed_key_parse(&key, sample_key, NULL));
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(feed_sign_key(arena, &key, &asks[i]),
			    feed_sign_key(arena, &key, &asks[j]));
	}
	arena_free(arena);
}

static void
test_token(void **state)
{
	static const struct {
		const char *name, *token, *header;
	} cases[] = {
		{ "one of Entra", "eyJ0.eyJh-_.c2ln",
		    "type%3daad%26ver%3d1.0%26sig%3deyJ0.eyJh-_.c2ln" },
		{ "from a file", "\n eyJ0.a.b\r\n", "type%3daad%26ver%3d1.0%26sig%3deyJ0.a.b" },
		{ "no header can be broken out of", "a\r\nb: c",
		    "type%3daad%26ver%3d1.0%26sig%3da%0d%0ab%3a%20c" },
		{ "bytes beyond ASCII", "\xff", "type%3daad%26ver%3d1.0%26sig%3d%ff" },
		{ "nothing", "", "type%3daad%26ver%3d1.0%26sig%3d" },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(feed_sign_token(arena, cases[i].token), cases[i].header);
	arena_free(arena);
}

static void
test_key(void **state)
{
	static const struct {
		const char *name, *text;
		size_t      count; /* 0: refused */
	} cases[] = {
		{ "the usual 64 bytes", sample_key, 64 },
		{ "white space around it", " \t AAAAAAAAAAAAAAAAAAAAAA==\r\n", 16 },
		{ "17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA=", 17 },
		{ "18 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA", 18 },
		{ "15 bytes", "AAAAAAAAAAAAAAAAAAAA", 0 },
		{ "nothing", "", 0 },
		{ "white space alone", " \n", 0 },
		{ "no padding", "AAAAAAAAAAAAAAAAAAAAAA", 0 },
		{ "padding alone", "====", 0 },
		{ "white space within", "AAAAAAAAAAAA AAAAAAAAAA==", 0 },
		{ "the URL's alphabet", "AAAAAAAAAAAAAAAAAAAA-_A=", 0 },
		{ "bits left over", "AAAAAAAAAAAAAAAAAAAAAB==", 0 },
		{ "a connection string", "AccountKey=AAAAAAAAAAAAAAAAAAAAAA==", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const struct feed_key none;
		struct feed_key              key;
		struct err                   err = { .kind = ERR_NONE };

		memset(&key, 0x5a, sizeof(key));
		assert_int_equal(
		    feed_key_parse(&key, cases[i].text, &err), cases[i].count != 0);
		assert_int_equal(key.count, cases[i].count);
		if (cases[i].count != 0)
			continue;
		assert_int_not_equal(err.kind, ERR_NONE);
		assert_string_not_equal(err.text, "");
		assert_null(strstr(err.text, "AAAA"));
		assert_memory_equal(&key, &none, sizeof(key));
	}
}

static void
test_key_limits(void **state)
{
	static const size_t counts[] = { 127, 128, 129, 4000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		uint8_t         bytes[4000] = { 0 };
		char            text[BASE64_ROOM(4000)];
		struct feed_key key;
		struct err      err;

		base64_encode(bytes, counts[i], text);
		assert_int_equal(feed_key_parse(&key, text, &err), counts[i] <= FEED_KEY_MOST);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_each_part_counts),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_key_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
