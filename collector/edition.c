#include "collector/edition.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 256, SERIES_BYTES = 8 };

/* A line: series, number, version. */
static bool
read_line(struct edition *edition, char *line, const char **version)
{
	char *number = strchr(line, ' ');
	char *rest;

	line[strcspn(line, "\n")] = '\0';
	if (number == NULL || number - line != EDITION_SERIES_ROOM - 1)
		return false;
	memcpy(edition->series, line, EDITION_SERIES_ROOM - 1);
	edition->number = strtoll(number, &rest, 10);
	*version = rest + 1;
	return edition->number > 0 && *rest == ' ';
}

/* A new series where there is none that can be read. */
static void
read_last(struct edition *edition, struct arena *arena, const char *path, const char **version)
{
	uint8_t series[SERIES_BYTES];
	size_t  count;
	char   *text = NULL;

	*edition = (struct edition){ 0 };
	if (access(path, F_OK) == 0)
		text = file_read(arena, path, FILE_MAX, &count, NULL);
	if (text != NULL && read_line(edition, text, version))
		return;
	edition->number = 0;
	digest_random(series, sizeof(series));
	digest_hex(series, sizeof(series), edition->series);
	*version = "";
}

bool
edition_of(struct edition *edition, const char *folder, const char *version, int64_t now_ms,
    struct err *err)
{
	struct arena *arena = arena_new();
	const char   *path = arena_printf(arena, "%s/edition", folder);
	const char   *before, *line;
	bool          kept = true;

	read_last(edition, arena, path, &before);
	if (strcmp(before, version) != 0) {
		if (++edition->number < now_ms)
			edition->number = now_ms;
		line = arena_printf(
		    arena, "%s %" PRId64 " %s\n", edition->series, edition->number, version);
		kept = file_replace(path, line, strlen(line), 0600, err);
	}
	arena_free(arena);
	return kept;
}
