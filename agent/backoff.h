/* backoff: how long to wait before the next try: full jitter, U(0, min(cap, first * 2^n)), and never
 * longer than twice what was waited so far and a second.
 *
 * The randomness is the point: agents that lost their collector together must not come back
 * together.  The bound is for the last of them: all are back within three times as long as it was
 * away.
 */
#ifndef AGENT_BACKOFF_H
#define AGENT_BACKOFF_H

#include <stdint.h>

struct backoff {
	unsigned failures;  /* in a row */
	int64_t  waited_ms; /* for them, in all */
};

enum {
	BACKOFF_FIRST_MS = 1000,
	BACKOFF_CAP_MS = 300000,
	BACKOFF_ASKED_CAP_MS = 900000,
	BACKOFF_NAMELESS_MS = 60000
};

void backoff_reset(struct backoff *backoff);
/* One more failure; the wait after it. */
int64_t backoff_next_ms(struct backoff *backoff);
/* The peer's name could not be resolved: U(l / 2, l), l doubling from BACKOFF_NAMELESS_MS up to
 * the cap, so that resolvers which are down, or have no such name, are not hammered. */
int64_t backoff_nameless_ms(struct backoff *backoff);
/* The peer asked for retry_after_s: that, clamped to 1 s and 15 min, and up to as much again.
 * Counts as a failure too. */
int64_t backoff_asked_ms(struct backoff *backoff, int64_t retry_after_s);

#endif
