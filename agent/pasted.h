/* pasted: addresses of replicas out of what somebody has: one URI, or the log and diagnostics of an
 * application, where they stand between other words.
 */
#ifndef AGENT_PASTED_H
#define AGENT_PASTED_H

#include "base/arena.h"
#include "probe/rntbd/rntbd_uri.h"

#include <stddef.h>

enum { PASTED_MAX = 4096, PASTED_FILE_MAX_BYTES = 16 << 20 };

struct pasted {
	struct rntbd_uri *uris; /* distinct by host and port; in the arena */
	size_t            count;
};

/* Adds one; a refusal says what was wanted. */
bool pasted_add(
    struct pasted *pasted, struct arena *arena, const char *text, struct err *err) MUST_CHECK;
/* Adds every "rntbd://..." of a text, also where JSON has written "\/" for "/"; what begins so and
 * is no address is passed over, since logs cut lines.  false when there is none at all, or when
 * there are more than PASTED_MAX.  source names the text in the error. */
bool pasted_scan(struct pasted *pasted, struct arena *arena, const char *text, size_t count,
    const char *source, struct err *err) MUST_CHECK;
/* The same of a file; "-" is standard input. */
bool pasted_read(
    struct pasted *pasted, struct arena *arena, const char *path, struct err *err) MUST_CHECK;

#endif
