#!/usr/bin/env python3
"""The lab: simulated VNets on this machine.  See README.md next to this file."""

import argparse
import concurrent.futures
import glob
import os
import shutil
import signal
import sys

import check
import kernel
import scenario
from certs import Certificates
from space import Failed

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
TOOLS = ("ip", "nft", "nsd", "unbound", "openssl", "nsenter", "unshare", "sysctl")


def find_programs(build):
    build = os.path.abspath(build)
    programs = {"plprobe": "plprobe", "plprobe-collector": "plprobe-collector",
                "fake_backend": "tests/fake_backend", "relay": "tests/relay"}
    found = {name: os.path.join(build, path) for name, path in programs.items()}
    for path in found.values():
        if not os.access(path, os.X_OK):
            sys.exit(f"lab: {path} is not there: build it first, or say --build DIR")
    for tool in TOOLS:
        if shutil.which(tool) is None:
            sys.exit(f"lab: {tool} is not installed")
    return found


def default_build():
    if "PLPROBE_BUILD" in os.environ:
        return os.path.abspath(os.environ["PLPROBE_BUILD"])
    for preset in ("release", "dev"):
        if os.access(os.path.join(SOURCE, "build", preset, "plprobe"), os.X_OK):
            return os.path.join(SOURCE, "build", preset)
    return os.path.join(SOURCE, "build", "dev")


def mount_directory(build):
    """A file system of this lab's own over a folder that all labs share: gone when we are."""
    directory = os.path.join(os.path.abspath(build), "lab")
    os.makedirs(directory, exist_ok=True)
    kernel.mount("lab", directory, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755")
    return directory


def read_scenarios(names):
    paths = sorted(glob.glob(os.path.join(HERE, "scenarios", "*.toml")))
    scenes = [scenario.read(path) for path in paths]
    for name in names:
        if not any(name in scene.name for scene in scenes):
            sys.exit(f"lab: no scenario is called like {name!r}; see --list")
    return scenes, [scene for scene in scenes
                    if not names or any(name in scene.name for name in names)]


def keep_up(world, way_in):
    """Shows the way in, and waits for Ctrl-C."""
    print(f"\n{world.scene.name} is up until Ctrl-C; from another terminal:", file=sys.stderr)
    for space in world.spaces:
        print(f"  {space.name:20} {way_in} nsenter -t {space.holder.pid} -n -m bash",
              file=sys.stderr)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        pass


def report(outcomes):
    width = max(len(outcome.name) for outcome in outcomes)
    for outcome in outcomes:
        print(f"{outcome.name:{width}}  {outcome.state:7}  {outcome.seconds:5.1f} s")
        if outcome.state != "passed":
            print(outcome.words.rstrip("\n"))
    count = {state: sum(o.state == state for o in outcomes)
             for state in ("passed", "failed", "skipped")}
    print(", ".join(f"{number} {state}" for state, number in count.items()))
    return 1 if count["failed"] or not outcomes else 0


def show_progress(text):
    if sys.stderr.isatty():
        print(f"\r{text:78}\r", end="", file=sys.stderr, flush=True)


def run_side_by_side(run, scenes, jobs):
    pool = concurrent.futures.ThreadPoolExecutor(jobs)
    waiting = [pool.submit(run, scene) for scene in scenes]
    outcomes = []
    try:
        for future in concurrent.futures.as_completed(waiting):
            outcomes.append(future.result())
            show_progress(f"{len(outcomes)}/{len(waiting)} {outcomes[-1].name}")
    except BaseException:
        # Nothing to wait for: with this process goes the whole lab.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    show_progress("")
    return sorted(outcomes, key=lambda outcome: outcome.name)


def run_scenarios(options, scenes, way_in):
    directory = mount_directory(options.build)
    certificates = Certificates(directory)
    programs = find_programs(options.build)

    def run(scene):
        keep = (lambda world: keep_up(world, way_in)) if options.keep else None
        return check.run(directory, scene, certificates, programs, keep)

    if options.keep:
        return [run(scenes[0])]
    return run_side_by_side(run, scenes, options.jobs)


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more wanted")
    return number


def main():
    parser = argparse.ArgumentParser(prog="scripts/lab", description=__doc__)
    parser.add_argument("names", nargs="*", help="scenarios, by a part of their names; all")
    parser.add_argument("--list", action="store_true", help="name them and end")
    parser.add_argument("--keep", action="store_true", help="leave the world of one up")
    parser.add_argument("--jobs", type=positive, default=3, help="how many at once (3)")
    parser.add_argument("--build", default=default_build(), help="folder of the programs (PLPROBE_BUILD)")
    options = parser.parse_args()
    try:
        everything, scenes = read_scenarios(options.names)
    except scenario.Wrong as error:
        sys.exit(f"lab: {error}")
    if options.list:
        for scene in scenes:
            print(f"{scene.name:44} {scene.title}")
        return 0
    if options.keep and len(scenes) != 1:
        sys.exit("lab: --keep wants exactly one scenario")
    outcomes = [] if options.names else [check.compare_catalogue(SOURCE, everything)]

    find_programs(options.build)
    as_user = "" if os.geteuid() == 0 else "-U --preserve-credentials "

    def inside(pid_outside):
        try:
            return report(outcomes + run_scenarios(
                options, scenes, f"nsenter -t {pid_outside} {as_user}-n -m -p"))
        except Failed as error:
            print(f"lab: {error}", file=sys.stderr)
            return 1

    status = kernel.enter(inside)
    if status == 77:
        return report([check.Outcome(scene.name, "skipped") for scene in scenes])
    return status


if __name__ == "__main__":
    # The end of a reader, `| head`, is the end of us, and no error.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
