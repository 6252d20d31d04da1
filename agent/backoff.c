#include "agent/backoff.h"

#include "base/clock.h"
#include "base/digest.h"

/* Uniform in [0, limit]: 64 random bits over less than 2^20 values, so that the remainder of the
 * division favours nobody by more than 2^-44. */
static int64_t
draw(int64_t limit)
{
	uint64_t bits;

	digest_random(&bits, sizeof(bits));
	return (int64_t)(bits % (uint64_t)(limit + 1));
}

void
backoff_reset(struct backoff *backoff)
{
	*backoff = (struct backoff){ 0 };
}

/* One more failure; first_ms doubled by those before it, up to the cap. */
static int64_t
double_from(struct backoff *backoff, int64_t first_ms)
{
	int64_t limit_ms = first_ms;

	for (unsigned i = 0; i < backoff->failures && limit_ms < BACKOFF_CAP_MS; i++)
		limit_ms *= 2;
	backoff->failures++;
	return limit_ms < BACKOFF_CAP_MS ? limit_ms : BACKOFF_CAP_MS;
}

static int64_t
note(struct backoff *backoff, int64_t wait_ms)
{
	backoff->waited_ms += wait_ms;
	return wait_ms;
}

/* By the number of failures alone a few of ten thousand would draw short waits, fail often within
 * half a minute, and then stay away for five. */
int64_t
backoff_next_ms(struct backoff *backoff)
{
	int64_t bound_ms = BACKOFF_FIRST_MS + 2 * backoff->waited_ms;
	int64_t limit_ms = double_from(backoff, BACKOFF_FIRST_MS);

	return note(backoff, draw(limit_ms < bound_ms ? limit_ms : bound_ms));
}

int64_t
backoff_nameless_ms(struct backoff *backoff)
{
	int64_t limit_ms = double_from(backoff, BACKOFF_NAMELESS_MS);

	return note(backoff, limit_ms / 2 + draw(limit_ms / 2));
}

int64_t
backoff_asked_ms(struct backoff *backoff, int64_t retry_after_s)
{
	int64_t asked_ms = BACKOFF_ASKED_CAP_MS;

	if (retry_after_s < 1)
		asked_ms = MS_PER_S;
	else if (retry_after_s < BACKOFF_ASKED_CAP_MS / MS_PER_S)
		asked_ms = retry_after_s * MS_PER_S;
	backoff->failures++;
	return note(backoff, asked_ms + draw(asked_ms));
}
