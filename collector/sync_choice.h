/* sync_choice: which accounts are fetched, and which ids may be followed.
 */
#ifndef COLLECTOR_SYNC_CHOICE_H
#define COLLECTOR_SYNC_CHOICE_H

#include "collector/sync.h"
#include "collector/sync_ask.h"
#include "collector/sync_json.h"

/* "/subscriptions/.../<type><name>", nothing behind it, and no character that means something in a
 * URL: it becomes part of one to which our token goes.  type: "/providers/.../privateEndpoints/". */
bool sync_choice_is_id(const char *id, const char *type);
bool sync_choice_is_account(const char *id);

/* The ids of those named in the options, else of all in the subscription.  What is not in the list is
 * told and counted as hidden.  False with err. */
bool sync_choice_make(struct sync_ask *client, struct arena *arena,
    const struct sync_options *options, struct sync_ids *chosen, struct sync_result *result,
    struct err *err) MUST_CHECK;

#endif
