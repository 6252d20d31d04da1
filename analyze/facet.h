/* facet: an account as the clients of one of its APIs see it: other names, zone and port.
 *
 * A facet is an account whose host, suffix, zone and locations are those of that API; everything
 * else is the account's own.  So what is known of accounts (names, claims, judging) holds for each
 * API without knowing of the others.
 */
#ifndef ANALYZE_FACET_H
#define ANALYZE_FACET_H

#include "analyze/account.h"
#include "analyze/support.h"

/* The account itself when it is that already; NULL when the API's names do not follow from the
 * suffix of its documentEndpoint [cosmos-private-endpoints].  MongoDB of server version 3.2 has
 * the names of NoSQL, and a port of its own. */
const struct account *facet_of(
    struct arena *arena, const struct account *account, enum api api);

enum support_service facet_service(const struct account *facet);
/* "MongoDB". */
const char *facet_title(enum api api);
/* Group id of a private endpoint for its names: "MongoDB". */
const char *facet_group(const struct account *facet);
/* What works with private endpoints; NULL: there is no such mode. */
const struct support_row *facet_support(const struct account *facet, enum mode mode);
/* In Gateway mode, in the version that the document tells. */
bool facet_is_supported(const struct account *facet);
/* Likewise of MongoDB, of an account in any facet. */
bool facet_is_version_supported(const struct account *account);
/* The API whose regions and Direct mode are of the account's NoSQL endpoint is for others too: an
 * account of Gremlin or Table has it beside its own. */
bool facet_is_aside(const struct account *facet);

/* Whether its clients speak HTTP, and so go through the proxy of their environment. */
bool facet_is_http(enum api api);

/* How many bits of apis are set. */
size_t facet_count(unsigned apis);

#endif
