/* failover: if the write region moved, who would reach it?
 *
 * A pure function: an account's document, and what the agents' verdicts say of its regions as of
 * now, give one row for each region, network, API and mode.  Nothing in DNS changes for the private
 * names when the write region moves [cosmos-private-endpoints]: so what is seen of a region now is
 * what its clients will meet there, and what was not seen is not known.
 */
#ifndef ANALYZE_FAILOVER_H
#define ANALYZE_FAILOVER_H

#include "analyze/judge.h"

enum readiness { READINESS_OK, READINESS_UNKNOWN, READINESS_NOT };

/* The account as one agent sees it. */
struct failover_view {
	const char           *agent;
	const char           *network; /* "": the agent's name stands for it */
	const struct verdict *verdict;
	const enum state     *states; /* of its places, as of now: what is too old is unknown */
};

struct failover_ask {
	const struct account       *account; /* of a document */
	const struct failover_view *views;
	size_t                      view_count;
};

struct failover_row {
	const struct location *location;
	const char            *network;
	enum api               api;
	enum mode              mode;
	bool                   writes; /* the region takes writes now */
	enum readiness         readiness;
	const char            *reason; /* "" of a plain ok */
	size_t                 agents; /* that look at the account from there */
};

struct failover {
	struct failover_row *rows; /* by priority, then network, then API and mode */
	size_t               row_count;
	const char          *sentence; /* what happens when the write region moves on */
	enum state           state; /* critical: a network would lose its next write region */
};

/* Everything is in the arena, and borrows from the ask, which outlives it. */
struct failover *failover_find(struct arena *arena, const struct failover_ask *ask);

const char *readiness_name(enum readiness readiness); /* "ok", "unknown", "not" */

#endif
