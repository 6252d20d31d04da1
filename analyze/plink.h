/* plink: the account's side of Private Link, where documents of their own tell of it: its private
 * endpoint connections, and what names and zones each of its APIs needs
 * [cosmos-private-link-resources].
 *
 * The service's own list of record names is what a zone should hold: no rule of ours.
 */
#ifndef ANALYZE_PLINK_H
#define ANALYZE_PLINK_H

#include "base/arena.h"

#include <stddef.h>

struct account;
struct arm_reader;
struct arm_spot;

enum { PLINK_MEMBERS_MAX = 512 };

struct connection {
	const char *name;        /* of the private endpoint connection */
	const char *endpoint;    /* resource id of the private endpoint; "" when not told */
	const char *group;       /* "Sql", ...; "" when not told */
	const char *status;      /* "Approved", "Pending", "Rejected", "Disconnected"; "" */
	const char *source;      /* file or address that says so */
	const char *description; /* what was said at the last decision; "" */
	const char *actions_required;   /* "None", ...; "" */
	const char *provisioning_state; /* "Succeeded", ...; "" */
};

/* What one API of an account needs: an element of its privateLinkResources. */
struct plink_resource {
	const char  *account; /* lower case */
	const char  *group;   /* "Sql", "MongoDB", ... as the service writes it */
	const char **members; /* requiredMembers: names of records, lower case */
	size_t       member_count;
	const char **zones; /* requiredZoneNames, lower case */
	size_t       zone_count;
	const char  *source;
};

struct plink_connection {
	const char       *account; /* lower case */
	struct connection connection;
};

/* As documents come, of whatever account. */
struct plink_list {
	struct plink_resource  **resources;
	size_t                   resource_count;
	struct plink_connection *connections;
	size_t                   connection_count;
};

/* One element of an account's own privateEndpointConnections.  Borrows the source. */
bool plink_read_connection(const struct arm_reader *in, const struct arm_spot *at,
    struct connection *connection) MUST_CHECK;

/* Whether a document is a connection or a resource of an account; and reading it to the end of the
 * list, which has room: false with err.  All three in plink_json.c. */
bool plink_is_document(const struct arm_spot *at);
bool plink_parse(
    const struct arm_reader *in, const struct arm_spot *at, struct plink_list *list) MUST_CHECK;

/* What the account needs for the group, without case; NULL when no document tells. */
const struct plink_resource *plink_find(
    const struct plink_list *list, const char *account, const char *group);

/* The account with those connections that only documents of their own tell, or that they tell more
 * of; the account itself when there are none.  In the arena, and borrows from both. */
struct account *plink_join(
    struct arena *arena, struct account *account, const struct plink_list *list);

#endif
