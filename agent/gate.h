/* gate: the one door to connect(): may the prober go to this address and port, now?
 *
 * Asked with the very address that goes to connect().  Beside what policy.h says of addresses it
 * knows which ones resolvers gave for names that may be measured, the networks and rates of the
 * policy file, and counts what it refuses.  DNS servers stand in the local configuration, and are
 * always allowed.
 */
#ifndef AGENT_GATE_H
#define AGENT_GATE_H

#include "agent/agent_conf.h"
#include "base/clock.h"
#include "proto/record.h"

struct gate;

struct gate *gate_new(const struct clock *clock);
void         gate_free(struct gate *gate); /* NULL is fine */

/* From now on this configuration, with its policy; borrowed until the next call. */
void gate_set(struct gate *gate, const struct agent_conf *conf);

/* What a resolver answered for a name.  direct: replicas may be behind it, at any port. */
void gate_learn(struct gate *gate, const char *host, const struct dns *seen, bool direct);

/* The form that struct probe_options wants. */
bool gate_allows(void *gate, const struct addr *peer);

uint64_t    gate_refused(const struct gate *gate); /* connections, since the start */
const char *gate_reason(const struct gate *gate);  /* of the last one; "" before */

#endif
