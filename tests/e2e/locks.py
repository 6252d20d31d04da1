#!/usr/bin/env python3
"""The locks around the agent, each with the others off: a process that is not the agent, and asks
nobody, tries to get out to where the policy never lets it.

    door      the agent's own code: tests/e2e/hostile.py, without unit, nftables and landlock of ports
    landlock  tests/base/test_confine.c: a process confined to ports, and nothing else
    nftables  here: deploy/plprobe-agent.nft as it is, for a process in the cgroup of the unit
    unit      here: the unit's IPAddressDeny holds what it has to; that systemd holds to it is tried
              where systemd runs

Counted are the packets that leave, by a chain behind the lock.  Needs root, for namespaces.
"""

import ipaddress
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = f"{ROOT}/deploy/systemd/plprobe-agent.service"
SNIPPET = f"{ROOT}/deploy/plprobe-agent.nft"
GROUP = "system.slice/plprobe-agent.service"

# Nothing of the agent may ever go there; port 0 stands for any.
NEVER = [("0.0.0.1", 443), ("169.254.169.254", 80), ("169.254.169.254", 443), ("169.254.1.1", 443),
         ("224.0.0.1", 443), ("240.0.0.1", 443), ("255.255.255.255", 443), ("168.63.129.16", 80),
         ("168.63.129.16", 32526), ("fe80::1", 443), ("ff02::1", 443), ("64:ff9b::a9fe:a9fe", 80),
         ("64:ff9b::a83f:8110", 80)]
LET = [("10.20.0.4", 443), ("168.63.129.16", 53), ("20.50.1.1", 443), ("fd00::4", 443)]
# systemd's filter knows no ports, and the kernel knows no translators: the door and nftables do.
NOT_OF_THE_UNIT = ["168.63.129.16", "64:ff9b::a9fe:a9fe", "64:ff9b::a83f:8110"]

TRY = """
import json, os, socket, sys
group, targets = sys.argv[1], json.loads(sys.argv[2])
if group:
    with open(group + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))
for address, port in targets:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    scope = (0, socket.if_nametoindex("eth9")) if address.startswith(("fe80", "ff")) else ()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(family, kind) as out:
            out.setblocking(False)
            if kind == socket.SOCK_DGRAM:
                out.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            try:
                out.connect((address, port, *scope))
                out.send(b"x")
            except OSError:
                pass
"""

BEHIND = """
table inet behind {
    set seen { type inet_proto . inet_service ; flags dynamic ; size 1000 ; }
    chain out {
        type filter hook output priority 10 ; policy accept ;
        oifname "eth9" ip daddr { %s } counter name never drop
        oifname "eth9" ip6 daddr { %s } counter name never drop
        oifname "eth9" meta l4proto { tcp, udp } counter name let drop
    }
    counter never { }
    counter let { }
}
"""


class Failed(Exception):
    pass


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise Failed(f"{command}: {done.stderr}")
    return done.stdout


def counters():
    listed = json.loads(run("nft", "-j", "list", "counters", "table", "inet", "behind"))
    return {c["counter"]["name"]: c["counter"]["packets"] for c in listed["nftables"]
            if "counter" in c}


def make_network():
    """A card with everything behind it; what comes to it is dropped."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "eth9", "type", "veth", "peer", "name", "eth8")
    run("ip", "link", "set", "eth8", "up")
    run("ip", "address", "add", "10.20.0.99/16", "dev", "eth9")
    run("ip", "address", "add", "fd00::99/64", "dev", "eth9", "nodad")
    run("ip", "link", "set", "eth9", "up")
    run("ip", "route", "add", "default", "dev", "eth9")
    run("ip", "-6", "route", "add", "default", "dev", "eth9")


def load_counters(never):
    four = ", ".join(sorted({a for a, _ in never if ":" not in a and a != "168.63.129.16"}))
    six = ", ".join(sorted({a for a, _ in never if ":" in a}))
    run("nft", "-f", "-", input=BEHIND % (four, six))


def knock(group, targets):
    before = counters()
    run(sys.executable, "-c", TRY, group, json.dumps(targets))
    after = counters()
    return {name: after[name] - before[name] for name in after}


def try_nftables(folder):
    """The snippet as it is: the cgroup of the unit is made for it."""
    # nft looks for it there.  Of /sys alone, since in a chroot the root is no mount of its own.
    run("mount", "--make-rprivate", "/sys")
    run("mount", "-t", "cgroup2", "none", "/sys/fs/cgroup")
    group = f"/sys/fs/cgroup/{GROUP}"
    os.makedirs(group, exist_ok=True)
    try:
        # Without the lock the packets do leave: the test has eyes.
        before = knock(group, NEVER)
        if before["never"] == 0:
            raise Failed("nothing leaves without the lock: this shows nothing")
        run("nft", "-f", SNIPPET)
        never, let = knock(group, NEVER), knock(group, LET)
        others = knock("", NEVER)
    finally:
        os.rmdir(group)
    print(f"nftables: {before['never']} packets without the lock; with it {never['never']} of "
          f"{len(NEVER)} addresses, {let['let']} where the agent has to go, {others['never']} of "
          "other processes")
    if never["never"] != 0 or never["let"] != 0:
        raise Failed(f"nftables lets out {never}")
    if let["let"] < len(LET):
        raise Failed(f"nftables does not let the agent to its targets: {let}")
    if others["never"] == 0:
        raise Failed("nftables holds other processes too")


WORDS = {"link-local": ["169.254.0.0/16", "fe80::/64"], "multicast": ["224.0.0.0/4", "ff00::/8"],
         "localhost": ["127.0.0.0/8", "::1/128"], "any": ["0.0.0.0/0", "::/0"]}


def check_unit():
    with open(UNIT, encoding="utf-8") as file:
        text = file.read()
    denied = [ipaddress.ip_network(net) for word in re.search(r"^IPAddressDeny=(.*)$", text, re.M)[1]
              .split() for net in WORDS.get(word, [word])]
    for address, _ in NEVER:
        if address in NOT_OF_THE_UNIT:
            continue
        if not any(ipaddress.ip_address(address) in net for net in denied):
            raise Failed(f"the unit's IPAddressDeny has no {address}")
    print(f"unit: IPAddressDeny holds {len(NEVER)} less {len(NOT_OF_THE_UNIT)} addresses")


def try_unit():
    """The same knocks from a transient unit with that IPAddressDeny, where systemd runs."""
    if not os.path.isdir("/run/systemd/system"):
        print("SKIPPED  unit: systemd does not run here, so that nobody puts the filter in force")
        return
    with open(UNIT, encoding="utf-8") as file:
        deny = re.search(r"^IPAddressDeny=.*$", file.read(), re.M)[0]
    targets = [t for t in NEVER if t[0] not in NOT_OF_THE_UNIT]
    code = ("import json, socket, sys\n"
            "for a, p in json.loads(sys.argv[1]):\n"
            "    s = socket.socket(socket.AF_INET6 if ':' in a else socket.AF_INET, socket.SOCK_DGRAM)\n"
            "    try:\n"
            "        s.connect((a, p)); s.send(b'x'); print(a)\n"
            "    except PermissionError: pass\n"
            "    except OSError: pass\n")
    out = run("systemd-run", "--wait", "--pipe", "--quiet", "-p", deny, sys.executable, "-c", code,
              json.dumps(targets))
    if out.strip():
        raise Failed(f"the unit lets out {out.split()}")
    print("unit: nothing leaves")


def main():
    if os.geteuid() != 0:
        print("SKIPPED  needs root, for namespaces of its own")
        return 0
    if "--inside" not in sys.argv:
        try:
            check_unit()
            try_unit()
        except Failed as error:
            print(f"FAILED  {error}")
            return 1
        return subprocess.call(["unshare", "--net", "--mount", "--propagation", "unchanged",
                                sys.executable, __file__, "--inside"])
    with tempfile.TemporaryDirectory() as folder:
        try:
            make_network()
            load_counters(NEVER)
            try_nftables(folder)
        except Failed as error:
            print(f"FAILED  {error}")
            return 1
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
