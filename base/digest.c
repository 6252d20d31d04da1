#include "base/digest.h"

#include "base/text.h"

#include <assert.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void
digest_sha256(const void *bytes, size_t count, uint8_t digest[DIGEST_BYTES])
{
	static EVP_MD
	    *sha256; /* fetched once: an implicit fetch per call costs three times as much */
	unsigned size = 0;

	if (sha256 == NULL)
		sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (sha256 == NULL || EVP_Digest(bytes, count, digest, &size, sha256, NULL) != 1)
		abort(); /* an OpenSSL without SHA-256 is no OpenSSL */
}

void
digest_hmac(const void *key, size_t key_count, const void *bytes, size_t count,
    uint8_t digest[DIGEST_BYTES])
{
	unsigned size = 0;

	assert(key_count <= INT_MAX);
	if (HMAC(EVP_sha256(), key, (int)key_count, bytes, count, digest, &size) == NULL)
		abort(); /* as above */
}

void
digest_sha1(const void *bytes, size_t count, uint8_t digest[DIGEST_SHA1_BYTES])
{
	unsigned size = 0;

	if (EVP_Digest(bytes, count, digest, &size, EVP_sha1(), NULL) != 1)
		abort();
}

bool
digest_scrypt(const char *password, const uint8_t *salt, size_t salt_count,
    const struct digest_cost *cost, uint8_t digest[DIGEST_BYTES])
{
	uint64_t n = UINT64_C(1) << cost->log2_n;
	/* The blocks of all lanes and of the table, and a few more. */
	uint64_t most = 128 * (uint64_t)cost->block * (n + cost->lanes + 4);

	return EVP_PBE_scrypt(password, strlen(password), salt, salt_count, n, cost->block,
	           cost->lanes, most, digest, DIGEST_BYTES) == 1;
}

char *
digest_hex(const uint8_t *bytes, size_t count, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * count] = '\0';
	return hex;
}

bool
digest_unhex(const char *hex, uint8_t *bytes, size_t count)
{
	if (strlen(hex) != 2 * count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int high = text_hex(hex[2 * i]), low = text_hex(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool
digest_equal(const uint8_t *left, const uint8_t *right, size_t count)
{
	return CRYPTO_memcmp(left, right, count) == 0;
}

void
digest_random(void *bytes, size_t count)
{
	uint8_t *at = bytes;

	while (count > 0) {
		ssize_t got = getrandom(at, count, 0);

		if (got <= 0)
			abort();
		at += got;
		count -= (size_t)got;
	}
}

void
digest_wipe(void *bytes, size_t count)
{
	OPENSSL_cleanse(bytes, count);
}
