#include "proto/render.h"

#include "base/clock.h"

#include <string.h>

enum { INDENT = 2 };

static void render_fields(
    const struct message_desc *desc, const void *from, unsigned indent, struct wbuf *out);

static void
put_name(struct wbuf *out, const struct field_desc *field, unsigned indent)
{
	wbuf_printf(out, "%*s%s", (int)indent, "", field->name);
}

static void
put_list(struct wbuf *out, const struct field_desc *field, const void *from, unsigned indent)
{
	size_t      count = field_count(field, from);
	const char *element = field_pointer(field, from);

	for (size_t i = 0; i < count; i++, element += field->element->bytes) {
		put_name(out, field, indent);
		wbuf_printf(out, "[%zu]:\n", i);
		render_fields(field->element, element, indent + INDENT, out);
	}
}

/* A date is given as the number that travels and as people read it. */
static void
put_i64(struct wbuf *out, const struct field_desc *field, int64_t number)
{
	char text[CLOCK_TEXT];

	wbuf_printf(out, "%lld", (long long)number);
	if (strcmp(field->unit, "Unix ms") == 0)
		wbuf_printf(out, " (%s)", clock_render(number, text, sizeof(text)));
}

static void
put_scalar(struct wbuf *out, const struct field_desc *field, const void *from)
{
	const void *member = (const char *)from + field->at;
	uint32_t    number;

	switch (field->type) {
	case FIELD_U32: wbuf_printf(out, "%u", *(const uint32_t *)member); break;
	case FIELD_U64:
		wbuf_printf(out, "%llu", (unsigned long long)*(const uint64_t *)member);
		break;
	case FIELD_I64: put_i64(out, field, *(const int64_t *)member); break;
	case FIELD_BOOL: wbuf_puts(out, *(const bool *)member ? "yes" : "no"); break;
	case FIELD_TEXT: wbuf_puts(out, *(const char *const *)member); break;
	case FIELD_OUTCOME:
	case FIELD_API:
	case FIELD_ROLE:
	case FIELD_MODE:
	case FIELD_TRANSPORT:
	case FIELD_PATH:
	case FIELD_SOURCE:
	case FIELD_ORIGIN:
	case FIELD_CREDENTIAL:
		number = *(const uint32_t *)member;
		wbuf_puts(out, field_word(field->type, number));
		if (strcmp(field_word(field->type, number), "unknown") == 0)
			wbuf_printf(out, "(%u)", number);
		break;
	case FIELD_LIST:
	case FIELD_SUB: break;
	}
}

static void
render_fields(
    const struct message_desc *desc, const void *from, unsigned indent, struct wbuf *out)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (field_is_default(field, from))
			continue;
		if (field->type == FIELD_LIST) {
			put_list(out, field, from, indent);
			continue;
		}
		put_name(out, field, indent);
		if (field->type == FIELD_SUB) {
			wbuf_puts(out, ":\n");
			render_fields(
			    field->element, field_pointer(field, from), indent + INDENT, out);
			continue;
		}
		wbuf_puts(out, ": ");
		put_scalar(out, field, from);
		wbuf_puts(out, "\n");
	}
}

void
render_text(const struct message_desc *desc, const void *from, struct wbuf *out)
{
	render_fields(desc, from, 0, out);
}
