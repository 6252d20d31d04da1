/* modes: the words by which people name connection modes, as flags of names.h. */
#ifndef ANALYZE_MODES_H
#define ANALYZE_MODES_H

#include "base/err.h"

/* One word, "gateway", "direct", "gateway-v2" or "all", added to *flags (NAMES_GATEWAY and the
 * like).  A refusal says what was wanted, and what was perhaps meant. */
bool modes_add(unsigned *flags, const char *word, struct err *err) MUST_CHECK;
/* Several, with ',' between; "direct-https" among them is NAMES_DIRECT_HTTPS. */
bool modes_parse(unsigned *flags, const char *text, struct err *err) MUST_CHECK;

#endif
