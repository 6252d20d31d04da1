/* wbuf: bytes that grow while they are written.
 *
 * Owns its memory.  Used for protocol output and for text; wbuf_text() keeps a NUL behind the
 * last byte that is not counted.
 */
#ifndef BASE_WBUF_H
#define BASE_WBUF_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct wbuf {
	uint8_t *bytes; /* owned */
	size_t   count, room;
};

void  wbuf_init(struct wbuf *out);
void  wbuf_fini(struct wbuf *out);
void  wbuf_clear(struct wbuf *out);               /* keeps the memory */
void *wbuf_space(struct wbuf *out, size_t count); /* count fresh bytes at the end */
void  wbuf_put(struct wbuf *out, const void *bytes, size_t count);
void  wbuf_u8(struct wbuf *out, uint8_t value);
void  wbuf_u16be(struct wbuf *out, uint16_t value);
void  wbuf_u32be(struct wbuf *out, uint32_t value);
void  wbuf_u64be(struct wbuf *out, uint64_t value);
void  wbuf_u16le(struct wbuf *out, uint16_t value);
void  wbuf_u32le(struct wbuf *out, uint32_t value);
void  wbuf_u64le(struct wbuf *out, uint64_t value);
void  wbuf_puts(struct wbuf *out, const char *text);
void  wbuf_printf(struct wbuf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* The content as a C string, valid until the next write. */
const char *wbuf_text(struct wbuf *out);

/* Hands the memory over (freed by the caller with free()); the buffer is empty after. */
char *wbuf_take(struct wbuf *out);

#endif
