/* listen_head: whether the head of a request says plainly what is asked for and where it ends.
 *
 * Pure.  A server that guesses is a server whose requests can be smuggled: what two readers could
 * understand differently is refused.  What the path means is the handler's matter; it compares the
 * target as it was sent, and never decodes, joins or normalizes it.
 */
#ifndef COLLECTOR_LISTEN_HEAD_H
#define COLLECTOR_LISTEN_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { LISTEN_TARGET_MAX = 2048 };

struct listen_head_line {
	const char *name, *value;
};

struct listen_head {
	const char                    *target; /* as in the request line */
	unsigned                       minor;  /* of the version: 1 for HTTP/1.1 */
	const struct listen_head_line *lines;
	size_t                         count;
};

/* 0: nothing is wrong with it; else the status of the refusal, 400 or 414, and in *why, which is
 * static, the reason. */
unsigned listen_head_check(const struct listen_head *head, const char **why);

#endif
