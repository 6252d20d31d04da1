#include "agent/learned.h"

#include "base/arena.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* Longer than any time between two measurements that is usual, and than the names' time to live:
 * an address is learned again each time it is answered, before it is connected to. */
static const int64_t age_us = 3600 * US_PER_S;

enum { PORTS_FIRST = 8 };

struct entry {
	struct addr addr;
	bool        direct;
	int64_t     heard_us, ports_since_us;
	uint16_t   *ports; /* owned; those that were knocked at */
	unsigned    port_count, port_room;
};

struct learned {
	struct entry *entries; /* owned */
	size_t        count, room;
};

struct learned *
learned_new(void)
{
	return mem_alloc(sizeof(struct learned));
}

void
learned_free(struct learned *learned)
{
	if (learned == NULL)
		return;
	for (size_t i = 0; i < learned->count; i++)
		free(learned->entries[i].ports);
	free(learned->entries);
	free(learned);
}

static struct entry *
find_entry(const struct learned *learned, const struct addr *addr)
{
	for (size_t i = 0; i < learned->count; i++) {
		if (addr_equal(&learned->entries[i].addr, addr))
			return &learned->entries[i];
	}
	return NULL;
}

/* A free place, or that of the one which was not heard of for longest. */
static struct entry *
take_place(struct learned *learned)
{
	struct entry *oldest = learned->entries;

	if (learned->count < LEARNED_MAX) {
		if (learned->count == learned->room) {
			learned->room = learned->room * 2 + 16;
			learned->entries = mem_grow(
			    learned->entries, learned->room, sizeof(*learned->entries));
		}
		return &learned->entries[learned->count++];
	}
	for (size_t i = 1; i < learned->count; i++) {
		if (learned->entries[i].heard_us < oldest->heard_us)
			oldest = &learned->entries[i];
	}
	free(oldest->ports);
	return oldest;
}

void
learned_add(struct learned *learned, const struct addr *addr, bool direct, int64_t now_us)
{
	struct entry *entry = find_entry(learned, addr);

	if (entry == NULL) {
		entry = take_place(learned);
		*entry = (struct entry){ .addr = *addr, .ports_since_us = now_us };
	}
	entry->direct = entry->direct || direct;
	entry->heard_us = now_us;
}

bool
learned_knows(
    const struct learned *learned, const struct addr *addr, bool *direct, int64_t now_us)
{
	const struct entry *entry = find_entry(learned, addr);

	if (entry == NULL || now_us - entry->heard_us > age_us)
		return false;
	*direct = entry->direct;
	return true;
}

static void
note_port(struct entry *entry, uint16_t port)
{
	if (entry->port_count == entry->port_room) {
		entry->port_room = entry->port_room == 0 ? PORTS_FIRST : entry->port_room * 2;
		entry->ports = mem_grow(entry->ports, entry->port_room, sizeof(*entry->ports));
	}
	entry->ports[entry->port_count++] = port;
}

bool
learned_knock(struct learned *learned, const struct addr *peer, unsigned most, int64_t now_us)
{
	struct entry *entry = find_entry(learned, peer);

	if (entry == NULL)
		return false;
	if (now_us - entry->ports_since_us > age_us) {
		entry->port_count = 0;
		entry->ports_since_us = now_us;
	}
	for (unsigned i = 0; i < entry->port_count; i++) {
		if (entry->ports[i] == peer->port)
			return true;
	}
	if (entry->port_count >= most || entry->port_count >= LEARNED_PORTS_MAX)
		return false;
	note_port(entry, peer->port);
	return true;
}
