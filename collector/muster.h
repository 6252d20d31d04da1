/* muster: the board as one fleet: what analyze/incident and analyze/failover make of all agents.
 *
 * A pure reader of the board at one moment.  Says nothing to anybody: fleet and metrics_fleet do.
 */
#ifndef COLLECTOR_MUSTER_H
#define COLLECTOR_MUSTER_H

#include "analyze/failover.h"
#include "analyze/incident.h"
#include "collector/query.h"

/* Everything is in the arena, and borrows from the board. */
struct muster {
	struct arena                *arena;
	const struct query          *query;
	struct incident_agent       *agents; /* in the order of the board */
	struct incident_sighting    *sightings;
	const struct store_finding **findings; /* of the sightings */
	size_t                       count;
	const struct incident_list  *incidents;
};

/* Open findings that are as of now, as incidents.  The query outlives it. */
struct muster *muster_make(struct arena *arena, const struct query *query);

/* Who would reach which region of an account with a document, by what is as of now. */
struct failover *muster_failover(
    struct arena *arena, const struct query *query, const struct account *account);

#endif
