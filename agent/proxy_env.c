#include "agent/proxy_env.h"

#include "base/addr.h"
#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 64 * 1024 };

/* In the order in which they are asked.  http_proxy is for http:// alone. */
static const char *const https_names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
	"ALL_PROXY", NULL };
static const char *const none_names[] = { "no_proxy", "NO_PROXY", NULL };

static const char *
get_variable(const char *const *environment, const char *name)
{
	size_t count = strlen(name);

	for (; *environment != NULL; environment++) {
		if (strncmp(*environment, name, count) == 0 && (*environment)[count] == '=')
			return *environment + count + 1;
	}
	return "";
}

/* A line of /etc/environment, as pam_env reads it: NAME=value or export NAME=value, the value in
 * quotes or not, and no more.  NULL when it is another. */
static char *
read_line(struct arena *arena, const char *line, size_t count, const char *name)
{
	static const char export[] = "export ";
	size_t name_count = strlen(name);
	char  *copy = arena_strndup(arena, line, count);
	char  *value;

	copy += strspn(copy, " \t");
	if (strncmp(copy, export, strlen(export)) == 0)
		copy += strlen(export);
	if (strncmp(copy, name, name_count) != 0 || copy[name_count] != '=')
		return NULL;
	value = copy + name_count + 1;
	count = strlen(value);
	while (count > 0 && strchr(" \t\r", value[count - 1]) != NULL)
		value[--count] = '\0';
	if (count >= 2 && strchr("\"'", value[0]) != NULL && value[count - 1] == value[0]) {
		value[count - 1] = '\0';
		value++;
	}
	return value;
}

/* The last line of a name counts. */
static const char *
get_line(struct arena *arena, const char *file, const char *name)
{
	const char *value = "";

	while (*file != '\0') {
		size_t      count = strcspn(file, "\n");
		const char *read = read_line(arena, file, count, name);

		if (read != NULL)
			value = read;
		file += count + (file[count] == '\n');
	}
	return value;
}

static const char *
get_first(struct arena *arena, const char *const *environment, const char *file,
    const char *const *names)
{
	const char *value = "";

	for (size_t i = 0; names[i] != NULL && value[0] == '\0'; i++)
		value = get_variable(environment, names[i]);
	for (size_t i = 0; names[i] != NULL && value[0] == '\0' && file != NULL; i++)
		value = get_line(arena, file, names[i]);
	return arena_strdup(arena, value);
}

struct proxy_env
proxy_env_read(struct arena *arena, const char *const *environment, const char *file)
{
	return (struct proxy_env){
		.https = get_first(arena, environment, file, https_names),
		.none = get_first(arena, environment, file, none_names),
	};
}

/* The first `bits` bits of both. */
static bool
has_prefix(const struct addr *left, const struct addr *right, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (left->family != right->family || bits > (left->family == 4 ? 32u : 128u))
		return false;
	if (memcmp(left->bytes, right->bytes, whole) != 0)
		return false;
	return rest == 0 || (left->bytes[whole] ^ right->bytes[whole]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8", or an address alone. */
static bool
covers_address(const char *item, const struct addr *host)
{
	char        copy[ADDR_TEXT];
	size_t      count = strcspn(item, "/");
	struct addr net;
	unsigned    bits;
	char       *end = copy;

	if (count >= sizeof(copy))
		return false;
	memcpy(copy, item, count);
	copy[count] = '\0';
	if (!addr_parse(&net, copy, 443, NULL))
		return false;
	bits = net.family == 4 ? 32 : 128;
	if (item[count] == '/') {
		bits = (unsigned)strtoul(item + count + 1, &end, 10);
		if (item[count + 1] < '0' || item[count + 1] > '9' || *end != '\0')
			return false;
	}
	return has_prefix(&net, host, bits);
}

/* The name itself and all below it; dots before and behind do not count. */
static bool
covers_name(char *item, const char *host)
{
	size_t count = strlen(item), host_count = strlen(host);

	if (count > 0 && item[count - 1] == '.')
		item[--count] = '\0';
	if (item[0] == '.') {
		item++;
		count--;
	}
	if (host_count > 0 && host[host_count - 1] == '.')
		host_count--;
	if (count == 0 || count > host_count ||
	    strncasecmp(host + host_count - count, item, count) != 0)
		return false;
	return count == host_count || host[host_count - count - 1] == '.';
}

static bool
is_exempt(struct arena *arena, const char *none, const char *host)
{
	static const char between[] = ", \t";
	char             *copy = arena_strdup(arena, none), *rest = NULL, *item;
	struct addr       addr;
	bool              literal = addr_parse(&addr, host, 443, NULL);

	if (strcmp(none, "*") == 0) /* alone, and not one of several */
		return true;
	item = strtok_r(copy, between, &rest);
	for (; item != NULL; item = strtok_r(NULL, between, &rest)) {
		if (literal ? covers_address(item, &addr) : covers_name(item, host))
			return true;
	}
	return false;
}

/* Behind "scheme://"; a password may hold a "://" as well [rfc3986 3.1]. */
static const char *
skip_scheme(const char *url)
{
	static const char taken[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
	size_t count = strspn(url, taken);

	return count > 0 && strncmp(url + count, "://", 3) == 0 ? url + count + 3 : url;
}

/* Without what stands before the last '@' of its authority. */
static const char *
strip_user(struct arena *arena, const char *url)
{
	const char *host = skip_scheme(url);
	size_t      authority = strcspn(host, "/?#"), at = authority;
	const char *scheme = arena_strndup(arena, url, (size_t)(host - url));

	while (at > 0 && host[at - 1] != '@')
		at--;
	/* A password with a '/' or '#' in it: nothing of the URL can be told apart. */
	if (strchr(host + authority, '@') != NULL)
		return arena_printf(arena, "%s...%s", scheme, strrchr(host, '@') + 1);
	url = arena_strndup(arena, host + at, authority - at);
	return arena_printf(arena, "%s%s", scheme, url);
}

const char *
proxy_env_find(struct arena *arena, const struct proxy_env *env, const char *host)
{
	const char *proxy;

	if (env->https[0] == '\0' || is_exempt(arena, env->none, host))
		return "";
	proxy = strip_user(arena, env->https);
	return text_sane(arena, proxy, strlen(proxy), PROXY_ENV_TEXT_MAX);
}

struct proxy_env
proxy_env_system(struct arena *arena)
{
	size_t count;

	return proxy_env_read(arena, (const char *const *)environ,
	    file_read(arena, "/etc/environment", FILE_MAX_BYTES, &count, NULL));
}
