/* zone: what the documents say of private DNS zones: their A records and the virtual networks that
 * are linked to them [azure-private-dns-zones].
 *
 * A record set, a link and the zone itself are documents of their own, and any of them may be
 * missing: what is said of one zone id is taken together, and the zone's own counts tell whether
 * all of it was seen.  Several zones may have one name; a network is linked to one of them at most.
 * Whether a record is right is for the checks.
 */
#ifndef ANALYZE_ZONE_H
#define ANALYZE_ZONE_H

#include "base/addr.h"
#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

struct arm_reader;
struct arm_spot;

enum { ZONE_ADDRESSES_MAX = 64 };

/* Of a setting that a document may leave out. */
enum zone_told { ZONE_UNTOLD, ZONE_NO, ZONE_YES };

/* One set of A records. */
struct zone_record {
	const char  *name; /* within the zone, lower case: "contoso-westeurope", "*" */
	const char  *fqdn; /* lower case, without the dot at its end */
	struct addr *addrs;
	size_t       addr_count;
	int64_t      ttl_s;    /* -1 when not told */
	const char  *creator;  /* of its metadata, as it stands there; "" */
	const char  *endpoint; /* name of the private endpoint that made it; "": not so told */
	const char  *guid;     /* resource guid of that endpoint, lower case; "" likewise */
	const char  *source;   /* file the document came from */
};

/* A virtual network that asks the zone. */
struct zone_link {
	const char    *name;
	const char    *vnet; /* resource id; "" when not told */
	enum zone_told registers;
	const char *policy; /* resolutionPolicy: "Default", "NxDomainRedirect"; "": not told */
	const char *state;  /* "InProgress", "Done", "Completed"; "" */
	const char *provisioning_state; /* "Succeeded", ...; "" */
	const char *source;
};

struct zone {
	const char         *name;    /* lower case */
	const char         *id;      /* resource id; "" when not told */
	struct zone_record *records; /* of an index: by name */
	size_t              record_count;
	struct zone_link   *links; /* of an index: by virtual network */
	size_t              link_count;
	/* What the zone's own document counts, -1 when not told.  The first counts sets of every
	 * type, the zone's own SOA among them. */
	int64_t     set_total, link_total;
	const char *source;
};

/* As documents come: each may hold a part of a zone. */
struct zone_list {
	struct zone **zones;
	size_t        count;
};

/* Whether a document is one of a zone, of a record set in it or of a link to it; and reading it:
 * NULL with err.  Record sets of other types than A tell that there is a zone, and no more.  Both
 * in zone_json.c. */
bool         zone_is_document(const struct arm_spot *at);
struct zone *zone_parse(const struct arm_reader *in, const struct arm_spot *at) MUST_CHECK;

/* A zone that a virtual network is linked to. */
struct zone_network {
	const char             *vnet; /* resource id */
	const struct zone      *zone;
	const struct zone_link *link; /* of the zone */
};

struct zone_index;

/* For questions by name and by network.  Made once for all documents; in the arena, and borrows
 * their texts. */
struct zone_index *zone_index_new(struct arena *arena, const struct zone_list *list);

/* Zones of the name, whatever its case, and how many; an index that is NULL holds none. */
const struct zone *const *zone_find(
    const struct zone_index *index, const char *name, size_t *count);
/* All zones, by name and then id. */
size_t             zone_count(const struct zone_index *index);
const struct zone *zone_at(const struct zone_index *index, size_t at);
/* All links of the network, by resource id without case. */
const struct zone_network *zone_by_network(
    const struct zone_index *index, const char *vnet, size_t *count);
/* NULL when the zone is not known to have it; name: "contoso-westeurope". */
const struct zone_record *zone_record(const struct zone *zone, const char *name);
/* NULL when the network is not known to be linked. */
const struct zone_link *zone_link(const struct zone *zone, const char *vnet);
/* Whether all links of the zone were seen: then a network without one has none. */
bool zone_links_are_whole(const struct zone *zone);

#endif
