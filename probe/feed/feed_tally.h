/* feed_tally: the address feed in numbers: partitions, and those with too few replicas.  Pure. */
#ifndef PROBE_FEED_FEED_TALLY_H
#define PROBE_FEED_FEED_TALLY_H

#include "probe/feed/feed_json.h"

/* Fills replicas, partitions, partitions_short and short_detail of *feed. */
void feed_tally(struct feed *feed, const struct feed_addresses *addresses, struct arena *arena);

#endif
