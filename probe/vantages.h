/* vantages: whom to ask on this machine, and why.
 *
 * The name servers of resolv.conf(5), or those that somebody named in their place; beside them
 * Azure's own server, where this machine runs on Azure, since it tells what the platform would
 * say without the servers in between.
 */
#ifndef PROBE_VANTAGES_H
#define PROBE_VANTAGES_H

#include "probe/measure.h"

#include <sys/stat.h>

#define VANTAGES_AZURE_TAG "/sys/class/dmi/id/chassis_asset_tag"

struct vantages {
	struct measure_vantage list[MEASURE_VANTAGES_MAX];
	size_t                 count;
};

struct vantages_ask {
	const struct addr *configured; /* with ports; in place of resolv.conf; borrowed */
	size_t             configured_count;
	bool               azure_dns; /* ask Azure's server wherever we are */
	/* Files; NULL: those of the system. */
	const char *resolv_conf, *stub_conf, *asset_tag;
};

/* At least one, each once. */
bool vantages_find(
    struct vantages *vantages, const struct vantages_ask *ask, struct err *err) MUST_CHECK;
bool vantages_equal(const struct vantages *left, const struct vantages *right);
/* "10.0.0.4 127.0.0.1:5300": the addresses, in the arena. */
const char *vantages_render(const struct vantages *vantages, struct arena *arena);

/* Whether this machine says that it is one of Azure [azure-asset-tag]. */
bool vantages_on_azure(const char *asset_tag_path);

/* Tells whether resolv.conf may have changed since the last time; the first time it has. */
struct vantages_watch {
	struct stat seen[2]; /* of resolv.conf and of that of systemd-resolved */
};
bool vantages_changed(struct vantages_watch *watch, const struct vantages_ask *ask);

#endif
