/* feed_percent: percent-encoding of what is no URL yet [rfc3986 2.1]. */
#ifndef PROBE_FEED_FEED_PERCENT_H
#define PROBE_FEED_FEED_PERCENT_H

#include "base/arena.h"

/* Everything but the unreserved characters [rfc3986 2.3] becomes %xx, in lower case as the .NET
 * SDK writes it.  `to` holds at least 3 * count bytes; returns the end, where nothing is written. */
char *feed_percent_put(char *to, const char *text, size_t count);

/* The same in the arena, as a text. */
const char *feed_percent_text(struct arena *arena, const char *text);

#endif
