/* change: what is different between two states of one document, in one line for a person.
 *
 * "region added: North Europe; public network access: Enabled -> Disabled".  Told are the members
 * that are read here; that something else changed is said too, without what.  No judgement.
 */
#ifndef ANALYZE_CHANGE_H
#define ANALYZE_CHANGE_H

#include "analyze/account.h"

/* In the arena.  before NULL: the document is new; after NULL: it is gone. */
const char *change_tell(
    struct arena *arena, const struct account_list *before, const struct account_list *after);

/* What a document is: "account", "private endpoint", "connections", "zone"; "several kinds". */
const char *change_kind(const struct account_list *list);
/* The only account that it tells of; "" when it tells of none or of several. */
const char *change_account(const struct account_list *list);

#endif
