#include "probe/head.h"

#include "base/text.h"

#include <string.h>

/* "HTTP/1.1 101" and a line end or a blank behind it. */
enum { VERSION_BYTES = 7, STATUS_AT = 9, STATUS_LINE_MIN = 12 };

static bool
is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool
is_token(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* As far as the bytes go: a peer that is no HTTP server is known by its first words, and not by
 * what it leaves out. */
static bool
check_start(const uint8_t *bytes, size_t count, struct err *err)
{
	static const char version[] = "HTTP/1.";
	size_t            known = count < VERSION_BYTES ? count : VERSION_BYTES;

	if (memcmp(bytes, version, known) != 0)
		return err_set(err, ERR_PARSE, "the answer does not begin as HTTP/1 does");
	return true;
}

/* Bytes of the head with its empty line, 0 while that is not there; false when there can be
 * none. */
static bool
find_end(const uint8_t *bytes, size_t count, size_t *end, struct err *err)
{
	const uint8_t *line = bytes, *newline;
	size_t         left = count < HEAD_MAX_BYTES ? count : HEAD_MAX_BYTES;

	*end = 0;
	while ((newline = memchr(line, '\n', left)) != NULL) {
		if (newline == line || newline[-1] != '\r')
			return err_set(
			    err, ERR_PARSE, "a line of the head does not end in CR LF");
		if (newline - line == 1) {
			*end = (size_t)(newline + 1 - bytes);
			return true;
		}
		left -= (size_t)(newline + 1 - line);
		line = newline + 1;
	}
	if (count >= HEAD_MAX_BYTES)
		return err_set(
		    err, ERR_LIMIT, "the head is larger than %d bytes", HEAD_MAX_BYTES);
	return true;
}

static bool
parse_status(struct head *head, const uint8_t *line, size_t count, struct err *err)
{
	const uint8_t *at = line + STATUS_AT;

	if (count < STATUS_LINE_MIN || !is_digit(line[VERSION_BYTES]) ||
	    line[VERSION_BYTES + 1] != ' ' || !is_digit(at[0]) || !is_digit(at[1]) ||
	    !is_digit(at[2]) || (count > STATUS_LINE_MIN && at[3] != ' '))
		return err_set(err, ERR_PARSE, "the status line is none");
	head->minor = line[VERSION_BYTES] - '0';
	head->status = (at[0] - '0') * 100u + (at[1] - '0') * 10u + (at[2] - '0');
	if (head->status < 100 || head->status > 599)
		return err_set(err, ERR_PARSE, "status %u, 100 to 599 wanted", head->status);
	return true;
}

/* Folded lines and blanks before the colon are refused: readers differ about them, and so they
 * smuggle [rfc9112 5.1] [rfc9112 5.2]. */
static bool
parse_field(struct head *head, const uint8_t *line, size_t count, struct err *err)
{
	struct head_field *field = &head->fields[head->count];
	size_t             name = 0, at, end = count;

	while (name < count && is_token(line[name]))
		name++;
	if (name == 0 || name == count || line[name] != ':')
		return err_set(err, ERR_PARSE,
		    "line %zu of the head is no field: name, colon "
		    "and value wanted",
		    head->count + 2);
	for (at = name + 1; at < count; at++) {
		if ((line[at] < ' ' && line[at] != '\t') || line[at] == 0x7f)
			return err_set(err, ERR_PARSE,
			    "line %zu of the head has a control character", head->count + 2);
	}
	for (at = name + 1; at < end && is_blank((char)line[at]);)
		at++;
	while (end > at && is_blank((char)line[end - 1]))
		end--;
	*field = (struct head_field){ .name = (const char *)line,
		.value = (const char *)line + at,
		.name_bytes = name,
		.value_bytes = end - at };
	head->count++;
	return true;
}

static bool
parse_lines(struct head *head, const uint8_t *line, const uint8_t *end, struct err *err)
{
	const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));

	head->count = 0;
	if (!parse_status(head, line, (size_t)(newline - line - 1), err))
		return false;
	for (line = newline + 1; *line != '\r'; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (head->count == HEAD_FIELDS_MAX)
			return err_set(
			    err, ERR_LIMIT, "more than %d fields in the head", HEAD_FIELDS_MAX);
		if (!parse_field(head, line, (size_t)(newline - line - 1), err))
			return false;
	}
	return true;
}

enum head_parse
head_parse(struct head *head, struct rcur *in, struct err *err)
{
	size_t end;

	if (rcur_left(in) == 0)
		return HEAD_MORE;
	if (!check_start(in->at, rcur_left(in), err) ||
	    !find_end(in->at, rcur_left(in), &end, err))
		return HEAD_BAD;
	if (end == 0)
		return HEAD_MORE;
	if (!parse_lines(head, in->at, in->at + end, err))
		return HEAD_BAD;
	rcur_skip(in, end);
	return HEAD_WHOLE;
}

static bool
is_word(const char *bytes, size_t count, const char *word)
{
	size_t i = 0;

	while (i < count && word[i] != '\0' && text_lower(bytes[i]) == text_lower(word[i]))
		i++;
	return i == count && word[i] == '\0';
}

const struct head_field *
head_find(const struct head *head, const char *name)
{
	for (size_t i = 0; i < head->count; i++) {
		if (is_word(head->fields[i].name, head->fields[i].name_bytes, name))
			return &head->fields[i];
	}
	return NULL;
}

const char *
head_text(const struct head *head, const char *name, struct arena *arena, size_t limit)
{
	const struct head_field *field = head_find(head, name);

	return field != NULL ? text_sane(arena, field->value, field->value_bytes, limit) : "";
}

static bool
lists_word(const struct head_field *field, const char *word)
{
	const char *at = field->value, *end = at + field->value_bytes;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		const char *last = stop;

		while (at < last && is_blank(*at))
			at++;
		while (last > at && is_blank(last[-1]))
			last--;
		if (last > at && is_word(at, (size_t)(last - at), word))
			return true;
		at = stop + 1;
	}
	return false;
}

bool
head_lists(const struct head *head, const char *name, const char *word)
{
	for (size_t i = 0; i < head->count; i++) {
		const struct head_field *field = &head->fields[i];

		if (is_word(field->name, field->name_bytes, name) && lists_word(field, word))
			return true;
	}
	return false;
}

enum { LENGTH_DIGITS_MAX = 18 };

static bool
parse_length(const struct head_field *field, uint64_t *count, struct err *err)
{
	*count = 0;
	if (field->value_bytes < 1 || field->value_bytes > LENGTH_DIGITS_MAX)
		return err_set(err, ERR_PARSE, "Content-Length is no number");
	for (size_t i = 0; i < field->value_bytes; i++) {
		if (!is_digit((uint8_t)field->value[i]))
			return err_set(err, ERR_PARSE, "Content-Length is no number");
		*count = *count * 10 + (uint64_t)(field->value[i] - '0');
	}
	return true;
}

/* All fields of that name; several are fine while they agree. */
static bool
read_length(const struct head *head, bool *there, uint64_t *count, struct err *err)
{
	uint64_t one;

	*there = false;
	for (size_t i = 0; i < head->count; i++) {
		const struct head_field *field = &head->fields[i];

		if (!is_word(field->name, field->name_bytes, "content-length"))
			continue;
		if (!parse_length(field, &one, err))
			return false;
		if (*there && one != *count)
			return err_set(err, ERR_PARSE, "two lengths that differ");
		*there = true;
		*count = one;
	}
	return true;
}

bool
head_framing(
    const struct head *head, enum head_framing *framing, uint64_t *count, struct err *err)
{
	const struct head_field *coding = head_find(head, "transfer-encoding");
	bool                     has_length;

	*count = 0;
	if (!read_length(head, &has_length, count, err))
		return false;
	*framing = has_length ? HEAD_LENGTH : HEAD_TO_CLOSE;
	if (head->status < 200 || head->status == 204 || head->status == 304) {
		*framing = HEAD_NO_BODY;
		*count = 0;
		return true;
	}
	if (coding == NULL)
		return true;
	if (has_length)
		return err_set(err, ERR_PARSE, "both Content-Length and Transfer-Encoding");
	if (!is_word(coding->value, coding->value_bytes, "chunked"))
		return err_set(err, ERR_PARSE, "a Transfer-Encoding that is not chunked");
	*framing = HEAD_CHUNKED;
	return true;
}

bool
head_host_check(const char *host, struct err *err)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t count = host != NULL ? strlen(host) : 0;

	if (count < 1 || count > HEAD_HOST_MAX)
		return err_set(err, ERR_LIMIT, "a host of %zu bytes, 1 to %d wanted", count,
		    HEAD_HOST_MAX);
	if (strspn(host, letters) != count)
		return err_set(err, ERR_PARSE,
		    "byte %zu of the host: a letter, a digit, '-', '_' or '.' wanted",
		    strspn(host, letters) + 1);
	return true;
}
