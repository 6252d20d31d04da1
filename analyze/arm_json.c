#include "analyze/arm.h"

#include "base/err.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { HTTPS_PORT = 443 }; /* where a URL names none */

bool
arm_refuse(
    const struct arm_reader *in, const char *path, const char *member, const char *wanted)
{
	const char *dot = *path != '\0' && *member != '\0' ? "." : "";
	const char *colon = *path != '\0' || *member != '\0' ? ": " : "";

	return err_set(
	    in->err, ERR_PARSE, "%s: %s%s%s%s%s", in->source, path, dot, member, colon, wanted);
}

const json_t *
arm_member(const struct arm_spot *at, const char *member)
{
	const json_t *below = json_object_get(at->value, "properties");
	const json_t *value = json_object_get(below, member);

	if (value == NULL || json_is_null(value))
		value = json_object_get(at->value, member);
	return value == NULL || json_is_null(value) ? NULL : value;
}

bool
arm_text(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const char **text)
{
	const json_t *value = arm_member(at, member);

	*text = "";
	if (value == NULL)
		return true;
	if (!json_is_string(value))
		return arm_refuse(in, at->path, member, "a text wanted");
	*text = text_sane(
	    in->arena, json_string_value(value), json_string_length(value), ARM_TEXT_MAX);
	return true;
}

bool
arm_array(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const json_t **array)
{
	*array = arm_member(at, member);
	if (*array != NULL && !json_is_array(*array))
		return arm_refuse(in, at->path, member, "an array wanted");
	return true;
}

bool
arm_object(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    struct arm_spot *below)
{
	below->value = arm_member(at, member);
	below->path = arena_printf(
	    in->arena, "%s%s%s", at->path, *at->path != '\0' ? "." : "", member);
	if (below->value != NULL && !json_is_object(below->value))
		return arm_refuse(in, below->path, "", "an object wanted");
	return true;
}

struct arm_spot
arm_element(const struct arm_reader *in, const char *path, const char *member, size_t index,
    const json_t *value)
{
	const char *dot = *path != '\0' && *member != '\0' ? "." : "";

	return (struct arm_spot){
		arena_printf(in->arena, "%s%s%s[%zu]", path, dot, member, index), value
	};
}

const char *
arm_name(const char *id)
{
	const char *slash = strrchr(id, '/');

	return slash != NULL ? slash + 1 : id;
}

char *
arm_lower(struct arena *arena, const char *text, size_t count)
{
	char *copy = arena_strndup(arena, text, count);

	for (char *c = copy; *c != '\0'; c++)
		*c = text_lower(*c);
	return copy;
}

bool
arm_is_host(const char *host)
{
	size_t count = strlen(host), label = 0, dots = 0;

	if (count == 0 || count > 253)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (host[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			dots++;
		} else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", host[i]) == NULL ||
		    ++label > 63) {
			return false;
		}
	}
	return label > 0 && dots > 0;
}

static bool
read_port(const char *text, uint16_t *port)
{
	char         *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || number < 1 || number > 65535 ||
	    (*end != '\0' && *end != '/'))
		return false;
	*port = (uint16_t)number;
	return true;
}

bool
arm_endpoint(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const char **host, uint16_t *port)
{
	static const char scheme[] = "https://";
	const char       *text, *begin;
	size_t            count;

	if (!arm_text(in, at, member, &text))
		return false;
	*host = "";
	*port = HTTPS_PORT;
	if (*text == '\0')
		return true;
	begin = text + strlen(scheme);
	if (!text_starts_nocase(text, scheme))
		return arm_refuse(in, at->path, member,
		    arena_printf(in->arena, "'%s': 'https://host:port/' wanted", text));
	count = strcspn(begin, ":/");
	*host = arm_lower(in->arena, begin, count);
	if (!arm_is_host(*host) || (begin[count] == ':' && !read_port(begin + count + 1, port)))
		return arm_refuse(in, at->path, member,
		    arena_printf(in->arena, "'%s': 'https://host:port/' wanted", text));
	return true;
}
