/* json: strict reading and bounded writing of JSON, over jansson.
 *
 * Reading refuses duplicate keys and says file, line and column.  The *_json.c files of the upper
 * layers may use jansson's own types; nobody else.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"
#include "base/wbuf.h"

#include <stddef.h>

struct json_t;

/* name stands for the source in errors: "name:3:14: text".  The caller drops the reference. */
struct json_t *json_read(
    const char *bytes, size_t count, const char *name, struct err *err) MUST_CHECK;

/* Appends the value; indent 0 is compact. */
void json_write(struct wbuf *out, const struct json_t *value, unsigned indent);

#endif
