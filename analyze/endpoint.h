/* endpoint: what the documents say of private endpoints, and so which private address is whose.
 *
 * An endpoint's document, its DNS zone group's and its network interface's each hold addresses,
 * and each may be empty while another is not: what is said of one endpoint id is taken together
 * [cosmos-private-endpoints].  An endpoint that holds no address yet says nothing.
 */
#ifndef ANALYZE_ENDPOINT_H
#define ANALYZE_ENDPOINT_H

#include "base/addr.h"
#include "base/arena.h"

#include <stddef.h>

struct arm_reader;
struct arm_spot;

enum { ENDPOINT_ADDRESSES_MAX = 256, ENDPOINT_ZONES_MAX = 16 };

struct endpoint_address {
	const char *fqdn; /* the public name, lower case */
	struct addr addr;
};

struct private_endpoint {
	const char *name;
	const char *id;      /* resource id; "" when not told */
	const char *subnet;  /* resource id; "" when not told */
	const char *account; /* Cosmos DB account it leads to; "": none, or not told */
	const char *service; /* resource id of what it leads to; "" when not told */
	const char *group;   /* first of groupIds; "" */
	const char *status;  /* of its connection: "Approved", ...; "" */
	const char *provisioning_state; /* "Succeeded", "Updating", ...; "" */
	struct endpoint_address *addresses;
	size_t                   address_count;
	const char              *source; /* file the document came from */
	/* What is not told is "", or NULL where no document was read. */
	const char *guid; /* resourceGuid, lower case: zone groups sign their records with it */
	const char *description;      /* of the connection's state */
	const char *actions_required; /* likewise: "None", ... */
	const char **zones;           /* resource ids of the zones that its zone group fills */
	size_t       zone_count;
	bool         has_interface; /* the document of its network interface was read */
};

struct endpoint_list {
	struct private_endpoint **endpoints;
	size_t                    count;
};

/* Whether a document is one of an endpoint, of its zone group or of an interface.  And reading
 * it: NULL with err.  Both in endpoint_json.c. */
bool                     endpoint_is_document(const struct arm_spot *at);
struct private_endpoint *endpoint_parse(
    const struct arm_reader *in, const struct arm_spot *at) MUST_CHECK;

/* One address of one endpoint, as the index lends it out. */
struct endpoint_entry {
	struct addr                    addr;
	const char                    *fqdn;
	const struct private_endpoint *endpoint; /* with all that was said of its id */
};

struct endpoint_index;

/* For questions by address and by account.  Made once for all documents; in the arena, and borrows
 * their texts. */
struct endpoint_index *endpoint_index_new(
    struct arena *arena, const struct endpoint_list *list);

/* The first entry and how many; an index that is NULL holds none. */
const struct endpoint_entry *endpoint_by_address(
    const struct endpoint_index *index, const struct addr *addr, size_t *count);
/* Endpoints of the account, those without an address too. */
const struct private_endpoint *const *endpoint_by_account(
    const struct endpoint_index *index, const char *account, size_t *count);
/* The endpoint whose resourceGuid it is, lower case; NULL: of none that is known. */
const struct private_endpoint *endpoint_by_guid(
    const struct endpoint_index *index, const char *guid);
/* The endpoint's address for the name; NULL when it holds none. */
const struct addr *endpoint_find(const struct private_endpoint *endpoint, const char *fqdn);

#endif
