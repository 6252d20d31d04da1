#include "tests/fake/backend/fake_target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
fake_percent_decode(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		if (text[0] == '%' && isxdigit((unsigned char)text[1]) &&
		    isxdigit((unsigned char)text[2])) {
			char hex[3] = { text[1], text[2], '\0' };

			*to++ = (char)strtoul(hex, NULL, 16);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

bool
fake_query_get(const char *query, const char *name, char *value, size_t room)
{
	size_t length = strlen(name);

	while (*query != '\0') {
		size_t count = strcspn(query, "&");

		if (count > length && strncmp(query, name, length) == 0 &&
		    query[length] == '=') {
			snprintf(
			    value, room, "%.*s", (int)(count - length - 1), query + length + 1);
			fake_percent_decode(value);
			return true;
		}
		query += count + (query[count] == '&');
	}
	*value = '\0';
	return false;
}

/* Four bytes in base64 that ends in "==" are a database's resource id; a name hardly is. */
static bool
is_rid(const char *text)
{
	return strlen(text) == 8 && strcmp(text + 6, "==") == 0;
}

static void
split(struct fake_target *target)
{
	char *word = target->words, *rest = NULL;

	snprintf(target->words, sizeof(target->words), "%s", target->resource);
	for (word = strtok_r(word, "/", &rest); word != NULL && target->part_count < 8;
	     word = strtok_r(NULL, "/", &rest))
		target->parts[target->part_count++] = word;
	target->by_rid = target->part_count > 1 && is_rid(target->parts[1]);
}

/* dbs[/x[/colls[/y[/(docs|pkranges)[/z]]]]], or nothing at all. */
static bool
is_known(const struct fake_target *target)
{
	static const char *const types[] = { "dbs", "colls", "docs" };

	for (size_t i = 0; i < target->part_count; i += 2) {
		bool ranges = i == 4 && target->part_count == 5 &&
		    strcmp(target->parts[i], "pkranges") == 0;

		if (i > 4 || (strcmp(target->parts[i], types[i / 2]) != 0 && !ranges))
			return false;
	}
	return true;
}

/* Without the slashes around it; several may stand in front, as in "//addresses/". */
static bool
copy_trimmed(char *to, size_t room, const char *text)
{
	size_t count;

	text += strspn(text, "/");
	count = strlen(text);
	while (count > 0 && text[count - 1] == '/')
		count--;
	return (size_t)snprintf(to, room, "%.*s", (int)count, text) < room;
}

bool
fake_target_parse(struct fake_target *target, const char *path, const char *query)
{
	char raw[sizeof(target->resource)];

	memset(target, 0, sizeof(*target));
	if (!copy_trimmed(target->resource, sizeof(target->resource), path))
		return false;
	if (strcmp(target->resource, "addresses") == 0) {
		target->addresses = true;
		if (!fake_query_get(query, "$resolveFor", raw, sizeof(raw)) ||
		    !copy_trimmed(target->resource, sizeof(target->resource), raw))
			return false;
	} else {
		fake_percent_decode(target->resource);
	}
	split(target);
	target->known = is_known(target);
	return true;
}
