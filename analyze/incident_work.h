/* incident_work: what incident.c has in hand between sightings and incidents.
 *
 * In its service alone: causes that have found their place become drafts (incident_draft.c), and
 * drafts that say the same of several regions become one (incident_fold.c).
 */
#ifndef ANALYZE_INCIDENT_WORK_H
#define ANALYZE_INCIDENT_WORK_H

#include "analyze/crowd.h"
#include "analyze/incident_words.h"

/* A sighting with its key: same keys are one cause. */
struct incident_cause {
	const struct incident_sighting *sighting;
	size_t                          number;                  /* in the ask */
	const char                     *agent;                   /* its name */
	const char                     *account, *region, *zone; /* of the key; "" folded */
	/* Where the partition puts it. */
	enum incident_scope scope;
	int                 place;
	bool                taken;
};

/* An incident, and what its sentence will need. */
struct incident_draft {
	struct incident       incident;
	struct incident_facts facts;
};

struct incident_work {
	struct arena              *arena;
	const struct incident_ask *ask;
	struct crowd              *crowd;
	struct incident_draft     *drafts;
	size_t                     draft_count, room;
};

/* The causes that are of this scope and place, which are not taken yet, as one incident; they are taken
 * then.  There is at least one. */
void incident_draft_add(struct incident_work *work, struct incident_cause *causes, size_t count,
    enum incident_scope scope, int place);

/* Records of one account of which the same agents say the same are told together. */
void incident_fold_regions(struct incident_work *work);

#endif
