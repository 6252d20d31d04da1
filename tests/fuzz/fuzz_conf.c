/* Any bytes as settings: taken or refused with a reason; the dump of what is taken reads back, and
 * gives the same dump. */
#include "base/conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct inner {
	const char *name;
	int64_t     size;
};

struct settings {
	const char       *text, *path;
	bool              on;
	int64_t           number, wait_ms, room_bytes;
	struct conf_texts words;
	struct conf_list  rows;
};

#define AT(member) offsetof(struct settings, member)

static const struct conf_row inner_rows[] = {
	{ "name", CONF_TEXT, offsetof(struct inner, name), 0, 0, "", "a name", NULL, 0, NULL,
	    NULL },
	{ "size", CONF_BYTES, offsetof(struct inner, size), 0, 0, "1KiB", "a size", NULL, 0,
	    NULL, NULL },
	{ .name = NULL },
};

static const struct conf_row rows[] = {
	{ "text", CONF_TEXT, AT(text), 0, 0, "", "a text", NULL, 0, NULL, NULL },
	{ "path", CONF_PATH, AT(path), 0, 0, "", "a path", NULL, 0, NULL, NULL },
	{ "on", CONF_BOOL, AT(on), 0, 0, "true", "a switch", NULL, 0, NULL, NULL },
	{ "number", CONF_NUMBER, AT(number), -5, 5, "1", "a number", NULL, 0, NULL, NULL },
	{ "wait", CONF_MS, AT(wait_ms), 0, 0, "30s", "a time", NULL, 0, NULL, NULL },
	{ "room", CONF_BYTES, AT(room_bytes), 0, 0, "1MiB", "a size", NULL, 0, NULL, NULL },
	{ "words", CONF_TEXTS, AT(words), 0, 4, "", "words", NULL, 0, NULL, NULL },
	{ "rows", CONF_LIST, AT(rows), 0, 0, "", "mappings", inner_rows, sizeof(struct inner),
	    NULL, NULL },
	{ .name = NULL },
};

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena   *arena = arena_new();
	struct settings got, again;
	struct err      err = { .text = "" };
	struct wbuf     dump, dump_again;

	wbuf_init(&dump);
	wbuf_init(&dump_again);
	if (!conf_parse(&got, rows, arena, (const char *)bytes, count, "in", &err)) {
		if (strncmp(err.text, "in:", 3) != 0)
			abort();
	} else {
		conf_dump(&got, rows, &dump);
		if (!conf_parse(
		        &again, rows, arena, wbuf_text(&dump), dump.count, "dump", &err))
			abort();
		conf_dump(&again, rows, &dump_again);
		if (strcmp(wbuf_text(&dump), wbuf_text(&dump_again)) != 0)
			abort();
	}
	wbuf_fini(&dump);
	wbuf_fini(&dump_again);
	arena_free(arena);
	return 0;
}
