/* check_means: the options of `plprobe check` that say how it may look deeper: the connection
 * modes, the credential, the addresses of replicas.
 */
#ifndef AGENT_CHECK_MEANS_H
#define AGENT_CHECK_MEANS_H

#include "agent/credential.h"
#include "agent/pasted.h"
#include "probe/direct.h"

struct check_means {
	unsigned      modes;    /* NAMES_GATEWAY and the like; 0: not said */
	const char   *key_file; /* at most one of these three; NULL: not given */
	const char   *token_file;
	bool          managed_identity;
	const char   *client_id;            /* of it; NULL: the VM's own */
	const char   *database, *container; /* NULL: not said */
	struct pasted pasted;
	unsigned      sample_ports, replicas_max;
	const char   *proxy; /* NULL: none */
};

/* http://host:port, without user and password. */
bool check_proxy_parse(const char **proxy, const char *text, struct err *err) MUST_CHECK;
/* The managed identity, of which the VM has one (NULL, ACCESS_SYSTEM) or several (a client id). */
bool check_identity_parse(
    struct check_means *means, const char *text, struct err *err) MUST_CHECK;
/* What does not go together, and what follows: without --mode it is Gateway mode, and Direct mode
 * too as soon as there is a way to it. */
bool check_means_settle(struct check_means *means, struct err *err) MUST_CHECK;

bool check_means_has_credential(const struct check_means *means);
/* Borrows the texts. */
struct credential_source check_means_credential(const struct check_means *means);
/* What was asked for can be had: the file is there, ours alone, and holds what it should. */
bool check_means_ready(const struct check_means *means, struct err *err) MUST_CHECK;
/* What is worth a word before it goes on with so many accounts; NULL: nothing is. */
const char *check_means_doubt(const struct check_means *means, size_t account_count);
/* For a survey; borrows what was pasted. */
struct direct_means check_means_direct(const struct check_means *means);

#endif
