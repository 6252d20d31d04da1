/* Any bytes as an answer of the resource manager, and as the list of what was fetched: pages, ids and
 * words of errors are bounded and sane, and no name in the list leads out of its folder. */
#include "base/text.h"
#include "collector/sync_choice.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static void
check_ids(struct arena *arena, const struct json_t *page, const char *path)
{
	static const char type[] = "/providers/Microsoft.Network/privateEndpoints/";
	struct sync_ids   ids = { NULL, 0 };

	sync_json_find(arena, page, path, &ids);
	want(ids.count <= SYNC_IDS_MAX);
	for (size_t i = 0; i < ids.count; i++) {
		want(*ids.texts[i] != '\0' && strlen(ids.texts[i]) <= SYNC_ID_MAX);
		if (sync_choice_is_id(ids.texts[i], type))
			want(strpbrk(ids.texts[i], "?#@%\\ \r\n") == NULL &&
			    ids.texts[i][0] == '/' && ids.texts[i][1] != '/');
	}
}

static void
check_page(struct arena *arena, struct json_t *page)
{
	struct json_t *list = NULL;
	const char    *next = NULL;
	struct err     err = { .text = "" };
	bool           good = sync_json_add_page(arena, &list, page, "in", &next, &err);

	want(good ? next != NULL : err.text[0] != '\0');
	if (good)
		sync_http_same_origin(next, "https://management.azure.com");
	check_ids(arena, list, "value[].id");
	check_ids(arena, page, "privateEndpointConnections[].privateEndpoint.id");
	sync_json_free(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena       *arena = arena_new();
	struct err          err = { .text = "" };
	struct json_t      *page = sync_json_object((const char *)bytes, count, "in", &err);
	struct sync_entries entries;
	const char         *code, *trouble;

	if (page != NULL)
		check_page(arena, page);
	else
		want(err.text[0] != '\0');
	sync_json_free(page);
	trouble = sync_json_trouble(arena, (const char *)bytes, count, &code);
	want(strcmp(text_sane(arena, trouble, strlen(trouble), 1024), trouble) == 0);
	sync_json_read_entries(arena, (const char *)bytes, count, &entries);
	for (size_t i = 0; i < entries.count; i++)
		want(strchr(entries.rows[i].file, '/') == NULL &&
		    entries.rows[i].file[0] != '.');
	arena_free(arena);
	return 0;
}
