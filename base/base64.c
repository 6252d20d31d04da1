#include "base/base64.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char plain[] = LETTERS "+/";
static const char for_urls[] = LETTERS "-_";

static char *
encode(const uint8_t *bytes, size_t count, char *text, const char *alphabet, bool padded)
{
	char *to = text;

	for (size_t i = 0; i < count; i += 3) {
		size_t   here = count - i < 3 ? count - i : 3;
		uint32_t bits = (uint32_t)bytes[i] << 16;

		bits |= here > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		bits |= here > 2 ? bytes[i + 2] : 0;
		for (size_t j = 0; j <= here; j++)
			*to++ = alphabet[bits >> (18 - 6 * j) & 63];
		for (size_t j = here; padded && j < 3; j++)
			*to++ = '=';
	}
	*to = '\0';
	return text;
}

char *
base64_encode(const uint8_t *bytes, size_t count, char *text)
{
	return encode(bytes, count, text, plain, true);
}

char *
base64_url_encode(const uint8_t *bytes, size_t count, char *text)
{
	return encode(bytes, count, text, for_urls, false);
}

static int
read_letter(char c)
{
	const char *at = c != '\0' ? strchr(plain, c) : NULL;

	return at != NULL ? (int)(at - plain) : -1;
}

/* One group of four characters that stand for `here` bytes. */
static bool
read_group(const char *text, uint8_t *bytes, size_t here)
{
	uint32_t bits = 0;

	for (size_t j = 0; j < 4; j++) {
		int value = j <= here ? read_letter(text[j]) : 0;

		if (value < 0 || (j > here && text[j] != '='))
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	for (size_t j = 0; j < here; j++)
		bytes[j] = (uint8_t)(bits >> (16 - 8 * j));
	return here == 3 || (bits & (here == 1 ? 0xffffu : 0xffu)) == 0;
}

bool
base64_decode(const char *text, size_t chars, uint8_t *bytes, size_t count)
{
	if (chars != BASE64_ROOM(count) - 1)
		return false;
	for (size_t i = 0; i < count; i += 3, text += 4) {
		if (!read_group(text, bytes + i, count - i < 3 ? count - i : 3))
			return false;
	}
	return true;
}

size_t
base64_bytes(const char *text, size_t chars)
{
	if (chars < 4 || chars % 4 != 0)
		return 0;
	return chars / 4 * 3 - (text[chars - 1] == '=') - (text[chars - 2] == '=');
}
