/* imds_json: what the instance metadata service says to the question for a token [azure-msi].
 *
 * Pure.  Whoever answers at a link-local address is a stranger too: everything is bounded, and a
 * token that could not stand in a header is none.
 */
#ifndef AGENT_IMDS_JSON_H
#define AGENT_IMDS_JSON_H

#include "base/arena.h"

#include <stdint.h>

enum { IMDS_TOKEN_ROOM = 16 << 10 };

struct imds_token {
	char    text[IMDS_TOKEN_ROOM]; /* secret; wipe it */
	int64_t expires_s;             /* Unix time; -1 when not said */
	int64_t left_s;                /* seconds from the answer on; -1 when not said */
};

/* The answer of a 200.  A refusal quotes nothing; *token is wiped then. */
bool imds_json_token(
    struct imds_token *token, const char *bytes, size_t count, struct err *err) MUST_CHECK;

/* What the answer of an error says, sane and short, in the arena: "invalid_request: Identity not
 * found"; "" when it says nothing that can be read. */
const char *imds_json_trouble(struct arena *arena, const char *bytes, size_t count);

#endif
