/* table: a text table for a terminal, over libsmartcols.
 *
 * Knows columns, cells and colours; not what is in them.  Colour only when asked for.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/wbuf.h"

#include <stdbool.h>
#include <stddef.h>

struct table;

enum table_ink { TABLE_PLAIN, TABLE_GREEN, TABLE_YELLOW, TABLE_RED, TABLE_GREY, TABLE_BOLD };

/* columns ends with NULL; width 0 is the terminal's (80 when there is none). */
struct table *table_new(const char *const *columns, unsigned width, bool colour);
void          table_free(struct table *table);                /* NULL is fine */
void          table_wrap(struct table *table, size_t column); /* long cells break at blanks */
size_t        table_row(struct table *table);                 /* adds one; its number */
void          table_cell(
             struct table *table, size_t row, size_t column, enum table_ink ink, const char *text);
void table_print(struct table *table, struct wbuf *out);

/* What begins text of that ink, and what ends it: "" without colour and for TABLE_PLAIN. */
const char *table_ink_on(enum table_ink ink, bool colour);
const char *table_ink_off(enum table_ink ink, bool colour);

/* Whether to colour what goes to this descriptor: a terminal, NO_COLOR unset, TERM not dumb. */
bool table_colour(int fd, bool refused);
/* Whether the characters of the locale are UTF-8, so that branches may be drawn with its lines. */
bool table_utf8(void);

#endif
