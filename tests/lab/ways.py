"""ways.py - the ways in: a command bare, under the preload library, under the provider."""
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

BARE, PRELOAD, PROVIDER = "bare", "preload", "provider"
WAYS = (PRELOAD, PROVIDER)
# What a user's shell may hold that would change what a client does here.
FOREIGN = ("LD_PRELOAD", "LD_LIBRARY_PATH", "OPENSSL_CONF", "OPENSSL_MODULES", "TRUSTGRAFT_POLICY",
           "XDG_CONFIG_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "CURL_HOME",
           "GIT_SSL_CAINFO", "GIT_SSL_NO_VERIFY", "WGETRC",
           "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED",
           "PYTHONHTTPSVERIFY", "SSLKEYLOGFILE", "http_proxy", "https_proxy", "HTTPS_PROXY",
           "all_proxy", "ALL_PROXY")


def unfit(folder):
    """What a path to FOLDER lacks for LD_PRELOAD to name a library there, in a list: empty mostly."""
    odd = sorted(set(str(folder)) & set(" :$"))
    return [f"a path that LD_PRELOAD can hold, for {folder} has {odd[0]!r} in it"] if odd else []


class Build:
    """The artifacts under a build directory."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory).resolve()
        self.command = self.directory / "trustgraft"
        self.preload = self.directory / "libtrustgraft-preload.so"
        self.module = self.directory / "ossl-modules" / "trustgraft.so"
        self.openssl_cnf = self.directory / "openssl.cnf"

    def missing(self):
        return [str(path) for path in (self.command, self.preload, self.module, self.openssl_cnf)
                if not path.exists()] + unfit(self.directory)


def clean_environment(home):
    """The caller's environment without what would reach a client; HOME holds no policy."""
    kept = {key: value for key, value in os.environ.items() if key not in FOREIGN}
    return kept | {"HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def by_command(build, way, command, policy):
    """As a user would: `trustgraft run`."""
    if way == BARE:
        return command
    return [str(build.command), "run", f"--{way}", "--policy", str(policy), "--", *command]


def by_environment(build, way, policy=None):
    """What `run` comes down to, for the cases that it would refuse."""
    named = {"TRUSTGRAFT_POLICY": str(policy)} if policy else {}
    if way == PRELOAD:
        return named | {"LD_PRELOAD": str(build.preload)}
    if way == PROVIDER:
        return named | {"OPENSSL_CONF": str(build.openssl_cnf)}
    return {}


def exports_tls(executable):
    """True for a program that carries OpenSSL inside and exports it, as Node's builds do."""
    path = os.path.realpath(shutil.which(executable) or executable)
    symbols = subprocess.run(["nm", "-D", "--defined-only", path], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, check=False, text=True).stdout
    return " SSL_CTX_new\n" in symbols


@functools.cache
def reaches(build, way, executable):
    """
    The one place that knows what is reached by what. A program that links libssl has to be
    reached by both. One that carries OpenSSL inside binds to itself, so the preload library
    may or may not reach it: there the command's own claim counts, and the tests hold it to that.
    """
    if way != PRELOAD or not exports_tls(executable):
        return True
    with tempfile.NamedTemporaryFile(suffix=".conf") as policy:
        claim = subprocess.run([build.command, "run", "--preload", "--policy", policy.name, "--",
                                executable, "--version"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=False)
    return claim.returncode == 0
