/* fake_document: the bodies that a gateway answers to authorized requests: the account, feeds of
 * databases, containers and partition key ranges, and the addresses of replicas
 * [cosmos-address-feed].
 */
#ifndef TESTS_FAKE_DOCUMENT_H
#define TESTS_FAKE_DOCUMENT_H

#include "tests/fake/backend/fake_account.h"
#include "tests/fake/backend/fake_target.h"

/* What of the request decides the answer beside its target. */
struct fake_asked {
	const char *query;               /* as sent */
	const char *view;                /* name of the view; "": that of everybody */
	const char *continuation;        /* where to go on; "": at the start */
	unsigned    page;                /* items at most; 0: all */
	bool        thin, refresh, plan; /* headers; plan: for a query, and not its result */
};

struct fake_document {
	unsigned status;     /* 200, 400 or 404 */
	char    *body;       /* owned by the caller; JSON, or a message when not 200 */
	unsigned item_count; /* of a feed */
	unsigned next;       /* where the next page starts; 0: there is none */
};

void fake_document_make(struct fake_document *document, const struct fake_account *account,
    const struct fake_target *target, const struct fake_asked *asked);

#endif
