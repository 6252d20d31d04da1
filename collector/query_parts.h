/* query_parts: what the answers of query.h have in common.
 *
 * In query_parts_json.c, and in the service of query_json.c, query_grid_json.c alone.
 */
#ifndef COLLECTOR_QUERY_PARTS_H
#define COLLECTOR_QUERY_PARTS_H

#include "collector/query.h"

/* Members of an object; value is the object's from here on. */
void query_put(struct json_t *object, const char *name, struct json_t *value);
void query_put_text(struct json_t *object, const char *name, const char *text);
void query_put_number(struct json_t *object, const char *name, int64_t number);
/* Of times that may not be there: 0 is null. */
void query_put_time(struct json_t *object, const char *name, int64_t ms);
/* A name has one row in each mode that was measured: "West Europe", "West Europe (direct)",
 * "West Europe (MongoDB)". */
void query_put_name(struct json_t *object, const char *name, const struct target *target);

/* "Global", "West Europe", "several". */
const char *query_place_name(const char *region);

/* New references. */
struct json_t *query_envelope(const struct query *query); /* version, now_ms */
struct json_t *query_make_agent(const struct query *query, const struct board_agent *agent);
struct json_t *query_make_finding(
    const struct query *query, const struct store_finding *finding);

/* All accounts that somebody knows, documents or agents, by name; to be freed with free(). */
const char **query_list_accounts(const struct query *query, size_t *count);

#endif
