/* propagation: regions that were added to an account, and which agents see them right since when.
 *
 * Learns of a region from the first version of a document that has it, as the store keeps them;
 * the regions of an account's first version were not added as far as we know.  What an agent sees
 * has the time of its record, and is kept in memory: of an agent that sees a region right when the
 * collector starts, it is not known since when.
 */
#ifndef COLLECTOR_PROPAGATION_H
#define COLLECTOR_PROPAGATION_H

#include "analyze/judge.h"
#include "collector/documents.h"
#include "collector/store/store.h"

struct propagation;

/* One agent's view of an added region. */
struct propagation_view {
	char   *agent;    /* owned */
	bool    right;    /* there was a measurement that was right */
	int64_t right_ms; /* start of the first such one; 0: not known */
	int64_t wrong_ms; /* of the newest that was not, before that; 0: none */
	/* Until when what that one answered may stand in caches: the negative answer [rfc2308 5],
	 * or the wrong record; 0: not told. */
	int64_t     until_ms;
	bool        negative; /* it is the negative one that stands longest */
	const char *why;      /* what was wrong, a text of the table of findings; "" */
};

struct propagation_region {
	char                    *account, *region; /* owned */
	int64_t                  added_ms; /* when the document was read; 0: was there */
	struct propagation_view *views;    /* owned; by agent */
	size_t                   view_count;
};

struct propagation *propagation_new(void);
void                propagation_free(struct propagation *propagation); /* NULL is fine */

/* Learns from the versions that a store keeps; before anything else. */
bool propagation_load(
    struct propagation *propagation, struct store *store, struct err *err) MUST_CHECK;
/* From here on measurements are news: what was right before was so since nobody knows when. */
void propagation_loaded(struct propagation *propagation);
/* The documents are these now.  A region that is gone takes its row with it. */
void propagation_learn(
    struct propagation *propagation, const struct documents *documents, int64_t now_ms);
/* What an agent sees of an account. */
void propagation_look(struct propagation *propagation, const char *agent, const char *account,
    const struct verdict *verdict);
/* Regions that were added earlier count as old. */
void propagation_expire(struct propagation *propagation, int64_t before_ms);

/* By account and region; also those that were there. */
size_t                           propagation_count(const struct propagation *propagation);
const struct propagation_region *propagation_at(
    const struct propagation *propagation, size_t at);

#endif
