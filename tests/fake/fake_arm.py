#!/usr/bin/env python3
"""An Azure Resource Manager, an authority and an instance metadata service that are none.

Over TLS, in one process: the documents of one account behind one private endpoint in the shapes that
the real service was recorded with, in pages, with ETags where the real one has them; or wrong in a way
that has a name (FAULTS).  It shares no code with the collector that asks it.

    fake_arm.py --cert cert.pem --key key.pem [--page N] [--fault PART-OF-PATH=FAULT]...

prints "listening IP:PORT", and a line for each question.
"""

import argparse
import http.server
import json
import ssl
import threading
import urllib.parse

SUB = "/subscriptions/00000000-0000-0000-0000-000000000001"
DATA = SUB + "/resourceGroups/rg-data/providers"
HUB = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-hub/providers"
ACCOUNT = DATA + "/Microsoft.DocumentDB/databaseAccounts/contoso"
ENDPOINT = DATA + "/Microsoft.Network/privateEndpoints/pe-contoso"
INTERFACE = DATA + "/Microsoft.Network/networkInterfaces/pe-contoso.nic.0001"
ZONE = HUB + "/Microsoft.Network/privateDnsZones/privatelink.documents.azure.com"
NETWORK = DATA + "/Microsoft.Network/virtualNetworks/vnet-a"
GUID = "517d9819-82e9-416b-b507-ce8ec2b6d9b0"
TOKEN = "fake.arm.token"
ASSERTION = "fake.assertion"
TENANT = "00000000-0000-0000-0000-00000000000a"
CLIENT = "00000000-0000-0000-0000-00000000000b"

FAULTS = {
    "401": "the token is refused", "403": "no right to read it", "404": "not there, or not to be seen",
    "throttle": "429 with Retry-After 1, once", "busy": "503 without Retry-After, twice",
    "flood": "429 with Retry-After 3600, always", "garbage": "200 with half a document",
    "wrong": "200 with JSON that is no document", "slow": "a byte a second",
    "endless": "200 with a body that does not end", "astray": "nextLink to another host",
    "circle": "nextLink to the same page, for ever", "redirect": "302 to another host",
    "close": "the connection, without a word", "old": "400: this api-version is not known, but an older one",
}


def location(region, label, priority):
    return {"id": f"contoso-{label}", "locationName": region, "failoverPriority": priority,
            "documentEndpoint": f"https://contoso-{label}.documents.azure.com:443/",
            "provisioningState": "Succeeded", "isZoneRedundant": False}


def record(name, address):
    return {"id": f"{ZONE}/A/{name}", "etag": f"e-{name}", "name": name,
            "type": "Microsoft.Network/privateDnsZones/A",
            "properties": {"metadata": {"creator": f"created by private endpoint pe-contoso with resource guid {GUID}"},
                           "ttl": 10, "fqdn": f"{name}.privatelink.documents.azure.com.",
                           "isAutoRegistered": False, "aRecords": [{"ipv4Address": address}]}}


def make_documents():
    """Path -> an object, or a list that comes in pages."""
    connection = {"name": "pe-contoso", "id": ACCOUNT + "/privateEndpointConnections/pe-contoso",
                  "type": "Microsoft.DocumentDB/databaseAccounts/privateEndpointConnections",
                  "properties": {"provisioningState": "Succeeded", "groupId": "Sql",
                                 "privateEndpoint": {"id": ENDPOINT},
                                 "privateLinkServiceConnectionState": {
                                     "status": "Approved", "description": "by the owner", "actionsRequired": "None"}}}
    account = {
        "id": ACCOUNT, "name": "contoso", "location": "West Europe", "kind": "GlobalDocumentDB",
        "type": "Microsoft.DocumentDB/databaseAccounts",
        "properties": {
            "provisioningState": "Succeeded", "documentEndpoint": "https://contoso.documents.azure.com:443/",
            "publicNetworkAccess": "Disabled", "EnabledApiTypes": "Sql", "capabilities": [], "ipRules": [],
            "locations": [location("West Europe", "westeurope", 0), location("North Europe", "northeurope", 1)],
            "privateEndpointConnections": [{"id": connection["id"], "properties": {
                "privateEndpoint": {"id": ENDPOINT},
                "privateLinkServiceConnectionState": {"status": "Approved", "actionsRequired": "None"}}}]}}
    endpoint = {
        "name": "pe-contoso", "id": ENDPOINT, "type": "Microsoft.Network/privateEndpoints", "etag": "W/\"1\"",
        "properties": {
            "provisioningState": "Succeeded", "resourceGuid": GUID,
            "privateLinkServiceConnections": [{"name": "plsc", "properties": {
                "privateLinkServiceId": ACCOUNT, "groupIds": ["Sql"],
                "privateLinkServiceConnectionState": {
                    "status": "Approved", "description": "", "actionsRequired": "None"}}}],
            "manualPrivateLinkServiceConnections": [], "subnet": {"id": NETWORK + "/subnets/default"},
            "ipConfigurations": [], "networkInterfaces": [{"id": INTERFACE}], "customDnsConfigs": []}}
    names = [("contoso", "10.1.0.4"), ("contoso-westeurope", "10.1.0.5"), ("contoso-northeurope", "10.1.0.6")]
    group = {
        "name": "default", "id": ENDPOINT + "/privateDnsZoneGroups/default",
        "properties": {"provisioningState": "Succeeded", "privateDnsZoneConfigs": [{"name": "zone", "properties": {
            "privateDnsZoneId": ZONE,
            "recordSets": [{"recordType": "A", "recordSetName": name, "ipAddresses": [address],
                            "fqdn": f"{name}.privatelink.documents.azure.com"} for name, address in names]}}]}}
    interface = {
        "name": "pe-contoso.nic.0001", "id": INTERFACE, "type": "Microsoft.Network/networkInterfaces",
        "etag": "W/\"2\"",
        "properties": {"privateEndpoint": {"id": ENDPOINT}, "ipConfigurations": [{"properties": {
            "privateIPAddress": address, "privateLinkConnectionProperties": {
                "groupId": "Sql", "requiredMemberName": name,
                "fqdns": [f"{name}.documents.azure.com"]}}} for name, address in names]}}
    zone = {"id": ZONE, "name": "privatelink.documents.azure.com", "location": "global", "etag": "z-1",
            "type": "Microsoft.Network/privateDnsZones",
            "properties": {"numberOfRecordSets": 4, "numberOfVirtualNetworkLinks": 1,
                           "provisioningState": "Succeeded"}}
    link = {"id": ZONE + "/virtualNetworkLinks/to-a", "name": "to-a", "location": "global",
            "type": "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
            "properties": {"virtualNetwork": {"id": NETWORK}, "registrationEnabled": False,
                           "resolutionPolicy": "NxDomainRedirect", "virtualNetworkLinkState": "Completed",
                           "provisioningState": "Succeeded"}}
    resource = {"id": ACCOUNT + "/privateLinkResources/Sql", "name": "Sql",
                "type": "Microsoft.DocumentDB/databaseAccounts/privateLinkResources",
                "properties": {"groupId": "Sql", "requiredMembers": [name for name, _ in reversed(names)],
                               "requiredZoneNames": ["privatelink.documents.azure.com"]}}
    lists = SUB + "/providers/Microsoft.DocumentDB/databaseAccounts"
    return {
        ACCOUNT: account, ACCOUNT + "/privateEndpointConnections": [connection],
        ACCOUNT + "/privateLinkResources": [resource], ENDPOINT: endpoint,
        ENDPOINT + "/privateDnsZoneGroups": [group], INTERFACE: interface, ZONE: zone,
        ZONE + "/A": [record(name, address) for name, address in names],
        ZONE + "/virtualNetworkLinks": [link], lists: [account],
        DATA + "/Microsoft.DocumentDB/databaseAccounts": [account],
    }


class FakeArm:
    """faults: part of a path -> name; a list of (method, path and query, headers, status) is in asked."""

    def __init__(self, cert, key, page=2):
        self.documents, self.faults, self.page = make_documents(), {}, page
        self.token, self.asked, self.used = TOKEN, [], {}
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                fake.answer(self, b"")

            def do_POST(self):
                fake.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *words):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that gives up on a fault is what the test wants

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]

    def start(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def say(self, request, status, body=b"", **headers):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.asked.append((request.command, request.path, dict(request.headers), status))
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    def refuse(self, request, status, code, message, **headers):
        self.say(request, status, {"error": {"code": code, "message": message}}, **headers)

    def answer(self, request, body):
        url = urllib.parse.urlsplit(request.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        fault = next((name for part, name in self.faults.items() if part in request.path), None)
        if fault and not self.misbehave(request, fault, url):
            return
        if url.path.startswith("/metadata/"):
            self.answer_imds(request, query)
        elif url.path.endswith("/oauth2/v2.0/token"):
            self.answer_authority(request, url, dict(urllib.parse.parse_qsl(body.decode())))
        else:
            self.answer_document(request, url, query, fault)

    def answer_imds(self, request, query):
        if request.headers.get("Metadata") != "true" or request.headers.get("X-Forwarded-For"):
            self.say(request, 400, {"error": "invalid_request", "error_description": "Metadata header missing"})
        elif query.get("client_id", CLIENT) != CLIENT:
            self.say(request, 400, {"error": "invalid_request", "error_description": "Identity not found"})
        else:
            self.say(request, 200, {"access_token": self.token, "expires_in": "86399", "token_type": "Bearer",
                                    "resource": query.get("resource", "")})

    def answer_authority(self, request, url, form):
        good = (url.path == f"/{TENANT}/oauth2/v2.0/token" and form.get("client_id") == CLIENT
                and form.get("grant_type") == "client_credentials" and form.get("client_assertion") == ASSERTION
                and form.get("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                and form.get("scope", "").endswith("/.default"))
        if good:
            self.say(request, 200, {"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})
        else:
            self.say(request, 401, {"error": "invalid_client", "error_description": "AADSTS700213: no match"})

    def answer_document(self, request, url, query, fault):
        document = next((value for path, value in self.documents.items() if path.lower() == url.path.lower()), None)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            self.refuse(request, 401, "InvalidAuthenticationToken", "The access token is invalid.")
        elif "api-version" not in query:
            self.refuse(request, 400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        elif document is None:
            self.refuse(request, 404, "ResourceNotFound", "The Resource was not found.")
        elif isinstance(document, list):
            self.answer_page(request, url, query, document, fault)
        elif "etag" in document and request.headers.get("If-None-Match") == document["etag"]:
            self.say(request, 304)
        else:
            headers = {"ETag": document["etag"]} if "etag" in document else {}
            self.say(request, 200, document, **headers)

    def answer_page(self, request, url, query, document, fault):
        first = int(query.get("$skipToken", 0))
        page = {"value": document[first:first + self.page]}
        host = {"astray": f"https://localhost:{self.port}"}.get(fault, f"https://127.0.0.1:{self.port}")
        after = first if fault == "circle" else first + self.page
        if after < len(document) or fault == "astray":
            page["nextLink"] = f"{host}{url.path}?api-version={query['api-version']}&$skipToken={after}"
        self.say(request, 200, page)

    def misbehave(self, request, fault, url):
        """Whether the question is answered as it should be after all."""
        times = self.used[(fault, url.path)] = self.used.get((fault, url.path), 0) + 1
        if fault == "401":
            self.refuse(request, 401, "ExpiredAuthenticationToken", "The access token expired.")
        elif fault == "403":
            self.refuse(request, 403, "AuthorizationFailed", "The client does not have authorization to read.")
        elif fault == "404":
            self.refuse(request, 404, "ResourceNotFound", "The Resource was not found.")
        elif fault == "throttle" and times == 1:
            self.refuse(request, 429, "TooManyRequests", "slower", Retry_After="1")
        elif fault == "busy" and times <= 2:
            self.refuse(request, 503, "ServerBusy", "later")
        elif fault == "flood":
            self.refuse(request, 429, "TooManyRequests", "much slower", Retry_After="3600")
        elif fault == "old" and "2025" in url.query:
            self.refuse(request, 400, "NoRegisteredProviderFound", "not for this API version")
        elif fault == "garbage":
            self.say(request, 200, b'{"value": [{"id": "/x"')
        elif fault == "wrong":
            self.say(request, 200, {"hello": "world"})
        elif fault == "redirect":
            self.say(request, 302, Location="https://localhost:1/")
        elif fault == "close":
            self.asked.append((request.command, request.path, dict(request.headers), 0))
            request.close_connection = True
        elif fault in ("slow", "endless"):
            self.drip(request, fault)
        else:
            return True
        return False

    def drip(self, request, fault):
        self.asked.append((request.command, request.path, dict(request.headers), 200))
        request.send_response(200)
        request.send_header("Content-Length", str(1 << 40))
        request.end_headers()
        request.close_connection = True
        while True:
            request.wfile.write(b" " if fault == "slow" else b" " * 65536)
            if fault == "slow":
                threading.Event().wait(1)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="faults:\n" + "\n".join(f"  {name:9} {words}" for name, words in FAULTS.items()))
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--page", type=int, default=2, help="elements in a page")
    parser.add_argument("--fault", action="append", default=[], metavar="PART-OF-PATH=FAULT")
    options = parser.parse_args()
    fake = FakeArm(options.cert, options.key, options.page)
    for text in options.fault:
        part, name = text.rsplit("=", 1)
        if name not in FAULTS:
            parser.error(f"no such fault: {name}")
        fake.faults[part] = name
    print(f"listening 127.0.0.1:{fake.port}", flush=True)
    fake.server.serve_forever()


if __name__ == "__main__":
    main()
