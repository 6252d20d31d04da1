#!/usr/bin/env python3
"""The collector under attack: real agents deliver through it while everybody in attackers.py works at
it, each from an address of its own.  In the middle the certificate is changed, a bad one is offered,
and identities are revoked.

At the end: what the agents had on disk is stored, once; the collector lives, its memory has stayed
within bounds, its descriptors are back, its page answers, and no attack has seen what it must not.

  --seconds N     how long the attacks go on (14)
  --only A,B      some of them, by their names
  --seed N        of what is drawn
  --keep          leave the folder
"""

import argparse
import glob
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from attackers import ATTACKS, Broken, Gone, Peer, make_batch, post
from delivery import BUILD, Failed, Program, Unpacker, free_port, make_account, read_spool, signed

AGENTS = ("vm-a", "vm-b", "vm-c")
OPEN_FILES = 1024
# Twice what is seen; AddressSanitizer surrounds and keeps what is allocated.
GROWTH_MAX, GROWTH_MAX_ASAN = 128 << 20, 768 << 20
PATIENCE_S = 60


def openssl(*words, folder):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)


class Authority:
    """One that signs certificates and revokes them."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "9", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
                f"{name}.pem", folder=folder)
        with open(f"{folder}/{name}.cnf", "w", encoding="utf-8") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={folder}/{name}.index\n"
                       f"certificate={folder}/{name}.pem\nprivate_key={folder}/{name}.key\n"
                       f"default_md=sha256\ndefault_crl_days=9\n")
        open(f"{folder}/{name}.index", "w", encoding="utf-8").close()

    def sign(self, name, subject, *extensions):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                folder=self.folder)
        with open(f"{self.folder}/{name}.ext", "w", encoding="utf-8") as file:
            file.write("\n".join(extensions) + "\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey",
                f"{self.name}.key", "-CAcreateserial", "-days", "5", "-extfile", f"{name}.ext",
                "-out", f"{name}.pem", folder=self.folder)

    def revoke(self, *names):
        for name in names:
            openssl("ca", "-config", f"{self.name}.cnf", "-revoke", f"{name}.pem",
                    folder=self.folder)
        openssl("ca", "-config", f"{self.name}.cnf", "-gencrl", "-out", "fresh.crl",
                folder=self.folder)
        os.rename(f"{self.folder}/fresh.crl", f"{self.folder}/{self.name}.crl")


class World:
    """What the attackers know, and the scene that they work in."""

    def __init__(self, folder, log, log_path, seed):
        self.folder, self.log, self.log_path, self.seed = folder, log, log_path, seed
        self.port, self.page = free_port(), free_port()
        self.patience_s, self.address_connections = 8, 320
        self.over = threading.Event()
        self.make_certificates()
        for name in ("accounts", "collector", *AGENTS):
            os.mkdir(f"{folder}/{name}")
        self.write("accounts/contoso.json", json.dumps(make_account()))
        self.write_collector("collector.pem")
        self.tokens = {name: self.collect("token", "create", name, "--bearer").strip()
                       for name in ("vm-x", "vm-y", "vm-c")}
        self.tokens["enrolment"] = self.collect("token", "create", "vm-z").strip()
        self.collector = Program("collector", [
            "prlimit", f"--nofile={OPEN_FILES}:{OPEN_FILES}", f"{BUILD}/plprobe-collector", "run",
            "--config", f"{folder}/collector.yaml"], log)
        self.agents = [self.make_agent(name) for name in AGENTS]

    def make_certificates(self):
        folder = self.folder
        root, self.operators, other = (Authority(folder, name) for name in
                                       ("root", "operators", "other"))
        for name in ("collector", "collector2"):
            root.sign(name, "collector", "subjectAltName=IP:127.0.0.1",
                      "extendedKeyUsage=serverAuth")
        self.operators.sign("revoked", "vm-r", "extendedKeyUsage=clientAuth")
        self.operators.sign("later", "vm-l", "extendedKeyUsage=clientAuth")
        self.operators.sign("server-only", "vm-a", "extendedKeyUsage=serverAuth")
        other.sign("another-authority", "vm-a", "extendedKeyUsage=clientAuth")
        Authority(folder, "self-signed")
        self.operators.revoke("revoked")
        openssl("req", "-new", "-key", "other.key", "-subj", "/CN=vm-a", "-outform", "DER", "-out",
                "guess.csr", folder=folder)
        self.csr = subprocess.run(["openssl", "base64", "-A", "-in", f"{folder}/guess.csr"],
                                  check=True, capture_output=True, text=True).stdout

    def write(self, name, text, mode=0o644):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{self.folder}/{name}", mode)

    def write_collector(self, certificate):
        self.write("collector.yaml", f"""
listen: "127.0.0.1:{self.port}"
certificate: {certificate}
key: {certificate.replace(".pem", ".key")}
client_ca: operators.pem
client_crl: operators.crl
page: "127.0.0.1:{self.page}"
store: "sqlite:{self.folder}/collector/store.db"
state_dir: collector
accounts_dir: accounts
address_connections: {self.address_connections}
sweep: false
""")

    def make_agent(self, name):
        self.write(f"{name}.token", self.tokens.get(name, ""), 0o600)
        self.write(f"{name}.yaml", f"""
agent: {name}
network: vnet-{name}
collector: "https://127.0.0.1:{self.port}"
collector_ca: root.pem
{"token_file: " + name + ".token" if name in self.tokens else ""}
state_dir: {name}
resolvers: ["127.0.0.1:{free_port()}"]
accounts:
  - document: accounts/contoso.json
sweep: false
interval: 1s
timeout: 1s
flush: 0ms
seal_age: 200ms
allow_loopback: true
""")
        return Program(name, [f"{BUILD}/plprobe", "agent", "--config",
                              f"{self.folder}/{name}.yaml"], self.log)

    def run(self, *words, text=None):
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def collect(self, *words):
        return self.run(f"{BUILD}/plprobe-collector", *words, "--config",
                        f"{self.folder}/collector.yaml")

    def enrol(self, name):
        self.run(f"{BUILD}/plprobe", "enroll", "--config", f"{self.folder}/{name}.yaml",
                 "--token-file", "-", text=self.collect("token", "create", name))

    def logged(self, pattern):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return re.findall(pattern, log.read())

    def wait(self, wanted, what, seconds=PATIENCE_S):
        deadline = time.monotonic() + seconds
        while not wanted():
            self.collector.check()
            if time.monotonic() > deadline:
                raise Failed(f"not in {seconds} s: {what}")
            time.sleep(0.1)

    def metric(self, name):
        """The sum of its samples; 0 where there is none."""
        text = self.get("/metrics").decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if re.match(re.escape(name) + r"[ {]", line))

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}{path}", timeout=20) as answer:
            return answer.read()

    def batches(self):
        """(agent, epoch, seq) -> records."""
        database = sqlite3.connect(f"file:{self.folder}/collector/store.db?mode=ro", uri=True)
        try:
            rows = database.execute("SELECT agent, epoch, seq, body FROM batches").fetchall()
            gaps = database.execute("SELECT count(*) FROM gaps").fetchone()[0]
        finally:
            database.close()
        if gaps:
            raise Failed(f"{gaps} losses were declared, none was due")
        found = {}
        for agent, epoch, seq, body in rows:
            if (agent, epoch, seq) in found:
                raise Failed(f"batch {agent} {epoch}/{seq} is stored twice")
            batch = Unpacker(body).value()
            if batch[2].decode() != agent:
                raise Failed(f"a batch of {batch[2]} is stored as one of {agent}")
            found[agent, epoch, seq] = len(batch[10])
        return found

    def has_stored_all(self):
        return os.path.exists(f"{self.folder}/collector/store.db") and \
            set(AGENTS) <= {agent for agent, _, _ in self.batches()}


class Watch(threading.Thread):
    """What the collector takes, what the agents promise, and how long an honest question takes."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.promised = world, {}
        self.rss = self.files = 0
        with open(f"/proc/{world.collector.process.pid}/maps", encoding="ascii") as file:
            self.sanitized = re.search("lib[at]san", file.read()) is not None
        self.slowest_s = 0.0
        self.asked = self.failed = 0

    def look(self):
        pid = self.world.collector.process.pid
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            rss = int(file.read().split()[1]) * resource.getpagesize()
        files = len(os.listdir(f"/proc/{pid}/fd"))
        self.rss, self.files = max(self.rss, rss), max(self.files, files)
        return rss, files

    def note_spools(self):
        for name in AGENTS:
            try:
                found = read_spool(f"{self.world.folder}/{name}/spool")
            except FileNotFoundError:
                continue
            for (epoch, seq), records in found.items():
                key = name, signed(epoch), seq
                self.promised[key] = max(records, self.promised.get(key, 0))

    def ask(self):
        began = time.monotonic()
        try:
            with Peer(self.world, "127.0.0.9") as peer:
                self.failed += peer.ask("GET", "/healthz")[0] != 200
        except Gone:
            self.failed += 1
        self.asked += 1
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def run(self):
        while not self.world.over.wait(0.25):
            self.look()
            self.note_spools()
            self.ask()


def run_attack(world, name, seen, broken):
    try:
        seen[name] = ATTACKS[name](world)
    except Broken as error:
        broken[name] = str(error)
    except Exception as error:  # pylint: disable=broad-except
        broken[name] = f"{type(error).__name__}: {error}"


def serial_now(world):
    with Peer(world, "127.0.0.8") as peer:
        return peer.socket.getpeercert()["serialNumber"]


def hang_up(world, pattern):
    before = len(world.logged(pattern))
    world.collector.process.send_signal(signal.SIGHUP)
    world.wait(lambda: len(world.logged(pattern)) > before, f"a reload: {pattern}", 15)


def change_certificate(world):
    """Who is there stays; who comes sees the new one; a bad file changes nothing."""
    first = serial_now(world)
    with Peer(world, "127.0.0.8") as peer:
        if peer.ask("GET", "/healthz")[0] != 200:
            raise Failed("no answer before the change")
        world.write_collector("collector2.pem")
        hang_up(world, "configuration, tokens, readers and certificates are read again")
        if peer.ask("GET", "/healthz")[0] != 200:
            raise Failed("a connection ended with the change of the certificate")
    second = serial_now(world)
    if first == second:
        raise Failed("new connections see the old certificate")
    world.write("broken.pem", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    world.write("broken.key", "")
    world.write_collector("broken.pem")
    hang_up(world, "broken.pem: not the certificate.*stays in force")
    if serial_now(world) != second:
        raise Failed("a bad file has replaced the certificate")
    world.write_collector("collector2.pem")
    return "certificate changed: who was there stayed, who came saw it; a broken one changed nothing"


def revoke(world):
    """At the next request of a connection that is there: by the operator's list, and by ours."""
    with Peer(world, "127.0.0.8", "later") as peer, Peer(world, "127.0.0.8") as other:
        if peer.ask("GET", "/v1/assignment")[0] != 200:
            raise Failed("a certificate of the operator's authority is not taken")
        body = make_batch("vm-y", 1, 1)
        if post(other, body, world.tokens["vm-y"])[0] not in (200, 429):
            raise Failed("a token is not taken")
        world.operators.revoke("later")
        world.collect("agents", "revoke", "vm-y")
        status = post(other, body, world.tokens["vm-y"])[0]
        if status != 401:
            raise Failed(f"{status} for a token that was revoked")
        deadline = time.monotonic() + 10
        while peer.ask("GET", "/v1/assignment")[0] != 403:
            if time.monotonic() > deadline:
                raise Failed("a certificate that its authority has revoked is taken")
            time.sleep(0.5)
    return "revoked in the middle of a connection: a token at once, a certificate with its list"


def join_all(threads):
    for thread in threads:
        thread.join(45)
        if thread.is_alive():
            raise Failed(f"the attack '{thread.name}' does not end")


def calm_down(world, watch, files):
    """Everybody has gone: so have their descriptors."""
    world.wait(lambda: watch.look()[1] <= files + 8, f"{files} descriptors, as before", 45)
    page = world.get("/")
    if b"<html" not in page.lower():
        raise Failed("the page does not answer")


def judge(world, watch):
    stored = world.batches()
    for key, records in watch.promised.items():
        if stored.get(key, 0) < records:
            raise Failed(f"batch {key}: {records} records lay in the spool, "
                         f"{stored.get(key, 0)} are stored")
    for agent, epoch in {(agent, epoch) for agent, epoch, _ in stored if agent in AGENTS}:
        numbers = sorted(seq for a, e, seq in stored if (a, e) == (agent, epoch))
        if numbers != list(range(1, len(numbers) + 1)):
            raise Failed(f"{agent}, epoch {epoch}: of its batches only {numbers} are stored")
    honest = {key: count for key, count in stored.items() if key[0] in AGENTS}
    print(f"{len(watch.promised)} batches lay in spools; {len(honest)} of the agents are stored with "
          f"{sum(honest.values())} records: none lost, none twice")
    if not watch.promised or {agent for agent, _, _ in honest} != set(AGENTS):
        raise Failed("nothing was tried")


def drain(world):
    """Agents end, and what they leave is sent by their next start."""
    for _ in range(2):
        for agent in world.agents:
            agent.stop()
        if not any(glob.glob(f"{world.folder}/{name}/spool/*.seg") for name in AGENTS):
            break
        for agent in world.agents:
            agent.start()
        world.wait(lambda: not any(glob.glob(f"{world.folder}/{name}/spool/*.seg")
                                   for name in AGENTS), "empty spools")


def play(world, names, seconds):
    seen, broken = {}, {}
    world.wait(lambda: world.logged("ready: agents on"), "a collector")
    for name in AGENTS:
        if name not in world.tokens:
            world.enrol(name)
    for agent in world.agents:
        agent.start()
    world.wait(world.has_stored_all, "a batch of each agent")
    watch = Watch(world)
    rss, files = watch.look()
    watch.start()
    threads = [threading.Thread(target=run_attack, args=(world, name, seen, broken), name=name,
                                daemon=True) for name in names]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 3)
    print(change_certificate(world))
    print(revoke(world))
    time.sleep(seconds * 2 / 3)
    world.over.set()
    join_all(threads)
    watch.join(20)
    causes = world.metric("plprobe_connections_ended_total")
    calm_down(world, watch, files)
    drain(world)
    watch.note_spools()
    world.collector.stop()
    for name in names:
        print(f"{'BROKEN' if name in broken else 'ok    '}  {name}: {broken.get(name, seen.get(name))}")
    growth = watch.rss - rss
    print(f"memory {rss >> 20} MiB before, {watch.rss >> 20} MiB at most; {files} descriptors before "
          f"and after, {watch.files} at most of {OPEN_FILES}; {causes:.0f} connections ended by the "
          f"collector; {watch.asked} honest questions, {watch.failed} not answered, the slowest in "
          f"{watch.slowest_s:.1f} s")
    judge(world, watch)
    if broken:
        raise Failed(f"{len(broken)} of {len(names)} attacks saw what they must not")
    if growth > (GROWTH_MAX_ASAN if watch.sanitized else GROWTH_MAX):
        raise Failed(f"the memory grew by {growth >> 20} MiB")
    if watch.files > OPEN_FILES - 60:
        raise Failed("no descriptors were kept back")
    if watch.failed > watch.asked / 10:
        raise Failed("honest questions were not answered")
    print(f"{len(names)} attacks, none of them with success")


def read_words():
    words = argparse.ArgumentParser(description=__doc__,
                                    formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=14)
    words.add_argument("--only", default="")
    words.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    words.add_argument("--keep", action="store_true")
    return words.parse_args()


def main():
    words = read_words()
    names = [name for name in words.only.split(",") if name] or list(ATTACKS)
    folder = tempfile.mkdtemp(prefix="plprobe-attack-")
    log_path = f"{folder}/log"
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print(f"attack: --seed {words.seed} --seconds {words.seconds}", flush=True)
    world = None
    try:
        with open(log_path, "w", encoding="utf-8") as log:
            world = World(folder, log, log_path, words.seed)
            world.collector.start()
            play(world, names, words.seconds)
    except (Failed, Gone, Broken) as error:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            print("".join(log.readlines()[-40:]), file=sys.stderr)
        print(f"attack: {error}", file=sys.stderr)
        return 1
    finally:
        if world is not None:
            world.over.set()
            for program in (world.collector, *world.agents):
                if program.process is not None and program.process.poll() is None:
                    program.kill()
        if not words.keep:
            shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
