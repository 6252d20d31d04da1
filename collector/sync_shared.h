/* sync_shared: documents that several accounts lead to, such as the zone of a hub: asked for once in a
 * run, whatever the number of accounts.
 */
#ifndef COLLECTOR_SYNC_SHARED_H
#define COLLECTOR_SYNC_SHARED_H

#include "collector/sync_ask.h"

struct sync_shared;

struct sync_shared *sync_shared_new(void);
void                sync_shared_free(struct sync_shared *shared); /* NULL is fine */

/* Keeps a reference of its own to the answer's value, if there is one. */
void sync_shared_keep(
    struct sync_shared *shared, const char *id, const struct sync_ask_answer *answer);
/* False when the id, whatever its case, was not kept; else the value is the caller's. */
bool sync_shared_find(
    const struct sync_shared *shared, const char *id, struct sync_ask_answer *answer);

#endif
