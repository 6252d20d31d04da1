/* sign_remote: a struct signer that asks the shipper, for the prober, which has no secret.
 *
 * Sends what is to be signed over the channel and waits.  Who waits is told when the channel
 * ends, when too many wait, and when the answer is none; how long to wait is the asker's matter.
 */
#ifndef AGENT_SIGN_REMOTE_H
#define AGENT_SIGN_REMOTE_H

#include "agent/channel.h"
#include "probe/signer.h"

enum { SIGN_REMOTE_MAX = 512 }; /* that wait; more are refused */

struct sign_remote;

/* Both borrowed; they outlive the remote. */
struct sign_remote *sign_remote_new(struct loop *loop, struct channel *channel);
/* Who waits gets no answer.  Not from inside an answer.  NULL is fine. */
void sign_remote_free(struct sign_remote *remote);

/* Lives as long as `remote`.  kind: KEY or ENTRA, what the shipper has for whom it is used. */
const struct signer *sign_remote_signer(const struct sign_remote *remote, enum credential kind);

/* A CHANNEL_SIGNED; false with err when it is none.  An answer that nobody waits for is one to
 * somebody who has cancelled. */
bool sign_remote_take(
    struct sign_remote *remote, const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;
/* The channel is gone: answers all from the loop, and whoever asks from now on. */
void sign_remote_close(struct sign_remote *remote);

#endif
