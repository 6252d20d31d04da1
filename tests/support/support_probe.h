/* support_probe: one probe on a loop of its own, from start to end.
 */
#ifndef TESTS_SUPPORT_PROBE_H
#define TESTS_SUPPORT_PROBE_H

#include "probe/probe.h"

struct support_probe {
	struct arena   *arena;
	struct endpoint endpoint;
	struct dns      dns;
	struct replica  replica;
	int64_t         took_us;
	unsigned        overs; /* calls of on_over(), in all */
};

/* Runs what ask says; its arena, dns, endpoint, replica, on_over and arg are set here, and so are the loop
 * of the options and, where it is missing, the clock. */
struct support_probe *support_probe_run(
    const struct probe_options *options, const struct probe_ask *ask);
void support_probe_free(struct support_probe *run); /* NULL is fine */

#endif
