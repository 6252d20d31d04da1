/* Any text as resolv.conf: each server is an address with port 53, none twice. */
#include "probe/dns/resolvers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum { ROOM = 8 };

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	char       *text = malloc(count + 1);
	struct addr servers[ROOM];
	size_t      found;

	memcpy(text, bytes, count);
	text[count] = '\0';
	found = resolvers_parse(text, servers, ROOM);
	if (found > ROOM)
		abort();
	for (size_t i = 0; i < found; i++) {
		if (servers[i].family == 0 || servers[i].port != 53)
			abort();
		for (size_t j = 0; j < i; j++) {
			if (addr_equal(&servers[i], &servers[j]) &&
			    servers[i].scope == servers[j].scope)
				abort();
		}
	}
	free(text);
	return 0;
}
