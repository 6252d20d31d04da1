/* sign_service: the shipper's side of signatures: asks the guard, signs, answers.
 *
 * What the prober can have at most, and what that means for the choice of a credential, is written
 * in sign_guard.h.  Every question is answered once: with a header, or with why there is none.
 */
#ifndef AGENT_SIGN_SERVICE_H
#define AGENT_SIGN_SERVICE_H

#include "agent/agent_conf.h"
#include "agent/channel.h"

enum { SIGN_SERVICE_MAX = 512 }; /* that are under way; more are refused */

struct sign_service;

/* All borrowed; they outlive the service. */
struct sign_service *sign_service_new(
    struct loop *loop, struct channel *channel, const struct agent_conf *conf);
/* Refuses what is under way.  NULL is fine. */
void sign_service_free(struct sign_service *service);

/* Another configuration, also when it is at the same place: what is under way is refused, and
 * nothing of the one before is used any more.  What has been counted against a rate stays. */
void sign_service_set(struct sign_service *service, const struct agent_conf *conf);

/* A CHANNEL_SIGN; false with err when it is none, and there is nobody to answer. */
bool sign_service_take(struct sign_service *service, const uint8_t *bytes, size_t count,
    struct err *err) MUST_CHECK;

/* Since the start. */
struct sign_service_stats {
	uint64_t given, refused;
};
struct sign_service_stats sign_service_stats(const struct sign_service *service);

#endif
