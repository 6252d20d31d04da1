"""Who means the collector harm, each by name: what it does, and what it has to see.

An attack runs again and again until the world is over, and returns a line of what it saw; what it must
not see is an exception.  Each has an address of its own on loopback, as machines have.
"""

import base64
import gzip
import hashlib
import itertools
import os
import random
import socket
import ssl
import struct
import subprocess
import time

ATTACKS = {}


class Broken(Exception):
    """The collector did what it must not."""


class Gone(Exception):
    """The collector has ended the connection, or did not let it in."""


def attack(name):
    def put(run):
        ATTACKS[name] = run
        return run
    return put


def want(good, what):
    if not good:
        raise Broken(what)


class Peer:
    """One connection, from an address of loopback."""

    def __init__(self, world, source, cert=None, tls=True, small=False):
        raw = socket.socket()
        raw.settimeout(world.patience_s)
        if small:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try:
            raw.bind((source, 0))
            raw.connect(("127.0.0.1", world.port))
            self.socket = self.shake(world, raw, cert) if tls else raw
        except OSError as error:
            raw.close()
            raise Gone(str(error)) from None
        self.buffer = b""

    @staticmethod
    def shake(world, raw, cert):
        context = ssl.create_default_context(cafile=f"{world.folder}/root.pem")
        context.check_hostname = False
        if cert is not None:
            context.load_cert_chain(f"{world.folder}/{cert}.pem", f"{world.folder}/{cert}.key")
        return context.wrap_socket(raw)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def say(self, data):
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Gone(str(error)) from None

    def more(self):
        try:
            data = self.socket.recv(65536)
        except OSError as error:
            raise Gone(str(error)) from None
        if not data:
            raise Gone("closed")
        self.buffer += data

    def hear(self, method="GET"):
        """One answer: status, headers, body."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in
                   (line.split(":", 1) for line in lines)}
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(first.split()[1]), headers, body

    def ask(self, method, target, headers=(), body=b""):
        self.say(head(method, target, headers, body) + body)
        return self.hear(method)

    def is_closed(self):
        """Nothing more comes but the end."""
        try:
            self.more()
        except Gone:
            return True
        return False


def head(method, target, headers=(), body=b""):
    lines = [f"{method} {target} HTTP/1.1", "Host: collector", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def pack(value):
    """As much of MessagePack as a batch needs."""
    if isinstance(value, int):
        return struct.pack(">BQ", 0xcf, value)
    if isinstance(value, str):
        return struct.pack(">BH", 0xda, len(value)) + value.encode()
    if isinstance(value, list):
        return struct.pack(">BH", 0xdc, len(value)) + b"".join(pack(item) for item in value)
    return struct.pack(">BH", 0xde, len(value)) + b"".join(
        pack(key) + pack(item) for key, item in value.items())


def make_batch(agent, epoch, seq, records=1):
    return pack({1: 1, 2: agent, 3: epoch, 4: seq, 5: "vnet-x", 6: int(time.time() * 1000),
                 10: [{} for _ in range(records)]})


def batch_headers(body, token, *more):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return [f"Authorization: Bearer {token}", "Content-Type: application/vnd.msgpack",
            f"Content-Digest: sha-256=:{digest}:", *more]


def post(peer, body, token, *more):
    return peer.ask("POST", "/v1/batches", batch_headers(body, token, *more), body)


def hold(world, peers, say=None, every_s=0.2):
    """Connections that stay; how many of them were ended until the world was over."""
    ended = 0
    while peers and not world.over.wait(every_s):
        for peer in list(peers):
            try:
                if say is not None:
                    peer.say(say)
                peer.socket.settimeout(0.001)
                try:
                    if not peer.socket.recv(4096):
                        raise Gone("closed")
                except (TimeoutError, ssl.SSLWantReadError):
                    pass
                except OSError as error:
                    raise Gone(str(error)) from None
                finally:
                    peer.socket.settimeout(world.patience_s)
            except Gone:
                ended += 1
                peers.remove(peer)
                peer.socket.close()
    return ended


def crowd(world, source, count, make):
    """As many connections as are let in, and how many were not."""
    peers, gone = [], 0
    for _ in range(count):
        try:
            peers.append(make(source))
        except Gone:
            gone += 1
        if world.over.is_set():
            break
    return peers, gone


def stay(world, source, count, make, say=None):
    """Comes back as soon as it is thrown out."""
    came = ended = 0
    while not world.over.is_set():
        peers, gone = crowd(world, source, count, make)
        came += len(peers) + gone
        ended += gone + hold(world, peers, say)
        for peer in peers:
            peer.socket.close()
    want(came > 0, "nobody was let in at all")
    return f"{came} connections, {ended} ended by the collector"


@attack("silent connections")
def be_silent(world):
    return stay(world, "127.0.1.1", 60, lambda source: Peer(world, source, tls=False))


@attack("a hello that drips")
def drip_hello(world):
    def make(source):
        peer = Peer(world, source, tls=False)
        peer.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        return peer
    return stay(world, "127.0.1.2", 30, make, b"a")


@attack("headers that drip")
def drip_headers(world):
    def make(source):
        peer = Peer(world, source)
        peer.say(b"GET /healthz HTTP/1.1\r\nHost: collector\r\n")
        return peer
    return stay(world, "127.0.1.3", 30, make, b"a: b\r\n")


@attack("bodies that do not end")
def hold_bodies(world):
    """With a token that was stolen, so that nothing but their size is wrong; from two machines."""
    body = os.urandom(240 << 10)
    sources = itertools.cycle(("127.0.1.4", "127.0.1.5"))

    def make(_):
        peer = Peer(world, next(sources))
        peer.say(head("POST", "/v1/batches", [*batch_headers(body, world.tokens["vm-x"]),
                                              f"Content-Length: {len(body)}"]) + body[:-1])
        return peer
    return stay(world, "", 600, make)


@attack("answers that nobody reads")
def never_read(world):
    def make(source):
        peer = Peer(world, source, small=True)
        ask = head("GET", "/v1/assignment", [f"Authorization: Bearer {world.tokens['vm-x']}"])
        peer.say(ask * 50)
        return peer

    def stay_deaf():
        peers, _ = crowd(world, "127.0.1.6", 30, make)
        world.over.wait(3)
        for peer in peers:
            peer.socket.close()
        return len(peers)

    came = 0
    while not world.over.is_set():
        came += stay_deaf()
    return f"{came} connections with 50 questions each"


@attack("garbage on the TLS port")
def say_garbage(world):
    texts = [b"\0" * 4096, os.urandom(4096), b"\x80\x2e\x01\0\x02" + os.urandom(60),
             b"\x16\x03\x01\xff\xff" + b"A" * 65535, b"SSH-2.0-x\r\n", b"\x15\x03\x03\0\x02\x02\x28",
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\0\x04\x01\xff\xff\xff"]
    count = 0
    for text in itertools.cycle(texts):
        if world.over.wait(0.05):
            break
        try:
            with Peer(world, "127.0.1.7", tls=False) as peer:
                peer.say(text)
                while True:
                    peer.more()
                    want(b"HTTP" not in peer.buffer, f"an answer to {text[:20]}")
        except Gone:
            count += 1
    return f"{count} times something that is no TLS: no answer"


@attack("plain HTTP on the TLS port")
def speak_plain(world):
    count = 0
    while not world.over.wait(0.05):
        try:
            with Peer(world, "127.0.1.8", tls=False) as peer:
                peer.say(head("GET", "/healthz"))
                peer.more()
                want(peer.buffer[:1] == b"\x15", f"an answer without TLS: {peer.buffer[:40]}")
        except Gone:
            pass
        count += 1
    return f"{count} questions, an alert at most"


def try_all(world, source, cases, pause_s=0.02):
    """Each case asks in a connection of its own, and tells what came of it."""
    seen, count = {}, 0
    for name, run in itertools.cycle(cases):
        if world.over.wait(pause_s):
            break
        try:
            with Peer(world, source) as peer:
                word = run(peer)
        except Gone:
            word = "closed"
        want(word == "closed" or str(word)[0] in "45", f"{name}: {word}")
        seen[word] = seen.get(word, 0) + 1
        count += 1
    return f"{count} tries: " + ", ".join(f"{word} x{times}" for word, times in sorted(
        seen.items(), key=str))


@attack("heads and bodies beyond the limits")
def be_large(world):
    token = world.tokens["vm-x"]

    def long_head(peer):
        peer.say(head("GET", "/healthz", ["a: " + "b" * (1 << 20)]))
        return peer.hear()[0]

    def many_heads(peer):
        return peer.ask("GET", "/healthz", [f"a{i}: b" for i in range(500)])[0]

    def long_path(peer):
        return peer.ask("GET", "/" + "a" * 5000)[0]

    def declared(peer):
        peer.say(head("POST", "/v1/batches", ["Content-Length: 1073741824"]) + b"x" * 100)
        status = peer.hear()[0]
        want(status == 413, f"a body of 1 GiB: {status}")
        return status

    def endless(peer):
        peer.say(head("POST", "/v1/batches", ["Transfer-Encoding: chunked",
                                              f"Authorization: Bearer {token}"]))
        for _ in range(64):
            peer.say(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        return peer.hear()[0]

    def huge_chunk(peer):
        peer.say(head("POST", "/v1/batches", ["Transfer-Encoding: chunked"]) +
                 b"ffffffffffffffff\r\n" + b"x" * 1000)
        return peer.hear()[0]

    return try_all(world, "127.0.1.9", [("a header of 1 MiB", long_head),
                                        ("500 headers", many_heads), ("a long path", long_path),
                                        ("a body of 1 GiB", declared),
                                        ("chunks without end", endless),
                                        ("a chunk of 2^64", huge_chunk)])


@attack("bombs of MessagePack")
def bomb(world):
    """By a known agent, with the right digest."""
    draw = random.Random(world.seed)
    good = make_batch("vm-x", 1, 1)
    fixed = [b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdd\x10\0\0\0",
             b"\xdd\0\0\0\x01" * 30, b"\x91" * 200000, b"\xdd\x00\x03\xff\xff" + b"\xc0" * 200000,
             b"\x81\x0a\xdd\0\0\xff\xff" + b"\x80" * 65535, b"\xc9\xff\xff\xff\xff\0", b"",
             b"\xdb\xff\xff\xff\xffx", good + b"\0", good[:-1]]

    def make():
        for body in fixed:
            yield body
        while True:
            body = bytearray(good)
            for _ in range(draw.randint(1, 4)):
                body[draw.randrange(len(body))] = draw.randrange(256)
            yield bytes(body[:draw.randint(1, len(body))])

    seen, bodies = {}, make()
    while not world.over.is_set():
        try:
            with Peer(world, "127.0.1.10") as peer:
                for body in itertools.islice(bodies, 15):
                    status = post(peer, body, world.tokens["vm-x"])[0]
                    seen[status] = seen.get(status, 0) + 1
        except Gone:
            seen["closed"] = seen.get("closed", 0) + 1
        world.over.wait(0.2)
    want(seen.get(400, 0) >= len(fixed) // 2, f"not refused: {seen}")
    want(not {500, 502} & set(seen), f"{seen}")
    return ", ".join(f"{word} x{times}" for word, times in sorted(seen.items(), key=str))


@attack("compressed bodies")
def compress(world):
    body = gzip.compress(b"\0" * (50 << 20))

    def send(coding):
        def run(peer):
            status = post(peer, body, world.tokens["vm-x"], f"Content-Encoding: {coding}")[0]
            want(status in (415, 429, 503), f"{coding}: {status}")
            return status
        return run
    return try_all(world, "127.0.1.11", [(coding, send(coding)) for coding in
                                         ("gzip", "deflate", "br", "zstd", "gzip, gzip", "")], 0.2)


@attack("another's name")
def impersonate(world):
    """Identities that are none, and a good one that writes as another."""
    def by_token(token, agent):
        def run(peer):
            return post(peer, make_batch(agent, random.getrandbits(63), 1), token)[0]
        return run

    def by_cert(cert):
        def run(_):
            with Peer(world, "127.0.1.12", cert) as peer:
                body = make_batch("vm-a", random.getrandbits(63), 1)
                return peer.ask("POST", "/v1/batches", batch_headers(body, "x")[1:], body)[0]
        return run

    token = world.tokens["vm-x"]
    cases = [("another agent's batch", by_token(token, "vm-a")),
             ("no agent's batch", by_token(token, "")),
             ("a longer name", by_token(token, "vm-x ")),
             ("a token with a wrong end", by_token(token[:-1] + "-", "vm-x")),
             ("no token", by_token("", "vm-x")), ("a token of 4 KiB", by_token("a" * 4000, "vm-x")),
             ("a token for enrolment", by_token(world.tokens["enrolment"], "vm-x"))]
    cases += [(f"a certificate that is {cert}", by_cert(cert)) for cert in
              ("self-signed", "another-authority", "server-only", "revoked")]
    return try_all(world, "127.0.1.12", cases, 0.1)


@attack("batches again")
def replay(world):
    """Its own batch many times, that number with other content, and a batch of another agent."""
    body, token, epoch = make_batch("vm-x", 77, 1), world.tokens["vm-x"], 77
    other = make_batch("vm-x", epoch, 1, 2)
    words = {}
    while not world.over.wait(0.4):
        try:
            with Peer(world, "127.0.1.13") as peer:
                for text in (body, body, other):
                    status, _, answer = post(peer, text, token)
                    word = f"{status} {answer.decode().split(chr(34))[3]}" if answer else status
                    words[word] = words.get(word, 0) + 1
        except Gone:
            continue
    want(words.get("200 stored", 0) == 1, f"stored more than once, or never: {words}")
    return ", ".join(f"{word} x{times}" for word, times in sorted(words.items(), key=str))


@attack("tricks with the path")
def trick_path(world):
    targets = ["//v1/batches", "/v1//batches", "/v1/./batches", "/v1/x/../batches", "/v1/batches/",
               "/%76%31/batches", "/v1%2fbatches", "/v1/batches%00", "/v1/batches%00.html",
               "/v1/batches;x", "/V1/BATCHES", "/../../../../etc/passwd", "/..%2f..%2fetc/passwd",
               "http://collector/v1/batches", "https://127.0.0.1/v1/batches", "*", "collector:443",
               "/v1/batches#x", "/\\v1\\batches", "/metrics", "/", "/v1/agents", "/api/v1/fleet",
               "?", "x", "/v1/batches%0d%0aX: y", "/" + "../" * 600, "/" + "%2e" * 600]

    def ask(target):
        return lambda peer: peer.ask("GET", target)[0]
    return try_all(world, "127.0.1.14", [(target[:30], ask(target)) for target in targets], 0.05)


@attack("requests within requests")
def smuggle(world):
    """The one behind must never be answered."""
    behind = head("GET", "/healthz")
    fronts = ["Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
              "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
              "Content-Length: 0\r\nContent-Length: 70\r\n\r\n",
              "Content-Length: 0, 70\r\n\r\n", "Content-Length : 70\r\n\r\n",
              "Content-Length: +70\r\n\r\n", "Content-Length: 0x46\r\n\r\n",
              "Transfer-Encoding: xchunked\r\n\r\n", "Transfer-Encoding: gzip, chunked\r\n\r\n",
              "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: \vchunked\r\n\r\n",
              "Host: other\r\n\r\n", "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
              "Content-Length: 70\r\n Content-Length: 0\r\n\r\n", "\x01: b\r\n\r\n"]

    def send(front):
        def run(peer):
            peer.say(b"POST /v1/batches HTTP/1.1\r\nHost: collector\r\n" + front.encode() + behind)
            status = peer.hear()[0]
            while True:
                try:
                    peer.more()
                except Gone:
                    break
            want(b"200 OK" not in peer.buffer, f"the request behind {front!r} was answered")
            return status
        return run
    return try_all(world, "127.0.1.15", [(front, send(front)) for front in fronts], 0.05)


@attack("other methods")
def other_methods(world):
    def ask(method, target):
        return lambda peer: peer.ask(method, target, ["Max-Forwards: 0"])[0]
    cases = [(f"{method} {target}", ask(method, target))
             for method in ("TRACE", "CONNECT", "OPTIONS", "PUT", "DELETE", "PATCH", "HEAD", "get",
                            "PROPFIND", "G", "POSTPOST" * 50)
             for target in ("/healthz", "/v1/batches", "*")]
    return try_all(world, "127.0.1.16", cases, 0.05)


@attack("floods within a connection")
def flood(world):
    """Pipelined, and refused: the collector answers in order, and has enough after a while."""
    most = refused = 0
    while not world.over.wait(0.1):
        with_all = b"".join(head("GET", f"/{i}" if i % 2 else "/healthz") for i in range(300))
        try:
            with Peer(world, "127.0.1.17") as peer:
                peer.say(with_all)
                for i in range(300):
                    status = peer.hear()[0]
                    want(status == (404 if i % 2 else 200), f"answer {i} is {status}")
                    refused += status == 404
                    most = max(most, i + 1)
        except Gone:
            pass
    want(0 < most < 50, f"{most} answers in a connection of which half were refusals")
    return f"at most {most} answers in a connection, then closed"


@attack("connections that come and go")
def churn(world):
    """Many that say nothing and go at once, and then some in earnest: the address is at its end."""
    for _ in range(2 * world.address_connections):
        try:
            Peer(world, "127.0.1.18", tls=False).socket.close()
        except Gone:
            pass
    came = refused = 0
    while not world.over.wait(0.01):
        try:
            Peer(world, "127.0.1.18").socket.close()
            came += 1
        except Gone:
            refused += 1
    want(refused > 0, f"{came} handshakes, none refused")
    return f"{came} handshakes, {refused} connections refused before one"


@attack("more batches than its share")
def exceed(world):
    seen, epoch, seq = {}, random.getrandbits(62), itertools.count(1)
    while not world.over.wait(0.1):
        try:
            with Peer(world, "127.0.1.19") as peer:
                while not world.over.is_set():
                    status, headers, _ = post(
                        peer, make_batch("vm-x", epoch, next(seq)), world.tokens["vm-x"])
                    seen[status] = seen.get(status, 0) + 1
                    if status in (429, 503):
                        want(1 <= int(headers.get("retry-after", "0")) <= 3600, f"{headers}")
                        break
        except Gone:
            pass
    want(429 in seen, f"{seen}")
    return ", ".join(f"{status} x{times}" for status, times in sorted(seen.items()))


@attack("endless epochs")
def endless_epochs(world):
    """Of another agent than the rest uses, since its day is over soon."""
    seen = {}
    while not world.over.wait(0.1):
        try:
            with Peer(world, "127.0.1.20") as peer:
                body = make_batch("vm-y", random.getrandbits(62), 1)
                status = post(peer, body, world.tokens["vm-y"])[0]
                seen[status] = seen.get(status, 0) + 1
        except Gone:
            pass
    want(seen.get(200, 0) <= 64, f"{seen}")
    return ", ".join(f"{status} x{times}" for status, times in sorted(seen.items()))


@attack("tokens for enrolment by guess")
def guess(world):
    seen, began = {}, time.monotonic()
    while not world.over.wait(0.1):
        text = "enroll-%012x." % random.getrandbits(48) + base64.urlsafe_b64encode(
            os.urandom(32)).decode().rstrip("=")
        body = pack({1: 1, 2: text, 3: "vm-a", 5: world.csr})
        try:
            with Peer(world, "127.0.1.21") as peer:
                status = peer.ask("POST", "/v1/enroll", ["Content-Type: application/vnd.msgpack"],
                                  body)[0]
                want(status in (401, 429), f"a guess: {status}")
                seen[status] = seen.get(status, 0) + 1
        except Gone:
            pass
    minutes = 1 + (time.monotonic() - began) // 60
    want(seen.get(401, 0) <= 10 * minutes, f"more guesses a minute than ten: {seen}")
    return ", ".join(f"{status} x{times}" for status, times in sorted(seen.items()))


@attack("renegotiation, old versions, tickets")
def old_tls(world):
    """By openssl's own client: R asks for a new handshake within the connection."""
    def run(*words, text=b""):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{world.port}",
                               "-bind", "127.0.1.22:0", *words], input=text, capture_output=True,
                              timeout=30, check=False)
    tries = 0
    while True:
        for version in ("-tls1", "-tls1_1"):
            done = run(version, "-cipher", "ALL:@SECLEVEL=0")
            want(b"Cipher is (NONE)" in done.stdout or done.returncode != 0, f"{version} is spoken")
        done = run("-tls1_2", text=b"R\n" + head("GET", "/healthz"))
        want(b"200 OK" not in done.stdout, "renegotiated, and answered")
        for version in ("-tls1_2", "-tls1_3"):
            done = run(version, text=b"GET /healthz HTTP/1.0\r\n\r\n")
            want(b"TLS session ticket:" not in done.stdout + done.stderr, "a session ticket")
        tries += 1
        if world.over.wait(0.5):
            return f"{tries} rounds: no TLS 1.0 and 1.1, no second handshake, no tickets"
