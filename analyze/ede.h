/* ede: names of extended DNS errors. */
#ifndef ANALYZE_EDE_H
#define ANALYZE_EDE_H

#include "proto/record.h"

#include "base/arena.h"

/* "No Reachable Authority" in lower case, as in the registry [rfc8914 4]; "" for a code of a later
 * document. */
const char *ede_name(unsigned code);

/* "; EDE 22 no reachable authority: \"upstream 10.0.0.9\"" for each; "" when there is none. */
const char *ede_describe(struct arena *arena, const struct dns *dns);

#endif
