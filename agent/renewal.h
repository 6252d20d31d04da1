/* renewal: keeps the agent's certificate fresh, and sees when somebody else has exchanged it.
 *
 * At two thirds of its life, more or less, a new key gets a new certificate by showing the old one;
 * the new one is tried, and only when the collector takes it does it replace the old one, on disk
 * and for everybody.  Refused or not answered, it is tried again, ever less often; nothing here
 * ends the agent.  An agent with a token has none, and only waits for a file to appear.
 */
#ifndef AGENT_RENEWAL_H
#define AGENT_RENEWAL_H

#include "base/loop.h"

struct renewal;

struct renewal_options {
	struct loop *loop;    /* borrowed */
	const char  *url;     /* of the collector; borrowed, as are the others */
	const char  *ca_file; /* "": the system's roots */
	const char  *folder;  /* of identity.pem */
	const char  *agent;   /* whose certificate it must be */
	/* identity.pem is another one now.  May free us. */
	void (*on_changed)(void *arg);
	void *arg;
};

struct renewal *renewal_new(const struct renewal_options *options);
void            renewal_free(struct renewal *renewal); /* NULL is fine */

/* When to renew a certificate that is good from one time to the other, Unix ms; luck is from 0 to
 * 1, and moves it within a sixth of its life.  Exposed for its test. */
int64_t renewal_due_ms(int64_t starts_ms, int64_t ends_ms, double luck);

#endif
