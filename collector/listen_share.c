#include "collector/listen_share.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { CHAINS = 4096, IDLE_MAX = 16384 };

/* In this time the pace of an address is made up for. */
static const int64_t refill_us = 60 * US_PER_S;

struct listen_address {
	struct addr            from;
	struct listen_address *next; /* of its chain */
	TAILQ_ENTRY(listen_address) idle;
	unsigned live;
	size_t   bytes;
	double   pace; /* connections that may be begun now */
	int64_t  paced_us, left_us;
};

TAILQ_HEAD(idle_list, listen_address);

struct listen_share {
	struct listen_share_limits limits;
	struct listen_address     *chains[CHAINS]; /* owned */
	struct idle_list           idle; /* without connections; who left first is first */
	size_t                     count, idle_count, bytes;
	uint64_t                   seed; /* so that nobody can fill one chain */
};

struct listen_share *
listen_share_new(const struct listen_share_limits *limits)
{
	struct listen_share *share = mem_alloc(sizeof(*share));

	share->limits = *limits;
	TAILQ_INIT(&share->idle);
	digest_random((uint8_t *)&share->seed, sizeof(share->seed));
	return share;
}

void
listen_share_free(struct listen_share *share)
{
	if (share == NULL)
		return;
	for (size_t i = 0; i < CHAINS; i++) {
		while (share->chains[i] != NULL) {
			struct listen_address *address = share->chains[i];

			share->chains[i] = address->next;
			free(address);
		}
	}
	free(share);
}

static struct listen_address **
find_place(struct listen_share *share, const struct addr *from)
{
	uint64_t                hash = share->seed;
	struct listen_address **at;

	for (size_t i = 0; i < 8; i++)
		hash = (hash ^ from->bytes[i]) * UINT64_C(0x100000001b3);
	at = &share->chains[(hash ^ hash >> 29) % CHAINS];
	while (*at != NULL && !addr_equal(&(*at)->from, from))
		at = &(*at)->next;
	return at;
}

static void
forget(struct listen_share *share, struct listen_address *address)
{
	struct listen_address **at = find_place(share, &address->from);

	*at = address->next;
	TAILQ_REMOVE(&share->idle, address, idle);
	share->idle_count--;
	share->count--;
	free(address);
}

/* Whose pace is made up for need not be remembered; who left first goes where there are many. */
static void
forget_idle(struct listen_share *share, int64_t now_us)
{
	struct listen_address *address;

	while ((address = TAILQ_FIRST(&share->idle)) != NULL &&
	    (now_us - address->left_us >= refill_us || share->idle_count > IDLE_MAX))
		forget(share, address);
}

static struct listen_address *
get_address(struct listen_share *share, const struct addr *from, int64_t now_us)
{
	const struct addr       machine = addr_machine(from);
	struct listen_address **at = find_place(share, &machine);

	if (*at == NULL) {
		*at = mem_alloc(sizeof(**at));
		(*at)->from = machine;
		(*at)->pace = share->limits.connections;
		(*at)->paced_us = (*at)->left_us = now_us;
		TAILQ_INSERT_TAIL(&share->idle, *at, idle);
		share->idle_count++;
		share->count++;
	}
	return *at;
}

static bool
keep_pace(const struct listen_share *share, struct listen_address *address, int64_t now_us)
{
	double most = share->limits.connections;

	address->pace += (double)(now_us - address->paced_us) * most / (double)refill_us;
	address->paced_us = now_us;
	if (address->pace > most)
		address->pace = most;
	if (address->pace < 1)
		return false;
	address->pace -= 1;
	return true;
}

struct listen_address *
listen_share_enter(struct listen_share *share, const struct addr *from, int64_t now_us)
{
	unsigned               most = share->limits.connections;
	struct listen_address *address;

	forget_idle(share, now_us);
	address = get_address(share, from, now_us);
	if (most != 0 && (address->live >= most || !keep_pace(share, address, now_us)))
		return NULL;
	if (address->live++ == 0) {
		TAILQ_REMOVE(&share->idle, address, idle);
		share->idle_count--;
	}
	return address;
}

void
listen_share_leave(struct listen_share *share, struct listen_address *address, int64_t now_us)
{
	assert(address->live > 0);
	if (--address->live > 0)
		return;
	address->left_us = now_us;
	TAILQ_INSERT_TAIL(&share->idle, address, idle);
	share->idle_count++;
	forget_idle(share, now_us);
}

bool
listen_share_take(struct listen_share *share, struct listen_address *address, size_t bytes)
{
	const struct listen_share_limits *limits = &share->limits;

	if ((limits->bytes != 0 && address->bytes + bytes > limits->bytes) ||
	    (limits->all_bytes != 0 && share->bytes + bytes > limits->all_bytes))
		return false;
	address->bytes += bytes;
	share->bytes += bytes;
	return true;
}

void
listen_share_give(struct listen_share *share, struct listen_address *address, size_t bytes)
{
	assert(address->bytes >= bytes && share->bytes >= bytes);
	address->bytes -= bytes;
	share->bytes -= bytes;
}

size_t
listen_share_count(const struct listen_share *share)
{
	return share->count;
}
