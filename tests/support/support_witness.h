/* support_witness: a case for the judge, read from a small file.
 *
 * A witness says only what differs from an account that is well in every respect: contoso with two
 * regions behind an approved private endpoint, each name measured, each gateway answering.  Its
 * members:
 *
 *   title     what the case is
 *   document  changes to the account's document; null: there is none, only a name
 *   named     what a person gave in place of "contoso", where there is no document
 *   endpoints changes to the documents of private endpoints: each is that of pe-contoso, which has
 *             the address of each well name; absent: no such document was given
 *   zones     changes to the documents of the private zone, filled by the zone
 *             group of pe-contoso: the zone, the records of contoso, contoso-westeurope and contoso-northeurope,
 *             the link to vnet-a; absent: no such document was given
 *   plinks    changes to what the account's NoSQL API needs by its privateLinkResources; likewise
 *   vnet      virtual network that was measured in, a resource id or a name alone: "vnet-a" is
 *             the one that the zone is linked to; absent: it is not known
 *   every     changes to the measurement of every configured name
 *   seen      by region ("" is the global name): changes to that measurement, null: not measured.
 *             A region that is not configured stands for a swept name, which does not exist
 *             unless "as": "well" is said
 *   gateway   false: no gateway was asked, only what the next two say
 *   direct    Direct mode was measured, each region well (a feed with a key, four replicas), but
 *             for these changes by region; "*": to every region; null: not measured
 *   thin      Gateway V2 likewise: advertised by the gateway, and ready
 *   feed      changes to what signed requests were told, well, which every gateway's measurement
 *             then has; absent: there were no credentials
 *   outside   the negative test was made of every configured name of a gateway, and each public address
 *             refused by the firewall, but for these changes; a feed among them: a signed
 *             request was admitted there, but for its changes; absent: no resolver outside was asked
 *   mongodb, cassandra, gremlin, table
 *             the names of that API were measured too, each well, but for these changes by region;
 *             "*": to every one
 *   apis, modes
 *             what a person asked for, as after --api and --mode; absent: nothing
 *   given     suffix that was given with the account's name
 *   swept     true: all other swept names were measured too, and do not exist
 *   expect    the findings, all of them: code, region; and severity, evidence and fix (parts of
 *             the texts), and the regions whose names it tells of (folds), where they matter
 *   places    how some are judged: region, mode and api ("gateway" and "sql" when they are not
 *             said), state, and the code of the finding that makes it so; absent: by none
 *   state     of the account, where it matters
 *
 * Changes are merged by name; an array takes the length of its change, and its elements are
 * changes to the element at the same place, or to the last one.  Nothing here returns an error: a
 * witness that cannot be read ends the program with a line on stderr.
 */
#ifndef TESTS_SUPPORT_WITNESS_H
#define TESTS_SUPPORT_WITNESS_H

#include "analyze/judge.h"

struct support_expected {
	const char  *code, *region;
	const char  *severity, *evidence, *fix; /* "" when they do not matter */
	const char **folds;                     /* regions; NULL when they do not matter */
	size_t       fold_count;
};

struct support_pinned {
	const char *region, *state, *code; /* code "": no finding makes it so */
	uint32_t    api, mode;
};

struct support_witness {
	const char              *title, *state;
	struct account          *account;
	bool                     has_document;
	struct measurement     **seen;
	size_t                   seen_count;
	struct endpoint_index   *endpoints; /* NULL: none were given */
	struct zone_index       *zones;     /* likewise */
	const struct plink_list *plinks;
	struct vnet              vnet;   /* that was measured in */
	unsigned                 wanted; /* flags of names.h */
	struct support_expected *expected;
	size_t                   expected_count;
	struct support_pinned   *places;
	size_t                   place_count;
};

/* Everything is in the arena. */
struct support_witness *support_witness_read(struct arena *arena, const char *path);
/* The same, with its documents in the shape of the Resource Manager in place of that of `az`. */
struct support_witness *support_witness_read_rest(struct arena *arena, const char *path);
/* The same of a text, in either shape; name stands where the path would. */
struct support_witness *support_witness_parse(
    struct arena *arena, const char *text, const char *name, bool rest);

/* Calls see() for each witness file below the folder, and says how many there are. */
size_t support_witness_walk(const char *folder, void (*see)(const char *path));

/* The verdict on it. */
struct verdict *support_witness_judge(
    struct arena *arena, const struct support_witness *witness);

#endif
