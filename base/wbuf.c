#include "base/wbuf.h"

#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
wbuf_init(struct wbuf *out)
{
	*out = (struct wbuf){ 0 };
}

void
wbuf_fini(struct wbuf *out)
{
	free(out->bytes);
	wbuf_init(out);
}

void
wbuf_clear(struct wbuf *out)
{
	out->count = 0;
}

static void
make_room(struct wbuf *out, size_t more)
{
	size_t room = out->room != 0 ? out->room : 128;

	if (out->room - out->count >= more)
		return;
	while (room - out->count < more)
		room *= 2;
	out->bytes = mem_grow(out->bytes, room, 1);
	out->room = room;
}

void *
wbuf_space(struct wbuf *out, size_t count)
{
	void *space;

	make_room(out, count + 1);
	space = out->bytes + out->count;
	out->count += count;
	return space;
}

void
wbuf_put(struct wbuf *out, const void *bytes, size_t count)
{
	void *space = wbuf_space(out, count);

	if (count != 0)
		memcpy(space, bytes, count);
}

static void
put_be(struct wbuf *out, uint64_t value, size_t count)
{
	uint8_t *space = wbuf_space(out, count);

	for (size_t i = 0; i < count; i++)
		space[i] = (uint8_t)(value >> 8 * (count - 1 - i));
}

static void
put_le(struct wbuf *out, uint64_t value, size_t count)
{
	uint8_t *space = wbuf_space(out, count);

	for (size_t i = 0; i < count; i++)
		space[i] = (uint8_t)(value >> 8 * i);
}

void
wbuf_u8(struct wbuf *out, uint8_t value)
{
	put_be(out, value, 1);
}

void
wbuf_u16be(struct wbuf *out, uint16_t value)
{
	put_be(out, value, 2);
}

void
wbuf_u32be(struct wbuf *out, uint32_t value)
{
	put_be(out, value, 4);
}

void
wbuf_u64be(struct wbuf *out, uint64_t value)
{
	put_be(out, value, 8);
}

void
wbuf_u16le(struct wbuf *out, uint16_t value)
{
	put_le(out, value, 2);
}

void
wbuf_u32le(struct wbuf *out, uint32_t value)
{
	put_le(out, value, 4);
}

void
wbuf_u64le(struct wbuf *out, uint64_t value)
{
	put_le(out, value, 8);
}

void
wbuf_puts(struct wbuf *out, const char *text)
{
	wbuf_put(out, text, strlen(text));
}

void
wbuf_printf(struct wbuf *out, const char *format, ...)
{
	va_list args;
	int     count;

	va_start(args, format);
	count = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (count <= 0)
		return;
	make_room(out, (size_t)count + 1);
	va_start(args, format);
	vsnprintf((char *)out->bytes + out->count, (size_t)count + 1, format, args);
	va_end(args);
	out->count += (size_t)count;
}

const char *
wbuf_text(struct wbuf *out)
{
	make_room(out, 1);
	out->bytes[out->count] = '\0';
	return (const char *)out->bytes;
}

char *
wbuf_take(struct wbuf *out)
{
	char *text;

	wbuf_text(out);
	text = (char *)out->bytes;
	wbuf_init(out);
	return text;
}
