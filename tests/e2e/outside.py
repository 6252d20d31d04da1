#!/usr/bin/env python3
"""The negative test of the running agent, with a collector that would like to have more of it.

In a network of its own nftables counts what the agent sends.  A resolver outside that lies leads to
no address in here; without the setting, or with a policy that says no, nobody is asked outside,
whatever the assignment holds; and where the resolver is honest, its public address is tried.

Needs root, for the namespace.  `SEED` is taken from the environment and printed.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
import threading
import time
import ipaddress
import socket

import hostile
from hostile import COLLECTOR, RESOLVER, Collector, Failed, run

OUTSIDE = "9.9.9.9"
PUBLIC = "20.50.1.1"
NOBODY = 65534
# What a resolver outside may say, so that somebody goes there for it.
LIES = ["127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "168.63.129.16", "224.0.0.1",
        COLLECTOR, RESOLVER, "10.21.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "10.20.9.9"]
INSIDE = "10.20.0.4"                 # of every name, by the resolver in here

RULES = f"""
table inet count {{
	chain out {{
		type filter hook output priority 0; policy accept;
		meta skuid {NOBODY} jump agent
	}}
	chain agent {{
		ip daddr {COLLECTOR} tcp dport 8643 accept
		ip daddr {RESOLVER} udp dport 53 accept
		ip daddr {INSIDE} tcp dport 443 counter name inside drop
		ip daddr {OUTSIDE} udp dport 53 counter name asked accept
		ip daddr {OUTSIDE} tcp dport 53 counter name asked accept
		ip daddr {PUBLIC} tcp dport 443 counter name tried drop
		add @strays {{ ip daddr . meta l4proto . th dport }}
		counter name strays drop
	}}
	set strays {{
		type ipv4_addr . inet_proto . inet_service
		flags dynamic
		size 100
	}}
	counter inside {{ }}
	counter asked {{ }}
	counter tried {{ }}
	counter strays {{ }}
}}
"""


def wish_for_more(target, draw):
    """What a newer protocol might call it: ids that nobody has given out."""
    return {**target, **{number: draw.choice([True, 1, OUTSIDE, [OUTSIDE], {1: OUTSIDE}])
                         for number in range(12, 40)}}


def make_assignment(draw):
    targets = [wish_for_more({1: "contoso", 2: 0, 4: draw.randrange(2), 5: 0,
                              6: f"contoso-r{n}.documents.azure.com", 7: 443, 9: 1000, 10: 900},
                             draw) for n in range(40)]
    return hostile.pack({**wish_for_more({1: 1, 2: "v1", 3: 1000}, draw), 10: targets})


def serve_dns(address, answer):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        data, peer = server.recvfrom(4096)
        at = 12
        while data[at]:
            at += 1 + data[at]
        kind, = struct.unpack(">H", data[at + 1:at + 3])
        records = b""
        if kind == 1:
            records = struct.pack(">HHHIH", 0xc00c, 1, 1, 0, 4) + \
                ipaddress.ip_address(answer()).packed
        server.sendto(data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if records else 0, 0, 0) +
                      data[12:at + 5] + records, peer)


def make_network():
    run("ip", "link", "set", "lo", "up")
    for address in (COLLECTOR, RESOLVER, OUTSIDE):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    run("ip", "route", "add", "default", "dev", "lo", "src", COLLECTOR)
    run("nft", "-f", "-", input=RULES)


class Case:
    """One agent with settings of its own; the counters are those of its time."""

    def __init__(self, name, settings, policy, lies, **wanted):
        self.name, self.settings, self.policy, self.lies = name, settings, policy, lies
        self.wanted = wanted         # counter -> whether anything must be counted

    def run(self, folder):
        """In words, what is wrong."""
        place = os.path.join(folder, self.name.replace(" ", "-"))
        os.mkdir(place)
        hostile.write(f"{place}/policy.yaml", f"accounts: ['contoso*']\n{self.policy}")
        hostile.write(f"{place}/agent.yaml", f"agent: vm-1\nstate_dir: state\n"
                      f"collector: https://{COLLECTOR}:8643\ntoken_file: token\n"
                      f"collector_ca: {folder}/certificate.pem\nresolvers: ['{RESOLVER}']\n"
                      f"policy: policy.yaml\nstatus_socket: state/agent.sock\ntimeout: 900ms\n"
                      f"interval: 1s\nassignment_interval: 1s\nlog_level: warn\n{self.settings}")
        hostile.write(f"{place}/token", "id.secret\n", 0o600)
        os.mkdir(f"{place}/state")
        for name in ("state", "token"):
            os.chown(f"{place}/{name}", NOBODY, NOBODY)
        Collector.given = 0
        run("nft", "reset", "counters", "table", "inet", "count")
        with open(f"{place}/log", "w", encoding="utf-8") as log:
            agent = subprocess.Popen(
                [f"{hostile.BUILD}/plprobe", "agent", "--config", f"{place}/agent.yaml"],
                stderr=log, user=NOBODY, group=NOBODY, extra_groups=[])
        try:
            return self._judge(self._wait(place, agent))
        finally:
            agent.terminate()
            agent.wait(20)

    @staticmethod
    def _wait(place, agent, limit_s=60):
        """Until some rounds of all names have been measured."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            time.sleep(0.3)
            if agent.poll() is not None:
                with open(f"{place}/log", encoding="utf-8") as log:
                    raise Failed(f"the agent ended: {log.read()[-500:]}")
            now = hostile.status(place)
            if now is not None and now["prober"]["measured"] >= 120:
                return now
        raise Failed(f"the agent has not measured: {now}")

    def _judge(self, now):
        counts = hostile.counters()
        print(f"{self.name}: measured {now['prober']['measured']}, packets {counts}")
        words = [f"{self.name}: {counts[name]} packets {name}, wanted "
                 f"{'some' if some else 'none'}" for name, some in self.wanted.items()
                 if (counts[name] > 0) != some]
        if counts["inside"] == 0:
            words.append(f"{self.name}: nothing was measured in here: this shows nothing")
        if counts["strays"] != 0:
            words.append(f"{self.name}: {counts['strays']} packets to where nobody may go:\n"
                         + run("nft", "list", "set", "inet", "count", "strays"))
        return words


CASES = [
    Case("not configured", "", "", False, asked=False, tried=False),
    Case("configured", f"outside_resolvers: ['{OUTSIDE}']\n", "", False, asked=True, tried=True),
    Case("a resolver that lies", f"outside_resolvers: ['{OUTSIDE}']\n", "", True, asked=True,
         tried=False),
    Case("forbidden by policy", f"outside_resolvers: ['{OUTSIDE}']\n", "outside: false\n", False,
         asked=False, tried=False),
    Case("nothing public by policy", f"outside_resolvers: ['{OUTSIDE}']\n", "public: false\n", False,
         asked=False, tried=False),
    Case("ports held by the kernel", f"outside_resolvers: ['{OUTSIDE}']\n", "direct: false\n",
         False, asked=True, tried=True),
]


def main():
    if os.geteuid() != 0:
        print("SKIPPED  needs root, for a network of its own")
        return 0
    if "--inside" not in sys.argv:
        return subprocess.call(["unshare", "--net", sys.executable, __file__, "--inside"])
    print(f"SEED={hostile.SEED}")
    draw = random.Random(hostile.SEED)
    now = {"lies": False}
    make_network()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        hostile.make_certificate(folder)
        hostile.start_collector(folder, draw)
        Collector.assignments = [make_assignment(draw)]
        for address, answer in ((RESOLVER, lambda: INSIDE),
                                (OUTSIDE, lambda: draw.choice(LIES) if now["lies"] else PUBLIC)):
            threading.Thread(target=serve_dns, args=(address, answer), daemon=True).start()
        try:
            for case in CASES:
                now["lies"] = case.lies
                wrong += case.run(folder)
        except Failed as error:
            wrong.append(str(error))
    print("\n".join(f"FAILED  {line}" for line in wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
