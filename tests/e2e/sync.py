#!/usr/bin/env python3
"""`plprobe-collector accounts sync` against tests/fake/fake_arm.py: every document as a file that the
collector and `plprobe check --expect` read, every fault for the price that it should have, and what
changed in the history of a collector that runs.
"""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/fake"))
import fake_arm  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PLPROBE_BUILD", "build/dev")).resolve()
COLLECTOR = str(BUILD / "plprobe-collector")
FILES = {"account.json", "connections.json", "link-resources.json"}
KINDS = {"endpoint", "zone-groups", "interface", "zone", "records", "links"}


class Stage:
    """A folder with a configuration, a certificate, and a fake."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.accounts = self.folder / "accounts"
        self.accounts.mkdir()
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=arm", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], check=True, capture_output=True)
        (self.folder / "token").write_text(fake_arm.TOKEN + "\n")
        (self.folder / "assertion").write_text(fake_arm.ASSERTION)
        (self.folder / "collector.yaml").write_text(
            f"certificate: cert.pem\nkey: key.pem\nlisten: 127.0.0.1:0\npage: 127.0.0.1:0\n"
            f"store: sqlite:{folder}/store.db\nstate_dir: {folder}\naccounts_dir: {self.accounts}\n")
        self.renew()

    def renew(self):
        self.fake = fake_arm.FakeArm(f"{self.folder}/cert.pem", f"{self.folder}/key.pem")
        self.fake.start()
        self.url = f"https://127.0.0.1:{self.fake.port}"

    def sync(self, *words, token=True, ca=True, env=None, accounts=(fake_arm.ACCOUNT,)):
        command = [COLLECTOR, "accounts", "sync", f"--config={self.folder}/collector.yaml",
                   f"--resource-manager={self.url}", *words, *accounts]
        if ca:
            command.insert(4, f"--ca-file={self.folder}/cert.pem")
        if token:
            command.insert(4, f"--token-file={self.folder}/token")
        environment = {key: value for key, value in os.environ.items() if not key.upper().endswith("PROXY")}
        environment.update(env or {})
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)

    def names(self):
        return {path.name for path in (self.accounts / "contoso").glob("*.json") if path.name[0] != "."}

    def run(self, *words):
        return subprocess.run([COLLECTOR, *words, f"--config={self.folder}/collector.yaml"],
                              capture_output=True, text=True, timeout=60)


def want(holds, *words):
    if not holds:
        raise AssertionError(" ".join(str(word) for word in words))


def kinds(names):
    return {kind for kind in KINDS for name in names
            if name.startswith(kind + "-") and not name.startswith("zone-groups" if kind == "zone" else "?")}


def test_all_documents(stage):
    done = stage.sync()
    want(done.returncode == 0, done.stdout, done.stderr)
    want("9 files written, 0 as before" in done.stdout, done.stdout)
    want(FILES <= stage.names() and kinds(stage.names()) == KINDS, stage.names())
    records = next(path for path in (stage.accounts / "contoso").glob("records-*"))
    want(len(json.loads(records.read_text())["value"]) == 3, "both pages")
    want(not any(fake_arm.TOKEN in path.read_text() for path in stage.accounts.rglob("*") if path.is_file()),
         "the token is in no file")
    listed = stage.run("accounts", "list")
    want(listed.returncode == 0 and "contoso" in listed.stdout and "2 " in listed.stdout, listed)

    # Again: what has an ETag is not sent, nothing is written, no time stamp moves.
    before = {path: path.stat().st_mtime_ns for path in stage.accounts.rglob("*.json") if path.name[0] != "."}
    stage.fake.asked.clear()
    done = stage.sync()
    want("0 files written, 9 as before" in done.stdout, done.stdout)
    want(sum(status == 304 for _, _, _, status in stage.fake.asked) == 3, stage.fake.asked)
    want(before == {path: path.stat().st_mtime_ns for path in before}, "files are left alone")


def elements(documents):
    """Each document once, whether it came in a list or by itself."""
    found = set()
    for document in documents:
        if isinstance(document, dict) and list(document) == ["value"]:
            document = document["value"]
        for one in document if isinstance(document, list) else [document]:
            found.add(json.dumps(one, sort_keys=True))
    return found


def check(*files):
    """What `check` says of the documents, without their names."""
    done = subprocess.run(
        [str(BUILD / "plprobe"), "check", "--dns-only", "--no-sweep", "--resolver=127.0.0.1:9",
         "--timeout=300ms", "-o", "json", *[f"--expect={path}" for path in files]],
        capture_output=True, text=True, timeout=60)
    want(done.stdout.startswith("{"), done)
    told = json.loads(done.stdout)["accounts"]
    for account in told:
        account.pop("document")
        for part in account["findings"] + account["places"]:
            part.pop("seen")  # when, and how fast
            part.pop("evidence", None)
    return told


def test_same_set(stage):
    """The files hold what the service has, no more and no less; and `check` takes them, in any order,
    for the same as one list of everything."""
    stage.sync()
    files = [path for path in (stage.accounts / "contoso").glob("*.json") if path.name[0] != "."]
    want(elements(json.loads(path.read_text()) for path in files) == elements(stage.fake.documents.values()),
         "the same documents")
    mixed = stage.folder / "mixed.json"
    mixed.write_text("[" + ",".join(sorted(elements(stage.fake.documents.values()))) + "]")
    want(check(mixed) == check(*sorted(files)) == check(*sorted(files, reverse=True)), "the same to check")


def test_tokens(stage):
    done = stage.sync(f"--imds={stage.url}", "--managed-identity", token=False)
    want(done.returncode == 0, done)
    asked = stage.fake.asked[0]
    want("resource=" in asked[1] and asked[2].get("Metadata") == "true" and "client_id" not in asked[1], asked)
    done = stage.sync(f"--imds={stage.url}", f"--managed-identity={fake_arm.CLIENT}", token=False)
    want(done.returncode == 0, done)
    done = stage.sync(f"--imds={stage.url}", "--managed-identity=other", token=False)
    want(done.returncode == 1 and "Identity not found" in done.stderr, done)
    environment = {"AZURE_FEDERATED_TOKEN_FILE": f"{stage.folder}/assertion", "AZURE_CLIENT_ID": fake_arm.CLIENT,
                   "AZURE_TENANT_ID": fake_arm.TENANT, "AZURE_AUTHORITY_HOST": stage.url + "/"}
    done = stage.sync(token=False, env=environment)
    want(done.returncode == 0, done)
    want(any(path.endswith("/oauth2/v2.0/token") for _, path, _, _ in stage.fake.asked), "by the authority")
    done = stage.sync(token=False, env={**environment, "AZURE_CLIENT_ID": "other"})
    want(done.returncode == 1 and "AADSTS700213" in done.stderr and fake_arm.ASSERTION not in done.stderr, done)
    done = stage.sync(token=False, env={**environment, "AZURE_CLIENT_ID": ""})
    want(done.returncode == 2 and "AZURE_CLIENT_ID" in done.stderr, done)
    (stage.folder / "token").write_text("wrong")
    done = stage.sync()
    want(done.returncode == 1 and "the token is refused" in done.stderr and "wrong" not in done.stderr, done)
    (stage.folder / "token").write_text("two words")
    done = stage.sync()
    want(done.returncode == 1 and "is not one token" in done.stderr, done)


def test_token_is_renewed(stage):
    """One that ends on the way is asked for once more."""
    class Ending(dict):
        def items(self):
            if len(stage.fake.asked) > 4:
                stage.fake.token = "second.token"
                (stage.folder / "token").write_text("second.token")
            return super().items()
    stage.fake.faults = Ending()
    done = stage.sync()
    want(done.returncode == 0 and "9 files written" in done.stdout, done)
    want(sum(status == 401 for _, _, _, status in stage.fake.asked) == 1, stage.fake.asked)


def test_choice(stage):
    subscription = "--subscription=" + fake_arm.SUB.split("/")[2]
    done = stage.sync(f"--imds={stage.url}", accounts=("contoso",), token=False)
    want(done.returncode == 2 and "contoso: which one?" in done.stderr and "--query id" in done.stderr, done)
    want(not stage.fake.asked, "nobody is asked for a token", stage.fake.asked)
    stage.fake.faults = {"databaseAccounts?": "403"}
    done = stage.sync(subscription, accounts=())
    want(done.returncode == 1 and "Microsoft.DocumentDB/databaseAccounts/read" in done.stderr, done)
    stage.fake.faults = {"/metadata/": "403"}
    done = stage.sync(f"--imds={stage.url}", token=False)
    want(done.returncode == 1 and "403" in done.stderr and "role Reader" in done.stderr, done)
    stage.fake.faults = {}
    want(stage.sync(subscription, accounts=()).returncode == 0, "all of a subscription")
    want(stage.sync(subscription, "--resource-group=rg-data", accounts=("CONTOSO",)).returncode == 0, "by name")
    done = stage.sync(subscription, accounts=("fabrikam",))
    want(done.returncode == 0 and "fabrikam: not visible to us" in done.stdout, done)
    want("does not exist" not in done.stdout, done)
    for words, accounts in (((), ()), ((), ("contoso",)), (("--resource-group=x",), ()),
                            (("--subscription=my name",), ()), ((), ("/subscriptions/../x",)),
                            (("--cloud=AzureGermanCloud",), (fake_arm.ACCOUNT,))):
        done = stage.sync(*words, accounts=accounts)
        want(done.returncode in (1, 2) and done.stderr, words, accounts, done)


CLOUDS = {  # resource manager, authority, what tokens are for
    "AzureCloud": ("management.azure.com", "login.microsoftonline.com", "https://management.core.windows.net/"),
    "AzureUSGovernment": ("management.usgovcloudapi.net", "login.microsoftonline.us",
                          "https://management.core.usgovcloudapi.net/"),
    "AzureChinaCloud": ("management.chinacloudapi.cn", "login.chinacloudapi.cn",
                        "https://management.core.chinacloudapi.cn/"),
}


@contextlib.contextmanager
def proxy():
    """One that leads nowhere, and knows who was to be reached."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as peer:
                        asked.append(peer.recv(4096).split(b" ")[1].decode())
                        peer.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        server.shutdown(socket.SHUT_RDWR)


def test_clouds(stage):
    """Each cloud has its own resource manager, authority and audience; another one is said in words."""
    environment = {key: value for key, value in os.environ.items() if not key.upper().endswith("PROXY")}
    command = [COLLECTOR, "accounts", "sync", f"--config={stage.folder}/collector.yaml", "--timeout=4s",
               f"--ca-file={stage.folder}/cert.pem", fake_arm.ACCOUNT]
    for cloud, (manager, authority, audience) in CLOUDS.items():
        with proxy() as (url, asked):
            stage.fake.asked.clear()
            subprocess.run([*command, f"--cloud={cloud}", "--managed-identity", f"--imds={stage.url}"],
                           capture_output=True, timeout=60, env={**environment, "https_proxy": url})
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(stage.fake.asked[0][1]).query)
            want(query["resource"] == [audience], cloud, query)
            want(set(asked) == {f"{manager}:443"}, cloud, asked)
            asked.clear()
            subprocess.run([*command, f"--cloud={cloud}"], capture_output=True, timeout=60, env={
                **environment, "https_proxy": url, "AZURE_FEDERATED_TOKEN_FILE": f"{stage.folder}/assertion",
                "AZURE_CLIENT_ID": fake_arm.CLIENT, "AZURE_TENANT_ID": fake_arm.TENANT})
            want(set(asked) == {f"{authority}:443"}, cloud, asked)
    done = stage.sync("--audience=https://other.example/", f"--imds={stage.url}", "--managed-identity", token=False)
    want(done.returncode == 0, done)
    want(any("resource=https%3A%2F%2Fother.example%2F" in path for _, path, _, _ in stage.fake.asked), "said")


def test_shared_zone(stage):
    """Two accounts lead to one zone: it is asked for once, and each folder has all of it."""
    other = json.loads(json.dumps(stage.fake.documents[fake_arm.ACCOUNT]).replace("contoso", "fabrikam")
                       .replace("pe-fabrikam", "pe-contoso"))
    path = fake_arm.ACCOUNT.replace("contoso", "fabrikam")
    stage.fake.documents.update({path: other, path + "/privateEndpointConnections": [],
                                 path + "/privateLinkResources": []})
    done = stage.sync(accounts=(fake_arm.ACCOUNT, path))
    want(done.returncode == 0 and "2 accounts: 16 files written" in done.stdout, done)
    asked = [path for _, path, _, _ in stage.fake.asked if "/privateDnsZones/" in path]
    want(len(asked) == 4, asked)  # the zone, two pages of records, its links
    for account in ("contoso", "fabrikam"):
        want(len([1 for path in (stage.accounts / account).glob("records-*")]) == 1, account)
    done = stage.sync(accounts=(fake_arm.ACCOUNT, path))
    want("0 files written, 16 as before" in done.stdout, done)


def test_rights(stage):
    """What may not be read costs that document, is called not visible, and keeps an older file."""
    stage.fake.faults = {"/privateDnsZones/": "403", "/networkInterfaces/": "404"}
    done = stage.sync()
    want(done.returncode == 0 and "5 files written" in done.stdout and "4 documents not visible" in done.stdout, done)
    want("not visible to us: 403 AuthorizationFailed" in done.stdout, done.stdout)
    for right in ("privateDnsZones", "privateDnsZones/A", "privateDnsZones/virtualNetworkLinks"):
        want(f"; wanted: Microsoft.Network/{right}/read, which the role Reader has\n" in done.stdout, right, done.stdout)
    want("not visible to us: 404 ResourceNotFound" in done.stdout, done.stdout)
    want(not any("404" in line and "wanted" in line for line in done.stdout.splitlines()), done.stdout)
    want("exist" not in done.stdout, done.stdout)
    stage.fake.faults = {}
    want("4 files written" in stage.sync().stdout, "with rights")
    stage.fake.faults = {"/privateDnsZones/": "403", "databaseAccounts/contoso?": "403"}
    done = stage.sync()
    want(kinds(stage.names()) == KINDS and FILES <= stage.names(), "older files stay", stage.names())
    want("0 taken away" in done.stdout and done.returncode == 0, done)


FAULT_CASES = [
    # part of the path, fault, exit code, words on stdout
    ("/A?", "throttle", 0, "9 files written"),
    ("/A?", "busy", 0, "9 files written"),
    ("/privateLinkResources", "close", 1, "privateLinkResources"),
    ("/A?", "flood", 1, "/A: answered 429 TooManyRequests"),
    ("/A?", "garbage", 1, "/A:1:"),
    ("/virtualNetworkLinks", "wrong", 1, "value: an array wanted"),
    ("/networkInterfaces/", "wrong", 1, "what was there stays"),
    ("/A?", "astray", 1, "nextLink leads to another host"),
    ("/A?", "circle", 1, "nextLink leads in a circle"),
    ("/A?", "endless", 1, "the answer is too large"),
    ("/A?", "redirect", 1, "a redirect, which is not followed"),
    ("databaseAccounts", "old", 0, "9 files written"),
]


def test_faults(stage):
    """A fault has its price, and what was fetched before stays whatever comes."""
    stage.sync()
    good = {path: path.read_bytes() for path in (stage.accounts / "contoso").glob("*.json") if path.name[0] != "."}
    for part, fault, code, words in FAULT_CASES:
        if code == 0:
            shutil.rmtree(stage.accounts / "contoso")
        stage.fake.used.clear()
        stage.fake.faults = {part: fault}
        began = time.monotonic()
        limit = "--timeout=6s" if fault == "close" else "--timeout=30s"
        done = stage.sync(limit)
        want(done.returncode == code and words in done.stdout, part, fault, done)
        want(good == {path: path.read_bytes() for path in good}, part, fault, "files changed")
        want(fault != "throttle" or time.monotonic() - began >= 1, "the service's Retry-After is kept")
    stage.fake.faults = {"/A?": "slow"}
    began = time.monotonic()
    done = stage.sync("--timeout=3s")
    want(done.returncode == 1 and time.monotonic() - began < 10, "slow", done)


def test_stranger(stage):
    """A certificate that nobody vouches for gets no token."""
    done = stage.sync("--timeout=3s", ca=False)
    want(done.returncode == 1 and not stage.fake.asked, done)


def test_taken_away(stage):
    """Only when nothing names a document any more, and all that could was seen."""
    stage.sync()
    (stage.accounts / "contoso" / "mine.json").write_text("[]")
    account = stage.fake.documents[fake_arm.ACCOUNT]
    account["properties"]["privateEndpointConnections"] = []
    kept = stage.fake.documents[fake_arm.ACCOUNT + "/privateEndpointConnections"]
    stage.fake.documents[fake_arm.ACCOUNT + "/privateEndpointConnections"] = []
    stage.fake.faults = {"/privateLinkResources": "403"}
    want("0 taken away" in stage.sync().stdout, "not all was seen")
    stage.fake.faults = {}
    done = stage.sync()
    want("7 taken away" in done.stdout, done.stdout)
    want(stage.names() == {"account.json", "link-resources.json", "mine.json"}, stage.names())
    stage.fake.documents[fake_arm.ACCOUNT + "/privateEndpointConnections"] = kept
    want("7 files written" in stage.sync().stdout, "and it comes back")


@contextlib.contextmanager
def running(stage):
    process = subprocess.Popen([COLLECTOR, "run", f"--config={stage.folder}/collector.yaml"],
                               stderr=subprocess.PIPE, text=True)
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if "ready:" in line:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGTERM)
        lines += process.communicate(timeout=30)[1].splitlines(True)


def history(stage, *words):
    done = stage.run("accounts", "history", *words)
    want(done.returncode == 0, done)
    return done.stdout


def wait_for(stage, words, limit_s=20):
    ends = time.monotonic() + limit_s
    while words not in history(stage):
        want(time.monotonic() < ends, "no", words, "in", history(stage))
        time.sleep(0.3)


def test_history(stage):
    """A region is added while a collector runs, and another while none does."""
    account = stage.fake.documents[fake_arm.ACCOUNT]
    stage.sync()
    with running(stage) as lines:
        wait_for(stage, "contoso/account.json: first seen: account contoso")
        account["properties"]["locations"].append(fake_arm.location("East US", "eastus", 2))
        stage.sync()
        wait_for(stage, "contoso/account.json: region added: East US (Succeeded)")
    want(any("region added: East US" in line for line in lines), lines)
    account["properties"]["locations"].append(fake_arm.location("Japan East", "japaneast", 3))
    stage.sync()
    with running(stage) as lines:
        wait_for(stage, "contoso/account.json: region added: Japan East")
    told = history(stage)
    want(told.count("contoso/account.json: ") == 3, told)
    want(history(stage, "contoso").count("\n") >= 3 and not history(stage, "fabrikam"), told)
    (stage.accounts / "contoso" / "account.json").write_text('{"name": "con')
    with running(stage) as lines:
        pass
    want(any("what was known before stays in force" in line for line in lines), lines)
    want(history(stage) == told, history(stage))
    # A report without a collector knows what the collector knows.
    want("contoso" in stage.run("report", "--output=json").stdout, "kept in the report too")


def test_old_store(stage):
    """A store of the first version has no documents; a collector that starts gives it some."""
    with running(stage):
        pass
    columns = ("state", "looks", "mode", "confirmed_ms", "looked_ms")
    with contextlib.closing(sqlite3.connect(stage.folder / "store.db")) as database:
        database.executescript("DROP TABLE documents; PRAGMA user_version = 1;" + "".join(
            f"ALTER TABLE findings DROP COLUMN {column};" for column in columns))
    done = stage.run("accounts", "history")
    want(done.returncode == 1 and "store has schema 1" in done.stderr, done)
    stage.sync()
    with running(stage):
        wait_for(stage, "contoso/account.json: first seen")


def test_by_hand(stage):
    """Documents that people put there: `accounts add`, `accounts remove`."""
    account = stage.fake.documents[fake_arm.ACCOUNT]
    ours = stage.folder / "contoso.json"
    ours.write_text(json.dumps(account))
    done = stage.run("accounts", "add", str(ours))
    want(done.returncode == 0 and done.stdout.startswith("contoso/contoso.json: first seen"), done)
    want(json.loads((stage.accounts / "contoso/contoso.json").read_text()) == account, "as it was")
    done = stage.run("accounts", "add", str(ours))
    want(done.returncode == 0 and "is there already, and the same" in done.stdout, done)
    account["properties"]["locations"].append(fake_arm.location("East US", "eastus", 2))
    other = stage.folder / "new one.txt"
    other.write_text(json.dumps(account))
    done = stage.run("accounts", "add", str(other))  # in the place of the one before, whatever it is called
    want(done.returncode == 0 and "contoso/contoso.json: region added: East US" in done.stdout, done)
    good = (stage.accounts / "contoso/contoso.json").read_bytes()
    for text, words in (('{"name": "con', "contoso.json:1:"), ('{"hello": 1}', "contoso.json")):
        ours.write_text(text)
        done = stage.run("accounts", "add", str(ours))
        want(done.returncode == 1 and words in done.stderr, text, done)
        want((stage.accounts / "contoso/contoso.json").read_bytes() == good, "what was there stays")
    # What tells of no account alone stands at the top, and gives way only when it is told to.
    zone = stage.folder / "records.json"
    zone.write_text(json.dumps({"value": stage.fake.documents[fake_arm.ZONE + "/A"]}))
    want(stage.run("accounts", "add", str(zone)).returncode == 0 and (stage.accounts / "records.json").exists(), "zone")
    zone.write_text(json.dumps({"value": stage.fake.documents[fake_arm.ZONE + "/A"][:1]}))
    done = stage.run("accounts", "add", str(zone))
    want(done.returncode == 1 and "--replace" in done.stderr, done)
    done = stage.run("accounts", "add", "--replace", str(zone))
    want(done.returncode == 0 and "records.json: record removed" in done.stdout, done)
    piped = subprocess.run([COLLECTOR, "accounts", "add", f"--config={stage.folder}/collector.yaml", "-"],
                           input=json.dumps(stage.fake.documents[fake_arm.ENDPOINT]), capture_output=True, text=True)
    want(piped.returncode == 0 and "contoso/private_endpoint.json: first seen" in piped.stdout, piped)
    with running(stage):
        wait_for(stage, "contoso/contoso.json: first seen")
        done = stage.run("accounts", "remove", "CONTOSO")
        want(done.returncode == 0 and done.stdout.count("taken away") == 2, done)
        wait_for(stage, "contoso/contoso.json: the document is gone")
    want(not (stage.accounts / "contoso").exists() and (stage.accounts / "records.json").exists(), "its own alone")
    done = stage.run("accounts", "remove", "contoso")
    want(done.returncode == 1 and "no document tells of contoso" in done.stderr, done)
    # A file of several accounts is a person's to edit.
    fabrikam = json.loads(json.dumps(account).replace("contoso", "fabrikam"))
    both = stage.folder / "all.json"
    both.write_text(json.dumps([account, fabrikam]))
    want(stage.run("accounts", "add", str(both)).returncode == 0, "several")
    done = stage.run("accounts", "remove", "fabrikam")
    want(done.returncode == 1 and "all.json tells of fabrikam and of others" in done.stderr, done)
    want((stage.accounts / "all.json").exists(), "and stays")
    # What was fetched goes as well, with what `accounts sync` keeps beside it.
    os.unlink(stage.accounts / "all.json")
    stage.sync()
    done = stage.run("accounts", "remove", "contoso")
    want(done.returncode == 0 and "contoso/account.json: taken away" in done.stdout, done)


SETTING = """
sync:
  - accounts: [{account}]
    token_file: token
    resource_manager: {url}
    ca_file: cert.pem
  - subscription: 00000000-0000-0000-0000-000000000001
    resource_group: rg-data
    token_file: token
    resource_manager: {url}/
    ca_file: cert.pem
"""


def test_setting(stage):
    """What is set is fetched by the command, and by a collector that runs, in a process of its own."""
    conf = stage.folder / "collector.yaml"
    plain = conf.read_text()
    done = stage.run("accounts", "sync")
    want(done.returncode == 2 and "the setting `sync`" in done.stderr, done)
    conf.write_text(plain + SETTING.format(account=fake_arm.ACCOUNT, url=stage.url))
    done = stage.run("accounts", "sync")
    want(done.returncode == 0 and done.stdout.count("1 accounts:") == 2, done)
    shutil.rmtree(stage.accounts / "contoso")
    conf.write_text(conf.read_text() + "sync_interval: 1m\n")
    with running(stage) as lines:
        wait_for(stage, "contoso/account.json: first seen")
    want(any("account.json written" in line for line in lines), lines)

    # One that hangs ends with the collector.
    stage.fake.faults = {"databaseAccounts/contoso?": "slow"}
    stage.fake.asked.clear()
    began = time.monotonic()
    with running(stage):
        while not stage.fake.asked:
            time.sleep(0.1)
    want(time.monotonic() - began < 15, "it does not wait for the service")
    for wrong, words in (("sync_interval: 5s\n", "1m"), ("sync_interval: 1m\n", "nothing in `sync`"),
                         ("sync: [{cloud: AzureCloud}]\n", "accounts or a subscription wanted"),
                         ("sync: [{accounts: [x], resource_group: y}]\n", "subscription wanted with it")):
        conf.write_text(plain + wrong)
        done = stage.run("accounts", "sync")
        want(done.returncode == 1 and words in done.stderr, wrong, done)


def test_root_for_another(stage):
    """What root adds and migrates belongs to the owner of the folder, who is not root."""
    missing = stage.run("store", "migrate")
    want(missing.returncode == 1 and "there is no store to migrate" in missing.stderr, missing)
    want(not list(stage.folder.glob("store.db*")), "nothing was made")
    if os.geteuid() != 0:
        print("skipped: root wanted")
        return
    nobody = pwd.getpwnam("nobody").pw_uid
    with running(stage):
        pass
    ours = stage.folder / "contoso.json"
    ours.write_text(json.dumps(stage.fake.documents[fake_arm.ACCOUNT]))
    for name in ("store.db.lock", "store.db.reserve"):
        (stage.folder / name).unlink(missing_ok=True)
    for path in (stage.folder, stage.accounts, *stage.folder.glob("store.db*")):
        os.chown(path, nobody, -1)
    done = stage.run("store", "migrate")
    want(done.returncode == 0, done)
    done = stage.run("accounts", "add", str(ours))
    want(done.returncode == 0, done)
    for path in (stage.accounts / "contoso", stage.accounts / "contoso/contoso.json", *stage.folder.glob("store.db*")):
        want(path.stat().st_uid == nobody, path, "is of", path.stat().st_uid)


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            stage = Stage(folder)
            began = time.monotonic()
            try:
                test(stage)
            finally:
                stage.fake.stop()
            print(f"ok      {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)


if __name__ == "__main__":
    main()
