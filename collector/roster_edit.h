/* roster_edit: what commands change in the roster: tokens made, and all that may be revoked.
 *
 * Each opens the file, changes it as the owner of its folder, and closes it; a daemon that runs sees
 * it at the next request.
 */
#ifndef COLLECTOR_ROSTER_EDIT_H
#define COLLECTOR_ROSTER_EDIT_H

#include "collector/roster.h"

enum { ROSTER_TOKEN_ROOM = 80, ROSTER_USES_MAX = 100000 };

/* Fills id, digest and at of the line, and writes the token's text, which is not kept anywhere, to
 * text (ROSTER_TOKEN_ROOM bytes). */
bool roster_edit_create(const char *path, struct roster_line *line, int64_t now_ms, char *text,
    struct err *err) MUST_CHECK;
/* An agent with all it has, or a certificate by its serial number, which need not be ours. */
struct roster_revoked {
	size_t tokens, cards;
};
bool roster_edit_revoke(const char *path, const char *what, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err) MUST_CHECK;
bool roster_edit_revoke_token(const char *path, const char *id, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err) MUST_CHECK;

#endif
