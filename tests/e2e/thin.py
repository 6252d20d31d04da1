#!/usr/bin/env python3
"""The probe of Gateway V2 against an HTTP/2 server that shares no code with it: hyper-h2 over
Python's TLS.  The unit tests speak libnghttp2 at both ends; what both ends get wrong alike is seen
here.
"""

import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events

BUILD = os.environ.get("PLPROBE_BUILD", "build/dev")
HOST = "contoso-eastus.documents.azure.com"
REQUEST = {
    ":method": "POST",
    ":scheme": "https",
    ":path": "/connectivity-probe",
    "content-length": "0",
    "x-ms-thinclient-proxy-operation-type": "ConnectivityProbe",
}


def make_certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
         "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"],
        check=True, capture_output=True)


def answer(status, body=b""):
    def act(http, stream):
        http.send_headers(stream, [(":status", str(status)), ("server", "hyper"),
                                   ("x-ms-activity-id", "0" * 36)], end_stream=not body)
        if body:
            http.send_data(stream, body, end_stream=True)
    return act


def ping_first(http, stream):
    http.ping(b"12345678")
    http.update_settings({1: 0, 4: 1 << 20})
    answer(200)(http, stream)


def interim_first(http, stream):
    http.send_headers(stream, [(":status", "103"), ("link", "<x>")])
    answer(200)(http, stream)


def reset(http, stream):
    http.reset_stream(stream, h2.errors.ErrorCodes.HTTP_1_1_REQUIRED)


def leave(http, stream):
    http.close_connection(h2.errors.ErrorCodes.ENHANCE_YOUR_CALM, b"calm", last_stream_id=0)


def stay_silent(http, stream):
    pass


# name, protocols that are offered, what is done with the request, what the record must say
CASES = [
    ("200", ["h2"], answer(200), {"outcome": "ok", "status": 200, "alpn": "h2"}),
    ("200 with a body", ["h2"], answer(200, b"ready" * 100), {"outcome": "ok", "status": 200}),
    ("200 behind PING and SETTINGS", ["h2"], ping_first, {"outcome": "ok", "status": 200}),
    ("200 behind 103", ["h2"], interim_first, {"outcome": "ok", "status": 200}),
    ("both protocols", ["http/1.1", "h2"], answer(200), {"outcome": "ok", "alpn": "h2"}),
    ("503", ["h2"], answer(503), {
        "outcome": "http-other", "status": 503,
        "detail": "reachable, switched off for this federation"}),
    ("404", ["h2"], answer(404, b"no"), {
        "outcome": "http-other", "status": 404, "detail": "status 404, 200 wanted"}),
    ("RST_STREAM", ["h2"], reset, {
        "outcome": "refused-by-peer", "detail": "RST_STREAM HTTP_1_1_REQUIRED instead of an answer"}),
    ("GOAWAY", ["h2"], leave, {
        "outcome": "refused-by-peer",
        "detail": "GOAWAY ENHANCE_YOUR_CALM 'calm' instead of an answer"}),
    ("silence", ["h2"], stay_silent, {
        "outcome": "timeout", "detail": "no whole answer within 500 ms: "
        "SETTINGS, and no answer to the request"}),
    ("HTTP/1.1 only", ["http/1.1"], stay_silent, {
        "outcome": "broke-protocol",
        "detail": "no HTTP/2: the handshake agreed on no protocol, h2 was offered"}),
    ("no ALPN", [], stay_silent, {
        "outcome": "broke-protocol",
        "detail": "no HTTP/2: the handshake agreed on no protocol, h2 was offered"}),
]


class Server(threading.Thread):
    """One connection on a free port of the loopback; what went wrong is in self.trouble."""

    def __init__(self, folder, protocols, act):
        super().__init__()
        self.act, self.trouble, self.requests = act, [], 0
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(f"{folder}/certificate.pem", f"{folder}/key.pem")
        if protocols:
            self.tls.set_alpn_protocols(protocols)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.port = self.listener.getsockname()[1]

    def run(self):
        with self.listener, contextlib.suppress(OSError):
            plain, _ = self.listener.accept()
            with plain, self.tls.wrap_socket(plain, server_side=True) as peer:
                peer.settimeout(10)
                self.talk(peer)

    def talk(self, peer):
        http = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        http.initiate_connection()
        peer.sendall(http.data_to_send())
        while data := peer.recv(65536):
            if self.act is leave and self.requests:
                continue  # what crossed our GOAWAY
            try:
                events = http.receive_data(data)
            except Exception as error:  # whatever hyper-h2 has against our bytes
                self.trouble.append(repr(error))
                return
            for event in events:
                self.hear(http, event)
            peer.sendall(http.data_to_send())

    def hear(self, http, event):
        if isinstance(event, h2.events.RequestReceived):
            headers = {str(k, "ascii"): str(v, "ascii") for k, v in event.headers}
            wanted = dict(REQUEST, **{":authority": f"{HOST}:{self.port}"})
            self.trouble += [f"{name} is {headers.get(name)!r}, {value!r} wanted"
                             for name, value in wanted.items() if headers.get(name) != value]
            if not event.stream_ended:
                self.trouble.append("the request does not end its stream")
            self.requests += 1
            self.act(http, event.stream_id)


def run_case(folder, name, protocols, act, wanted):
    server = Server(folder, protocols, act)
    server.start()
    out = subprocess.run(
        [f"{BUILD}/tests/ask_thin", HOST, "127.0.0.1", str(server.port),
         f"{folder}/certificate.pem", "500"], check=True, capture_output=True, text=True).stdout
    server.join()
    seen = json.loads(out)
    trouble = server.trouble + [f"{key} is {seen.get(key)!r}, {value!r} wanted"
                                for key, value in wanted.items() if seen.get(key) != value]
    if seen["end"].get("tls") != "ok":
        trouble.append(f"the handshake: {seen['end']}")
    if server.requests != ("h2" in protocols):
        trouble.append(f"{server.requests} requests came")
    print(f"{'FAILED' if trouble else 'ok    '}  {name}")
    for line in trouble:
        print(f"        {line}")
    return not trouble


def main():
    with tempfile.TemporaryDirectory(prefix="plprobe-thin-") as folder:
        make_certificate(folder)
        good = [run_case(folder, *case) for case in CASES]
    print(f"{good.count(True)} passed, {good.count(False)} failed")
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
