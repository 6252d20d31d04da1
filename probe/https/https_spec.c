#include "probe/https/https_spec.h"

#include <string.h>

enum { HOST_MAX = 253, HTTPS_PORT = 443 };

static bool
is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_';
}

static bool
check_host(const char *host, struct err *err)
{
	size_t length = host != NULL ? strlen(host) : 0;

	if (length == 0)
		return err_set(err, ERR_PARSE, "no host name to ask for");
	if (length > HOST_MAX)
		return err_set(err, ERR_LIMIT, "host name of %zu characters, at most %d",
		    length, HOST_MAX);
	for (size_t i = 0; i < length; i++) {
		if (!is_host_character(host[i]))
			return err_set(err, ERR_PARSE,
			    "character %zu of the host name is none of a-z 0-9 - . _", i + 1);
	}
	return true;
}

bool
https_spec_make(struct https_spec *spec, const char *host, const struct addr *peer,
    struct arena *arena, struct err *err)
{
	char     text[ADDR_TEXT];
	unsigned port = peer->port;

	if (!check_host(host, err))
		return false;
	if (peer->family == 0 || port == 0)
		return err_set(err, ERR_PARSE, "no address and port to connect to");
	/* The port is left out where it is the scheme's own, so that Host is what a client of
	 * the service sends. */
	spec->url = port == HTTPS_PORT ? arena_printf(arena, "https://%s/", host)
	                               : arena_printf(arena, "https://%s:%u/", host, port);
	addr_render(peer, text, sizeof(text));
	spec->connect_to = arena_printf(arena, "%s:%u:%s%s%s:%u", host, port,
	    peer->family == 6 ? "[" : "", text, peer->family == 6 ? "]" : "", port);
	return true;
}
