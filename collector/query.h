/* query: what the API answers, as JSON.
 *
 * Every function is a pure reader of the board at one moment and gives a new reference.  What an
 * agent, or a peer of an agent, said stands in it as text; escaping is the reader's matter.
 * In query_json.c and query_grid_json.c.
 */
#ifndef COLLECTOR_QUERY_H
#define COLLECTOR_QUERY_H

#include "base/wbuf.h"
#include "collector/board.h"
#include "collector/propagation.h"

struct json_t;

enum { QUERY_CELLS_MAX = 50000, QUERY_PAGE_MAX = 1000 };

struct query {
	const struct board       *board;
	const struct documents   *documents;
	int64_t                   now_ms;
	const struct propagation *propagation; /* NULL: nothing is known of it */
};

/* The grid: accounts, their places, and what each agent says of them.  account: only this one;
 * NULL: all.  At most QUERY_CELLS_MAX cells, "truncated" says if there are more. */
struct json_t *query_state(const struct query *query, const char *account);
/* Open findings, or the newest closed ones; `count` of them behind the first `skip`. */
struct json_t *query_findings(
    const struct query *query, bool closed, size_t skip, size_t count);
struct json_t *query_agents(const struct query *query);
struct json_t *query_accounts(const struct query *query);

struct query_cell {
	const char *agent, *account, *region;
	const char *host; /* NULL: any */
	const char *api;  /* "sql", "mongodb", ...; NULL: the first that there is */
	const char *mode; /* "gateway", "direct", "gateway-v2"; NULL: the first that there is */
};
/* All that is known of one cell; NULL when there is none such. */
struct json_t *query_cell(const struct query *query, const struct query_cell *cell);

/* Answer of an ingest: status and reason. */
void query_reply(struct wbuf *out, const char *status, const char *reason);

#endif
