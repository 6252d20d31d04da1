#include "probe/thin/thin_spec.h"

#include "probe/https/https_spec.h"

#include <string.h>

enum { HTTPS_PORT = 443 };

bool
thin_spec_make(struct thin_spec *spec, const char *host, uint16_t port, struct arena *arena,
    struct err *err)
{
	size_t      count;
	const char *name;

	if (!https_spec_host_check(host, err))
		return false;
	if (port == 0)
		return err_set(err, ERR_PARSE, "no port to connect to");
	/* As in SNI: the final dot of DNS is no part of the name that a server knows. */
	count = strlen(host);
	name = arena_strndup(arena, host, host[count - 1] == '.' ? count - 1 : count);
	spec->authority = port == HTTPS_PORT ? name : arena_printf(arena, "%s:%u", name, port);
	return true;
}
