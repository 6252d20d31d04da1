/* err: why we could not do our work, worded for a person.
 *
 * A measurement that ended badly is not an err (see proto/outcome.h); a broken contract is an
 * assert(); no memory is fatal (base/arena.h).  An err is made where the cause is known and is
 * rendered at the top; every layer may put its own context in front.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((__format__(__printf__, at, first)))

enum err_kind {
	ERR_NONE,
	ERR_PARSE,  /* bytes or text that do not follow their grammar */
	ERR_LIMIT,  /* well formed, but more than we take */
	ERR_USAGE,  /* a person asked for something that does not exist */
	ERR_SYSTEM, /* the kernel said no; the text holds strerror() */
	ERR_STORE,  /* a database said no */
	ERR_PEER,   /* the other side of a connection of our own said no */
	ERR_ORDER   /* not now, or not twice */
};

struct err {
	enum err_kind kind;
	char          text[500];
};

/* Sets *err; err may be NULL.  Always returns false, so that a check is one line. */
bool err_set(struct err *err, enum err_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);

/* As err_set() with ERR_SYSTEM and ": <strerror(errno)>" behind the text. */
bool err_errno(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Puts "<context>: " in front of the text that is there.  Always returns false. */
bool err_in(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
