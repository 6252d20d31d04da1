/* gremlin_json: the status of a Gremlin response message, GraphSON 1 to 3 [tinkerpop-drivers]. */
#ifndef PROBE_GREMLIN_GREMLIN_JSON_H
#define PROBE_GREMLIN_GREMLIN_JSON_H

#include "base/arena.h"

#include <stdint.h>

struct gremlin_status {
	uint32_t    code;     /* status.code; never 0 */
	const char *message;  /* sane, in the arena; "" when absent */
	const char *activity; /* x-ms-activity-id of the attributes; "" when absent */
};

/* false: the bytes are not one JSON object with a status.code. */
bool gremlin_status_read(struct gremlin_status *status, const void *bytes, size_t count,
    struct arena *arena, struct err *err) MUST_CHECK;

#endif
