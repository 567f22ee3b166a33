"""Where the benchmarks run: certificates, policies, a server, and the environment of a case."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

from measure import Failed

Case = namedtuple("Case", "name env")

MAKE_CRL = Path(__file__).resolve().parents[2] / "certs/make-crl"
SUBJECTS = {"intermediate": "/CN=Test Intermediate/O=Trustgraft Tests"}  # as make-crl has it

NO_PIN = "sha256/" + "A" * 43 + "="
RULE = """[host *.bench.test]
anchors = {pki}/root.pem
leaf-pin = {leaf_pin}, {no_pin}
ca-pin = {pki}/intermediate.pem, {no_pin}
"""
CRL = RULE + """revocation = crl
crl = {pki}/long.crl
"""
LOG = """[policy]
log = file:{pki}/log
log-format = json
log-level = all
"""
POLICIES = {
    "rule": RULE,
    "refusing": RULE.replace("{leaf_pin}, ", ""),
    "crl": CRL,
    "crl-of-root-too": CRL.replace("= crl\n", "= crl-chain\n"),  # there is none
    "log": LOG + RULE,
    "other": "[host other.example *.other.example 192.0.2.0/24]\naction = reject\n",
}


def openssl(*arguments, **kwargs):
    done = subprocess.run(["openssl", *arguments], capture_output=True, check=False, **kwargs)
    if done.returncode:
        raise Failed(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def make_certificate(pki, name, issuer, *extensions):
    """A P-256 key and certificate, NAME.key and NAME.pem, for a month."""
    signer = ["-CA", f"{pki}/{issuer}.pem", "-CAkey", f"{pki}/{issuer}.key"] if issuer else []
    extensions = [word for extension in extensions for word in ("-addext", extension)]
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "30", "-subj", SUBJECTS.get(name, f"/CN=bench {name}"), *signer, *extensions,
            "-keyout", f"{pki}/{name}.key", "-out", f"{pki}/{name}.pem")


class Place:
    """The built files, and what is made for one run of the benchmarks in a scratch folder."""

    def __init__(self, build, scratch):
        self.handshake = f"{build}/tests/bench/handshake"
        self.empty = f"{build}/tests/bench/empty.so"
        self.library = f"{build}/libtrustgraft-preload.so"
        self.config = f"{build}/openssl.cnf"
        self.command = f"{build}/trustgraft"
        self.curl = shutil.which("curl")
        self.scratch = scratch
        self.lacking = {}  # what can't be made here, and why
        self.pki = f"{scratch}/pki"
        self.root = f"{self.pki}/root.pem"
        self.bundle = f"{self.pki}/bundle.pem"
        os.umask(0o022)
        os.mkdir(self.pki)
        self.make_certificates()
        for name, text in POLICIES.items():
            with open(f"{scratch}/{name}.conf", "w", encoding="utf-8") as file:
                file.write(text.format(pki=self.pki, leaf_pin=self.pin("leaf"), no_pin=NO_PIN))

    def make_certificates(self):
        authority = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
        make_certificate(self.pki, "root", None, authority[1])
        make_certificate(self.pki, "intermediate", "root", *authority)
        make_certificate(self.pki, "leaf", "intermediate", "basicConstraints=CA:FALSE",
                         "subjectAltName=DNS:*.bench.test,IP:127.0.0.1", "extendedKeyUsage=serverAuth")
        with open(self.bundle, "wb") as bundle:
            for part in ("/etc/ssl/certs/ca-certificates.crt", self.root):
                with open(part, "rb") as file:
                    bundle.write(file.read())

    def make_crl(self, entries):
        """The list of `intermediate` that crl.conf names."""
        with open(f"{self.pki}/long.crl", "wb") as file:
            subprocess.run([MAKE_CRL, self.pki, str(entries)], stdout=file, check=True)

    def pin(self, name):
        key = openssl("x509", "-in", f"{self.pki}/{name}.pem", "-noout", "-pubkey")
        digest = openssl("dgst", "-sha256", "-binary",
                         input=openssl("pkey", "-pubin", "-outform", "DER", input=key))
        return "sha256/" + openssl("base64", "-A", input=digest).decode()

    def bare(self, **more):
        """This process's environment without anything that could inject or configure."""
        env = {name: value for name, value in os.environ.items()
               if not name.startswith(("LD_", "OPENSSL_", "SSL_CERT_", "CURL_", "REQUESTS_",
                                       "TRUSTGRAFT_"))}
        return {**env, "HOME": self.scratch, "XDG_CONFIG_HOME": self.scratch, **more}

    def policy(self, name):
        return {"TRUSTGRAFT_POLICY": f"{self.scratch}/{name}.conf"} if name else {}

    def preloading(self, library, policy=None):
        return self.bare(LD_PRELOAD=library, **self.policy(policy))

    def preload(self, policy=None):
        return self.preloading(self.library, policy)

    def provider(self, policy=None):
        return self.bare(OPENSSL_CONF=self.config, **self.policy(policy))

    def asking(self, handshakes):
        """A file for the standard input of `handshake` that asks it for so many."""
        path = f"{self.scratch}/asking-{handshakes}"
        if not os.path.exists(path):
            with tempfile.NamedTemporaryFile("w", dir=self.scratch, delete=False) as file:
                file.write(f"{handshakes}\n")
            os.replace(file.name, path)  # whole or not at all, for several ask at a time
        return path

    def must_refuse(self, argv, stdin=None, policies=("rule", "refusing"), more=None):
        """A figure means nothing unless trustgraft is at work: the second policy has to fail."""
        for way, env in (("preload", self.preload), ("provider", self.provider)):
            for policy, wanted in zip(policies, (True, False)):
                done = subprocess.run(argv, env={**env(policy), **(more or {})}, input=stdin, text=True,
                                      capture_output=True, check=False)
                if (done.returncode == 0) != wanted:
                    raise Failed(f"under the {way} and {policy}.conf, {argv[0]} exits "
                             f"{done.returncode}: {done.stderr}")

    def must_log(self, argv, stdin):
        """A line for each accepted server, in both ways in."""
        for env in (self.preload("log"), self.provider("log")):
            subprocess.run(argv, env=env, input=stdin, text=True, stdout=subprocess.DEVNULL,
                           check=True)
        with open(f"{self.pki}/log", encoding="utf-8") as file:
            if [json.loads(line)["verdict"] for line in file] != ["accept"] * 2:
                raise Failed(f"not the two lines that belong in {file.name}")

    @contextlib.contextmanager
    def server(self):
        """A TLS server on loopback that answers HTTP; yields its port."""
        argv = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
                f"{self.pki}/leaf.pem", "-key", f"{self.pki}/leaf.key", "-cert_chain",
                f"{self.pki}/intermediate.pem"]
        with subprocess.Popen(argv, env=self.bare(), stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL) as process:
            try:
                for line in process.stdout:
                    port = re.search(r"^ACCEPT .*:(\d+)", line)
                    if port:
                        yield int(port[1])
                        break
            finally:
                process.kill()
