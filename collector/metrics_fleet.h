/* metrics_fleet: what Prometheus reads of all agents together: incidents, and failover.
 *
 * The counts are there whatever they are, for rules that must not wait for a series.  A resolver's
 * address is no label: its place is "".
 */
#ifndef COLLECTOR_METRICS_FLEET_H
#define COLLECTOR_METRICS_FLEET_H

#include "base/wbuf.h"
#include "collector/query.h"

/* Appended as text format 0.0.4. */
void metrics_fleet(const struct query *query, struct wbuf *out);

#endif
