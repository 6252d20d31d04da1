/* Any text as an application's log: each address has host and port, none stands twice, and a
 * refusal says why. */
#include "agent/pasted.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena *arena = arena_new();
	struct pasted pasted = { 0 };
	struct err    err = { ERR_NONE, "" };
	bool found = pasted_scan(&pasted, arena, (const char *)bytes, count, "fuzz", &err);

	if (!found && err.text[0] == '\0')
		abort();
	if (pasted.count > PASTED_MAX || (found && pasted.count == 0))
		abort();
	for (size_t i = 0; i < pasted.count; i++) {
		if (pasted.uris[i].host[0] == '\0' || pasted.uris[i].port == 0)
			abort();
		for (size_t j = 0; j < i; j++) {
			if (pasted.uris[i].port == pasted.uris[j].port &&
			    strcmp(pasted.uris[i].host, pasted.uris[j].host) == 0)
				abort();
		}
	}
	arena_free(arena);
	return 0;
}
