/* https_words: what an answer that is not the wished one looks like, in words for a person.  Pure.
 *
 * The one place that tells the service's own refusals from those of whatever stands in its place:
 * a portal, a proxy, another server.
 */
#ifndef PROBE_HTTPS_HTTPS_WORDS_H
#define PROBE_HTTPS_HTTPS_WORDS_H

#include "probe/https/https_answer.h"

/* A 403 of the service [cosmos-forbidden]. */
struct https_refusal {
	uint32_t    path;    /* the way by which the service says that the request came */
	const char *seen_as; /* client address that it quotes; "" */
	const char *words;
};
struct https_refusal https_words_refusal(const char *message, struct arena *arena);

/* An error of the service, or of something that sends JSON too; not for 401 and 403. */
const char *https_words_error(const struct https_answer *answer, struct arena *arena);

/* An answer without the JSON body of the service. */
const char *https_words_stranger(const struct https_answer *answer, struct arena *arena);

#endif
