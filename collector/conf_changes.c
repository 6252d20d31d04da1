#include "collector/conf_changes.h"

#include <string.h>

/* What reload() of collector.c takes over; `sync` is read by each run of it. */
static const char *const taken[] = { "certificate", "key", "auth", "client_ca", "client_crl",
	"certificate_life", "renewal_grace", "apis", "modes", "interval", "direct_interval",
	"timeout", "sweep", "retention", "log_level", "log_format", "sync", NULL };

static bool
is_taken(const char *name)
{
	size_t at = 0;

	while (taken[at] != NULL && strcmp(taken[at], name) != 0)
		at++;
	return taken[at] != NULL;
}

/* As they would be written down: the same words are the same setting, of whatever type. */
static bool
is_equal(const struct conf_row *row, const struct collector_conf *left,
    const struct collector_conf *right)
{
	const struct conf_row alone[] = { *row, { .name = NULL } };
	struct wbuf           texts[2];
	bool                  equal;

	wbuf_init(&texts[0]);
	wbuf_init(&texts[1]);
	conf_dump(left, alone, &texts[0]);
	conf_dump(right, alone, &texts[1]);
	equal = texts[0].count == texts[1].count &&
	    memcmp(texts[0].bytes, texts[1].bytes, texts[0].count) == 0;
	wbuf_fini(&texts[0]);
	wbuf_fini(&texts[1]);
	return equal;
}

const char *
conf_changes_late(
    const struct collector_conf *now, const struct collector_conf *fresh, struct arena *arena)
{
	const char *names = "";

	for (const struct conf_row *row = collector_conf_rows; row->name != NULL; row++) {
		if (is_taken(row->name) || is_equal(row, now, fresh))
			continue;
		names = arena_printf(
		    arena, "%s%s%s", names, names[0] != '\0' ? ", " : "", row->name);
	}
	return names;
}
