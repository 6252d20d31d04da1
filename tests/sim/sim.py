#!/usr/bin/env python3
"""A fleet of agents, and the collector killed in the middle: nothing is lost, and it is counted how
long acknowledgements take and what they cost.  See README.md beside this file.

    sim.py [--agents N] [--processes N] [--seconds N] [--accounts N] [--every S] [--seal S]
           [--down S] [--share F] [--kill-agents N] [--enrol N] [--spools DIR] [--set LINE] [--floor] [--keep]

Preset is the short form that scripts/test runs; scripts/bench has the long one.
"""

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from delivery import BUILD, Failed, Program, free_port  # noqa: E402
from sim_judge import judge  # noqa: E402

REGIONS = [("East US", "eastus"), ("West Europe", "westeurope"), ("North Europe", "northeurope")]
TICK = os.sysconf("SC_CLK_TCK")
FDS_OF_AGENT = 6  # spool, its lock and bad/, the open segment, the connection, and one to spare
PATIENCE_S = 400  # the longest wait between two tries is 300


def make_account(number):
    def region(title, label, priority):
        return {"id": f"account{number}-{label}", "locationName": title,
                "provisioningState": "Succeeded", "failoverPriority": priority,
                "documentEndpoint": f"https://account{number}-{label}.documents.azure.com:443/"}

    regions = [region(*names, priority) for priority, names in enumerate(REGIONS)]
    return {"name": f"account{number}", "kind": "GlobalDocumentDB",
            "provisioningState": "Succeeded", "locations": regions, "readLocations": regions,
            "documentEndpoint": f"https://account{number}.documents.azure.com:443/",
            "writeLocations": regions[:1]}


class Fleet(Program):
    """A process of agents; what it says of itself each second is kept with the time."""

    def __init__(self, scene, number, first, count):
        self.first, self.count, self.lines = first, count, []
        self.made = f"{scene.folder}/made-{number}"
        options = scene.options
        super().__init__(f"fleet {number}", [
            f"{BUILD}/tests/fleet", "run", "--agents", scene.spools, "--url",
            f"https://127.0.0.{number % 8 + 1}:{scene.port}", "--ca", f"{scene.folder}/cert.pem",
            "--log", self.made, "--from", str(first), "--count", str(count), "--accounts",
            str(options.accounts), "--every-ms", str(int(options.every * 1000)), "--seal-ms",
            str(int(options.seal * 1000)), "--pull-ms", str(int(options.every * 1000)),
            "--ramp-ms", str(int(options.seal * 1000))], scene.log)

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=self.log,
                                        start_new_session=True, text=True)
        threading.Thread(target=self.read, args=(self.process.stdout,), daemon=True).start()

    def read(self, pipe):
        for line in pipe:
            self.lines.append((time.monotonic(), json.loads(line)))

    def last(self):
        return self.lines[-1][1] if self.lines else None


class Slowed:
    """A program that gets only a share of its time, as on a machine that others use."""

    def __init__(self, program, share):
        self.pid, self.share, self.over = program.process.pid, share, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        period = 0.1
        while self.share < 1 and not self.over.is_set():
            os.kill(self.pid, signal.SIGSTOP)
            time.sleep(period * (1 - self.share))
            os.kill(self.pid, signal.SIGCONT)
            time.sleep(period * self.share)

    def end(self):
        self.over.set()
        self.thread.join()


class Used:
    """CPU of a process, of its first thread and of the others, from /proc."""

    def __init__(self, pid):
        self.at, self.loop, self.others = time.monotonic(), 0.0, 0.0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as file:
                words = file.read().rsplit(")", 1)[1].split()
            spent = (int(words[11]) + int(words[12])) / TICK
            if int(task) == pid:
                self.loop += spent
            else:
                self.others += spent


def memory_mib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] / 1000 if values else 0.0


class Scene:
    def __init__(self, options, folder, log):
        self.options, self.folder, self.log = options, folder, log
        self.port, self.page = free_port(), free_port()
        self.spools = tempfile.mkdtemp(prefix="plprobe-sim-", dir=options.spools)
        self.store = f"{folder}/collector/store.db"
        for name in ("accounts", "collector"):
            os.mkdir(f"{folder}/{name}")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "2", "-subj", "/CN=collector", "-addext", "subjectAltName=" +
             ",".join(f"IP:127.0.0.{i}" for i in range(1, 9)), "-keyout", f"{folder}/key.pem",
             "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        for number in range(options.accounts):
            self.write(f"accounts/account{number}.json", json.dumps(make_account(number)))
        self.write("collector.yaml", f"""
listen: "0.0.0.0:{self.port}"
certificate: cert.pem
key: key.pem
page: "127.0.0.1:{self.page}"
store: "sqlite:{self.store}"
state_dir: collector
accounts_dir: accounts
connections: {min(100000, 10 * options.agents)}
auth: certificate
sweep: false
log_level: error
""" + "".join(f"{setting}\n" for setting in options.set))
        self.collector = Program("collector", [f"{BUILD}/plprobe-collector", "run", "--config",
                                               f"{folder}/collector.yaml"], log)
        share, rest = divmod(options.agents, options.processes)
        first, self.fleets = 0, []
        for number in range(options.processes):
            count = share + (number < rest)
            self.fleets.append(Fleet(self, number, first, count))
            first += count

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def enrol(self):
        """The first few through the door, one by one; all others by the same authority, offline."""
        config = ["--config", f"{self.folder}/collector.yaml"]
        few = min(self.options.enrol, self.options.agents)
        began = time.monotonic()
        os.makedirs(self.spools, exist_ok=True)
        subprocess.run([f"{BUILD}/tests/fleet", "enrol", "--agents", self.spools, "--state",
                        f"{self.folder}/collector", "--from", str(few), "--count",
                        str(self.options.agents - few)], check=True)
        took = time.monotonic() - began
        self.start_collector()
        if few > 0:
            token = subprocess.run([f"{BUILD}/plprobe-collector", "token", "create", "--any", "--uses", str(few),
                                    *config], check=True, capture_output=True, text=True).stdout
        for number in range(few):
            self.write("agent.yaml", f'collector: "https://127.0.0.1:{self.port}"\n'
                       f"collector_ca: cert.pem\nstate_dir: {self.spools}/vm-{number:05}\n"
                       f"agent: vm-{number:05}\n")
            subprocess.run([f"{BUILD}/plprobe", "enroll", "--config", f"{self.folder}/agent.yaml",
                            "--token-file", "-"], input=token, text=True, check=True,
                           stdout=subprocess.DEVNULL)
        print(f"{self.options.agents} agents with certificates of the collector's authority: {few} "
              f"enrolled through its door, the others offline by the same code in {took:.1f} s",
              flush=True)

    def start_collector(self):
        """Returns how long it took until it answers."""
        began = time.monotonic()
        self.collector.start()
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/healthz", timeout=5):
                    return time.monotonic() - began
            except OSError:
                pass
            if self.collector.process.poll() is not None:
                raise Failed(f"the collector ended with {self.collector.process.returncode}")
            if time.monotonic() - began > PATIENCE_S:
                raise Failed("the collector does not answer")
            time.sleep(0.05)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/metrics", timeout=30) as answer:
            lines = [line.rsplit(" ", 1) for line in answer.read().decode().splitlines()
                     if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def check(self):
        for program in [self.collector, *self.fleets]:
            if program.process is not None and program.process.poll() is not None:
                raise Failed(f"{program.name} ended by itself, status {program.process.returncode}")

    def sum(self, name):
        return sum(fleet.last()[name] for fleet in self.fleets if fleet.last())

    def answers(self, since, until):
        return sorted(us for fleet in self.fleets for at, line in fleet.lines
                      if since < at <= until for us in line["answers"])

    def wait_level(self, began):
        """Until no agent holds a batch that should have gone; how long that took for 99 of a hundred,
        and for all."""
        most = None
        while time.monotonic() - began < PATIENCE_S:
            time.sleep(0.5)
            self.check()
            fresh = [fleet.last() for fleet in self.fleets if fleet.lines
                     and fleet.lines[-1][0] > began]
            late = sum(line["late"] for line in fresh)
            if len(fresh) < len(self.fleets):
                continue
            if most is None and late * 100 <= self.options.agents:
                most = time.monotonic() - began
            if late == 0:
                return most, time.monotonic() - began
        raise Failed(f"not level after {PATIENCE_S} s: {late} agents are late")

    def kill_all(self):
        for program in [self.collector, *self.fleets]:
            if program.process is not None and program.process.poll() is None:
                program.kill()


class Phase:
    """What was acknowledged between two moments, and what it cost."""

    def __init__(self, scene, name, server):
        self.scene, self.name, self.server = scene, name, server
        self.before = Used(server.process.pid)
        self.agents_before = scene.sum("cpu_s")

    def end(self, say=True):
        after, scene = Used(self.server.process.pid), self.scene
        took = after.at - self.before.at
        answers = scene.answers(self.before.at, after.at)
        count = max(1, len(answers))
        self.loop_us = (after.loop - self.before.loop) / count * 1e6
        self.writer_us = (after.others - self.before.others) / count * 1e6
        agents = (scene.sum("cpu_s") - self.agents_before) / took / scene.options.agents
        if say:
            print(f"{self.name}: {len(answers)} batches in {took:.0f} s, {len(answers) / took:.0f} a "
                  f"second; acknowledged after p50 {quantile(answers, .5):.1f} ms, p99 "
                  f"{quantile(answers, .99):.1f} ms, p99.9 {quantile(answers, .999):.1f} ms, at worst "
                  f"{quantile(answers, 1):.1f} ms; CPU of a batch {self.loop_us + self.writer_us:.0f} us "
                  f"({self.loop_us:.0f} loop, {self.writer_us:.0f} writer), memory "
                  f"{memory_mib(self.server.process.pid):.0f} MiB; CPU of an agent "
                  f"{agents * 1e6:.0f} us a second", flush=True)
        return len(answers)


def rest(scene, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(min(0.5, max(0, deadline - time.monotonic())))
        scene.check()


def ramp_up(scene):
    for fleet in scene.fleets:
        fleet.start()
    rest(scene, 2 * scene.options.seal + 2)


def results(counts):
    return ", ".join(f"{int(value)} {name.split(chr(34))[1]}" for name, value in counts.items()
                     if name.startswith("plprobe_ingest_batches_total") and value > 0)


def restart(scene):
    """kill -9 for the collector and for some of the agents; how long until all is as before."""
    options = scene.options
    scene.collector.kill()
    killed = scene.fleets[:options.kill_agents]
    for fleet in killed:
        fleet.kill()
    time.sleep(options.down)
    for fleet in killed:
        fleet.start()
    ready = scene.start_collector()
    began = time.monotonic()
    phase = Phase(scene, "after the restart", scene.collector)
    slowed = Slowed(scene.collector, options.share)
    try:
        most, level = scene.wait_level(began)
    finally:
        slowed.end()
    phase.end()
    counts = scene.metrics()
    print(f"restart: collector and {sum(fleet.count for fleet in killed)} agents killed, down for "
          f"{options.down} s, then with {options.share:.0%} of its time; answers {ready:.1f} s after its start; 99 % of the agents "
          f"level {most:.1f} s later, all {level:.1f} s; {int(counts['plprobe_connections_accepted_total'])} connections "
          f"came; batches: {results(counts)}", flush=True)


def drain(scene):
    """Every agent seals what it has at the same moment, and goes when it is acknowledged."""
    began, before = time.monotonic(), scene.metrics()
    for fleet in scene.fleets:
        fleet.process.send_signal(signal.SIGTERM)
    for fleet in scene.fleets:
        try:
            fleet.process.wait(max(1, PATIENCE_S - (time.monotonic() - began)))
        except subprocess.TimeoutExpired:
            raise Failed(f"{fleet.name} does not drain: {fleet.last()}") from None
        if fleet.process.returncode != 0:
            raise Failed(f"{fleet.name} ended with {fleet.process.returncode}")
    answers = scene.answers(began, time.monotonic())
    counts = {name: value - before[name] for name, value in scene.metrics().items() if name in before}
    print(f"all at once: {scene.options.agents} agents sealed at one moment; {len(answers)} batches in "
          f"{time.monotonic() - began:.1f} s, acknowledged after p50 {quantile(answers, .5):.0f} ms, "
          f"p99 {quantile(answers, .99):.0f} ms; {results(counts)}", flush=True)


def run_floor(scene, main):
    """The same fleet before a server that only takes bytes."""
    floor = Program("floor", [
        f"{BUILD}/tests/floor", "--port", str(scene.port), "--certificate", f"{scene.folder}/cert.pem",
        "--key", f"{scene.folder}/key.pem", "--ca", f"{scene.folder}/collector/ca.pem", "--store",
        f"{scene.folder}/floor.db"], scene.log)
    floor.start()
    time.sleep(0.5)
    try:
        for fleet in scene.fleets:
            fleet.command[fleet.command.index("--log") + 1] = "/dev/null"
            fleet.lines.clear()
            fleet.start()
        time.sleep(2 * scene.options.seal + 2)
        phase = Phase(scene, "floor, TLS, HTTP and one row", floor)
        time.sleep(max(scene.options.seal, scene.options.seconds / 4))
        phase.end()
        least = phase.loop_us + phase.writer_us
        print(f"CPU of a batch, collector / floor: {(main.loop_us + main.writer_us) / least:.2f}")
    finally:
        for program in [floor, *scene.fleets]:
            if program.process is not None and program.process.poll() is None:
                program.kill()


def play(scene):
    options = scene.options
    scene.enrol()
    ramp_up(scene)
    steady = Phase(scene, "steady", scene.collector)
    rest(scene, options.seconds / 2)
    steady.end()
    rss = scene.sum("rss_kib") / options.agents
    print(f"{int(scene.metrics()['plprobe_connections'])} connections; one agent: {rss:.1f} KiB of "
          f"memory, all in {options.processes} processes", flush=True)
    restart(scene)
    again = Phase(scene, "steady again", scene.collector)
    rest(scene, options.seconds / 2)
    again.end()
    drain(scene)
    memory = memory_mib(scene.collector.process.pid)
    scene.collector.stop()
    sizes = os.path.getsize(scene.store) / 2**20
    began = time.monotonic()
    tally = judge([fleet.made for fleet in scene.fleets], scene.store, options.accounts)
    print(f"store: {sizes:.0f} MiB, {sizes * 2**20 / max(1, tally['batches']):.0f} bytes a batch, collector "
          f"{memory:.0f} MiB at the end; judged in {time.monotonic() - began:.0f} s")
    print(f"{tally['agents']} agents, {tally['made']} results made, {tally['promised']} promised, "
          f"{tally['found']} found, {tally['lost']} lost, {tally['duplicated']} duplicated, "
          f"{tally['invented']} invented, {tally['altered']} altered, {tally['declared']} declared "
          f"lost; {tally['batches']} batches", flush=True)
    for name in ("lost", "duplicated", "invented", "altered", "declared"):
        if tally[name] != 0:
            raise Failed(f"{tally[name]} {name}")
    if tally["agents"] != options.agents or tally["promised"] < options.agents:
        raise Failed("not every agent has made anything")
    if options.floor:
        run_floor(scene, again)


def check_descriptors(options):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    wanted = max(options.agents * 5 // 4 + 128, options.agents // options.processes * FDS_OF_AGENT + 64)
    if hard < wanted:
        raise Failed(f"{wanted} descriptors wanted in one process, {hard} allowed: fewer agents, or "
                     "more --processes")


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=8, help="of the two quiet times together")
    parser.add_argument("--accounts", type=int, default=1, help="that each agent looks at")
    parser.add_argument("--every", type=float, default=2, help="seconds between looks at one name")
    parser.add_argument("--seal", type=float, default=1, help="seconds that make a batch")
    parser.add_argument("--down", type=float, default=1, help="seconds without a collector")
    parser.add_argument("--kill-agents", type=int, default=1, help="processes killed with it")
    parser.add_argument("--share", type=float, default=1, metavar="0 TO 1",
                        help="of its time that the collector gets until all agents are level")
    parser.add_argument("--enrol", type=int, default=5, help="agents that come in by the door")
    parser.add_argument("--spools", default="/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
                        help="where the agents' spools are")
    parser.add_argument("--set", action="append", default=[], metavar="'KEY: VALUE'",
                        help="another line of the collector's configuration")
    parser.add_argument("--floor", action="store_true", help="and the same before a bare server")
    parser.add_argument("--keep", action="store_true")
    return parser.parse_args()


def main():
    options = read_options()
    folder = tempfile.mkdtemp(prefix="plprobe-sim-")
    scene, failed = None, False
    try:
        check_descriptors(options)
        with open(f"{folder}/log", "w", encoding="utf-8") as log:
            scene = Scene(options, folder, log)
            play(scene)
    except Failed as error:
        failed = True
        if os.path.exists(f"{folder}/log"):
            with open(f"{folder}/log", encoding="utf-8", errors="replace") as log:
                print("".join(log.readlines()[-30:]), file=sys.stderr)
        print(f"sim: {error}", file=sys.stderr)
    finally:
        if scene is not None:
            scene.kill_all()
            if not options.keep:
                shutil.rmtree(scene.spools, ignore_errors=True)
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"kept: {folder}, {scene.spools if scene else ''}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
