/* conf_unit: numbers with units, in and out: "30s", "256MiB".
 *
 * Whole numbers only, and the unit is never guessed: a bare number is refused but for 0.
 */
#ifndef BASE_CONF_UNIT_H
#define BASE_CONF_UNIT_H

#include "base/conf.h"

enum { CONF_UNIT_TEXT = 32 };

/* CONF_NUMBER, CONF_MS or CONF_BYTES; the text says what was wanted. */
bool conf_unit_parse(
    int64_t *value, enum conf_type type, const char *text, struct err *err) MUST_CHECK;

/* With the largest unit that leaves a whole number.  text holds CONF_UNIT_TEXT.  Returns text. */
char *conf_unit_render(int64_t value, enum conf_type type, char *text, size_t room);

#endif
