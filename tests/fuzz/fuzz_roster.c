/* Any text as a line of the roster: what is taken is written as it stood, and a refusal says
 * why. */
#include "collector/roster_line.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char              *text = mem_alloc(count + 1), *again = mem_alloc(count + 1);
	struct err         err = { ERR_NONE, "" };
	struct roster_line line, second;
	struct wbuf        out;

	memcpy(text, bytes, count);
	if (roster_line_parse(&line, text, &err)) {
		wbuf_init(&out);
		roster_line_write(&out, &line);
		again = mem_grow(again, out.count + 1, 1);
		memcpy(again, wbuf_text(&out), out.count);
		again[out.count - 1] = '\0';
		if (!roster_line_parse(&second, again, &err) || second.kind != line.kind ||
		    second.at_ms != line.at_ms || strcmp(second.agent, line.agent) != 0)
			abort();
		wbuf_fini(&out);
	} else if (err.text[0] == '\0') {
		abort();
	}
	free(text);
	free(again);
	return 0;
}
