"""A DNS server that is wrong in one named way; no real server would do these on request.

    odd_dns.py WAY ADDRESS UPSTREAM

garbage  half of a header, and noise
notimp   rcode 4 to everything
loop     the name is an alias of its privatelink name, which is an alias of the name
late     what UPSTREAM says, 0.7 seconds later
aaaa-nxdomain  what UPSTREAM says, but NXDOMAIN to every question for AAAA
"""

import random
import socket
import struct
import sys
import threading
import time

LATE_S = 0.7


def read_name(packet, at):
    """Labels of the question's name, and where it ends."""
    labels = []
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]])
        at += 1 + packet[at]
    return labels, at + 1


def write_name(labels):
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


def head(query, rcode, answers):
    number, flags = struct.unpack("!HH", query[:4])
    return struct.pack("!HHHHHH", number, 0x8080 | (flags & 0x0100) | rcode, 1, answers, 0, 0)


def alias(owner, target):
    name = write_name(target)
    return write_name(owner) + struct.pack("!HHIH", 5, 1, 10, len(name)) + name


def garbage(query):
    return query[:2] + bytes(random.getrandbits(8) for _ in range(5))


def notimp(query):
    _, end = read_name(query, 12)
    return head(query, 4, 0) + query[12:end + 4]


def loop(query):
    labels, end = read_name(query, 12)
    if len(labels) < 2:
        return notimp(query)
    if labels[1].lower() == b"privatelink":
        other = [labels[0], *labels[2:]]
    else:
        other = [labels[0], b"privatelink", *labels[1:]]
    return head(query, 0, 2) + query[12:end + 4] + alias(labels, other) + alias(other, labels)


def ask(query, upstream):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        outside.settimeout(5)
        outside.connect((upstream, 53))
        outside.send(query)
        return outside.recv(65535)


def late(query, upstream):
    answer = ask(query, upstream)
    time.sleep(LATE_S)
    return answer


def aaaa_nxdomain(query, upstream):
    _, end = read_name(query, 12)
    if query[end:end + 2] == b"\0\x1c":
        return head(query, 3, 0) + query[12:end + 4]
    return ask(query, upstream)


WAYS = {"garbage": lambda query, _: garbage(query), "notimp": lambda query, _: notimp(query),
        "loop": lambda query, _: loop(query), "late": late, "aaaa-nxdomain": aaaa_nxdomain}


def answer_one(way, listener, query, client, upstream):
    try:
        listener.sendto(WAYS[way](query, upstream), client)
    except (OSError, IndexError, struct.error) as error:
        print(f"{way}: {error}", flush=True)


def main():
    way, address, upstream = sys.argv[1:]
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    print("listening", flush=True)
    while True:
        query, client = listener.recvfrom(65535)
        threading.Thread(target=answer_one, args=(way, listener, query, client, upstream),
                         daemon=True).start()


if __name__ == "__main__":
    main()
