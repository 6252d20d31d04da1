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
	NAMES_SWEEP = 1,    /* add the names of known regions that are not configured */
	NAMES_DNS_ONLY = 2, /* resolve all of them once, and connect to none, in no mode */
	/* Connection modes; none of the three is as good as NAMES_GATEWAY. */
	NAMES_GATEWAY = 4,
	NAMES_DIRECT = 8,
	NAMES_V2 = 16,
	/* Gone, and told so when it is asked for; makes no names. */
	NAMES_DIRECT_HTTPS = 32
};

/* APIs, as bits 1 << API_*: which to make names for; none: those that the account serves. */
enum { NAMES_APIS_AT = 8, NAMES_APIS = ((1 << API_COUNT) - 1) << NAMES_APIS_AT };
#define NAMES_API(api) (1u << (NAMES_APIS_AT + (api)))

enum { NAMES_V2_PORT = 10250 }; /* while no gateway has told another [cosmos-thin-client] */

/* API by API; of an account of whose APIs none has names that follow from its suffix, those of the
 * document itself.  Gateway: the global name first, then the regions.  Direct and Gateway V2, which
 * NoSQL alone has, and which have no global name: the regions, or the account's own name when
 * none is known.  Then the sweep, by label.
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

/* Puts what a gateway told of itself into the targets of Gateway V2: host and port of the location
 * that it advertises for the region, if that stands beside the account's own names in DNS.  The
 * texts are borrowed from the feed. */
void names_advertise(struct name_list *names, const struct feed *feed);

/* APIs, as bits 1 << API_*, that a person asked for by these flags in no mode that they have: each
 * that is named, and those of an account without NoSQL when none is. */
unsigned names_without_mode(const struct account *account, unsigned wanted);

/* The names that a front end of MongoDB hands out, where drivers go next, as targets of its own
 * API: names of the account below that API's suffix, at its port, and no others.  account: any
 * facet.  Texts are in the arena. */
struct name_list *names_handed_out(
    struct arena *arena, const struct account *account, const struct measurement *seen);
/* Whether it hands out the name. */
bool names_is_handed_out(const struct measurement *seen, const char *host);

/* The name of one region of the account, by the rule of the clients [cosmos-location-rule]. */
const char *names_region_host(
    struct arena *arena, const struct account *account, const char *label);

#endif
