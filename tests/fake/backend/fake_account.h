/* fake_account: the accounts that the fake back end plays: keys, tokens, regions, containers and
 * the replicas of their partition key ranges, from a JSON file (tests/fake/README.md).
 *
 * Read once, before anything is served, and never changed or freed after.
 */
#ifndef TESTS_FAKE_ACCOUNT_H
#define TESTS_FAKE_ACCOUNT_H

#include "tests/fake/backend/fake_listen.h"

struct json_t;

/* A region as the account document tells it. */
struct fake_place {
	const char *name; /* "West Europe" */
	const char *host;
	uint16_t    port;
	bool        writable;
};

struct fake_replica {
	const char *host;
	uint16_t    port;
	const char *path;     /* "/apps/.../replicas/...p/" */
	const char *protocol; /* "rntbd", or what a client has to leave aside */
	const char *view;     /* who is told of it; "": everybody */
	bool        primary;
	bool        refreshed;         /* told only after x-ms-force-refresh, then alone */
	unsigned    status, substatus; /* its answer to a request; 401 of the reference */
};

struct fake_range {
	const char          *id, *min, *max;
	struct fake_replica *replicas;
	size_t               replica_count;
};

struct fake_container {
	const char        *id, *rid, *partition_key;
	struct fake_range *ranges;
	size_t             range_count;
};

struct fake_database {
	const char            *id, *rid;
	struct fake_container *containers;
	size_t                 container_count;
};

/* An Entra token that is taken. */
struct fake_token {
	const char          *text, *principal;
	int64_t              expires_s; /* Unix time; 0: never */
	const struct json_t *scopes; /* "/", "/dbs/x", "/dbs/x/colls/y": readMetadata there */
	bool                 may_query; /* and documents */
};

/* Who is told other things than the rest: the first whose lists all hold the request. */
struct fake_view {
	const char          *name;
	const struct json_t *hosts;  /* that are asked for; NULL: any, as in the next two */
	const struct json_t *locals; /* addresses, or their beginnings with a final '.' */
	const struct json_t *clients;
	const char          *answer; /* of fake_answer.h, to who is authorized; "": the truth */
};

/* What befalls authorized requests to one path. */
struct fake_step {
	const char *path;   /* slashes around it do not count: "/", "/dbs", "/addresses" */
	const char *answer; /* of fake_answer.h; "": the truth */
	const char *body;   /* in place of the JSON; NULL: the truth */
	uint32_t    delay_ms;
	uint32_t    times; /* only so often; 0: always */
	uint32_t    used;  /* atomically counted */
};

struct fake_account {
	const char           *name, *suffix;
	const struct json_t  *keys, *readonly_keys; /* base64 */
	bool                  local_auth;           /* keys are taken */
	int64_t               clock_s;              /* its clock minus ours */
	bool                  chunked;              /* bodies are */
	unsigned              page;                 /* items in an answer at most; 0: all */
	struct fake_token    *tokens;
	size_t                token_count;
	struct fake_place    *regions, *thin;
	size_t                region_count, thin_count;
	struct fake_view     *views;
	size_t                view_count;
	struct fake_step     *steps;
	size_t                step_count;
	struct fake_database *databases;
	size_t                database_count;
	struct fake_range     master; /* the partition of the metadata: "M" */
};

/* All of them. */
extern struct fake_book {
	struct fake_account *items;
	size_t               count;
	struct json_t       *root; /* in which the texts lie */
} fake_book;

/* path NULL: a small account of our own.  A port in the file may be "rntbd:0": that of our first
 * such listener. */
bool fake_accounts_read(
    const char *path, const struct fake_listeners *listeners, struct err *err) MUST_CHECK;

/* Whose this host is, "contoso-westeurope.documents.azure.com:443"; an address or "localhost" is
 * the first account's.  NULL: nobody's. */
const struct fake_account *fake_accounts_find(const char *host);
/* The replica with this path at this port, of any account; NULL: there is none. */
const struct fake_replica *fake_accounts_replica(const char *path, uint16_t port);

/* By name or, when by_rid, by resource id. */
const struct fake_database *fake_account_database(
    const struct fake_account *account, const char *id, bool by_rid);
const struct fake_container *fake_database_container(
    const struct fake_database *database, const char *id, bool by_rid);
/* The first step for this path that is not used up, which it then is once more; NULL: none. */
const struct fake_step *fake_account_step(const struct fake_account *account, const char *path);
/* NULL: that of everybody. */
const struct fake_view *fake_account_view(
    const struct fake_account *account, const char *host, const struct fake_talk *talk);

#endif
