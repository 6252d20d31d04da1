#include "base/table.h"

#include "base/arena.h"

#include <assert.h>
#include <langinfo.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

/* GAP: what the library puts between two columns. */
enum { WIDTH_PRESET = 80, GAP = 1 };

struct table {
	struct libscols_table *lines; /* owned */
	size_t                 column_count;
	unsigned               width;
};

/* Of one column, in characters. */
struct extent {
	size_t header, longest_word, widest, given;
};

/* libsmartcols takes colours by name or as an escape sequence, and its "yellow" is another one. */
static const char *const inks[] = {
	[TABLE_PLAIN] = "",
	[TABLE_GREEN] = "\033[32m",
	[TABLE_YELLOW] = "\033[33m",
	[TABLE_RED] = "\033[31m",
	[TABLE_GREY] = "\033[90m",
	[TABLE_BOLD] = "\033[1m",
};

static unsigned
measure_terminal(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return WIDTH_PRESET;
}

/* The library's only failures are lack of memory and wrong arguments. */
static void
must(bool done)
{
	if (!done)
		abort();
}

struct table *
table_new(const char *const *columns, unsigned width, bool colour)
{
	struct table *table = mem_alloc(sizeof(*table));

	table->lines = scols_new_table();
	must(table->lines != NULL);
	for (; columns[table->column_count] != NULL; table->column_count++)
		must(scols_table_new_column(table->lines, columns[table->column_count], 0, 0) !=
		    NULL);
	scols_table_enable_colors(table->lines, colour);
	scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_ALWAYS);
	table->width = width != 0 ? width : measure_terminal();
	scols_table_set_termwidth(table->lines, table->width);
	return table;
}

void
table_free(struct table *table)
{
	if (table == NULL)
		return;
	scols_unref_table(table->lines);
	free(table);
}

/* fold_cells() puts newlines where lines shall break. */
void
table_wrap(struct table *table, size_t column)
{
	struct libscols_column *of = scols_table_get_column(table->lines, column);

	assert(column < table->column_count);
	must(scols_column_set_flags(of, SCOLS_FL_WRAP) == 0);
	must(scols_column_set_safechars(of, "\n") == 0);
	must(scols_column_set_wrapfunc(
	         of, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) == 0);
}

size_t
table_row(struct table *table)
{
	must(scols_table_new_line(table->lines, NULL) != NULL);
	return scols_table_get_nlines(table->lines) - 1;
}

void
table_cell(struct table *table, size_t row, size_t column, enum table_ink ink, const char *text)
{
	struct libscols_line *line = scols_table_get_line(table->lines, row);

	assert(line != NULL && column < table->column_count);
	must(scols_line_set_data(line, column, text) == 0);
	if (ink != TABLE_PLAIN)
		must(scols_cell_set_color(scols_line_get_cell(line, column), inks[ink]) == 0);
}

/* Columns that the character takes; moves on to the next. */
static size_t
take_character(const char **text, mbstate_t *state)
{
	wchar_t point;
	size_t  count = mbrtowc(&point, *text, MB_CUR_MAX, state);
	int     columns;

	if (count == 0 || count > MB_CUR_MAX) { /* no character of the locale */
		memset(state, 0, sizeof(*state));
		*text += 1;
		return 1;
	}
	columns = wcwidth(point);
	*text += count;
	return columns > 0 ? (size_t)columns : 0;
}

/* Columns of the text up to its end or to the given character. */
static size_t
measure_text(const char *text, const char *stops)
{
	const char *end = text + strcspn(text, stops);
	mbstate_t   state = { 0 };
	size_t      columns = 0;

	while (text < end)
		columns += take_character(&text, &state);
	return columns;
}

static void
measure_cell(struct extent *extent, const char *text)
{
	size_t columns = measure_text(text, "");

	if (columns > extent->widest)
		extent->widest = columns;
	for (; *text != '\0'; text += strspn(text, " ")) {
		columns = measure_text(text, " ");
		if (columns > extent->longest_word)
			extent->longest_word = columns;
		text += strcspn(text, " ");
	}
}

static const char *
find_cell(const struct table *table, size_t row, size_t column)
{
	const char *text = scols_cell_get_data(
	    scols_line_get_cell(scols_table_get_line(table->lines, row), column));

	return text != NULL ? text : "";
}

static bool
is_wrapped(const struct table *table, size_t column)
{
	return scols_column_is_wrap(scols_table_get_column(table->lines, column)) != 0;
}

static void
measure_column(const struct table *table, size_t column, struct extent *extent)
{
	struct libscols_column *of = scols_table_get_column(table->lines, column);

	extent->header = extent->longest_word = extent->widest = measure_text(
	    scols_cell_get_data(scols_column_get_header(of)), ""); /* which does not break */
	for (size_t row = 0; row < scols_table_get_nlines(table->lines); row++)
		measure_cell(extent, find_cell(table, row, column));
	extent->given = extent->widest;
}

/* The widest of the wrapped columns gives up one character, so long as it holds its longest word;
 * when none does, long words have to break.  The library does not break headers. */
static bool
narrow(const struct table *table, struct extent *extents, bool break_words)
{
	struct extent *widest = NULL;

	for (size_t i = 0; i < table->column_count; i++) {
		struct extent *extent = &extents[i];
		size_t         least = break_words ? extent->header : extent->longest_word;

		if (is_wrapped(table, i) && extent->given > least &&
		    (widest == NULL || extent->given > widest->given))
			widest = extent;
	}
	if (widest != NULL)
		widest->given--;
	return widest != NULL;
}

static void
share_width(const struct table *table, struct extent *extents)
{
	size_t total = (table->column_count - 1) * GAP;

	for (size_t i = 0; i < table->column_count; i++)
		total += extents[i].given;
	while (total > table->width &&
	    (narrow(table, extents, false) || narrow(table, extents, true)))
		total--;
}

/* The text with newlines, so that no line is longer than that: at blanks where there are any. */
static char *
fold_text(const char *text, size_t columns)
{
	struct wbuf out;
	mbstate_t   state = { 0 };
	size_t      used = 0;

	wbuf_init(&out);
	while (*text != '\0') {
		size_t blanks = strspn(text, " ");
		size_t word = measure_text(text + blanks, " ");

		if (used > 0 && used + blanks + word > columns) {
			wbuf_puts(&out, "\n");
			used = 0;
		} else {
			wbuf_put(&out, text, blanks);
			used += blanks;
		}
		text += blanks;
		while (*text != '\0' && *text != ' ') {
			const char *from = text;
			size_t      taken = take_character(&text, &state);

			if (used > 0 && used + taken > columns) {
				wbuf_puts(&out, "\n");
				used = 0;
			}
			wbuf_put(&out, from, (size_t)(text - from));
			used += taken;
		}
	}
	wbuf_u8(&out, '\0');
	return wbuf_take(&out);
}

/* The library breaks lines at any character; here they break before it sees them. */
static void
fold_cells(struct table *table)
{
	struct extent *extents = mem_alloc((table->column_count + 1) * sizeof(*extents));

	for (size_t i = 0; i < table->column_count; i++)
		measure_column(table, i, &extents[i]);
	share_width(table, extents);
	for (size_t i = 0; i < table->column_count; i++) {
		for (size_t row = 0;
		     is_wrapped(table, i) && row < scols_table_get_nlines(table->lines); row++)
			must(scols_line_refer_data(scols_table_get_line(table->lines, row), i,
			         fold_text(find_cell(table, row, i), extents[i].given)) == 0);
	}
	free(extents);
}

/* Without the spaces that pad the last column; whether the last line ends in a newline differs
 * between versions of the library. */
void
table_print(struct table *table, struct wbuf *out)
{
	char       *text = NULL;
	const char *line;

	fold_cells(table);
	must(scols_print_table_to_string(table->lines, &text) == 0);
	for (line = text; line != NULL && *line != '\0';) {
		size_t count = strcspn(line, "\n"), used = count;

		while (used > 0 && line[used - 1] == ' ')
			used--;
		wbuf_put(out, line, used);
		wbuf_puts(out, "\n");
		line += count + (line[count] == '\n');
	}
	free(text);
}

const char *
table_ink_on(enum table_ink ink, bool colour)
{
	return colour ? inks[ink] : "";
}

const char *
table_ink_off(enum table_ink ink, bool colour)
{
	return colour && ink != TABLE_PLAIN ? "\033[0m" : "";
}

bool
table_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* NO_COLOR counts when it is there and not empty [no-color]. */
bool
table_colour(int fd, bool refused)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (refused || (none != NULL && none[0] != '\0'))
		return false;
	return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}
