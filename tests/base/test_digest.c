#include "base/digest.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
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

/* [rfc4231 4.2] to [rfc4231 4.8] without 4.6, which is cut short. */
static void
test_hmac(void **state)
{
	static const struct {
		const char *name;
		const char *key_hex; /* "aa*131": 131 times */
		const char *text, *hex;
	} cases[] = {
		{ "4.2", "0b*20", "Hi There",
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "4.3 key shorter than the digest", "4a656665", "what do ya want for nothing?",
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ "4.4", "aa*20",
		    "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		    "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd"
		    "\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd\xdd",
		    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
		{ "4.5", "0102030405060708090a0b0c0d0e0f10111213141516171819",
		    "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		    "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd"
		    "\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd\xcd",
		    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
		{ "4.7 key longer than a block", "aa*131",
		    "Test Using Larger Than Block-Size Key - Hash Key First",
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ "4.8 both longer", "aa*131",
		    "This is a test using a larger than block-size key and a larger than "
		    "block-size data. The key needs to be hashed before being used by the HMAC "
		    "algorithm.",
		    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *star = strchr(cases[i].key_hex, '*');
		uint8_t     key[131], digest[DIGEST_BYTES];
		char        hex[DIGEST_HEX];
		size_t      count = strlen(cases[i].key_hex) / 2;

		if (star != NULL) {
			count = strtoul(star + 1, NULL, 10);
			assert_true(count <= sizeof(key));
			memset(key, (int)strtoul(cases[i].key_hex, NULL, 16), count);
		} else {
			assert_true(digest_unhex(cases[i].key_hex, key, count));
		}
		digest_hmac(key, count, cases[i].text, strlen(cases[i].text), digest);
		assert_string_equal(digest_hex(digest, sizeof(digest), hex), cases[i].hex);
	}
	/* No bytes at all are a message too. */
	{
		uint8_t digest[DIGEST_BYTES];
		char    hex[DIGEST_HEX];

		digest_hmac("", 0, "", 0, digest);
		assert_string_equal(digest_hex(digest, sizeof(digest), hex),
		    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	}
}

static void
test_sha1(void **state)
{
	static const struct {
		const char *text, *hex;
	} cases[] = {
		/* [rfc3174 7.3] */
		{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "", "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
		/* [rfc6455 1.3] */
		{ "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
		    "b37a4f2cc0624f1690f64606cf385945b2bec4ea" },
	};
	uint8_t digest[DIGEST_SHA1_BYTES];
	char    hex[DIGEST_HEX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		digest_sha1(cases[i].text, strlen(cases[i].text), digest);
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

/* [rfc7914 12]; of 64 bytes there, the first 32. */
static void
test_scrypt(void **state)
{
	static const struct {
		const char        *password, *salt;
		struct digest_cost cost;
		const char        *hex;
	} cases[] = {
		{ "", "", { 4, 1, 1 },
		    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442" },
		{ "password", "NaCl", { 10, 8, 16 },
		    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162" },
		{ "pleaseletmein", "SodiumChloride", { 14, 8, 1 },
		    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" },
	};
	uint8_t digest[DIGEST_BYTES];
	char    hex[DIGEST_HEX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(digest_scrypt(cases[i].password, (const uint8_t *)cases[i].salt,
		    strlen(cases[i].salt), &cases[i].cost, digest));
		assert_string_equal(digest_hex(digest, sizeof(digest), hex), cases[i].hex);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_scrypt),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_random_and_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
