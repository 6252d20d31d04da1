#include "collector/sync_cloud.h"

#include "base/text.h"

#include <stddef.h>

static const struct sync_cloud clouds[] = {
	{ "AzureCloud", "AzurePublicCloud", "https://management.azure.com",
	    "https://login.microsoftonline.com", "https://management.core.windows.net/" },
	{ "AzureUSGovernment", "AzureUSGovernmentCloud", "https://management.usgovcloudapi.net",
	    "https://login.microsoftonline.us", "https://management.core.usgovcloudapi.net/" },
	{ "AzureChinaCloud", "AzureChinaCloud", "https://management.chinacloudapi.cn",
	    "https://login.chinacloudapi.cn", "https://management.core.chinacloudapi.cn/" },
};

const struct sync_cloud *
sync_cloud_find(const char *name, struct err *err)
{
	for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
		if (text_equal_nocase(clouds[i].name, name) ||
		    text_equal_nocase(clouds[i].other_name, name))
			return &clouds[i];
	}
	err_set(err, ERR_USAGE,
	    "cloud '%s': AzureCloud, AzureUSGovernment or AzureChinaCloud wanted; for another "
	    "give --resource-manager, --authority and --audience",
	    name);
	return NULL;
}
