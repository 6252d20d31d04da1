/* account: the configured state of one Cosmos DB account, as its document says it.
 *
 * Read from `az cosmosdb show` or the REST answer alike; what is not needed is ignored, what is
 * malformed is refused with its position.  No network, no clock.
 */
#ifndef ANALYZE_ACCOUNT_H
#define ANALYZE_ACCOUNT_H

#include "analyze/endpoint.h"
#include "analyze/plink.h"
#include "analyze/support.h"
#include "analyze/zone.h"
#include "base/arena.h"
#include "proto/record.h"

#include <stddef.h>
#include <stdint.h>

enum { ACCOUNT_PORT = 443 }; /* where a documentEndpoint names none */
enum { ACCOUNT_DOCUMENT_MAX = 4 << 20, ACCOUNT_LOCATIONS_MAX = 128 };

struct location {
	const char *label; /* "westeurope" */
	const char *name;  /* "West Europe" */
	const char *host;  /* of documentEndpoint; "" while the region is being added */
	uint16_t    port;  /* likewise; the account's own while the region is being added */
	const char *provisioning_state; /* "Succeeded", "Creating", ...; "" when not told */
	int         failover_priority;  /* 0 is the write region; -1 when not told */
	bool        pending;            /* being added or removed: not a fault */
};

/* Hosts that a document names beside documentEndpoint: "gremlinEndpoint" and the like. */
struct account_hosts {
	const char *of[API_COUNT]; /* by enum api; NULL: not told */
};

struct account {
	const char *name; /* lower case */
	const char *id;   /* resource id; "" when not told */
	const char *kind; /* "GlobalDocumentDB", "MongoDB" */
	enum api    api;  /* whose names host, suffix, zone and locations are: facet.h */
	unsigned    apis; /* bits 1 << API_*: what it serves, as far as is told */
	const char *server_version; /* of MongoDB, "4.2"; "" when not told */
	struct account_hosts hosts;
	const char          *host;   /* of the account's documentEndpoint */
	uint16_t             port;   /* likewise */
	const char          *suffix; /* everything after its first dot: "documents.azure.com" */
	const char          *zone;   /* "privatelink." + suffix */
	const char          *provisioning_state;
	const char *public_network_access; /* "Enabled", "Disabled", "SecuredByPerimeter", "" */
	bool        multi_write;           /* every region takes writes */
	bool        automatic_failover;    /* the service itself moves the write region */
	bool        ruleless;              /* its rules for public networks are told: none */
	struct location   *locations;      /* in the order of failover priority */
	size_t             location_count;
	struct connection *connections;
	size_t             connection_count;
	const char        *source; /* file or address the document came from */
	const char *warning; /* what is odd about the name that was given; "" for nothing */
	const char *given;   /* suffix that was given with the name, "documents.azure.cn"; "" */
};

/* What one document holds: accounts, and private endpoints, their connections and zones, of
 * whatever account. */
struct account_list {
	struct account     **accounts;
	size_t               count;
	struct endpoint_list endpoints;
	struct zone_list     zones;
	struct plink_list    plinks;
};

/* Reads one document of any of these kinds, an array of them, or a {"value": [...]} list; what an
 * element is is seen from its type or members.  There may be no account in it.  Everything is in the arena.
 * NULL with err ("file:line:column: ..." for syntax, "file: member: ..." for content).
 * In account_json.c. */
struct account_list *account_parse(struct arena *arena, const char *bytes, size_t count,
    const char *source, struct err *err) MUST_CHECK;

/* Reads a file by file_read(), and parses it. */
struct account_list *account_read(
    struct arena *arena, const char *path, struct err *err) MUST_CHECK;

/* What several documents hold, one after the other, with each account's connections taken together.
 * An account that two of them hold is there twice.  Borrows from the lists; NULL ones hold nothing. */
struct account_list *account_list_sum(
    struct arena *arena, const struct account_list *const *lists, size_t count);

/* An account of which nothing is known but its name, its host name with a suffix that is known,
 * the URL of that, or its resource id.  Host names are taken for the API that they are of.  NULL
 * with err when text is none of these. */
struct account *account_named(
    struct arena *arena, const char *text, struct err *err) MUST_CHECK;
/* The same, where suffixes of clouds that are not in the table are known too; more may be NULL. */
struct account *account_named_more(struct arena *arena, const char *text,
    const struct support_more *more, struct err *err) MUST_CHECK;
/* The same, of the cloud that the name of one of its hosts is of, whatever its suffix; NULL when
 * host is not the name of an API of an account. */
struct account *account_of_host(struct arena *arena, const char *name, const char *host);

/* A named account with the regions that its own gateway told to a signed request, writable ones
 * first: as good as a document for what regions there are.  Names that are not the account's own
 * are left out.  NULL when none is left.  In account_feed.c. */
struct account *account_of_feed(
    struct arena *arena, const struct account *named, const struct feed *feed);

/* 3 to 50 of a-z, 0-9 and '-', as the service takes them. */
bool account_name_is(const char *name);

#endif
