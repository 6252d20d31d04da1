/* claim: whose an address is, by the documents of private endpoints.
 *
 * Exact where documents speak, silent where they do not: then an address range is all there is,
 * and that is a hint.
 */
#ifndef ANALYZE_CLAIM_H
#define ANALYZE_CLAIM_H

#include "analyze/account.h"

enum claim_kind {
	CLAIM_UNTOLD,        /* the documents say nothing of it */
	CLAIM_RIGHT,         /* an endpoint of the account has it for this name */
	CLAIM_OTHER_NAME,    /* ... for another name of the account */
	CLAIM_OTHER_SERVICE, /* ... for a name of another API of the account */
	CLAIM_OTHER_ACCOUNT, /* only endpoints of other accounts or services have it */
	CLAIM_NOBODY         /* endpoints of the account are known, and none has it */
};

struct claim {
	enum claim_kind              kind;
	const struct endpoint_entry *entry; /* NULL: of nobody, or not told */
};

/* What the documents say of one account. */
struct claims {
	const struct endpoint_index          *index; /* NULL: no documents */
	const struct account                 *account;
	const struct private_endpoint *const *own; /* endpoints of the account */
	size_t                                own_count;
	bool told; /* one of them has an address for a name of this API */
};

struct claims claims_of(const struct endpoint_index *index, const struct account *account);

struct claim claim_find(const struct claims *claims, const char *host, const struct addr *addr);

/* The nth endpoint of the account that has an address for the name, from 0 on; NULL: no more. */
const struct private_endpoint *claim_endpoint(
    const struct claims *claims, const char *host, size_t nth);

#endif
