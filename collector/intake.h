/* intake: from the bytes of a POST to a batch that the store can take, or the reason why not.
 *
 * Pure: what came, who sent it and when go in.  Every refusal is one that a repeat cannot heal,
 * but for the version, which a newer collector takes.
 */
#ifndef COLLECTOR_INTAKE_H
#define COLLECTOR_INTAKE_H

#include "base/arena.h"
#include "collector/store/store.h"

struct intake_ask {
	const uint8_t *body;
	size_t         count;
	const char    *agent;      /* the authenticated one */
	const char    *network;    /* of the credential; "": the batch's own is taken */
	const char    *digest;     /* Content-Digest [rfc9530], or NULL */
	const char    *age;        /* Batch-Age, seconds since it was begun, or NULL */
	int64_t        now_ms;     /* wall clock */
	int64_t        horizon_ms; /* what is older is refused */
};

/* Numbers are HTTP status codes [rfc9110 15]. */
enum intake_answer {
	INTAKE_OK = 200,
	INTAKE_MALFORMED = 400,
	INTAKE_OTHER_AGENT = 403,
	INTAKE_TOO_OLD = 410,
	INTAKE_OTHER_VERSION = 415,
	INTAKE_SENSELESS = 422
};

struct intake {
	struct store_batch batch; /* in the arena */
	size_t             records;
	bool               clock_suspect; /* its clock differs from ours by more than minutes */
};

/* Everything is in the arena, and borrows the body.  err says what is wrong, for the peer and the
 * log. */
enum intake_answer intake_read(struct intake *intake, struct arena *arena,
    const struct intake_ask *ask, struct err *err) MUST_CHECK;

/* What names a target within its agent; the role is no part of it, since a name that was swept
 * may be configured the next day. */
char *intake_key(struct arena *arena, const struct target *target);

#endif
