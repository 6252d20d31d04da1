#include "collector/params.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The text behind "name=", up to count characters; NULL when absent or repeated. */
static const char *
find_value(const char *query, const char *name, size_t *count)
{
	size_t      name_count = strlen(name);
	const char *found = NULL;

	while (*query != '\0') {
		size_t part = strcspn(query, "&");

		if (part > name_count && strncmp(query, name, name_count) == 0 &&
		    query[name_count] == '=') {
			if (found != NULL)
				return NULL;
			found = query + name_count + 1;
			*count = part - name_count - 1;
		}
		query += part;
		query += *query == '&';
	}
	return found;
}

static int
read_hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : text_lower(c) - 'a' + 10;
}

/* Writes the next character; 0 when it is malformed, else how many characters it took. */
static size_t
decode_one(const char *text, size_t left, char *to)
{
	if (text[0] != '%') {
		*to = text[0] == '+' ? ' ' : text[0];
		return 1;
	}
	if (left < 3 || !isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
		return 0;
	*to = (char)(read_hex(text[1]) * 16 + read_hex(text[2]));
	return 3;
}

const char *
params_text(struct arena *arena, const char *query, const char *name)
{
	size_t      count = 0, used, out = 0;
	const char *value = find_value(query, name, &count);
	char       *text;

	if (value == NULL)
		return NULL;
	text = arena_alloc(arena, count + 1);
	for (; count > 0; value += used, count -= used) {
		used = decode_one(value, count, &text[out]);
		if (used == 0 || text[out] == '\0')
			return NULL;
		out++;
	}
	text[out] = '\0';
	/* What text_sane() would change is nothing that we have a name for. */
	return strcmp(text_sane(arena, text, out, out + 1), text) == 0 ? text : NULL;
}

uint64_t
params_number(const char *query, const char *name, uint64_t preset, uint64_t most)
{
	size_t             count = 0;
	const char        *value = find_value(query, name, &count);
	unsigned long long number;
	char              *end;

	if (value == NULL || !isdigit((unsigned char)value[0]))
		return preset;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno != 0 || end != value + count || number > most)
		return preset;
	return number;
}
