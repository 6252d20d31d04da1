/* text: making words from the network safe to keep, and small questions about words.
 *
 * Everything a peer said passes text_sane() at the border where it is decoded: valid UTF-8, no
 * control characters, bounded.  Escaping for HTML, JSON or a terminal is the renderer's matter.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/arena.h"

#include <stdint.h>

/* A copy in the arena of at most limit bytes (cut at a character): each byte that is not part of
 * valid UTF-8 [rfc3629] and each C0, DEL, C1 or bidirectional control becomes '?'. */
char *text_sane(struct arena *arena, const void *bytes, size_t count, size_t limit);

/* The same for a message of several lines, or with tabs: each such run of white space becomes one
 * blank, and none stands at either end. */
char *text_line(struct arena *arena, const void *bytes, size_t count, size_t limit);

/* As text_sane() in place, for text that is there already: nothing is cut. */
void text_clean(char *text);

/* The UTF-8 character at `at`: its width in bytes, 0 when there is none [rfc3629 4]. left > 0. */
size_t text_point(const void *at, size_t left, uint32_t *point);

/* 0 to 15, of a digit in hex; -1 for anything else. */
int text_hex(char c);

/* Neither NULL nor "": a text of a record may be both. */
bool text_is_said(const char *text);

/* ASCII only, whatever the locale. */
char text_lower(char c);
bool text_equal_nocase(const char *left, const char *right);
bool text_starts_nocase(const char *text, const char *prefix);
bool text_ends_nocase(const char *text, const char *suffix);
/* Where needle first stands in text, without case; NULL when nowhere. */
const char *text_find_nocase(const char *text, const char *needle);

/* How many letters have to be added, taken away or changed to make one of the other, without case;
 * UINT_MAX for what is longer than a word or a zone's name. */
unsigned text_distance(const char *left, const char *right);

/* The word of `words` (ends with NULL) nearest to `text` when it is near enough to be a typo of
 * it, else NULL.  For "did you mean". */
const char *text_nearest(const char *text, const char *const *words);

#endif
