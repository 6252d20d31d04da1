/* access: what the configuration says of getting into an account: which credential, whose replicas.
 *
 * Rows of the setting `access`; the first whose pattern fits an account is the one.  Holds no
 * secret, only the paths of secrets.
 */
#ifndef AGENT_ACCESS_H
#define AGENT_ACCESS_H

#include "base/conf.h"
#include "probe/rntbd/rntbd_uri.h"
#include "proto/record.h"

struct agent_conf;

/* What `managed_identity` says for the identity that the VM has by itself. */
#define ACCESS_SYSTEM "system"

/* One of `access`; texts are "" where there is nothing. */
struct access {
	const char       *account;  /* pattern of names, as of fnmatch(3) */
	const char       *key_file; /* at most one of these three */
	const char       *token_file;
	const char       *managed_identity; /* ACCESS_SYSTEM, or a client id */
	const char       *database, *container;
	struct conf_texts replica_texts;
	int64_t sample_ports; /* ports to try where nobody tells of replicas; 0: none */

	/* What the texts mean; filled in by access_settle(). */
	struct rntbd_uri *replicas; /* in the arena of the configuration */
	size_t            replica_count;
};

extern const struct conf_row access_rows[];

/* The rule between the settings of one entry; for conf_row.check_entry. */
bool access_check(const void *access, struct err *err) MUST_CHECK;

/* Fills in what the texts mean. */
bool access_settle(struct conf_list *list, struct arena *arena, struct err *err) MUST_CHECK;

/* The first row that fits the account; NULL when there is none. */
const struct access *access_find(const struct agent_conf *conf, const char *account);

/* Of a managed identity: ACCESS_SYSTEM, a client id, or nothing. */
bool access_identity_check(const char *text, struct err *err) MUST_CHECK;
/* Of a database or container; nothing is one. */
bool access_name_check(const char *name, struct err *err) MUST_CHECK;

/* CREDENTIAL_NONE for NULL too. */
enum credential access_credential(const struct access *access);

#endif
