#include "probe/feed/feed_percent.h"

#include <string.h>

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("-._~", c) != NULL);
}

char *
feed_percent_put(char *to, const char *text, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (is_unreserved(text[i])) {
			*to++ = text[i];
			continue;
		}
		*to++ = '%';
		*to++ = digits[byte >> 4];
		*to++ = digits[byte & 15];
	}
	return to;
}

const char *
feed_percent_text(struct arena *arena, const char *text)
{
	size_t count = strlen(text);
	char  *encoded = arena_alloc(arena, 3 * count + 1);

	*feed_percent_put(encoded, text, count) = '\0';
	return encoded;
}
