/* swept: measurements of targets of which only the address is asked for, made by one sweep.
 *
 * Each target becomes a measurement of its own, as measure.h makes it, with one view for each
 * vantage, but of A alone.  Targets wait their turn: pace, window and silent resolvers are
 * sweep.h's matter.
 */
#ifndef PROBE_SWEPT_H
#define PROBE_SWEPT_H

#include "probe/measure.h"

/* To each resolver: all regions of one account at once, and those of many accounts at the pace of
 * a busy client. */
enum { SWEPT_PACE_PRESET = 100, SWEPT_PACE_MAX = 100000 };

struct swept;

struct swept_options {
	struct probes                *probes;        /* borrowed; outlives it */
	const struct measure_vantage *vantages;      /* copied */
	size_t                        vantage_count; /* at least one */
	unsigned                      queries_per_s; /* to each of them; 0: without limit */
	int64_t                       limit_ms;      /* for one target; > 0 */
};

struct swept *swept_new(const struct swept_options *options, struct err *err) MUST_CHECK;
void          swept_free(struct swept *swept); /* no callback after; NULL is fine */

struct swept_ask {
	const struct target *target; /* borrowed until on_over() has returned */
	struct arena        *arena;  /* the measurement is allocated here */
	/* As in measure_ask.  Not the place for swept_free(). */
	void (*on_over)(void *arg, struct measurement *seen);
	void *arg;
};

/* Returns at once; on_over() is called from the loop. */
void swept_add(struct swept *swept, const struct swept_ask *ask);

#endif
