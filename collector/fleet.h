/* fleet: what the API says of all agents together: incidents, failover, regions that were added.
 *
 * Pure readers of the board, as query.h.  In fleet_json.c.
 */
#ifndef COLLECTOR_FLEET_H
#define COLLECTOR_FLEET_H

#include "collector/query.h"

/* Open findings that are as of now, as incidents with their members: see analyze/incident.h. */
struct json_t *fleet_incidents(const struct query *query);
/* For each account with a document: analyze/failover.h.  account: only this one; NULL: all. */
struct json_t *fleet_failover(const struct query *query, const char *account);
/* Regions that were added, and who sees them right since when. */
struct json_t *fleet_propagation(const struct query *query);

#endif
