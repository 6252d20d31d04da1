#include "probe/refusal.h"

#include "base/addr.h"
#include "base/text.h"
#include "proto/record.h"

#include <string.h>

/* A GUID, with something to spare for a service that writes it otherwise. */
enum { ACTIVITY_ID_MAX = 64 };

/* The word behind the first "IP " that is an address: the service writes "from IP 1.2.3.4
 * through" or, in its documentation, "from client IP {1.2.3.4}". */
const char *
refusal_client(const char *words, struct arena *arena)
{
	const char *word = words;
	struct addr addr;
	char        text[ADDR_TEXT];

	while ((word = text_find_nocase(word, "IP ")) != NULL) {
		char  *copy;
		size_t length;

		word += strlen("IP ");
		word += strspn(word, " {[(");
		length = strspn(word, "0123456789abcdefABCDEF.:");
		copy = arena_strndup(arena, word, length);
		while (length > 0 && (copy[length - 1] == '.' || copy[length - 1] == ':'))
			copy[--length] = '\0';
		if (addr_parse(&addr, copy, 0, NULL))
			return arena_strdup(arena, addr_render(&addr, text, sizeof(text)));
	}
	return "";
}

uint32_t
refusal_path(const char *words)
{
	const char *origin = text_find_nocase(words, "originated from");

	if (origin == NULL)
		return PATH_NOT_TOLD;
	if (text_find_nocase(origin, "public internet") != NULL)
		return PATH_PUBLIC_INTERNET;
	if (text_find_nocase(origin, "service endpoint") != NULL)
		return PATH_SERVICE_ENDPOINT;
	if (text_find_nocase(origin, "private endpoint") != NULL)
		return PATH_PRIVATE_ENDPOINT;
	return PATH_NOT_TOLD;
}

bool
refusal_is_of_firewall(const char *words)
{
	return refusal_path(words) != PATH_NOT_TOLD ||
	    text_find_nocase(words, "account firewall settings") != NULL;
}

const char *
refusal_activity_id(const char *words, struct arena *arena)
{
	static const char before[] = "ActivityId: ";
	const char       *id = text_find_nocase(words, before);
	size_t            length;

	if (id == NULL)
		return "";
	id += strlen(before);
	length = strspn(id, "0123456789abcdefABCDEF-");
	return arena_strndup(arena, id, length <= ACTIVITY_ID_MAX ? length : ACTIVITY_ID_MAX);
}
