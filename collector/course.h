/* course: what becomes of findings, from the first look to closing, and back.
 *
 * Compares what one agent's newest verdict of one account says with the findings that are kept of
 * it, and lets analyze/hysteresis say what state they are in.  Time comes from the records: the
 * same measurements in the same order make the same findings, whenever that is.  A measurement
 * that is judged anew, by other documents, replaces its look and adds none.  In board.c's service.
 *
 * A finding that closed is kept at rest until its looks are all good: if it comes back meanwhile,
 * it is the same one, opened again, so that coming and going can be told from news.
 */
#ifndef COLLECTOR_COURSE_H
#define COLLECTOR_COURSE_H

#include "analyze/hysteresis.h"
#include "collector/board.h"

/* Findings on their way to the store. */
struct course_changes {
	struct arena         *arena; /* NULL: none yet */
	struct store_finding *findings;
	size_t                count, room;
};

/* The newest that were closed, oldest first. */
struct course_closed {
	struct board_finding **findings; /* owned */
	size_t                 count;
};

struct course {
	const struct board_rules *rules;
	struct course_closed     *closed;
	struct course_changes    *changes;
	const struct board_agent *agent;
	struct board_view        *view;
};

/* The view has a new verdict. */
void course_compare(struct course *course);
/* Nobody looks any more: all that is open is closed. */
void course_end(struct course *course, int64_t closed_ms);
/* Takes in what a store has kept, of a view or closed. */
void course_load(
    struct course_closed *closed, struct board_view *view, const struct store_finding *from);
/* After all were taken in. */
void course_loaded(struct course_closed *closed);

void course_free_view(struct board_view *view);
void course_free_closed(struct course_closed *closed);

#endif
