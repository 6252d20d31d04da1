#!/usr/bin/env python3
"""The demonstration: the world of demo.toml, a collector, and an agent in each VNet.

Waits until every agent has told of every name in every mode, prints the collector's report, and
compares it with what was planted; and looks whether keys were used as they should be (keys.py).
Then the page can be looked at, from outside, until Ctrl-C; or, with --once, not.
"""

import argparse
import json
import os
import socket
import sys
import time

import direct
import kernel
import keys
import main as lab
import scenario
from certs import Certificates
from space import Failed
from world import COLLECTOR, COLLECTOR_NAME, PUBLIC_DNS, World

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE_PORT = 8640
INGEST_PORT = 8643
WAIT_S = 90
# How often the demonstration measures, in Direct mode as well, and how long a dropped packet keeps
# it waiting.
INTERVAL_S, DIRECT_INTERVAL_S, TIMEOUT_S = 5, 10, 3
# Signed requests of one measurement: of the account; of databases, containers, ranges, addresses
# and, when a replica has moved, the addresses anew as well.
GATEWAY_REQUESTS, DIRECT_REQUESTS = 1, 6

COLLECTOR_CONF = """listen: "{address}:{port}"
certificate: "{certificate}"
key: "{key}"
page: "127.0.0.1:{page}"
store: "sqlite:{directory}/store.db"
state_dir: "{directory}"
accounts_dir: "{accounts}"
modes: ["gateway", "direct"]
interval: {interval}s
direct_interval: {direct_interval}s
timeout: {timeout}s
"""

# Each agent tries the public addresses, too: the accounts are closed, and so is each of them.
AGENT_CONF = """agent: "{vnet}"
network: "{vnet}/default"
collector: "https://{collector}:{port}"
collector_ca: "{roots}"
token_file: "{token}"
state_dir: "{state}"
ca_file: "{roots}"
interval: {interval}s
timeout: {timeout}s
seal_age: 1s
outside_resolvers: ["{outside}"]
access:
"""

ACCESS_CONF = """  - account: "{account}"
    key_file: "{key_file}"
"""

FETCH = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())"


def say(words):
    print(f"== {words}", file=sys.stderr, flush=True)


class Demo:
    def __init__(self, directory, programs, page_socket):
        self.programs = programs
        self.page_socket = page_socket
        self.certificates = Certificates(directory)
        self.scene = scenario.read(os.path.join(HERE, "demo.toml"))
        self.world = World(directory, self.scene, self.certificates, programs)
        self.agents = {}             # VNet -> process

    def build(self):
        self.world.build()
        self._start_collector()
        for name in self.world.vms:
            self._start_agent(name)

    def _start_collector(self):
        fabric = self.world.fabric
        state, accounts = fabric.path("collector"), fabric.path("accounts")
        os.makedirs(state, mode=0o700)
        os.makedirs(accounts)
        for name in self.scene.accounts:
            os.symlink(self.world.document_path(name), os.path.join(accounts, name + ".json"))
        certificate, key = self.certificates.for_host(COLLECTOR_NAME, COLLECTOR)
        self.config = fabric.write("collector.yaml", COLLECTOR_CONF.format(
            address=COLLECTOR, port=INGEST_PORT, certificate=certificate, key=key, page=PAGE_PORT,
            directory=state, accounts=accounts, interval=INTERVAL_S,
            direct_interval=DIRECT_INTERVAL_S, timeout=TIMEOUT_S))
        self.collector = fabric.start(
            "collector", [self.programs["plprobe-collector"], "run", "--config", self.config],
            "ready")

    def _token(self, vnet):
        done = self.world.fabric.run([
            self.programs["plprobe-collector"], "token", "create", vnet, "--bearer", "--network",
            f"{vnet}/default", "--config", self.config])
        return done.stdout

    def _start_agent(self, vnet):
        vm = self.world.vms[vnet]
        os.makedirs(vm.path("state"), mode=0o700)
        token = vm.write("token", self._token(vnet))
        os.chmod(token, 0o600)
        config = vm.write("agent.yaml", AGENT_CONF.format(
            vnet=vnet, collector=COLLECTOR_NAME, port=INGEST_PORT, roots=self.certificates.roots,
            token=token, state=vm.path("state"), interval=INTERVAL_S, timeout=TIMEOUT_S, outside=PUBLIC_DNS) + "".join(
                ACCESS_CONF.format(account=name, key_file=self._key_file(name))
                for name in self.scene.accounts))
        self.agents[vnet] = vm.start(
            "agent", [self.programs["plprobe"], "agent", "--config", config], "ready")
        self.started_s = time.monotonic()

    def _key_file(self, account):
        return direct.place_path(self.world.directory, account, "key_file")

    def _fetch(self, path):
        done = self.world.fabric.run(
            [sys.executable, "-c", FETCH, f"http://127.0.0.1:{PAGE_PORT}{path}"], check=False)
        if done.returncode != 0:
            raise Failed(f"the collector's page: {path}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def _reported(self):
        """(agent, account, region, mode) of all that has been told of."""
        return {(cell["agent"], account["account"], place["region"], place["mode"])
                for account in self._fetch("/v1/state")["accounts"]
                for place in account["places"] for cell in place["cells"] if cell["seen_ms"]}

    def wait_for_all(self):
        wanted = {(vnet, account.name, region, mode) for vnet in self.scene.vnets
                  for account in self.scene.accounts.values() for region in account.labels()
                  for mode in ("gateway", "direct") if region or mode == "gateway"}
        deadline = time.monotonic() + WAIT_S
        while missing := wanted - self._reported():
            if time.monotonic() > deadline:
                raise Failed(f"not reported after {WAIT_S} s: {sorted(missing)}")
            time.sleep(0.3)

    def report(self, output):
        done = self.world.fabric.run([self.programs["plprobe-collector"], "report", "--config",
                                      self.config, "-o", output], check=False)
        if done.returncode not in (0, 1, 2):
            raise Failed(f"report: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def differences(self):
        """What the report has too much or too little, in words."""
        found = {(f["agent"], f["account"], f["region"], f["code"])
                 for f in json.loads(self.report("json"))["findings"]}
        planted = {(e.vnet, e.account, e.region, e.code) for e in self.scene.expected}
        return [f"planted, not reported: {' '.join(entry)}" for entry in planted - found] + \
            [f"reported, not planted: {' '.join(entry)}" for entry in found - planted]

    def public_differences(self):
        """Where an agent has not seen the account's firewall at a public address."""
        return [f"{cell['agent']}: {account['account']} {place['region']}: public address "
                f"{cell['public_address'] or 'not asked for'}"
                for account in self._fetch("/v1/state")["accounts"]
                for place in account["places"] if place["mode"] == "gateway"
                for cell in place["cells"] if cell["public_address"] != "refused"]

    def _requests_most(self):
        """Of one agent to one host, so far.  The first measurement has no regard for the turn of
        the name, and the second keeps half an interval from it."""
        passed_s = time.monotonic() - self.started_s
        return sum(int(requests * (2 + passed_s // interval_s)) for requests, interval_s in (
            (GATEWAY_REQUESTS, INTERVAL_S), (DIRECT_REQUESTS, DIRECT_INTERVAL_S)))

    def key_differences(self):
        """What was done with the keys that should not be, or not done that should."""
        words = keys.judge_requests(self.world.seen(), {
            vnet.name: f"10.{vnet.index}.0.4" for vnet in self.scene.vnets.values()},
            self._requests_most())
        for vnet, agent in self.agents.items():
            for name in self.scene.accounts:
                with open(self._key_file(name), encoding="ascii") as file:
                    words += keys.judge_prober(vnet, agent.pid, file.read().strip(), name)
        return words

    def serve_page(self):
        self.world.fabric.start(
            "page", [sys.executable, os.path.join(HERE, "forward.py"),
                     str(self.page_socket.fileno()), "127.0.0.1", str(PAGE_PORT)],
            "forwarding", pass_fds=(self.page_socket.fileno(),))


def open_page_socket():
    """Made outside of the lab, so that a browser out there reaches it."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", PAGE_PORT))
    except OSError:
        listener.bind(("127.0.0.1", 0))
    listener.listen(64)
    return listener


def run(options, programs, page_socket):
    demo = Demo(lab.mount_directory(options.build), programs, page_socket)
    try:
        say("building three VNets, two accounts, a collector and three agents")
        demo.build()
        say("waiting until every agent has told of every name")
        demo.wait_for_all()
        print(demo.report("table"), flush=True)
        wrong = demo.differences() + demo.public_differences() + demo.key_differences()
        for line in wrong:
            print(line)
        if not wrong:
            print(f"The report holds exactly the {len(demo.scene.expected)} faults that were "
                  "planted in vnet-b.\nRequests were signed for every agent, and no process that "
                  "measures holds a key.", flush=True)
        if options.once:
            return 1 if wrong else 0
        demo.serve_page()
        say(f"the page: http://127.0.0.1:{page_socket.getsockname()[1]}/  (Ctrl-C ends all)")
        status = demo.collector.wait()
        raise Failed(f"the collector ended with {status}")
    except Failed as error:
        print(f"demo: {error}\n{demo.world.logs(40)}", file=sys.stderr)
        return 1


def main():
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the report")
    parser.add_argument("--build", default=lab.default_build(), help="folder of the programs")
    options = parser.parse_args()
    programs = lab.find_programs(options.build)
    page_socket = open_page_socket()
    status = kernel.enter(lambda _: run(options, programs, page_socket))
    return 1 if status == 77 else status


if __name__ == "__main__":
    sys.exit(main())
