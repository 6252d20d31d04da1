#include "base/digest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void
test_sha256(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		/* [fips180-4], the examples of its authors */
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};
	uint8_t digest[DIGEST_BYTES];
	char    hex[DIGEST_HEX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		digest_sha256(cases[i].text, strlen(cases[i].text), digest);
		assert_string_equal(digest_hex(digest, sizeof(digest), hex), cases[i].hex);
	}
}

static void
test_hex(void **state)
{
	uint8_t bytes[4];
	char    hex[9];

	assert_true(digest_unhex("00fFa09B", bytes, 4));
	assert_memory_equal(bytes, "\0\xff\xa0\x9b", 4);
	assert_string_equal(digest_hex(bytes, 4, hex), "00ffa09b");
	assert_string_equal(digest_hex(bytes, 0, hex), "");
	assert_false(digest_unhex("00ffa0", bytes, 4));
	assert_false(digest_unhex("00ffa09b0", bytes, 4));
	assert_false(digest_unhex("00ffa09g", bytes, 4));
	assert_false(digest_unhex("", bytes, 4));
	assert_false(digest_unhex("0x", bytes, 1));
	assert_false(digest_unhex(" 1", bytes, 1));
}

static void
test_equal(void **state)
{
	uint8_t left[] = { 1, 2, 3 }, right[] = { 1, 2, 4 };

	assert_true(digest_equal(left, right, 2));
	assert_false(digest_equal(left, right, 3));
	assert_true(digest_equal(left, right, 0));
}

static void
test_random_and_wipe(void **state)
{
	uint8_t one[32] = { 0 }, other[32] = { 0 }, none[32] = { 0 };

	digest_random(one, sizeof(one));
	digest_random(other, sizeof(other));
	assert_memory_not_equal(one, other, sizeof(one));
	assert_memory_not_equal(one, none, sizeof(one));
	digest_wipe(one, sizeof(one));
	assert_memory_equal(one, none, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_random_and_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
