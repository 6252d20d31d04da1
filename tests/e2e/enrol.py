#!/usr/bin/env python3
"""An agent's life with certificates, with the real programs: it enrols by a token, delivers, renews
before its certificate ends, is stopped at the next request when it is revoked, keeps its results,
and delivers them when it is enrolled again.  A copy of it is found out.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from delivery import BUILD, Failed, Program, free_port, make_account, make_certificate, read_spool, \
    read_store

LIFE_S = 12
PATIENCE_S = 60


class Scene:
    def __init__(self, folder, log_path, log):
        self.folder, self.log_path = folder, log_path
        self.listen = free_port()
        make_certificate(folder)
        for name in ("accounts", "collector", "agent"):
            os.mkdir(os.path.join(folder, name))
        self.write("accounts/contoso.json", json.dumps(make_account()))
        self.write("collector.yaml", f"""
listen: "127.0.0.1:{self.listen}"
certificate: certificate.pem
key: key.pem
page: "127.0.0.1:{free_port()}"
store: "sqlite:{folder}/collector/store.db"
state_dir: collector
accounts_dir: accounts
auth: certificate
certificate_life: {LIFE_S}s
sweep: false
""")
        self.write_agent("agent", "vm-a")
        self.collector = Program("collector", [f"{BUILD}/plprobe-collector", "run", "--config",
                                               f"{folder}/collector.yaml"], log)
        self.agent = self.make_agent("agent", log)

    def make_agent(self, name, log):
        return Program(name, [f"{BUILD}/plprobe", "agent", "--config",
                              f"{self.folder}/{name}.yaml"], log)

    def write_agent(self, name, agent):
        self.write(f"{name}.yaml", f"""
agent: {agent}
network: vnet-a
collector: "https://127.0.0.1:{self.listen}"
collector_ca: certificate.pem
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

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def collect(self, *words, good=True):
        done = subprocess.run([f"{BUILD}/plprobe-collector", *words, "--config",
                               f"{self.folder}/collector.yaml"], capture_output=True, text=True,
                              check=False)
        if (done.returncode == 0) != good:
            raise Failed(f"plprobe-collector {words}: {done.returncode} {done.stdout}{done.stderr}")
        return done.stdout

    def enrol(self, token, *words, name="agent"):
        return subprocess.run([f"{BUILD}/plprobe", "enroll", "--config",
                               f"{self.folder}/{name}.yaml", "--token-file", "-", *words],
                              input=token, capture_output=True, text=True, check=False)

    def enrol_well(self, *words, name="agent"):
        done = self.enrol(self.collect("token", "create", *words), name=name)
        if done.returncode != 0:
            raise Failed(f"not enrolled: {done.stderr}")

    def refused(self, done, words, where):
        """The agent's words, and the collector's own in its log."""
        if done.returncode != 1 or words not in done.stderr:
            raise Failed(f"{where}: wanted '{words}', got {done.returncode}: {done.stderr}")
        self.wait(lambda: self.logged(f"refused.*{words}"), f"a line in the collector's log: {where}")

    def logged(self, pattern):
        with open(self.log_path, encoding="utf-8") as log:
            return len(re.findall(pattern, log.read()))

    def listed(self, agent):
        """The last word of its lines, but for the next one before its first use."""
        return [line.split()[-1] for line in self.collect("agents", "list").splitlines()
                if line.startswith(agent)]

    def stored(self):
        return sum(read_store(f"{self.folder}/collector/store.db")[0].values())

    def wait(self, wanted, what):
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            if time.monotonic() > deadline:
                raise Failed(f"not in {PATIENCE_S} s: {what}")
            time.sleep(0.2)

    def wait_for_more(self, what):
        before = self.stored()
        self.wait(lambda: self.stored() > before, what)


def refuse_enrolments(scene):
    """What does not let anybody in."""
    token = scene.collect("token", "create", "vm-a", "--network", "vnet-b")
    scene.refused(scene.enrol(token), "the token is for network 'vnet-b'", "another network")
    token = scene.collect("token", "create", "vm-b")
    scene.refused(scene.enrol(token), "the token is for agent 'vm-b'", "another agent")
    wrong = token.strip()[:-4] + "AAAA\n"
    scene.refused(scene.enrol(wrong), "the token is not known here", "a wrong secret")
    scene.collect("token", "revoke", token.split("-")[1].split(".")[0])
    scene.refused(scene.enrol(token, "--agent", "vm-b"), "the token was revoked", "a revoked token")
    token = scene.collect("token", "create", "vm-a", "--expires", "1s")
    time.sleep(1.1)
    scene.refused(scene.enrol(token), "the token has expired", "an old token")
    done = scene.enrol(token, "--ca", "/etc/ssl/certs/ca-certificates.crt")
    if done.returncode != 1 or "--ca FILE" not in done.stderr:
        raise Failed(f"a collector of another authority was believed: {done.stderr}")
    done = scene.enrol("0123456789ab." + 43 * "A" + "\n")
    if done.returncode != 1 or "no token for enrolment" not in done.stderr:
        raise Failed(f"a bearer token was taken: {done.stderr}")


def check_files(scene, token):
    """The key is the agent's alone, and the secret is nowhere."""
    mode = os.stat(f"{scene.folder}/agent/identity.pem").st_mode & 0o777
    if mode != 0o600 or os.stat(f"{scene.folder}/collector/ca.key").st_mode & 0o777 != 0o600:
        raise Failed("others may read a key")
    secret = token.strip().split(".")[1]
    for root, _, names in os.walk(scene.folder):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                if secret.encode() in file.read():
                    raise Failed(f"the secret of a token stands in {name}")


def live(scene):
    token = scene.collect("token", "create", "vm-a", "--network", "vnet-a")
    done = scene.enrol(token)
    if done.returncode != 0:
        raise Failed(f"not enrolled: {done.stderr}")
    scene.refused(scene.enrol(token), "the token is used up", "a token again")
    check_files(scene, token)
    scene.agent.start()
    scene.wait(lambda: os.path.exists(f"{scene.folder}/collector/store.db") and scene.stored() > 0,
               "results by certificate")
    token = scene.collect("token", "create", "vm-a")
    scene.refused(scene.enrol(token), "is enrolled and its certificate is good", "a live agent")


def renew(scene):
    """Longer than one certificate lives, without a pause."""
    scene.wait(lambda: scene.logged("certificate renewed") >= 2, "two renewals")
    scene.wait_for_more("results after renewals")
    if scene.logged(r"\d: agent 'vm-a' refused"):
        raise Failed("the agent was refused while it renewed")
    scene.wait(lambda: scene.listed("vm-a") == ["valid"], "one certificate in agents list")


def revoke(scene):
    scene.collect("agents", "revoke", "vm-a")
    scene.wait(lambda: scene.logged("the collector refuses us .*was revoked"), "a refusal")
    stored = scene.stored()
    time.sleep(3)
    scene.agent.check()
    if scene.stored() != stored:
        raise Failed("a revoked agent delivers")
    scene.wait(lambda: read_spool(f"{scene.folder}/agent/spool"), "results in the spool")
    scene.enrol_well("vm-a")
    scene.wait(lambda: scene.logged("identity.pem is another one now"), "a look at the file")
    scene.wait_for_more("results after a new enrolment")


def expire(scene):
    """Off for longer than the certificate lives."""
    scene.agent.stop()
    time.sleep(LIFE_S + 1)
    scene.agent.start()
    scene.wait(lambda: scene.logged("certificate not renewed: .*has ended.*plprobe enroll"),
               "a word about the end")
    scene.wait(lambda: read_spool(f"{scene.folder}/agent/spool"), "results in the spool")
    scene.enrol_well("vm-a")
    scene.wait_for_more("results after the end of a certificate")


def copy(scene, log):
    """Another machine with the same files: it is refused once the first has renewed."""
    os.mkdir(f"{scene.folder}/copy")
    scene.write_agent("copy", "vm-a")
    # Its own start of a certificate's life, so that the copy is not due before the first.
    scene.enrol_well("vm-a", "--replace")
    shutil.copy(f"{scene.folder}/agent/identity.pem", f"{scene.folder}/copy/identity.pem")
    scene.agent.stop()
    scene.agent.start()
    renewed = scene.logged("certificate renewed")
    scene.wait(lambda: scene.logged("certificate renewed") > renewed, "a renewal")
    twin = scene.make_agent("copy", log)
    twin.start()
    try:
        scene.wait(lambda: scene.logged("is this machine a copy"), "a word about the copy")
    finally:
        twin.kill()
    scene.wait_for_more("the first goes on")


def run(folder, log_path, log):
    scene = Scene(folder, log_path, log)
    try:
        scene.collector.start()
        scene.wait(lambda: scene.logged("ready: agents on"), "the collector")
        refuse_enrolments(scene)
        live(scene)
        renew(scene)
        revoke(scene)
        expire(scene)
        copy(scene, log)
        scene.agent.stop()
        scene.collector.stop()
    finally:
        for program in (scene.agent, scene.collector):
            if program.process is not None and program.process.poll() is None:
                program.kill()
    print(f"enrolled, {scene.logged('certificate renewed')} renewals, revoked, ended, copied: "
          f"{scene.stored()} records stored")


def main():
    folder = tempfile.mkdtemp(prefix="plprobe-enrol-")
    log_path = f"{folder}.log"
    try:
        with open(log_path, "w", encoding="utf-8") as log:
            run(folder, log_path, log)
    except Failed as error:
        with open(log_path, encoding="utf-8") as log:
            print("".join(log.readlines()[-60:]), file=sys.stderr)
        print(f"enrol: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
        os.unlink(log_path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
