#include "proto/render.h"

static const struct {
	enum field_type type;
	const char     *name;
} type_names[] = {
	{ FIELD_U32, "u32" },
	{ FIELD_U64, "u64" },
	{ FIELD_I64, "i64" },
	{ FIELD_BOOL, "bool" },
	{ FIELD_TEXT, "text" },
	{ FIELD_OUTCOME, "outcome" },
	{ FIELD_API, "api" },
	{ FIELD_ROLE, "role" },
	{ FIELD_MODE, "mode" },
	{ FIELD_TRANSPORT, "transport" },
	{ FIELD_PATH, "path" },
	{ FIELD_SOURCE, "source" },
	{ FIELD_ORIGIN, "origin" },
	{ FIELD_CREDENTIAL, "credential" },
};

static const char intro[] =
    "# Fields\n"
    "\n"
    "Everything that travels between agent and collector and is stored. Generated from\n"
    "proto/fields.def and proto/outcome.def: edit those.\n"
    "\n"
    "A message is a msgpack map whose keys are the numbers below, ascending. A field at its\n"
    "default (0, false, empty) is left out; unknown keys are skipped; a key that stands "
    "twice,\n"
    "a value of another type or out of its range is refused. Numbers are never reused. Text "
    "is\n"
    "UTF-8 without control characters. In JSON the fields have the names below, enums are\n"
    "words, and a u64 above 2^63 - 1 is decimal text. In SQL an enum is its number and a u64\n"
    "is stored as the i64 with the same bits.\n";

static void
put_type(struct wbuf *out, const struct field_desc *field)
{
	if (field->type == FIELD_LIST) {
		wbuf_printf(out, "up to %zu [%s](#%s)", field->most, field->element->name,
		    field->element->name);
		return;
	}
	if (field->type == FIELD_SUB) {
		wbuf_printf(out, "[%s](#%s)", field->element->name, field->element->name);
		return;
	}
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++) {
		if (type_names[i].type == field->type)
			wbuf_puts(out, type_names[i].name);
	}
}

/* A bar would end the cell. */
static void
put_cell(struct wbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		wbuf_printf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void
put_message(struct wbuf *out, const struct message_desc *desc)
{
	wbuf_printf(out, "\n## %s\n\n", desc->name);
	put_cell(out, desc->meaning);
	wbuf_puts(out,
	    "\n\n| key | name | type | unit | meaning |\n"
	    "| ---: | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		wbuf_printf(out, "| %u | %s | ", field->id, field->name);
		put_type(out, field);
		wbuf_printf(out, " | %s | ", field->unit);
		put_cell(out, field->meaning);
		wbuf_puts(out, " |\n");
	}
}

static void
put_outcomes(struct wbuf *out)
{
	wbuf_puts(out,
	    "\n## outcome\n\nhow a stage of a measurement ended\n\n"
	    "| number | word | meaning |\n| ---: | --- | --- |\n");
	for (unsigned i = 0; i < OUTCOME_COUNT; i++) {
		wbuf_printf(out, "| %u | %s | ", i, outcome_name(i));
		put_cell(out, outcome_meaning(i));
		wbuf_puts(out, " |\n");
	}
}

static void
put_words(struct wbuf *out, const char *name, enum field_type type)
{
	uint32_t number;

	wbuf_printf(out, "\n## %s\n\n| number | word |\n| ---: | --- |\n", name);
	for (uint32_t i = 0; field_word_parse(type, field_word(type, i), &number); i++)
		wbuf_printf(out, "| %u | %s |\n", i, field_word(type, i));
}

void
render_fields_md(struct wbuf *out)
{
	wbuf_puts(out, intro);
	for (size_t i = 0; message_descs[i] != NULL; i++)
		put_message(out, message_descs[i]);
	put_outcomes(out);
	put_words(out, "api", FIELD_API);
	put_words(out, "role", FIELD_ROLE);
	put_words(out, "mode", FIELD_MODE);
	put_words(out, "transport", FIELD_TRANSPORT);
	put_words(out, "path", FIELD_PATH);
	put_words(out, "source", FIELD_SOURCE);
	put_words(out, "origin", FIELD_ORIGIN);
	put_words(out, "credential", FIELD_CREDENTIAL);
}
