/* sync_token: the access token for the Azure Resource Manager, from one of three places: a file, the
 * managed identity of this VM [azure-msi], or a workload identity, whose assertion is exchanged at
 * the authority [azure-workload-identity].
 *
 * What a token may do is the matter of whoever gave it; Reader is enough.
 */
#ifndef COLLECTOR_SYNC_TOKEN_H
#define COLLECTOR_SYNC_TOKEN_H

#include "base/token_json.h"
#include "collector/sync_http.h"

#define SYNC_IMDS_URL "http://169.254.169.254"

enum sync_identity { SYNC_BY_FILE, SYNC_BY_MANAGED, SYNC_BY_WORKLOAD };

struct sync_token_source {
	enum sync_identity identity;
	const char        *file; /* SYNC_BY_FILE: the token; SYNC_BY_WORKLOAD: the assertion */
	const char        *client_id; /* "": the identity that the VM has by itself */
	const char        *tenant;    /* SYNC_BY_WORKLOAD */
	const char        *authority; /* likewise: "https://login.microsoftonline.com" */
	const char        *audience;  /* what the token is for; not for a file */
	const char        *imds_url;  /* SYNC_BY_MANAGED */
};

/* *token is wiped on failure.  Refusals never hold a part of a secret. */
bool sync_token_get(struct sync_http *http, const struct sync_token_source *source,
    struct token_answer *token, struct err *err) MUST_CHECK;

#endif
