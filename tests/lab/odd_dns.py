"""A DNS server that is wrong in one named way; no real server would do these on request.

    odd_dns.py WAY ADDRESS [UPSTREAM]

garbage  half of a header, and noise
notimp   rcode 4 to everything
loop     the name is an alias of its privatelink name, which is an alias of the name
late     what UPSTREAM says, 0.7 seconds later
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


def late(query, upstream):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside:
        outside.settimeout(5)
        outside.connect((upstream, 53))
        outside.send(query)
        answer = outside.recv(65535)
    time.sleep(LATE_S)
    return answer


def answer_one(way, listener, query, client, upstream):
    try:
        answer = late(query, upstream) if way == "late" else WAYS[way](query)
        listener.sendto(answer, client)
    except (OSError, IndexError, struct.error) as error:
        print(f"{way}: {error}", flush=True)


WAYS = {"garbage": garbage, "notimp": notimp, "loop": loop, "late": late}


def main():
    way, address = sys.argv[1:3]
    upstream = sys.argv[3] if len(sys.argv) > 3 else None
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    print("listening", flush=True)
    while True:
        query, client = listener.recvfrom(65535)
        if way == "late":
            threading.Thread(target=answer_one, args=(way, listener, query, client, upstream),
                             daemon=True).start()
        else:
            answer_one(way, listener, query, client, upstream)


if __name__ == "__main__":
    main()
