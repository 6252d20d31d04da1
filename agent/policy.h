/* policy: where the prober may go, by the local configuration alone.
 *
 * Two questions: may this item of an assignment be measured at all (its name, port and account),
 * and may this very address be connected to.  No assignment can widen it.  Resolvers stand in the
 * local configuration, so that they are allowed wherever they are.
 */
#ifndef AGENT_POLICY_H
#define AGENT_POLICY_H

#include "base/addr.h"
#include "proto/record.h"

struct agent_conf;

/* false with a reason in err. */
bool policy_takes(
    const struct agent_conf *conf, const struct target *target, struct err *err) MUST_CHECK;

/* The names alone: is the host one of the account, and may requests to it be made? */
bool policy_names(const struct agent_conf *conf, const char *account, const char *host,
    struct err *err) MUST_CHECK;

/* conf is borrowed; the form that struct probe_options wants. */
bool policy_allows(void *conf, const struct addr *peer);

/* For `plprobe check`, where a person has asked: all but the addresses of the platform. */
bool policy_allows_by_hand(void *nothing, const struct addr *peer);

#endif
