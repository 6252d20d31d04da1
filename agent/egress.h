/* egress: the one door to connect(): may the prober go to this address and port, now?
 *
 * Asked with the very address that goes to connect().  Beside what policy.h says of addresses it
 * knows which ones resolvers gave for names that may be measured, the networks and rates of the
 * policy file, and counts what it refuses.  A resolver outside of this network can only give
 * public addresses, for gateways and front ends.  DNS servers, and a proxy, stand in the local
 * configuration, and are always allowed.
 */
#ifndef AGENT_EGRESS_H
#define AGENT_EGRESS_H

#include "agent/agent_conf.h"
#include "base/clock.h"
#include "proto/record.h"

struct egress;

struct egress *egress_new(const struct clock *clock);
void           egress_free(struct egress *egress); /* NULL is fine */

/* From now on this configuration, with its policy; borrowed until the next call. */
void egress_set(struct egress *egress, const struct agent_conf *conf);

/* What a resolver answered for a name.  direct: replicas may be behind it, at any port. */
void egress_learn(struct egress *egress, const char *host, const struct dns *seen, bool direct);

/* Whether the measurement of one more name may begin now; else how long to wait.  An assignment may
 * ask for no more a minute than `names_per_minute`, and a new one each time it is looked for must
 * not get more. */
bool egress_names(struct egress *egress, int64_t *wait_us);

/* The form that struct probe_options wants. */
bool egress_allows(void *egress, const struct addr *peer);

uint64_t    egress_refused(const struct egress *egress); /* connections, since the start */
const char *egress_reason(const struct egress *egress);  /* of the last one; "" before */

#endif
