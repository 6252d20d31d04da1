#include "probe/rntbd/rntbd_json.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>

static const char *
copy_member(const json_t *object, const char *name, size_t limit, struct arena *arena)
{
	const json_t *value = json_object_get(object, name);
	const char   *text = json_string_value(value);

	return text != NULL ? text_line(arena, text, json_string_length(value), limit) : "";
}

void
rntbd_json_read(const uint8_t *bytes, size_t count, struct arena *arena, const char **code,
    const char **message)
{
	json_t *body = json_read((const char *)bytes, count, "body", NULL);

	*code = *message = "";
	if (json_is_object(body)) {
		*code = copy_member(body, "code", RNTBD_CODE_MAX_BYTES, arena);
		*message = copy_member(body, "message", RNTBD_MESSAGE_MAX_BYTES, arena);
	}
	if (**code == '\0' && **message == '\0')
		*message = text_line(arena, bytes, count, RNTBD_MESSAGE_MAX_BYTES);
	json_decref(body);
}
