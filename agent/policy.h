/* policy: where the prober may go, by the local configuration alone.
 *
 * Two questions: may this item of an assignment be measured at all (its name, port and account),
 * and is this an address that nothing should ever be connected to.  No assignment can widen it.
 * Resolvers stand in the local configuration, so that they are allowed wherever they are.  Pure:
 * what needs a memory or a clock is egress.h's matter.
 */
#ifndef AGENT_POLICY_H
#define AGENT_POLICY_H

#include "base/addr.h"
#include "proto/record.h"

struct agent_conf;

/* false with a reason in err. */
bool policy_takes(
    const struct agent_conf *conf, const struct target *target, struct err *err) MUST_CHECK;

/* What an assignment asks for in all, so far. */
struct policy_budget {
	double names_per_minute;
};

/* Adds the target's own rate to the budget; false when that is more than the policy file allows,
 * and then it is not added.  interval_ms: of targets without one.  Sweeps have a pace of their
 * own. */
bool policy_spends(const struct agent_conf *conf, const struct target *target,
    int64_t interval_ms, struct policy_budget *budget, struct err *err) MUST_CHECK;

/* The names alone: is the host one of the account, and may requests to it be made? */
bool policy_names(const struct agent_conf *conf, const char *account, const char *host,
    struct err *err) MUST_CHECK;

/* Whether a name, be it of an account or of a replica that a gateway told of, lies where addresses
 * may be followed to: below a suffix of Azure Cosmos DB, and in a zone of the policy file. */
bool policy_follows(const struct agent_conf *conf, const char *host);

/* One of `ports`, and of those of the policy file.  0 is 443. */
bool policy_has_port(const struct agent_conf *conf, uint32_t port);

/* How many of `outside_resolvers` may be asked: all that agent.yaml names, and none where the policy
 * file says no to them, or to public addresses. */
size_t policy_outside(const struct agent_conf *conf);

/* A DNS server that is asked just now, address and port; never the metadata service. */
bool policy_is_resolver(const struct agent_conf *conf, const struct addr *peer);

/* Of the address alone, see egress.h for the rest.  conf is borrowed; the form that struct probe_options wants. */
bool policy_allows(void *conf, const struct addr *peer);

/* For `plprobe check`, where a person has asked: all but the addresses of the platform. */
bool policy_allows_by_hand(void *nothing, const struct addr *peer);

#endif
