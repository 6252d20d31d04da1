#include "probe/mongo/mongo_answer.h"

#include "base/text.h"
#include "probe/mongo/mongo_bson.h"

#include <string.h>

/* "65535", and a name of [rfc1035 2.3.4]. */
enum { PORT_DIGITS_MAX = 5, HOST_MAX = 253 };

static bool
is_named(const struct mongo_bson *element, const char *name)
{
	return strcmp(element->name, name) == 0;
}

static void
take_text(
    const char **text, const struct mongo_bson *element, size_t limit, struct arena *arena)
{
	if (element->type == MONGO_BSON_STRING)
		*text = text_sane(arena, element->value.at, rcur_left(&element->value), limit);
}

static void
take_wire(uint32_t *wire, const struct mongo_bson *element)
{
	int64_t number;

	if (mongo_bson_number(element, &number) && number >= 0 && number <= INT32_MAX)
		*wire = (uint32_t)number;
}

static bool
is_name_char(char c)
{
	c = text_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	    c == '.';
}

static bool
is_port(const char *text, size_t count)
{
	unsigned long port = 0;

	if (count < 1 || count > PORT_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	return port >= 1 && port <= UINT16_MAX;
}

/* "db-1.example:10255": letters, digits, '-', '_' and '.', and a port. */
static bool
is_host_port(const char *text, size_t count)
{
	const char *colon = count > 0 ? memchr(text, ':', count) : NULL;
	size_t      length = colon != NULL ? (size_t)(colon - text) : 0;

	if (length < 1 || length > HOST_MAX || !is_port(colon + 1, count - length - 1))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!is_name_char(text[i]))
			return false;
	}
	return true;
}

/* What is left out is counted: a driver would go there. */
static void
take_hosts(struct mongo_answer *answer, const struct mongo_bson *element, struct arena *arena)
{
	struct rcur       elements = element->value;
	struct mongo_bson host;
	struct wbuf       joined;
	unsigned          kept = 0;

	if (element->type != MONGO_BSON_ARRAY)
		return;
	wbuf_init(&joined);
	while (mongo_bson_next(&elements, &host)) {
		const char *text = (const char *)host.value.at;
		size_t      count = rcur_left(&host.value);

		if (host.type != MONGO_BSON_STRING || !is_host_port(text, count) ||
		    kept == MONGO_HOSTS_MAX ||
		    joined.count + 1 + count > MONGO_HOSTS_MAX_BYTES) {
			answer->hosts_left++;
			continue;
		}
		if (kept++ > 0)
			wbuf_u8(&joined, ' ');
		wbuf_put(&joined, text, count);
	}
	answer->hosts = arena_strdup(arena, wbuf_text(&joined));
	wbuf_fini(&joined);
}

static void
take_region(struct mongo_answer *answer, const struct mongo_bson *element, struct arena *arena)
{
	struct rcur       tags = element->value;
	struct mongo_bson tag;

	if (element->type != MONGO_BSON_DOCUMENT)
		return;
	while (mongo_bson_next(&tags, &tag)) {
		if (is_named(&tag, "region"))
			take_text(&answer->region, &tag, MONGO_NAME_MAX_BYTES, arena);
	}
}

/* ok is a double of old, an int32 by others, and a bool nowhere. */
static void
take_error(struct mongo_answer *answer, const struct mongo_bson *element, struct arena *arena)
{
	int64_t number;

	if (is_named(element, "ok"))
		answer->ok = mongo_bson_number(element, &number) && number == 1;
	else if (is_named(element, "code") && mongo_bson_number(element, &number))
		answer->code = number;
	else if (is_named(element, "codeName"))
		take_text(&answer->code_name, element, MONGO_NAME_MAX_BYTES, arena);
	else if (is_named(element, "errmsg") || is_named(element, "$err"))
		take_text(&answer->words, element, MONGO_WORDS_MAX_BYTES, arena);
}

static void
take_server(struct mongo_answer *answer, const struct mongo_bson *element, struct arena *arena)
{
	if (is_named(element, "ismaster") || is_named(element, "isWritablePrimary"))
		answer->is_server |= element->type == MONGO_BSON_BOOL;
	else if (is_named(element, "minWireVersion"))
		take_wire(&answer->wire_least, element);
	else if (is_named(element, "maxWireVersion"))
		take_wire(&answer->wire_most, element);
	else if (is_named(element, "setName"))
		take_text(&answer->set_name, element, MONGO_NAME_MAX_BYTES, arena);
	else if (is_named(element, "me"))
		take_text(&answer->me, element, MONGO_NAME_MAX_BYTES, arena);
	else if (is_named(element, "hosts"))
		take_hosts(answer, element, arena);
	else if (is_named(element, "tags"))
		take_region(answer, element, arena);
}

void
mongo_answer_read(
    struct mongo_answer *answer, const struct mongo_reply *reply, struct arena *arena)
{
	struct rcur       elements = reply->elements;
	struct mongo_bson element;

	*answer = (struct mongo_answer){ .set_name = "",
		.me = "",
		.region = "",
		.hosts = "",
		.code_name = "",
		.words = "" };
	while (mongo_bson_next(&elements, &element)) {
		take_error(answer, &element, arena);
		take_server(answer, &element, arena);
	}
	answer->is_error = answer->code != 0 || answer->words[0] != '\0';
}
