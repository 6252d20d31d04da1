/* sync_ask: questions to the Azure Resource Manager, with a token that is renewed, versions of its API
 * that fall back, and lists in pages [azure-resource-manager].
 *
 * Knows no document.  The token goes to the resource manager's own host and to no other.
 */
#ifndef COLLECTOR_SYNC_ASK_H
#define COLLECTOR_SYNC_ASK_H

#include "base/arena.h"
#include "collector/sync_token.h"

struct json_t;
struct sync_ask;

/* Which service answers: each has versions of its own. */
enum sync_service { SYNC_DATABASE, SYNC_NETWORK, SYNC_ZONES, SYNC_SERVICES };

struct sync_ask_options {
	const char              *resource_manager; /* borrowed, and so are the texts of token */
	struct sync_token_source token;
	const char              *ca_file;  /* "": the system's roots */
	int64_t                  limit_ms; /* for all questions together */
};

/* With a first token.  NULL with err. */
struct sync_ask *sync_ask_open(
    const struct sync_ask_options *options, struct err *err) MUST_CHECK;
/* Wipes the token.  NULL is fine. */
void sync_ask_close(struct sync_ask *client);

/* Set once the token is refused or the time is up: then every question fails so. */
const struct err *sync_ask_is_over(const struct sync_ask *client);

enum sync_ask_outcome {
	SYNC_ASK_GOT,  /* the document, or the list as {"value": [...]} */
	SYNC_ASK_SAME, /* it has the etag */
	SYNC_ASK_HIDDEN, /* it is not visible to us: 403, or 404, which may be for want of rights */
	SYNC_ASK_FAILED
};

struct sync_ask_answer {
	struct json_t *value; /* the caller's, by sync_json_free(); NULL unless SYNC_ASK_GOT */
	char           etag[SYNC_ETAG_ROOM]; /* "": none was offered */
};

/* GET of the path "/subscriptions/..."; err is set unless it was GOT or SAME.  The arena holds what is
 * needed on the way. */
enum sync_ask_outcome sync_ask_get(struct sync_ask *client, struct arena *arena,
    enum sync_service service, const char *path, const char *etag,
    struct sync_ask_answer *answer, struct err *err);
/* The same for a list, with all its pages. */
enum sync_ask_outcome sync_ask_list(struct sync_ask *client, struct arena *arena,
    enum sync_service service, const char *path, struct sync_ask_answer *answer,
    struct err *err);

#endif
