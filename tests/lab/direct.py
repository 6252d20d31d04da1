"""Direct mode and Gateway V2 of an account: what its gateways know of it, and its secrets.

The files are those of tests/fake/fake_backend (tests/fake/README.md); what a scenario may say of
it stands in scenario.py.
"""

import base64
import hashlib
import json
import os
import re
import time

REPLICAS = 4                         # of a partition key range
RANGE_SPACE = 0xFF                   # of partition keys, shared by the ranges
DATABASE_RID, CONTAINER_RID = "ZWUNAA==", "ZWUNALftZ78="
PRINCIPAL = "00000000-0000-0000-0000-0000000aad00"
DAY_S = 86400
ENDING_S = 120                       # how long a token that is about to expire is good

# Files that [check] arguments may name, as "{key_file}", or "{contoso.key_file}" where more than
# one account has them: of a key that only reads, of one that writes too, and of one that is not
# the account's; of Entra tokens whose role is for the account, for the container, for nothing, of
# one that has expired, one that is about to, and one that nobody issued; of the replicas'
# addresses as the logs of an SDK have them, and of those on the public path.
PLACES = ("key_file", "readwrite_key_file", "wrong_key_file", "token_file",
          "container_token_file", "no_role_token_file", "expired_token_file",
          "ending_token_file", "wrong_token_file", "pasted", "public_pasted")
PLACEHOLDER = re.compile(r"\{(?:([a-z0-9-]+)\.)?([a-z_]+)\}")


def _key(account, kind):
    """64 bytes, as the service's, and in each run the same."""
    digest = hashlib.sha512(f"{account.name} {kind}".encode()).digest()
    return base64.b64encode(digest).decode()


def _token(account, kind, expires):
    """In the form of a JWT; nobody signs it, the back end knows it by heart."""
    def part(value):
        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    facts = {"aud": "https://cosmos.azure.com", "oid": PRINCIPAL, "sub": kind,
             "iat": expires - DAY_S, "nbf": expires - DAY_S, "exp": expires}
    return ".".join((part(b'{"typ":"JWT","alg":"RS256"}'), part(json.dumps(facts).encode()),
                     part(hashlib.sha256(f"{account.name} {kind}".encode()).digest())))


def _replica(host, port, partition, number, **more):
    role = "p" if number == 0 else "s"
    return {"host": host, "port": port, "primary": number == 0,
            "path": f"/apps/{account_guid(host)}/services/{account_guid(partition)}/partitions/"
                    f"{account_guid(partition + host)}/replicas/1338888818102642{number:02}"
                    f"{role}/", **more}


def account_guid(text):
    """A GUID that stands for the text."""
    digits = hashlib.md5(text.encode()).hexdigest()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def chunks(ports):
    """Those of each partition key range."""
    return [ports[at:at + REPLICAS] for at in range(0, len(ports), REPLICAS)]


def _bound(number, count):
    """Of the space of partition keys, as the service writes it: "" at the start, "FF" at the end."""
    return "" if number == 0 else f"{RANGE_SPACE * number // count:02X}"


class Known:
    """What the gateways at one side know of an account: side is "private" or "public"."""

    def __init__(self, account, host_of, ports, refreshed, steps, refusal=None):
        self.account = account
        self.direct = account.direct
        self.host_of = host_of       # region -> host of its replicas
        self.ports = ports
        self.refreshed = refreshed
        self.steps = steps
        self.refusal = refusal       # what all signed requests are answered; None: the truth

    def _replicas(self, ports, partition, **more):
        return [_replica(self.host_of(region), port, partition, number, view=region, **more)
                for region in self.account.labels()[1:] for number, port in enumerate(ports)]

    def _ranges(self):
        first, later = chunks(self.ports), chunks(self.refreshed)
        return [{"id": str(number), "min": _bound(number, len(first)),
                 "max": _bound(number + 1, len(first)) or "FF",
                 "replicas": self._replicas(ports, f"range-{number}") + self._replicas(
                     later[number] if number < len(later) else [], f"range-{number}",
                     refreshed=True)}
                for number, ports in enumerate(first)]

    def _databases(self):
        if not self.direct.container:
            return []
        return [{"id": self.direct.database, "rid": DATABASE_RID, "containers": [
            {"id": self.direct.container, "rid": CONTAINER_RID, "partition_key": "/pk",
             "ranges": self._ranges()}]}]

    def _places(self, port):
        regions = self.direct.told_regions or self.account.regions
        return [{"name": name, "host": self.account.host_of(name), "port": port,
                 "writable": number == 0} for number, name in enumerate(regions)]

    def _views(self):
        """Each region tells of its own replicas; the account's own name is the write region's."""
        write = self.account.labels()[1]
        more = {"answer": self.refusal} if self.refusal else {}
        return [{"name": region, "hosts": [self.account.host(region)] +
                 ([self.account.host("")] if region == write else []), **more}
                for region in self.account.labels()[1:]]

    def document(self):
        account, direct = self.account, self.direct
        return {"accounts": [{
            "name": account.name, "suffix": account.suffix, "local_auth": direct.local_auth,
            "clock": direct.clock, "chunked": direct.chunked, "page": direct.page,
            "keys": [_key(account, "readwrite")], "readonly_keys": [_key(account, "readonly")],
            "tokens": [_entry(account, direct, kind) for kind in _SCOPES],
            "regions": self._places(443), "views": self._views(),
            "steps": self.steps,
            "thin": self._places(direct.thin) if direct.thin and direct.thin_told else [],
            "master": self._replicas(self.ports[:REPLICAS], "master"),
            "databases": self._databases()}]}

    def pasted(self):
        """The replicas as an SDK prints them, a line each."""
        document = self.document()["accounts"][0]
        ranges = [entry for database in document["databases"]
                  for container in database["containers"] for entry in container["ranges"]]
        replicas = [replica for entry in ranges for replica in entry["replicas"]]
        return "".join(f"rntbd://{each['host']}:{each['port']}{each['path']}\n"
                       for each in replicas or document["master"] if not each.get("refreshed"))


# Of the tokens that the account knows.
_SCOPES = {"account": lambda direct: ["/"], "expired": lambda direct: ["/"],
           "ending": lambda direct: ["/"],
           "container": lambda direct: [f"/dbs/{direct.database}/colls/{direct.container}"],
           "no-role": lambda direct: []}


def _entry(account, direct, kind):
    return {"token": token_of(account, kind), "principal": PRINCIPAL,
            "scopes": _SCOPES[kind](direct), "expires": _expires(account, kind)}


# When the files of an account were written: a whole run of the lab takes longer than a token that
# is about to end lives.
_written = {}


def _expires(account, kind):
    return _written[account.name] + {"expired": -3600, "ending": ENDING_S}.get(kind, DAY_S)


def token_of(account, kind):
    return _token(account, kind, _expires(account, kind))


def _write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
              encoding="utf-8") as file:
        file.write(text)


def path_of(directory, account, side):
    """Of what the gateways at that side know."""
    return os.path.join(directory, f"{account.name}-{side}.account.json")


def write(directory, account, public_host_of):
    """All files of an account; public_host_of: region -> host of its replicas there."""
    direct = account.direct
    _written[account.name] = int(time.time())
    private = Known(account, account.host, direct.ports, direct.refreshed_ports,
                    direct.steps)
    public = Known(account, public_host_of, direct.public_ports, [], [],
                   "forbidden-public" if account.public_door == "asks" else None)
    for side, known in (("private", private), ("public", public)):
        _write(path_of(directory, account, side), json.dumps(known.document(), indent=1), 0o644)
    texts = {"key_file": _key(account, "readonly"),
             "readwrite_key_file": _key(account, "readwrite"),
             "wrong_key_file": _key(account, "wrong"),
             "token_file": token_of(account, "account"),
             "container_token_file": token_of(account, "container"),
             "no_role_token_file": token_of(account, "no-role"),
             "expired_token_file": token_of(account, "expired"),
             "ending_token_file": token_of(account, "ending"),
             "wrong_token_file": token_of(account, "wrong"),
             "pasted": private.pasted(), "public_pasted": public.pasted()}
    for place, text in texts.items():
        _write(place_path(directory, account.name, place), text.rstrip("\n") + "\n")


def place_path(directory, name, place):
    return os.path.join(directory, f"{name}.{place}")


def expand(argument, directory, accounts):
    """A [check] argument with its placeholders replaced by paths."""
    first = next((name for name, account in accounts.items() if account.direct), None)
    return PLACEHOLDER.sub(lambda match: place_path(directory, match[1] or first, match[2]),
                           argument)
