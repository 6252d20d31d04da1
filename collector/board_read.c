#include "collector/board_state.h"

#include <string.h>

size_t
board_seek(const struct board *board, const char *name, bool *found)
{
	size_t low = 0, high = board->agent_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int    order = strcmp(board->agents[middle]->name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t
board_limit_ms(const struct board *board, const struct target *target)
{
	int64_t limit_ms = 3 * (int64_t)target->interval_ms;

	return limit_ms > board->options.silent_ms ? limit_ms : board->options.silent_ms;
}

uint64_t
board_generation(const struct board *board)
{
	uint64_t oldest = UINT64_MAX;

	for (size_t i = 0; i < board->agent_count; i++) {
		const struct board_agent *agent = board->agents[i];

		for (size_t j = 0; j < agent->view_count; j++) {
			if (agent->views[j]->generation < oldest)
				oldest = agent->views[j]->generation;
		}
	}
	return oldest;
}

size_t
board_agent_count(const struct board *board)
{
	return board->agent_count;
}

const struct board_agent *
board_agent_at(const struct board *board, size_t at)
{
	return board->agents[at];
}

const struct board_agent *
board_agent_find(const struct board *board, const char *name)
{
	bool   found;
	size_t at = board_seek(board, name, &found);

	return found ? board->agents[at] : NULL;
}

const struct board_view *
board_view_find(const struct board_agent *agent, const char *account)
{
	for (size_t i = 0; i < agent->view_count; i++) {
		if (strcmp(agent->views[i]->name, account) == 0)
			return agent->views[i];
	}
	return NULL;
}

size_t
board_closed_count(const struct board *board)
{
	return board->closed.count;
}

const struct store_finding *
board_closed_at(const struct board *board, size_t at)
{
	return &board->closed.findings[board->closed.count - 1 - at]->finding;
}

bool
board_is_silent(const struct board *board, const struct board_agent *agent, int64_t now_ms)
{
	return now_ms - agent->last_seen_ms > board->options.silent_ms;
}

bool
board_is_stale(const struct board *board, const struct place *place, int64_t now_ms)
{
	return place->seen == NULL ||
	    now_ms - place->seen->started_ms > board_limit_ms(board, place->target);
}

enum state
board_state(const struct board *board, const struct place *place, int64_t now_ms)
{
	return board_is_stale(board, place, now_ms) ? STATE_UNKNOWN : place->state;
}

static int64_t
find_patience_ms(const struct board *board, const struct board_agent *agent,
    const struct store_finding *finding)
{
	const struct board_view *view = board_view_find(agent, finding->account);
	int64_t                  limit_ms = board->options.silent_ms;

	for (size_t i = 0; view != NULL && i < view->seen_count; i++) {
		const struct target *target = view->seen[i]->seen->target;

		if ((finding->host[0] == '\0' || strcmp(finding->host, target->host) == 0) &&
		    board_limit_ms(board, target) > limit_ms)
			limit_ms = board_limit_ms(board, target);
	}
	return limit_ms;
}

bool
board_is_old(const struct board *board, const struct board_agent *agent,
    const struct store_finding *finding, int64_t now_ms)
{
	return agent == NULL || board_is_silent(board, agent, now_ms) ||
	    now_ms - finding->looked_ms > find_patience_ms(board, agent, finding);
}

bool
board_is_alarm(const struct board *board, const struct board_agent *agent,
    const struct store_finding *finding, int64_t now_ms)
{
	enum life life;

	return finding->closed_ms == 0 && life_parse(&life, finding->state) &&
	    (life == LIFE_CONFIRMED || life == LIFE_FLAPPING) &&
	    !board_is_old(board, agent, finding, now_ms);
}

uint64_t
board_version(const struct board *board)
{
	return board->version;
}

int64_t
board_silent_ms(const struct board *board)
{
	return board->options.silent_ms;
}
