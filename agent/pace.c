#include "agent/pace.h"

#include "base/clock.h"

/* What may be saved up: a second, and one in any case. */
static int64_t
find_most_us(const struct pace *pace)
{
	return pace->period_us > US_PER_S ? pace->period_us : US_PER_S;
}

static int64_t
find_credit_us(const struct pace *pace, int64_t now_us)
{
	int64_t most_us = find_most_us(pace);
	int64_t since_us = now_us - pace->noted_us;

	if (since_us >= most_us || pace->credit_us + since_us > most_us)
		return most_us;
	return since_us > 0 ? pace->credit_us + since_us : pace->credit_us;
}

void
pace_init(struct pace *pace, int64_t count, int64_t span_us, int64_t now_us)
{
	/* Rounded up: rather too slow than too fast. */
	*pace = (struct pace){ .period_us = (span_us + count - 1) / count, .noted_us = now_us };
	pace->credit_us = find_most_us(pace);
}

bool
pace_take(struct pace *pace, int64_t now_us)
{
	pace->credit_us = find_credit_us(pace, now_us);
	pace->noted_us = now_us;
	if (pace->credit_us < pace->period_us)
		return false;
	pace->credit_us -= pace->period_us;
	return true;
}

int64_t
pace_wait_us(const struct pace *pace, int64_t now_us)
{
	int64_t left_us = pace->period_us - find_credit_us(pace, now_us);

	return left_us > 0 ? left_us : 0;
}
