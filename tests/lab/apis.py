"""The APIs of an account, and what differs between them: names, zone, port, document, front end."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Api:
    word: str                        # as plprobe calls it
    label: str                       # between account and cloud in host names; "" for NoSQL
    group: str                       # group id of its private endpoints
    port: int
    protocol: str                    # of tests/fake/fake_backend, its option
    refusal: str                     # there, what the firewall says to who comes from the internet
    mark: str = ""                   # of `capabilities` in the document


# In the order of plprobe's enum, and so of addresses.
APIS = {api.word: api for api in (
    Api("sql", "", "Sql", 443, "gateway", "forbidden-public"),
    Api("mongodb", "mongo.cosmos", "MongoDB", 10255, "mongo", "blocked-public"),
    Api("cassandra", "cassandra.cosmos", "Cassandra", 10350, "cassandra", "blocked-public",
        "EnableCassandra"),
    Api("gremlin", "gremlin.cosmos", "Gremlin", 443, "gremlin", "firewall-public",
        "EnableGremlin"),
    Api("table", "table.cosmos", "Table", 443, "table", "firewall-public", "EnableTable"))}
WORDS = tuple(APIS)

SUFFIXES = ("documents.azure.com", "documents.azure.us", "documents.azure.cn")


@dataclass(frozen=True)
class Face:
    """What clients of some APIs see of an account: one suffix, one zone, and addresses."""
    account: str                     # its name
    suffix: str
    number: int                      # among the faces that an account may have
    apis: tuple                      # words; two where MongoDB is too old for a suffix of its own
    group: str                       # of its private endpoints

    @property
    def zone(self):
        return f"privatelink.{self.suffix}"

    def host(self, region):
        return f"{self.account}-{region}.{self.suffix}" if region else \
            f"{self.account}.{self.suffix}"


def is_old(version):
    """Of MongoDB: such a server has the names of NoSQL."""
    return bool(version) and tuple(map(int, version.split("."))) < (3, 6)


def suffix_of(api, own, version=""):
    """own: that of NoSQL.  The other APIs have suffixes in the cloud of that."""
    if not APIS[api].label or (api == "mongodb" and is_old(version)):
        return own
    return f"{APIS[api].label}.azure.{own.rsplit('.', 1)[1]}"


def faces_of(account):
    """In the order in which the account has its APIs."""
    found = {}
    for word in account.apis:
        suffix = suffix_of(word, account.suffix, account.server_version)
        found.setdefault(suffix, []).append(word)
    return [Face(account.name, suffix, 0 if suffix == account.suffix else WORDS.index(words[0]),
                 tuple(words), "Sql" if suffix == account.suffix else APIS[words[0]].group)
            for suffix, words in found.items()]


def names_of_certificates():
    """Of the leaves that are right: everything that a client may ask for."""
    return [f"*.{suffix}" for own in SUFFIXES for suffix in dict.fromkeys(
        suffix_of(word, own) for word in WORDS)] + ["*.sqlx.cosmos.azure.com"]
