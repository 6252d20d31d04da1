"""What stands between an agent and its collector, and goes wrong on demand: a relay for TCP, a name
server, a server that is not the collector."""

import os
import random
import socket
import ssl
import struct
import subprocess
import threading
import time


def reset(connection):
    """Closes with RST."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    connection.close()


class Relay:
    """From one port of loopback to another.  `mode` is asked at each piece of data:

    pass, hold (nothing gets through, nothing is closed), reset, slow (pieces of a few bytes, late),
    cut (closed after some bytes), deaf (requests arrive, answers do not), garbage (random bytes for
    an answer), stranger (whoever answers has a certificate of its own and says yes to everything).
    """

    def __init__(self, port, target, stranger):
        self.mode, self.target, self.stranger = "pass", target, stranger
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.mode == "garbage":
                client.recv(65536)
                client.sendall(os.urandom(random.randint(1, 5000)))
                client.close()
                return
            port = self.stranger if self.mode == "stranger" else self.target
            server = socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            reset(client)
            return
        back = threading.Thread(target=self.carry, args=(server, client, True), daemon=True)
        back.start()
        self.carry(client, server, False)
        back.join()
        for connection in (client, server):
            connection.close()

    def carry(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                self.carry_piece(data, source, sink, is_answer)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            reset(source)
            reset(sink)

    def carry_piece(self, data, source, sink, is_answer):
        if self.mode == "deaf" and is_answer:
            return
        if self.mode in ("reset", "cut"):
            if self.mode == "cut":
                sink.sendall(data[:random.randrange(len(data))])
            raise OSError("as told")
        deadline = time.monotonic() + 20
        while self.mode == "hold" and time.monotonic() < deadline:
            time.sleep(0.02)
        if self.mode != "slow":
            sink.sendall(data)
            return
        for at in range(0, len(data), 1000):
            time.sleep(random.uniform(0, 0.05))
            sink.sendall(data[at:at + 1000])


def start_stranger(port, folder):
    """Speaks TLS, with a certificate that nobody signed, and acknowledges whatever comes."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=collector.test", "-addext",
         "subjectAltName=DNS:collector.test,IP:127.0.0.1", "-keyout", f"{folder}/stranger.key",
         "-out", f"{folder}/stranger.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/stranger.pem", f"{folder}/stranger.key")
    listener = socket.create_server(("127.0.0.1", port))

    def serve():
        while True:
            client, _ = listener.accept()
            try:
                client.settimeout(2)
                with context.wrap_socket(client, server_side=True) as secure:
                    secure.recv(65536)
                    secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n"
                                   b'{"result":"stored"}')
            except OSError:
                client.close()

    threading.Thread(target=serve, daemon=True).start()


class NameServer:
    """Answers any name with 127.0.0.1; `mode`: pass, garbage, servfail, missing, silent."""

    def __init__(self):
        self.mode = "pass"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            if self.mode != "silent" and len(query) > 12:
                self.socket.sendto(self.answer(query), peer)

    def answer(self, query):
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        kind = struct.unpack(">H", question[-4:-2])[0]
        if self.mode == "garbage":
            return query[:2] + os.urandom(random.randint(0, 600))
        code = {"servfail": 2, "missing": 3}.get(self.mode, 0)
        found = code == 0 and kind == 1
        head = struct.pack(">HHHHHH", struct.unpack(">H", query[:2])[0], 0x8180 | code, 1,
                           1 if found else 0, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + bytes([127, 0, 0, 1])
        return head + question + (record if found else b"")
