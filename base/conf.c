#include "base/conf.h"

#include "base/conf_tree.h"
#include "base/conf_unit.h"
#include "base/file.h"
#include "base/text.h"

#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROWS_MAX = 64, COMPLAINT_MAX = 400 };

static const char credential_prefix[] = "credential:";

/* What is wrong, one line a problem, as far as an err holds it. */
struct complaints {
	char     text[sizeof(((struct err *)0)->text)];
	size_t   used;
	unsigned count, untold;
};

struct reader {
	struct arena     *arena;  /* borrowed */
	const char       *name;   /* of the file in hand */
	const char       *folder; /* of the file in hand, for relative paths; "" for none */
	struct complaints complaints;
	bool              unreadable; /* a file was not YAML: what it sets is not known */
};

static void
add_complaint(struct reader *reader, const char *line)
{
	struct complaints *all = &reader->complaints;
	size_t             reserve = sizeof("\nand 4294967295 more");
	size_t             count = strlen(line) + (all->count != 0);

	all->count++;
	if (all->untold != 0 || all->used + count + reserve > sizeof(all->text)) {
		all->untold++;
		return;
	}
	snprintf(all->text + all->used, count + 1, "%s%s", all->count > 1 ? "\n" : "", line);
	all->used += count;
}

static void PRINTF_LIKE(3, 4)
    complain(struct reader *reader, const struct conf_node *at, const char *format, ...)
{
	char    why[COMPLAINT_MAX / 2], line[COMPLAINT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	if (at != NULL)
		snprintf(line, sizeof(line), "%.150s:%u:%u: %s", reader->name, at->line,
		    at->column, why);
	else
		snprintf(line, sizeof(line), "%.150s: %s", reader->name, why);
	add_complaint(reader, line);
}

static bool
report_complaints(const struct reader *reader, struct err *err)
{
	const struct complaints *all = &reader->complaints;

	if (all->count == 0)
		return true;
	if (all->untold == 0)
		return err_set(err, ERR_PARSE, "%s", all->text);
	return err_set(err, ERR_PARSE, "%s\nand %u more", all->text, all->untold);
}

static const char *
name_kind(const struct conf_node *node)
{
	switch (node->kind) {
	case CONF_NODE_SCALAR: return "a single value";
	case CONF_NODE_LIST: return "a list";
	case CONF_NODE_MAP: return "a mapping";
	}
	return "?";
}

static void *
find_place(void *into, const struct conf_row *row)
{
	return (char *)into + row->at;
}

/* A scalar that says something; YAML's ways to write null are no text. */
static bool
is_value(struct reader *reader, const struct conf_row *row, const struct conf_node *node)
{
	if (node->kind != CONF_NODE_SCALAR) {
		complain(
		    reader, node, "%s: %s; a single value wanted", row->name, name_kind(node));
		return false;
	}
	if (node->plain &&
	    (node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
	        strcmp(node->text, "null") == 0)) {
		complain(reader, node, "%s: no value; \"\" is the empty text", row->name);
		return false;
	}
	return true;
}

static bool
is_bounded(const struct conf_row *row)
{
	return row->low != 0 || row->high != 0;
}

static void
check_count(struct reader *reader, const struct conf_row *row, const struct conf_node *node,
    size_t count, const char *what)
{
	if (is_bounded(row) && ((int64_t)count < row->low || (int64_t)count > row->high))
		complain(reader, node, "%s: %zu %s; %lld to %lld wanted", row->name, count,
		    what, (long long)row->low, (long long)row->high);
}

static void
read_number(struct reader *reader, int64_t *value, const struct conf_row *row,
    const struct conf_node *node)
{
	char       low[CONF_UNIT_TEXT], high[CONF_UNIT_TEXT];
	struct err err;

	if (!is_value(reader, row, node))
		return;
	if (!conf_unit_parse(value, row->type, node->text, &err)) {
		complain(reader, node, "%s: %s", row->name, err.text);
	} else if (is_bounded(row) && (*value < row->low || *value > row->high)) {
		conf_unit_render(row->low, row->type, low, sizeof(low));
		conf_unit_render(row->high, row->type, high, sizeof(high));
		complain(reader, node, "%s: %s is out of range; %s to %s wanted", row->name,
		    node->text, low, high);
	}
}

static void
read_bool(struct reader *reader, bool *value, const struct conf_row *row,
    const struct conf_node *node)
{
	if (!is_value(reader, row, node))
		return;
	*value = strcmp(node->text, "true") == 0;
	if (!node->plain || (!*value && strcmp(node->text, "false") != 0))
		complain(reader, node, "%s: '%s'; true or false wanted", row->name, node->text);
}

static void
check_text(struct reader *reader, const struct conf_row *row, const struct conf_node *node)
{
	struct err err;

	if (row->check != NULL && !row->check(node->text, &err))
		complain(reader, node, "%s: %s", row->name, err.text);
}

static const char *
resolve_path(struct reader *reader, const char *path)
{
	if (path[0] == '\0' || path[0] == '/' || reader->folder[0] == '\0' ||
	    strncmp(path, credential_prefix, strlen(credential_prefix)) == 0)
		return path;
	return arena_printf(reader->arena, "%s/%s", reader->folder, path);
}

static void
read_text(struct reader *reader, const char **text, const struct conf_row *row,
    const struct conf_node *node)
{
	if (!is_value(reader, row, node))
		return;
	*text = row->type == CONF_PATH ? resolve_path(reader, node->text) : node->text;
	check_count(reader, row, node, strlen(node->text), "characters");
	check_text(reader, row, node);
}

static void
read_texts(struct reader *reader, struct conf_texts *into, const struct conf_row *row,
    const struct conf_node *node)
{
	bool                    one = node->kind == CONF_NODE_SCALAR;
	const struct conf_node *item = one ? node : node->first;

	if (node->kind == CONF_NODE_MAP) {
		complain(reader, node, "%s: a mapping; a list wanted", row->name);
		return;
	}
	into->count = one ? 1 : node->count;
	into->texts = arena_array(reader->arena, into->count, sizeof(into->texts[0]));
	for (size_t i = 0; i < into->count; i++, item = item->next) {
		into->texts[i] = item->text;
		if (is_value(reader, row, item))
			check_text(reader, row, item);
	}
	check_count(reader, row, node, into->count, "entries");
}

static void fill_presets(struct reader *reader, void *into, const struct conf_row *rows);
static void read_map(struct reader *reader, void *into, const struct conf_row *rows,
    const struct conf_node *map, bool *seen);
static void check_required(struct reader *reader, const struct conf_row *rows,
    const struct conf_node *at, const bool *seen);

static void
read_entry(
    struct reader *reader, void *into, const struct conf_row *row, const struct conf_node *item)
{
	bool       seen[ROWS_MAX] = { false };
	unsigned   before = reader->complaints.count;
	struct err err;

	fill_presets(reader, into, row->rows);
	read_map(reader, into, row->rows, item, seen);
	if (item->kind == CONF_NODE_MAP)
		check_required(reader, row->rows, item, seen);
	if (row->check_entry != NULL && reader->complaints.count == before &&
	    !row->check_entry(into, &err))
		complain(reader, item, "%s: %s", row->name, err.text);
}

static void
read_list(struct reader *reader, struct conf_list *into, const struct conf_row *row,
    const struct conf_node *node)
{
	const struct conf_node *item = node->first;
	char                   *struct_at;

	if (node->kind != CONF_NODE_LIST) {
		complain(reader, node, "%s: %s; a list of mappings wanted%s", row->name,
		    name_kind(node),
		    node->kind == CONF_NODE_MAP ? ", each begun with '- '" : "");
		return;
	}
	into->count = node->count;
	into->rows = arena_array(reader->arena, node->count, row->row_bytes);
	struct_at = into->rows;
	for (; item != NULL; item = item->next, struct_at += row->row_bytes)
		read_entry(reader, struct_at, row, item);
	check_count(reader, row, node, into->count, "entries");
}

static void
read_value(
    struct reader *reader, void *into, const struct conf_row *row, const struct conf_node *node)
{
	void *place = find_place(into, row);

	switch (row->type) {
	case CONF_TEXT:
	case CONF_PATH: read_text(reader, place, row, node); break;
	case CONF_BOOL: read_bool(reader, place, row, node); break;
	case CONF_NUMBER:
	case CONF_MS:
	case CONF_BYTES: read_number(reader, place, row, node); break;
	case CONF_TEXTS: read_texts(reader, place, row, node); break;
	case CONF_LIST: read_list(reader, place, row, node); break;
	}
}

static const char *
guess_name(const struct conf_row *rows, const char *name)
{
	const char *words[ROWS_MAX + 1];
	size_t      count = 0;

	for (; rows[count].name != NULL; count++)
		words[count] = rows[count].name;
	words[count] = NULL;
	return text_nearest(name, words);
}

static void
read_member(struct reader *reader, void *into, const struct conf_row *rows,
    const struct conf_node *node, const struct conf_node **first)
{
	const char *guess;
	size_t      at = 0;

	while (rows[at].name != NULL && strcmp(rows[at].name, node->key->text) != 0)
		at++;
	if (rows[at].name == NULL) {
		/* Not for those that nobody will read: it is slow for a file of nothing else. */
		guess = reader->complaints.untold == 0 ? guess_name(rows, node->key->text)
		                                       : NULL;
		complain(reader, node->key, "unknown setting '%s'%s%s%s", node->key->text,
		    guess != NULL ? "; did you mean '" : "", guess != NULL ? guess : "",
		    guess != NULL ? "'?" : "");
		return;
	}
	if (first[at] != NULL) {
		complain(reader, node->key, "%s: set twice, first in line %u", rows[at].name,
		    first[at]->line);
		return;
	}
	first[at] = node->key;
	read_value(reader, into, &rows[at], node);
}

static void
read_map(struct reader *reader, void *into, const struct conf_row *rows,
    const struct conf_node *map, bool *seen)
{
	const struct conf_node *first[ROWS_MAX] = { NULL };

	if (map->kind != CONF_NODE_MAP) {
		complain(reader, map, "%s; a mapping wanted: lines of 'name: value'",
		    name_kind(map));
		return;
	}
	for (const struct conf_node *node = map->first; node != NULL; node = node->next)
		read_member(reader, into, rows, node, first);
	for (size_t i = 0; i < ROWS_MAX; i++)
		seen[i] = seen[i] || first[i] != NULL;
}

static void
check_required(struct reader *reader, const struct conf_row *rows, const struct conf_node *at,
    const bool *seen)
{
	for (size_t i = 0; rows[i].name != NULL; i++) {
		if (rows[i].preset == NULL && !seen[i])
			complain(reader, at, "%s is missing: %s", rows[i].name, rows[i].help);
	}
}

/* What a setting is before its preset: nothing is NULL, and nothing is left as it was. */
static void
fill_empty(void *place, enum conf_type type)
{
	switch (type) {
	case CONF_TEXT:
	case CONF_PATH: *(const char **)place = ""; break;
	case CONF_BOOL: *(bool *)place = false; break;
	case CONF_NUMBER:
	case CONF_MS:
	case CONF_BYTES: *(int64_t *)place = 0; break;
	case CONF_TEXTS: *(struct conf_texts *)place = (struct conf_texts){ 0 }; break;
	case CONF_LIST: *(struct conf_list *)place = (struct conf_list){ 0 }; break;
	}
}

/* A preset is written as in a file; "" is an empty text or list.  A preset that does not read is
 * a fault of the table. */
static void
fill_presets(struct reader *reader, void *into, const struct conf_row *rows)
{
	struct reader presets = { .arena = reader->arena, .name = "preset", .folder = "" };

	for (; rows->name != NULL; rows++) {
		struct conf_node  scalar = { .text = rows->preset };
		struct conf_node *node = &scalar;
		bool              list = rows->type == CONF_TEXTS || rows->type == CONF_LIST;
		struct err        err = { .text = "" };

		fill_empty(find_place(into, rows), rows->type);
		if (rows->preset == NULL || (list && rows->preset[0] == '\0'))
			continue;
		scalar.plain = rows->type == CONF_BOOL;
		if (list &&
		    !conf_tree_parse(&node, reader->arena, rows->preset, strlen(rows->preset),
		        rows->name, &err))
			complain(&presets, NULL, "%s", err.text);
		else
			read_value(&presets, into, rows, node);
	}
	if (presets.complaints.count != 0)
		fprintf(stderr, "settings table: %s\n", presets.complaints.text);
	assert(presets.complaints.count == 0);
}

static void
read_document(struct reader *reader, void *into, const struct conf_row *rows, const char *text,
    size_t count, bool *seen)
{
	struct conf_node *root;
	struct err        err;

	if (!conf_tree_parse(&root, reader->arena, text, count, reader->name, &err)) {
		add_complaint(reader, err.text);
		reader->unreadable = true;
	} else if (root != NULL && !(root->plain && root->text[0] == '\0')) {
		read_map(reader, into, rows, root, seen);
	}
}

static void
read_path(struct reader *reader, void *into, const struct conf_row *rows, const char *path,
    bool *seen)
{
	char       *copy = arena_strdup(reader->arena, path), *folder;
	const char *text;
	size_t      count;
	struct err  err;

	text = file_read(reader->arena, path, CONF_TREE_BYTES_MAX, &count, &err);
	if (text == NULL) {
		add_complaint(reader, err.text);
		reader->unreadable = true;
		return;
	}
	folder = realpath(dirname(copy), NULL);
	reader->name = path;
	reader->folder = arena_strdup(reader->arena, folder);
	free(folder);
	read_document(reader, into, rows, text, count, seen);
}

static bool
is_folder(const char *path)
{
	struct stat seen;

	return stat(path, &seen) == 0 && S_ISDIR(seen.st_mode);
}

static void
read_folder(struct reader *reader, void *into, const struct conf_row *rows, const char *folder,
    bool *seen)
{
	char  *pattern = arena_printf(reader->arena, "%s/*.yaml", folder);
	glob_t found = { 0 };
	int    failed;

	if (!is_folder(folder)) /* nobody has to make one */
		return;
	failed = glob(pattern, GLOB_ERR, NULL, &found);
	reader->name = folder;
	if (failed != 0 && failed != GLOB_NOMATCH)
		complain(reader, NULL, "cannot be listed: %s", strerror(errno));
	for (size_t i = 0; failed == 0 && i < found.gl_pathc; i++)
		read_path(reader, into, rows, found.gl_pathv[i], seen);
	globfree(&found);
}

static void
check_table(const struct conf_row *rows)
{
	size_t count = 0;

	while (rows[count].name != NULL)
		count++;
	assert(count <= ROWS_MAX);
	(void)count;
}

bool
conf_read(void *into, const struct conf_row *rows, struct arena *arena, const char *path,
    const char *folder, struct err *err)
{
	struct reader reader = { .arena = arena, .name = "settings", .folder = "" };
	bool          seen[ROWS_MAX] = { false };

	check_table(rows);
	fill_presets(&reader, into, rows);
	if (path != NULL)
		read_path(&reader, into, rows, path, seen);
	if (folder != NULL)
		read_folder(&reader, into, rows, folder, seen);
	reader.name = path != NULL ? path : "settings";
	if (!reader.unreadable)
		check_required(&reader, rows, NULL, seen);
	return report_complaints(&reader, err);
}

bool
conf_parse(void *into, const struct conf_row *rows, struct arena *arena, const char *text,
    size_t count, const char *name, struct err *err)
{
	struct reader reader = { .arena = arena, .name = name, .folder = "" };
	bool          seen[ROWS_MAX] = { false };

	check_table(rows);
	fill_presets(&reader, into, rows);
	read_document(&reader, into, rows, text, count, seen);
	if (!reader.unreadable)
		check_required(&reader, rows, NULL, seen);
	return report_complaints(&reader, err);
}
