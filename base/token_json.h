/* token_json: the answer to a question for an access token, as the instance metadata service gives
 * it [azure-msi] and an authority of OAuth 2.0 [rfc6749 5].
 *
 * Pure.  Whoever answers is a stranger: everything is bounded, and a token that could not stand in a
 * header is none.  Here because agent and collector each ask for tokens, by ways of their own.
 */
#ifndef BASE_TOKEN_JSON_H
#define BASE_TOKEN_JSON_H

#include "base/arena.h"

#include <stdint.h>

enum { TOKEN_ROOM = 16 << 10 };

struct token_answer {
	char    text[TOKEN_ROOM]; /* secret; wipe it */
	int64_t expires_s;        /* Unix time; -1 when not said */
	int64_t left_s;           /* seconds from the answer on; -1 when not said */
};

/* The answer of a 200; source says whose, for errors.  A refusal quotes nothing; *token is wiped
 * then. */
bool token_json_read(struct token_answer *token, const char *source, const char *bytes,
    size_t count, struct err *err) MUST_CHECK;

/* What the answer of an error says, sane and short, in the arena: "invalid_request: Identity not
 * found"; "" when it says nothing that can be read. */
const char *token_json_trouble(struct arena *arena, const char *bytes, size_t count);

#endif
