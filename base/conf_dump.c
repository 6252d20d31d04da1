#include "base/conf.h"

#include "base/conf_unit.h"
#include "base/text.h"

#include <string.h>

static bool
needs_escape(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 ||
	    point == 0x2029 || point == 0xfeff || point == 0xfffe || point == 0xffff;
}

/* Double-quoted, as YAML reads it back [yaml 5.7]. */
static void
put_text(struct wbuf *out, const char *text)
{
	size_t   left = strlen(text), width;
	uint32_t point = 0;

	wbuf_puts(out, "\"");
	for (; left > 0; text += width, left -= width) {
		width = text_point(text, left, &point);
		if (width == 0) {
			wbuf_puts(out, "?");
			width = 1;
		} else if (point == '"' || point == '\\') {
			wbuf_printf(out, "\\%c", (int)point);
		} else if (needs_escape(point)) {
			wbuf_printf(out, "\\u%04x", (unsigned)point);
		} else {
			wbuf_put(out, text, width);
		}
	}
	wbuf_puts(out, "\"");
}

static void
put_texts(struct wbuf *out, const struct conf_texts *list)
{
	wbuf_puts(out, "[");
	for (size_t i = 0; i < list->count; i++) {
		wbuf_puts(out, i != 0 ? ", " : "");
		put_text(out, list->texts[i]);
	}
	wbuf_puts(out, "]");
}

static void put_value(struct wbuf *out, const void *from, const struct conf_row *row);

/* Each mapping in a line of its own: readable, and never in doubt about indentation. */
static void
put_list(struct wbuf *out, const struct conf_list *list, const struct conf_row *row)
{
	const char *at = list->rows;

	if (list->count == 0)
		wbuf_puts(out, " []");
	for (size_t i = 0; i < list->count; i++, at += row->row_bytes) {
		wbuf_puts(out, "\n  - {");
		for (const struct conf_row *inner = row->rows; inner->name != NULL; inner++) {
			wbuf_printf(out, "%s%s:", inner != row->rows ? ", " : " ", inner->name);
			put_value(out, at, inner);
		}
		wbuf_puts(out, " }");
	}
}

static void
put_value(struct wbuf *out, const void *from, const struct conf_row *row)
{
	const void *place = (const char *)from + row->at;
	char        text[CONF_UNIT_TEXT];

	if (row->type != CONF_LIST)
		wbuf_puts(out, " ");
	switch (row->type) {
	case CONF_TEXT:
	case CONF_PATH: put_text(out, *(const char *const *)place); break;
	case CONF_BOOL: wbuf_puts(out, *(const bool *)place ? "true" : "false"); break;
	case CONF_NUMBER:
	case CONF_MS:
	case CONF_BYTES:
		wbuf_puts(out,
		    conf_unit_render(*(const int64_t *)place, row->type, text, sizeof(text)));
		break;
	case CONF_TEXTS: put_texts(out, place); break;
	case CONF_LIST: put_list(out, place, row); break;
	}
}

static void
put_bounds(struct wbuf *out, const struct conf_row *row)
{
	char low[CONF_UNIT_TEXT], high[CONF_UNIT_TEXT];

	if (row->low == 0 && row->high == 0)
		return;
	wbuf_printf(out, " (%s to %s%s)",
	    conf_unit_render(row->low, row->type, low, sizeof(low)),
	    conf_unit_render(row->high, row->type, high, sizeof(high)),
	    row->type == CONF_TEXT || row->type == CONF_PATH        ? " characters"
	        : row->type == CONF_TEXTS || row->type == CONF_LIST ? " entries"
	                                                            : "");
}

static void
put_help(struct wbuf *out, const char *front, const struct conf_row *row)
{
	wbuf_printf(out, "%s%s", front, row->help);
	put_bounds(out, row);
	wbuf_puts(out, "\n");
}

void
conf_dump(const void *from, const struct conf_row *rows, struct wbuf *out)
{
	for (const struct conf_row *row = rows; row->name != NULL; row++) {
		const struct conf_row *inner = row->rows;

		wbuf_puts(out, row != rows ? "\n" : "");
		put_help(out, "# ", row);
		for (; inner != NULL && inner->name != NULL; inner++) {
			wbuf_printf(out, "#   %s: ", inner->name);
			put_help(out, "", inner);
		}
		wbuf_printf(out, "%s:", row->name);
		put_value(out, from, row);
		wbuf_puts(out, "\n");
	}
}
