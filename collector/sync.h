/* sync: the documents of accounts, fetched from the Azure Resource Manager into accounts_dir
 * [azure-resource-manager].
 *
 * Of each account: itself, its private endpoint connections and link resources, the endpoints that they
 * name, their zone groups and network interfaces, and the zones that those name with records and
 * links.  Only GET; Reader is enough.  What may not be read costs that document alone and is called
 * not visible, never absent.
 */
#ifndef COLLECTOR_SYNC_H
#define COLLECTOR_SYNC_H

#include "base/err.h"
#include "collector/sync_token.h"

struct sync_options {
	const char              *accounts_dir;
	const char              *resource_manager; /* "https://management.azure.com" */
	const char              *ca_file;          /* "": the system's roots */
	int64_t                  limit_ms;         /* for everything */
	struct sync_token_source token;
	const char              *subscription; /* whose accounts; "": none but those named */
	const char              *group;        /* resource group in it; "": all */
	const char *const       *accounts; /* resource ids, or names of accounts in the list */
	size_t                   account_count; /* 0: all of the list */
	/* A line for people about one account: what was written, what is not visible and why. */
	void (*on_word)(void *arg, const char *account, const char *words);
	void *arg;
};

struct sync_result {
	unsigned accounts;               /* whose own document was fetched, or is as before */
	unsigned written, same, removed; /* files */
	unsigned hidden;                 /* documents that are not visible to us */
	unsigned failed;                 /* what went wrong otherwise */
};

/* False with err when nothing could be fetched at all, as without a token; what went wrong with
 * single documents is counted and told. */
bool sync_run(
    const struct sync_options *options, struct sync_result *result, struct err *err) MUST_CHECK;

#endif
