/* sync_command: `plprobe-collector accounts sync`: from words of a command line and the environment to
 * a run, and its result to a person.
 */
#ifndef COLLECTOR_SYNC_COMMAND_H
#define COLLECTOR_SYNC_COMMAND_H

#include "collector/collector_conf.h"

/* What was said; NULL: not said.  Without accounts and subscription, the setting `sync` says which, and
 * what is said goes before what is set there. */
struct sync_words {
	const char        *subscription, *group;
	const char        *token_file, *client_id;
	bool               managed; /* --managed-identity, with client_id or without */
	const char        *cloud, *resource_manager, *authority, *audience;
	const char        *ca_file, *imds, *timeout;
	const char *const *accounts;
	size_t             account_count;
};

/* Prints; returns the exit code. */
int sync_command(const struct sync_words *words, const struct collector_conf *conf);

#endif
