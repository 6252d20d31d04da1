/* negative: the negative test of one name: is its public address refused?
 *
 * Resolvers outside of this network are asked for the name, and each public address that they give
 * is tried as the target's API wants it; where an unsigned request is answered and there is a
 * credential, a signed one tells whether the account admits us there.  Which of these is as it
 * should be is not for here to say.  It goes to no address that is not public, whatever a resolver
 * answers: one that answers with this network's own addresses is not outside, and one that lies
 * must not lead anybody in.
 */
#ifndef PROBE_NEGATIVE_H
#define PROBE_NEGATIVE_H

#include "probe/measure.h"

enum { NEGATIVE_RESOLVERS_MAX = 4 };

struct negative_ask {
	const struct measure_ask *measure;  /* target, arena, resolvers outside, means */
	struct measurement       *seen;     /* gets `outside` */
	int64_t                   limit_ms; /* for all of it, > 0; shares of it for each step */
	void (*on_over)(void *arg); /* last thing that happens; may call negative_free() */
	void *arg;
};

struct negative;

/* Whether the target has a negative test: a configured name of Gateway mode. */
bool negative_is_for(const struct target *target);

/* on_over() is called from the loop, once.  At least one resolver outside is wanted. */
struct negative *negative_start(struct probes *probes, const struct negative_ask *ask);
/* Ends in any state, also from on_over(); no callback after.  What was not over is recorded as
 * given up because of `why`; NULL: as it stands.  NULL is fine for the test, too. */
void negative_free(struct negative *negative, const char *why);

#endif
