#include "probe/rntbd/rntbd_uri.h"

#include "base/addr.h"
#include "base/text.h"

#include <string.h>

static const char scheme[] = "rntbd://";

enum { SCHEME_BYTES = sizeof(scheme) - 1, HOST_MAX = 253, LABEL_MAX = 63, PORT_DIGITS_MAX = 5 };

/* What is being parsed: text[at] is next, `begin` is where the URI stands in what was given. */
struct source {
	const char *text; /* borrowed; blanks are cut off, no NUL at the end */
	size_t      count, at, begin;
};

static bool
refuse(const struct source *from, size_t at, const char *wanted, struct err *err)
{
	return err_set(
	    err, ERR_PARSE, "character %zu: %s wanted", from->begin + at + 1, wanted);
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct source
cut_blanks(const char *text, size_t count)
{
	struct source from = { .text = text, .count = count };

	while (from.count > 0 && is_blank(from.text[0])) {
		from.text++;
		from.count--;
		from.begin++;
	}
	while (from.count > 0 && is_blank(from.text[from.count - 1]))
		from.count--;
	return from;
}

static bool
take_scheme(struct source *from, struct err *err)
{
	for (; from->at < SCHEME_BYTES; from->at++) {
		if (from->at >= from->count ||
		    text_lower(from->text[from->at]) != scheme[from->at])
			return refuse(from, from->at, "'rntbd://'", err);
	}
	return true;
}

static bool
is_label_character(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

static const char *
copy_lower(const struct source *from, size_t at, size_t count, struct arena *arena)
{
	char *copy = arena_strndup(arena, from->text + at, count);

	for (size_t i = 0; i < count; i++)
		copy[i] = text_lower(copy[i]);
	return copy;
}

/* Labels of letters, digits, '-' and '_' [rfc1035 2.3.4]; an IPv4 address is such a name, too. */
static bool
take_name(struct rntbd_uri *uri, struct source *from, struct arena *arena, struct err *err)
{
	size_t begin = from->at, label = 0;

	for (; from->at < from->count; from->at++) {
		char c = text_lower(from->text[from->at]);

		if (c == ':' || c == '/')
			break;
		if (c == '.' ? label == 0 : !is_label_character(c))
			return refuse(from, from->at,
			    label == 0 ? "a letter or digit of the host"
			               : "a letter, digit, '-', '.', '_' or ':'",
			    err);
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return refuse(from, from->at, "a '.' after at most 63 characters", err);
		if (from->at - begin >= HOST_MAX)
			return refuse(from, from->at, "a host of at most 253 characters", err);
	}
	if (label == 0)
		return refuse(from, from->at, "a letter or digit of the host", err);
	uri->host = copy_lower(from, begin, from->at - begin, arena);
	return true;
}

/* "[::1]"; the host is what stands between the brackets. */
static bool
take_address(struct rntbd_uri *uri, struct source *from, struct arena *arena, struct err *err)
{
	size_t      begin = from->at + 1;
	const char *close = memchr(from->text + begin, ']', from->count - begin);
	struct addr addr;

	if (close == NULL)
		return refuse(from, from->count, "']' behind the IPv6 address", err);
	from->at = (size_t)(close - from->text);
	if (from->at - begin >= ADDR_TEXT)
		return refuse(from, begin, "an IPv6 address", err);
	uri->host = copy_lower(from, begin, from->at - begin, arena);
	if (strlen(uri->host) != from->at - begin || strchr(uri->host, '[') != NULL ||
	    !addr_parse(&addr, uri->host, 1, NULL) || addr.family != 6)
		return refuse(from, begin, "an IPv6 address", err);
	from->at++;
	return true;
}

static bool
take_host(struct rntbd_uri *uri, struct source *from, struct arena *arena, struct err *err)
{
	if (from->at < from->count && from->text[from->at] == '[')
		return take_address(uri, from, arena, err);
	return take_name(uri, from, arena, err);
}

/* There is no preset port: a replica's port is its own, so one that is missing is a mistake. */
static bool
take_port(struct rntbd_uri *uri, struct source *from, struct err *err)
{
	unsigned long port = 0;
	size_t        begin;

	if (from->at >= from->count || from->text[from->at] != ':')
		return refuse(from, from->at, "':' and a port", err);
	begin = ++from->at;
	for (; from->at < from->count && is_digit(from->text[from->at]); from->at++) {
		if (from->at - begin >= PORT_DIGITS_MAX)
			return refuse(from, begin, "a port of 1 to 65535", err);
		port = port * 10 + (unsigned long)(from->text[from->at] - '0');
	}
	if (from->at == begin || port < 1 || port > UINT16_MAX)
		return refuse(from, begin, "a port of 1 to 65535", err);
	uri->port = (uint16_t)port;
	return true;
}

/* A blank or a control inside means that more than one thing was pasted. */
static bool
take_path(struct rntbd_uri *uri, struct source *from, struct arena *arena, struct err *err)
{
	size_t begin = from->at, count = from->count - begin;

	if (count > 0 && from->text[begin] != '/')
		return refuse(from, begin, "a digit, '/' or the end", err);
	for (size_t i = begin; i < from->count; i++) {
		if ((unsigned char)from->text[i] <= ' ' || from->text[i] == 0x7f)
			return refuse(from, i, "the end, or a path without blanks", err);
	}
	while (count > 0 && from->text[begin + count - 1] == '/')
		count--;
	uri->path = arena_strndup(arena, from->text + begin, count);
	uri->primary = count > 1 && uri->path[count - 1] == 'p';
	return true;
}

bool
rntbd_uri_parse(
    struct rntbd_uri *uri, const char *text, size_t count, struct arena *arena, struct err *err)
{
	struct source from = cut_blanks(text, count);

	*uri = (struct rntbd_uri){ .host = "", .path = "" };
	if (from.count > RNTBD_URI_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "%zu characters, at most %d wanted", from.count,
		    RNTBD_URI_MAX_BYTES);
	return take_scheme(&from, err) && take_host(uri, &from, arena, err) &&
	    take_port(uri, &from, err) && take_path(uri, &from, arena, err);
}
