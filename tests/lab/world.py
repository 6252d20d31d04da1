"""The world of a scenario.

A fabric (the internet and the service: public DNS, public gateways, the way of the agents to the
collector) and, for each VNet, two spaces: the VM in which the programs under test run, and the
platform around it, which holds what Azure holds there: the resolver on 168.63.129.16, the private
zones that are linked, the private endpoints, and the rules that drop and refuse.

    vm 10.N.0.4 --- platform 10.N.0.1 ... endpoints 10.N.A.* --- fabric 20.*
"""

import glob
import json
import os
import sys
from dataclasses import dataclass, field

import apis
import direct
import document
import scenario
import servers
from servers import Zone, stub
from space import Space

PUBLIC_DNS = "20.0.0.53"
COLLECTOR = "20.0.0.80"
METADATA = "169.254.169.254"
COLLECTOR_NAME = "collector.plprobe-lab.example"
PRIVATE_DNS = "127.0.0.1@5301"
DIVERTED_DNS = "10.255.0.53"
ENDPOINT_ROOM = 40                   # addresses of one private endpoint
HERE = os.path.dirname(os.path.abspath(__file__))


def public_address(account, region, face):
    """The account's own name leads to the cluster of the write region, as the real one does."""
    labels = account.labels() + [scenario.label(other) for other in account.unlisted]
    return f"20.{10 + face.number}.{account.index}.{10 + max(labels.index(region), 1)}"


def private_address(vnet, account, region, face):
    """One for the account and one for each region, as a private endpoint has: each API its own."""
    return (f"10.{vnet.index}.{account.index}."
            f"{5 + ENDPOINT_ROOM * face.number + account.labels().index(region)}")


def add_address(address, device):
    """A line of `ip`.  Nobody else here can have ours, so nothing waits until that is known."""
    if ":" in address:
        return f"addr add {address}/128 dev {device} nodad"
    return f"addr add {address}/32 dev {device}"


def with_port(address, port):
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def egress_address(vnet):
    return f"20.200.0.{vnet.index}"


def cluster_name(account, region, face):
    """Of the hosts that stand for a region's public cluster, the first label."""
    number = f"{account.index}{face.number or ''}"
    return f"cdb-ms-prod-{region or account.labels()[1]}{number}-fd1"


@dataclass
class Served:
    """What stands at one address."""
    gateway: scenario.Gateway
    known: str = ""                  # path of what the gateway knows of an account, or nothing
    ports: dict = field(default_factory=dict)    # protocol of fake_backend -> list
    hosts: str = ""                  # what a front end of MongoDB hands out

    def likeness(self):
        """Those that are alike in it share a process."""
        gateway = self.gateway
        return (gateway.api, self.hosts, self.known, gateway.answer, gateway.certificate, gateway.odd,
                gateway.direct_certificate, gateway.thin_certificate, tuple(gateway.rntbd),
                tuple(gateway.thin))

    def has_more(self):
        return bool(self.ports.get("rntbd") or self.ports.get("thin"))


class World:
    def __init__(self, directory, scene, certificates, programs):
        self.scene = scene
        self.certificates = certificates
        self.programs = programs
        self.directory = os.path.join(directory, scene.name)
        os.makedirs(self.directory)
        self.spaces = []
        self.vms, self.platforms = {}, {}

    def build(self):
        for account in self.scene.accounts.values():
            if account.direct:
                face = account.face("sql")
                direct.write(self.directory, account,
                             lambda region, account=account, face=face:
                             f"{cluster_name(account, region, face)}.{account.suffix}")
        self.fabric = self._space("fabric")
        self.fabric.ip(f"addr add {PUBLIC_DNS}/32 dev lo", f"addr add {COLLECTOR}/32 dev lo")
        self._start_public()
        for vnet in self.scene.vnets.values():
            self._build_vnet(vnet)
        for account in self.scene.accounts.values():
            self._write_json(self.document_path(account.name),
                             document.make(account, self.scene.vnets))
            self._write_json(self.required_path(account.name), document.make_required(account))
        for endpoint in self.scene.endpoints.values():
            for path, facts in zip(self.endpoint_paths(endpoint),
                                   document.make_endpoint(endpoint, self._configs(endpoint))):
                self._write_json(path, facts)
        for zone in self.scene.zones.values():
            account, vnet = self.scene.accounts[zone.account], self.scene.vnets[zone.vnet]
            face = account.face(zone.api)
            self._write_json(self.zone_path(zone), document.make_zone(zone, face, {
                region: private_address(vnet, account, region, face)
                for region in account.labels()}))

    def required_path(self, account):
        return os.path.join(self.directory, f"{account}-required.json")

    def zone_path(self, zone):
        return os.path.join(self.directory, f"zone-{zone.name}.json")

    def document_path(self, account):
        return os.path.join(self.directory, account + ".json")

    def endpoint_paths(self, endpoint):
        """Of its documents; some shapes are two."""
        paths = [os.path.join(self.directory, endpoint.name + ".json")]
        if endpoint.document not in ("az", "rest"):
            paths.append(os.path.join(self.directory,
                                      f"{endpoint.name}-{endpoint.document}.json"))
        return paths

    @staticmethod
    def _write_json(path, facts):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(facts, file, indent=2)

    def _configs(self, endpoint):
        """host -> address, as the endpoint has them; without any while it is being made."""
        account, vnet = self.scene.accounts[endpoint.account], self.scene.vnets[endpoint.vnet]
        face = account.face(endpoint.api)
        own = {face.host(region): endpoint.addresses.get(
            region, private_address(vnet, account, region, face))
            for region in account.labels() if region not in endpoint.without}
        return {**own, **endpoint.others} if endpoint.told else {}

    def close(self):
        for space in reversed(self.spaces):
            space.close()

    def logs(self, lines=15):
        return "".join(space.logs(lines) for space in self.spaces)

    def seen(self):
        """Lines of what all back ends heard, as tests/fake/README.md has them."""
        lines = []
        for path in sorted(glob.glob(os.path.join(self.directory, "*", "*.seen"))):
            with open(path, encoding="utf-8", errors="replace") as file:
                lines += file.read().splitlines()
        return lines

    def _space(self, name):
        space = Space(name, self.directory)
        self.spaces.append(space)
        return space

    # The fabric

    def _start_public(self):
        root, azure = Zone("."), Zone("cloudapp.azure.com.")
        root.add(COLLECTOR_NAME + ".", "A", COLLECTOR)
        zones = {}
        for account in self.scene.accounts.values():
            for face in account.faces():
                suffix = zones.setdefault(face.suffix, Zone(face.suffix + "."))
                private = zones.setdefault(face.zone, Zone(face.zone + "."))
                for region in [*account.labels(), *map(scenario.label, account.unlisted)]:
                    self._publish(account, face, region, suffix, private, azure)
        servers.start_nsd(self.fabric, "public-dns", [PUBLIC_DNS], [root, azure, *zones.values()])
        self._start_public_gateways()

    @staticmethod
    def _publish(account, face, region, suffix, private, azure):
        name = face.host(region).split(".")[0]
        cluster = f"{cluster_name(account, region, face)}.{region or account.labels()[1]}"
        address = public_address(account, region, face)
        line = f"{cluster} 10 IN A {address}"
        if line not in azure.lines:
            azure.lines.append(line)
            if "sql" in face.apis and account.direct and account.direct.public_names:
                suffix.add(cluster_name(account, region, face), "A", address)
        if face in account.linked:
            alias = f"{name}.{face.zone}."
            suffix.add(name, "CNAME", alias.upper() if account.alias == "upper" else alias)
            private.add(name, "CNAME", f"{cluster}.cloudapp.azure.com.")
        else:
            suffix.add(name, "CNAME", f"{cluster}.cloudapp.azure.com.")

    def _start_public_gateways(self):
        wanted = {}
        for account, face, api in self._fronts():
            for region in account.labels():
                address = public_address(account, region, face)
                wanted[(address, api)] = self._serve_public(account, api, region)
        self._start_gateways(self.fabric, wanted, "lo")

    def _fronts(self):
        """(account, face, API's word) of all there are."""
        return [(account, face, api) for account in self.scene.accounts.values()
                for face in account.faces() for api in face.apis]

    def _serve_public(self, account, api, region):
        """A cluster lets everybody in; whom its gateway admits is the account's matter."""
        served = self._serve(account, scenario.Gateway(region, account.name, api))
        if not account.public_door and account.public_access != "Enabled":
            served.gateway.answer = apis.APIS[api].refusal
        elif account.direct and api == "sql":
            served.gateway.answer = "account"
        if account.direct and api == "sql":
            served.known = direct.path_of(self.directory, account, "public")
            served.ports["rntbd"] = account.direct.public_ports
        return served

    # Gateways and front ends, wherever they are

    @staticmethod
    def _serve(account, gateway):
        """What stands at the port of its API."""
        api = apis.APIS[gateway.api]
        served = Served(gateway, ports={api.protocol: [api.port]})
        if gateway.api == "mongodb":
            if apis.is_old(account.server_version):
                gateway.answer = gateway.answer or "old"
            face = account.face("mongodb")
            regions = [name for name in account.regions
                       if not account.is_creating(scenario.label(name))]
            served.hosts = " ".join(
                f"{face.host(scenario.label(name))}:{api.port}" for name in
                (regions if gateway.hands_out is None else gateway.hands_out))
        return served

    def _start_gateways(self, space, wanted, device):
        """wanted: (address, API) -> Served.  Like ones share a process."""
        if not wanted:
            return
        space.ip(*(add_address(address, device)
                   for address in dict.fromkeys(address for address, _ in wanted)))
        alike = {}
        for (address, _), served in wanted.items():
            alike.setdefault(served.likeness(), []).append((address, served))
        for number, places in enumerate(alike.values()):
            gateway = places[0][1].gateway
            if gateway.odd:
                self._start_odd(space, f"odd-{number}", gateway,
                                [address for address, _ in places])
                places = [(address, served) for address, served in places if served.has_more()]
            if places:
                self._start_backend(space, f"gateway-{number}", places)

    def _start_odd(self, space, name, gateway, addresses):
        certificate, private_key = self.certificates.get(gateway.certificate)
        command = [sys.executable, os.path.join(HERE, "odd_peer.py"), gateway.odd]
        port = apis.APIS[gateway.api].port
        for address in addresses:
            command += ["--listen", with_port(address, port)]
        command += ["--cert", certificate, "--key", private_key]
        space.start(name, command, f"listening {with_port(addresses[-1], port)}")

    def _start_backend(self, space, name, places):
        """places: (address, Served), all alike."""
        served = places[0][1]
        gateway = served.gateway
        protocol = apis.APIS[gateway.api].protocol
        command = [self.programs["fake_backend"], "--log", space.path(name + ".seen")]
        if gateway.api == "sql":
            command += ["--answer",
                        gateway.answer or ("account" if served.known else "unauthorized")]
        else:
            command += [f"--{protocol}-does", gateway.answer or "good"]
        if served.hosts:
            command += ["--mongo-hosts", served.hosts]
        if served.known:
            command += ["--account", served.known]
        for prefix, kind in (("", gateway.certificate), ("rntbd-", gateway.direct_certificate),
                             ("thin-", gateway.thin_certificate)):
            certificate, private_key = self.certificates.get(kind)
            command += [f"--{prefix}cert", certificate, f"--{prefix}key", private_key]
        for option, many in (("--rntbd-does", gateway.rntbd), ("--thin-does", gateway.thin)):
            for does in many:
                command += [option, does]
        for address, one in places:
            for kind, ports in one.ports.items():
                if kind != protocol or not gateway.odd:
                    for port in ports:
                        command += [f"--{kind}", with_port(address, port)]
        space.start(name, command, "listening")

    # A VNet

    def _build_vnet(self, vnet):
        platform = self.platforms[vnet.name] = self._space(vnet.name + "-platform")
        vm = self.vms[vnet.name] = self._space(vnet.name)
        self._connect(vnet, vm, platform)
        self._start_private_gateways(vnet, platform)
        if vnet.linked:
            servers.start_nsd(platform, "private-dns", [PRIVATE_DNS], self._private_zones(vnet))
        for number, resolver in enumerate(vnet.resolvers):
            self._start_resolver(vnet, platform, resolver, f"resolver-{number}")
        self._plant_faults(vnet, vm, platform)
        self._start_metadata(vnet, platform)
        self._start_proxy(vnet, platform)
        self._configure_files(vnet, vm)

    def _start_metadata(self, vnet, platform):
        if not vnet.identity:
            return
        command = [sys.executable, os.path.join(HERE, "imds.py"), METADATA]
        if vnet.identity == "token":
            name = next(a.name for a in self.scene.accounts.values() if a.direct)
            command.append(direct.place_path(self.directory, name, "token_file"))
        platform.ip(f"addr add {METADATA}/32 dev lo")
        platform.start("imds", command, "listening")

    def _start_proxy(self, vnet, platform):
        if not vnet.proxy:
            return
        address = f"10.{vnet.index}.0.90"
        command = [sys.executable, os.path.join(HERE, "proxy.py"), vnet.proxy, f"{address}:3128"]
        for account in self.scene.accounts.values():
            command += [f"{face.host(region)}={public_address(account, region, face)}"
                        for face in account.faces() for region in account.labels()]
        platform.ip(f"addr add {address}/32 dev lo")
        platform.start("proxy", command, "listening")

    @staticmethod
    def _configure_files(vnet, vm):
        """What the C library reads before it asks anybody; and what a login would."""
        lines = [f"nameserver {resolver.address}" for resolver in vnet.resolvers]
        if vnet.search:
            lines.append("search " + " ".join(vnet.search))
        if vnet.ndots != 1:
            lines.append(f"options ndots:{vnet.ndots}")
        files = {"resolv.conf": "\n".join(lines) + "\n",
                 "hosts": scenario.HOSTS + "".join(line + "\n" for line in vnet.hosts),
                 "nsswitch.conf": f"hosts: {vnet.nsswitch}\n"}
        if os.path.exists("/etc/environment"):
            files["environment"] = "".join(line + "\n" for line in vnet.environment)
        for name, text in files.items():
            vm.run(["mount", "--bind", vm.write(name, text),
                    os.path.realpath(os.path.join("/etc", name))])

    def _connect(self, vnet, vm, platform):
        """Nothing is on-link: whatever nobody has is dropped, as the platform does."""
        inner, outer = f"10.{vnet.index}.0.1", egress_address(vnet)
        if vnet.delay:
            self._connect_slowly(vnet, vm, platform)
        else:
            platform.ip(f"link add name vm type veth peer name eth0 netns {vm.holder.pid}")
        platform.ip(
            f"link add name wan type veth peer name vnet{vnet.index} "
            f"netns {self.fabric.holder.pid}",
            f"addr add {inner}/32 dev vm", "link set vm up",
            f"route add 10.{vnet.index}.0.4/32 dev vm",
            f"addr add {outer}/32 dev wan", "link set wan up", "route add default dev wan")
        vm.ip(f"addr add 10.{vnet.index}.0.4/32 dev eth0", "link set eth0 up",
              f"route add {inner}/32 dev eth0", f"route add default via {inner} dev eth0")
        if vnet.ipv6:
            self._connect_ipv6(vnet, vm, platform)
        self.fabric.ip(f"link set vnet{vnet.index} up",
                       f"route add {outer}/32 dev vnet{vnet.index}")
        platform.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        # A kernel says "unreachable" a few times a second only; who hears it would be chance.
        platform.run(["sysctl", "-q", "-w", "net.ipv4.icmp_ratemask=0"])
        platform.nft(f"""table ip azure {{
	chain forward {{
		type filter hook forward priority 10; policy accept;
		ip daddr 10.0.0.0/8 ip saddr 10.{vnet.index}.0.4 drop
	}}
	chain out {{
		type nat hook postrouting priority 100;
		oifname "wan" snat to {outer}
	}}
}}
""")

    @staticmethod
    def _connect_ipv6(vnet, vm, platform):
        vm.run(["sysctl", "-q", "-w", "net.ipv6.conf.eth0.accept_dad=0"])
        own = f"fd00:{vnet.index}::4"
        vm.ip(add_address(own, "eth0"), "route add default via fe80::1 dev eth0")
        platform.ip("addr add fe80::1/64 dev vm nodad", f"route add {own}/128 dev vm")

    def _connect_slowly(self, vnet, vm, platform):
        relay = self.programs["relay"]
        platform.start("relay", [
            relay, "--delay-us",
            str(int(scenario.milliseconds(vnet.delay, vnet.name) * 1000)),
            "--near", f"/proc/{platform.holder.pid}/ns/net,vm",
            "--far", f"/proc/{vm.holder.pid}/ns/net,eth0"], "relaying")

    def _start_private_gateways(self, vnet, platform):
        wanted, odd, silent = {}, {}, set()
        for gateway in vnet.gateways:
            if not gateway.address:
                odd[(gateway.account, gateway.api, gateway.region)] = gateway
        for account, face, api in self._fronts():
            for region in account.labels() if vnet.has_endpoint(face) else []:
                served = self._serve_private(account, region, odd.get(
                    (account.name, api, region), scenario.Gateway(region, account.name, api)))
                self._close_ports(vnet, served)
                address = private_address(vnet, account, region, face)
                if any(served.ports.values()):
                    wanted[(address, api)] = served
                else:
                    silent.add(address)
        for gateway in vnet.gateways:
            if gateway.address:
                wanted[(gateway.address, gateway.api)] = self._serve_private(
                    self.scene.accounts[gateway.account], gateway.region, gateway)
        for address in silent - {address for address, _ in wanted}:
            platform.ip(add_address(address, "lo"))
        self._start_gateways(platform, wanted, "lo")

    def _serve_private(self, account, region, gateway):
        """Replicas and Gateway V2 are at the addresses of regions only."""
        served = self._serve(account, gateway)
        if gateway.api != "sql":
            return served
        if account.direct:
            served.known = direct.path_of(self.directory, account, gateway.tells)
        if account.direct and region:
            served.ports["rntbd"] = account.direct.private_ports()
            served.ports["thin"] = [account.direct.thin] if account.direct.thin else []
        return served

    def _close_ports(self, vnet, served):
        """Where nobody is to listen, nobody does."""
        for path in vnet.paths:
            if path.fault != "closed" or (path.account, path.api, path.region) != (
                    served.gateway.account, served.gateway.api, served.gateway.region):
                continue
            closed = self._path_ports(path)
            for protocol, ports in served.ports.items():
                served.ports[protocol] = [port for port in ports if port not in closed]

    def _path_ports(self, path):
        """The ports that a fault is about."""
        if not isinstance(path.ports, str):
            return path.ports
        own = self.scene.accounts[path.account].direct
        ports = {"gateway": [apis.APIS[path.api].port], "direct": own.private_ports() if own else [],
                 "thin": [own.thin] if own and own.thin else []}
        return sum(ports.values(), []) if path.ports == "all" else ports[path.ports]

    def _records(self, vnet, account, face):
        """region -> what its record is: (addresses, "empty", "chain" or "long"; TTL)."""
        records = {region: ([private_address(vnet, account, region, face)], servers.TTL_S)
                   for region in account.labels() if not account.is_creating(region)}
        if not vnet.has_endpoint(face):
            records = {}
        for record in vnet.records:
            if record.account != account.name or record.api not in face.apis:
                continue
            to = record.to
            if isinstance(to, str) and to.startswith("as "):
                to = [private_address(vnet, account, scenario.label(to[3:]), face)]
            records[record.region] = (to, record.ttl)
        return {region: entry for region, entry in records.items() if entry[0] != "missing"}

    def _linked_faces(self, vnet):
        return [(account, face) for account in self.scene.accounts.values()
                for face in account.faces() if vnet.is_linked(face)]

    def _private_zones(self, vnet):
        zones = {}
        for account, face in self._linked_faces(vnet):
            origin = face.suffix if vnet.overrides else face.zone
            zone = zones.setdefault(origin, Zone(origin + ".", negative_ttl=vnet.negative_ttl))
            for region, (to, ttl) in self._records(vnet, account, face).items():
                name = face.host(region).split(".")[0] if region != "*" else "*"
                if to == "empty":
                    zone.add(name, "TXT", '"kept for later"', ttl)
                elif to in ("chain", "long"):
                    self._add_chain(zone, name, private_address(vnet, account, region, face), to)
                else:
                    for address in to:
                        zone.add(name, "AAAA" if ":" in address else "A", address, ttl)
        others = [Zone(other.name + ".", [record.replace(" ", f" {servers.TTL_S} IN ", 1)
                                          for record in other.records]) for other in vnet.zones]
        return [*zones.values(), *others]

    @staticmethod
    def _add_chain(zone, name, address, kind):
        """With long names it does not fit into a datagram of 1232 bytes, however compressed."""
        pads = [chr(ord("a") + number) * 60 for number in range(21)]
        heads = [f"hop{number}" for number in range(1, 7)] if kind == "chain" else \
            [".".join(pads[at:at + 3]) for at in range(0, len(pads), 3)]
        names = [name] + [f"{head}.{name}" for head in heads]
        for owner, target in zip(names, names[1:]):
            zone.add(owner, "CNAME", target)
        zone.add(names[-1], "A", address)

    # Resolvers

    def _start_resolver(self, vnet, platform, resolver, name):
        if f"inet {resolver.address}/" not in platform.run(["ip", "-4", "addr"]).stdout:
            platform.ip(f"addr add {resolver.address}/32 dev lo")
        if resolver.does in scenario.ODD_RESOLVERS:
            inner = f"127.0.1.{1 + len(platform.children)}"
            servers.start_unbound(platform, name, inner, self._stubs(vnet, resolver))
            platform.start(name + "-odd", [
                sys.executable, os.path.join(HERE, "odd_dns.py"), resolver.does,
                resolver.address, inner, resolver.delay.removesuffix("ms")], "listening")
        elif resolver.does == "servfail":
            servers.start_unbound(platform, name, resolver.address, servers.DEAD_FORWARDER,
                                  nsid=resolver.nsid)
        elif resolver.does in ("refuse", "ours-only"):
            allowed = [f"10.{vnet.index}.0.4/32"] if resolver.does == "ours-only" else []
            servers.start_unbound(platform, name, resolver.address, self._stubs(vnet, resolver),
                                  allowed, resolver.nsid)
        elif resolver.does not in ("drop", "closed", "no-route"):
            servers.start_unbound(platform, name, resolver.address, self._stubs(vnet, resolver),
                                  nsid=resolver.nsid)
        if resolver.tcp == "public":
            self._divert_tcp(platform, resolver, name + "-tcp")

    @staticmethod
    def _divert_tcp(platform, resolver, name):
        """As a firewall does that takes DNS over TCP for itself."""
        platform.ip(f"addr add {DIVERTED_DNS}/32 dev lo")
        servers.start_unbound(platform, name, DIVERTED_DNS, stub(".", PUBLIC_DNS))
        platform.nft(f"""table ip divert {{
	chain before {{
		type nat hook prerouting priority -100;
		ip daddr {resolver.address} tcp dport 53 dnat to {DIVERTED_DNS}
	}}
}}
""")

    def _stubs(self, vnet, resolver):
        text = stub(".", PUBLIC_DNS)
        if resolver.does == "azure-only":
            text = servers.DEAD_FORWARDER + stub("azure.com", PUBLIC_DNS)
        if resolver.does == "public" or not vnet.linked:
            return text
        text += "".join(stub(zone.name, PRIVATE_DNS) for zone in vnet.zones)
        for account, face in self._linked_faces(vnet):
            zones = [face.suffix if vnet.overrides else face.zone]
            if vnet.fallback:
                # What the zone lacks is asked of the public tree.
                zones = [f"{face.host(region).split('.')[0]}.{face.zone}"
                         for region in self._records(vnet, account, face)]
            text += "".join(stub(zone, PRIVATE_DNS) for zone in zones
                            if stub(zone, PRIVATE_DNS) not in text)
        return text

    # Faults on the path

    def _plant_faults(self, vnet, vm, platform):
        rules = [rule for path in vnet.paths for rule in self._rules(vnet, vm, path)]
        for resolver in vnet.resolvers:
            if resolver.does == "drop":
                rules.append(f"ip daddr {resolver.address} meta l4proto {{ tcp, udp }} "
                             "th dport 53 drop")
            elif resolver.does in ("no-route", "route-around"):
                self._cut_route(vnet, vm, resolver.address, resolver.does)
            if resolver.tcp in ("drop", "reset"):
                verdict = "drop" if resolver.tcp == "drop" else "reject with tcp reset"
                rules.append(f"ip daddr {resolver.address} tcp dport 53 {verdict}")
            elif resolver.tcp == "root-only":
                self._keep_tcp_for_root(vm, resolver.address)
        self._translate(vnet, platform)
        lines = "\n\t\t".join(rules)
        platform.nft(f"""table ip faults {{
	set heard {{
		type ipv4_addr . inet_service
		size 4096
		flags dynamic,timeout
		timeout 1m
	}}
	chain fault {{
		{lines}
	}}
	chain input {{ type filter hook input priority 0; policy accept; jump fault; }}
	chain forward {{ type filter hook forward priority 0; policy accept; jump fault; }}
}}
""")

    def _own_address(self, vnet, path):
        account = self.scene.accounts[path.account]
        return private_address(vnet, account, path.region, account.face(path.api))

    def _match(self, vnet, path):
        """Of nftables: the connections that a fault is about."""
        address = path.address or self._own_address(vnet, path)
        ports = ", ".join(map(str, self._path_ports(path)))
        return f"ip daddr {address} tcp dport {{ {ports} }}"

    def _translate(self, vnet, platform):
        """Connections to a private address that come out at the public cluster."""
        accounts = self.scene.accounts
        rules = [f"{self._match(vnet, path)} dnat to " + public_address(
                     accounts[path.account], path.region,
                     accounts[path.account].face(path.api))
                 for path in vnet.paths if path.fault == "public"]
        if not rules:
            return
        lines = "\n\t\t".join(rules)
        platform.nft(f"""table ip translation {{
	chain before {{
		type nat hook prerouting priority -100;
		{lines}
	}}
}}
""")

    @staticmethod
    def _keep_tcp_for_root(vm, address):
        """As the agent of Azure's Linux images does with the platform's server."""
        vm.nft(f"""table ip security {{
	chain out {{
		type filter hook output priority 150; policy accept;
		ip daddr {address} tcp dport 53 meta skuid != 0 drop
	}}
}}
""")

    @staticmethod
    def _cut_route(vnet, vm, address, fault):
        if fault == "no-route":
            vm.ip(f"route add unreachable {address}/32")
        else:
            around = address.rsplit(".", 1)[0] + ".0/24"
            vm.ip(f"route replace unreachable {around}",
                  f"route add {address}/32 via 10.{vnet.index}.0.1 dev eth0")

    def _rules(self, vnet, vm, path):
        if path.fault in ("no-route", "route-around"):
            self._cut_route(vnet, vm, path.address or self._own_address(vnet, path), path.fault)
        match = self._match(vnet, path)
        return {
            "drop": [f"{match} drop"],
            "reset": [f"{match} reject with tcp reset"],
            "unreachable": [f"{match} reject with icmp type host-unreachable"],
            "prohibited": [f"{match} reject with icmp type admin-prohibited"],
            # Both after the handshake of TCP: in answer to its last packet, or to the first data.
            "cut-at-once": [f"{match} tcp flags & (syn | ack) == ack ip length < 60 "
                            "reject with tcp reset"],
            "cut": [f"{match} ip length > 100 reject with tcp reset"],
            "first-lost": [
                f"{match} tcp flags syn ip saddr . tcp sport @heard accept",
                f"{match} tcp flags syn add @heard {{ ip saddr . tcp sport }} drop"],
        }.get(path.fault, [])
