/* sign_local: a struct signer that has the credential itself.
 *
 * For a process that may: `plprobe check`, and the shipper behind its guard.  Holds no secret but
 * the token of a managed identity while it is good (agent/imds.h).
 */
#ifndef AGENT_SIGN_LOCAL_H
#define AGENT_SIGN_LOCAL_H

#include "agent/credential.h"
#include "base/loop.h"

struct sign_local;

/* The source's texts are copied; the loop is borrowed.  NULL with err when libcurl does not start;
 * whether the credential can be had is said by each answer. */
struct sign_local *sign_local_new(
    struct loop *loop, const struct credential_source *source, struct err *err) MUST_CHECK;
/* Who waits gets no answer.  Not from inside an answer.  NULL is fine. */
void sign_local_free(struct sign_local *sign);

/* Lives as long as `sign`.  The texts of an ask are borrowed until its answer. */
const struct signer *sign_local_signer(const struct sign_local *sign);

#endif
