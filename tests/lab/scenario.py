"""Scenario files: what is configured, what is broken, what must come out.

A file is read whole and refused when it holds a word that is not known here: a fault that is
silently not planted would make a near miss pass for the wrong reason.
"""

import ipaddress
import os
import tomllib
from dataclasses import dataclass, field

import certs

# What a record may be, beside an address, a list of them, or "as REGION": not there; there, but of
# another type; at the end of six more aliases; the same with names so long that it needs TCP.
RECORDS = ("missing", "empty", "chain", "long")

# What may befall connections to an address: dropped; refused with a reset or an ICMP message; cut
# as soon as it stands, or at the first data; nobody listens; no route in the VM.  The last two are no faults: the first
# packet of each connection is lost; the network around the address has no route.
FAULTS = ("drop", "reset", "unreachable", "prohibited", "cut-at-once", "cut", "closed", "no-route",
          "first-lost", "route-around")

# What a resolver may do.  azure: as 168.63.129.16 does; azure-only: the same, and fails for all
# the rest; ours-only: the same, and refuses everybody else; route-around: the same, and the network
# around it has no route; public: it resolves through the internet; the others are wrong in the
# way of their name (odd_dns.py for those that no real server does).
ODD_RESOLVERS = ("garbage", "notimp", "loop", "late", "aaaa-nxdomain", "flood")
RESOLVERS = ("azure", "azure-only", "ours-only", "route-around", "public", "refuse", "servfail",
             "drop", "closed", "no-route", *ODD_RESOLVERS)
AZURE_RESOLVER = "168.63.129.16"

# What may befall DNS over TCP on its way to a resolver, while UDP passes: dropped; refused with a
# reset; dropped in the VM itself, unless root asks; led to a server that resolves through the
# internet.
RESOLVER_TCP = ("", "drop", "reset", "root-only", "public")

# Shapes of an endpoint's documents.  The last two tell the addresses in a document beside that of
# the endpoint, which then has none: so it is where a zone group writes the records.
ENDPOINT_DOCUMENTS = ("az", "rest", "zone-group", "interface")

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
class Account:
    name: str
    regions: list
    suffix: str = "documents.azure.com"
    document: str = "az"             # az, rest, none
    private_link: bool = True        # the public name is an alias into the privatelink zone
    public_access: str = "Disabled"
    connection: str = "Approved"     # status of the private endpoint connections, "" for none
    creating: list = field(default_factory=list)    # of the regions, those being added
    unlisted: list = field(default_factory=list)    # regions that it has, but not in the document
    alias: str = "lower"             # upper: public DNS writes the alias in other letters
    index: int = 0

    @property
    def zone(self):
        return f"privatelink.{self.suffix}"

    def host(self, region):
        return f"{self.name}-{region}.{self.suffix}" if region else f"{self.name}.{self.suffix}"

    def labels(self):
        """The account's own name first, then the regions in order."""
        return [""] + [label(region) for region in self.regions]

    def is_creating(self, region):
        return region in [label(other) for other in self.creating]


@dataclass
class Record:
    region: str
    account: str
    to: object
    ttl: int = 10


@dataclass
class Path:
    region: str
    account: str
    fault: str
    address: str = ""                # in place of the endpoint's own


@dataclass
class Gateway:
    region: str
    account: str
    answer: str = ""                 # of tests/fake/fake_backend
    certificate: str = "good"
    odd: str = ""                    # a way of odd_peer.py, in place of a gateway
    address: str = ""                # in place of the endpoint's own


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
    group: str = "Sql"
    addresses: dict = field(default_factory=dict)    # region -> in place of its own
    others: dict = field(default_factory=dict)       # host -> address: of another API


@dataclass
class VNet:
    name: str
    endpoints: list = field(default_factory=list)
    linked: bool = True              # the private zones are linked to this VNet
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
    index: int = 0


@dataclass
class Expected:
    code: str
    region: str = ""
    account: str = ""
    evidence: str = ""               # must be part of the finding's evidence
    severity: str = ""               # warning or critical; "" for either
    vnet: str = ""                   # whose agent must say it; only where there are agents


@dataclass
class Scenario:
    name: str
    title: str
    accounts: dict
    vnets: dict
    endpoints: dict
    check: dict
    expected: list


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


def _read_account(name, table, where):
    _only(table, where, regions=list, suffix=str, document=str, private_link=bool,
          public_access=str, connection=str, creating=list, unlisted=list, alias=str)
    account = Account(name, table.get("regions", []), **{
        key: value for key, value in table.items() if key != "regions"})
    if not account.regions:
        raise Wrong(f"{where}: regions are wanted")
    _one_of(account.document, ("az", "rest", "none"), where)
    _one_of(account.alias, ("lower", "upper"), where)
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


def _read_record(table, accounts, where):
    _only(table, where, account=str, region=str, to=(str, list), ttl=int)
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
    return Record(region, account, to, table.get("ttl", 10))


def _read_path(table, accounts, where):
    _only(table, where, account=str, region=str, fault=str, address=str)
    account, region = _read_place(table, accounts, where)
    return Path(region, account, _one_of(table.get("fault", ""), FAULTS, where),
                table.get("address", ""))


def _read_gateway(table, accounts, where):
    _only(table, where, account=str, region=str, answer=str, certificate=str, odd=str,
          address=str)
    account, region = _read_place(table, accounts, where)
    gateway = Gateway(region, account, table.get("answer", ""),
                      table.get("certificate", "good"), table.get("odd", ""),
                      table.get("address", ""))
    if not certs.is_kind(gateway.certificate):
        raise Wrong(f"{where}: no certificate is called {gateway.certificate!r}; there are "
                    f"{', '.join(certs.KINDS)}, ends-in-N-days")
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
          addresses=dict, others=dict)
    account, _ = _read_place({"region": "", **{k: v for k, v in table.items()
                                               if k == "account"}}, accounts, where)
    endpoint = Endpoint(**{"name": name, "vnet": next(iter(vnets)), **table,
                           "account": account})
    _one_of(endpoint.vnet, vnets, where)
    _one_of(endpoint.document, ENDPOINT_DOCUMENTS, where)
    endpoint.addresses = {_one_of(label(region), accounts[account].labels(), where): address
                          for region, address in endpoint.addresses.items()}
    for address in (*endpoint.addresses.values(), *endpoint.others.values()):
        if not _is_address(address):
            raise Wrong(f"{where}: {address!r} is no address")
    return endpoint


def _read_list(table, key, read, accounts, where):
    return [read(entry, accounts, f"{where}.{key} {number + 1}")
            for number, entry in enumerate(table.get(key, []))]


def _read_vnet(name, table, accounts, index, where):
    _only(table, where, endpoints=list, linked=bool, fallback=bool, resolver=list, record=list,
          path=list, gateway=list, delay=str, overrides=bool, ipv6=bool, zone=list,
          negative_ttl=int, search=list, ndots=int, hosts=list, nsswitch=str)
    lists = ("resolver", "record", "path", "gateway", "zone")
    vnet = VNet(**{"name": name, "endpoints": list(accounts), "index": index, **{
        key: value for key, value in table.items() if key not in lists}})
    for endpoint in vnet.endpoints:
        _one_of(endpoint, accounts, f"{where}.endpoints")
    vnet.resolvers = [_read_resolver(entry, f"{where}.resolver {number + 1}", number, index)
                      for number, entry in enumerate(table.get("resolver", [{}]))]
    vnet.records = _read_list(table, "record", _read_record, accounts, where)
    vnet.paths = _read_list(table, "path", _read_path, accounts, where)
    vnet.gateways = _read_list(table, "gateway", _read_gateway, accounts, where)
    vnet.zones = _read_list(table, "zone", _read_zone, accounts, where)
    return vnet


def _read_check(table, vnets, where):
    _only(table, where, vnet=str, timeout=str, arguments=list, state=str, pause=str,
          user=str, seconds=int, memory_mib=int)
    check = {"vnet": next(iter(vnets)), "timeout": "4s", "arguments": [], "seconds": 60,
             **table}
    _one_of(check["vnet"], vnets, where)
    return check


def _read_expected(table, accounts, where):
    _only(table, where, code=str, region=str, account=str, evidence=str, severity=str,
          vnet=str)
    account, region = _read_place({"region": "", **table}, accounts, where)
    return Expected(table.get("code", ""), region, account, table.get("evidence", ""),
                    table.get("severity", ""), table.get("vnet", ""))


def read(path):
    with open(path, "rb") as file:
        try:
            table = tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            raise Wrong(f"{path}: {error}") from error
    _only(table, path, title=str, account=dict, vnet=dict, endpoint=dict, check=dict,
          expect=list)
    if "title" not in table or "account" not in table or "vnet" not in table:
        raise Wrong(f"{path}: title, account and vnet are wanted")
    accounts = {name: _read_account(name, entry, f"{path}: account.{name}")
                for name, entry in table["account"].items()}
    for number, account in enumerate(accounts.values()):
        account.index = number + 1
    vnets = {name: _read_vnet(name, entry, accounts, number + 1, f"{path}: vnet.{name}")
             for number, (name, entry) in enumerate(table["vnet"].items())}
    endpoints = {name: _read_endpoint(name, entry, accounts, vnets,
                                      f"{path}: endpoint.{name}")
                 for name, entry in table.get("endpoint", {}).items()}
    return Scenario(
        os.path.basename(path).removesuffix(".toml"), table["title"], accounts, vnets,
        endpoints,
        _read_check(table.get("check", {}), vnets, f"{path}: check"),
        [_read_expected(entry, accounts, f"{path}: expect {number + 1}")
         for number, entry in enumerate(table.get("expect", []))])
