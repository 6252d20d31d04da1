/* Any bytes as the answer of the instance metadata service: a token that is taken could stand in a
 * header, a refusal has a reason, and what an error says is sane. */
#include "base/token_json.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check_token(const struct token_answer *token)
{
	size_t count = strlen(token->text);

	if (count == 0 || count >= sizeof(token->text))
		abort();
	for (size_t i = 0; i < count; i++) {
		if (token->text[i] <= ' ' || token->text[i] > '~')
			abort();
	}
	if (token->expires_s < -1 || token->left_s < -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct token_answer token;
	struct arena              *arena = arena_new();
	struct err                 err = { .text = "" };
	const char                *trouble;

	if (token_json_read(&token, "x", (const char *)bytes, count, &err))
		check_token(&token);
	else if (err.text[0] == '\0' || token.text[0] != '\0')
		abort();
	trouble = token_json_trouble(arena, (const char *)bytes, count);
	if (strcmp(text_sane(arena, trouble, strlen(trouble), 255), trouble) != 0)
		abort();
	arena_free(arena);
	return 0;
}
