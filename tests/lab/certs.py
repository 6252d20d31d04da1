"""A certificate authority of the lab's own, and leaves that are right or wrong in one named way.

faketime is not at hand: `openssl ca` takes both dates, and so makes certificates of any time.
"""

import os
import subprocess
import threading
import time

import apis
from space import Failed

NAMES = apis.names_of_certificates()

CONFIG = """[ca]
default_ca = lab
[lab]
dir = {directory}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
certificate = {certificate}
private_key = {key}
default_md = sha256
default_days = 365
policy = any
unique_subject = no
x509_extensions = leaf
[any]
commonName = supplied
organizationName = optional
[req]
distinguished_name = req_name
[req_name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[between]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def _stamp(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


class Authority:
    """One root and one intermediate, made at once; leaves are made when first asked for."""

    def __init__(self, directory, title):
        self.directory = directory
        self.title = title
        os.makedirs(directory)
        self.root = self._path("root.pem")
        with open(self._path("index.txt"), "w", encoding="ascii"):
            pass
        with open(self._path("serial"), "w", encoding="ascii") as file:
            file.write("1000\n")
        self._make_authorities()

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _openssl(self, *command):
        done = subprocess.run(["openssl", *command], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Failed(f"openssl {' '.join(command)}:\n{done.stdout}")

    def _key(self, name):
        path = self._path(name + ".key")
        self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-out", path)
        return path

    def _config(self, issuer, names="DNS:unused", usage="serverAuth"):
        path = self._path("openssl.cnf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIG.format(directory=self.directory, usage=usage, names=names,
                                     certificate=self._path(issuer + ".pem"),
                                     key=self._path(issuer + ".key")))
        return path

    def _request(self, name, subject, config):
        request = self._path(name + ".csr")
        self._openssl("req", "-new", "-config", config, "-key", self._key(name), "-subj", subject,
                      "-out", request)
        return request

    def _sign(self, name, subject, issuer, extensions, days, **config):
        settings = self._config(issuer, **config)
        request = self._request(name, subject, settings)
        self._openssl("ca", "-batch", "-notext", "-config", settings, "-in", request,
                      "-out", self._path(name + ".pem"), "-extensions", extensions,
                      "-startdate", _stamp(days[0]), "-enddate", _stamp(days[1]))

    def _make_authorities(self):
        config = self._config("root")
        request = self._request("root", f"/O={self.title}/CN={self.title} Root", config)
        self._openssl("ca", "-batch", "-notext", "-config", config, "-in", request, "-selfsign",
                      "-out", self.root, "-extensions", "root",
                      "-startdate", _stamp(-400), "-enddate", _stamp(4000))
        self._sign("between", f"/O={self.title}/CN={self.title} TLS", "root", "between",
                   (-400, 3000))

    def leaf(self, name, names, days=(-10, 200), usage="serverAuth", chain=("between",)):
        """Paths of (certificates, key).  The file holds leaf and intermediate, as servers send."""
        text = ",".join(("IP:" if n.replace(".", "").isdigit() else "DNS:") + n for n in names)
        self._sign(name, f"/CN={names[0]}", "between", "leaf", days, names=text, usage=usage)
        full = self._path(name + ".full.pem")
        with open(full, "w", encoding="ascii") as out:
            for part in [name, *chain]:
                with open(self._path(part + ".pem"), encoding="ascii") as file:
                    out.write(file.read())
        return full, self._path(name + ".key")

    def self_signed(self, name, names):
        config = self._config("root", names=",".join("DNS:" + n for n in names))
        certificate = self._path(name + ".pem")
        key = self._key(name)
        self._openssl("req", "-new", "-x509", "-config", config, "-key", key, "-subj",
                      f"/CN={names[0]}", "-extensions", "leaf", "-days", "100",
                      "-out", certificate)
        return certificate, key


# What the scenarios may call a certificate, and how it is made; ends-in-N-days stands beside.
KINDS = {
    "good": lambda good, other: good.leaf("good", NAMES),
    "expired": lambda good, other: good.leaf("expired", NAMES, (-300, -1)),
    "expires-tomorrow": lambda good, other: good.leaf("expires-tomorrow", NAMES, (-300, 1)),
    "not-yet-valid": lambda good, other: good.leaf("not-yet-valid", NAMES, (1, 300)),
    "valid-since-an-hour": lambda good, other: good.leaf("valid-since", NAMES, (-1 / 24, 300)),
    "wrong-name": lambda good, other: good.leaf("wrong-name", ["*.blob.core.windows.net"]),
    "one-name": lambda good, other: good.leaf("one-name", ["contoso.documents.azure.com"]),
    "wrong-purpose": lambda good, other: good.leaf("wrong-purpose", NAMES, usage="clientAuth"),
    "two-purposes": lambda good, other: good.leaf("two-purposes", NAMES,
                                                  usage="serverAuth,clientAuth"),
    "no-intermediate": lambda good, other: good.leaf("no-intermediate", NAMES, chain=()),
    "with-root": lambda good, other: good.leaf("with-root", NAMES, chain=("between", "root")),
    "intercepted": lambda good, other: other.leaf("intercepted", NAMES),
    # The issuer calls itself as that of Azure's certificates does, and no root here leads to it.
    "public-issuer": lambda good, other: other.leaf("public-issuer", NAMES),
    "self-signed": lambda good, other: good.self_signed("self-signed", NAMES),
}


def is_kind(text):
    return text in KINDS or (text.startswith("ends-in-") and text.endswith("-days") and
                             text[8:-5].isdigit())


class Certificates:
    """All certificates of a run, shared by its scenarios."""

    def __init__(self, directory):
        self.lock = threading.Lock()
        self.made = {}
        self.good = Authority(os.path.join(directory, "lab-ca"), "Lab Trust")
        self.other = None
        self.directory = directory
        self.roots = self.good.root

    def _make(self, kind):
        if kind == "intercepted" and self.other is None:
            self.other = Authority(os.path.join(self.directory, "other-ca"), "Contoso Inspection")
        if kind == "public-issuer":
            return KINDS[kind](self.good, Authority(
                os.path.join(self.directory, "public-ca"), "Microsoft Corporation"))
        if kind in KINDS:
            return KINDS[kind](self.good, self.other)
        return self.good.leaf(kind, NAMES, (-60, int(kind[8:-5]) + 0.5))

    def get(self, kind):
        with self.lock:
            if kind not in self.made:
                self.made[kind] = self._make(kind)
            return self.made[kind]

    def for_host(self, *names):
        with self.lock:
            if names not in self.made:
                self.made[names] = self.good.leaf(names[0], list(names))
            return self.made[names]
