/* readers: who may look at the page, the API and the metrics.  They are no agents, and agents are
 * none of them.
 *
 * A file of lines: of a program a token, found by its public id, of which the SHA-256 of the secret
 * is kept; of a person a name and what collector/password.h keeps.  Read again when it has changed,
 * so that what is taken out ends at once; a file that is broken leaves what was in force.  Nothing
 * here asks for passwords to be compared: that is slow (collector/login.h).  What commands change
 * is in readers_edit.h.
 */
#ifndef COLLECTOR_READERS_H
#define COLLECTOR_READERS_H

#include "base/arena.h"
#include "base/wbuf.h"
#include "collector/password.h"

#define READERS_TOKEN_PREFIX "read-"

enum {
	READERS_NAME_MAX = 64,
	READERS_ID_CHARS = 12,
	READERS_SECRET_CHARS = 43,
	READERS_TOKEN_ROOM = 80
};

struct reader {
	bool            person; /* password counts; else id and digest */
	const char     *name;
	int64_t         made_ms;
	int64_t         ends_ms;              /* of a token; 0: never */
	const char     *id;                   /* of a token; of a person "" */
	uint8_t         digest[DIGEST_BYTES]; /* of the secret's text */
	struct password password;
};

struct readers;

/* A file that is not there names nobody.  One that others than its owner may read or write is
 * refused. */
struct readers *readers_open(const char *path, struct err *err);
void            readers_free(struct readers *readers); /* NULL is fine */
/* Reads the file again if it has changed; on an error what was in force stays. */
bool readers_reload(struct readers *readers, struct err *err) MUST_CHECK;
/* The same without a word, for each request: readers_is_current() tells how it went. */
void readers_look(struct readers *readers);
/* Whether the file could be read when it last changed. */
bool readers_is_current(const struct readers *readers);

size_t               readers_count(const struct readers *readers);
const struct reader *readers_at(const struct readers *readers, size_t at);

/* Of what a program shows, "read-<id>.<secret>", also where it has ended; NULL: unknown.  Takes as
 * long for a token that is not known as for a wrong secret.  Valid until the file is read again. */
const struct reader *readers_of_token(const struct readers *readers, const char *text);
/* The person of that name, or NULL. */
const struct reader *readers_of_name(const struct readers *readers, const char *name);
bool                 readers_has_ended(const struct reader *reader, int64_t now_ms);

/* 1 to 64 of letters, digits, '.', '_', '-', '@', '+', and none but a letter or digit first. */
bool readers_is_name(const char *text);

/* The lines of a file, for those who change it. */
struct readers_list {
	struct reader *rows; /* in the arena */
	size_t         count;
};
bool readers_read(struct readers_list *list, struct arena *arena, const char *path,
    struct err *err) MUST_CHECK;
/* text is cut into words, which the list borrows; name stands for the file in errors. */
bool readers_parse(struct readers_list *list, struct arena *arena, char *text, const char *name,
    struct err *err) MUST_CHECK;
void readers_write(struct wbuf *out, const struct reader *reader);

#endif
