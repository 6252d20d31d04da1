/* learned: the addresses that resolvers gave for names that may be measured.
 *
 * What the prober connects to is looked up here first: an address that nobody answered is an
 * address that somebody made up.  It also counts at how many ports of an address we have knocked,
 * since a scan of ports is what a stolen collector would want of us.  Bounded, and it forgets.
 */
#ifndef AGENT_LEARNED_H
#define AGENT_LEARNED_H

#include "base/addr.h"

enum {
	LEARNED_MAX = 4096,      /* addresses; the one that was not heard of for longest goes */
	LEARNED_PORTS_MAX = 4096 /* ports of one address that can be told apart */
};

struct learned;

struct learned *learned_new(void);
void            learned_free(struct learned *learned); /* NULL is fine */

/* direct: replicas of Direct mode may be behind it, whose ports nobody can know before. */
void learned_add(struct learned *learned, const struct addr *addr, bool direct, int64_t now_us);

/* Whether the address was answered within the last hour, and for Direct mode. */
bool learned_knows(
    const struct learned *learned, const struct addr *addr, bool *direct, int64_t now_us);

/* Notes the port of a known address; false when it would be more than `most` different ones within
 * an hour, and then it is not noted. */
bool learned_knock(
    struct learned *learned, const struct addr *peer, unsigned most, int64_t now_us);

#endif
