#!/usr/bin/env python3
"""Agent and collector are killed with SIGKILL at random moments; nothing that was recorded may be
missing from the store, and nothing may stand there twice.

The judge is independent of the programs: it reads the spool's files as they lie there after each
kill and the store's tables, with a decoder of its own.  `SEED` and `KILLS` are taken from the
environment; the seed is printed.
"""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("PLPROBE_BUILD", "build/dev")
KILLS = int(os.environ.get("KILLS", "8"))
HEAD_BYTES = 64


class Failed(Exception):
    pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=collector", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out",
         f"{folder}/certificate.pem"], check=True, capture_output=True)


def make_account():
    def region(name, label, priority):
        return {"id": f"contoso-{label}", "locationName": name, "provisioningState": "Succeeded",
                "documentEndpoint": f"https://contoso-{label}.documents.azure.com:443/",
                "failoverPriority": priority}

    regions = [region("West Europe", "westeurope", 0), region("North Europe", "northeurope", 1)]
    return {"name": "contoso", "kind": "GlobalDocumentDB", "provisioningState": "Succeeded",
            "documentEndpoint": "https://contoso.documents.azure.com:443/",
            "locations": regions, "readLocations": regions, "writeLocations": regions[:1]}


class Program:
    """A daemon that is started, killed and started again; its log is kept."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log = name, command, log
        self.process = None
        self.environment = None  # ours

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log,
                                        env=self.environment, start_new_session=True)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"{self.name} does not end when told to") from None

    def check(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended by itself, status {self.process.returncode}")


class Unpacker:
    """The part of MessagePack that a batch uses, read without the code under test."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at:self.at + count]
        if len(piece) != count:
            raise Failed("a stored batch is cut short")
        self.at += count
        return piece

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def value(self):
        kind = self.number("B")
        if kind < 0x80:
            return kind
        if kind < 0x90:
            return self.mapping(kind & 15)
        if kind < 0xa0:
            return [self.value() for _ in range(kind & 15)]
        if kind < 0xc0:
            return self.take(kind & 31)
        if kind >= 0xe0:
            return kind - 256
        plain = {0xc2: False, 0xc3: True}
        if kind in plain:
            return plain[kind]
        numbers = {0xcc: "B", 0xcd: "H", 0xce: "I", 0xcf: "Q", 0xd0: "b", 0xd1: "h", 0xd2: "i",
                   0xd3: "q"}
        if kind in numbers:
            return self.number(numbers[kind])
        texts = {0xd9: "B", 0xda: "H", 0xdb: "I"}
        if kind in texts:
            return self.take(self.number(texts[kind]))
        if kind in (0xdc, 0xdd):
            return [self.value() for _ in range(self.number("H" if kind == 0xdc else "I"))]
        if kind in (0xde, 0xdf):
            return self.mapping(self.number("H" if kind == 0xde else "I"))
        raise Failed(f"a stored batch holds type {kind:#x}")

    def mapping(self, count):
        return {self.value(): self.value() for _ in range(count)}


def read_segment(path):
    """How many whole records lie in the file: frames of length and checksum behind the head."""
    with open(path, "rb") as file:
        data = file.read()
    records, at = 0, HEAD_BYTES
    while at + 8 <= len(data):
        length = struct.unpack_from("<I", data, at)[0]
        if length == 0 or at + 8 + length > len(data):
            break
        records, at = records + 1, at + 8 + length
    return records


def read_spool(folder):
    """(epoch, seq) -> records, of every segment that lies there."""
    found = {}
    for name in os.listdir(folder):
        if name.endswith((".seg", ".open")):
            epoch, seq = name.split(".")[0].split("-")
            found[int(epoch, 16), int(seq, 16)] = read_segment(os.path.join(folder, name))
    return found


def signed(epoch):
    return epoch - (1 << 64) if epoch >= 1 << 63 else epoch


def read_store(path):
    """(epoch as SQLite holds it, seq) -> records of the batch."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT epoch, seq, body FROM batches").fetchall()
        gaps = database.execute("SELECT count(*) FROM gaps").fetchone()[0]
    finally:
        database.close()
    stored = {}
    for epoch, seq, body in rows:
        if (epoch, seq) in stored:
            raise Failed(f"batch {epoch}/{seq} is stored twice")
        stored[epoch, seq] = len(Unpacker(body).value()[10])
    return stored, gaps


def check_store(promised, stored, gaps):
    for (epoch, seq), records in promised.items():
        got = stored.get((signed(epoch), seq), 0)
        if got < records:
            raise Failed(f"batch {epoch:016x}-{seq:08x}: {records} records lay in the spool after "
                         f"a kill, {got} are stored")
    for epoch in {epoch for epoch, _ in stored}:
        numbers = sorted(seq for other, seq in stored if other == epoch)
        if numbers != list(range(1, len(numbers) + 1)):
            raise Failed(f"epoch {epoch}: batches {numbers} are stored, some are missing")
    if gaps != 0:
        raise Failed(f"{gaps} losses were declared, none was due")


class Scene:
    def __init__(self, folder, log):
        self.folder = folder
        self.listen, self.page = free_port(), free_port()
        make_certificate(folder)
        for name in ("accounts", "collector", "agent"):
            os.mkdir(os.path.join(folder, name))
        self.write("accounts/contoso.json", json.dumps(make_account()))
        self.write("collector.yaml", f"""
listen: "127.0.0.1:{self.listen}"
certificate: certificate.pem
key: key.pem
page: "127.0.0.1:{self.page}"
store: "sqlite:{folder}/collector/store.db"
state_dir: collector
accounts_dir: accounts
sweep: false
""")
        token = subprocess.run(
            [f"{BUILD}/plprobe-collector", "token", "create", "vm-a", "--bearer", "--network", "vnet-a",
             "--config", f"{folder}/collector.yaml"], check=True, capture_output=True, text=True)
        self.write("token", token.stdout, 0o600)
        # Nobody listens there: each measurement ends at once, and is a measurement all the same.
        self.write("agent.yaml", f"""
agent: vm-a
network: vnet-a
collector: "https://127.0.0.1:{self.listen}"
collector_ca: certificate.pem
token_file: token
state_dir: agent
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
        self.collector = Program("collector", [f"{BUILD}/plprobe-collector", "run", "--config",
                                               f"{folder}/collector.yaml"], log)
        self.agent = Program("agent", [f"{BUILD}/plprobe", "agent", "--config",
                                       f"{folder}/agent.yaml"], log)
        self.spool = os.path.join(folder, "agent/spool")

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)


def kill_at_random(scene, draw, promised):
    """One kill, of one or both, and what lay in the spool right after it."""
    victims = draw.choice([[scene.agent], [scene.agent], [scene.collector],
                           [scene.agent, scene.collector]])
    time.sleep(draw.uniform(0.3, 2.5))
    for program in (scene.agent, scene.collector):
        program.check()
    for program in victims:
        program.kill()
    if scene.agent in victims:
        for key, records in read_spool(scene.spool).items():
            promised[key] = max(records, promised.get(key, 0))
    time.sleep(draw.uniform(0, 0.6))
    for program in victims:
        program.start()
    return len(victims)


def drain(scene):
    """Until everything that is sealed has been acknowledged."""
    deadline = time.monotonic() + 60
    while any(name.endswith(".seg") for name in os.listdir(scene.spool)):
        if time.monotonic() > deadline:
            raise Failed(f"the spool does not drain: {sorted(os.listdir(scene.spool))}")
        time.sleep(0.2)


def run(folder, log, seed):
    draw, promised, kills = random.Random(seed), {}, 0
    scene = Scene(folder, log)
    try:
        scene.collector.start()
        scene.agent.start()
        time.sleep(2)
        for _ in range(KILLS):
            kills += kill_at_random(scene, draw, promised)
        time.sleep(2)
        scene.agent.stop()
        left = read_spool(scene.spool)
        if left:
            scene.agent.start()
            drain(scene)
            scene.agent.stop()
        scene.collector.stop()
        stored, gaps = read_store(f"{folder}/collector/store.db")
        check_store(promised, stored, gaps)
    finally:
        for program in (scene.agent, scene.collector):
            if program.process is not None and program.process.poll() is None:
                program.kill()
    print(f"{kills} kills, {len(promised)} batches in the spool after them, "
          f"{len(stored)} batches with {sum(stored.values())} records stored, none lost, none twice")
    if kills == 0 or not promised or not stored:
        raise Failed("nothing was tried")


def main():
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    folder = tempfile.mkdtemp(prefix="plprobe-e2e-")
    print(f"delivery: SEED={seed} KILLS={KILLS}")
    try:
        with open(os.path.join(folder, "log"), "w", encoding="utf-8") as log:
            run(folder, log, seed)
    except Failed as error:
        with open(os.path.join(folder, "log"), encoding="utf-8") as log:
            print("".join(log.readlines()[-40:]), file=sys.stderr)
        print(f"delivery: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
