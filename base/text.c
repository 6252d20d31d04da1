#include "base/text.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

size_t
text_point(const void *from, size_t left, uint32_t *point)
{
	const uint8_t        *at = from;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t count = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;

	if (count == 1) {
		*point = at[0];
		return 1;
	}
	if (at[0] < 0xc2 || at[0] > 0xf4 || left < count)
		return 0;
	*point = at[0] & (0x7fu >> count);
	for (size_t i = 1; i < count; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (at[i] & 0x3f);
	}
	if (*point < least[count] || *point > 0x10ffff ||
	    (*point >= 0xd800 && *point <= 0xdfff))
		return 0;
	return count;
}

static bool
is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x061c ||
	    (point >= 0x200e && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) ||
	    (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

/* How many bytes at the front need no look at: ASCII that is no control.  Most text is that. */
static size_t
measure_plain(const uint8_t *at, size_t count)
{
	size_t plain = 0;

	while (plain < count && at[plain] >= 0x20 && at[plain] < 0x7f)
		plain++;
	return plain;
}

/* One character, or '?' for a byte that is none or a control; how many bytes of `at` it was, 0
 * when there is no room for it. */
static size_t
copy_char(char **out, size_t room, const uint8_t *at, size_t count)
{
	uint32_t point = 0;
	size_t   width = text_point(at, count, &point);
	bool     bad = width == 0 || is_control(point);
	size_t   put = bad ? 1 : width;

	if (put > room)
		return 0;
	memcpy(*out, bad ? (const void *)"?" : at, put);
	*out += put;
	return width != 0 ? width : 1;
}

char *
text_sane(struct arena *arena, const void *bytes, size_t count, size_t limit)
{
	const uint8_t *at = bytes;
	char          *text, *out;

	text = out = arena_alloc(arena, (count < limit ? count : limit) + 1);
	while (count > 0) {
		size_t room = limit - (size_t)(out - text);
		size_t taken = measure_plain(at, count < room ? count : room);

		if (taken != 0) {
			memcpy(out, at, taken);
			out += taken;
		} else {
			taken = copy_char(&out, room, at, count);
			if (taken == 0)
				break;
		}
		at += taken;
		count -= taken;
	}
	*out = '\0';
	return text;
}

static bool
is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *
text_line(struct arena *arena, const void *bytes, size_t count, size_t limit)
{
	const char *from = bytes;
	char       *line = arena_alloc(arena, count + 1);
	size_t      length = 0, run;

	for (size_t i = 0; i < count; i += run) {
		bool broken = false;

		for (run = 0; i + run < count && is_white(from[i + run]); run++)
			broken |= from[i + run] != ' ';
		if (run == 0) {
			line[length++] = from[i];
			run = 1;
		} else if (!broken) {
			memcpy(line + length, from + i, run);
			length += run;
		} else if (length > 0 && i + run < count) {
			line[length++] = ' ';
		}
	}
	return text_sane(arena, line, length, limit);
}

void
text_clean(char *text)
{
	size_t   left = strlen(text);
	char    *out = text;
	uint32_t point = 0;

	while (left > 0) {
		size_t width = text_point(text, left, &point);
		size_t taken = width != 0 ? width : 1;

		if (width == 0 || is_control(point)) {
			*out++ = '?';
		} else {
			memmove(out, text, width);
			out += width;
		}
		text += taken;
		left -= taken;
	}
	*out = '\0';
}

int
text_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
text_is_said(const char *text)
{
	return text != NULL && *text != '\0';
}

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
text_starts_nocase(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++) {
		if (text_lower(*text) != text_lower(*prefix))
			return false;
	}
	return true;
}

bool
text_equal_nocase(const char *left, const char *right)
{
	return strlen(left) == strlen(right) && text_starts_nocase(left, right);
}

bool
text_ends_nocase(const char *text, const char *suffix)
{
	size_t count = strlen(text), tail = strlen(suffix);

	return count >= tail && text_equal_nocase(text + count - tail, suffix);
}

const char *
text_find_nocase(const char *text, const char *needle)
{
	for (;; text++) {
		if (text_starts_nocase(text, needle))
			return text;
		if (*text == '\0')
			return NULL;
	}
}

enum { WORD_MAX = 48 };

static unsigned
smallest(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance. */
unsigned
text_distance(const char *left, const char *right)
{
	size_t   rows = strlen(left), columns = strlen(right);
	unsigned cost[WORD_MAX + 1];

	if (rows > WORD_MAX || columns > WORD_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= columns; j++)
		cost[j] = (unsigned)j;
	for (size_t i = 1; i <= rows; i++) {
		unsigned diagonal = cost[0];

		cost[0] = (unsigned)i;
		for (size_t j = 1; j <= columns; j++) {
			unsigned swap = diagonal +
			    (text_lower(left[i - 1]) != text_lower(right[j - 1]));

			diagonal = cost[j];
			cost[j] = smallest(swap, cost[j] + 1, cost[j - 1] + 1);
		}
	}
	return cost[columns];
}

const char *
text_nearest(const char *text, const char *const *words)
{
	const char *nearest = NULL;
	unsigned    least = (unsigned)strlen(text) / 3 + 2;

	for (; *words != NULL; words++) {
		unsigned distance = text_distance(text, *words);

		if (distance < least) {
			least = distance;
			nearest = *words;
		}
	}
	return nearest;
}
