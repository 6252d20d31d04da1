/* base64: bytes as text [rfc4648 4], and its form for names and URLs without padding [rfc4648 5].
 *
 * Decoding is strict: no white space, canonical padding, no bits left over.
 */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters and NUL that count bytes need. */
#define BASE64_ROOM(count) (((count) + 2) / 3 * 4 + 1)

/* text holds BASE64_ROOM(count) bytes.  Return text. */
char *base64_encode(const uint8_t *bytes, size_t count, char *text);
char *base64_url_encode(const uint8_t *bytes, size_t count, char *text);

/* How many bytes padded text of so many characters holds, if it holds any. */
size_t base64_bytes(const char *text, size_t chars);

/* Exactly count bytes from the chars characters at text; false otherwise. */
bool base64_decode(const char *text, size_t chars, uint8_t *bytes, size_t count);

#endif
