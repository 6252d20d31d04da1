/* pull: asks the collector, again and again, what is to be measured.
 *
 * One request at a time; "as before" is an answer too.  Who is refused or not answered asks again
 * after a jittered wait: at once with the interval when an assignment is in force, else by the
 * backoff alone.  Never ends.  What the bytes mean, and where they are kept, is not its matter.
 */
#ifndef AGENT_PULL_H
#define AGENT_PULL_H

#include "agent/courier.h"

struct pull;

struct pull_options {
	struct loop    *loop; /* borrowed, as is the courier; outlive us */
	struct courier *courier;
	int64_t         interval_ms; /* between two questions */
	const char     *etag;        /* of what is in force; "": nothing is; copied */
	/* There is another one; pull_keep() when it is in force from now on. */
	void (*on_assignment)(void *arg, const struct courier_answer *answer);
	void *arg;
};

/* The first question goes out from the loop, at once. */
struct pull *pull_new(const struct pull_options *options);
void         pull_free(struct pull *pull); /* NULL is fine; no callback after */

/* From now on this one is in force; the entity tag is copied. */
void pull_keep(struct pull *pull, const char *etag);

#endif
