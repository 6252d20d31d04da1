/* hysteresis: from single looks at one place to a state that somebody may be called for.
 *
 * A look is one measurement judged: bad, or good.  A finding is opened by the first bad look,
 * confirmed by `bad` of the newest `of`, and closed by `good` good ones in a row.  One that turns
 * to and fro is flapping until its looks are steady again: neither confirmed anew nor closed at
 * each turn.  The looks stay what they were; this only reads them.  Pure, without a clock.
 */
#ifndef ANALYZE_HYSTERESIS_H
#define ANALYZE_HYSTERESIS_H

#include "base/err.h"

#include <stddef.h>

/* So many looks are kept of a finding, and so many turns among them are flapping: it went and
 * came back twice. */
enum { HYSTERESIS_LOOKS = 12, HYSTERESIS_TURNS = 4 };

/* 0 in a member stands for 1: the first look decides. */
struct hysteresis {
	unsigned bad, of; /* so many bad looks of the newest so many confirm */
	unsigned good;    /* so many good looks in a row close */
};

/* In the order of life, but that it may go to and fro. */
enum life { LIFE_OPENED, LIFE_CONFIRMED, LIFE_FLAPPING, LIFE_CLOSED };

/* Looks as text, the oldest first: '!' is a bad one, '.' a good one. */
struct looks {
	char text[HYSTERESIS_LOOKS + 1];
};

/* "2 of 3": at least 1 bad, of at most HYSTERESIS_LOOKS. */
bool hysteresis_parse(struct hysteresis *rule, const char *text, struct err *err) MUST_CHECK;

/* Of what a store has kept; other characters are left out. */
struct looks looks_of(const char *text);
void         looks_add(struct looks *looks, bool bad);
/* The newest look is judged anew; adds one when there is none. */
void looks_replace(struct looks *looks, bool bad);
bool looks_are_good(const struct looks *looks); /* all of them */

/* confirmed: whether it was, since it was opened; what is confirmed stays so until it closes. */
enum life hysteresis_judge(
    const struct hysteresis *rule, const struct looks *looks, bool confirmed);
const char *life_name(enum life life); /* "opened", "confirmed", "flapping", "closed" */
/* Of a text of life_name(); false when it is none. */
bool life_parse(enum life *life, const char *name);

#endif
