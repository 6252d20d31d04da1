/* fuzz_readers: the file of who may look: what is read is written as it was read, or refused with a
 * reason. */
#include "collector/readers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_all(const struct readers_list *list, struct wbuf *out)
{
	for (size_t i = 0; i < list->count; i++)
		readers_write(out, &list->rows[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena       *arena = arena_new();
	struct readers_list list, again;
	struct err          err = { 0 };
	struct wbuf         first, second;

	wbuf_init(&first);
	wbuf_init(&second);
	if (readers_parse(
	        &list, arena, arena_strndup(arena, (const char *)data, size), "file", &err)) {
		write_all(&list, &first);
		if (!readers_parse(
		        &again, arena, arena_strdup(arena, wbuf_text(&first)), "again", &err))
			abort();
		write_all(&again, &second);
		if (again.count != list.count ||
		    strcmp(wbuf_text(&first), wbuf_text(&second)) != 0)
			abort();
	} else if (err.text[0] == '\0') {
		abort();
	}
	wbuf_fini(&first);
	wbuf_fini(&second);
	arena_free(arena);
	return 0;
}
