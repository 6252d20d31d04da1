#include "tests/fake/backend/bson.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOUBLE = 0x01,
	STRING = 0x02,
	DOCUMENT = 0x03,
	ARRAY = 0x04,
	BOOL = 0x08,
	DATETIME = 0x09,
	INT32 = 0x10,
	INT64 = 0x12
};

void
bson_put_name(struct wbuf *out, uint8_t type, const char *name)
{
	wbuf_u8(out, type);
	wbuf_put(out, name, strlen(name) + 1);
}

static size_t
begin(struct wbuf *out)
{
	wbuf_u32le(out, 0);
	return out->count - 4;
}

size_t
bson_open(struct wbuf *out, const char *name)
{
	if (name != NULL)
		bson_put_name(out, DOCUMENT, name);
	return begin(out);
}

size_t
bson_open_array(struct wbuf *out, const char *name)
{
	bson_put_name(out, ARRAY, name);
	return begin(out);
}

void
bson_close(struct wbuf *out, size_t at)
{
	uint32_t bytes;

	wbuf_u8(out, 0);
	bytes = (uint32_t)(out->count - at);
	for (int i = 0; i < 4; i++)
		out->bytes[at + (size_t)i] = (uint8_t)(bytes >> 8 * i);
}

void
bson_put_int(struct wbuf *out, const char *name, int32_t value)
{
	bson_put_name(out, INT32, name);
	wbuf_u32le(out, (uint32_t)value);
}

void
bson_put_long(struct wbuf *out, const char *name, int64_t value)
{
	bson_put_name(out, INT64, name);
	wbuf_u64le(out, (uint64_t)value);
}

void
bson_put_date(struct wbuf *out, const char *name, int64_t unix_ms)
{
	bson_put_name(out, DATETIME, name);
	wbuf_u64le(out, (uint64_t)unix_ms);
}

void
bson_put_double(struct wbuf *out, const char *name, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bson_put_name(out, DOUBLE, name);
	wbuf_u64le(out, bits);
}

void
bson_put_bool(struct wbuf *out, const char *name, bool value)
{
	bson_put_name(out, BOOL, name);
	wbuf_u8(out, value);
}

void
bson_put_text(struct wbuf *out, const char *name, const char *text)
{
	bson_put_name(out, STRING, name);
	wbuf_u32le(out, (uint32_t)strlen(text) + 1);
	wbuf_put(out, text, strlen(text) + 1);
}

void
bson_put_words(struct wbuf *out, const char *name, const char *words)
{
	size_t   at = bson_open_array(out, name);
	char    *copy = strdup(words), *rest = copy, *word;
	char     index[16];
	unsigned count = 0;

	while ((word = strsep(&rest, " ")) != NULL) {
		snprintf(index, sizeof(index), "%u", count++);
		bson_put_text(out, index, word);
	}
	bson_close(out, at);
	free(copy);
}
