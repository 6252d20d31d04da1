/* feed_refusal: what an answer that is not 200 says to a signed request, in words.  Pure.
 *
 * Beside https_words, which knows what any request may be told: keys, tokens, roles, clocks.
 */
#ifndef PROBE_FEED_FEED_REFUSAL_H
#define PROBE_FEED_FEED_REFUSAL_H

#include "probe/https/https_answer.h"

enum { FEED_ERROR_TEXT_MAX = 1024 };

/* Fills error_code, error_text, path, seen_as and detail of *feed, whose credential, substatus and
 * clock_ahead_s are there already.  `missing` says what a 404 means ("no such database"). */
void feed_refusal_record(struct feed *feed, const struct https_answer *answer,
    const char *missing, struct arena *arena);

#endif
