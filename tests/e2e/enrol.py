#!/usr/bin/env python3
"""An agent's life with certificates, with the real programs: it enrols by a token, delivers, renews
before its certificate ends, is stopped at the next request when it is revoked, keeps its results,
and delivers them when it is enrolled again.  A copy of it is found out.  It has no file of the
collector's authority: the token names its key, and whoever stands in between learns nothing.
"""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from delivery import BUILD, Failed, Program, free_port, make_account, read_spool, read_store

LIFE_S = 12
PATIENCE_S = 60


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_authority(folder, name, subject="/CN=authority"):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "2", "-subj", subject, "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")


def make_server(folder, name, authority, names="IP:127.0.0.1", shown=()):
    """A key and a chain of a server: its certificate, and what else is shown behind it."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
            "/CN=collector", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.csr")
    with open(f"{folder}/{name}.ext", "w", encoding="utf-8") as file:
        file.write(f"subjectAltName={names}\n")
    openssl("x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/{authority}.pem",
            "-CAkey", f"{folder}/{authority}.key", "-CAcreateserial", "-days", "2", "-extfile",
            f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem")
    with open(f"{folder}/{name}.pem", "a", encoding="utf-8") as out:
        for more in shown:
            with open(f"{folder}/{more}.pem", encoding="utf-8") as file:
                out.write(file.read())


class Between:
    """Stands where the collector is looked for, with a certificate, and writes down what it hears."""

    def __init__(self, folder, name):
        self.heard, self.calls = b"", 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            plain.settimeout(5)
            try:
                with self.context.wrap_socket(plain, server_side=True) as stream:
                    while data := stream.recv(4096):
                        self.heard += data
                        if b"enroll" in data:
                            stream.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            except (OSError, ssl.SSLError):
                pass


class Scene:
    def __init__(self, folder, log_path, log):
        self.folder, self.log_path = folder, log_path
        self.listen = free_port()
        make_authority(folder, "authority")
        make_server(folder, "certificate", "authority", shown=["authority"])
        for name in ("accounts", "collector", "agent"):
            os.mkdir(os.path.join(folder, name))
        self.write("accounts/contoso.json", json.dumps(make_account()))
        self.write("collector.yaml", f"""
listen: "127.0.0.1:{self.listen}"
certificate: certificate.pem
key: certificate.key
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
    name, secret, pin = token.strip().split(".")
    wrong = f"{name}.{secret[:-4]}AAAA.{pin}\n"
    scene.refused(scene.enrol(wrong), "the token is not known here", "a wrong secret")
    scene.collect("token", "revoke", token.split("-")[1].split(".")[0])
    scene.refused(scene.enrol(token, "--agent", "vm-b"), "the token was revoked", "a revoked token")
    token = scene.collect("token", "create", "vm-a", "--expires", "1s")
    time.sleep(1.1)
    scene.refused(scene.enrol(token), "the token has expired", "an old token")
    done = scene.enrol(token, "--ca", "/etc/ssl/certs/ca-certificates.crt")
    if done.returncode != 1 or "--ca FILE" not in done.stderr:
        raise Failed(f"a collector of another authority was believed: {done.stderr}")
    done = scene.enrol(f"{name}.{secret}\n")
    if done.returncode != 1 or "--ca FILE" not in done.stderr:
        raise Failed(f"a collector of an unknown authority was believed: {done.stderr}")
    done = scene.enrol(f"{name}.{secret}.{pin[:-1]}\n")
    if done.returncode != 1 or "not whole" not in done.stderr:
        raise Failed(f"half a token was taken: {done.stderr}")
    done = scene.enrol("0123456789ab." + 43 * "A" + "\n")
    if done.returncode != 1 or "no token for enrolment" not in done.stderr:
        raise Failed(f"a bearer token was taken: {done.stderr}")


# What somebody in between may have: name, who signed, for which name, what else is shown.
BETWEEN = [
    ("another authority", "mallory", "IP:127.0.0.1", ["mallory"]),
    ("another authority, and the right one shown", "mallory", "IP:127.0.0.1",
     ["mallory", "authority"]),
    ("one of the same name, and the right one shown", "namesake", "IP:127.0.0.1", ["authority"]),
    ("the right one, for another machine", "authority", "IP:127.0.0.9", ["authority"]),
]


def stand_between(scene):
    """Nobody hears a byte who has no certificate of the authority for the collector's name."""
    make_authority(scene.folder, "mallory", "/CN=mallory")
    make_authority(scene.folder, "namesake")
    token = scene.collect("token", "create", "vm-a")
    for number, (what, signer, names, shown) in enumerate(BETWEEN):
        make_server(scene.folder, f"between-{number}", signer, names, shown)
        between = Between(scene.folder, f"between-{number}")
        done = scene.enrol(token, "--collector", between.url)
        if done.returncode != 1 or between.heard or not between.calls:
            raise Failed(f"{what}: {done.returncode}, {between.calls} calls, it heard "
                         f"{between.heard[:60]}: {done.stderr}")
        if os.path.exists(f"{scene.folder}/agent/collector-ca.pem"):
            raise Failed(f"{what}: an authority was kept")
        between.socket.close()
    # Whoever has the collector's own certificate hears the token: the test has ears.
    between = Between(scene.folder, "certificate")
    scene.enrol(token, "--collector", between.url)
    if token.split(".")[1].encode() not in between.heard:
        raise Failed("the collector itself would not hear anything: this shows nothing")
    if token.split(".")[1].encode() in between.heard.split(b"\r\n")[0]:
        raise Failed("the token stands in the URL, where it is logged")
    between.socket.close()


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


def processes(scene):
    """Of the agent, both of it, and of the collector."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(pid)) in (scene.agent.process.pid, scene.collector.process.pid):
                found.append(int(pid))
        except ProcessLookupError:
            pass
    return found


def check_processes(scene, token):
    """No secret on a command line, in an environment or in a log; nobody can call the agent."""
    with open(f"{scene.folder}/agent/identity.pem", encoding="ascii") as file:
        key = file.read().splitlines()[1]
    secrets = [token.split(".")[1].encode(), key.encode()]
    places = [scene.log_path] + [f"/proc/{pid}/{what}" for pid in processes(scene)
                                 for what in ("cmdline", "environ")]
    for path in places:
        with open(path, "rb") as file:
            data = file.read()
        if any(secret in data for secret in secrets):
            raise Failed(f"a secret stands in {path}")
    listening = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            for line in file.read().splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" or (table.startswith("udp") and words[2].endswith(":0000")):
                    listening.add(f"socket:[{words[9]}]")
    agent = [pid for pid in processes(scene) if os.getpgid(pid) == scene.agent.process.pid]
    if len(agent) != 2:
        raise Failed(f"the agent is two processes, not {len(agent)}")
    for pid in agent:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{name}") in listening:
                    raise Failed("the agent can be called from the network")
            except FileNotFoundError:
                pass


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
    if os.geteuid() == 0:
        check_processes(scene, token)
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
    for name in ("identity.pem", "collector-ca.pem"):
        shutil.copy(f"{scene.folder}/agent/{name}", f"{scene.folder}/copy/{name}")
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
        stand_between(scene)
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
