/* fuzz_rntbd_uri: any text as the address of a replica: a refusal says where and what was wanted;
 * what is taken is written down as an address that reads back as the same. */
#include "base/text.h"
#include "probe/rntbd/rntbd_uri.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check(bool good)
{
	if (!good)
		abort();
}

static void
check_uri(const struct rntbd_uri *uri)
{
	size_t path = strlen(uri->path);

	check(uri->host[0] != '\0' && uri->port != 0);
	for (const char *c = uri->host; *c != '\0'; c++)
		check((unsigned char)*c > ' ' && (unsigned char)*c < 0x7f &&
		    *c == text_lower(*c));
	check(path == 0 || (uri->path[0] == '/' && uri->path[path - 1] != '/'));
	check(uri->primary == (path > 1 && uri->path[path - 1] == 'p'));
}

static void
check_again(const struct rntbd_uri *uri, struct arena *arena)
{
	bool             address = strchr(uri->host, ':') != NULL;
	const char      *text = arena_printf(arena, "rntbd://%s%s%s:%u%s/", address ? "[" : "",
	         uri->host, address ? "]" : "", uri->port, uri->path);
	struct rntbd_uri again;

	if (strlen(text) > RNTBD_URI_MAX_BYTES)
		return;
	check(rntbd_uri_parse(&again, text, strlen(text), arena, NULL));
	check(strcmp(again.host, uri->host) == 0 && again.port == uri->port);
	check(strcmp(again.path, uri->path) == 0 && again.primary == uri->primary);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena    *arena = arena_new();
	struct rntbd_uri uri;
	struct err       err = { ERR_NONE, "" };

	if (rntbd_uri_parse(&uri, (const char *)bytes, count, arena, &err)) {
		check(err.text[0] == '\0');
		check_uri(&uri);
		check_again(&uri, arena);
	} else {
		check(strstr(err.text, "wanted") != NULL);
	}
	arena_free(arena);
	return 0;
}
