/* fuzz_authorization: what a stranger may send as Authorization. */
#include "collector/authorization.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_in(const char *part, const char *whole, size_t count)
{
	return part >= whole && part + strlen(part) <= whole + count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authorization shown;
	char                *header = mem_alloc(size + 1);

	if (size > 0)
		memcpy(header, data, size);
	header[size] = '\0';
	authorization_parse(&shown, header);
	if (shown.kind == AUTHORIZATION_BEARER && !is_in(shown.token, header, size))
		abort();
	if (shown.kind == AUTHORIZATION_BASIC &&
	    (!is_in(shown.name, shown.text, sizeof(shown.text) - 1) ||
	        !is_in(shown.password, shown.text, sizeof(shown.text) - 1) ||
	        strchr(shown.name, ':') != NULL || strlen(shown.name) > READERS_NAME_MAX ||
	        strlen(shown.password) > PASSWORD_MOST))
		abort();
	free(header);
	return 0;
}
