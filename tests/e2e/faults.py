#!/usr/bin/env python3
"""Agents deliver to a collector while everything around them goes wrong; afterwards every result
that was promised is in the store, once, or declared lost where a disk took it.

    faults.py [--seconds N] [--agents N] [--seed N] [--only FAULT,...] [--keep]

The agents are tests/fake/feeder: the real spool and upload, with numbered results.  The judge is
independent of the programs: it compares what each feeder wrote down before and after it handed a
result to the spool with the collector's tables, read with a decoder of its own.  As root it works
in network and mount namespaces of its own, and has all faults; else those that need them are left
out, and it says so.
"""

import argparse
import collections
import ctypes
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from delivery import BUILD, Failed, Program, Unpacker, free_port, make_account
from faulty import NameServer, Relay, start_stranger

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
import kernel  # noqa: E402

# What a disk may take, and what then has to be declared: as many; at least one, since damage can hide
# how many there were; nothing, since what is deleted leaves no trace.
HARMS = ["refused", "damaged", "deleted"]
LIVES = 40  # of an agent: the collector takes 64 epochs of one a day
DISK_KIB, STORE_KIB = 6144, 96 * 1024


def Slowed(scene, name, command):
    """A program whose disk is as slow as the scene says."""
    program = Program(name, command, scene.log)
    program.environment = dict(
        os.environ, LD_PRELOAD=f"{BUILD}/tests/libslow_sync.so", SLOW_SYNC=f"{scene.folder}/slow",
        ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")
    return program


class Agent:
    """A feeder, its spool, and its log; takes another name before its epochs run out."""

    def __init__(self, scene, number):
        self.scene, self.number, self.life, self.index = scene, number, 0, 0
        self.harm = {}  # name -> the worst that was done to its disk, see HARMS
        self.program = None
        self.rename()

    def rename(self):
        self.name = f"vm-{self.number}-{self.index}"
        self.life, self.next = 0, 0
        self.index += 1
        self.scene.make_token(self.name)
        self.scene.names.append(self.name)

    def path(self, what, name=None):
        return f"{self.scene.folder}/{what}/{name or self.name}"

    def command(self, name, *more):
        return [f"{BUILD}/tests/feeder", "--agent", name, "--spool", self.path("disk", name),
                "--url", self.scene.url, "--ca", f"{self.scene.folder}/certificate.pem", "--token",
                self.path("tokens", name), "--log", self.path("made", name), "--clock",
                f"{self.scene.folder}/clock", *more]

    def start(self):
        self.life += 1
        if self.life > LIVES:
            self.rename()
        self.next = max([self.next - 1, *read_log(self.path("made")).keys()]) + 1
        self.program = Slowed(self.scene, self.name, self.command(
            self.name, "--from", str(self.next), "--every-us",
            str(self.scene.draw.choice([3000, 10000, 25000]))))
        self.program.start()

    def kill(self):
        self.program.kill()

    def harmed(self, how):
        self.harm[self.name] = max(how, self.harm.get(self.name, how), key=HARMS.index)


def read_log(path):
    """number -> sign of the last line about it; "=" stays."""
    signs = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    signs[int(line[1:])] = line[0]
    return signs


class Scene:
    def __init__(self, folder, log, draw, agents, rooted):
        self.folder, self.log, self.draw, self.rooted = folder, log, draw, rooted
        self.names = []
        self.listen, self.front = free_port(), free_port()
        for name in ("accounts", "collector", "tokens", "made", "disk"):
            os.mkdir(f"{folder}/{name}")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=collector",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:collector.test", "-keyout",
             f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"], check=True,
            capture_output=True)
        self.set_clock(0)
        self.write("slow", "")
        self.write("collector.yaml", f"""
listen: "127.0.0.1:{self.listen}"
certificate: certificate.pem
key: key.pem
page: "127.0.0.1:{free_port()}"
store: "sqlite:{folder}/collector/store.db"
state_dir: collector
accounts_dir: accounts
sweep: false
log_level: error
""")
        stranger = free_port()
        start_stranger(stranger, folder)
        self.relay = Relay(self.front, self.listen, stranger)
        self.name_server = NameServer() if rooted else None
        host = "collector.test" if rooted else "127.0.0.1"
        self.url = f"https://{host}:{self.front}"
        if rooted:
            self.enter_root()
        self.collector = Slowed(self, "collector", [f"{BUILD}/plprobe-collector", "run", "--config",
                                                    f"{folder}/collector.yaml"])
        self.agents = [Agent(self, number) for number in range(agents)]

    def enter_root(self):
        """A small disk for the spools, our own resolver, and a table of packets to lose."""
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k", "spools", f"{self.folder}/disk")
        run("mount", "-t", "tmpfs", "-o", f"size={STORE_KIB}k", "store", f"{self.folder}/collector")
        self.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        run("mount", "--bind", f"{self.folder}/resolv.conf", os.path.realpath("/etc/resolv.conf"))
        run("nft", "add table inet faults")
        run("nft", "add chain inet faults in { type filter hook input priority 0; }")

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def set_clock(self, off_ms):
        self.write("clock.new", f"{off_ms}\n")
        os.rename(f"{self.folder}/clock.new", f"{self.folder}/clock")

    def make_token(self, name):
        made = subprocess.run(
            [f"{BUILD}/plprobe-collector", "token", "create", name, "--bearer", "--network", "vnet-a",
             "--config", f"{self.folder}/collector.yaml"], check=True, capture_output=True,
            text=True)
        self.write(f"tokens/{name}", made.stdout)
        if getattr(self, "collector", None) and self.collector.process is not None:
            self.collector.process.send_signal(signal.SIGHUP)

    def pause(self, low, high):
        time.sleep(self.draw.uniform(low, high))

    def start_collector(self):
        """Until it lives: a port may still be the one before's."""
        self.collector.start()
        time.sleep(0.1)


def run(*command):
    words = command if len(command) > 1 and command[0] != "nft" else command[0].split()
    if command[0] == "nft":
        words = ["nft", command[1]]
    subprocess.run(words, check=True, capture_output=True)


# Faults.  Each begins, lasts, and heals.

def kill_agent(scene):
    agent = scene.draw.choice(scene.agents)
    agent.kill()
    scene.pause(0, 0.2)
    agent.start()


def kill_collector(scene):
    scene.collector.kill()
    scene.pause(0, 0.3)
    scene.start_collector()


def kill_both(scene):
    scene.collector.kill()
    for agent in scene.agents:
        agent.kill()
    scene.start_collector()
    for agent in scene.agents:
        agent.start()


def pause_one(scene):
    program = scene.draw.choice([scene.collector, scene.draw.choice(scene.agents).program])
    program.process.send_signal(signal.SIGSTOP)
    scene.pause(0.2, 1)
    program.process.send_signal(signal.SIGCONT)


def relayed(mode):
    def fault(scene):
        scene.relay.mode = mode
        scene.pause(0.3, 1.5)
        if scene.draw.random() < 0.5:
            kill_agent(scene)
        scene.relay.mode = "pass"
    return fault


def packets(rule):
    def fault(scene):
        run("nft", f"add rule inet faults in tcp dport {scene.front} {rule}")
        scene.pause(0.3, 1.5)
        run("nft", "flush chain inet faults in")
    return fault


def names(mode):
    def fault(scene):
        scene.name_server.mode = mode
        kill_agent(scene)  # else the connection that is there is used
        scene.pause(0.3, 1)
        scene.name_server.mode = "pass"
        kill_agent(scene)
    return fault


def fill_disk(scene):
    for agent in scene.agents:
        agent.harmed("refused")
    with open(f"{scene.folder}/disk/filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    scene.relay.mode = scene.draw.choice(["pass", "hold"])
    scene.pause(0.5, 1.5)
    if scene.draw.random() < 0.5:
        kill_agent(scene)
    os.unlink(f"{scene.folder}/disk/filler")
    scene.relay.mode = "pass"


def fill_store(scene):
    """The collector's disk: it must not acknowledge what it cannot store, and goes on by itself."""
    with open(f"{scene.folder}/collector/filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 65536):
                pass
        except OSError:
            pass
    scene.pause(1, 2)
    if scene.draw.random() < 0.5:
        kill_agent(scene)
    os.unlink(f"{scene.folder}/collector/filler")


def slow_disk(scene):
    """Each sync of everybody takes up to three seconds."""
    scene.write("slow", str(scene.draw.randrange(200, 3000)))
    scene.pause(1, 3)
    if scene.draw.random() < 0.5:
        kill_agent(scene)
    scene.write("slow", "")


def make_read_only(scene):
    """As soon as nobody has a file open for writing."""
    for agent in scene.agents:
        agent.harmed("refused")
    libc = ctypes.CDLL(None, use_errno=True)
    path = f"{scene.folder}/disk".encode()
    remount, read_only = 32, 1
    for agent in scene.agents:
        agent.kill()
    newcomer = scene.draw.choice(scene.agents)  # its folder is not there, and cannot be made
    newcomer.rename()
    newcomer.harmed("refused")
    if libc.mount(b"spools", path, b"tmpfs", remount | read_only, None) != 0:
        raise Failed(f"the disk cannot be made read-only: {os.strerror(ctypes.get_errno())}")
    for agent in scene.agents:
        agent.start()
    scene.pause(0.5, 1)
    if libc.mount(b"spools", path, b"tmpfs", remount, None) != 0:
        raise Failed("the disk cannot be made writable again")


def damage_files(scene):
    """Torn at the end, or bits flipped, in a few files of a spool whose agent was killed."""
    agent = scene.draw.choice(scene.agents)
    agent.harmed("damaged")
    scene.relay.mode = "hold"
    scene.pause(0.3, 0.8)
    agent.kill()
    folder = agent.path("disk")
    files = [name for name in os.listdir(folder) if name.endswith((".seg", ".open"))]
    for name in scene.draw.sample(files, min(3, len(files))):
        path = f"{folder}/{name}"
        size = os.path.getsize(path)
        if size > 0 and scene.draw.random() < 0.5:
            # A tail is torn within its last record: a whole one that is cut off leaves no trace.
            most = size - 1 if name.endswith(".seg") else 20
            os.truncate(path, max(0, size - scene.draw.randint(1, max(1, most))))
        elif size > 0:
            with open(path, "r+b") as file:
                at = scene.draw.randrange(size)
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1 << scene.draw.randrange(8)]))
    scene.relay.mode = "pass"
    agent.start()


def delete_folder(scene):
    agent = scene.draw.choice(scene.agents)
    agent.harmed("deleted")
    shutil.rmtree(agent.path("disk"), ignore_errors=True)
    scene.pause(0.3, 0.8)


def hold_store(scene):
    """Somebody else writes to the collector's database, for longer than it waits."""
    connection = sqlite3.connect(f"{scene.folder}/collector/store.db", timeout=5,
                                 isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
        scene.pause(0.5, 6)
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        pass
    finally:
        connection.close()


def spoil_store(scene):
    """A database that is none: the collector must not acknowledge anything with it."""
    store, copy = f"{scene.folder}/collector", f"{scene.folder}/collector.copy"
    scene.collector.kill()
    shutil.copytree(store, copy)
    with open(f"{store}/store.db", "r+b") as file:
        file.write(os.urandom(4096))
    # What a kill left there has the first page too, and would make the database whole again.
    for log in ("store.db-wal", "store.db-shm"):
        if os.path.exists(f"{store}/{log}"):
            os.remove(f"{store}/{log}")
    scene.start_collector()
    scene.pause(0.5, 1.5)
    if scene.collector.process.poll() is None:
        scene.collector.kill()
    for name in os.listdir(store):  # it may be a disk of its own
        os.unlink(f"{store}/{name}")
    for name in os.listdir(copy):
        shutil.move(f"{copy}/{name}", f"{store}/{name}")
    os.rmdir(copy)
    scene.start_collector()


def jump_clock(scene):
    year = 365 * 86400 * 1000
    for _ in range(3):
        scene.set_clock(scene.draw.choice([-10 * year, 10 * year, -3600000, 3600000]))
        scene.pause(0.2, 0.5)
    scene.set_clock(0)


def take_descriptors(scene):
    victims = [(scene.collector, 24)] + [(agent.program, 12) for agent in scene.agents]
    program, most = scene.draw.choice(victims)
    try:
        soft, hard = resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE,
                         (scene.draw.randrange(3, most), hard))
        scene.pause(0.3, 1)
        resource.prlimit(program.process.pid, resource.RLIMIT_NOFILE, (soft, hard))
    except ProcessLookupError:
        pass
    if program is scene.collector and program.process.poll() is None:
        return
    if program.process.poll() is not None:
        raise Failed(f"{program.name} ended for want of descriptors")


EVERYWHERE = {
    "kill-agent": kill_agent, "kill-collector": kill_collector, "kill-both": kill_both,
    "pause": pause_one, "relay-hold": relayed("hold"), "relay-reset": relayed("reset"),
    "relay-slow": relayed("slow"), "relay-cut": relayed("cut"), "relay-deaf": relayed("deaf"),
    "tls-garbage": relayed("garbage"), "tls-stranger": relayed("stranger"),
    "files-damaged": damage_files, "folder-deleted": delete_folder, "store-busy": hold_store,
    "store-corrupted": spoil_store, "disk-slow": slow_disk, "clock-jumps": jump_clock, "descriptors": take_descriptors,
}
ROOTED = {
    "partition": packets("drop"), "tcp-reset": packets("reject with tcp reset"),
    "loss": packets("numgen random mod 100 < 40 drop"), "disk-full": fill_disk,
    "read-only": make_read_only, "store-full": fill_store, "dns-garbage": names("garbage"), "dns-servfail": names("servfail"),
    "dns-missing": names("missing"), "dns-silent": names("silent"),
}
# More often than the others: what the promise is about first of all.
WEIGHTS = {"kill-agent": 8, "kill-collector": 4, "kill-both": 2}


def inject(scene, faults, seconds, counts):
    """Each fault once, in any order, then as drawn until time is over."""
    queue = list(faults)
    scene.draw.shuffle(queue)
    weights = [WEIGHTS.get(name, 1) for name in faults]
    deadline = time.monotonic() + seconds
    while queue or time.monotonic() < deadline:
        name = queue.pop() if queue else scene.draw.choices(list(faults), weights)[0]
        faults[name](scene)
        counts[name] += 1
        for program in [scene.collector] + [agent.program for agent in scene.agents]:
            if program.process.poll() is not None:
                raise Failed(f"{name}: {program.name} ended by itself, status "
                             f"{program.process.returncode}")
        scene.pause(0.02, 0.2)


def drain(scene):
    """Whatever is still in a spool is delivered: each name once more, without new results."""
    for agent in scene.agents:
        agent.kill()
    for name in scene.names:
        agent = scene.agents[0]
        try:
            ended = subprocess.run(agent.command(name), stdout=scene.log, stderr=scene.log,
                                   timeout=90, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"{name}: the spool does not drain: "
                         f"{sorted(os.listdir(agent.path('disk', name)))[:20]}") from None
        if ended.returncode != 0:
            raise Failed(f"{name}: ended with {ended.returncode} while it drained")


class Tally(collections.Counter):
    pass


def read_store(path):
    """agent -> (number -> how often it is stored), and agent -> records that are declared lost."""
    stored, declared, tally = {}, collections.Counter(), Tally()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for agent, body in database.execute("SELECT agent, body FROM batches"):
            numbers = stored.setdefault(agent, collections.Counter())
            tally["batches"] += 1
            for record in Unpacker(body).value()[10]:
                if 1 in record:
                    numbers[int(record[1][6])] += 1
                elif 3 in record and record[3].get(5) != b"moved":
                    declared[agent] += record[3].get(4, 0)
    return stored, declared, tally


def judge(scene):
    stored, declared, tally = read_store(f"{scene.folder}/collector/store.db")
    harms = {}
    for agent in scene.agents:
        harms.update(agent.harm)
    for name in scene.names:
        made = read_log(f"{scene.folder}/made/{name}")
        got = stored.get(name, collections.Counter())
        promised = {number for number, sign in made.items() if sign == "="}
        missing = sorted(promised - set(got))
        twice = sorted(number for number, count in got.items() if count > 1)
        invented = sorted(set(got) - set(made))
        tally.update(made=len(made), promised=len(promised), declared=declared[name],
                     found=len(promised & set(got)), missing=len(missing), twice=len(twice))
        if twice or invented:
            raise Failed(f"{name}: stored twice {twice[:9]}, never made {invented[:9]}")
        owed = {None: 0, "refused": declared[name], "damaged": len(made) if declared[name] else 0,
                "deleted": len(made)}[harms.get(name)]
        tally["deleted"] += len(missing) if harms.get(name) == "deleted" else 0
        if len(missing) > owed:
            raise Failed(f"{name}: {len(missing)} promised results are missing, "
                         f"{declared[name]} declared lost: {missing[:9]}")
    return tally


def play(options, folder, log, rooted):
    draw = random.Random(options.seed)
    random.seed(options.seed)
    faults = dict(EVERYWHERE, **ROOTED) if rooted else EVERYWHERE
    if options.only:
        faults = {name: faults[name] for name in options.only.split(",")}
    scene, counts = Scene(folder, log, draw, options.agents, rooted), collections.Counter()
    try:
        scene.start_collector()
        for agent in scene.agents:
            agent.start()
        time.sleep(0.5)
        inject(scene, faults, options.seconds, counts)
        drain(scene)
        scene.collector.stop()
        tally = judge(scene)
    finally:
        for program in [scene.collector] + [agent.program for agent in scene.agents]:
            if program is not None and program.process and program.process.poll() is None:
                program.kill()
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    print(f"{sum(counts.values())} faults injected; {tally['made']} results made, "
          f"{tally['promised']} promised, {tally['found']} found, {tally['missing']} lost with a "
          f"disk that was full, damaged or ({tally['deleted']}) deleted: {tally['declared']} are "
          f"declared; 0 lost otherwise, {tally['twice']} duplicated, {tally['batches']} batches")
    if not rooted:
        print("left out, since they need root: " + ", ".join(ROOTED))
    if tally["promised"] == 0 or tally["found"] == 0:
        raise Failed("nothing was tried")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--agents", type=int, default=3)
    parser.add_argument("--seed", type=int,
                        default=int(os.environ.get("SEED", time.time_ns() % 1000000)))
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", action="store_true", help="leave spools, store and log")
    options = parser.parse_args()
    rooted = os.geteuid() == 0
    if rooted and os.environ.get("FAULTS_INSIDE") != "1":
        os.environ["FAULTS_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "unchanged", "--",
                              sys.executable, *sys.argv, "--seed", str(options.seed)])
    if rooted:
        kernel.make_private()
        run("ip", "link", "set", "lo", "up")
    folder = tempfile.mkdtemp(prefix="plprobe-faults-")
    print(f"faults: --seed {options.seed} --seconds {options.seconds}", flush=True)
    failed = False
    try:
        with open(f"{folder}/log", "w", encoding="utf-8") as log:
            play(options, folder, log, rooted)
    except Failed as error:
        failed = True
        with open(f"{folder}/log", encoding="utf-8", errors="replace") as log:
            print("".join(log.readlines()[-40:]), file=sys.stderr)
        print(f"faults: {error}; see {folder}", file=sys.stderr)
    if rooted and not failed:
        subprocess.run(["umount", "-l", f"{folder}/disk", f"{folder}/collector"], check=False)
    if not options.keep and not failed:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
