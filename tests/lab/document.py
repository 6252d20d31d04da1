"""Account documents as people have them: from `az cosmosdb show`, or from the REST interface."""

import uuid

from apis import APIS, suffix_of
from scenario import label

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/lab-rg"


def network_id(vnet):
    return f"{SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks/{vnet}"


def _guid(name):
    """Of the private endpoint: the same one for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


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


def _groups(account, vnet):
    """Of the account's endpoints in a VNet, an API and its group id for each."""
    groups = {}
    for name, api in vnet.endpoints:
        if name == account.name:
            shared = suffix_of(api, account.suffix, account.server_version) == account.suffix
            groups.setdefault(APIS["sql" if shared else api].group, api)
    return {api: group for group, api in groups.items()}


def _connection(account, account_id, vnet, api, flat):
    name = f"pe-{vnet.name}" if api == account.apis[0] else f"pe-{vnet.name}-{api}"
    state = {"status": account.connection, "actionsRequired": "None"}
    facts = {"provisioningState": "Succeeded", "groupId": _groups(account, vnet)[api],
             "privateEndpoint": {
                 "id": f"{SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints/{name}"},
             "privateLinkServiceConnectionState": state}
    head = {"id": f"{account_id}/privateEndpointConnections/{name}", "name": name,
            "type": "Microsoft.DocumentDB/databaseAccounts/privateEndpointConnections"}
    if flat:
        facts["privateEndpoint"]["resourceGroup"] = "lab-rg"
        return {**head, "resourceGroup": "lab-rg", **facts}
    return {**head, "properties": facts}


def _kind(account):
    return account.kind or ("MongoDB" if "mongodb" in account.apis and "sql" not in account.apis
                            else "GlobalDocumentDB")


def _capabilities(account):
    marks = [APIS[api].mark for api in account.apis] if account.capabilities is None else \
        account.capabilities
    return [{"name": mark} for mark in marks if mark]


def _api_facts(account):
    """What tells of the APIs beside kind and capabilities, where there is more than NoSQL."""
    facts = {f"{face.apis[0].removesuffix('db')}Endpoint": f"https://{face.host('')}:443/"
             for face in account.faces() if account.apis != ["sql"]}
    if "sql" in account.apis and account.apis != ["sql"]:
        facts["EnabledApiTypes"] = ", ".join(
            {"mongodb": "MongoDB"}.get(api, api.capitalize()) for api in account.apis)
    if "mongodb" in account.apis and account.server_version:
        facts["apiProperties"] = {"serverVersion": account.server_version}
    return facts


def make(account, vnets):
    """The document of one account, in its shape."""
    flat = account.document == "az"
    account_id = (f"{SUBSCRIPTION}/providers/Microsoft.DocumentDB/databaseAccounts/"
                  f"{account.name}")
    locations = [_location(account, region, number)
                 for number, region in enumerate(account.regions)]
    connections = [_connection(account, account_id, vnet, api, flat)
                   for vnet in vnets.values() for api in _groups(account, vnet)]
    facts = {
        "provisioningState": "Updating" if account.creating else "Succeeded",
        "documentEndpoint": f"https://{account.host('')}:443/",
        "publicNetworkAccess": account.public_access,
        "enableAutomaticFailover": True, "enableMultipleWriteLocations": False,
        "isVirtualNetworkFilterEnabled": False, "virtualNetworkRules": [],
        "ipRules": [{"ipAddressOrRange": rule} for rule in account.ip_rules],
        "databaseAccountOfferType": "Standard", "minimalTlsVersion": "Tls12",
        "consistencyPolicy": {"defaultConsistencyLevel": "Session"},
        "capabilities": _capabilities(account), "locations": locations, "readLocations": locations,
        "writeLocations": locations[:1],
        "failoverPolicies": [
            {"id": place["id"], "locationName": place["locationName"],
             "failoverPriority": place["failoverPriority"]} for place in locations],
        "privateEndpointConnections": connections if account.connection else [],
        **_api_facts(account),
    }
    head = {"id": account_id, "name": account.name, "location": account.regions[0],
            "type": "Microsoft.DocumentDB/databaseAccounts", "kind": _kind(account),
            "tags": {}}
    if flat:
        facts["privateEndpointConnections"] = facts["privateEndpointConnections"] or None
        return {**head, "resourceGroup": "lab-rg", "identity": None, **facts}
    return {**head, "identity": {"type": "None"}, "properties": facts}


def _link(endpoint, endpoint_id, flat):
    """The connection to the account, as the endpoint sees it."""
    facts = {"groupIds": [endpoint.group], "provisioningState": "Succeeded",
             "privateLinkServiceConnectionState": {
                 "status": "Approved", "description": "", "actionsRequired": "None"},
             "privateLinkServiceId": f"{SUBSCRIPTION}/providers/Microsoft.DocumentDB/"
                                     f"databaseAccounts/{endpoint.account}"}
    head = {"id": f"{endpoint_id}/privateLinkServiceConnections/{endpoint.name}",
            "name": endpoint.name,
            "type": "Microsoft.Network/privateEndpoints/privateLinkServiceConnections"}
    if flat:
        return {**head, "resourceGroup": "lab-rg", **facts}
    return {**head, "properties": facts}


def _endpoint(endpoint, endpoint_id, configs, flat):
    facts = {
        "provisioningState": endpoint.state, "resourceGuid": _guid(endpoint.name),
        "privateLinkServiceConnections": [_link(endpoint, endpoint_id, flat)],
        "manualPrivateLinkServiceConnections": [], "customNetworkInterfaceName": "",
        "ipConfigurations": [],
        "subnet": {"id": f"{network_id(endpoint.vnet)}/subnets/{endpoint.subnet}"},
        "networkInterfaces": [{"id": f"{SUBSCRIPTION}/providers/Microsoft.Network/"
                                     f"networkInterfaces/{endpoint.name}-nic"}],
        "customDnsConfigs": [{"fqdn": host, "ipAddresses": [address]}
                             for host, address in configs.items()],
    }
    head = {"id": endpoint_id, "name": endpoint.name, "location": "westeurope",
            "etag": 'W/"1"', "type": "Microsoft.Network/privateEndpoints", "tags": None}
    if flat:
        return {**head, "resourceGroup": "lab-rg", **facts}
    return {**head, "properties": facts}


def _zone_group(endpoint_id, configs):
    """As the REST interface and `az network private-endpoint dns-zone-group show` have it."""
    zones = {}
    for host, address in configs.items():
        name, suffix = host.split(".", 1)
        zones.setdefault(f"privatelink.{suffix}", []).append({
            "fqdn": f"{name}.privatelink.{suffix}", "ipAddresses": [address], "ttl": 10,
            "recordSetName": name, "recordType": "A", "provisioningState": "Succeeded"})
    return {"id": f"{endpoint_id}/privateDnsZoneGroups/default", "name": "default",
            "type": "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
            "provisioningState": "Succeeded",
            "privateDnsZoneConfigs": [
                {"name": zone.replace(".", "-"), "recordSets": records,
                 "privateDnsZoneId": f"{SUBSCRIPTION}/providers/Microsoft.Network/"
                                     f"privateDnsZones/{zone}"}
                for zone, records in zones.items()]}


def _interface(endpoint, endpoint_id, configs):
    return {"id": f"{SUBSCRIPTION}/providers/Microsoft.Network/networkInterfaces/"
                  f"{endpoint.name}-nic", "name": f"{endpoint.name}-nic",
            "type": "Microsoft.Network/networkInterfaces", "provisioningState": "Succeeded",
            "privateEndpoint": {"id": endpoint_id}, "ipConfigurations": [
                {"name": f"privateEndpointIpConfig.{number}", "privateIPAddress": address,
                 "privateLinkConnectionProperties": {
                     "fqdns": [host], "groupId": endpoint.group,
                     "requiredMemberName": host.split(".")[0]}}
                for number, (host, address) in enumerate(configs.items())]}


def make_endpoint(endpoint, configs):
    """The documents of a private endpoint; configs: host -> address."""
    endpoint_id = (f"{SUBSCRIPTION}/providers/Microsoft.Network/privateEndpoints/"
                   f"{endpoint.name}")
    if endpoint.document in ("az", "rest"):
        return [_endpoint(endpoint, endpoint_id, configs, endpoint.document == "az")]
    empty = _endpoint(endpoint, endpoint_id, {}, True)
    if endpoint.document == "zone-group":
        return [empty, _zone_group(endpoint_id, configs)]
    return [empty, _interface(endpoint, endpoint_id, configs)]


def make_required(account):
    """What each API of the account needs, as the REST interface lists it."""
    account_id = (f"{SUBSCRIPTION}/providers/Microsoft.DocumentDB/databaseAccounts/"
                  f"{account.name}")
    return {"value": [{
        "id": f"{account_id}/privateLinkResources/{face.group}", "name": face.group,
        "type": "Microsoft.DocumentDB/databaseAccounts/privateLinkResources", "properties": {
            "groupId": face.group, "requiredZoneNames": [face.zone],
            "requiredMembers": [face.host(region).split(".")[0]
                                for region in account.labels()]}} for face in account.faces()]}


def make_zone(zone, face, addresses):
    """The documents of the private zone of an API, in one list; addresses: label -> address."""
    name = zone.zone or face.zone
    group = SUBSCRIPTION.replace("lab-rg", zone.group)
    zone_id = f"{group}/providers/Microsoft.Network/privateDnsZones/{name}"
    records = {region: zone.records.get(region, address)
               for region, address in addresses.items()}
    records = {region: to for region, to in records.items() if to != "missing"}
    documents = [{
        "id": zone_id, "name": name, "type": "Microsoft.Network/privateDnsZones",
        "location": "global", "properties": {
            "numberOfRecordSets": len(records) + 1,
            "numberOfVirtualNetworkLinks": len(zone.links) + zone.more_links}}]
    for region, address in records.items():
        record = face.host(region).split(".")[0]
        creator = (f"created by private endpoint {zone.endpoint} with resource guid "
                   f"{_guid(zone.endpoint)}")
        documents.append({
            "id": f"{zone_id}/A/{record}", "name": record,
            "type": "Microsoft.Network/privateDnsZones/A", "properties": {
                "fqdn": f"{record}.{name}.", "ttl": 3600 if region in zone.by_hand else 10,
                "metadata": {} if region in zone.by_hand else {"creator": creator},
                "aRecords": [{"ipv4Address": address}]}})
    for vnet in zone.links:
        documents.append({
            "id": f"{zone_id}/virtualNetworkLinks/to-{vnet}", "name": f"to-{vnet}",
            "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
            "properties": {
                "resolutionPolicy": zone.policy, "registrationEnabled": False,
                "virtualNetworkLinkState": "Completed",
                "virtualNetwork": {"id": network_id(vnet)}}})
    return documents
