/* digest: SHA-256, HMAC over it, scrypt for passwords, SHA-1 where a protocol has no other, and random
 * bytes, from OpenSSL.
 *
 * Not a place for anything that encrypts.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_BYTES = 32, DIGEST_HEX = 65, DIGEST_SHA1_BYTES = 20 };

void digest_sha256(const void *bytes, size_t count, uint8_t digest[DIGEST_BYTES]);
/* HMAC-SHA256 [rfc2104]; a key may have any length. */
void digest_hmac(const void *key, size_t key_count, const void *bytes, size_t count,
    uint8_t digest[DIGEST_BYTES]);
/* For Sec-WebSocket-Accept alone, where it shows that a server has read our request and protects
 * nothing [rfc6455 4.2.2]: collisions are cheap to make. */
void digest_sha1(const void *bytes, size_t count, uint8_t digest[DIGEST_SHA1_BYTES]);
/* What guessing a password costs [rfc7914 2]: about 128 * block * 2^log2_n bytes, and that times
 * lanes of work. */
struct digest_cost {
	unsigned log2_n, block, lanes;
};
/* scrypt [rfc7914]: slow on purpose.  False: there is no memory for it. */
bool digest_scrypt(const char *password, const uint8_t *salt, size_t salt_count,
    const struct digest_cost *cost, uint8_t digest[DIGEST_BYTES]);
/* Lower-case hex of count bytes with a NUL behind: hex holds 2 * count + 1 bytes. Returns hex. */
char *digest_hex(const uint8_t *bytes, size_t count, char *hex);
bool  digest_unhex(const char *hex, uint8_t *bytes, size_t count); /* exactly count bytes */
/* Takes as long for equal as for unequal. */
bool digest_equal(const uint8_t *left, const uint8_t *right, size_t count);
/* From the kernel's generator; never fails. */
void digest_random(void *bytes, size_t count);
void digest_wipe(void *bytes, size_t count);

#endif
