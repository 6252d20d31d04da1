#include "analyze/claim.h"

#include "base/text.h"

#include <string.h>

static bool
is_below(const char *name, const char *suffix)
{
	size_t count = strlen(name), tail = strlen(suffix);

	return count > tail && name[count - tail - 1] == '.' && text_ends_nocase(name, suffix);
}

struct claims
claims_of(const struct endpoint_index *index, const struct account *account)
{
	struct claims claims = { .index = index, .account = account };

	claims.own = endpoint_by_account(index, account->name, &claims.own_count);
	for (size_t i = 0; i < claims.own_count; i++) {
		for (size_t j = 0; j < claims.own[i]->address_count; j++)
			claims.told |= is_below(
			    claims.own[i]->addresses[j].fqdn, account->suffix);
	}
	return claims;
}

static enum claim_kind
sort_entry(const struct claims *claims, const char *host, const struct endpoint_entry *entry)
{
	if (strcmp(entry->endpoint->account, claims->account->name) != 0)
		return CLAIM_OTHER_ACCOUNT;
	if (text_equal_nocase(entry->fqdn, host))
		return CLAIM_RIGHT;
	return is_below(entry->fqdn, claims->account->suffix) ? CLAIM_OTHER_NAME
	                                                      : CLAIM_OTHER_SERVICE;
}

/* Networks that are apart may have one address twice: what speaks for the account comes first. */
struct claim
claim_find(const struct claims *claims, const char *host, const struct addr *addr)
{
	size_t                       count;
	const struct endpoint_entry *entries = endpoint_by_address(claims->index, addr, &count);
	struct claim                 best = { CLAIM_UNTOLD, NULL };

	for (size_t i = 0; i < count; i++) {
		enum claim_kind kind = sort_entry(claims, host, &entries[i]);

		if (best.entry == NULL || kind < best.kind)
			best = (struct claim){ kind, &entries[i] };
	}
	if (best.entry == NULL && claims->told && addr_class(addr) != ADDR_PUBLIC)
		best.kind = CLAIM_NOBODY;
	return best;
}

const struct private_endpoint *
claim_endpoint(const struct claims *claims, const char *host, size_t nth)
{
	for (size_t i = 0; i < claims->own_count; i++) {
		if (endpoint_find(claims->own[i], host) != NULL && nth-- == 0)
			return claims->own[i];
	}
	return NULL;
}
