/* https_answer_json: the members of a gateway's JSON error body. */
#ifndef PROBE_HTTPS_HTTPS_ANSWER_JSON_H
#define PROBE_HTTPS_HTTPS_ANSWER_JSON_H

#include "base/arena.h"

struct https_error {
	const char *code; /* in the arena; "" when absent or not a string */
	const char *
	    message; /* likewise, in one line; the first of "Errors" when there is no "message" */
};

/* false: the body is not one JSON object. */
bool https_error_read(
    struct https_error *error, const char *body, size_t count, struct arena *arena) MUST_CHECK;

#endif
