/* sign_guard: may this be signed?  What the shipper lets the prober have, and no more.
 *
 * The prober reads what strangers send and may be theirs one day.  What it can have then:
 *
 * - by a key: signatures of GETs that read the account, names of databases and containers,
 *   partition key ranges, and addresses of replicas, each dated within five minutes of now; the
 *   service takes it for fifteen more.  One of them is more than it looks: what is signed to ask for the addresses of a container, "docs" and
 *   its rid, is the same text that is signed to list the documents of the container by its rid
 *   [cosmos-signing].  A key that must not let that happen is not given to an agent: Entra ID
 *   with readMetadata alone asks for addresses too, and reads no document.
 * - by Entra ID: the token itself, since nothing is hashed.  It can be used for whatever its
 *   identity may do until it expires; give the identity nothing but readMetadata.
 *
 * Never a write, never a document by its name, never an account that the local configuration does
 * not name.
 */
#ifndef AGENT_SIGN_GUARD_H
#define AGENT_SIGN_GUARD_H

#include "base/clock.h"
#include "base/err.h"
#include "probe/signer.h"

struct agent_conf;

enum {
	SIGN_RATE_PER_S = 20, /* of one account */
	SIGN_BURST = 100,
	SIGN_BUCKETS = 256 /* accounts that fall into one share its rate */
};

/* How much of its rate each account has used. */
struct sign_guard {
	int64_t empty_us[SIGN_BUCKETS]; /* monotonic: when all that was taken has flowed off */
};

/* By the configuration and the form of the ask alone; wall_ms is now. */
bool sign_guard_takes(const struct agent_conf *conf, const struct signer_ask *ask,
    int64_t wall_ms, struct err *err) MUST_CHECK;

/* Counts one more of the account; false when there are too many. */
bool sign_guard_count(
    struct sign_guard *guard, const char *account, int64_t now_us, struct err *err) MUST_CHECK;

#endif
