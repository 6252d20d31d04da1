#include "proto/render.h"

#include "base/json.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static json_t *
render_text_value(const char *text)
{
	json_t *value = json_string(text != NULL ? text : "");

	/* Only a program of ours can have put something here that is not UTF-8. */
	return value != NULL ? value : json_string("?");
}

/* A number that only a newer version has a word for stays to be seen. */
static json_t *
render_word(enum field_type type, uint32_t number)
{
	const char *word = field_word(type, number);

	if (strcmp(word, "unknown") == 0)
		return json_sprintf("unknown(%u)", number);
	return json_string(word);
}

/* JSON's readers know no integer above 2^63 - 1; such a one becomes decimal text. */
static json_t *
render_u64(uint64_t number)
{
	if (number > INT64_MAX)
		return json_sprintf("%llu", (unsigned long long)number);
	return json_integer((json_int_t)number);
}

static json_t *
render_list(const struct field_desc *field, const void *from, bool all)
{
	size_t      count = field_count(field, from);
	const char *element = field_pointer(field, from);
	json_t     *list = json_array();

	for (size_t i = 0; i < count; i++, element += field->element->bytes)
		json_array_append_new(list, render_json(field->element, element, all));
	return list;
}

static json_t *
render_sub(const struct field_desc *field, const void *from, bool all)
{
	const void *sub = field_pointer(field, from);

	return sub != NULL ? render_json(field->element, sub, all) : json_null();
}

static json_t *
render_value(const struct field_desc *field, const void *from, bool all)
{
	const void *member = (const char *)from + field->at;

	switch (field->type) {
	case FIELD_U32: return json_integer(*(const uint32_t *)member);
	case FIELD_U64: return render_u64(*(const uint64_t *)member);
	case FIELD_I64: return json_integer(*(const int64_t *)member);
	case FIELD_BOOL: return json_boolean(*(const bool *)member);
	case FIELD_TEXT: return render_text_value(*(const char *const *)member);
	case FIELD_OUTCOME:
	case FIELD_API:
	case FIELD_ROLE:
	case FIELD_MODE:
	case FIELD_TRANSPORT:
	case FIELD_PATH:
	case FIELD_SOURCE:
	case FIELD_ORIGIN:
	case FIELD_CREDENTIAL: return render_word(field->type, *(const uint32_t *)member);
	case FIELD_LIST: return render_list(field, from, all);
	case FIELD_SUB: return render_sub(field, from, all);
	}
	return json_null();
}

struct json_t *
render_json(const struct message_desc *desc, const void *from, bool all)
{
	json_t *object = json_object();

	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (all || !field_is_default(field, from))
			json_object_set_new(
			    object, field->name, render_value(field, from, all));
	}
	return object;
}

void
render_json_text(const struct message_desc *desc, const void *from, bool all, unsigned indent,
    struct wbuf *out)
{
	json_t *value = render_json(desc, from, all);

	json_write(out, value, indent);
	json_decref(value);
}
