#include "probe/reply_json.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>

/* What is looked for within the message stands at its beginning; the record keeps less. */
enum { CODE_MAX = 64, MESSAGE_MAX = 4096 };

static const char *
take_text(const json_t *value, struct arena *arena, size_t limit)
{
	if (!json_is_string(value))
		return "";
	return text_sane(arena, json_string_value(value), json_string_length(value), limit);
}

/* "message" is a text, or {"lang": ..., "value": text}. */
static const json_t *
find_message(const json_t *from)
{
	const json_t *message = json_object_get(from, "message");
	const json_t *value = json_object_get(message, "value");

	return value != NULL ? value : message;
}

void
reply_error_read(struct reply_error *error, const char *body, size_t count, struct arena *arena)
{
	json_t       *root = count > 0 ? json_read(body, count, "answer", NULL) : NULL;
	const json_t *from = json_object_get(root, "odata.error");

	*error = (struct reply_error){ REPLY_NOT_JSON, "", "" };
	if (!json_is_object(root)) {
		json_decref(root);
		return;
	}
	error->form = REPLY_ODATA;
	if (!json_is_object(from)) {
		from = root;
		error->form = json_is_string(json_object_get(root, "code")) ? REPLY_GATEWAY
		                                                            : REPLY_OTHER_JSON;
	}
	error->code = take_text(json_object_get(from, "code"), arena, CODE_MAX);
	error->message = take_text(find_message(from), arena, MESSAGE_MAX);
	json_decref(root);
}
