/* params: the parameters behind the '?' of a request. */
#ifndef COLLECTOR_PARAMS_H
#define COLLECTOR_PARAMS_H

#include "base/arena.h"

#include <stdint.h>

/* The decoded value of a parameter; NULL when it is absent, stands there twice, or is not
 * well-formed: bad escapes, an encoded NUL or control character, no UTF-8. */
const char *params_text(struct arena *arena, const char *query, const char *name);
/* A whole number from 0 to most; preset when it is absent or none. */
uint64_t params_number(const char *query, const char *name, uint64_t preset, uint64_t most);

#endif
