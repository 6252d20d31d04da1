/* sync_cloud: where the Azure Resource Manager of a cloud is, who gives tokens for it, and for which
 * audience [azure-resource-manager].
 *
 * Only clouds whose names are public; another is given by its addresses.
 */
#ifndef COLLECTOR_SYNC_CLOUD_H
#define COLLECTOR_SYNC_CLOUD_H

#include "base/err.h"

struct sync_cloud {
	const char *name; /* as `az cloud list` and, second, the metadata service have it */
	const char *other_name;
	const char
	    *resource_manager; /* "https://management.azure.com", without '/' at the end */
	const char *authority;
	const char *audience;
};

/* By either name, without case; NULL with err. */
const struct sync_cloud *sync_cloud_find(const char *name, struct err *err);

#endif
