"""The world of a scenario.

A fabric (the internet and the service: public DNS, public gateways, the way of the agents to the
collector) and, for each VNet, two spaces: the VM in which the programs under test run, and the
platform around it, which holds what Azure holds there: the resolver on 168.63.129.16, the private
zones that are linked, the private endpoints, and the rules that drop and refuse.

    vm 10.N.0.4 --- platform 10.N.0.1 ... endpoints 10.N.A.* --- fabric 20.*
"""

import json
import os
import sys

import document
import scenario
import servers
from servers import Zone, stub
from space import Space

PUBLIC_DNS = "20.0.0.53"
COLLECTOR = "20.0.0.80"
COLLECTOR_NAME = "collector.plprobe-lab.example"
PRIVATE_DNS = "127.0.0.1@5301"
HERE = os.path.dirname(os.path.abspath(__file__))


def public_address(account, region):
    """The account's own name leads to the cluster of the write region, as the real one does."""
    labels = account.labels() + [scenario.label(other) for other in account.unlisted]
    return f"20.10.{account.index}.{10 + max(labels.index(region), 1)}"


def private_address(vnet, account, region):
    """One for the account and one for each region, as a private endpoint has."""
    return f"10.{vnet.index}.{account.index}.{5 + account.labels().index(region)}"


def egress_address(vnet):
    return f"20.200.0.{vnet.index}"


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
        self.fabric = self._space("fabric")
        self.fabric.ip(f"addr add {PUBLIC_DNS}/32 dev lo", f"addr add {COLLECTOR}/32 dev lo")
        self._start_public()
        for vnet in self.scene.vnets.values():
            self._build_vnet(vnet)
        for account in self.scene.accounts.values():
            with open(self.document_path(account.name), "w", encoding="utf-8") as file:
                json.dump(document.make(account, self.scene.vnets), file, indent=2)

    def document_path(self, account):
        return os.path.join(self.directory, account + ".json")

    def close(self):
        for space in reversed(self.spaces):
            space.close()

    def logs(self, lines=15):
        return "".join(space.logs(lines) for space in self.spaces)

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
            suffix = zones.setdefault(account.suffix, Zone(account.suffix + "."))
            private = zones.setdefault(account.zone, Zone(account.zone + "."))
            for region in account.labels():
                self._publish(account, region, suffix, private, azure)
            for region in map(scenario.label, account.unlisted):
                self._publish(account, region, suffix, private, azure)
        servers.start_nsd(self.fabric, "public-dns", [PUBLIC_DNS], [root, azure, *zones.values()])
        self._start_public_gateways()

    @staticmethod
    def _publish(account, region, suffix, private, azure):
        name = account.host(region).split(".")[0]
        place = region or account.labels()[1]
        cluster = f"cdb-ms-prod-{place}{account.index}-fd1.{place}"
        line = f"{cluster} 10 IN A {public_address(account, region)}"
        if line not in azure.lines:
            azure.lines.append(line)
        if account.private_link:
            alias = f"{name}.{account.zone}."
            suffix.add(name, "CNAME", alias.upper() if account.alias == "upper" else alias)
            private.add(name, "CNAME", f"{cluster}.cloudapp.azure.com.")
        else:
            suffix.add(name, "CNAME", f"{cluster}.cloudapp.azure.com.")

    def _start_public_gateways(self):
        wanted = {}
        for account in self.scene.accounts.values():
            answer = "unauthorized" if account.public_access == "Enabled" else "forbidden-public"
            for region in account.labels():
                address = public_address(account, region)
                wanted[address] = scenario.Gateway(region, account.name, answer)
        self._start_gateways(self.fabric, wanted, "lo")

    # Gateways, wherever they are

    def _start_gateways(self, space, wanted, device):
        """wanted: address -> Gateway.  Like ones share a process."""
        if not wanted:
            return
        space.ip(*(f"addr add {address}/32 dev {device}" for address in wanted))
        alike = {}
        for address, gateway in wanted.items():
            key = (gateway.answer or "unauthorized", gateway.certificate, gateway.odd)
            alike.setdefault(key, []).append(address)
        for number, (key, addresses) in enumerate(alike.items()):
            self._start_gateway(space, f"gateway-{number}", key, addresses)

    def _start_gateway(self, space, name, key, addresses):
        answer, kind, odd = key
        certificate, private_key = self.certificates.get(kind)
        command = [self.programs["fake_gateway"], "--answer", answer]
        if odd:
            command = [sys.executable, os.path.join(HERE, "odd_peer.py"), odd]
        for address in addresses:
            command += ["--listen", f"{address}:443"]
        command += ["--cert", certificate, "--key", private_key]
        space.start(name, command, f"listening {addresses[-1]}:443")

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
        servers_text = "".join(f"nameserver {r.address}\n" for r in vnet.resolvers)
        vm.run(["mount", "--bind", vm.write("resolv.conf", servers_text),
                os.path.realpath("/etc/resolv.conf")])

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
        self.fabric.ip(f"link set vnet{vnet.index} up",
                       f"route add {outer}/32 dev vnet{vnet.index}")
        platform.run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
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

    def _connect_slowly(self, vnet, vm, platform):
        relay = self.programs["relay"]
        platform.start("relay", [
            relay, "--delay-us", str(int(float(vnet.delay.removesuffix("ms")) * 1000)),
            "--near", f"/proc/{platform.holder.pid}/ns/net,vm",
            "--far", f"/proc/{vm.holder.pid}/ns/net,eth0"], "relaying")

    def _start_private_gateways(self, vnet, platform):
        wanted, odd = {}, {}
        for gateway in vnet.gateways:
            if not gateway.address:
                odd[(gateway.account, gateway.region)] = gateway
        closed = {(p.account, p.region) for p in vnet.paths if p.fault == "closed"}
        for account in map(self.scene.accounts.get, vnet.endpoints):
            for region in account.labels():
                if (account.name, region) in closed:
                    platform.ip(f"addr add {private_address(vnet, account, region)}/32 dev lo")
                    continue
                wanted[private_address(vnet, account, region)] = odd.get(
                    (account.name, region), scenario.Gateway(region, account.name))
        wanted |= {gateway.address: gateway for gateway in vnet.gateways if gateway.address}
        self._start_gateways(platform, wanted, "lo")

    def _records(self, vnet, account):
        """region -> what its record is: addresses, "empty" or "chain"."""
        records = {region: [private_address(vnet, account, region)]
                   for region in account.labels() if not account.is_creating(region)}
        if account.name not in vnet.endpoints:
            records = {}
        for record in vnet.records:
            if record.account != account.name:
                continue
            to = record.to
            if isinstance(to, str) and to.startswith("as "):
                to = [private_address(vnet, account, scenario.label(to[3:]))]
            records[record.region] = to
        return {region: to for region, to in records.items() if to != "missing"}

    def _private_zones(self, vnet):
        zones = {}
        for account in self.scene.accounts.values():
            origin = account.suffix if vnet.overrides else account.zone
            zone = zones.setdefault(origin, Zone(origin + "."))
            for region, to in self._records(vnet, account).items():
                name = account.host(region).split(".")[0] if region != "*" else "*"
                if to == "empty":
                    zone.add(name, "TXT", '"kept for later"')
                elif to == "chain":
                    self._add_chain(zone, name, private_address(vnet, account, region))
                else:
                    for address in to:
                        zone.add(name, "A", address)
        return list(zones.values())

    @staticmethod
    def _add_chain(zone, name, address, length=6):
        names = [name] + [f"hop{number}.{name}" for number in range(1, length + 1)]
        for owner, target in zip(names, names[1:]):
            zone.add(owner, "CNAME", target)
        zone.add(names[-1], "A", address)

    # Resolvers

    def _start_resolver(self, vnet, platform, resolver, name):
        if f"inet {resolver.address}/" not in platform.run(["ip", "-4", "addr"]).stdout:
            platform.ip(f"addr add {resolver.address}/32 dev lo")
        if resolver.does in ("late", "garbage", "notimp", "loop", "aaaa-nxdomain"):
            inner = f"127.0.1.{1 + len(platform.children)}"
            servers.start_unbound(platform, name, inner, self._stubs(vnet, resolver))
            platform.start(name + "-odd", [sys.executable, os.path.join(HERE, "odd_dns.py"),
                                           resolver.does, resolver.address, inner], "listening")
        elif resolver.does == "servfail":
            servers.start_unbound(platform, name, resolver.address, servers.DEAD_FORWARDER)
        elif resolver.does in ("refuse", "ours-only"):
            allowed = [f"10.{vnet.index}.0.4/32"] if resolver.does == "ours-only" else []
            servers.start_unbound(platform, name, resolver.address, self._stubs(vnet, resolver),
                                  allowed)
        elif resolver.does not in ("drop", "closed", "no-route"):
            servers.start_unbound(platform, name, resolver.address, self._stubs(vnet, resolver))

    def _stubs(self, vnet, resolver):
        text = stub(".", PUBLIC_DNS)
        if resolver.does == "azure-only":
            text = servers.DEAD_FORWARDER + stub("azure.com", PUBLIC_DNS)
        if resolver.does == "public" or not vnet.linked:
            return text
        for account in self.scene.accounts.values():
            zones = [account.suffix if vnet.overrides else account.zone]
            if vnet.fallback:
                # What the zone lacks is asked of the public tree.
                zones = [f"{account.host(region).split('.')[0]}.{account.zone}"
                         for region in self._records(vnet, account)]
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

    @staticmethod
    def _cut_route(vnet, vm, address, fault):
        if fault == "no-route":
            vm.ip(f"route add unreachable {address}/32")
        else:
            around = address.rsplit(".", 1)[0] + ".0/24"
            vm.ip(f"route replace unreachable {around}",
                  f"route add {address}/32 via 10.{vnet.index}.0.1 dev eth0")

    def _rules(self, vnet, vm, path):
        account = self.scene.accounts[path.account]
        address = path.address or private_address(vnet, account, path.region)
        match = f"ip daddr {address} tcp dport 443"
        if path.fault in ("no-route", "route-around"):
            self._cut_route(vnet, vm, address, path.fault)
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
