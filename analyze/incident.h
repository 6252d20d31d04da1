/* incident: what many agents see, said once, of the place where its cause is.
 *
 * A pure function: open findings and the agents that look go in, incidents come out, in an order
 * that does not depend on that of the input.
 *
 * 1. What a finding is about comes from its code's stage and owner: the VM (owner client), a
 *    resolver (stage name), a record or a whole zone (owner DNS), the path (owner network), the
 *    account.  Findings with one code are one cause when that is the same: of a zone when several
 *    names of an account have public addresses (accounts are folded), of a record by account and
 *    region, though regions of which the same agents say the same are told together, of a
 *    resolver by zone, of an account by account; of a VM or a path by code alone, but a path that
 *    is broken for everybody is that account's.
 * 2. Witnesses of a cause are the agents that look at its accounts, at a region that it is about, and
 *    are heard.  A silent one proves nothing, neither way; nor does one that has not come to look at a
 *    region that is new.
 * 3. All witnesses, in two VNets or more: everywhere, the account's or the zone's.
 * 4. All who ask one resolver, in two VNets or more: the resolver's.  Azure's own address and
 *    loopback stand for another resolver in each VNet, and join nobody.  What is about resolvers
 *    goes here before 3.
 * 5. All witnesses of a VNet: the VNet's, when two subnets show it, or when it is about DNS, which
 *    a VNet has as a whole, and two agents do.
 * 6. All witnesses of a subnet, two or more: the subnet's.
 * 7. Else the VMs'.  An agent that is alone in its subnet cannot tell the two apart, and the
 *    sentence says that it is alone.
 *
 * Public addresses, whichever finding explains them, blame a whole zone only while no agent of the
 * incident sees the zone answer for another account.
 */
#ifndef ANALYZE_INCIDENT_H
#define ANALYZE_INCIDENT_H

#include "analyze/judge.h"

/* An account that an agent looks at. */
struct incident_look {
	const char        *account;
	const char *const *regions; /* those of its names, some more than once; NULL: all */
	size_t             region_count;
	const char *const
	      *zones; /* that answer it with private addresses for names of the account */
	size_t zone_count;
};

struct incident_agent {
	const char *name;
	const char *network;   /* "vnet/subnet"; "": not told, a network of its own */
	const char *resolvers; /* addresses, space between; "": not told */
	bool        heard;     /* not silent */
	const struct incident_look *looks;
	size_t                      look_count;
};

/* An open finding of one agent. */
struct incident_sighting {
	size_t            agent; /* number in the ask */
	enum finding_code code;
	enum state        severity; /* STATE_OK: left out */
	const char       *account, *region, *host, *zone;
	const char       *fix;
	bool              confirmed;
	int64_t           opened_ms, last_seen_ms;
};

struct incident_ask {
	const struct incident_agent    *agents;
	size_t                          agent_count;
	const struct incident_sighting *sightings;
	size_t                          sighting_count;
};

enum incident_scope { SCOPE_VM, SCOPE_SUBNET, SCOPE_VNET, SCOPE_RESOLVER, SCOPE_EVERYWHERE };

struct incident {
	enum finding_code   code;
	enum state          severity; /* the worst of its members */
	enum incident_scope scope;
	enum owner          owner;
	bool                confirmed; /* at least one member is */
	bool                only;      /* nobody beside them is there to compare with */
	const char  *place; /* "vnet-b", "vnet-b/app", "10.0.0.4", "vm-a"; "" everywhere */
	const char  *zone, *region; /* region "*": several */
	const char **accounts;      /* by name */
	size_t       account_count, agent_count;
	size_t      *members; /* numbers of sightings, by agent, account, region, host */
	size_t       member_count;
	const char  *sentence, *fix;          /* fix: of the worst member */
	int64_t      opened_ms, last_seen_ms; /* first and newest of them */
};

struct incident_list {
	struct incident *incidents; /* the worst first, then what most agents see */
	size_t           count;
};

/* Everything is in the arena, and borrows from the ask, which outlives it. */
struct incident_list *incident_find(struct arena *arena, const struct incident_ask *ask);

const char *incident_scope_name(enum incident_scope scope); /* "vm", "subnet", "vnet", ... */

#endif
