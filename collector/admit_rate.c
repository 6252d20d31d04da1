#include "collector/admit_rate.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>

/* Of all together: requests a second, and at once.  Of one address: attempts in a minute with
 * nothing that we know. */
enum { RATE_PER_S = 20, BURST = 200, FAULTS_MAX = 10, FAULT_ROOM = 256 };

static const int64_t fault_us = 60 * US_PER_S;

/* An address that was refused of late. */
struct fault {
	struct addr from;
	unsigned    count;
	int64_t     since_us;
};

struct admit_rate {
	double       tokens;
	int64_t      filled_us;
	struct fault faults[FAULT_ROOM];
	size_t       next; /* the fault to be forgotten next */
};

struct admit_rate *
admit_rate_new(int64_t now_us)
{
	struct admit_rate *rate = mem_alloc(sizeof(*rate));

	rate->tokens = BURST;
	rate->filled_us = now_us;
	return rate;
}

void
admit_rate_free(struct admit_rate *rate)
{
	free(rate);
}

static struct fault *
find_fault(struct admit_rate *rate, const struct addr *from, int64_t now_us)
{
	const struct addr machine = addr_machine(from);

	for (size_t i = 0; i < FAULT_ROOM; i++) {
		struct fault *fault = &rate->faults[i];

		if (fault->count > 0 && addr_equal(&fault->from, &machine) &&
		    now_us - fault->since_us < fault_us)
			return fault;
	}
	return NULL;
}

void
admit_rate_fault(struct admit_rate *rate, const struct addr *from, int64_t now_us)
{
	struct fault *fault = find_fault(rate, from, now_us);

	if (fault == NULL) {
		fault = &rate->faults[rate->next++ % FAULT_ROOM];
		*fault = (struct fault){ .from = addr_machine(from), .since_us = now_us };
	}
	fault->count++;
}

static bool
take_turn(struct admit_rate *rate, int64_t now_us)
{
	rate->tokens += (double)(now_us - rate->filled_us) * RATE_PER_S / 1e6;
	rate->filled_us = now_us;
	if (rate->tokens > BURST)
		rate->tokens = BURST;
	if (rate->tokens < 1)
		return false;
	rate->tokens -= 1;
	return true;
}

bool
admit_rate_take(struct admit_rate *rate, const struct addr *from, int64_t now_us)
{
	const struct fault *fault = find_fault(rate, from, now_us);

	return (fault == NULL || fault->count < FAULTS_MAX) && take_turn(rate, now_us);
}
