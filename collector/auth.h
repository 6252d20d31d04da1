/* auth: who an agent is, by the token it shows.
 *
 * A token is `<id>.<secret>`.  The file keeps, a line each, the public id, the agent, its network,
 * the SHA-256 of the secret and when it was made; never the secret.  A token is found by its id
 * and compared in constant time; high-entropy secrets need no slow hash.  The file is read again
 * when it has changed, so that a revoked token ends at once.
 */
#ifndef COLLECTOR_AUTH_H
#define COLLECTOR_AUTH_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>

enum { AUTH_AGENT_MAX = 64, AUTH_NETWORK_MAX = 128, AUTH_TOKEN_ROOM = 80 };

struct auth_agent {
	const char *id, *agent;
	const char *network; /* "" when the token names none */
	int64_t     created_ms;
};

struct auth;

/* A file that is not there has no tokens yet. */
struct auth *auth_open(const char *path, const struct clock *clock, struct err *err);
void         auth_free(struct auth *auth); /* NULL is fine */

/* Reads the file again if it has changed; on an error the tokens from before stay in force. */
bool auth_reload(struct auth *auth, struct err *err) MUST_CHECK;

/* Of the value of an Authorization header, NULL allowed.  NULL when we do not know the bearer;
 * the answer is valid until the next call.  Looks whether the file has changed each time, so that
 * a token that was revoked is out at once. */
const struct auth_agent *auth_check(struct auth *auth, const char *authorization);

/* Whether the file could be read when it last changed. */
bool auth_is_current(const struct auth *auth);

size_t                   auth_count(const struct auth *auth);
const struct auth_agent *auth_at(const struct auth *auth, size_t at);

/* Adds a token to the file and writes its text, which is not kept anywhere, to token
 * (AUTH_TOKEN_ROOM bytes). */
bool auth_create(const char *path, const char *agent, const char *network, int64_t now_ms,
    char *token, struct err *err) MUST_CHECK;
/* Removes the tokens of an agent, or the one with this id; says how many. */
bool auth_revoke(
    const char *path, const char *agent_or_id, size_t *removed, struct err *err) MUST_CHECK;

/* 1 to 64 of letters, digits, '.', '_', '-', and not a '.' or '-' first. */
bool auth_is_agent(const char *text);
/* At most 128 printable characters without space. */
bool auth_is_network(const char *text);

#endif
