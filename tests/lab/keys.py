"""What becomes of an agent's keys: who is heard to use them, how often, and who holds them.

The shipper signs, and the prober, which talks to strangers, asks it.  So the key is nowhere in the
prober's memory, and none of its descriptors leads to a file of keys.
"""

import base64
import os
import re

REGION_MAX = 1 << 30                 # what is larger is a sanitizer's shadow, and holds no data
PIECE = 1 << 20
SIGNED = re.compile(r"^(\S+):\d+ \S+ sni=(\S+) answered \S+ auth=(\S*key)$")


def judge_requests(lines, vms, most):
    """lines: what back ends heard; vms: VNet -> address; most: signed requests of one VM to one
    host.  In words, what is wrong."""
    words, heard = [], {}
    for line in lines:
        match = SIGNED.match(line)
        if match is None:
            continue
        address, host, kind = match.groups()
        heard[address, host] = heard.get((address, host), 0) + 1
        if kind != "readonly-key":
            words.append(f"signed with another key than the one that only reads: {line}")
    for vnet, address in vms.items():
        if not any(each == address for each, _ in heard):
            words.append(f"no signed request of {vnet} was heard")
    return words + [f"{address} sent {count} signed requests to {host}, at most {most} wanted"
                    for (address, host), count in heard.items() if count > most]


def _regions(pid):
    """(start, end) of what can be read and may hold data."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        for line in file:
            place, rights = line.split()[:2]
            start, end = (int(text, 16) for text in place.split("-"))
            if rights.startswith("r") and end - start <= REGION_MAX and "[v" not in line:
                yield start, end


def _holds(pid, wanted):
    """Which of the wanted bytes are in the memory of a process."""
    found = set()
    overlap = max(map(len, wanted)) - 1
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in _regions(pid):
            kept = b""
            for at in range(start, end, PIECE):
                try:
                    memory.seek(at)
                    piece = kept + memory.read(min(PIECE, end - at))
                except OSError:
                    break
                found |= {each for each in wanted if each in piece}
                kept = piece[-overlap:]
    return found


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(text) for text in file.read().split()]


def judge_prober(vnet, agent, key, account):
    """agent: the shipper's process, whose child is the prober.  In words, what is wrong."""
    probers = _children(agent)
    if len(probers) != 1:
        return [f"the agent of {vnet} has {len(probers)} children, one prober wanted"]
    # That the account's name is found shows that the search finds what is there.
    texts = {key.encode(), base64.b64decode(key), account.encode()}
    found = _holds(probers[0], texts)
    words = [] if account.encode() in found else [
        f"nothing is found in the memory of the prober of {vnet}"]
    if found - {account.encode()}:
        words.append(f"the prober of {vnet} holds the key of {account}")
    for name in os.listdir(f"/proc/{probers[0]}/fd"):
        target = os.readlink(f"/proc/{probers[0]}/fd/{name}")
        if "key_file" in target:
            words.append(f"the prober of {vnet} has {target} open")
    return words
