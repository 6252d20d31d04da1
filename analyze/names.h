/* names: from an account to the names its clients need, as targets.
 *
 * Configured regions come from the document's own endpoints.  Known regions that the document does
 * not list become sweep targets: a question, not a claim.
 */
#ifndef ANALYZE_NAMES_H
#define ANALYZE_NAMES_H

#include "analyze/account.h"
#include "proto/record.h"

struct name_list {
	struct target *targets;
	size_t         count;
};

/* Labels of regions that the table of region.h does not have yet. */
struct name_regions {
	const char *const *labels; /* NULL when there are none */
	size_t             count;
};

enum {
	NAMES_SWEEP = 1,   /* add the names of known regions that are not configured */
	NAMES_DNS_ONLY = 2 /* resolve all of them, and connect to none */
};

/* Global name first, then the regions, then the sweep, by label.
 *
 * With a document the sweep asks for the names in the privatelink zone itself
 * ("contoso-westus.privatelink.documents.azure.com", dns_only): the public name of a region that
 * was removed does not exist any more, so that the record left over would stay out of sight.
 * Without a document (account_named()) the public name of every known region is swept in full,
 * since any may be real.  Everything is in the arena. */
struct name_list *names_targets(
    struct arena *arena, const struct account *account, unsigned flags);
/* The same, with more regions to sweep, in whatever cloud the account is. */
struct name_list *names_targets_more(struct arena *arena, const struct account *account,
    unsigned flags, const struct name_regions *more);

/* The name of one region of the account, by the rule of the clients [cosmos-location-rule]. */
const char *names_region_host(
    struct arena *arena, const struct account *account, const char *label);

#endif
