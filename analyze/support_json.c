#include "analyze/support_json.h"

#include "base/json.h"

#include <jansson.h>
#include <string.h>

enum { SUPPORT_JSON_VERSION = 1, SUPPORT_JSON_INDENT = 2 };

static json_t *
render_words(const char *words)
{
	json_t *list = json_array();

	while (*words != '\0') {
		size_t length = strcspn(words, " ");

		json_array_append_new(list, json_stringn(words, length));
		words += length;
		words += strspn(words, " ");
	}
	return list;
}

static json_t *
render_row(const struct support_row *row, struct arena *arena)
{
	const struct support_desc *desc = &support_services[row->service];

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "api",
	    desc->word, "title", desc->title, "mode", support_mode_word(row->mode), "versions",
	    support_versions(arena, row), "then", support_state_word(row->then), "then_date",
	    support_article_date, "now", support_state_word(row->now), "now_date",
	    row->source_date, "source", row->source, "note", row->note, "hint", row->hint);
}

static json_t *
render_rows(const struct support_choice *choice, struct arena *arena)
{
	json_t *rows = json_array();

	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		if (choice->service == SUPPORT_SERVICE_COUNT || row->service == choice->service)
			json_array_append_new(rows, render_row(row, arena));
	}
	return rows;
}

static json_t *
render_range(struct support_ports ports)
{
	if (ports.direct_last == 0)
		return json_null();
	return json_pack("{s:i, s:i}", "first", ports.direct_first, "last", ports.direct_last);
}

static json_t *
render_name(const struct support_suffix *name, struct arena *arena)
{
	const struct support_desc *desc = &support_services[name->service];
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "api", desc->word,
	    "suffix", name->suffix, "zone", arena_printf(arena, "privatelink.%s", name->suffix),
	    "source", name->source, "port", desc->port, "port_source", desc->port_source);

	json_object_set_new(object, "group", json_string(desc->group));
	json_object_set_new(object, "also", json_string(desc->also));
	json_object_set_new(
	    object, "direct_public", render_range(support_ports(name->service, false)));
	json_object_set_new(
	    object, "direct_private", render_range(support_ports(name->service, true)));
	return object;
}

static json_t *
render_cloud(enum cloud cloud, const struct support_choice *choice, struct arena *arena)
{
	const struct support_cloud *desc = &support_clouds[cloud];
	json_t                     *names = json_array();

	for (const struct support_suffix *name = support_suffixes; name->suffix != NULL;
	     name++) {
		if (name->cloud == cloud &&
		    (choice->service == SUPPORT_SERVICE_COUNT ||
		        name->service == choice->service))
			json_array_append_new(names, render_name(name, arena));
	}
	return json_pack("{s:s, s:o, s:s, s:s, s:o}", "cloud", desc->word, "aliases",
	    render_words(desc->aliases), "state", support_standing_word(desc->standing),
	    "words", desc->words, "names", names);
}

void
support_json_write(const struct support_choice *choice, struct wbuf *out)
{
	struct arena *arena = arena_new();
	json_t       *root = json_object(), *clouds = json_array();

	for (size_t i = 0; i < CLOUD_COUNT; i++) {
		if (choice->cloud == CLOUD_COUNT || choice->cloud == i)
			json_array_append_new(
			    clouds, render_cloud((enum cloud)i, choice, arena));
	}
	json_object_set_new(root, "version", json_integer(SUPPORT_JSON_VERSION));
	json_object_set_new(root, "date", json_string(support_date));
	json_object_set_new(root, "support", render_rows(choice, arena));
	json_object_set_new(root, "clouds", clouds);
	json_write(out, root, SUPPORT_JSON_INDENT);
	wbuf_puts(out, "\n");
	json_decref(root);
	arena_free(arena);
}
