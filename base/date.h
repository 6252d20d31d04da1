/* date: a date of an HTTP header, "Sun, 06 Nov 1994 08:49:37 GMT" [rfc9110 5.6.7].
 *
 * The preferred form alone, whatever the locale; there is no other that a peer of ours sends.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include <stdbool.h>
#include <stdint.h>

enum { DATE_TEXT = 30 }; /* bytes, with the NUL */

/* To Unix time.  The name of the day is not held against the date.  false: not that form, or no
 * date; NULL is none. */
bool date_parse(int64_t *wall_s, const char *text);

/* From Unix time; what is outside of the years 1970 to 9999 becomes the nearest within. */
void date_render(char text[DATE_TEXT], int64_t wall_ms);

#endif
