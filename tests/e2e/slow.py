#!/usr/bin/env python3
"""A disk that needs two seconds for each sync: the agent goes on measuring as if nothing were.

The questions of a real agent are heard by a DNS server of ours, which writes down when they come:
every second without and with the delay, which only the process that ships may notice.
"""

import os
import socket
import struct
import sys
import tempfile
import threading
import time

from delivery import BUILD, Failed, Program, free_port

DELAY_MS, SECONDS = 2000, 12
LATE_S = 0.4  # of a turn, on a machine that does other things too


class Names:
    """Answers NXDOMAIN, and remembers when it was asked for A."""

    def __init__(self):
        self.port, self.at = free_port(), []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", self.port))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            data, peer = self.socket.recvfrom(4096)
            end = data.index(b"\0", 12) + 5
            if data[end - 4:end - 2] == b"\0\1":
                self.at.append(time.monotonic())
            self.socket.sendto(data[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0)
                               + data[12:end], peer)


def preload():
    return dict(os.environ, LD_PRELOAD=f"{BUILD}/tests/libslow_sync.so",
                ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=0")


def measure(folder, log, delay_ms):
    """When the name was asked for, with every sync delayed."""
    names = Names()
    state = f"{folder}/state-{delay_ms}"
    with open(f"{folder}/slow", "w", encoding="utf-8") as file:
        file.write(str(delay_ms))
    with open(f"{folder}/agent.yaml", "w", encoding="utf-8") as file:
        file.write(f"agent: vm-1\nstate_dir: {state}\nresolvers: ['127.0.0.1:{names.port}']\n"
                   "accounts: [{name: contoso}]\nsweep: false\ninterval: 1s\ntimeout: 1s\n"
                   "flush: 0s\nseal_age: 200ms\nallow_loopback: true\nstatus_socket: ''\n")
    agent = Program("agent", [f"{BUILD}/plprobe", "agent", "--config", f"{folder}/agent.yaml"], log)
    agent.environment = dict(preload(), SLOW_SYNC=f"{folder}/slow")
    agent.start()
    end = time.monotonic() + 20
    while len(names.at) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    names.at.clear()
    time.sleep(SECONDS)
    agent.check()
    heard = list(names.at)
    agent.kill()
    with open(f"{folder}/slow", encoding="utf-8") as file:
        if delay_ms > 0 and len(file.read()) - len(str(delay_ms)) < 2:
            raise Failed("no sync was delayed: this shows nothing")
    return heard


def judge(what, heard):
    """One a second, each at its place within it."""
    if len(heard) < SECONDS - 2:
        raise Failed(f"{what}: {len(heard)} measurements in {SECONDS} s")
    late = sorted(abs((at - heard[0] + 0.5) % 1 - 0.5) for at in heard)
    print(f"{what}: {len(heard)} measurements in {SECONDS} s, off their turn by {1000 * late[len(late) // 2]:.0f} ms "
          f"in the middle, {1000 * late[-1]:.0f} ms at worst")
    if late[len(late) * 3 // 4] > LATE_S:
        raise Failed(f"{what}: measurements come when they can, not when they should")


def main():
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w",
                                                       encoding="utf-8") as log:
        try:
            judge("a disk as it is", measure(folder, log, 0))
            judge(f"{DELAY_MS} ms for each sync", measure(folder, log, DELAY_MS))
        except Failed as error:
            with open(f"{folder}/log", encoding="utf-8") as told:
                print("".join(told.readlines()[-20:]), file=sys.stderr)
            print(f"slow: {error}", file=sys.stderr)
            return 1
    print("ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
