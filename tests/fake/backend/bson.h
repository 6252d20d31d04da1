/* bson: writes BSON [bson], for a fake server and for tests.  Shares nothing with what reads it.
 */
#ifndef TESTS_FAKE_BSON_H
#define TESTS_FAKE_BSON_H

#include "base/wbuf.h"

/* Begins a document, and returns where its size is to stand; name NULL: the outermost. */
size_t bson_open(struct wbuf *out, const char *name);
size_t bson_open_array(struct wbuf *out, const char *name);
/* Ends it, and fills its size in. */
void bson_close(struct wbuf *out, size_t at);

void bson_put_name(struct wbuf *out, uint8_t type, const char *name);
void bson_put_int(struct wbuf *out, const char *name, int32_t value);
void bson_put_long(struct wbuf *out, const char *name, int64_t value);
void bson_put_date(struct wbuf *out, const char *name, int64_t unix_ms);
void bson_put_double(struct wbuf *out, const char *name, double value);
void bson_put_bool(struct wbuf *out, const char *name, bool value);
void bson_put_text(struct wbuf *out, const char *name, const char *text);
/* An array of the words, space between. */
void bson_put_words(struct wbuf *out, const char *name, const char *words);

#endif
