/* support: which API, version and mode works with private endpoints, and under which names.
 *
 * Constant tables of support.def, and pure questions about them.  It is dated knowledge for people
 * and for names that no document tells: where an account's document says otherwise, that wins.
 */
#ifndef ANALYZE_SUPPORT_H
#define ANALYZE_SUPPORT_H

#include "analyze/region.h"
#include "base/arena.h"

#include <stdint.h>

enum support_service {
#define CLOUD(name, word, aliases, standing, words)
#define SERVICE(name, word, title, api, label, group, also, port, source) SUPPORT_##name,
#define SUFFIX(cloud, service, suffix, source)
#define OLD(cloud, suffix, today, words)
#define ROW(name, service, mode, from, before, then, now, date, source, note, hint)
#include "analyze/support.def"
#undef CLOUD
#undef SERVICE
#undef SUFFIX
#undef OLD
#undef ROW
	SUPPORT_SERVICE_COUNT
};

/* How a client connects.  HTTPS to replicas is gone, and asked about still. */
enum support_mode {
	SUPPORT_GATEWAY, /* for MongoDB, Cassandra and Gremlin: their own protocol */
	SUPPORT_DIRECT_TCP,
	SUPPORT_DIRECT_HTTPS,
	SUPPORT_GATEWAY_V2,
	SUPPORT_MODE_COUNT
};

enum support_state {
	SUPPORT_NOT_NAMED, /* the article does not speak of it */
	SUPPORT_PREVIEW,
	SUPPORT_SUPPORTED,
	SUPPORT_UNSUPPORTED,
	SUPPORT_GONE,    /* there is no such mode any more */
	SUPPORT_UNKNOWN, /* no source says */
	SUPPORT_STATE_COUNT
};

struct support_row {
	enum support_service service;
	enum support_mode    mode;
	unsigned             from,
	    before; /* versions, major * 100 + minor: from that, below this; 0: any */
	enum support_state then, now;
	const char        *source_date, *source; /* of `now`; a key of REFERENCES.md */
	const char        *note, *hint;          /* "" for none */
};

struct support_cloud {
	const char *word, *aliases; /* space between */
	enum support_standing { SUPPORT_OPEN, SUPPORT_NOT_PUBLIC, SUPPORT_CLOSED } standing;
	const char *words; /* "" where there is nothing to say */
};

struct support_desc {
	const char *word, *title;
	uint32_t    api; /* enum api; API_COUNT: none */
	const char *label;
	const char *group, *also;
	uint16_t    port;
	const char *port_source;
};

struct support_suffix {
	enum cloud           cloud;
	enum support_service service;
	const char          *suffix, *source;
};

extern const struct support_cloud  support_clouds[CLOUD_COUNT];
extern const struct support_desc   support_services[SUPPORT_SERVICE_COUNT];
extern const struct support_suffix support_suffixes[];    /* suffix NULL at the end */
extern const struct support_row    support_rows[];        /* source NULL at the end */
extern const char support_date[], support_article_date[]; /* of this table; of the article */

/* Suffixes of clouds that are not in the table, by configuration: "documents.azure.example", with
 * or without a dot in front. */
struct support_more {
	const char *const *suffixes; /* borrowed */
	size_t             count;
};

/* What a suffix is. */
struct support_place {
	enum { SUPPORT_STRANGE, SUPPORT_KNOWN, SUPPORT_OLD, SUPPORT_DEAD, SUPPORT_OWN } kind;
	enum cloud           cloud;   /* CLOUD_COUNT when not known */
	enum support_service service; /* SUPPORT_SERVICE_COUNT when not known */
	const char          *suffix;  /* the one of today; "" for SUPPORT_DEAD, STRANGE */
	const char          *words;   /* why it is not to be used as it is; "" when it may */
};

/* more may be NULL.  Without case. */
struct support_place support_place_of(const char *suffix, const struct support_more *more);
/* By suffix of a name; CLOUD_PUBLIC when it is not known. */
enum cloud support_cloud_of_suffix(const char *suffix);
/* By its word or an alias, without case; CLOUD_COUNT when there is none. */
enum cloud support_cloud_find(const char *word);
/* By its word or title, or by a beginning of the word that no other has, without case;
 * SUPPORT_SERVICE_COUNT when there is none. */
enum support_service support_service_find(const char *word);
enum support_service support_service_of_api(uint32_t api);

/* The names of all APIs follow from the suffix of the account's documentEndpoint, in any cloud:
 * "documents.X" gives "mongo.cosmos.X".  NULL when the suffix is not of that form, or the service
 * is a cluster with names of its own. */
const char *support_suffix(
    struct arena *arena, enum support_service service, const char *document_suffix);
/* "contoso-westeurope.mongo.cosmos.azure.com"; label "" is the global name.  Accounts of MongoDB
 * 3.2 have the names of SQL.  NULL as above. */
const char *support_host(struct arena *arena, const char *account, enum support_service service,
    const char *label, const char *document_suffix);
/* Its private zone; NULL as above. */
const char *support_zone(
    struct arena *arena, enum support_service service, const char *document_suffix);
/* Group id for the service's own names: "Sql". */
const char *support_group(enum support_service service);

struct support_ports {
	uint16_t gateway;
	uint16_t direct_first, direct_last; /* both 0 where there is no Direct mode */
};

/* To open from the clients: with a private endpoint Direct mode uses every port. */
struct support_ports support_ports(enum support_service service, bool private_endpoint);

/* version: "3.6"; NULL or "" for the newest; it only counts where rows differ by it.  NULL when
 * the service has no such mode or version is none. */
const struct support_row *support_find(
    enum support_service service, enum support_mode mode, const char *version);

const char *support_mode_word(enum support_mode mode);
const char *support_state_word(enum support_state state);
const char *support_standing_word(enum support_standing standing);
/* "3.2", "3.6 and later", "" for any. */
const char *support_versions(struct arena *arena, const struct support_row *row);

#endif
