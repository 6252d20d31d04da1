/* outside: what was seen of a name's public address, and what should have been, by the document.
 *
 * That an account is closed to the internet shows only where its service refuses: silence is the
 * network's.  And that it is open shows only where a signed request is answered: whether the
 * service looks at the network or at the missing signature first is not known, so that an
 * unsigned request that is asked for its signature shows little.  It adds no finding.
 */
#ifndef ANALYZE_OUTSIDE_H
#define ANALYZE_OUTSIDE_H

#include "analyze/scene.h"

/* What should be seen, by the account's document. */
enum outside_wish {
	OUTSIDE_CLOSED,    /* public network access is Disabled, or endpoints alone lead in */
	OUTSIDE_PERIMETER, /* SecuredByPerimeter: closed but for the perimeter's own rules */
	OUTSIDE_BY_RULES,  /* Enabled, with rules that may admit this network */
	OUTSIDE_MAY_BE,    /* Enabled, without rules */
	OUTSIDE_UNTOLD     /* no document, or it does not say */
};

struct outside_seen {
	enum outside_kind      kind;
	const struct endpoint *end;  /* the address that shows it; NULL: none */
	const struct feed     *feed; /* the signed request that shows it; NULL: none */
};

struct outside_seen outside_look(const struct scene *scene, const struct site *site);
enum outside_wish   outside_wish(const struct scene *scene);

/* The first address of the answer that is not one of the public internet, or that documents have
 * for an endpoint; NULL: none. */
const char *outside_inner(
    const struct scene *scene, const struct site *site, const struct dns *dns);

/* What the wish rests on: "publicNetworkAccess Disabled". */
const char *outside_wish_reason(const struct scene *scene);
/* "public address refused, as configured"; NULL: nobody asked. */
const char *outside_words(enum outside_kind kind, enum outside_wish wish);
/* What the negative test left open, and why, for the list of what is not known; NULL: nothing. */
const char *outside_unproven(const struct scene *scene, const struct site *site);

#endif
