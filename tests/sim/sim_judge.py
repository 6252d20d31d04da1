"""The judge of a simulated fleet: what agents wrote down against what the collector's store holds.

It shares no code with the programs: SQLite and MessagePack are read by Python, and what a
measurement must say is computed here again from the agent's and the measurement's number
(sim_made.c says how).
"""

import collections
import concurrent.futures
import os
import sqlite3
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from delivery import Unpacker  # noqa: E402

REGIONS = ["", "-eastus", "-westeurope", "-northeurope"]
# Ids of fields.def: of a batch, a record, a measurement and its target, a gap.
RECORDS, MEASUREMENT, GAP, TARGET, TOOK, DETAIL, HOST, LOST, WHY = 10, 1, 3, 1, 3, 6, 6, 4, 5


def sign(agent, number):
    value = 2166136261
    for letter in f"{agent}/{number}".encode():
        value = (value ^ letter) * 16777619 & 0xffffffff
    return value


def host(number, accounts):
    at = number % (accounts * len(REGIONS))
    return f"account{at // len(REGIONS)}{REGIONS[at % len(REGIONS)]}.documents.azure.com"


def read_made(paths):
    """agent -> numbers that it began to write, and those that it promised."""
    made, promised = collections.defaultdict(set), collections.defaultdict(set)
    for path in paths:
        with open(path, encoding="ascii") as file:
            for line in file:
                if not line.endswith("\n"):
                    continue
                agent, number = line[1:].split()
                made[int(agent)].add(int(number))
                if line[0] == "=":
                    promised[int(agent)].add(int(number))
    return made, promised


def read_part(task):
    """Of a share of the agents: agent -> (number -> how often), what is not as made, losses declared."""
    path, accounts, part, parts = task
    stored, wrong, declared, batches = {}, [], 0, 0
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = database.execute("SELECT agent, body FROM batches WHERE id % ? = ?", (parts, part))
    for name, body in rows:
        agent = int(name.removeprefix("vm-"))
        numbers = stored.setdefault(agent, collections.Counter())
        batches += 1
        for record in Unpacker(body).value()[RECORDS]:
            if GAP in record and record[GAP].get(WHY) != b"moved":
                declared += record[GAP].get(LOST, 0)
            if MEASUREMENT not in record:
                continue
            seen = record[MEASUREMENT]
            number = int(seen[DETAIL])
            numbers[number] += 1
            if seen[TOOK] != sign(agent, number) or \
                    seen[TARGET][HOST] != host(number, accounts).encode():
                wrong.append(f"{name} {number}")
    database.close()
    return stored, wrong, declared, batches


def judge(made_paths, store, accounts, parts=2):
    """The tally; what must be 0 is in lost, duplicated, invented, altered and declared."""
    made, promised = read_made(made_paths)
    stored, tally = collections.defaultdict(collections.Counter), collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(parts) as pool:
        for share, wrong, declared, batches in pool.map(
                read_part, [(store, accounts, part, parts) for part in range(parts)]):
            for agent, numbers in share.items():
                stored[agent].update(numbers)
            tally.update(altered=len(wrong), declared=declared, batches=batches)
    for agent in set(made) | set(stored):
        got = stored.get(agent, {})
        tally.update(
            agents=1, made=len(made[agent]), promised=len(promised[agent]),
            found=len(promised[agent] & set(got)), lost=len(promised[agent] - set(got)),
            duplicated=sum(count - 1 for count in got.values()),
            invented=len(set(got) - made[agent]))
    return tally
