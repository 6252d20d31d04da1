"""Configurations of the real servers: NSD for zones, unbound for resolvers."""

from dataclasses import dataclass, field

from space import Failed

NSD = """server:
    server-count: 1
    username: ""
    zonesdir: "{directory}"
    zonelistfile: "{directory}/{name}.list"
    xfrdfile: ""
    xfrdir: "{directory}"
    pidfile: ""
    database: ""
    hide-version: yes
    # The default answers 200 questions a second, which looks like loss.
    rrl-ratelimit: 0
    verbosity: 1
{addresses}remote-control:
    control-enable: no
"""

UNBOUND = """server:
    username: ""
    chroot: ""
    directory: "{directory}"
    pidfile: ""
    use-syslog: no
    verbosity: 1
    do-daemonize: no
    num-threads: 1
    module-config: "iterator"
    do-ip6: no
    do-not-query-localhost: no
    qname-minimisation: no
    interface: {address}
    port: 53
    access-control: 0.0.0.0/0 refuse
{allowed}    outgoing-range: 512
    num-queries-per-thread: 1024
    # Many questions at once come from a sweep, and are not an attack here.
    outgoing-num-tcp: 16
    incoming-num-tcp: 64
    infra-host-ttl: 1
    unknown-server-time-limit: 100
    ede: yes
{nsid}remote-control:
    control-enable: no
{zones}"""


# Of records that nothing is said of.
TTL_S = 10


@dataclass
class Zone:
    """Lines of one zone file; names are relative to its origin."""
    origin: str
    lines: list = field(default_factory=list)
    negative_ttl: int = TTL_S

    def add(self, name, kind, data, ttl=TTL_S):
        self.lines.append(f"{name or '@'} {ttl} IN {kind} {data}")

    def text(self):
        head = [f"$ORIGIN {self.origin}",
                f"@ {self.negative_ttl} IN SOA ns.lab. host.lab. 1 3600 300 2419200 "
                f"{self.negative_ttl}",
                "@ 3600 IN NS ns.lab."]
        return "\n".join(head + self.lines) + "\n"


def start_nsd(space, name, addresses, zones):
    """addresses as 192.0.2.1 or 192.0.2.1@5300."""
    text = NSD.format(directory=space.directory, name=name, addresses="".join(
        f"    ip-address: {address}\n" for address in addresses))
    for number, zone in enumerate(zones):
        file = f"{name}-{number}.zone"
        space.write(file, zone.text())
        text += f'zone:\n    name: "{zone.origin}"\n    zonefile: "{file}"\n'
    config = space.write(name + ".conf", text)
    checked = space.run(["nsd-checkconf", config], check=False)
    if checked.returncode != 0:
        raise Failed(f"nsd-checkconf: {checked.stdout}{checked.stderr}{text}")
    return space.start(name, ["nsd", "-d", "-c", config], "nsd started")


def stub(zone, address):
    return f'stub-zone:\n    name: "{zone}"\n    stub-addr: {address}\n    stub-prime: no\n'


# The next server is down; TCP, so that this is known at once.
DEAD_FORWARDER = """forward-zone:
    name: "."
    forward-addr: 127.0.0.1@9
    forward-tcp-upstream: yes
"""


def start_unbound(space, name, address, zones, allowed=("0.0.0.0/0",), nsid=""):
    """zones: the text of stub and forward zones, see stub(); all but the allowed are refused.
    nsid: what it calls itself."""
    config = space.write(name + ".conf", UNBOUND.format(
        directory=space.directory, address=address, zones=zones,
        nsid=f'    nsid: "ascii_{nsid}"\n' if nsid else "",
        allowed="".join(f"    access-control: {net} allow\n" for net in allowed)))
    return space.start(name, ["unbound", "-d", "-p", "-c", config], "start of service")
