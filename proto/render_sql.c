#include "proto/render.h"

static bool
is_scalar(const struct field_desc *field)
{
	return field->type != FIELD_LIST && field->type != FIELD_SUB;
}

void
render_sql_columns(const struct message_desc *desc, const char *prefix, struct wbuf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (!is_scalar(field))
			continue;
		wbuf_printf(out, "%s%s%s %s", comma, prefix, field->name,
		    field->type == FIELD_TEXT ? "TEXT NOT NULL DEFAULT ''"
		                              : "INTEGER NOT NULL DEFAULT 0");
		comma = ", ";
	}
}

void
render_sql_names(const struct message_desc *desc, const char *prefix, struct wbuf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < desc->field_count; i++) {
		if (!is_scalar(&desc->fields[i]))
			continue;
		wbuf_printf(out, "%s%s%s", comma, prefix, desc->fields[i].name);
		comma = ", ";
	}
}

static int64_t
get_number(const struct field_desc *field, const void *from)
{
	const void *member = (const char *)from + field->at;

	switch (field->type) {
	case FIELD_U64: return (int64_t) * (const uint64_t *)member;
	case FIELD_I64: return *(const int64_t *)member;
	case FIELD_BOOL: return *(const bool *)member;
	default: return *(const uint32_t *)member;
	}
}

void
render_sql_values(const struct message_desc *desc, const void       *from,
    void (*bind)(void *arg, const char *text, int64_t number), void *arg)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (field->type == FIELD_TEXT) {
			const char *text = *(
			    const char *const *)(const void *)((const char *)from + field->at);

			bind(arg, text != NULL ? text : "", 0);
		} else if (is_scalar(field)) {
			bind(arg, NULL, get_number(field, from));
		}
	}
}
