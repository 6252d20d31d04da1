/* schedule: which name is to be measured when.
 *
 * Pure: it is told the time and answers with what is due.  Every name has its own place within
 * the interval, given by a hash of agent and name, so that neither the names of one agent nor a
 * fleet of agents start together.  The first run comes soon, within FIRST_WITHIN_MS.  A name that
 * is still being measured is not started again; its turn is left out.
 */
#ifndef AGENT_SCHEDULE_H
#define AGENT_SCHEDULE_H

#include "base/arena.h"
#include "proto/record.h"

enum { SCHEDULE_FIRST_WITHIN_MS = 10000 };

struct schedule;

struct job {
	const struct target *target; /* owned by the job */
	bool                 running;
	bool                 gone; /* no longer assigned; only a running one is kept */
};

struct schedule *schedule_new(const char *agent);
void             schedule_free(struct schedule *schedule); /* NULL is fine */

/* What is to be measured from now on.  Copies; names that were there already keep their turn, and
 * running ones go on.  Targets without an interval of their own get interval_ms. */
void   schedule_set(struct schedule *schedule, const struct target *targets, size_t count,
      int64_t interval_ms, int64_t now_us);
size_t schedule_count(const struct schedule *schedule);

/* What schedule_take() would take; NULL when nothing is due. */
const struct target *schedule_due(const struct schedule *schedule, int64_t now_us);
/* A job that is due and not running, which is then running; NULL when there is none. */
struct job *schedule_take(struct schedule *schedule, int64_t now_us);
/* The job is no longer running; one that is gone is freed. */
void schedule_done(struct schedule *schedule, struct job *job);

/* Until schedule_take() has something, as far as is known now; -1 when nothing is waiting. */
int64_t schedule_wait_us(const struct schedule *schedule, int64_t now_us);

#endif
