#include "base/table.h"

#include "base/arena.h"

#include <assert.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_PRESET = 80 };

struct table {
	struct libscols_table *lines; /* owned */
	size_t                 column_count;
};

/* libsmartcols takes colours by name or as an escape sequence. */
static const char *const inks[] = {
	[TABLE_PLAIN] = NULL,
	[TABLE_GREEN] = "green",
	[TABLE_YELLOW] = "yellow",
	[TABLE_RED] = "red",
	[TABLE_GREY] = "darkgray",
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
	scols_table_set_termwidth(table->lines, width != 0 ? width : measure_terminal());
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

void
table_wrap(struct table *table, size_t column)
{
	assert(column < table->column_count);
	scols_column_set_flags(scols_table_get_column(table->lines, column), SCOLS_FL_WRAP);
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
	if (inks[ink] != NULL)
		must(scols_cell_set_color(scols_line_get_cell(line, column), inks[ink]) == 0);
}

/* Without the spaces that pad the last column; whether the last line ends in a newline differs
 * between versions of the library. */
void
table_print(struct table *table, struct wbuf *out)
{
	char       *text = NULL;
	const char *line;

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

/* NO_COLOR counts when it is there and not empty [no-color]. */
bool
table_colour(int fd, bool refused)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (refused || (none != NULL && none[0] != '\0'))
		return false;
	return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}
