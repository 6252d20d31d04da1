#!/usr/bin/env python3
"""What enrolments cost everybody else, since the loop waits for the sync of the roster.

A roll-out enrols one agent after the other, as fast as the collector lets it, while another client asks
for no more than a word; each sync of a file takes as long as a slow disk would.  The floor is the same
without enrolments.
"""

import base64
import os
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

from attack import World  # noqa: E402
from attackers import Peer, pack  # noqa: E402
from delivery import Failed  # noqa: E402

DISKS_MS = (0, 20, 100)
ENROLMENTS = 100
GOAL_MS = 500


def make_requests(folder):
    """Signing requests, base64 of their DER form."""
    requests = []
    for i in range(ENROLMENTS):
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null", "-subj",
                        "/CN=vm", "-outform", "DER", "-out", f"{folder}/{i}.der"], check=True,
                       capture_output=True)
        with open(f"{folder}/{i}.der", "rb") as file:
            requests.append(base64.b64encode(file.read()).decode())
    return requests


def ask_until(world, over, waits_s):
    with Peer(world, "127.0.0.9") as peer:
        while not over.wait(0.01) and len(waits_s) < 990:
            began = time.monotonic()
            if peer.ask("GET", "/healthz")[0] != 200:
                raise Failed("an honest question was not answered")
            waits_s.append(time.monotonic() - began)


def show(name, waits_s):
    waits_ms = sorted(wait * 1e3 for wait in waits_s)
    p99 = waits_ms[len(waits_ms) * 99 // 100]
    print(f"  {name:34} {len(waits_ms):4} questions, median {waits_ms[len(waits_ms) // 2]:6.1f} ms, "
          f"p99 {p99:6.1f} ms, worst {waits_ms[-1]:6.1f} ms")
    return p99


def enrol_all(world, token, requests):
    for i, request in enumerate(requests):
        body = pack({1: 1, 2: token, 3: f"vm-{i}", 5: request})
        with Peer(world, "127.0.0.10") as peer:
            status = peer.ask("POST", "/v1/enroll", ["Content-Type: application/vnd.msgpack"],
                              body)[0]
        if status != 200:
            raise Failed(f"enrolment {i}: {status}")


def measure(disk_ms, requests):
    with tempfile.TemporaryDirectory(prefix="plprobe-bench-") as folder, \
            open(f"{folder}/log", "w", encoding="utf-8") as log:
        world = World(folder, log, f"{folder}/log", 1)
        if disk_ms > 0:
            world.collector.command[:0] = [
                "strace", "--seccomp-bpf", "-f", "-e", "trace=fsync", "-e",
                f"inject=fsync:delay_enter={disk_ms * 1000}", "-o", "/dev/null"]
        world.collector.start()
        try:
            world.wait(lambda: world.logged("ready: agents on"), "a collector")
            token = world.collect("token", "create", "--any", "--uses", "1000").strip()
            over, waits_s = threading.Event(), []
            asker = threading.Thread(target=ask_until, args=(world, over, waits_s))
            asker.start()
            if requests:
                enrol_all(world, token, requests)
            else:
                time.sleep(3)
            over.set()
            asker.join()
        finally:
            world.collector.kill()
    name = f"{len(requests)} enrolments, a sync {disk_ms} ms" if requests else "nobody enrols"
    return show(name, waits_s)


def main():
    with tempfile.TemporaryDirectory() as folder:
        requests = make_requests(folder)
    measure(0, [])
    worst = max(measure(disk_ms, requests) for disk_ms in DISKS_MS)
    print(f"goal: p99 below {GOAL_MS} ms on the slowest disk")
    return 0 if worst < GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
