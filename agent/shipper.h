/* shipper: the process that owns the spool, the secrets and the way to the collector.
 *
 * It connects to nothing else but, where `access` says so, the instance metadata service.  Records
 * come from the prober and are checked before they are spooled, since the prober talks to
 * strangers; and so is what it asks to sign (agent/sign_guard.h).
 */
#ifndef AGENT_SHIPPER_H
#define AGENT_SHIPPER_H

#include "agent/agent_conf.h"

#include <sys/types.h>

struct shipper_ask {
	const char        *conf_path; /* read again on SIGHUP */
	struct arena      *arena;     /* of conf; the shipper's from now on */
	struct agent_conf *conf;
	int                fd; /* the shipper's end of the channel */
	pid_t              prober;
};

/* Until told to stop, or until the prober has ended; the exit code. */
int shipper_run(const struct shipper_ask *ask);

#endif
