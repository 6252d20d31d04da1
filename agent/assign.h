/* assign: where an assignment comes from: the agent's own accounts, or what was pulled before.
 *
 * An assignment is encoded once, here or by the collector, and is bytes from then on.
 */
#ifndef AGENT_ASSIGN_H
#define AGENT_ASSIGN_H

#include "agent/agent_conf.h"
#include "base/clock.h"
#include "base/wbuf.h"

/* From the documents and names of the configuration; its version is a digest of its content. */
bool assign_local(const struct agent_conf *conf, struct wbuf *out, struct err *err) MUST_CHECK;

/* What an encoded assignment says of itself; the version is in the arena.  False with err when it
 * does not decode. */
struct assign_facts {
	const char *version;
	int64_t     edition; /* 0: not told */
	const char *series;  /* in the arena, too */
};
bool assign_facts(struct assign_facts *facts, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err) MUST_CHECK;

/* A collector that was restored from a backup offers what it assigned then.  What it said later
 * stays in force: the older one may lack a region that was added since.  Whatever is changed at the
 * collector is newer again; and who does nothing else is believed after ASSIGN_OLDER_US, so that
 * nobody has to go round all machines.  All zeroes at first. */
struct assign_older {
	int64_t  since_us; /* CLOCK_BOOTTIME of the first offer in a row; 0: none */
	uint32_t offered;  /* in all */
};
#define ASSIGN_OLDER_US (24 * 60 * 60 * US_PER_S)
bool assign_is_older(const struct assign_facts *offered, const struct assign_facts *in_force);
/* Whether the one that is offered takes the place of the one in force. */
bool assign_takes(struct assign_older *older, const struct assign_facts *offered,
    const struct assign_facts *in_force, int64_t now_us);

/* The last one of the collector, kept in state_dir: an agent that starts while the collector is
 * away goes on with it. */
bool assign_load(const struct agent_conf *conf, struct wbuf *out);
void assign_save(const struct agent_conf *conf, const uint8_t *bytes, size_t count);

#endif
