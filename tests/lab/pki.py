"""pki.py - the test PKI that certs/make-pki baked, by name."""
import base64
import hashlib
import pathlib
import re

from lab.files import kept, put


class Pki:
    """What is in DIRECTORY, and policy texts about it."""

    def __init__(self, directory):
        self.directory = kept(directory)
        self.fingerprints, self.pins = {}, {}
        for line in (self.directory / "INDEX").read_text().splitlines():
            name, self.fingerprints[name], self.pins[name], _ = line.split("\t")
        self.names = {value[7:]: name for name, value in self.fingerprints.items()}

    def pem(self, name):
        return self.directory / f"{name}.pem"

    def chain(self, name):
        return self.directory / f"{name}.chain.pem"

    def crl(self, name):
        return self.directory / f"{name}.crl"

    def staple(self, name):
        return self.directory / f"{name}.ocsp"

    def key(self, name):
        return self.directory / f"{name}.key"

    def der(self, name):
        lines = self.pem(name).read_text().splitlines()
        return base64.b64decode("".join(lines[1:-1]))

    def expand(self, text, **extra):
        """TEXT with {NAME} as the path of a certificate, {fp NAME} as its fingerprint,
        {pin NAME} as its pin, {crl NAME} as the path of a CRL, and {WORD} as EXTRA has it."""
        def replace(hit):
            kind, name = hit[1], hit[2]
            if kind == "crl ":
                if not self.crl(name).exists():
                    raise KeyError(f"no CRL is called {name}")
                return str(self.crl(name))
            if kind:
                return {"fp": self.fingerprints, "pin": self.pins}[kind.strip()][name]
            if name in extra:
                return str(extra[name])
            if name not in self.fingerprints:
                raise KeyError(f"no certificate is called {name}")
            return str(self.pem(name))
        return re.sub(r"\{(fp |pin |crl )?([\w-]+)\}", replace, text)

    def known_hosts(self, text, directory, **extra):
        """The path of a known-hosts file in DIRECTORY with what stands behind `#known ` in lines
        of TEXT, expanded."""
        lines = self.expand("".join(f"{line[7:]}\n" for line in text.splitlines()
                                    if line.startswith("#known ")), **extra)
        path = pathlib.Path(directory) / f"{hashlib.sha256(lines.encode()).hexdigest()[:16]}.known"
        return path if path.exists() else put(path, lines)
