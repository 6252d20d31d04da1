#include "base/json.h"

#include "base/text.h"

#include <assert.h>
#include <jansson.h>

struct json_t *
json_read(const char *bytes, size_t count, const char *name, struct err *err)
{
	json_error_t cause;
	json_t      *value = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &cause);

	if (value != NULL)
		return value;
	/* The text quotes the document, which may hold anything. */
	text_clean(cause.text);
	if (cause.line > 0)
		err_set(err, ERR_PARSE, "%s:%d:%d: %s", name, cause.line,
		    cause.column > 0 ? cause.column : 1, cause.text);
	else
		err_set(err, ERR_PARSE, "%s: %s", name, cause.text);
	return NULL;
}

static int
on_bytes(const char *bytes, size_t count, void *out)
{
	wbuf_put(out, bytes, count);
	return 0;
}

void
json_write(struct wbuf *out, const struct json_t *value, unsigned indent)
{
	size_t flags = JSON_ENCODE_ANY | (indent != 0 ? JSON_INDENT(indent) : JSON_COMPACT);
	int    failed = json_dump_callback(value, on_bytes, out, flags);

	/* jansson refuses only what its own constructors do not make: a circle, or bad UTF-8. */
	assert(failed == 0);
	(void)failed;
}
