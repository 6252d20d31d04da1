/* Whatever the text: the account's name is nowhere in what comes out. */
#include "agent/redact.h"
#include "base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena  *arena = arena_new();
	struct redact *redact = redact_new(arena);
	const char    *text = arena_strndup(arena, (const char *)bytes, count);

	redact_word(redact, REDACT_ACCOUNT, "contoso");
	if (text_find_nocase(redact_text(redact, text), "contoso") != NULL)
		abort();
	arena_free(arena);
	return 0;
}
