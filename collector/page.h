/* page: the page's files and the API, on the loopback listener.
 *
 * In page_json.c.  Nothing here changes anything.  There is no login, so it answers only who asks for a loopback
 * name: a page of somebody else's in the operator's browser may resolve its own name to
 * 127.0.0.1, but it cannot say "localhost".
 */
#ifndef COLLECTOR_PAGE_H
#define COLLECTOR_PAGE_H

#include "collector/listen.h"
#include "collector/page_cache.h"
#include "collector/query.h"

struct page_ask {
	struct query       query;
	struct page_cache *cache; /* borrowed; NULL: each answer is made anew */
	/* Appends what /metrics says beside the board. */
	void (*write_metrics)(void *arg, struct wbuf *out);
	void *arg;
};

void page_answer(const struct page_ask *ask, struct request *request);

/* Whether a Host header names a loopback address or localhost, whatever the port. */
bool page_is_local(const char *host);

#endif
