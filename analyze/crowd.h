/* crowd: the agents of a fleet, by where they are and whom they ask, and who of them is a witness.
 *
 * In the service of incident.h, whose rules need, of each cause, who looks at its accounts and is
 * heard, who of these is affected, and how many that makes in each place.  Texts become numbers
 * once, so that a cause costs no more than its witnesses.
 */
#ifndef ANALYZE_CROWD_H
#define ANALYZE_CROWD_H

#include "analyze/incident.h"

/* Texts by number: open addressing, so that a fleet costs no more than its length. */
struct crowd_texts {
	const char **by_number;
	size_t       count;
	int         *slots; /* number and 1; 0: free */
	size_t       mask;
};

/* Where an agent is, as numbers of texts. */
struct crowd_spot {
	int    vnet, subnet;
	bool   told;      /* the network has a name */
	int   *resolvers; /* those that join agents; by number */
	size_t resolver_count;
	bool   azure_only; /* it asks no others than Azure's, as far as is known */
};

/* Witnesses of one place in this round. */
struct crowd_tally {
	size_t total, affected;
	size_t subnets_affected; /* of a VNet */
	int    vnet;             /* of a resolver: the first that is told, and 1 */
	bool   several;          /* there are others */
};

/* What a round is about; region "*": any. */
struct crowd_matter {
	int         account;
	const char *region;
};

/* Everything is in the arena. */
struct crowd {
	struct arena              *arena;
	const struct incident_ask *ask;
	struct crowd_texts         places, accounts, resolvers;
	struct crowd_spot         *spots;   /* by agent */
	size_t                   **lookers; /* by account: heard agents */
	size_t                    *looker_counts;
	unsigned                   round;        /* of witnesses; stamps say of which one */
	unsigned                  *agent_stamps; /* by agent: is a witness */
	unsigned                  *account_stamps;
	struct crowd_matter       *matters; /* of this round, each once */
	size_t                     matter_count;
	bool                      *affected; /* by agent */
	size_t                    *witnesses;
	size_t                     witness_count;
	struct crowd_tally        *vnets, *subnets, *askers; /* by place, by resolver */
};

struct crowd *crowd_new(struct arena *arena, const struct incident_ask *ask);

/* The number of a text, which is new when it was not known. */
int crowd_number(struct crowd_texts *texts, const char *text);
/* The network of an agent, and what stands for one that was not told. */
const char *crowd_network(const struct incident_agent *agent);
bool        crowd_asks(const struct crowd_spot *spot, int resolver);

/* A new round, without witnesses. */
void crowd_call(struct crowd *crowd);
/* All who look at the account and the region of the sighting are witnesses, and its agent is
 * affected. */
void crowd_add(struct crowd *crowd, const struct incident_sighting *sighting);
/* Counts the witnesses by place and by resolver. */
void crowd_count(struct crowd *crowd);
/* Those who ask the resolver have their incident, and are witnesses of nothing else once they are
 * counted again. */
void crowd_dismiss(struct crowd *crowd, int resolver);

bool crowd_in_vnets(const struct crowd *crowd);     /* in two or more that are told */
bool crowd_all_affected(const struct crowd *crowd); /* and there are some */

#endif
