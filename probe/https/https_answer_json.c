#include "probe/https/https_answer_json.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>

/* The rules look for words within the message and the record keeps 255 bytes of it: what stands
 * further behind is of no use. */
enum { CODE_MAX = 64, MESSAGE_MAX = 4096 };

/* The service puts "\r\nActivityId: ..." behind its words, and quotes a text of several lines that
 * it signed itself; to us all is one line. */
static const char *
take_text(const json_t *value, struct arena *arena, size_t limit)
{
	if (!json_is_string(value))
		return "";
	return text_line(arena, json_string_value(value), json_string_length(value), limit);
}

bool
https_error_read(struct https_error *error, const char *body, size_t count, struct arena *arena)
{
	json_t       *root = json_read(body, count, "answer", NULL);
	const json_t *message;

	if (!json_is_object(root)) {
		json_decref(root);
		return false;
	}
	message = json_object_get(root, "message");
	if (message == NULL)
		message = json_array_get(json_object_get(root, "Errors"), 0);
	error->code = take_text(json_object_get(root, "code"), arena, CODE_MAX);
	error->message = take_text(message, arena, MESSAGE_MAX);
	json_decref(root);
	return true;
}
