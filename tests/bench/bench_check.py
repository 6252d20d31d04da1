#!/usr/bin/env python3
"""How long `plprobe check` takes beside the least that one endpoint can take.

An account of five regions, all well, behind a wire of 20 ms each way.  The floor is what one
endpoint costs however it is done: a question to DNS, a connection, a handshake, a request, each a
round trip.  Six names and a sweep of all regions run side by side, so the whole should cost little
more than one.
"""

import argparse
import os
import statistics
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))

import kernel  # noqa: E402
import main as lab  # noqa: E402
import scenario  # noqa: E402
from certs import Certificates  # noqa: E402
from space import Failed  # noqa: E402
from world import World  # noqa: E402

DELAY_MS = 20
ROUND_TRIPS = 4
GOAL = 1.3
REGIONS = ["West Europe", "North Europe", "East US", "Japan East", "Brazil South"]

# Runs inside the VM, so that entering its namespace is not counted.
TIMER = """
import subprocess, sys, time
for _ in range(int(sys.argv[1])):
    started = time.monotonic()
    done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.monotonic() - started
    if done.returncode != 0:
        sys.exit(done.stdout.decode() + done.stderr.decode())
    print(took * 1000)
"""

CONNECT = """
import socket, time
for _ in range(20):
    started = time.monotonic()
    socket.create_connection(("10.1.1.5", 443)).close()
    print((time.monotonic() - started) * 1000)
"""


def numbers(text):
    return [float(line) for line in text.split()]


def make_scene():
    account = scenario.Account("contoso", REGIONS, index=1)
    vnet = scenario.VNet("vnet-a", ["contoso"], resolvers=[
        scenario.Resolver("azure", scenario.AZURE_RESOLVER)], delay=f"{DELAY_MS}ms", index=1)
    return scenario.Scenario("bench-check", "all well, far away", {"contoso": account},
                             {"vnet-a": vnet}, {}, {}, [])


def measure(world, programs, runs, arguments):
    vm = world.vms["vnet-a"]
    command = [programs["plprobe"], "check", "contoso", "--expect",
               world.document_path("contoso"), "-o", "json", "--ca-file",
               world.certificates.roots, *arguments]
    return numbers(vm.run([sys.executable, "-c", TIMER, str(runs), *command]).stdout)


def run(options, programs):
    directory = lab.mount_directory(options.build)
    world = World(directory, make_scene(), Certificates(directory), programs)
    try:
        world.build()
        round_trip = statistics.median(numbers(
            world.vms["vnet-a"].run([sys.executable, "-c", CONNECT]).stdout))
        measure(world, programs, 1, [])
        took = measure(world, programs, options.runs, [])
        alone = measure(world, programs, options.runs, ["--no-sweep"])
    except (Failed, OSError) as error:
        print(f"bench_check: {error}\n{world.logs()}", file=sys.stderr)
        return 1
    finally:
        world.close()
    floor = ROUND_TRIPS * 2 * DELAY_MS
    ratio = statistics.median(took) / floor
    print(f"round trip {round_trip:.1f} ms by TCP connect; floor of one endpoint: "
          f"{ROUND_TRIPS} x {2 * DELAY_MS} ms = {floor} ms")
    print(f"check without sweep  median {statistics.median(alone):.0f} ms, "
          f"best {min(alone):.0f} ms, ratio {statistics.median(alone) / floor:.2f}")
    print(f"check                median {statistics.median(took):.0f} ms, "
          f"best {min(took):.0f} ms, ratio {ratio:.2f} (goal {GOAL})")
    return 0 if ratio <= GOAL else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--build", default=lab.default_build())
    options = parser.parse_args()
    programs = lab.find_programs(options.build)
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        print("bench_check: skipped: /dev/net/tun cannot be opened, the delay needs it")
        return 0
    status = kernel.enter(lambda _: run(options, programs))
    return 0 if status == 77 else status


if __name__ == "__main__":
    sys.exit(main())
