/* channel: messages between the two processes of the agent, over a socketpair.
 *
 * A type, a length with a cap, and the bytes.  What comes from the prober is as little trusted as
 * what comes from the network: a message over its cap ends the channel.  Writing never waits;
 * beyond CHANNEL_WAITING_MAX what is given is refused.
 */
#ifndef AGENT_CHANNEL_H
#define AGENT_CHANNEL_H

#include "base/loop.h"

#include <stddef.h>

enum {
	CHANNEL_BYTES_MAX = 1 << 20,  /* one message */
	CHANNEL_WAITING_MAX = 4 << 20 /* written, and not yet taken by the kernel */
};

enum channel_type {
	CHANNEL_ASSIGNMENT, /* to the prober: an encoded `assignment` */
	CHANNEL_RELOAD,     /* to the prober: another configuration (agent_conf_write()) */
	CHANNEL_STOP,       /* to the prober: say what is left to say, and end */
	CHANNEL_RECORD,     /* to the shipper: an encoded `record` */
	CHANNEL_VITALS,     /* to the shipper: an encoded `vitals` */
	CHANNEL_BEAT,       /* to the shipper: the prober's loop goes round */
	CHANNEL_SIGN,       /* to the shipper: what is to be signed (agent/sign_wire.h) */
	CHANNEL_SIGNED,     /* to the prober: the answer */
	CHANNEL_TYPES
};

struct channel;

struct channel_ops {
	void (*on_message)(
	    void *arg, enum channel_type type, const uint8_t *bytes, size_t count);
	/* The other side is gone, or broke the rules (why is not ""); nothing comes after. */
	void (*on_closed)(void *arg, const char *why);
	void *arg;
};

/* Two ends; close them or give them to channel_new(). */
bool channel_pair(int ends[2], struct err *err) MUST_CHECK;

struct channel *channel_new(struct loop *loop, int fd, const struct channel_ops *ops);
void            channel_free(struct channel *channel); /* closes; NULL is fine */

/* false when too much is waiting, and nothing is sent. */
bool channel_send(struct channel *channel, enum channel_type type, const void *bytes,
    size_t count) MUST_CHECK;
/* Writes what waits, at most limit_ms long; for the end of a process. */
void channel_drain(struct channel *channel, int64_t limit_ms);

#endif
