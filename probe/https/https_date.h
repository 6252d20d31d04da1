/* https_date: a date of an HTTP header [rfc9110 5.6.7]. */
#ifndef PROBE_HTTPS_HTTPS_DATE_H
#define PROBE_HTTPS_HTTPS_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* The preferred form alone, "Sun, 06 Nov 1994 08:49:37 GMT", to Unix time.  The name of the day is
 * not held against the date.  false: not that form, or no date. */
bool https_date_parse(int64_t *wall_s, const char *text);

#endif
