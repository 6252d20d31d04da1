"""Carries connections from a listening socket that it inherits to an address in its own network.

A socket belongs to the network in which it was made: so the page of a collector inside the lab can
be read from outside, without an interface between the two.

    forward.py FD IP PORT
"""

import socket
import sys
import threading

CHUNK = 65536


def pump(source, sink):
    try:
        while some := source.recv(CHUNK):
            sink.sendall(some)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side is gone: so is the other.
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def serve(client, address):
    try:
        with client, socket.create_connection(address, timeout=5) as server:
            server.settimeout(None)
            back = threading.Thread(target=pump, args=(server, client), daemon=True)
            back.start()
            pump(client, server)
            back.join()
    except OSError as error:
        print(f"forward: {address[0]}:{address[1]}: {error}", flush=True)


def main():
    listener = socket.socket(fileno=int(sys.argv[1]))
    address = (sys.argv[2], int(sys.argv[3]))
    print("forwarding", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, address), daemon=True).start()


if __name__ == "__main__":
    main()
