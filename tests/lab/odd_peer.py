"""A server on port 443 that is wrong in one named way, where a gateway should be.

    odd_peer.py WAY --listen IP:PORT... --cert FILE --key FILE
"""

import argparse
import socket
import ssl
import struct
import sys
import threading
import time

ANSWER = (b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
          b"Server: Microsoft-HTTPAPI/2.0\r\nx-ms-activity-id: "
          b"6c1f8ac2-1d2f-4f0e-9a0b-7a1f0c7d2b11\r\nx-ms-gatewayversion: version=2.14.0\r\n"
          b"Strict-Transport-Security: max-age=31536000\r\nContent-Length: 187\r\n\r\n")
BODY = (b'{"code":"Unauthorized","message":"Required Header authorization is missing. Ensure a '
        b'valid Authorization token is passed.\\r\\nActivityId: 6c1f8ac2-1d2f-4f0e-9a0b-7a1f0c7d2'
        b'b11, Microsoft.Azure.Documents.Common/2.14.0"}')
ANSWER = ANSWER.replace(b"187", str(len(BODY)).encode()) + BODY
LINGER_S = 30


def read_request(connection):
    request = b""
    while b"\r\n\r\n" not in request:
        some = connection.recv(4096)
        if not some:
            return
        request += some


# Below TLS: these take the bare connection.

def plain_http(connection, _):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def banner(connection, _):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    connection.recv(4096)


def silent(connection, _):
    connection.recv(4096)
    time.sleep(LINGER_S)


def close(connection, _):
    connection.recv(4096)


def reset(connection, _):
    """A reset at once, before anything is said."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def alert(connection, _):
    """handshake_failure, fatal."""
    connection.recv(4096)
    connection.sendall(bytes((21, 3, 3, 0, 2, 2, 40)))
    connection.recv(4096)


def tls_old(connection, context):
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.wrap_socket(connection, server_side=True)


# Above TLS: these hold a handshake first.

def tls_1_2(connection, context):
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    connection.sendall(ANSWER)


def tls_slow(connection, context):
    time.sleep(1)
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    connection.sendall(ANSWER)


def http_silent(connection, context):
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    time.sleep(LINGER_S)


def http_slow(connection, context):
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    time.sleep(1)
    connection.sendall(ANSWER)


def http_garbage(connection, context):
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    connection.sendall(b"\x00\x01 this is not HTTP\r\n\r\n")


def http_cut(connection, context):
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    connection.sendall(ANSWER[:len(ANSWER) // 2])
    connection.unwrap()


def http_pieces(connection, context):
    """Right, but a few bytes at a time."""
    connection = context.wrap_socket(connection, server_side=True)
    read_request(connection)
    for at in range(0, len(ANSWER), 50):
        connection.sendall(ANSWER[at:at + 50])
        time.sleep(0.02)


WAYS = {way.__name__.replace("_", "-"): way for way in (
    plain_http, banner, silent, close, reset, alert, tls_old, tls_1_2, tls_slow, http_silent, http_slow,
    http_garbage, http_cut, http_pieces)}


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
