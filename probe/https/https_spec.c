#include "probe/https/https_spec.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { HOST_MAX = 253, HTTPS_PORT = 443, TARGET_MAX = 16 * 1024 };

static bool
is_host_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '-' || c == '.' || c == '_';
}

bool
https_spec_host_check(const char *host, struct err *err)
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

/* An IPv6 address as it stands in a URL. */
static bool
is_bracketed(const char *text)
{
	struct addr addr;
	size_t      length = strlen(text);

	return length > 2 && text[0] == '[' && text[length - 1] == ']' &&
	    addr_parse(&addr, text, 1, NULL) && addr.family == 6;
}

static bool
check_target(const char *target, struct err *err)
{
	size_t length = strlen(target);

	if (target[0] != '/')
		return err_set(err, ERR_PARSE, "what to ask for does not begin with '/'");
	if (length > TARGET_MAX)
		return err_set(err, ERR_LIMIT, "%zu characters to ask for, at most %d", length,
		    TARGET_MAX);
	for (size_t i = 0; i < length; i++) {
		if (target[i] <= ' ' || target[i] > '~')
			return err_set(err, ERR_PARSE,
			    "character %zu of what to ask for must be encoded", i + 1);
	}
	return true;
}

bool
https_spec_make(struct https_spec *spec, const char *host, const struct addr *peer,
    const char *target, struct arena *arena, struct err *err)
{
	char     text[ADDR_TEXT];
	unsigned port = peer->port;

	if (!https_spec_host_check(host, err) || !check_target(target, err))
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
	spec->target = strcmp(target, "/") != 0 ? arena_strdup(arena, target) : NULL;
	spec->path = arena_strndup(arena, target, strcspn(target, "?"));
	return true;
}

bool
https_spec_proxy(char **host_port, const char *proxy, struct err *err)
{
	static const char scheme[] = "http://";

	const char *host, *colon;
	char       *end, *name;
	long        port;
	bool        good;

	if (!text_starts_nocase(proxy, scheme))
		return err_set(err, ERR_USAGE, "a proxy is written as http://host:port");
	host = proxy + strlen(scheme);
	colon = strrchr(host, ':');
	port = colon != NULL ? strtol(colon + 1, &end, 10) : 0;
	if (port < 1 || port > UINT16_MAX || colon[1] < '0' || colon[1] > '9' ||
	    end[strspn(end, "/")] != '\0')
		return err_set(err, ERR_USAGE,
		    "a proxy is written as http://host:port, with a port of 1 to 65535");
	name = mem_printf("%.*s", (int)(colon - host), host);
	good = is_bracketed(name) || https_spec_host_check(name, err);
	free(name);
	if (!good)
		return err_in(err, "proxy");
	*host_port = mem_printf("%.*s:%ld", (int)(colon - host), host, port);
	return true;
}
