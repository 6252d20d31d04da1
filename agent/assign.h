/* assign: where an assignment comes from: the agent's own accounts, or what was pulled before.
 *
 * An assignment is encoded once, here or by the collector, and is bytes from then on.
 */
#ifndef AGENT_ASSIGN_H
#define AGENT_ASSIGN_H

#include "agent/agent_conf.h"
#include "base/wbuf.h"

/* From the documents and names of the configuration; its version is a digest of its content. */
bool assign_local(const struct agent_conf *conf, struct wbuf *out, struct err *err) MUST_CHECK;

/* The version of an encoded assignment, in the arena; NULL with err when it does not decode. */
const char *assign_version(
    struct arena *arena, const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;

/* The last one of the collector, kept in state_dir: an agent that starts while the collector is
 * away goes on with it. */
bool assign_load(const struct agent_conf *conf, struct wbuf *out);
void assign_save(const struct agent_conf *conf, const uint8_t *bytes, size_t count);

#endif
