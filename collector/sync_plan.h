/* sync_plan: one entry of the setting `sync`: which accounts are fetched, where, and by whose token.
 */
#ifndef COLLECTOR_SYNC_PLAN_H
#define COLLECTOR_SYNC_PLAN_H

#include "base/conf.h"

/* Each text "" when it is not set. */
struct sync_plan {
	const char       *subscription, *group;
	struct conf_texts accounts;
	const char       *token_file, *client_id;
	const char       *cloud, *resource_manager, *authority, *audience;
	const char       *ca_file;
};

#endif
