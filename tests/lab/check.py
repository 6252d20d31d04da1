"""Runs `plprobe check` in a VNet of a scenario's world, and compares what it says, exactly."""

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass

from space import Failed
from world import World

CATALOGUE = re.compile(r'^FINDING\(\w+,\s*"(PLP-[^"]+)"', re.MULTILINE)
EXITS = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}


@dataclass
class Outcome:
    name: str
    state: str                       # passed, failed, skipped
    seconds: float = 0.0
    words: str = ""


def codes(source):
    """The codes of the catalogue."""
    with open(os.path.join(source, "analyze/findings.def"), encoding="utf-8") as file:
        return CATALOGUE.findall(file.read())


def file_stem(code):
    return code.removeprefix("PLP-").lower()


def compare_catalogue(source, scenarios):
    """Whether each finding of the catalogue has both its files, and each file its finding."""
    started = time.monotonic()
    words = _missing_files(source, scenarios)
    return Outcome("catalogue", "failed" if words else "passed", time.monotonic() - started,
                   "".join(f"  {line}\n" for line in words))


def _missing_files(source, scenarios):
    names = {scene.name: scene for scene in scenarios}
    words = []
    known = codes(source)
    if not known:
        words.append("analyze/findings.def has no finding")
    for code in known:
        for kind in ("causes", "near-miss"):
            scene = names.pop(f"{file_stem(code)}-{kind}", None)
            if scene is None:
                words.append(f"{code}: no {file_stem(code)}-{kind}.toml")
            elif (code in [e.code for e in scene.expected]) != (kind == "causes"):
                words.append(f"{scene.name}: must {'' if kind == 'causes' else 'not '}"
                             f"expect {code}")
    for name, scene in names.items():
        if name.endswith(("-causes", "-near-miss")):
            words.append(f"{name}: there is no such finding")
        words += [f"{name}: {e.code} is not in the catalogue" for e in scene.expected
                  if e.code not in known]
    return words


def _command(world, scene, programs):
    command = [programs["plprobe"], "check"]
    for account in scene.accounts.values():
        if account.document == "none":
            command.append(account.name)
        else:
            command += [account.name, "--expect", world.document_path(account.name)]
    command += ["-o", "json", "--ca-file", world.certificates.roots,
                "--timeout", scene.check["timeout"], *scene.check["arguments"]]
    return command


def _run(world, scene, programs):
    """stdout, stderr, status; with check.pause the program sleeps in between, like a frozen VM."""
    vm = world.vms[scene.check["vnet"]]
    command = _command(world, scene, programs)
    child = subprocess.Popen(vm.inside(command), stdin=subprocess.DEVNULL, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if "pause" in scene.check:
        after, length = (float(text) for text in scene.check["pause"].split("+"))
        time.sleep(after)
        child.send_signal(signal.SIGSTOP)
        time.sleep(length)
        child.send_signal(signal.SIGCONT)
    try:
        out, words = child.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        child.kill()
        out, words = child.communicate()
        words += "\n(killed after 60 s)"
    return " ".join(command), out, words, child.returncode


def _found(answer):
    return [(finding["account"], finding["code"], finding["region"], finding)
            for account in answer["accounts"] for finding in account["findings"]]


def _describe(entries):
    return "".join(f"    {account} {region or 'global'}: {code}\n"
                   for account, code, region in sorted(entries)) or "    nothing\n"


def _differences(scene, answer, status):
    """What is wrong with the answer, in words; empty when nothing is."""
    words = ""
    found = _found(answer)
    got = sorted((account, code, region) for account, code, region, _ in found)
    wanted = sorted((e.account, e.code, e.region) for e in scene.expected)
    if got != wanted:
        words += f"  expected:\n{_describe(wanted)}  got:\n{_describe(got)}"
    for e in scene.expected:
        for account, code, region, finding in found:
            if (account, code, region) == (e.account, e.code, e.region) and \
                    e.evidence not in finding["evidence"]:
                words += f"  {code}: {e.evidence!r} is not in the evidence\n"
    states = [account["state"] for account in answer["accounts"]]
    worst = max(states, key=lambda state: ["ok", "unknown", "warning", "critical"].index(state))
    if status != EXITS[worst]:
        words += f"  exit {status}, but the state is {worst}\n"
    if scene.check.get("state", worst) != worst:
        words += f"  state {worst}, expected {scene.check['state']}\n"
    if words:
        for account, code, region, finding in found:
            words += (f"  {account} {region or 'global'} {code}: {finding['sentence']}\n"
                      f"    evidence: {finding['evidence']}\n")
        for account in answer["accounts"]:
            words += "".join(f"  unknown: {text}\n" for text in account.get("unknowns", []))
    return words


def judge(world, scene, programs):
    """Empty when all is as expected, else what is not."""
    command, out, words, status = _run(world, scene, programs)
    try:
        answer = json.loads(out)
        differences = _differences(scene, answer, status)
    except (ValueError, KeyError, TypeError) as error:
        differences = f"  the answer is not as agreed: {error!r}\n"
    if differences:
        differences += f"  command: {command}\n  exit: {status}\n  stderr: {words}"
        if "not as agreed" in differences:
            differences += f"  stdout: {out[:4000]}\n"
    return differences


def _lacking(scene):
    """What this machine lacks for the scenario, in words."""
    if any(vnet.delay for vnet in scene.vnets.values()) and \
            not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "the delay needs /dev/net/tun, which cannot be opened"
    return ""


def run(directory, scene, certificates, programs, keep=None):
    """Builds the world of a scenario, checks, and takes it down again."""
    started = time.monotonic()
    lacking = _lacking(scene)
    if lacking:
        return Outcome(scene.name, "skipped", 0.0, f"  {lacking}")
    world = World(directory, scene, certificates, programs)
    try:
        world.build()
        words = judge(world, scene, programs)
        if words:
            words += world.logs()
        if keep:
            keep(world)
        return Outcome(scene.name, "failed" if words else "passed",
                       time.monotonic() - started, words)
    except Failed as error:
        return Outcome(scene.name, "failed", time.monotonic() - started,
                       f"{error}\n{world.logs()}")
    finally:
        world.close()
