#include "collector/sync_json.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

enum { TROUBLE_MAX = 300, ENTRIES_MAX = 4096 };

json_t *
sync_json_object(const char *bytes, size_t count, const char *source, struct err *err)
{
	json_t *value = json_read(bytes, count, source, err);

	if (value != NULL && !json_is_object(value)) {
		json_decref(value);
		value = NULL;
		err_set(err, ERR_PARSE, "%s: an object wanted", source);
	}
	return value;
}

void
sync_json_free(json_t *value)
{
	json_decref(value);
}

json_t *
sync_json_share(json_t *value)
{
	return json_incref(value);
}

bool
sync_json_add_page(struct arena *arena, json_t **list, json_t *page, const char *source,
    const char **next, struct err *err)
{
	json_t       *elements = json_object_get(page, "value");
	const json_t *link = json_object_get(page, "nextLink");

	*next = "";
	if (!json_is_array(elements))
		return err_set(err, ERR_PARSE, "%s: value: an array wanted", source);
	if (link != NULL && !json_is_null(link) && !json_is_string(link))
		return err_set(err, ERR_PARSE, "%s: nextLink: a text wanted", source);
	if (json_is_string(link))
		*next = arena_strndup(arena, json_string_value(link), json_string_length(link));
	if (*list == NULL)
		*list = json_pack("{s:[]}", "value");
	json_array_extend(json_object_get(*list, "value"), elements);
	return true;
}

size_t
sync_json_count(const json_t *list)
{
	return json_array_size(json_object_get(list, "value"));
}

void
sync_ids_add(struct arena *arena, struct sync_ids *ids, const char *text)
{
	if (ids->count == SYNC_IDS_MAX || *text == '\0' || strlen(text) > SYNC_ID_MAX)
		return;
	for (size_t i = 0; i < ids->count; i++) {
		if (text_equal_nocase(ids->texts[i], text))
			return;
	}
	if ((ids->count & (ids->count - 1)) == 0) {
		const char **grown = arena_array(
		    arena, ids->count == 0 ? 1 : 2 * ids->count, sizeof(*grown));

		if (ids->count > 0)
			memcpy(grown, ids->texts, ids->count * sizeof(*grown));
		ids->texts = grown;
	}
	ids->texts[ids->count++] = text_sane(arena, text, strlen(text), SYNC_ID_MAX);
}

/* The path gets shorter with each step. */
void
sync_json_find(struct arena *arena, const json_t *value, const char *path, struct sync_ids *ids)
{
	size_t      count = strcspn(path, ".["), index;
	char       *member = arena_strndup(arena, path, count);
	const char *rest = path + count;
	json_t *below = json_object_get(json_object_get(value, "properties"), member), *each;

	if (below == NULL || json_is_null(below))
		below = json_object_get(value, member);
	if (strncmp(rest, "[]", 2) == 0) {
		rest += strncmp(rest, "[].", 3) == 0 ? 3 : 2;
		json_array_foreach (below, index, each)
			sync_json_find(arena, each, rest, ids);
	} else if (*rest == '.') {
		sync_json_find(arena, below, rest + 1, ids);
	} else if (json_is_string(below)) {
		sync_ids_add(arena, ids, json_string_value(below));
	}
}

static const char *
take_words(struct arena *arena, const json_t *error, const char *member)
{
	const json_t *value = json_object_get(error, member);

	return json_is_string(value)
	    ? text_sane(arena, json_string_value(value), json_string_length(value), TROUBLE_MAX)
	    : "";
}

const char *
sync_json_trouble(struct arena *arena, const char *bytes, size_t count, const char **code)
{
	json_t       *root = json_read(bytes, count, "answer", NULL);
	const json_t *error = json_object_get(root, "error");
	const char   *message;

	if (!json_is_object(error))
		error = root;
	*code = take_words(arena, error, "code");
	message = take_words(arena, error, "message");
	json_decref(root);
	return arena_printf(
	    arena, "%s%s%s", *code, **code != '\0' && *message != '\0' ? ": " : "", message);
}

void
sync_json_write_entries(struct wbuf *out, const struct sync_entries *entries)
{
	json_t *root = json_object(), *rows = json_array();

	for (size_t i = 0; i < entries->count; i++) {
		const struct sync_entry *row = &entries->rows[i];

		json_array_append_new(rows,
		    json_pack("{s:s,s:s,s:s,s:s}", "file", row->file, "id", row->id, "etag",
		        row->etag, "seen", row->seen));
	}
	json_object_set_new(root, "documents", rows);
	json_write(out, root, 2);
	wbuf_puts(out, "\n");
	json_decref(root);
}

static bool
is_file_name(const char *name)
{
	return *name != '\0' && *name != '.' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") == strlen(name);
}

/* A file of our own, and yet a person may have been there: a name leads nowhere else. */
void
sync_json_read_entries(
    struct arena *arena, const char *bytes, size_t count, struct sync_entries *entries)
{
	json_t       *root = json_read(bytes, count, "", NULL), *value;
	const json_t *rows = json_object_get(root, "documents");
	size_t        index;

	*entries = (struct sync_entries){
		arena_array(arena, json_array_size(rows) + 1, sizeof(struct sync_entry)), 0
	};
	json_array_foreach ((json_t *)rows, index, value) {
		struct sync_entry *row = &entries->rows[entries->count];

		row->file = take_words(arena, value, "file");
		row->id = take_words(arena, value, "id");
		row->etag = take_words(arena, value, "etag");
		row->seen = take_words(arena, value, "seen");
		if (is_file_name(row->file) && entries->count < ENTRIES_MAX)
			entries->count++;
	}
	json_decref(root);
}
