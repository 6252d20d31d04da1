"""A server where a gateway should be that is odd in one named way below HTTP, or in its timing.

What is wrong at HTTP, tests/fake/fake_backend does.

    odd_peer.py WAY --listen IP:PORT... --cert FILE --key FILE
"""

import argparse
import socket
import ssl
import sys
import threading
import time

BODY = (b'{"code":"Unauthorized","message":"Required Header authorization is missing. Ensure a '
        b'valid Authorization token is passed.\\r\\nActivityId: 6c1f8ac2-1d2f-4f0e-9a0b-7a1f0c7d2'
        b'b11, Microsoft.Azure.Documents.Common/2.14.0"}')
ANSWER = b"\r\n".join((
    b"HTTP/1.1 401 Unauthorized", b"Content-Type: application/json",
    b"Server: Microsoft-HTTPAPI/2.0", b"x-ms-activity-id: 6c1f8ac2-1d2f-4f0e-9a0b-7a1f0c7d2b11",
    b"x-ms-gatewayversion: version=2.14.0", b"Strict-Transport-Security: max-age=31536000",
    b"Content-Length: %d" % len(BODY), b"", BODY))
LINGER_S = 30


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        some = connection.recv(4096)
        if not some:
            return
        request += some


def answer_over(context, connection, before_s=0.0, piece=len(ANSWER)):
    """The whole of a gateway's answer, before_s late and in pieces."""
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    time.sleep(before_s)
    for at in range(0, len(ANSWER), piece):
        connection.sendall(ANSWER[at:at + piece])
        time.sleep(0.02)


def alert(connection, _):
    """handshake_failure, fatal [rfc8446 6.2]."""
    connection.recv(4096)
    connection.sendall(bytes((21, 3, 3, 0, 2, 2, 40)))
    connection.recv(4096)


def tls_old(connection, context):
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.wrap_socket(connection, server_side=True)


def tls_1_2(connection, context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    answer_over(context, connection)


def tls_slow(connection, context):
    time.sleep(1)
    answer_over(context, connection)


def http_slow(connection, context):
    answer_over(context, connection, before_s=1)


def http_pieces(connection, context):
    answer_over(context, connection, piece=50)


WAYS = {way.__name__.replace("_", "-"): way for way in (
    alert, tls_old, tls_1_2, tls_slow, http_slow, http_pieces)}


def serve(way, connection, options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.cert, options.key)
    try:
        connection.settimeout(LINGER_S)
        way(connection, context)
    except (OSError, ssl.SSLError) as error:
        print(f"{options.way}: {error}", flush=True)
    finally:
        connection.close()


def accept(way, listener, options):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(way, connection, options), daemon=True).start()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    options = parser.parse_args()
    threads = []
    for text in options.listen:
        address, port = text.rsplit(":", 1)
        listener = socket.create_server((address, int(port)), backlog=128)
        print(f"listening {text}", flush=True)
        threads.append(threading.Thread(
            target=accept, args=(WAYS[options.way], listener, options), daemon=True))
        threads[-1].start()
    threads[0].join()


if __name__ == "__main__":
    sys.exit(main())
