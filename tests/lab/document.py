"""Account documents as people have them: from `az cosmosdb show`, or from the REST interface."""

from scenario import label

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/lab-rg"


def _location(account, region, priority):
    name = label(region)
    place = {"id": f"{account.name}-{name}", "locationName": region,
             "failoverPriority": priority, "isZoneRedundant": False,
             "provisioningState": "Succeeded",
             "documentEndpoint": f"https://{account.host(name)}:443/"}
    if account.is_creating(name):
        place["provisioningState"] = "Creating"
        del place["documentEndpoint"]
    return place


def _connection(account, account_id, vnet, flat):
    name = f"pe-{vnet.name}"
    state = {"status": account.connection, "actionsRequired": "None"}
    facts = {"provisioningState": "Succeeded", "groupId": "Sql",
             "privateEndpoint": {
                 "id": f"{SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints/{name}"},
             "privateLinkServiceConnectionState": state}
    head = {"id": f"{account_id}/privateEndpointConnections/{name}", "name": name,
            "type": "Microsoft.DocumentDB/databaseAccounts/privateEndpointConnections"}
    if flat:
        facts["privateEndpoint"]["resourceGroup"] = "lab-rg"
        return {**head, "resourceGroup": "lab-rg", **facts}
    return {**head, "properties": facts}


def make(account, vnets):
    """The document of one account, in its shape."""
    flat = account.document == "az"
    account_id = (f"{SUBSCRIPTION}/providers/Microsoft.DocumentDB/databaseAccounts/"
                  f"{account.name}")
    locations = [_location(account, region, number)
                 for number, region in enumerate(account.regions)]
    connections = [_connection(account, account_id, vnet, flat) for vnet in vnets.values()
                   if account.name in vnet.endpoints]
    facts = {
        "provisioningState": "Updating" if account.creating else "Succeeded",
        "documentEndpoint": f"https://{account.host('')}:443/",
        "publicNetworkAccess": account.public_access,
        "enableAutomaticFailover": True, "enableMultipleWriteLocations": False,
        "isVirtualNetworkFilterEnabled": False, "virtualNetworkRules": [], "ipRules": [],
        "databaseAccountOfferType": "Standard", "minimalTlsVersion": "Tls12",
        "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "capabilities": [], "locations": locations, "readLocations": locations,
        "writeLocations": locations[:1],
        "failoverPolicies": [
            {"id": place["id"], "locationName": place["locationName"],
             "failoverPriority": place["failoverPriority"]} for place in locations],
        "privateEndpointConnections": connections if account.connection else [],
    }
    head = {"id": account_id, "name": account.name, "location": account.regions[0],
            "type": "Microsoft.DocumentDB/databaseAccounts", "kind": "GlobalDocumentDB",
            "tags": {}}
    if flat:
        facts["privateEndpointConnections"] = facts["privateEndpointConnections"] or None
        return {**head, "resourceGroup": "lab-rg", "identity": None, **facts}
    return {**head, "identity": {"type": "None"}, "properties": facts}
