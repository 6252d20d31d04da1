/* roster: who was let in: the tokens for enrolment, the certificates that were issued, and what of
 * it was revoked.
 *
 * A journal: lines are appended under a lock, by the daemon and by commands alike, and synced
 * before anybody is told; what others have appended is read when the file has grown.  So a
 * revocation is seen at the next request, nothing is undone by a reader, and the file says who was
 * let in, when, and by which token.  A line that a crash has cut short was never told of, and is
 * taken off again.  Secrets are not in it: a token is kept as SHA-256.
 */
#ifndef COLLECTOR_ROSTER_H
#define COLLECTOR_ROSTER_H

#include "collector/roster_line.h"

#include <stddef.h>

/* A token is `enroll-<id>.<secret>`; what it begins with keeps it from being taken for one that
 * agents show. */
#define ROSTER_TOKEN_PREFIX "enroll-"

enum { ROSTER_ID_CHARS = 12, ROSTER_SECRET_CHARS = 43 };

struct roster;

/* A file that is not there is an empty roster. */
struct roster *roster_open(const char *path, struct err *err);
void           roster_free(struct roster *roster); /* NULL is fine */
/* Reads what is new in the file; on an error what was known before stays in force. */
bool roster_refresh(struct roster *roster, struct err *err) MUST_CHECK;
/* Whether that went well the last time. */
bool roster_is_current(const struct roster *roster);

/* A token for enrolment.  Valid, as everything that is lent here, until the next call. */
struct roster_token {
	struct roster_line line;
	int64_t            used; /* different keys that came in with it */
	bool               revoked;
};

/* A certificate. */
struct roster_card {
	struct roster_line line;
	size_t             order; /* the later it was issued, the higher */
	int64_t replaced_ms;      /* when the next one was used, if this one was the last */
	bool    used, revoked;
};

/* How a certificate stands at a moment; the order of the words in roster.c. */
enum roster_state {
	ROSTER_VALID,
	ROSTER_UNKNOWN, /* no such serial number of this agent */
	ROSTER_REVOKED,
	ROSTER_REPLACED, /* a later one of the same agent has been used */
	ROSTER_ENDED
};

size_t                     roster_tokens(const struct roster *roster);
const struct roster_token *roster_token_at(const struct roster *roster, size_t at);
size_t                     roster_cards(const struct roster *roster);
const struct roster_card  *roster_card_at(const struct roster *roster, size_t at);

/* By the text that is shown; NULL where id or secret is wrong. */
const struct roster_token *roster_find_token(const struct roster *roster, const char *text);
/* By its serial number; NULL: none. */
const struct roster_card *roster_find_card(const struct roster *roster, const char *serial);
/* ROSTER_ENDED only for a certificate that is nothing worse. */
enum roster_state roster_card_state(
    const struct roster *roster, const struct roster_card *card, int64_t now_ms);
/* No later one of its agent has been used: at once, where ROSTER_REPLACED comes two seconds later,
 * for what was on its way. */
bool roster_is_newest(const struct roster *roster, const struct roster_card *card);
/* A certificate that is not of ours, by its serial number alone. */
bool roster_is_revoked(const struct roster *roster, const char *serial);
/* When everything was revoked that the agent had; 0: never. */
int64_t roster_revoked_ms(const struct roster *roster, const char *agent);
/* The newest certificate of the agent that is valid and has been used; NULL: it is not live. */
const struct roster_card *roster_find_live(
    const struct roster *roster, const char *agent, int64_t now_ms);

/* How long roster_begin() waits for others at most; five seconds are preset. */
void roster_be_patient(struct roster *roster, int64_t at_most_ms);
/* Between the two nobody else changes the roster; begin brings it up to date.  What is added is
 * on the disk when true is returned, but for ROSTER_USED, which does not wait for it. */
bool roster_begin(struct roster *roster, struct err *err) MUST_CHECK;
void roster_end(struct roster *roster);
bool roster_add(
    struct roster *roster, const struct roster_line *line, struct err *err) MUST_CHECK;

/* Writes the file anew without what ended before that time. */
bool roster_compact(struct roster *roster, int64_t before_ms, struct err *err) MUST_CHECK;

#endif
