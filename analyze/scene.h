/* scene: what one agent saw of one account, sorted for the checks.
 *
 * Puts each measurement to its name, says of each resolver's view and of each address what kind it
 * is, and which names got how far.  It judges nothing: the checks do.
 */
#ifndef ANALYZE_SCENE_H
#define ANALYZE_SCENE_H

#include "analyze/judge.h"
#include "base/addr.h"

enum view_kind {
	VIEW_NONE,    /* not asked, or we could not ask: says nothing */
	VIEW_FAILED,  /* no answer that means anything; dns->outcome says how */
	VIEW_MISSING, /* the name, or an address of it, does not exist */
	VIEW_PRIVATE, /* addresses, none of them public */
	VIEW_PUBLIC,  /* a public address, behind the privatelink alias */
	VIEW_OPEN,    /* a public address, and no alias */
	VIEW_BLOCKED  /* an address that leads to no other machine */
};

/* One resolver's view of one name. */
struct view {
	const struct dns *dns; /* borrowed from the measurement */
	enum view_kind    kind;
	bool              alias; /* the chain enters the privatelink zone */
	bool by_zone; /* ... and ends there: the zone itself has, or lacks, the record */
	const struct addr *addrs;
	size_t             addr_count;
	const char        *chain; /* in words, with TTLs; for evidence */
};

/* One address of one name. */
struct attempt {
	const struct endpoint *end; /* borrowed from the measurement */
	struct addr            addr;
	bool excused;     /* only bad answers lead here: what happens there follows from them */
	const char *peer; /* "10.1.0.4:443" */
};

/* One name that is judged. */
struct site {
	struct place          *place;
	const struct location *location; /* NULL for the global name, and without a document */
	bool                   pending;  /* the region comes or goes: nothing is a fault yet */
	struct view           *views;
	size_t                 view_count;
	struct attempt        *attempts;
	size_t                 attempt_count;
	unsigned               reached; /* bits 1 << STAGE_* */
};

struct scene {
	struct arena           *arena;
	const struct judge_ask *ask;
	struct site *sites; /* global name, then the regions in the document's order */
	size_t       site_count;
	struct site *swept; /* by label: names that nobody configured and that do exist */
	size_t       swept_count;
	size_t swept_asked, swept_silent; /* swept names; those whose existence is unknown */
};

struct scene *scene_new(struct arena *arena, const struct judge_ask *ask);

bool scene_reached(const struct site *site, enum stage stage);
/* Same kind, and, for private ones, the same set of addresses. */
bool scene_views_agree(const struct view *left, const struct view *right);

#endif
