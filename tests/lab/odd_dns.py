"""A DNS server that is wrong in one named way; no real server would do these on request.

    odd_dns.py WAY ADDRESS UPSTREAM DELAY_MS

garbage  half of a header, and noise
notimp   rcode 4 to everything
loop     the name is an alias of its privatelink name, which is an alias of the name
late     what UPSTREAM says, DELAY_MS later
aaaa-nxdomain  what UPSTREAM says, but NXDOMAIN to every question for AAAA
flood    what UPSTREAM says, in the middle of thousands of datagrams that are spoofed or malformed
"""

import random
import socket
import struct
import sys
import threading
import time

# Hostile datagrams for each question, how many come without a pause (fewer than a socket holds), and
# how long the pause is, in which the answer gets a place.
FLOOD, BURST, PAUSE_S = 3000, 100, 0.002


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


def late(query, upstream, delay_s):
    answer = ask(query, upstream)
    time.sleep(delay_s)
    return answer


def aaaa_nxdomain(query, upstream):
    _, end = read_name(query, 12)
    if query[end:end + 2] == b"\0\x1c":
        return head(query, 3, 0) + query[12:end + 4]
    return ask(query, upstream)


def lies(query, answer):
    """What an attacker sends who does not know all of the question, and what noise looks like."""
    labels, end = read_name(query, 12)
    number = struct.unpack("!H", query[:2])[0]
    question, last = query[12:end + 4], query[end:end + 4]
    evil = struct.pack("!HHHIH", 0xc00c, 1, 1, 86400, 4) + bytes((6, 6, 6, 6))
    other = write_name([b"evil", *labels[1:]])

    def packet(change, asked, *rest, flags=0x8180, counts=(1, 1, 0, 0)):
        return struct.pack("!HHHHHH", number ^ change, flags, *counts) + asked + b"".join(rest)

    return [
        packet(random.randrange(1, 65536), question, evil),
        packet(0, other + last, evil),
        packet(0, question[:-4] + b"\0\x10\0\1", evil),              # asked for TXT
        packet(0, question, evil, flags=0x0180),                       # not an answer at all
        packet(0, question, evil, counts=(0, 1, 0, 0)),                # without a question
        packet(0, question + question, evil, counts=(2, 1, 0, 0)),
        packet(0, b"\xc0\x0c" + last, evil),                           # points to itself
        packet(0, b"\x3fx", evil),                                     # a label that is cut off
        query[:2], b"", bytes(12), query, random.randbytes(40),
        packet(random.randrange(1, 65536), question, evil * 3000),     # 48000 bytes
        struct.pack("!H", number ^ 1) + answer[2:],
        answer[:len(answer) // 2][:11],
    ]


def flood(query, upstream, send):
    answer = ask(query, upstream)
    kinds = lies(query, answer)
    for count in range(FLOOD):
        send(kinds[count % len(kinds)])
        if count % BURST == BURST - 1:
            time.sleep(PAUSE_S)
        if count == FLOOD // 2:
            send(answer)


WAYS = {"garbage": lambda query, *_: garbage(query), "notimp": lambda query, *_: notimp(query),
        "loop": lambda query, *_: loop(query), "late": late,
        "aaaa-nxdomain": lambda query, upstream, _: aaaa_nxdomain(query, upstream)}


def answer_one(way, listener, query, client, upstream, delay_s):
    try:
        if way == "flood":
            flood(query, upstream, lambda packet: listener.sendto(packet, client))
        else:
            listener.sendto(WAYS[way](query, upstream, delay_s), client)
    except (OSError, IndexError, struct.error) as error:
        print(f"{way}: {error}", flush=True)


def main():
    way, address, upstream, delay_ms = sys.argv[1:]
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind((address, 53))
    print("listening", flush=True)
    while True:
        query, client = listener.recvfrom(65535)
        threading.Thread(target=answer_one, daemon=True, args=(
            way, listener, query, client, upstream, float(delay_ms) / 1000)).start()


if __name__ == "__main__":
    main()
