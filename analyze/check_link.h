/* check_link: which private zone this network asks, and what follows from it: by the links that the
 * documents tell, and by the virtual network that was measured in, where somebody told it.
 *
 * Adds nothing to a report: the checks do.  Where the network is not known, it says no more than
 * the documents and answers do by themselves.
 */
#ifndef ANALYZE_CHECK_LINK_H
#define ANALYZE_CHECK_LINK_H

#include "analyze/scene.h"

struct zone;
struct zone_link;

/* All zones of the API's name that were given. */
const struct zone *const *check_zones(const struct scene *scene, size_t *count);
/* The record's name in the zone: "contoso-westeurope". */
const char *check_label(const struct scene *scene, const struct site *site);
/* Whether it was told which virtual network was measured in; and its name, "" when it was not. */
bool        check_vnet_is_known(const struct scene *scene);
const char *check_vnet_name(const struct scene *scene);
/* The zone of the API that this network is linked to, and the link; NULL: not known to be linked. */
const struct zone *check_own_zone(const struct scene *scene, const struct zone_link **link);
/* The networks that the zone is linked to, this one not being among them: "vnet-hub alone",
 * "vnet-hub, and not to this network, vnet-a", "no virtual network"; NULL: the documents do not say
 * so of a view that is public. */
const char *check_unlinked(
    const struct scene *scene, const struct site *site, const struct view *view);
/* This network's link, when it asks the internet for what its zone lacks, and it lacks the name;
 * NULL: not known to be so. */
const char *check_link_fallback(
    const struct scene *scene, const struct site *site, const struct view *view);
/* Who knows the private address that the view's server does not give, so that it is the server
 * that does not ask Azure; NULL: nobody is known to. */
const char *check_not_forwarding(
    const struct scene *scene, const struct site *site, const struct view *view);
/* The name of a zone that was meant to be the API's and is called otherwise, with "; zone ... has 1
 * link" in *evidence; NULL: there is none, or this network has the right one. */
const char *check_mistyped_zone(const struct scene *scene, const char **evidence);
/* "that of rg-b holds the old address, that of rg-a the right one", of zones of one name, when the
 * answer is the old one; NULL: there are not two such. */
const char *check_outdated_zone(
    const struct scene *scene, const struct site *site, const char *address);
/* The one endpoint of the account in this network that has an address for the name; NULL: there is
 * none, or several, or which network this is is not known. */
const struct private_endpoint *check_own_endpoint(const struct scene *scene, const char *host);
/* "; /subscriptions/... (zone.json) has 1 link" for each zone of the API; "" when none was given. */
const char *check_describe_zones(const struct scene *scene);
/* "; link to-vnet-a of vnet-a has the policy NxDomainRedirect (zone.json)"; "": none has it. */
const char *check_describe_policy(const struct scene *scene);
/* "that of rg-a holds the record, that of rg-b does not", of zones of one name, or which of them
 * this network is linked to; NULL: there are not two such. */
const char *check_other_zone(const struct scene *scene, const struct site *site);

#endif
