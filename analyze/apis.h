/* apis: the words by which people name APIs, as flags of names.h. */
#ifndef ANALYZE_APIS_H
#define ANALYZE_APIS_H

#include "base/err.h"

/* One word, "sql", "mongodb", "cassandra", "gremlin", "table" or "all", or a beginning that no
 * other has, added to *flags (NAMES_API()).  A refusal says what was wanted, and what was perhaps
 * meant. */
bool apis_add(unsigned *flags, const char *word, struct err *err) MUST_CHECK;
/* Several, with ',' between. */
bool apis_parse(unsigned *flags, const char *text, struct err *err) MUST_CHECK;

#endif
