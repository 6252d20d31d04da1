#include "analyze/support_md.h"

#include "analyze/support.h"

#include <string.h>

static void
put_mode(const struct support_row *row, struct arena *arena, struct wbuf *out)
{
	const char *versions = support_versions(arena, row);

	wbuf_printf(out, "%s%s%s, %s", support_services[row->service].title,
	    versions[0] != '\0' ? " " : "", versions, support_mode_word(row->mode));
}

static void
put_rows(struct arena *arena, struct wbuf *out)
{
	wbuf_printf(out,
	    "## With private endpoints\n\n"
	    "| API and mode | article of %s | today | as of | source |\n"
	    "| --- | --- | --- | --- | --- |\n",
	    support_article_date);
	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		wbuf_puts(out, "| ");
		put_mode(row, arena, out);
		wbuf_printf(out, " | %s | **%s** | %s | %s |\n", support_state_word(row->then),
		    support_state_word(row->now), row->source_date, row->source);
	}
	wbuf_puts(out, "\n");
	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		if (row->note[0] == '\0' && row->hint[0] == '\0')
			continue;
		wbuf_puts(out, "- **");
		put_mode(row, arena, out);
		wbuf_printf(out, "**: %s%s%s\n", row->note,
		    row->note[0] != '\0' && row->hint[0] != '\0' ? ". " : "", row->hint);
	}
}

static void
put_range(uint16_t first, uint16_t last, struct wbuf *out)
{
	if (last != 0)
		wbuf_printf(out, "%u-%u", first, last);
}

static void
put_services(struct wbuf *out)
{
	wbuf_puts(out,
	    "\n## Ports and group ids\n\n"
	    "| API | name | group id | port | Direct | Direct, private endpoint | source |\n"
	    "| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < SUPPORT_SERVICE_COUNT; i++) {
		const struct support_desc *desc = &support_services[i];
		struct support_ports       wide = support_ports((enum support_service)i, false);
		struct support_ports       close = support_ports((enum support_service)i, true);

		wbuf_printf(out, "| %s | `%s` | %s%s%s | %u | ", desc->title, desc->word,
		    desc->group, desc->also[0] != '\0' ? ", " : "", desc->also, desc->port);
		put_range(wide.direct_first, wide.direct_last, out);
		wbuf_puts(out, " | ");
		put_range(close.direct_first, close.direct_last, out);
		wbuf_printf(out, " | %s |\n", desc->port_source);
	}
}

static void
put_clouds(struct wbuf *out)
{
	wbuf_puts(
	    out, "\n## Clouds\n\n| cloud | other names | suffixes |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < CLOUD_COUNT; i++) {
		const struct support_cloud *desc = &support_clouds[i];
		const char                 *between = desc->words[0] != '\0' ? "; " : "";

		wbuf_printf(out, "| %s | %s | %s", desc->word, desc->aliases, desc->words);
		for (const struct support_suffix *name = support_suffixes; name->suffix != NULL;
		     name++) {
			if (name->cloud != i)
				continue;
			wbuf_printf(out, "%s`%s`", between, name->suffix);
			between = ", ";
		}
		wbuf_puts(out, " |\n");
	}
}

void
support_md(struct wbuf *out)
{
	struct arena *arena = arena_new();

	wbuf_printf(out,
	    "# Support\n\n"
	    "Generated from `analyze/support.def` by `gen-docs support`; do not edit.\n\n"
	    "What Azure Cosmos DB takes through private endpoints, as known on %s. A private "
	    "zone is `privatelink.` and the suffix. Where an account's own document says "
	    "otherwise, the document is right. Sources are keys of "
	    "[REFERENCES.md](REFERENCES.md); the article is cosmos-privatelink-article.\n\n",
	    support_date);
	put_rows(arena, out);
	put_services(out);
	put_clouds(out);
	arena_free(arena);
}
