/* scene: what one agent saw of one API of an account, sorted for the checks.
 *
 * Puts each measurement to its name, says of each resolver's view and of each address what kind it
 * is, and which names got how far.  It judges nothing: the checks do.
 *
 * A client asks the servers of its resolv.conf, or those that the configuration names: their views
 * are judged.  Azure's own resolver, where it is asked only to compare, is a control: a network
 * with servers of its own rightly gets other answers.  The system's own path (getaddrinfo) has
 * checks of its own.
 *
 * What DNS says of a name is judged once, at its gateway site, from the gateway's measurement or,
 * where there is none, from that of another mode.  The sites of Direct mode and Gateway V2 hold
 * what was met behind the name (scene_modes.h), and point at that site.
 */
#ifndef ANALYZE_SCENE_H
#define ANALYZE_SCENE_H

#include "analyze/claim.h"
#include "analyze/judge.h"
#include "base/addr.h"

enum view_kind {
	VIEW_NONE,    /* not asked, or we could not ask: says nothing */
	VIEW_FAILED,  /* no answer that means anything; dns->outcome says how */
	VIEW_MISSING, /* the name, or an address of it, does not exist */
	VIEW_PRIVATE, /* addresses, none of them public, but for IPv6 that escapes */
	VIEW_PUBLIC,  /* a public address, behind the privatelink alias */
	VIEW_OPEN,    /* a public address, and no alias */
	VIEW_BLOCKED  /* an address that leads to no other machine */
};

/* One resolver's view of one name. */
struct view {
	const struct dns *dns; /* borrowed from the measurement */
	enum view_kind    kind;
	bool              alias; /* the chain enters the privatelink zone */
	bool     by_zone;    /* ... and ends there: the zone itself has, or lacks, the record */
	uint32_t zone_ttl_s; /* of the alias that a name in the zone is; 0: it is none */
	bool     escapes;    /* private by IPv4, and public IPv6 beside it */
	const struct addr  *addrs;
	const struct claim *claims; /* of each address */
	size_t              addr_count;
	const char         *host; /* that was asked for */
	bool outdated; /* the machine asks this server no more: a newer measurement did not */
};

/* One address of one name. */
struct attempt {
	const struct endpoint *end; /* borrowed from the measurement */
	struct addr            addr;
	struct claim           claim;
	bool                   excused; /* what happens here follows from a wrong answer */
	bool        beside; /* no client comes here: only the control's answer leads here */
	const char *peer;   /* "10.1.0.4:443" */
};

struct direct;

/* One name that is judged, in one mode. */
struct site {
	struct place *place;
	/* What is judged: the place's own measurement, or that of another mode of the same name;
	 * NULL: the name was not measured at all. */
	const struct measurement *seen;
	const struct location *location; /* NULL for the global name, and without a document */
	bool                   pending;  /* the region comes or goes: nothing is a fault yet */
	struct view           *views;    /* of the servers that a client asks */
	size_t                 view_count;
	struct view    *control; /* of Azure's resolver; NULL: not asked, or a client does */
	struct view    *system;  /* of getaddrinfo; NULL: not asked */
	struct attempt *attempts;
	size_t          attempt_count;
	unsigned        reached; /* bits 1 << STAGE_* */
	/* Of other modes than the gateway: the gateway site of the same name; NULL: there is none,
	 * as with a host of its own that Gateway V2 is advertised at. */
	struct site   *name;
	struct direct *direct; /* Direct mode: its replicas; else NULL */
	bool
	    unasked; /* a gateway that nobody asks for: stands there for the name's DNS alone */
};

/* The scenes of all APIs that are judged, in their order. */
struct scenes {
	struct scene *of[API_COUNT];
	size_t        count;
	unsigned      absent; /* bits 1 << API_*: looked for, and no such name exists */
};

struct scene {
	struct arena           *arena;
	const struct judge_ask *ask;  /* its account is a facet: of one API */
	const struct scenes    *apis; /* this one among them */
	struct claims           claims;
	/* The account's, and those that only the document of an endpoint tells of. */
	struct connection *connections;
	size_t             connection_count;
	struct site       *sites; /* global name, then the regions in the document's order */
	size_t             site_count;
	struct site       *swept; /* by label: names that nobody configured and that do exist */
	size_t             swept_count;
	size_t swept_asked, swept_silent; /* swept names; those whose existence is unknown */
	struct site *direct; /* Direct mode, in the same order; none when it was not measured */
	size_t       direct_count;
	struct site *thin; /* Gateway V2, likewise */
	size_t       thin_count;
	/* That a client asks now; by which measurement, where nobody else said it: NULL. */
	const char *const        *servers;
	size_t                    server_count;
	const struct measurement *newest;
	const struct feed *feed; /* the newest that names the account's regions; NULL: none */
};

/* The account of the ask is a facet. */
struct scene *scene_new(
    struct arena *arena, const struct judge_ask *ask, const struct scenes *apis);

/* The judged names of one mode. */
const struct site *scene_sites(const struct scene *scene, enum mode mode, size_t *count);
enum mode          scene_mode(const struct site *site);
/* The newest measurement of the target, in its own mode; NULL: none. */
const struct measurement *scene_seen(
    const struct judge_ask *ask, const struct target *target, enum mode mode);
/* A new site at the end of a list; for the gateway with its views and attempts. */
struct site *scene_add(struct scene *scene, struct site *list, size_t *count,
    const struct target *target, const struct location *location);
/* What an answer leads to, for an address that was tried in another mode of the site's name. */
void scene_trace(const struct scene *scene, const struct site *site, struct attempt *attempt);
/* A signed GET / was answered 200 at the name, in whichever mode it was made. */
bool scene_admitted(const struct scene *scene, const struct site *site);

/* "contoso.documents.azure.com -> contoso.privatelink... (300 s) -> 10.1.0.4 (10 s)". */
const char *scene_chain(struct arena *arena, const struct view *view);
/* The attempt at the address; NULL when there was none. */
const struct attempt *scene_attempt(const struct site *site, const struct addr *addr);
/* A gateway, or the front end of the API, answered as one. */
bool scene_is_answered(const struct endpoint *end);
/* How that ended; not-run: it was not asked. */
enum outcome scene_answer(const struct endpoint *end);
/* No name of the API exists in public DNS, as far as any server answered: no alias, no address. */
bool scene_is_absent(const struct scene *scene);
/* No connection, and it is not for us to blame. */
bool scene_tcp_failed(const struct site *site, const struct attempt *attempt);
/* Not a failure, nor our own trouble: a statement about the name. */
bool scene_says_something(const struct view *view);
bool scene_has_address(const struct view *view, const struct addr *addr);
/* An address of the public internet, as far as ranges and documents tell. */
bool scene_is_public(const struct view *view, size_t at);
bool scene_reached(const struct site *site, enum stage stage);
/* Same kind, and, for private ones, the same set of addresses. */
bool scene_views_agree(const struct view *left, const struct view *right);

#endif
