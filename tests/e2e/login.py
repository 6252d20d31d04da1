#!/usr/bin/env python3
"""Who may see the page, with the real programs: nobody without a login where it is not bound to
loopback; no agent, whatever it shows; nobody who guesses.  Every answer of every route carries its
headers and no secret.  A browser's part is in tests/web, a real Prometheus scrapes here.
"""

import base64
import http.client
import json
import os
import pty
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from delivery import BUILD, Failed, Program, free_port, make_account, make_certificate

COLLECTOR = f"{BUILD}/plprobe-collector"
PASSWORD = "Grüße an alle: 7"
OTHER_PASSWORD = "a second one, longer"
ROUTES = ["/", "/index.html", "/page.js", "/page.css", "/icon.svg", "/v1/state", "/v1/findings",
          "/v1/findings?closed=1", "/v1/agents", "/v1/accounts", "/v1/incidents", "/v1/failover",
          "/v1/propagation", "/v1/cell", "/v1/cell?agent=vm-a&account=contoso", "/metrics",
          "/nowhere", "/readers", "/v1/state?account=contoso"]
HEADERS = {"content-security-policy": "default-src 'none'; script-src 'self';",
           "x-content-type-options": "nosniff", "x-frame-options": "DENY",
           "referrer-policy": "no-referrer", "cross-origin-opener-policy": "same-origin",
           "cross-origin-embedder-policy": "require-corp",
           "cross-origin-resource-policy": "same-origin"}


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Answer:
    def __init__(self, reply):
        self.status = reply.status
        self.body = reply.read()
        self.headers = {name.lower(): value for name, value in reply.getheaders()}


class Scene:
    def __init__(self, folder, log_path, log):
        self.folder, self.log_path, self.log = folder, log_path, log
        self.page, self.listen = free_port(), free_port()
        self.tls, self.lines = True, {}
        make_certificate(folder)
        for name in ("accounts", "state", "agent"):
            os.mkdir(f"{folder}/{name}")
        with open(f"{folder}/accounts/contoso.json", "w", encoding="utf-8") as file:
            json.dump(make_account(), file)
        self.configure()
        self.collector = Program("collector", [COLLECTOR, "run", "--config",
                                               f"{folder}/collector.yaml"], log)

    def configure(self, address="0.0.0.0", more=""):
        with open(f"{self.folder}/collector.yaml", "w", encoding="utf-8") as file:
            file.write(f"""
listen: "127.0.0.1:{self.listen}"
certificate: certificate.pem
key: key.pem
page: "{address}:{self.page}"
store: "sqlite:{self.folder}/state/store.db"
state_dir: state
accounts_dir: accounts
{more}
""")

    def command(self, *words, given=None, code=0):
        done = subprocess.run([COLLECTOR, *words, "--config", f"{self.folder}/collector.yaml"],
                              input=given, capture_output=True, text=True, check=False)
        if done.returncode != code:
            raise Failed(f"{words}: {done.returncode}, wanted {code}: {done.stdout}{done.stderr}")
        return done.stdout.strip() if code == 0 else done.stderr.strip()

    def connect(self, port, tls, source, certificate):
        if not tls:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=30,
                                              source_address=(source, 0))
        context = ssl.create_default_context(cafile=f"{self.folder}/certificate.pem")
        if certificate is not None:
            context.load_cert_chain(certificate)
        return http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30,
                                           source_address=(source, 0))

    def ask(self, path="/v1/agents", headers=None, method="GET", source="127.0.0.1",
            certificate=None, host=None, port=None, tls=None, fresh=False):
        """Over the connection that is there already, as a browser would, or a fresh one."""
        headers = dict(headers or {})
        if host is not None:
            headers["Host"] = host
        key = (port or self.page, self.tls if tls is None else tls, source, certificate)
        line = None if fresh else self.lines.pop(key, None)
        if line is not None and line.sock is not None:
            try:
                line.request(method, path, headers=headers)
                answer = Answer(line.getresponse())
                self.lines[key] = line
                return answer
            except (OSError, http.client.HTTPException):
                line.close()
        line = self.connect(*key)
        try:
            line.request(method, path, headers=headers)
            answer = Answer(line.getresponse())
        except BaseException:
            line.close()
            raise
        self.lines[key] = line
        return answer

    def want(self, status, what, *words, **more):
        got = self.ask(*words, **more)
        if got.status != status:
            raise Failed(f"{what}: {got.status}, wanted {status}: {got.body[:200]}")
        return got

    def logged(self, pattern):
        with open(self.log_path, encoding="utf-8") as log:
            return len(re.findall(pattern, log.read()))

    def start(self):
        ready = self.logged("msg=\"ready: ")
        self.collector.start()
        self.wait(lambda: self.logged("msg=\"ready: ") > ready, "a start")

    def wait(self, wanted, what, patience_s=30):
        deadline = time.monotonic() + patience_s
        while not wanted():
            if time.monotonic() > deadline:
                raise Failed(f"not in {patience_s} s: {what}")
            if self.collector.process is not None:
                self.collector.check()
            time.sleep(0.05)


def refuse_to_start(scene):
    """The words say what to do, and can be pasted."""
    done = subprocess.run([COLLECTOR, "run", "--config", f"{scene.folder}/collector.yaml"],
                          capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 1 or "nobody has one" not in done.stderr:
        raise Failed(f"it starts without any reader: {done.returncode} {done.stderr}")
    if "nobody has one" not in scene.command("config", "check", code=1):
        raise Failed("config check says nothing of it")
    commands = re.findall(r"`plprobe-collector ([^`]*)`", done.stderr)
    if len(commands) != 2:
        raise Failed(f"no commands to paste: {done.stderr}")
    made = []
    for command in commands:
        words = command.replace("NAME", "ann" if "user" in command else "prom").split()
        done = subprocess.run([COLLECTOR, *words], input=PASSWORD + "\n", capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failed(f"{command}: {done.stderr}")
        made.append(done.stdout.strip())
    mode = os.stat(f"{scene.folder}/state/readers").st_mode & 0o777
    if mode != 0o600:
        raise Failed(f"the file of readers has mode {mode:o}")
    scene.command("config", "check")
    return made[1]


def ask_at_terminal(scene):
    """A password that is typed is not shown, and two that differ are refused."""
    def type_in(name, *lines):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(COLLECTOR, [COLLECTOR, "user", "add", name, "--config",
                                 f"{scene.folder}/collector.yaml"])
        shown = b""
        for line in lines:
            while not shown.rstrip(b" ").endswith(b":"):
                shown += os.read(terminal, 1000)
            time.sleep(0.2)
            os.write(terminal, line.encode() + b"\n")
            shown += os.read(terminal, 1)
        while True:
            try:
                more = os.read(terminal, 1000)
            except OSError:
                break
            if not more:
                break
            shown += more
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown

    code, shown = type_in("bob", OTHER_PASSWORD, OTHER_PASSWORD)
    if code != 0 or OTHER_PASSWORD.encode() in shown or b"second" in shown:
        raise Failed(f"at a terminal: {code} {shown}")
    code, shown = type_in("eve", OTHER_PASSWORD, OTHER_PASSWORD + "x")
    if code != 2 or b"not the same" not in shown:
        raise Failed(f"two that differ: {code} {shown}")
    users = scene.command("user", "list")
    if "ann " not in users or "bob " not in users or "eve" in users:
        raise Failed(f"user list: {users}")


def check_answer(path, answer, what):
    for name, value in HEADERS.items():
        if value not in answer.headers.get(name, ""):
            raise Failed(f"{path} {what}: {name} is {answer.headers.get(name)}")
    policy = answer.headers["content-security-policy"]
    if "unsafe" in policy or "http" in policy or "*" in policy:
        raise Failed(f"{path}: {policy}")
    if "max-age=" not in answer.headers.get("strict-transport-security", ""):
        raise Failed(f"{path} {what}: no strict transport security")
    if "access-control-allow-origin" in answer.headers:
        raise Failed(f"{path} {what}: other sites may read it")
    cache = answer.headers.get("cache-control")
    if cache != "no-store" and not (cache == "no-cache" and answer.status in (200, 304)
                                    and re.search(r"/$|html|js|css|svg", path)):
        raise Failed(f"{path} {what}: cache {cache}")


def ask_everything(scene, token, heard):
    """Each route, without a login and with each of them; and everything but reading."""
    for path in ROUTES:
        closed = scene.want(401, f"{path} without a login", path)
        check_answer(path, closed, "without a login")
        if "Basic realm=" not in closed.headers.get("www-authenticate", ""):
            raise Failed(f"{path}: no challenge")
        for how in (bearer(token), basic("ann", PASSWORD), basic("bob", OTHER_PASSWORD)):
            answer = scene.ask(path, how)
            if answer.status not in (200, 400, 404):
                raise Failed(f"{path}: {answer.status} {answer.body[:200]}")
            check_answer(path, answer, "with a login")
            if b'"error"' not in answer.body and answer.status != 200:
                raise Failed(f"{path}: {answer.status} without a word")
            heard.append(answer)
        heard.append(closed)
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = scene.ask(path, bearer(token), method=method)
            if answer.status != 405:
                raise Failed(f"{method} {path}: {answer.status}")
            heard.append(answer)
    scene.want(200, "healthz needs no login", "/healthz", host="any.example")
    scene.want(304, "a file that is known already", "/page.js", {
        **bearer(token), "If-None-Match": scene.ask("/page.js", bearer(token)).headers["etag"]})


def ask_in_a_row(scene, token):
    """A login is good for its request, and not for the connection; and it is said once."""
    context = ssl.create_default_context(cafile=f"{scene.folder}/certificate.pem")
    line = http.client.HTTPSConnection("127.0.0.1", scene.page, context=context, timeout=30)
    statuses = []
    for headers in (bearer(token), {}, basic("ann", PASSWORD), {}, bearer(token)):
        line.request("GET", "/v1/agents", headers=headers)
        statuses.append(Answer(line.getresponse()).status)
    if statuses != [200, 401, 200, 401, 200]:
        raise Failed(f"on one connection: {statuses}")
    line.putrequest("GET", "/v1/agents")
    for headers in (basic("ann", "x"), bearer(token)):
        line.putheader("Authorization", headers["Authorization"])
    line.endheaders()
    answer = Answer(line.getresponse())
    line.close()
    if answer.status != 400:
        raise Failed(f"two logins in one request: {answer.status}")


def try_agents(scene, token):
    """What lets an agent in shows nobody the page, and a reader is no agent."""
    lasting = scene.command("token", "create", "vm-a", "--bearer")
    once = scene.command("token", "create", "vm-a")
    for shown in (lasting, once, lasting.replace(".", "read-"), "read-" + lasting):
        scene.want(401, "a token of an agent", headers=bearer(shown), source="127.0.1.1")
    scene.want(401, "a token of an agent as password", headers=basic("vm-a", lasting),
               source="127.0.1.1")
    with open(f"{scene.folder}/agent.yaml", "w", encoding="utf-8") as file:
        file.write(f"agent: vm-a\ncollector: \"https://127.0.0.1:{scene.listen}\"\n"
                   "collector_ca: certificate.pem\nstate_dir: agent\nallow_loopback: true\n")
    done = subprocess.run([f"{BUILD}/plprobe", "enroll", "--config", f"{scene.folder}/agent.yaml",
                           "--token-file", "-"], input=once, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"not enrolled: {done.stderr}")
    scene.want(401, "a certificate of an agent",
               certificate=f"{scene.folder}/agent/identity.pem")
    for path, method in (("/v1/assignment", "GET"), ("/v1/batches", "POST"), ("/v1/renew", "POST")):
        for how in (bearer(token), basic("ann", PASSWORD)):
            answer = scene.ask(path, how, method=method, port=scene.listen)
            if answer.status not in (401, 403):
                raise Failed(f"a reader as an agent: {method} {path}: {answer.status}")
    return [lasting, once]


def find_secrets(scene, tokens):
    """Everything that must not be seen: tokens, passwords, hashes, salts, keys."""
    secrets = {PASSWORD, OTHER_PASSWORD}
    for token in tokens:
        secrets |= {token, token.split(".")[1]}
    for name in ("readers", "tokens", "roster"):
        with open(f"{scene.folder}/state/{name}", encoding="utf-8") as file:
            # Digests, salts; the serial numbers of certificates are shorter, and no secrets.
            least = 32 if name == "readers" else 64
            secrets |= set(re.findall(f"[0-9a-f]{{{least},}}", file.read()))
    for path in ("key.pem", "state/ca.key", "agent/identity.pem"):
        with open(f"{scene.folder}/{path}", encoding="utf-8") as file:
            key = re.search(r"PRIVATE KEY-----\n(.*?)-----END", file.read(), re.S)
            secrets |= {line for line in key.group(1).split("\n") if len(line) > 20}
    return [secret.encode() for secret in secrets]


def look_for_secrets(scene, tokens, heard):
    """In all that was answered, in the log, in what commands print, and in /proc."""
    secrets = find_secrets(scene, tokens)
    places = [answer.body + repr(answer.headers).encode() for answer in heard]
    for words in (("config", "dump"), ("token", "list"), ("agents", "list"), ("user", "list"),
                  ("report", "-o", "json", "--exit-zero")):
        places.append(scene.command(*words).encode())
    for path in (scene.log_path, f"/proc/{scene.collector.process.pid}/cmdline",
                 f"/proc/{scene.collector.process.pid}/environ"):
        with open(path, "rb") as file:
            places.append(file.read())
    for place in places:
        for secret in secrets:
            if secret in place:
                raise Failed(f"a secret is told: {secret} in {place[:300]}")
    return len(secrets), len(places)


def check_names(scene, token):
    """DNS rebinding: a name that is not ours gets nothing, whatever it shows."""
    for host in ("evil.example", f"evil.example:{scene.page}", "127.0.0.1.evil.example"):
        scene.want(421, f"Host '{host}'", headers=bearer(token), host=host)
    if scene.ask(headers=bearer(token), host="").status not in (400, 421):
        raise Failed("no Host")
    for host in ("localhost", f"localhost:{scene.page}", "127.0.0.1", f"10.9.8.7:{scene.page}"):
        scene.want(200, f"Host '{host}'", headers=bearer(token), host=host)
    scene.want(403, "a picture of another site", headers={
        **bearer(token), "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"})


def remember(scene):
    """A page that refreshes itself costs one comparison."""
    before = scene.logged("127.0.2.1: ann has logged in")
    for _ in range(20):
        scene.want(200, "a login", headers=basic("ann", PASSWORD), source="127.0.2.1")
    if scene.logged("127.0.2.1: ann has logged in") != before + 1:
        raise Failed("each request is a comparison")


def measure(scene, name, sources):
    times = []
    for source in sources:
        began = time.monotonic()
        scene.want(401, "a guess", headers=basic(name, "no such password"), source=source)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def tell_no_names(scene):
    """A name that there is takes no longer than one that there is not, by more than noise."""
    known = measure(scene, "ann", [f"127.0.3.{i}" for i in range(1, 8)])
    unknown = measure(scene, "nobody", [f"127.0.4.{i}" for i in range(1, 8)])
    if not 0.4 < known / unknown < 2.5 or unknown < 0.01:
        raise Failed(f"a known name {known * 1000:.1f} ms, an unknown one {unknown * 1000:.1f} ms")
    return known, unknown


def guess(scene, token):
    """One address is stopped, then many together are; who has a token goes on without waiting."""
    statuses = [scene.ask(headers=basic("ann", f"no such password {i}"), source="127.0.5.1").status
                for i in range(13)]
    if statuses.count(401) != 10 or statuses[10:] != [429] * 3:
        raise Failed(f"guesses of one address: {statuses}")
    late = scene.want(429, "the right one, too late", headers=basic("ann", PASSWORD),
                      source="127.0.5.1")
    if not 1 <= int(late.headers["retry-after"]) <= 30:
        raise Failed(f"Retry-After: {late.headers['retry-after']}")
    check_answer("/v1/agents", late, "too often")
    scene.want(200, "another address", headers=basic("ann", PASSWORD), source="127.0.5.2")

    results, slowest = [], 0.0

    def attack(start):
        for i in range(start, start + 10):
            results.append(scene.ask(headers=basic("ann", f"no such password {i}"),
                                     source=f"127.0.6.{1 + i}").status)

    threads = [threading.Thread(target=attack, args=(10 * i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        began = time.monotonic()
        scene.want(200, "a token under attack", "/metrics", bearer(token))
        slowest = max(slowest, time.monotonic() - began)
    for thread in threads:
        thread.join()
    if len(results) != 60 or not set(results) <= {401, 429, 503} or results.count(401) < 20:
        raise Failed(f"guesses of many: {[(s, results.count(s)) for s in set(results)]}")
    if slowest > 5:
        raise Failed(f"a scrape took {slowest:.1f} s meanwhile")
    # The rest of what all together may be wrong.
    began, wrong = time.monotonic(), 0
    while scene.ask(headers=bearer("x"), source=f"127.0.9.{1 + wrong % 250}").status == 401:
        wrong += 1
        if wrong > 100 + (time.monotonic() - began) / 2:
            raise Failed("many addresses may guess for ever")
    # Who is remembered is not locked out by others; who is not, is.
    scene.want(200, "one who is remembered", headers=basic("ann", PASSWORD), source="127.0.5.2")
    scene.want(429, "one who is not", headers=basic("ann", PASSWORD), source="127.0.7.1")
    if not scene.logged("127.0.5.1: refused: wrong password for ann"):
        raise Failed("the log does not say who was guessed")
    return results, slowest


def reload(scene, token):
    """What is taken out ends at once; a broken file keeps what was in force."""
    path = f"{scene.folder}/state/readers"
    short = scene.command("token", "create", "short", "--reader", "--expires", "2s")
    gone = scene.command("token", "create", "gone", "--reader")
    scene.want(200, "a new token", headers=bearer(gone))
    scene.want(200, "a short one", headers=bearer(short))
    scene.command("token", "revoke", gone.split("-", 1)[1].split(".")[0])
    scene.want(401, "a revoked token", headers=bearer(gone), source="127.0.8.1")
    scene.command("user", "remove", "bob")
    scene.want(401, "a removed user", headers=basic("bob", OTHER_PASSWORD), source="127.0.8.1")
    time.sleep(2)
    scene.want(401, "a token that has ended", headers=bearer(short), source="127.0.8.1")
    if "reader, expired" not in scene.command("token", "list"):
        raise Failed("token list does not say so")
    with open(path, encoding="utf-8") as file:
        good = file.read()
    with open(path, "a", encoding="utf-8") as file:
        file.write("person eve\n")
    scene.collector.process.send_signal(signal.SIGHUP)
    scene.wait(lambda: scene.logged(r"readers:\d+: want.*stays in force"), "a word at SIGHUP")
    answer = scene.want(200, "with a broken file", "/metrics", bearer(token))
    if b"\nplprobe_readers_current 0\n" not in answer.body:
        raise Failed("the metrics do not say that the file is broken")
    with open(path, "w", encoding="utf-8") as file:
        file.write(good)
    scene.collector.process.send_signal(signal.SIGHUP)
    scene.wait(lambda: b"\nplprobe_readers_current 1\n" in
               scene.ask("/metrics", bearer(token)).body, "a good file again")
    scene.wait(lambda: scene.logged("readers and certificates are read again"), "a good reload")
    make_certificate(scene.folder)
    scene.collector.process.send_signal(signal.SIGHUP)

    def shows_new():
        try:
            return scene.ask(headers=bearer(token), fresh=True).status == 200
        except ssl.SSLError:
            return False

    scene.wait(shows_new, "the new certificate")


def scrape(scene, token):
    """A real Prometheus, by the sample that is shipped."""
    program = shutil.which("prometheus")
    if program is None:
        raise Failed("no prometheus on this machine (Debian's package prometheus)")
    port = free_port()
    with open("deploy/prometheus/prometheus.yaml", encoding="utf-8") as file:
        text = file.read()
    for old, new in (("/etc/prometheus/plprobe.token", f"{scene.folder}/prom.token"),
                     ("/etc/prometheus/collector.pem", f"{scene.folder}/certificate.pem"),
                     ("collector.example:8640", f"127.0.0.1:{scene.page}")):
        if text.count(old) != 1:
            raise Failed(f"deploy/prometheus/prometheus.yaml: no {old}")
        text = text.replace(old, new)
    with open(f"{scene.folder}/prom.token", "w", encoding="utf-8") as file:
        file.write(token)
    with open(f"{scene.folder}/prometheus.yaml", "w", encoding="utf-8") as file:
        file.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\n" + text)
    with open(f"{scene.folder}/prometheus.log", "wb") as log:
        prometheus = subprocess.Popen(
            [program, f"--config.file={scene.folder}/prometheus.yaml",
             f"--storage.tsdb.path={scene.folder}/tsdb", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log)

    def has_scraped():
        try:
            answer = scene.ask("/api/v1/query?query=plprobe_build_info", port=port, tls=False)
        except OSError:
            return False
        return answer.status == 200 and len(json.loads(answer.body)["data"]["result"]) == 1

    try:
        scene.wait(has_scraped, "a scrape of Prometheus", 60)
    finally:
        prometheus.terminate()
        prometheus.wait()


def try_loopback(scene):
    """On loopback everything is as it was: no login, no TLS, and no name but its own."""
    scene.collector.stop()
    if os.path.exists(f"{scene.folder}/state/page.sock"):
        raise Failed("the local socket is still there")
    scene.tls = False
    scene.configure("127.0.0.1")
    scene.start()
    for path in ("/", "/v1/state", "/metrics"):
        answer = scene.want(200, f"{path} on loopback", path)
        if "strict-transport-security" in answer.headers:
            raise Failed("strict transport security without TLS")
    scene.want(421, "another name on loopback", host="evil.example")
    scene.want(421, "another address on loopback", host=f"10.9.8.7:{scene.page}")
    scene.command("report", "--exit-zero")
    scene.collector.stop()


def try_proxy(scene, token):
    """Behind a proxy that ends TLS: a login on loopback too, and for the proxy alone."""
    scene.configure("0.0.0.0", "page_proxies: [127.0.0.1]\npage_names: [probe.example]")
    scene.start()
    forwarded = {"X-Forwarded-For": "192.0.2.1"}
    scene.want(401, "through the proxy", "/", forwarded, host="probe.example")
    scene.want(200, "through the proxy, with a login", "/", {**forwarded, **bearer(token)},
               host="probe.example")
    scene.want(403, "past the proxy", "/", bearer(token), source="127.0.0.2")
    scene.want(421, "by another name", "/", bearer(token), host="evil.example")
    for i in range(10):
        scene.want(401, "a guess", "/", {**forwarded, **basic("ann", f"no such {i}")})
    scene.want(429, "a guess too many", "/", {**forwarded, **basic("ann", PASSWORD)})
    scene.want(200, "another visitor", "/", {"X-Forwarded-For": "192.0.2.2",
                                             **basic("ann", PASSWORD)})
    scene.collector.stop()


def try_nginx(scene, token):
    """A real proxy by the sample that is shipped, where there is one on this machine."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
    if program is None:
        return "skipped nginx: there is none on this machine, and its sample is not tried"
    port = free_port()
    with open("deploy/nginx.conf", encoding="utf-8") as file:
        text = file.read()
    for old, new in (("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                     ("http://127.0.0.1:8640", f"http://127.0.0.1:{scene.page}"),
                     ("/etc/nginx/plprobe.pem", f"{scene.folder}/certificate.pem"),
                     ("/etc/nginx/plprobe.key", f"{scene.folder}/key.pem")):
        if text.count(old) < 1:
            raise Failed(f"deploy/nginx.conf: no {old}")
        text = text.replace(old, new)
    with open(f"{scene.folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(f"daemon off; pid {scene.folder}/nginx.pid; error_log stderr;\n"
                   f"events {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n")
    scene.configure("127.0.0.1", "page_proxies: [127.0.0.1]\npage_names: [plprobe.example]")
    scene.start()
    nginx = subprocess.Popen([program, "-p", scene.folder, "-c", f"{scene.folder}/nginx.conf"],
                             stdout=scene.log, stderr=scene.log)

    def ask(headers, source="127.0.0.1"):
        return scene.ask("/v1/agents", headers, host="plprobe.example", port=port, tls=True,
                         source=source)

    def answers():
        try:
            return ask({}).status == 401
        except OSError:
            return False

    try:
        scene.wait(answers, "nginx in front")
        answer = ask(bearer(token))
        if answer.status != 200:
            raise Failed(f"through nginx: {answer.status}")
        check_answer("/v1/agents", answer, "through nginx")
        # Whoever claims to be somebody else is still himself.
        for i in range(10):
            ask({**basic("ann", f"no such {i}"), "X-Forwarded-For": f"192.0.2.{i}"}, "127.0.0.7")
        stopped = ask(basic("ann", PASSWORD), "127.0.0.7").status
        other = ask(basic("ann", PASSWORD), "127.0.0.8").status
        if (stopped, other) != (429, 200):
            raise Failed(f"guesses through nginx: {stopped}, another visitor {other}")
    finally:
        nginx.terminate()
        nginx.wait()
    scene.collector.stop()
    return "ok      nginx in front by the sample of deploy/"


def refuse_open_files(scene):
    os.chmod(f"{scene.folder}/state/readers", 0o644)
    if "chmod 600" not in scene.command("config", "check", code=1):
        raise Failed("a file of readers that others may read is taken")
    os.chmod(f"{scene.folder}/state/readers", 0o600)


def run(scene):
    heard = []
    token = refuse_to_start(scene)
    ask_at_terminal(scene)
    scene.start()
    ask_everything(scene, token, heard)
    ask_in_a_row(scene, token)
    print(f"ok      {len(ROUTES)} routes, {len(heard)} answers: nothing without a login, all headers")
    tokens = try_agents(scene, token)
    print("ok      what lets an agent in shows nobody the page, and a reader is no agent")
    check_names(scene, token)
    scrape(scene, token)
    print("ok      names of others get nothing; Prometheus scrapes with the sample of deploy/")
    remember(scene)
    known, unknown = tell_no_names(scene)
    print(f"ok      a guess takes {known * 1000:.0f} ms, of a name that is not there "
          f"{unknown * 1000:.0f} ms; 20 requests of a page cost one")
    reload(scene, token)
    results, slowest = guess(scene, token)
    print(f"ok      {len(results)} guesses at once: {results.count(401)} tried, "
          f"{results.count(429)} unread, {results.count(503)} too many; a scrape meanwhile "
          f"at most {slowest * 1000:.0f} ms")
    secrets, places = look_for_secrets(scene, [token, *tokens], heard)
    print(f"ok      {secrets} secrets in none of {places} places")
    try_loopback(scene)
    try_proxy(scene, token)
    print(try_nginx(scene, token))
    refuse_open_files(scene)
    print("ok      loopback without a login, a proxy with one")


def main():
    folder = tempfile.mkdtemp(prefix="plprobe-login-")
    log_path = f"{folder}/log"
    scene = None
    try:
        with open(log_path, "w", encoding="utf-8") as log:
            scene = Scene(folder, log_path, log)
            run(scene)
    except Failed as why:
        print(f"FAILED: {why}")
        with open(log_path, encoding="utf-8") as log:
            print("".join(log.readlines()[-30:]))
        return 1
    finally:
        if scene is not None and scene.collector.process is not None:
            scene.collector.stop()
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
