#include "probe/gremlin/gremlin_json.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

/* What is looked for within the message stands at its beginning; the record keeps less. */
enum { MESSAGE_MAX = 4096, ACTIVITY_MAX = 64, CODE_MAX = 65535 };

/* GraphSON writes {"@type": "g:Int32", "@value": 407} where plain JSON has 407, and a g:Map as a
 * list of keys and values in turn. */
static const json_t *
unwrap(const json_t *value)
{
	const json_t *inner = json_object_get(value, "@value");

	return inner != NULL ? inner : value;
}

static const json_t *
find_attribute(const json_t *attributes, const char *name)
{
	const json_t *map = unwrap(attributes);

	if (json_is_object(map))
		return unwrap(json_object_get(map, name));
	for (size_t i = 0; i + 1 < json_array_size(map); i += 2) {
		const char *key = json_string_value(json_array_get(map, i));

		if (key != NULL && strcmp(key, name) == 0)
			return unwrap(json_array_get(map, i + 1));
	}
	return NULL;
}

static const char *
take_text(const json_t *value, struct arena *arena, size_t limit)
{
	if (!json_is_string(value))
		return "";
	return text_line(arena, json_string_value(value), json_string_length(value), limit);
}

static bool
take_status(
    struct gremlin_status *status, const json_t *from, struct arena *arena, struct err *err)
{
	const json_t *code = unwrap(json_object_get(from, "code"));
	json_int_t    number = json_integer_value(code);

	if (!json_is_integer(code) || number < 1 || number > CODE_MAX)
		return err_set(
		    err, ERR_PARSE, "the message has no status.code of 1 to %d", CODE_MAX);
	status->code = (uint32_t)number;
	status->message = take_text(json_object_get(from, "message"), arena, MESSAGE_MAX);
	status->activity = take_text(
	    find_attribute(json_object_get(from, "attributes"), "x-ms-activity-id"), arena,
	    ACTIVITY_MAX);
	return true;
}

bool
gremlin_status_read(struct gremlin_status *status, const void *bytes, size_t count,
    struct arena *arena, struct err *err)
{
	json_t *root = json_read(bytes, count, "message", err);
	bool    ok;

	if (root == NULL)
		return false;
	ok = take_status(status, json_object_get(root, "status"), arena, err);
	json_decref(root);
	return ok;
}
