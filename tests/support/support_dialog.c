#include "tests/support/support_dialog.h"

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A block of its own size, so that the sanitizer sees a read behind the end. */
static enum next
hear(const struct dialog_ops *ops, void *self, const char *bytes, size_t count, size_t *left)
{
	char       *copy = memcpy(mem_alloc(count > 0 ? count : 1), bytes, count);
	struct rcur in = rcur_of(copy, count);
	enum next   next = ops->hear(self, &in);

	*left = rcur_ok(&in) ? rcur_left(&in) : count;
	free(copy);
	return next;
}

enum next
support_dialog_run(const struct dialog_ops *ops, void *self, const void *bytes, size_t count,
    size_t stride, struct wbuf *said)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	ops->say(self, said);
	while (next == NEXT_HEAR || next == NEXT_SAY) {
		size_t left, before = taken;

		if (next == NEXT_SAY)
			ops->say(self, said);
		if (next == NEXT_HEAR || taken == offered) {
			if (offered == count)
				return NEXT_HEAR;
			offered = count - offered > stride ? offered + stride : count;
		}
		next = hear(ops, self, (const char *)bytes + taken, offered - taken, &left);
		taken = offered - left;
		assert(next != NEXT_SAY || taken > before);
	}
	return next;
}

void
support_hex_put(struct wbuf *out, const char *hex)
{
	unsigned byte;

	for (; *hex != '\0'; hex += *hex == ' ' ? 1 : 2) {
		if (*hex != ' ' && sscanf(hex, "%2x", &byte) == 1)
			wbuf_u8(out, (uint8_t)byte);
	}
}
