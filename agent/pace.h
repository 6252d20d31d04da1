/* pace: so many a second or a minute, and no more; what comes too early is told to wait or to go.
 *
 * A second's worth may begin at once.  Pure: it is told the time.
 */
#ifndef AGENT_PACE_H
#define AGENT_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	int64_t period_us; /* of one */
	int64_t credit_us,
	    noted_us; /* time that nobody has used yet; when that was written down */
};

/* count, above 0, within a span of span_us; a full second's worth, one at least, may begin now. */
void pace_init(struct pace *pace, int64_t count, int64_t span_us, int64_t now_us);

/* Whether one may begin now, and then it has begun. */
bool pace_take(struct pace *pace, int64_t now_us);

/* Until pace_take() is true; 0: it is. */
int64_t pace_wait_us(const struct pace *pace, int64_t now_us);

#endif
