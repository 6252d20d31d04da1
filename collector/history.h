/* history: what findings there were, as the store has them, or as its batches make them anew.
 *
 * Batches as received are the source of truth, and time comes from them: judging them again from
 * nothing gives the same findings, byte for byte.  Each batch is judged with the versions of the
 * documents that were in force when it was taken, as the store keeps them; what a file says today does
 * not matter.  The settings are those of today.  Changes nothing in the store.
 */
#ifndef COLLECTOR_HISTORY_H
#define COLLECTOR_HISTORY_H

#include "base/wbuf.h"
#include "collector/board.h"

struct history_ask {
	struct store           *store; /* may be open for reading only */
	struct board_rules      rules;
	int64_t                 silent_ms;
	bool                    rejudge;  /* from the batches, not from the findings table */
	const struct conf_list *networks; /* of struct board_network; NULL: none */
};

/* One line a finding, with a heading: by when it was opened, then by agent, account, region, code
 * and host.  False with err when the store cannot be read. */
bool history_write(const struct history_ask *ask, struct wbuf *out, struct err *err) MUST_CHECK;

#endif
