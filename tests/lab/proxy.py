"""A company's proxy: CONNECT alone [rfc9110 9.3.6], to hosts that it finds in the internet.

    proxy.py WAY LISTEN HOST=ADDRESS...

WAY is "public", or "login": then it wants a login first, which nobody has.
"""

import socket
import sys
import threading

LINGER_S = 30


def copy(source, sink):
    try:
        while some := source.recv(65536):
            sink.sendall(some)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read_head(client):
    head = b""
    while b"\r\n\r\n" not in head:
        some = client.recv(4096)
        if not some:
            return ""
        head += some
    return head.decode("latin-1")


def serve(client, way, hosts):
    with client:
        client.settimeout(LINGER_S)
        verb, _, rest = read_head(client).partition(" ")
        host, _, port = rest.partition(" ")[0].rpartition(":")
        if way == "login":
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n"
                           b"Proxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n")
            return
        if verb != "CONNECT" or host not in hosts:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((hosts[host], int(port)), LINGER_S) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(server, client), daemon=True)
            back.start()
            copy(client, server)
            back.join()


def main():
    way, listen = sys.argv[1:3]
    hosts = dict(pair.split("=", 1) for pair in sys.argv[3:])
    address, port = listen.rsplit(":", 1)
    listener = socket.create_server((address, int(port)), backlog=64)
    print("listening", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, way, hosts), daemon=True).start()


if __name__ == "__main__":
    main()
