#include "probe/feed/feed_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TOKEN  "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.c2ln"
#define HEADER "type%3daad%26ver%3d1.0%26sig%3d" TOKEN

static void
test_drop(void **state)
{
	struct feed_replica replicas[] = {
		{ .uri = { .host = "a.documents.azure.com", .path = "/p" }, .partition = "0" },
		/* A host is in small letters. */
		{ .uri = { .host = "eyj0exaioijkv1qilcjhbgcioijsuzi1nij9.documents.azure.com",
		      .path = "" },
		    .partition = "0" },
		{ .uri = { .host = "b.documents.azure.com", .path = "/" TOKEN },
		    .partition = "0" },
		{ .uri = { .host = "c.documents.azure.com", .path = "" }, .partition = TOKEN },
		{ .uri = { .host = "d.documents.azure.com", .path = "" }, .partition = "1" },
	};
	struct feed_found  found = { replicas, sizeof(replicas) / sizeof(replicas[0]) };
	struct feed_secret secret = { 0 };

	assert_int_equal(feed_secret_drop(&secret, &found), 0);
	assert_int_equal(found.count, 5);
	feed_secret_note(&secret, HEADER);
	assert_int_equal(feed_secret_drop(&secret, &found), 3);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.replicas[0].uri.host, "a.documents.azure.com");
	assert_string_equal(found.replicas[1].uri.host, "d.documents.azure.com");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
