/* listen_share: how much of a server's room the peers of one address take.
 *
 * An address has a share of the connections and of the bytes that are being read, and begins new
 * connections at a pace; so one machine, whatever it does, leaves room for the others.  IPv6
 * addresses count by their /64, which is what one machine has.  Pure: no socket, no clock.
 */
#ifndef COLLECTOR_LISTEN_SHARE_H
#define COLLECTOR_LISTEN_SHARE_H

#include "base/addr.h"

struct listen_share;
struct listen_address;

struct listen_share_limits {
	/* Connections of one address: so many at a time, and so many begun in a minute, all of
	 * them at once if need be; 0: any number. */
	unsigned connections;
	size_t   bytes;     /* of one address; 0: any number */
	size_t   all_bytes; /* of all together; 0: any number */
};

struct listen_share *listen_share_new(const struct listen_share_limits *limits);
void                 listen_share_free(struct listen_share *share); /* NULL is fine */

/* One connection more from there; what is returned is given back to listen_share_leave().  NULL:
 * the address has had its share. */
struct listen_address *listen_share_enter(
    struct listen_share *share, const struct addr *from, int64_t now_us) MUST_CHECK;
void listen_share_leave(
    struct listen_share *share, struct listen_address *address, int64_t now_us);

/* Room for bytes that are being read; false: there is none. */
bool listen_share_take(
    struct listen_share *share, struct listen_address *address, size_t bytes) MUST_CHECK;
void listen_share_give(
    struct listen_share *share, struct listen_address *address, size_t bytes);

/* Addresses that are remembered: those with connections, and for a minute those without. */
size_t listen_share_count(const struct listen_share *share);

#endif
