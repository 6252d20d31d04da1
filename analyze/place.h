/* place: from judged names to the rows of a verdict: what may be said of each, and no more. */
#ifndef ANALYZE_PLACE_H
#define ANALYZE_PLACE_H

#include "analyze/report.h"

/* The places of all modes that were measured, with what the report marked them with. */
void place_take(
    const struct scene *scene, const struct report *report, struct verdict *verdict);

/* Every address was tried, and a gateway answered at each. */
bool place_is_reached(const struct site *site);
/* The name was to be resolved only. */
bool place_is_dns_only(const struct site *site);
/* Whether the gateways stand among the places: when one was measured, or nothing else was. */
bool place_has_gateways(const struct scene *scene);

#endif
