/* sync_child: `accounts sync` every so often, beside a collector that runs, in a process of its own:
 * it waits for the network, and the loop never does.
 *
 * What it fetches comes in by accounts_dir, as files of any other origin.
 */
#ifndef COLLECTOR_SYNC_CHILD_H
#define COLLECTOR_SYNC_CHILD_H

#include "base/clock.h"
#include "base/loop.h"

struct sync_child;

struct sync_child_options {
	struct loop        *loop;        /* borrowed */
	const struct clock *clock;       /* borrowed */
	const char         *conf_path;   /* borrowed; NULL: the system's file */
	int64_t             interval_ms; /* from the end of one to the start of the next */
};

/* The first starts at once. */
struct sync_child *sync_child_new(const struct sync_child_options *options);
/* Ends the process that is out, and waits for that.  NULL is fine. */
void sync_child_free(struct sync_child *child);

struct sync_child_counts {
	uint64_t runs, failures;
	int64_t  well_ms; /* end of the last that went well; 0: none did */
};
struct sync_child_counts sync_child_counts(const struct sync_child *child);

#endif
