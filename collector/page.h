/* page: the page's files and the API.
 *
 * In page_json.c.  Nothing here changes anything, and nothing here is a secret's.  Who may ask, and by
 * which name, is the doorkeeper's matter (collector/doorkeeper.h), which has been asked before.
 */
#ifndef COLLECTOR_PAGE_H
#define COLLECTOR_PAGE_H

#include "collector/listen.h"
#include "collector/query.h"

struct page_ask {
	struct query query;
	/* Appends what /metrics says beside the board. */
	void (*write_metrics)(void *arg, struct wbuf *out);
	void *arg;
};

void page_answer(const struct page_ask *ask, struct request *request);

#endif
