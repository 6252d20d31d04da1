/* vnet: the virtual network that a machine is in, by the resource ids that documents name.
 *
 * The metadata service of a VM tells addresses and no such id [azure-imds], so a person says it, or a
 * setting; and of a private endpoint its document does.  It looks nothing up: what is not said is
 * not known.
 */
#ifndef ANALYZE_VNET_H
#define ANALYZE_VNET_H

#include "base/arena.h"
#include "base/err.h"

struct vnet {
	const char *id;     /* of the virtual network; "": not known */
	const char *subnet; /* id of the subnet in it; "": not told */
};

/* The id of a virtual network, or that of a subnet in it, as `az network vnet show --query id` and
 * `az network vnet subnet show --query id` print them; "" is a network that is not known.  Anything
 * else is false with err.  What vnet points at is in the arena. */
bool vnet_parse(struct vnet *vnet, struct arena *arena, const char *text, struct err *err);
/* Whether it may be a setting: as vnet_parse(), and nothing is kept. */
bool vnet_check(const char *text, struct err *err);
/* The same of a document's word: what is no such id is a network that is not known. */
struct vnet vnet_of(struct arena *arena, const char *id);
/* Both are known, and are one; resource ids have no case. */
bool vnet_is_same(const struct vnet *left, const struct vnet *right);
/* "vnet-a", "vnet-a/default"; "" when it is not known. */
const char *vnet_name(struct arena *arena, const struct vnet *vnet);

#endif
