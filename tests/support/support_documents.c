#include "tests/support/support_documents.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static json_t *
make_location(const char *label, const char *name, int priority)
{
	char id[80], endpoint[120];

	snprintf(id, sizeof(id), "contoso-%s", label);
	snprintf(
	    endpoint, sizeof(endpoint), "https://contoso-%s.documents.azure.com:443/", label);
	return json_pack("{s:s s:s s:s s:s s:i}", "id", id, "locationName", name,
	    "documentEndpoint", endpoint, "provisioningState", "Succeeded", "failoverPriority",
	    priority);
}

#define GROUP   SUPPORT_DOCUMENTS_GROUP
#define GUID    "517d9819-82e9-416b-b507-ce8ec2b6d9b0"
#define ZONE    "privatelink.documents.azure.com"
#define ZONE_ID GROUP "/providers/Microsoft.Network/privateDnsZones/" ZONE
#define VNET_ID GROUP "/providers/Microsoft.Network/virtualNetworks/vnet-a"

json_t *
support_documents_account(void)
{
	return json_pack("{s:s s:s s:s s:s s:s s:s s:[o o] s:[{s:s s:s s:{s:s} s:{s:s}}]}",
	    "id", GROUP "/providers/Microsoft.DocumentDB/databaseAccounts/contoso", "name",
	    "contoso", "kind", "GlobalDocumentDB", "provisioningState", "Succeeded",
	    "publicNetworkAccess", "Disabled", "documentEndpoint",
	    "https://contoso.documents.azure.com:443/", "locations",
	    make_location("westeurope", "West Europe", 0),
	    make_location("northeurope", "North Europe", 1), "privateEndpointConnections",
	    "name", "pe-contoso", "groupId", "Sql", "privateEndpoint", "id",
	    GROUP "/providers/Microsoft.Network/privateEndpoints/pe-contoso",
	    "privateLinkServiceConnectionState", "status", "Approved");
}

json_t *
support_documents_endpoint(void)
{
	static const char *const names[] = { "contoso", "contoso-westeurope",
		"contoso-northeurope" };
	json_t                  *configs = json_array();

	for (int i = 0; i < 3; i++) {
		char fqdn[80], address[24];

		snprintf(fqdn, sizeof(fqdn), "%s.documents.azure.com", names[i]);
		snprintf(address, sizeof(address), "10.1.0.%d", 4 + i);
		json_array_append_new(
		    configs, json_pack("{s:s s:[s]}", "fqdn", fqdn, "ipAddresses", address));
	}
	return json_pack("{s:s s:s s:s s:s s:s s:{s:s} s:[{s:s s:[s] s:{s:s}}] s:o}", "id",
	    GROUP "/providers/Microsoft.Network/privateEndpoints/pe-contoso", "name",
	    "pe-contoso", "type", "Microsoft.Network/privateEndpoints", "provisioningState",
	    "Succeeded", "resourceGuid", GUID, "subnet", "id",
	    GROUP "/providers/Microsoft.Network/virtualNetworks/vnet-a/subnets/default",
	    "privateLinkServiceConnections", "privateLinkServiceId",
	    GROUP "/providers/Microsoft.DocumentDB/databaseAccounts/contoso", "groupIds", "Sql",
	    "privateLinkServiceConnectionState", "status", "Approved", "customDnsConfigs",
	    configs);
}

static json_t *
make_record(const char *name, const char *address)
{
	char id[256], fqdn[120];

	snprintf(id, sizeof(id), "%s/A/%s", ZONE_ID, name);
	snprintf(fqdn, sizeof(fqdn), "%s.%s.", name, ZONE);
	return json_pack("{s:s s:s s:s s:s s:i s:{s:s} s:[{s:s}]}", "id", id, "name", name,
	    "type", "Microsoft.Network/privateDnsZones/A", "fqdn", fqdn, "ttl", 10, "metadata",
	    "creator", "created by private endpoint pe-contoso with resource guid " GUID,
	    "aRecords", "ipv4Address", address);
}

json_t *
support_documents_zones(void)
{
	json_t *zone = json_pack("{s:s s:s s:s s:i s:i}", "id", ZONE_ID, "name", ZONE, "type",
	    "Microsoft.Network/privateDnsZones", "numberOfRecordSets", 4,
	    "numberOfVirtualNetworkLinks", 1);
	json_t *link = json_pack("{s:s s:s s:s s:s s:{s:s}}", "id",
	    ZONE_ID "/virtualNetworkLinks/to-vnet-a", "name", "to-vnet-a", "type",
	    "Microsoft.Network/privateDnsZones/virtualNetworkLinks", "resolutionPolicy",
	    "Default", "virtualNetwork", "id", VNET_ID);

	return json_pack("[o o o o o]", zone, make_record("contoso", "10.1.0.4"),
	    make_record("contoso-westeurope", "10.1.0.5"),
	    make_record("contoso-northeurope", "10.1.0.6"), link);
}

json_t *
support_documents_plinks(void)
{
	return json_pack("[{s:s s:s s:s s:s s:[s s s] s:[s]}]", "id",
	    GROUP
	    "/providers/Microsoft.DocumentDB/databaseAccounts/contoso/privateLinkResources/Sql",
	    "name", "Sql", "type", "Microsoft.DocumentDB/databaseAccounts/privateLinkResources",
	    "groupId", "Sql", "requiredMembers", "contoso", "contoso-westeurope",
	    "contoso-northeurope", "requiredZoneNames", ZONE);
}

/* What stands beside the properties of a resource. */
static bool
is_outside(const char *name)
{
	static const char outside[] = " id name type kind location tags etag identity ";
	char              padded[64];

	snprintf(padded, sizeof(padded), " %s ", name);
	return strstr(outside, padded) != NULL;
}

/* Resources within a resource. */
static bool
is_nested(const char *name)
{
	return strcmp(name, "privateEndpointConnections") == 0 ||
	    strcmp(name, "privateLinkServiceConnections") == 0;
}

json_t *
support_documents_rest(const json_t *document)
{
	json_t     *rest = json_object(), *properties = json_object(), *value;
	json_t     *given = json_object_get(document, "properties");
	const char *name;

	if (json_is_array(document)) {
		json_t *list = json_array();
		size_t  index;

		json_array_foreach ((json_t *)document, index, value)
			json_array_append_new(list, support_documents_rest(value));
		json_decref(rest);
		json_decref(properties);
		return list;
	}
	if (json_is_object(given))
		json_object_update(properties, given);
	json_object_foreach ((json_t *)document, name, value) {
		if (strcmp(name, "properties") != 0)
			json_object_set_new(is_outside(name) ? rest : properties, name,
			    is_nested(name) ? support_documents_rest(value)
			                    : json_incref(value));
	}
	json_object_set_new(rest, "properties", properties);
	return rest;
}
