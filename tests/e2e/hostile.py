#!/usr/bin/env python3
"""A collector that wants out: 10^4 hostile targets for an agent, DNS that answers with the machine,
its neighbours and the platform, and rebinds.  Counted is not by us but by the kernel: in a network
of its own, nftables sees every packet that the agent sends.  None may go where the policy does not
let it, and nothing that is not the agent's own may see a connection.

Needs root, for the namespace.  `SEED` is taken from the environment and printed.
"""

import http.server
import ipaddress
import json
import os
import random
import re
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.path.abspath(os.environ.get("PLPROBE_BUILD", "build/dev"))
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1 << 32)
COLLECTOR, RESOLVER = "10.9.0.1", "10.9.0.2"
LET = "10.20.0.0/16"                 # networks of the policy
PER_ASSIGNMENT, ASSIGNMENTS = 2500, 4
PACE_S, PACE_NAMES = 15, 60          # what `names_per_minute` is held against
PORTS = [0, 443, 22, 53, 80, 445, 3306, 3389, 8080, 10255, 14001, 32526, 65535]
HOSTS = ["169.254.169.254", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "0x7f.1", "127.1",
         "localhost", "metadata.google.internal", "[::1]", "::ffff:169.254.169.254",
         "64:ff9b::a9fe:a9fe", "{a}.documents.azure.com.", ".{a}.documents.azure.com",
         "{a}..documents.azure.com", "{a}.documents.azure.com.evil.test", "{A}.DOCUMENTS.AZURE.COM",
         "{a}.documents.azure.com:22", "evil.test#.documents.azure.com",
         "{a}.secret.documents.azure.com", "{a}.blob.core.windows.net",
         "{a}.privatelink.documents.azure.com", "fabrikam.documents.azure.com", "collector.test",
         "10.9.0.1", "", "."]
# Of these some are good: names that may be measured, for which DNS lies.
GOOD = ["{a}.documents.azure.com", "{a}-r{n}.documents.azure.com", "{a}-r{n}.mongo.cosmos.azure.com"]
ANSWERS = ["127.0.0.1", "127.8.8.8", "0.0.0.0", "169.254.169.254", "169.254.1.1", "168.63.129.16",
           "224.0.0.1", "255.255.255.255", COLLECTOR, RESOLVER, "10.21.0.1", "192.168.1.1",
           "172.16.0.1", "8.8.8.8", "20.50.1.1"]


class Failed(Exception):
    pass


def pack(value):
    """The part of MessagePack that an assignment uses."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BI", 0xce, value)
    if isinstance(value, str):
        data = value.encode()
        return struct.pack(">BH", 0xda, len(data)) + data
    if isinstance(value, list):
        return struct.pack(">BH", 0xdc, len(value)) + b"".join(map(pack, value))
    return struct.pack(">BH", 0xde, len(value)) + b"".join(
        pack(key) + pack(item) for key, item in value.items())


def make_targets(draw, number):
    targets = []
    for n in range(PER_ASSIGNMENT):
        good = draw.random() < 0.1
        account = draw.choice(["contoso", "contoso-2"])
        host = draw.choice(GOOD if good else HOSTS).format(a=account, A=account.upper(), n=n % 200)
        targets.append({1: account, 2: draw.randrange(2), 4: draw.randrange(2), 5: draw.randrange(3),
                        6: host, 7: 443 if good else draw.choice(PORTS), 9: 60000, 10: 500})
    return pack({1: 1, 2: f"hostile-{number}", 3: 60000, 10: targets})


class Collector(http.server.BaseHTTPRequestHandler):
    """Hands out one assignment after the other, and takes every batch."""

    assignments, given, protocol_version = [], 0, "HTTP/1.1"

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        number = min(Collector.given, len(Collector.assignments) - 1)
        if Collector.given > number:
            self.answer(304, b"")
            return
        Collector.given += 1
        self.answer(200, Collector.assignments[number], ETag=f'"{number}"')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b'{"status":"stored"}')

    def log_message(self, *args):
        pass


def make_new_names(number, edition=0):
    """As many as a minute may have, and other ones each time."""
    return pack({1: 1, 2: f"new-{number}", 3: 60000, 4: edition, 5: "one collector", 10: [
        {1: "contoso", 2: 0, 4: 0, 5: 0, 6: f"contoso-new{number}x{n}.documents.azure.com", 7: 443,
         9: 60000, 10: 500} for n in range(PACE_NAMES)]})


ASKED = set()                        # every name that the DNS server has heard


def serve_dns(draw):
    """Every name has an address; the second time it is another one, of those that are never right.
    One in eight is within the networks of the policy: these are what may be connected to."""
    import socket
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((RESOLVER, 53))
    while True:
        data, peer = server.recvfrom(4096)
        at = 12
        while data[at]:
            at += 1 + data[at]
        kind, = struct.unpack(">H", data[at + 1:at + 3])
        ASKED.add(data[12:at].lower())
        address = draw.choice(ANSWERS)
        if draw.random() < 0.125:
            address = f"10.20.{draw.randrange(256)}.{draw.randrange(1, 255)}"
        records = b""
        if kind == 1:
            records = struct.pack(">HHHIH", 0xc00c, 1, 1, 0, 4) + ipaddress.ip_address(address).packed
        server.sendto(data[:2] + struct.pack(">HHHHH", 0x8180, 1, 1 if records else 0, 0, 0) +
                      data[12:at + 5] + records, peer)


RULES = f"""
table inet count {{
	chain out {{
		type filter hook output priority 0; policy accept;
		# What belongs to no process any more, as the end of a closed connection, is nobody's.
		meta skuid 65534 jump agent
	}}
	chain agent {{
		ip daddr {COLLECTOR} tcp dport 8643 counter name collector accept
		ip daddr {RESOLVER} udp dport 53 counter name dns accept
		ip daddr {RESOLVER} tcp dport 53 accept
		ip daddr {LET} tcp dport 443 counter name let drop
		add @strays {{ ip daddr . meta l4proto . th dport }}
		counter name outside drop
	}}
	set strays {{
		type ipv4_addr . inet_proto . inet_service
		flags dynamic
		size 100
	}}
	counter collector {{ }}
	counter dns {{ }}
	counter let {{ }}
	counter outside {{ }}
}}
"""


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def make_network():
    run("ip", "link", "set", "lo", "up")
    for address in (COLLECTOR, RESOLVER):
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    run("ip", "route", "add", "default", "dev", "lo", "src", COLLECTOR)
    run("nft", "-f", "-", input=RULES)


def counters():
    listed = json.loads(run("nft", "-j", "list", "counters", "table", "inet", "count"))
    return {c["counter"]["name"]: c["counter"]["packets"] for c in listed["nftables"]
            if "counter" in c}


def make_certificate(folder):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-nodes", "-days", "2", "-subj", "/CN=collector", "-addext",
        f"subjectAltName=IP:{COLLECTOR}", "-keyout", f"{folder}/key.pem", "-out",
        f"{folder}/certificate.pem")


def start_collector(folder, draw):
    Collector.assignments = [make_targets(draw, n) for n in range(ASSIGNMENTS)]
    server = http.server.ThreadingHTTPServer((COLLECTOR, 8643), Collector)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def start_agent(folder, nobody=65534, names=1000000, look_s=6):
    write(f"{folder}/policy.yaml", f"accounts: ['contoso*']\nconnect: ['{LET}']\nports: [443]\n"
          f"names_per_minute: {names}\nconnect_rate: 10000\n")
    write(f"{folder}/agent.yaml", f"agent: vm-1\nstate_dir: state\ncollector: https://{COLLECTOR}:8643\n"
          f"collector_ca: certificate.pem\ntoken_file: token\nresolvers: ['{RESOLVER}']\n"
          f"policy: policy.yaml\nstatus_socket: state/agent.sock\nassignment_interval: {look_s}s\n"
          f"in_flight: 512\nlog_level: warn\n")
    write(f"{folder}/token", "id.secret\n", 0o600)
    os.makedirs(f"{folder}/state", exist_ok=True)
    for name in ("state", "token"):
        os.chown(f"{folder}/{name}", nobody, nobody)
    os.chmod(folder, 0o755)
    log = open(f"{folder}/log", "w", encoding="utf-8")
    return subprocess.Popen([f"{BUILD}/plprobe", "agent", "--config", f"{folder}/agent.yaml"],
                            stderr=log, user=nobody, group=nobody, extra_groups=[])


def status(folder):
    told = subprocess.run([f"{BUILD}/plprobe", "status", "-o", "json", "--socket",
                           f"{folder}/state/agent.sock"], capture_output=True, text=True)
    return json.loads(told.stdout) if told.returncode == 0 else None


def wait_for_all(folder, agent, limit_s=90):
    """Until the last assignment is in force, and for its first measurements."""
    end = time.monotonic() + limit_s
    refused, seen = {}, 0
    while time.monotonic() < end:
        time.sleep(0.5)
        if agent.poll() is not None:
            raise Failed(f"the agent ended: {open(folder + '/log', encoding='utf-8').read()[-500:]}")
        now = status(folder)
        if now is None:
            continue
        assignment = now["assignment"]
        refused[assignment["version"]] = assignment["refused"]
        if assignment["version"] == f"hostile-{ASSIGNMENTS - 1}":
            seen += 1
            if seen > 24:
                return now, refused
    raise Failed("the agent has not taken all assignments")


def try_pace(folder):
    """A new assignment every second, each as large as a minute's: what is asked for is counted by
    the DNS server."""
    Collector.assignments = [make_new_names(n) for n in range(1000)]
    Collector.given = 0
    agent = start_agent(folder, names=PACE_NAMES, look_s=1)
    time.sleep(PACE_S)
    agent.terminate()
    agent.wait(20)
    new = {name for name in ASKED if b"contoso-new" in name}
    print(f"{Collector.given} assignments with {Collector.given * PACE_NAMES} new names within "
          f"{PACE_S} s, {len(new)} asked for, {PACE_NAMES} a minute let")
    most = 1 + PACE_NAMES * (PACE_S + 1) // 60
    if not 1 < len(new) <= most or Collector.given < PACE_S // 2:
        raise Failed(f"{len(new)} new names, at most {most} let")


def try_older(folder):
    """A collector that was restored from a backup: what it said later stays, and it is told."""
    Collector.assignments = [make_new_names(7000, 20), make_new_names(6000, 10)]
    Collector.given = 0
    agent = start_agent(folder, look_s=1)
    try:
        end = time.monotonic() + 20
        now = None
        while time.monotonic() < end and not (now and now["assignment"]["older_offered"]):
            time.sleep(0.3)
            now = status(folder)
    finally:
        agent.terminate()
        agent.wait(20)
    print(f"{now['assignment']['version']} stays, an older one was offered "
          f"{now['assignment']['older_offered']} times")
    if now["assignment"]["version"] != "new-7000" or not now["assignment"]["older_offered"]:
        raise Failed("an older assignment was taken without a word")


def judge(now, refused, counts):
    print(f"refused items {refused}, refused connections {now['prober']['refused_connects']}, "
          f"packets {counts}")
    if counts["outside"] != 0:
        raise Failed(f"{counts['outside']} packets outside of the policy:\n"
                     + run("nft", "list", "set", "inet", "count", "strays"))
    if counts["let"] == 0 or counts["dns"] == 0:
        raise Failed("nothing was connected to or asked at all: this shows nothing")
    if now["prober"]["refused_connects"] == 0:
        raise Failed("DNS told no lie, or nobody followed it: this shows nothing")
    if sum(refused.get(f"hostile-{n}", 0) for n in range(ASSIGNMENTS)) < PER_ASSIGNMENT * 0.8:
        raise Failed("hardly an item was refused")
    if len(now["assignment"]["refusals"]) != 20:
        raise Failed("the refused items are not told")
    if not all(re.search(r"\w", item["reason"]) for item in now["assignment"]["refusals"]):
        raise Failed("a refusal without a reason")


def main():
    if os.geteuid() != 0:
        print("SKIPPED  needs root, for a network of its own")
        return 0
    if "--inside" not in sys.argv:
        return subprocess.call(["unshare", "--net", sys.executable, __file__, "--inside"])
    print(f"SEED={SEED}, {PER_ASSIGNMENT * ASSIGNMENTS} targets")
    draw = random.Random(SEED)
    make_network()
    with tempfile.TemporaryDirectory() as folder:
        make_certificate(folder)
        start_collector(folder, draw)
        threading.Thread(target=serve_dns, args=(random.Random(SEED),), daemon=True).start()
        agent = start_agent(folder)
        try:
            now, refused = wait_for_all(folder, agent)
            judge(now, refused, counters())
            agent.terminate()
            agent.wait(20)
            try_pace(folder)
            try_older(folder)
        except Failed as error:
            print(f"FAILED  {error}\n{open(folder + '/log', encoding='utf-8').read()[-1500:]}")
            return 1
        finally:
            agent.terminate()
            agent.wait(20)
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
