/* identity: the key and certificate by which the collector knows this agent, on disk.
 *
 * One PEM file with both, so that they cannot disagree: identity.pem in the folder of state, 0600.
 * While a renewed one is being tried it lies beside it as identity-next.pem.
 */
#ifndef AGENT_IDENTITY_H
#define AGENT_IDENTITY_H

#include "agent/enroll.h"

/* The last two are of the collector: the certificate of its authority, when a token named it, and
 * one that is being tried. */
enum identity_slot { IDENTITY_NOW, IDENTITY_NEXT, IDENTITY_COLLECTOR, IDENTITY_COLLECTOR_NEXT };

/* In the arena, which is to be wiped. */
struct identity {
	const char         *pem; /* NULL: there is none */
	struct enroll_facts facts;
};

/* False with err where there is one that cannot be read; true with pem NULL where there is none. */
bool identity_load(struct identity *identity, struct arena *arena, const char *folder,
    enum identity_slot slot, struct err *err) MUST_CHECK;
/* The certificate of an agent that it was not made for is refused. */
bool identity_fits(
    const struct identity *identity, const char *agent, struct err *err) MUST_CHECK;

/* As the owner of the folder, also when root does it; makes the folder where it is not there. */
bool identity_store(
    const char *folder, enum identity_slot slot, const char *pem, struct err *err) MUST_CHECK;
/* The next one has been tried and works: it takes the other's place. */
bool identity_advance(const char *folder, struct err *err) MUST_CHECK;
void identity_drop_next(const char *folder);

/* The path of a slot, in the arena; "" when there is no such file. */
const char *identity_path(struct arena *arena, const char *folder, enum identity_slot slot);
void        identity_drop(const char *folder, enum identity_slot slot);

/* Changes whenever the file of the present one does; 0: there is none. */
uint64_t identity_stamp(const char *folder);

#endif
