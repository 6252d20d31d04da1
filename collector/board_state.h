/* board_state: what a board is, for board.c, which changes it, and board_read.c, which does not.
 */
#ifndef COLLECTOR_BOARD_STATE_H
#define COLLECTOR_BOARD_STATE_H

#include "collector/board.h"
#include "collector/course.h"

struct board {
	struct board_options options;
	struct board_agent **agents; /* owned; by name */
	size_t               agent_count;
	struct course_closed closed;
	uint64_t             version;
	struct store_mark    mark; /* its agent's name is owned; NULL: none yet */
};

/* Where the agent is, or where it belongs. */
size_t board_seek(const struct board *board, const char *name, bool *found);
/* For how long a measurement is believed. */
int64_t board_limit_ms(const struct board *board, const struct target *target);

#endif
