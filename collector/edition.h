/* edition: numbers what this collector assigns, so that an agent can tell older from newer.
 *
 * A version is a digest, and says nothing of order.  The number is kept in the collector's folder
 * beside the version that it belongs to; another version gets a higher one, and at least the time
 * of day.  So a collector that was restored from a backup offers the number of then until something
 * changes.  One that has lost its folder, or is another one, has another series, whose numbers are
 * not to be compared with those from before.
 */
#ifndef COLLECTOR_EDITION_H
#define COLLECTOR_EDITION_H

#include "base/err.h"

#include <stdint.h>

enum { EDITION_SERIES_ROOM = 17 };

struct edition {
	int64_t number; /* above 0 */
	char    series[EDITION_SERIES_ROOM];
};

/* Of the version, a word without spaces, in the folder; now_ms is Unix time.  False with err where
 * it could not be kept, and then it is not the same after a restart. */
bool edition_of(struct edition *edition, const char *folder, const char *version,
    int64_t now_ms, struct err *err) MUST_CHECK;

#endif
