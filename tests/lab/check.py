"""Runs `plprobe check` in a VNet of a scenario's world, and compares what it says, exactly."""

import json
import os
import pwd
import re
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

import direct
import document
from scenario import STATES
from space import Failed
from world import World

CATALOGUE = re.compile(r'^FINDING\(\w+,\s*"(PLP-[^"]+)"', re.MULTILINE)
EXITS = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}


# Findings that by their nature come beside another, in every world that a lab can make: of the fault
# that lies under both.  All others have a scenario that causes them and nothing else.
BESIDE = {
    "PLP-116-RESOLVERS-DISAGREE": {"PLP-102-PUBLIC-ANSWER"},
    "PLP-129-TTL-DELAYS-FIX": {"PLP-103-REGION-ADDRESS-SHARED"},
    "PLP-506-LAST-ENDPOINT-GONE": {"PLP-503-CONNECTION-DISCONNECTED"},
    "PLP-613-REPLICA-NAME-MISSING": {"PLP-117-ALIAS-BYPASSED", "PLP-612-DIRECT-PUBLIC-HOSTS"},
    "PLP-614-GATEWAY-ONLY-DOWN": {"PLP-202-TCP-TIMEOUT"},
}
COMBINED = "combined-"
COMBINED_MIN = 30                    # worlds with several faults at once


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
    """Whether each finding of the catalogue has both its files, the one that causes it nothing else,
    and each file its finding; and whether there are worlds with several faults."""
    started = time.monotonic()
    words = _missing_files(source, scenarios) + _missing_combinations(scenarios)
    return Outcome("catalogue", "failed" if words else "passed", time.monotonic() - started,
                   "".join(f"  {line}\n" for line in words))


def _missing_combinations(scenarios):
    combined = [scene for scene in scenarios if scene.name.startswith(COMBINED)]
    words = [f"{scene.name}: expects one finding, and two faults are wanted" for scene in combined
             if len({(e.account, e.api, e.code, e.region) for e in scene.expected}) < 2]
    if len(combined) < COMBINED_MIN:
        words.append(f"{len(combined)} files {COMBINED}*, at least {COMBINED_MIN} are wanted")
    return words


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
            elif kind == "causes":
                words += [f"{scene.name}: expects {e.code}, too" for e in scene.expected
                          if e.code not in {code, *BESIDE.get(code, ())}]
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
            command.append(account.given or account.name)
        else:
            command += [account.given or account.name, "--expect", world.document_path(account.name)]
        if account.required:
            command += ["--expect", world.required_path(account.name)]
    for endpoint in scene.endpoints.values():
        for path in world.endpoint_paths(endpoint):
            command += ["--expect", path]
    for zone in scene.zones.values():
        command += ["--expect", world.zone_path(zone)]
    if "network" in scene.check:
        command += ["--vnet", document.network_id(scene.check["network"])]
    command += ["-o", "json", "--ca-file", world.certificates.roots,
                "--timeout", scene.check["timeout"]]
    command += [direct.expand(argument, world.directory, scene.accounts)
                for argument in scene.check["arguments"]]
    return command


@dataclass
class Ended:
    """What became of the program."""
    command: str
    out: str
    words: str                       # stderr
    status: int
    seconds: float
    memory_mib: float                # the most that was resident


def _as_user(command, name):
    """As somebody who is not root, but who may still read what root may: only the uid counts."""
    user = pwd.getpwnam(name)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
            "--inh-caps=-all,+dac_read_search", "--ambient-caps=+dac_read_search",
            "--bounding-set=-all,+dac_read_search", "--", *command]


def _wait(child, seconds):
    """(status, resources, words); killed when it takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        pid, status, used = os.wait4(child.pid, os.WNOHANG)
        if pid != 0:
            return os.waitstatus_to_exitcode(status), used, ""
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    child.kill()
    _, status, used = os.wait4(child.pid, 0)
    return os.waitstatus_to_exitcode(status), used, f"\n(killed after {seconds} s)"


def _environment(scene):
    """Ours, without a proxy that it may name, and what the scenario adds."""
    return {**{name: value for name, value in os.environ.items()
               if not name.lower().endswith("_proxy")}, **scene.check["environment"]}


def _run(world, scene, programs):
    """With check.pause the program sleeps in between, like a frozen VM."""
    vm = world.vms[scene.check["vnet"]]
    command = _command(world, scene, programs)
    if "user" in scene.check:
        command = _as_user(command, scene.check["user"])
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as words:
        child = subprocess.Popen(vm.inside(command), stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=words, env=_environment(scene))
        if "servers_later" in scene.check:
            time.sleep(1)
            vm.write("resolv.conf", "".join(f"nameserver {server}\n"
                                            for server in scene.check["servers_later"]))
        if "pause" in scene.check:
            after, length = (float(text) for text in scene.check["pause"].split("+"))
            time.sleep(after)
            child.send_signal(signal.SIGSTOP)
            time.sleep(length)
            child.send_signal(signal.SIGCONT)
        child.returncode, used, killed = _wait(child, scene.check["seconds"])
        seconds = time.monotonic() - started
        out.seek(0)
        words.seek(0)
        return Ended(" ".join(command), out.read(), words.read() + killed, child.returncode,
                     seconds, used.ru_maxrss / 1024)


def _found(answer):
    return [(finding["account"], finding["code"], finding["region"], finding["api"], finding)
            for account in answer["accounts"] for finding in account["findings"]]


def _describe(entries):
    return "".join(f"    {account} {region or 'global'} {api}: {code}\n"
                   for account, code, region, api in sorted(entries)) or "    nothing\n"


def _state_differences(scene, answer):
    """Of the modes whose state is pinned, and by which finding."""
    words = ""
    for wanted in scene.states:
        places = [place for account in answer["accounts"] for place in account["places"]
                  if (account["account"], place["region"], place["api"], place["mode"]) ==
                  (wanted.account, wanted.region, wanted.api, wanted.mode)]
        got = {(place["state"], place["code"] if wanted.by else None) for place in places}
        if got != {(wanted.state, wanted.by or None)}:
            words += (f"  {wanted.account} {wanted.region or 'global'} {wanted.api} "
                      f"{wanted.mode}: "
                      f"{' and '.join(map(str, got)) or 'no such place'}, "
                      f"expected {wanted.state} {wanted.by}\n")
        words += "".join(f"  {wanted.account} {wanted.region or 'global'}: {wanted.words!r} is "
                         f"not in {place['words']!r}\n" for place in places
                         if wanted.words not in place["words"])
    unknowns = [text for account in answer["accounts"] for text in account["unknowns"]]
    words += "".join(f"  {part!r} is not unknown\n" for part in scene.check["unknown"]
                     if not any(part in text for text in unknowns))
    return words


def _untold(answer):
    """A place may only be worse by what is told."""
    words = ""
    for account in answer["accounts"]:
        told = {finding["code"] for finding in account["findings"]}
        words += "".join(f"  {account['account']} {place['region'] or 'global'} {place['api']} "
                         f"{place['mode']}: by {place['code']}, which is not told\n"
                         for place in account["places"] if place["code"] not in (None, *told))
    return words


def _fold_differences(scene, expected, finding):
    """Whose names the finding tells of, where that is pinned."""
    if expected.folds is None:
        return ""
    face = scene.accounts[expected.account].face(expected.api)
    wanted = sorted(face.host(region) for region in expected.folds)
    if sorted(finding["hosts"]) == wanted:
        return ""
    return f"  {expected.code}: of {finding['hosts']}, expected {wanted}\n"


def _differences(scene, answer, status):
    """What is wrong with the answer, in words; empty when nothing is."""
    words = ""
    found = _found(answer)
    got = sorted((account, code, region, api) for account, code, region, api, _ in found)
    wanted = sorted((e.account, e.code, e.region, e.api) for e in scene.expected)
    if got != wanted:
        words += f"  expected:\n{_describe(wanted)}  got:\n{_describe(got)}"
    for e in scene.expected:
        for account, code, region, api, finding in found:
            if (account, code, region, api) != (e.account, e.code, e.region, e.api):
                continue
            for part in ("evidence", "fix"):
                if getattr(e, part) not in finding[part]:
                    words += f"  {code}: {getattr(e, part)!r} is not in the {part}\n"
            words += _fold_differences(scene, e, finding)
            if e.severity not in ("", finding["severity"]):
                words += f"  {code}: {finding['severity']}, expected {e.severity}\n"
    words += _state_differences(scene, answer) + _untold(answer)
    states = [account["state"] for account in answer["accounts"]]
    worst = max(states, key=STATES.index)
    if status != EXITS[worst]:
        words += f"  exit {status}, but the state is {worst}\n"
    if scene.check.get("state", worst) != worst:
        words += f"  state {worst}, expected {scene.check['state']}\n"
    if words:
        for account, code, region, _, finding in found:
            words += (f"  {account} {region or 'global'} {code}: {finding['sentence']}\n"
                      f"    evidence: {finding['evidence']}\n")
        for account in answer["accounts"]:
            words += "".join(f"  unknown: {text}\n" for text in account.get("unknowns", []))
    return words


def _unheard(world, scene):
    """What the back ends must have heard, and did not; and what they must not have."""
    lines = world.seen()
    words = ""
    for pattern in scene.check["seen"]:
        if not any(re.search(pattern, line) for line in lines):
            words += f"  no back end heard {pattern!r}\n"
    for pattern in scene.check["unseen"]:
        words += "".join(f"  must not be heard, {pattern!r}: {line}\n" for line in lines
                         if re.search(pattern, line))
    return words


def judge(world, scene, programs):
    """Empty when all is as expected, else what is not."""
    ended = _run(world, scene, programs)
    try:
        differences = _differences(scene, json.loads(ended.out), ended.status)
    except (ValueError, KeyError, TypeError) as error:
        differences = f"  the answer is not as agreed: {error!r}\n"
    differences += _unheard(world, scene)
    limit_mib = scene.check.get("memory_mib", ended.memory_mib)
    if ended.memory_mib > limit_mib:
        differences += f"  {ended.memory_mib:.0f} MiB of memory, at most {limit_mib} wanted\n"
    if differences:
        differences += (f"  command: {ended.command}\n  exit: {ended.status} after "
                        f"{ended.seconds:.1f} s\n  stderr: {ended.words}")
        if "not as agreed" in differences:
            differences += f"  stdout: {ended.out[:4000]}\n"
    return differences


def _has_user(name):
    """Without root a lab has one user only."""
    try:
        user = pwd.getpwnam(name).pw_uid
    except KeyError:
        return False
    with open("/proc/self/uid_map", encoding="ascii") as file:
        spans = [tuple(map(int, line.split())) for line in file]
    return any(first <= user < first + count for first, _, count in spans)


def _lacking(scene):
    """What this machine lacks for the scenario, in words."""
    if any(vnet.delay for vnet in scene.vnets.values()) and \
            not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "the delay needs /dev/net/tun, which cannot be opened"
    if "user" in scene.check and not _has_user(scene.check["user"]):
        return f"the user {scene.check['user']} does not exist in here"
    if any(vnet.environment for vnet in scene.vnets.values()) and \
            not os.path.exists("/etc/environment"):
        return "/etc/environment does not exist, and is not made for a scenario"
    if any(vnet.ipv6 for vnet in scene.vnets.values()) and \
            not os.path.isdir("/proc/sys/net/ipv6"):
        return "the kernel has no IPv6"
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
