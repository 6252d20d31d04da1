/* prober: the process that measures.
 *
 * It parses what strangers send.  So it has no token, no key and no spool; it takes assignments
 * from the shipper, holds them against the local policy, and gives records back.  It ends when
 * the shipper does.
 */
#ifndef AGENT_PROBER_H
#define AGENT_PROBER_H

#include "agent/agent_conf.h"

struct prober;
struct signer;

struct prober_ask {
	struct arena      *arena; /* of conf; the prober's from now on */
	struct agent_conf *conf;
	int                fd; /* the prober's end of the channel */
};

/* Until told to stop; the exit code. */
int prober_run(const struct prober_ask *ask);

/* Who signs requests to the account: the shipper, asked over the channel.  NULL when the setting
 * `access` has no credential for it.  Lives as long as the prober. */
const struct signer *prober_signer(const struct prober *prober, const char *account);

#endif
