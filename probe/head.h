/* head: the head of an HTTP/1 answer, for dialogues that speak HTTP over conn [rfc9112].
 *
 * Strict, and small: it takes what a front end sends and says of all else what is wrong with it.
 * Not a client: it follows nothing, keeps nothing, and knows no body (see reply.h).  What it finds
 * points into the bytes that were parsed.
 */
#ifndef PROBE_HEAD_H
#define PROBE_HEAD_H

#include "base/arena.h"
#include "base/rcur.h"

enum { HEAD_MAX_BYTES = 16 * 1024, HEAD_FIELDS_MAX = 64, HEAD_HOST_MAX = 253 };

struct head_field {
	const char *name,
	    *value; /* borrowed; not NUL-terminated; value without blanks around */
	size_t name_bytes, value_bytes;
};

struct head {
	unsigned          minor;  /* HTTP/1.minor */
	unsigned          status; /* 100 to 599 */
	size_t            count;
	struct head_field fields[HEAD_FIELDS_MAX];
};

enum head_parse {
	HEAD_WHOLE,
	HEAD_MORE, /* not all there; in is where it was */
	HEAD_BAD   /* why stands in err */
};

/* Takes a status line, fields and the empty line behind them off in.  What can never become a
 * head is bad at its first wrong byte. */
enum head_parse head_parse(struct head *head, struct rcur *in, struct err *err) MUST_CHECK;

/* The first field of that name (without case); NULL when there is none. */
const struct head_field *head_find(const struct head *head, const char *name);
/* Its value, made sane, in the arena; "" when there is none. */
const char *head_text(
    const struct head *head, const char *name, struct arena *arena, size_t limit);
/* Whether the word stands in the comma-separated list that the fields of that name make up
 * [rfc9110 5.6.1], without case. */
bool head_lists(const struct head *head, const char *name, const char *word);

enum head_framing {
	HEAD_NO_BODY,
	HEAD_LENGTH,
	HEAD_CHUNKED,
	HEAD_TO_CLOSE /* it ends with the connection */
};

/* How the body of an answer to GET is framed [rfc9112 6.3]; false when the head contradicts
 * itself.  count is the length where it is HEAD_LENGTH, else 0. */
bool head_framing(const struct head *head, enum head_framing *framing, uint64_t *count,
    struct err *err) MUST_CHECK;

/* Whether the name may be sent as Host: 1 to HEAD_HOST_MAX of a-z, A-Z, 0-9, '-', '_', '.'. */
bool head_host_check(const char *host, struct err *err) MUST_CHECK;

#endif
