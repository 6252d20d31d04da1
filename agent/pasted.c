#include "agent/pasted.h"

#include "base/file.h"

#include <string.h>

static const char scheme[] = "rntbd:";

/* What can stand in such a URI; anything else ends it. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-._~:/?#[]@!$&*+;=%\\";

static bool
is_there(const struct pasted *pasted, const struct rntbd_uri *uri)
{
	for (size_t i = 0; i < pasted->count; i++) {
		if (pasted->uris[i].port == uri->port &&
		    strcmp(pasted->uris[i].host, uri->host) == 0)
			return true;
	}
	return false;
}

static bool
keep(struct pasted *pasted, struct arena *arena, const struct rntbd_uri *uri, struct err *err)
{
	if (is_there(pasted, uri))
		return true;
	if (pasted->uris == NULL)
		pasted->uris = arena_array(arena, PASTED_MAX, sizeof(*pasted->uris));
	if (pasted->count == PASTED_MAX)
		return err_set(err, ERR_LIMIT, "more than %d different addresses", PASTED_MAX);
	pasted->uris[pasted->count++] = *uri;
	return true;
}

bool
pasted_add(struct pasted *pasted, struct arena *arena, const char *text, struct err *err)
{
	struct rntbd_uri uri;

	return rntbd_uri_parse(&uri, text, strlen(text), arena, err) &&
	    keep(pasted, arena, &uri, err);
}

/* Without the '\' before a '/', and without what ends a sentence. */
static size_t
unescape(const char *text, size_t count, char *into, size_t room)
{
	size_t length = 0;

	for (size_t i = 0; i < count && length < room; i++) {
		if (text[i] != '\\')
			into[length++] = text[i];
		else if (i + 1 == count || text[i + 1] != '/')
			break; /* "\n", "\"": the text around it goes on */
	}
	while (length > 0 && strchr(".:;!?", into[length - 1]) != NULL)
		length--;
	return length;
}

static size_t
span_letters(const char *text, size_t count)
{
	size_t length = 0;

	while (length < count && text[length] != '\0' && strchr(letters, text[length]) != NULL)
		length++;
	return length;
}

bool
pasted_scan(struct pasted *pasted, struct arena *arena, const char *text, size_t count,
    const char *source, struct err *err)
{
	const char *at = text, *end = text + count;
	size_t      before = pasted->count, found = 0;

	while ((at = memmem(at, (size_t)(end - at), scheme, strlen(scheme))) != NULL) {
		size_t           length = span_letters(at, (size_t)(end - at));
		char             copy[RNTBD_URI_MAX_BYTES];
		struct rntbd_uri uri;

		if (rntbd_uri_parse(
		        &uri, copy, unescape(at, length, copy, sizeof(copy)), arena, NULL)) {
			found++;
			if (!keep(pasted, arena, &uri, err))
				return err_in(err, "%s", source);
		}
		at += strlen(scheme);
	}
	if (found == 0 && pasted->count == before)
		return err_set(err, ERR_PARSE,
		    "%s: no address of a replica in it: rntbd://host:port/... wanted, as the "
		    "diagnostics of an SDK have them",
		    source);
	return true;
}

bool
pasted_read(struct pasted *pasted, struct arena *arena, const char *path, struct err *err)
{
	size_t count;
	char  *text = file_read(arena, path, PASTED_FILE_MAX_BYTES, &count, err);

	return text != NULL &&
	    pasted_scan(pasted, arena, text, count,
	        strcmp(path, "-") == 0 ? "standard input" : path, err);
}
