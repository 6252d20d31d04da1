"""Scenario files: what is configured, what is broken, what must come out.

A file is read whole and refused when it holds a word that is not known here: a fault that is
silently not planted would make a near miss pass for the wrong reason.
"""

import ipaddress
import os
import re
import tomllib
from dataclasses import dataclass, field

import apis
import certs
import direct

# What a record may be, beside an address, a list of them, or "as REGION": not there; there, but of
# another type; at the end of six more aliases; the same with names so long that it needs TCP.
RECORDS = ("missing", "empty", "chain", "long")

# What may befall connections to an address: dropped; refused with a reset or an ICMP message; cut
# as soon as it stands, or at the first data; nobody listens; led to the region's public cluster, as
# address translation on the way does; no route in the VM.  The last two are no faults: the first
# packet of each connection is lost; the network around the address has no route.
FAULTS = ("drop", "reset", "unreachable", "prohibited", "cut-at-once", "cut", "closed", "public",
          "no-route", "first-lost", "route-around")

# Which connections a fault of a path is about: those to the API's port ("gateway"), to the replicas of Direct
# mode, to Gateway V2, or to all of them; a list holds ports.
PATH_PORTS = ("gateway", "direct", "thin", "all")

# Faults that do not know of ports.
ADDRESS_FAULTS = ("no-route", "route-around")

# What a resolver may do.  azure: as 168.63.129.16 does; azure-only: the same, and fails for all
# the rest; ours-only: the same, and refuses everybody else; route-around: the same, and the network
# around it has no route; public: it resolves through the internet; the others are wrong in the
# way of their name (odd_dns.py for those that no real server does).
ODD_RESOLVERS = ("garbage", "notimp", "loop", "late", "aaaa-nxdomain", "flood")
RESOLVERS = ("azure", "azure-only", "ours-only", "route-around", "public", "refuse", "servfail",
             "drop", "closed", "no-route", *ODD_RESOLVERS)
AZURE_RESOLVER = "168.63.129.16"

# Whose replicas a gateway tells of, where the account has Direct mode.
TELLS = ("private", "public")

# What may befall DNS over TCP on its way to a resolver, while UDP passes: dropped; refused with a
# reset; dropped in the VM itself, unless root asks; led to a server that resolves through the
# internet.
RESOLVER_TCP = ("", "drop", "reset", "root-only", "public")

# Shapes of an endpoint's documents.  The last two tell the addresses in a document beside that of
# the endpoint, which then has none: so it is where a zone group writes the records.
ENDPOINT_DOCUMENTS = ("az", "rest", "zone-group", "interface")

# What the instance metadata service says to who asks for a token of the VM's identity: nobody is
# there; the token of the account; that there is no identity (imds.py).
IDENTITIES = ("", "token", "none")

# What the proxy of a VNet, at 10.N.0.90:3128, does: there is none; it leads to the public clusters;
# it wants a login (proxy.py).
PROXIES = ("", "public", "login")

# What an account's public clusters do: as its document says; let everybody in, whatever it says; ask
# for a signature first, and then refuse all the same.
PUBLIC_DOORS = ("", "open", "asks")

# Modes and states as plprobe calls them.
MODES = ("gateway", "direct", "gateway-v2")
STATES = ("ok", "unknown", "warning", "critical")

# Lines that every VM has.
HOSTS = "127.0.0.1 localhost\n"
NSSWITCH = "files dns"


class Wrong(Exception):
    """The file is not a scenario."""


def label(region):
    """The label of a region in host names; "" and "global" are the account's own name."""
    text = "".join(region.split()).lower()
    return "" if text == "global" else text


@dataclass
class Direct:
    """What an account has beside its gateways; presets as seen with private endpoints."""
    ports: list = field(default_factory=lambda: [21226, 30144, 42001, 3044])
    # of the replicas at a regional private address, four to a partition key range
    refreshed_ports: list = field(default_factory=list)    # told after x-ms-force-refresh
    public_ports: list = field(default_factory=lambda: [14031, 14184, 14356, 14405])
    public_names: bool = True        # the hosts of public replicas are in public DNS
    thin: int = 10250                # port of Gateway V2 there; 0: the account has none
    thin_told: bool = True           # the gateways tell of it
    told_regions: list = field(default_factory=list)       # in place of the account's, by gateways
    database: str = "db1"
    container: str = "c1"            # "": the account is empty
    local_auth: bool = True          # keys are taken
    clock: int = 0                   # seconds by which the service is ahead of us
    chunked: bool = False            # form of the bodies
    page: int = 0                    # items in one answer, 0 for all
    # What befalls signed requests at private endpoints, by path: step of tests/fake/README.md.
    steps: list = field(default_factory=list)

    def private_ports(self):
        """Of all replicas at a regional private address, told at first or later."""
        return list(dict.fromkeys(self.ports + self.refreshed_ports))


@dataclass
class Account:
    name: str
    regions: list
    suffix: str = "documents.azure.com"
    # Of the APIs, those that are served, the first is whom a fault is about that names none.
    apis: list = field(default_factory=lambda: ["sql"])
    kind: str = ""                   # in the document; "": as the APIs have it
    capabilities: list | None = None                # likewise
    server_version: str = "4.2"      # of MongoDB, in the document; "" for not there
    given: str = ""                  # what the check is told in place of the name
    document: str = "az"             # az, rest, none
    # The public name is an alias into the privatelink zone: that of each API which has an endpoint
    # in some VNet, or of all when none has.
    private_link: bool = True
    public_access: str = "Disabled"
    public_door: str = ""            # of PUBLIC_DOORS
    connection: str = "Approved"     # status of the private endpoint connections, "" for none
    required: bool = False           # the document of its private link resources is told
    ip_rules: list = field(default_factory=list)    # addresses that may come over the internet
    creating: list = field(default_factory=list)    # of the regions, those being added
    unlisted: list = field(default_factory=list)    # regions that it has, but not in the document
    alias: str = "lower"             # upper: public DNS writes the alias in other letters
    direct: Direct | None = None     # replicas and Gateway V2 are there, and gateways know keys
    index: int = 0
    linked: list = field(default_factory=list)      # faces that have an alias

    def faces(self):
        return apis.faces_of(self)

    def face(self, api):
        return next(face for face in self.faces() if api in face.apis)

    def host(self, region):
        """Below the suffix of NoSQL, whatever the APIs: as documents have it."""
        return f"{self.name}-{region}.{self.suffix}" if region else f"{self.name}.{self.suffix}"

    def host_of(self, name):
        """Of a region by its name for people."""
        return self.host(label(name))

    def labels(self):
        """The account's own name first, then the regions in order."""
        return [""] + [label(region) for region in self.regions]

    def is_creating(self, region):
        return region in [label(other) for other in self.creating]


@dataclass
class Record:
    region: str
    account: str
    api: str
    to: object
    ttl: int = 10


@dataclass
class Path:
    region: str
    account: str
    api: str
    fault: str
    address: str = ""                # in place of the endpoint's own
    ports: object = "gateway"        # of PATH_PORTS, or a list


@dataclass
class Gateway:
    """A gateway, or the front end of another API."""
    region: str
    account: str
    api: str = "sql"
    answer: str = ""                 # of tests/fake/fake_backend: --answer, or --mongo-does ...
    certificate: str = "good"
    odd: str = ""                    # a way of odd_peer.py, in place of a gateway
    address: str = ""                # in place of the endpoint's own
    tells: str = "private"           # whose replicas: of the private endpoint, or the cluster's
    hands_out: list | None = None    # regions to which MongoDB sends drivers; None: all there are
    # Of the replicas and of Gateway V2 at the same address, and what they do of the names that
    # fake_backend --help lists.
    direct_certificate: str = "good"
    thin_certificate: str = "good"
    rntbd: list = field(default_factory=list)
    thin: list = field(default_factory=list)


@dataclass
class Resolver:
    does: str = "azure"
    address: str = ""
    tcp: str = ""                    # what befalls TCP to it, of RESOLVER_TCP
    delay: str = "700ms"             # how late its answers are, where it does "late"
    nsid: str = ""                   # what it calls itself


@dataclass
class OtherZone:
    """A zone that is not the service's: a company's own, say."""
    name: str
    records: list                    # as "* A 10.1.9.9"


@dataclass
class Endpoint:
    """A private endpoint of which there is a document."""
    name: str
    account: str
    vnet: str
    document: str = "az"
    state: str = "Succeeded"
    told: bool = True                # its addresses are in the document
    api: str = "sql"
    group: str = ""                  # "": that of the API
    subnet: str = "default"
    without: list = field(default_factory=list)      # regions for which it has no address
    addresses: dict = field(default_factory=dict)    # region -> in place of its own
    others: dict = field(default_factory=dict)       # host -> address: of another API


@dataclass
class ZoneDocument:
    """What documents say of the private zone of an account: it need not be what DNS says."""
    name: str
    account: str
    vnet: str                        # whose addresses are in it
    api: str = "sql"                 # whose zone, and whose addresses
    group: str = "lab-rg"            # resource group
    zone: str = ""                   # in place of the account's
    links: list = field(default_factory=list)        # networks that are linked to it
    more_links: int = 0              # that the zone counts, and nobody gave
    policy: str = "Default"          # resolutionPolicy of the links
    endpoint: str = "pe-vnet-a"      # whose zone group made the records
    by_hand: list = field(default_factory=list)      # regions whose record it did not make
    records: dict = field(default_factory=dict)      # region -> address, or "missing"


@dataclass
class VNet:
    name: str
    # (account, API's word) of those with private endpoints here
    endpoints: list = field(default_factory=list)
    linked: object = True            # the private zones are linked to this VNet; or a list of APIs
    fallback: bool = False           # resolution policy of the link: NxDomainRedirect
    overrides: bool = False          # the private zone has the public zone's own name
    resolvers: list = field(default_factory=list)
    records: list = field(default_factory=list)
    paths: list = field(default_factory=list)
    gateways: list = field(default_factory=list)
    delay: str = ""                  # one way, between VM and VNet, as in "20ms"
    ipv6: bool = False               # the VM has an address and a route
    zones: list = field(default_factory=list)        # other zones that are linked
    negative_ttl: int = 10           # how long the private zones let an NXDOMAIN live
    search: list = field(default_factory=list)       # domains in resolv.conf
    ndots: int = 1                   # there too
    hosts: list = field(default_factory=list)        # lines of /etc/hosts
    nsswitch: str = NSSWITCH         # where the VM looks for hosts
    environment: list = field(default_factory=list)  # lines of /etc/environment
    identity: str = ""               # of IDENTITIES
    proxy: str = ""                  # of PROXIES
    index: int = 0

    def has_endpoint(self, face):
        return any((face.account, api) in self.endpoints for api in face.apis)

    def is_linked(self, face):
        return any(api in self.linked for api in face.apis) if isinstance(
            self.linked, list) else self.linked


@dataclass
class Expected:
    code: str
    region: str = ""
    account: str = ""
    api: str = "sql"
    evidence: str = ""               # must be part of the finding's evidence
    severity: str = ""               # warning or critical; "" for either
    fix: str = ""                    # must be part of what is to be done
    folds: list | None = None        # regions whose names it tells of, exactly; None: any
    vnet: str = ""                   # whose agent must say it; only where there are agents


@dataclass
class State:
    """How a mode must be judged in a region."""
    mode: str
    region: str
    account: str
    api: str
    state: str
    by: str                          # the finding that makes it so; "": any
    words: str = ""                  # must be part of what is said of the place


@dataclass
class Scenario:
    name: str
    title: str
    accounts: dict
    vnets: dict
    endpoints: dict
    zones: dict                      # of documents
    check: dict
    expected: list
    states: list


def _only(table, where, **kinds):
    for key, value in table.items():
        if key not in kinds:
            raise Wrong(f"{where}: unknown key {key!r}, known are {', '.join(kinds)}")
        if not isinstance(value, kinds[key]):
            raise Wrong(f"{where}: {key} = {value!r} has the wrong type")
    return table


def _one_of(value, allowed, where):
    if value not in allowed:
        raise Wrong(f"{where}: {value!r} is none of {', '.join(allowed)}")
    return value


def milliseconds(text, where):
    """Of "20ms"."""
    try:
        return float(text.removesuffix("ms"))
    except ValueError:
        raise Wrong(f"{where}: {text!r}: milliseconds wanted, as in \"20ms\"") from None


def _is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def _read_port(value, where):
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise Wrong(f"{where}: {value!r} is no port")
    return value


def _read_direct(value, where):
    if isinstance(value, bool):
        return Direct() if value else None
    _only(value, where, ports=list, refreshed_ports=list, public_ports=list, thin=int,
          public_names=bool, thin_told=bool, told_regions=list, database=str, container=str,
          local_auth=bool, clock=int, chunked=bool, page=int, step=list)
    read = Direct(**{key: entry for key, entry in value.items() if key != "step"})
    read.steps = [_only(step, f"{where}.step", path=str, answer=str, body=str, delay=int,
                        times=int) for step in value.get("step", [])]
    for port in (*read.ports, *read.refreshed_ports, *read.public_ports):
        _read_port(port, where)
    if not read.ports or not read.public_ports:
        raise Wrong(f"{where}: ports are wanted")
    if read.thin != 0:
        _read_port(read.thin, where)
    for taken in ([*read.ports, 443, read.thin], [*read.refreshed_ports, 443, read.thin]):
        if len(set(taken)) != len(taken):
            raise Wrong(f"{where}: a port stands twice in {taken}")
    return read


def _read_apis(account, table, where):
    for word in account.apis:
        _one_of(word, apis.WORDS, f"{where}: apis")
    if not account.apis or len(set(account.apis)) != len(account.apis):
        raise Wrong(f"{where}: apis: some are wanted, each once")
    if "server_version" in table and "mongodb" not in account.apis:
        raise Wrong(f"{where}: server_version is of an account of mongodb")
    if account.server_version and not re.fullmatch(r"\d+\.\d+", account.server_version):
        raise Wrong(f"{where}: server_version: {account.server_version!r}")
    if account.direct and "sql" not in account.apis:
        raise Wrong(f"{where}: direct is of an account of sql")


def _read_account(name, table, where):
    _only(table, where, regions=list, suffix=str, document=str, private_link=bool,
          public_access=str, public_door=str, connection=str, creating=list, unlisted=list, alias=str,
          direct=(bool, dict), apis=list, kind=str, capabilities=list, server_version=str,
          ip_rules=list, required=bool, given=str)
    account = Account(name, table.get("regions", []), **{
        key: value for key, value in table.items() if key not in ("regions", "direct")})
    account.direct = _read_direct(table.get("direct", False), f"{where}.direct")
    for region in account.direct.told_regions if account.direct else []:
        _one_of(region, account.regions + account.unlisted, f"{where}.direct: told_regions")
    if not account.regions:
        raise Wrong(f"{where}: regions are wanted")
    _read_apis(account, table, where)
    _one_of(account.document, ("az", "rest", "none"), where)
    _one_of(account.alias, ("lower", "upper"), where)
    _one_of(account.public_door, PUBLIC_DOORS, f"{where}: public_door")
    if account.public_door == "asks" and not account.direct:
        raise Wrong(f"{where}: only gateways that know keys (direct) ask for a signature first")
    for region in account.creating:
        _one_of(region, account.regions, f"{where}: creating")
    return account


def _read_place(table, accounts, where):
    """The account and region that a fault is about; the only account need not be named."""
    account = table.get("account", next(iter(accounts)) if len(accounts) == 1 else None)
    if account is None:
        raise Wrong(f"{where}: which account?")
    _one_of(account, accounts, where)
    if "region" not in table:
        raise Wrong(f"{where}: which region? (\"global\" is the account's own name)")
    return account, label(table["region"])


def _read_api(table, account, where):
    """Of what stands at a place, or is about it."""
    return _one_of(table.get("api", account.apis[0]), account.apis, f"{where}: api")


def _read_record(table, accounts, where):
    _only(table, where, account=str, region=str, api=str, to=(str, list), ttl=int)
    account, region = _read_place(table, accounts, where)
    to = table.get("to", "missing")
    if isinstance(to, str) and to.startswith("as "):
        _one_of(label(to[3:]), accounts[account].labels(), where)
    elif isinstance(to, str) and to not in RECORDS:
        to = [to]
    if isinstance(to, list):
        for address in to:
            if not _is_address(address):
                raise Wrong(f"{where}: {address!r} is neither an address nor one of "
                            f"{', '.join(RECORDS)}, \"as REGION\"")
    return Record(region, account, _read_api(table, accounts[account], where), to,
                  table.get("ttl", 10))


def _read_path(table, accounts, where):
    _only(table, where, account=str, region=str, api=str, fault=str, address=str,
          ports=(str, list))
    account, region = _read_place(table, accounts, where)
    path = Path(region, account, _read_api(table, accounts[account], where), _one_of(table.get("fault", ""), FAULTS, where),
                table.get("address", ""), table.get("ports", "gateway"))
    if isinstance(path.ports, str):
        _one_of(path.ports, PATH_PORTS, where)
    else:
        path.ports = [_read_port(port, where) for port in path.ports]
    if path.ports in ("direct", "thin", "all") and (
            not accounts[account].direct or path.api != "sql"):
        raise Wrong(f"{where}: the account has no direct table, and so no such ports")
    if path.ports == "thin" and accounts[account].direct.thin == 0:
        raise Wrong(f"{where}: the account has no Gateway V2")
    if path.ports != "gateway" and path.fault in ADDRESS_FAULTS:
        raise Wrong(f"{where}: {path.fault} is about an address, and not about ports")
    return path


def _read_gateway(table, accounts, where):
    _only(table, where, account=str, region=str, answer=str, certificate=str, odd=str,
          address=str, direct_certificate=str, thin_certificate=str, rntbd=(str, list),
          thin=(str, list), tells=str, api=str, hands_out=list)
    account, region = _read_place(table, accounts, where)
    gateway = Gateway(**{**table, "region": region, "account": account,
                         "api": _read_api(table, accounts[account], where)})
    if "hands_out" in table and gateway.api != "mongodb":
        raise Wrong(f"{where}: hands_out is of mongodb")
    for name in gateway.hands_out or []:
        label(name) == "" or _one_of(name, accounts[account].regions, f"{where}: hands_out")
    gateway.rntbd, gateway.thin = (
        [does] if isinstance(does, str) else does for does in (gateway.rntbd, gateway.thin))
    for kind in (gateway.certificate, gateway.direct_certificate, gateway.thin_certificate):
        if not certs.is_kind(kind):
            raise Wrong(f"{where}: no certificate is called {kind!r}; there are "
                        f"{', '.join(certs.KINDS)}, ends-in-N-days")
    _one_of(gateway.tells, TELLS, where)
    if "tells" in table and not accounts[account].direct:
        raise Wrong(f"{where}: the account has no direct table, and so no replicas to tell of")
    for key in ("direct_certificate", "thin_certificate", "rntbd", "thin"):
        if key in table and (not accounts[account].direct or not region or
                             gateway.api != "sql"):
            raise Wrong(f"{where}: {key} is of a region of an account with direct")
    return gateway


def _read_resolver(table, where, index, vnet_index):
    _only(table, where, does=str, address=str, tcp=str, delay=str, nsid=str)
    own = AZURE_RESOLVER if index == 0 else f"10.{vnet_index}.0.{10 + index}"
    resolver = Resolver(**{"address": own, **table})
    _one_of(resolver.does, RESOLVERS, where)
    _one_of(resolver.tcp, RESOLVER_TCP, where)
    milliseconds(resolver.delay, where)
    if "delay" in table and resolver.does != "late":
        raise Wrong(f"{where}: only a resolver that does \"late\" has a delay")
    return resolver


def _read_zone(table, _, where):
    _only(table, where, name=str, records=list)
    return OtherZone(table.get("name", ""), table.get("records", []))


def _read_endpoint(name, table, accounts, vnets, where):
    _only(table, where, account=str, vnet=str, document=str, state=str, told=bool, group=str,
          addresses=dict, others=dict, api=str, subnet=str, without=list)
    account, _ = _read_place({"region": "", **{k: v for k, v in table.items()
                                               if k == "account"}}, accounts, where)
    endpoint = Endpoint(**{"name": name, "vnet": next(iter(vnets)), **table,
                           "account": account,
                           "api": _read_api(table, accounts[account], where)})
    endpoint.group = endpoint.group or accounts[account].face(endpoint.api).group
    _one_of(endpoint.vnet, vnets, where)
    _one_of(endpoint.document, ENDPOINT_DOCUMENTS, where)
    endpoint.addresses = {_one_of(label(region), accounts[account].labels(), where): address
                          for region, address in endpoint.addresses.items()}
    endpoint.without = [_one_of(label(region), accounts[account].labels(), where)
                        for region in endpoint.without]
    for address in (*endpoint.addresses.values(), *endpoint.others.values()):
        if not _is_address(address):
            raise Wrong(f"{where}: {address!r} is no address")
    return endpoint


def _read_zone_document(name, table, accounts, vnets, where):
    _only(table, where, account=str, vnet=str, api=str, group=str, zone=str, links=list,
          more_links=int, policy=str, endpoint=str, by_hand=list, records=dict)
    account, _ = _read_place({"region": "", **{k: v for k, v in table.items()
                                               if k == "account"}}, accounts, where)
    zone = ZoneDocument(**{"name": name, "vnet": next(iter(vnets)), **table,
                           "account": account,
                           "api": _read_api(table, accounts[account], where)})
    _one_of(zone.vnet, vnets, where)
    labels = accounts[account].labels()
    zone.by_hand = [_one_of(label(region), labels, where) for region in zone.by_hand]
    zone.records = {_one_of(label(region), labels, where): to
                    for region, to in zone.records.items()}
    for to in zone.records.values():
        if to != "missing" and not _is_address(to):
            raise Wrong(f"{where}: {to!r} is neither an address nor missing")
    return zone


def _read_list(table, key, read, accounts, where):
    return [read(entry, accounts, f"{where}.{key} {number + 1}")
            for number, entry in enumerate(table.get(key, []))]


def _read_link(text, accounts, where):
    """"contoso", which is all its APIs, or "contoso/mongodb", which may be one that the account
    does not serve: pairs of account and API."""
    name, _, api = text.partition("/")
    account = accounts[_one_of(name, accounts, where)]
    return [(name, word) for word in ([_one_of(api, apis.WORDS, where)] if api
                                      else account.apis)]


def _find_aliases(account, vnets):
    """The faces whose public names lead into the privatelink zone."""
    pairs = [pair for vnet in vnets.values() for pair in vnet.endpoints
             if pair[0] == account.name]
    return [face for face in account.faces() if account.private_link and (
        not pairs or any((account.name, api) in pairs for api in face.apis))]


def _read_vnet(name, table, accounts, index, where):
    _only(table, where, endpoints=list, linked=(bool, list), fallback=bool, resolver=list, record=list,
          path=list, gateway=list, delay=str, overrides=bool, ipv6=bool, zone=list,
          negative_ttl=int, search=list, ndots=int, hosts=list, nsswitch=str, environment=list,
          identity=str, proxy=str)
    lists = ("resolver", "record", "path", "gateway", "zone")
    vnet = VNet(**{"name": name, "endpoints": list(accounts), "index": index, **{
        key: value for key, value in table.items() if key not in lists}})
    vnet.endpoints = [pair for endpoint in vnet.endpoints
                      for pair in _read_link(endpoint, accounts, f"{where}.endpoints")]
    for api in vnet.linked if isinstance(vnet.linked, list) else []:
        _one_of(api, [word for each in accounts.values() for word in each.apis],
                f"{where}.linked")
    _one_of(vnet.identity, IDENTITIES, f"{where}.identity")
    _one_of(vnet.proxy, PROXIES, f"{where}.proxy")
    if vnet.identity == "token" and len([a for a in accounts.values() if a.direct]) != 1:
        raise Wrong(f"{where}.identity: a token of whose? One account with a direct table is wanted")
    vnet.resolvers = [_read_resolver(entry, f"{where}.resolver {number + 1}", number, index)
                      for number, entry in enumerate(table.get("resolver", [{}]))]
    vnet.records = _read_list(table, "record", _read_record, accounts, where)
    vnet.paths = _read_list(table, "path", _read_path, accounts, where)
    vnet.gateways = _read_list(table, "gateway", _read_gateway, accounts, where)
    vnet.zones = _read_list(table, "zone", _read_zone, accounts, where)
    return vnet


def _check_argument(argument, accounts, where):
    for name, place in direct.PLACEHOLDER.findall(argument):
        if place not in direct.PLACES:
            raise Wrong(f"{where}: {{{place}}} is none of {', '.join(direct.PLACES)}")
        able = [each.name for each in accounts.values() if each.direct]
        if name not in able and (name or len(able) != 1):
            raise Wrong(f"{where}: {argument}: whose? There is {', '.join(able) or 'no account'} "
                        "with a direct table")


def _read_check(table, vnets, accounts, where):
    _only(table, where, vnet=str, timeout=str, arguments=list, state=str, pause=str,
          user=str, seconds=int, memory_mib=int, seen=list, unseen=list, unknown=list,
          environment=dict, network=str, servers_later=list)
    check = {"vnet": next(iter(vnets)), "timeout": "4s", "arguments": [], "seconds": 60,
             "seen": [], "unseen": [], "unknown": [], "environment": {}, **table}
    _one_of(check["vnet"], vnets, where)
    if "state" in check:
        _one_of(check["state"], STATES, where)
    _only(check["environment"], where, **{name: str for name in check["environment"]})
    for argument in check["arguments"]:
        _check_argument(argument, accounts, where)
    for pattern in (*check["seen"], *check["unseen"]):
        try:
            re.compile(pattern)
        except re.error as error:
            raise Wrong(f"{where}: {pattern!r}: {error}") from None
    return check


def _read_expected(table, accounts, where):
    _only(table, where, code=str, region=str, account=str, evidence=str, severity=str,
          vnet=str, api=str, fix=str, folds=list)
    account, region = _read_place({"region": "", **table}, accounts, where)
    api = _one_of(table.get("api", accounts[account].apis[0]), apis.WORDS, f"{where}: api")
    folds = table.get("folds")
    if folds is not None:
        folds = [_one_of(label(name), accounts[account].labels(), f"{where}: folds")
                 for name in folds]
    return Expected(table.get("code", ""), region, account, api, table.get("evidence", ""),
                    table.get("severity", ""), table.get("fix", ""), folds,
                    table.get("vnet", ""))


def _read_state(table, accounts, where):
    _only(table, where, mode=str, region=str, account=str, api=str, by=str, words=str,
          **{"is": str})
    account, region = _read_place(table, accounts, where)
    api = _one_of(table.get("api", accounts[account].apis[0]), apis.WORDS, f"{where}: api")
    return State(_one_of(table.get("mode", ""), MODES, where), region, account, api,
                 _one_of(table.get("is", ""), STATES, where), table.get("by", ""),
                 table.get("words", ""))


def read(path):
    with open(path, "rb") as file:
        try:
            table = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise Wrong(f"{path}: {error}") from error
    _only(table, path, title=str, account=dict, vnet=dict, endpoint=dict, zone=dict, check=dict,
          expect=list, state=list)
    if "title" not in table or "account" not in table or "vnet" not in table:
        raise Wrong(f"{path}: title, account and vnet are wanted")
    accounts = {name: _read_account(name, entry, f"{path}: account.{name}")
                for name, entry in table["account"].items()}
    for number, account in enumerate(accounts.values()):
        account.index = number + 1
    vnets = {name: _read_vnet(name, entry, accounts, number + 1, f"{path}: vnet.{name}")
             for number, (name, entry) in enumerate(table["vnet"].items())}
    for account in accounts.values():
        account.linked = _find_aliases(account, vnets)
    endpoints = {name: _read_endpoint(name, entry, accounts, vnets,
                                      f"{path}: endpoint.{name}")
                 for name, entry in table.get("endpoint", {}).items()}
    zones = {name: _read_zone_document(name, entry, accounts, vnets, f"{path}: zone.{name}")
             for name, entry in table.get("zone", {}).items()}
    return Scenario(
        os.path.basename(path).removesuffix(".toml"), table["title"], accounts, vnets,
        endpoints, zones,
        _read_check(table.get("check", {}), vnets, accounts, f"{path}: check"),
        [_read_expected(entry, accounts, f"{path}: expect {number + 1}")
         for number, entry in enumerate(table.get("expect", []))],
        [_read_state(entry, accounts, f"{path}: state {number + 1}")
         for number, entry in enumerate(table.get("state", []))])
