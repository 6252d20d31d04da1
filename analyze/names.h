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

enum { NAMES_SWEEP = 1 }; /* add the names of known regions that are not configured */

/* Global name first, then the regions, then the sweep.  With a document the sweep is dns_only;
 * without one (account_named()) every known region is swept in full, since any may be real.
 * Everything is in the arena. */
struct name_list *names_targets(
    struct arena *arena, const struct account *account, unsigned flags);

#endif
