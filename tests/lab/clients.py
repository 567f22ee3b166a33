"""clients.py - the real programs: how each is called, and how each says what happened."""
import dataclasses
import functools
import ipaddress
import pathlib
import re
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
# What Node calls a refused certificate: its own names, or libssl's words where the handshake itself
# failed. Everything else (ECONNRESET...) is no refusal.
NODE_REFUSAL = re.compile(
    r"(?m)^(CERT_\w+|UNABLE_TO_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|"
    r"HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNSPECIFIED|"
    r"ERR_TLS_CERT_ALTNAME_INVALID|ERR_SSL_CERTIFICATE_VERIFY_FAILED|"
    r"EPROTO .*:certificate verify failed:)")


@functools.cache
def node_knows(host):
    """False for an address that this Node takes for a name, which no certificate then is for
    (Debian's Node 18 and ::1), whatever is decided about the server."""
    if ":" not in host:
        return True
    check = ("require('tls').checkServerIdentity(process.argv[1], {subject: {CN: 'a'}, "
             "subjectaltname: 'IP Address:' + process.argv[1]})")
    done = subprocess.run(["node", "-p", check, host], capture_output=True, text=True, timeout=120,
                          check=False)
    return done.stdout.strip() == "undefined"


@dataclasses.dataclass(frozen=True)
class Target:
    """Whom to call, and what the application itself demands of them."""
    host: str
    port: int
    address: str = "127.0.0.1"
    cafile: str | None = None
    insecure: bool = False

    @property
    def is_address(self):
        try:
            return bool(ipaddress.ip_address(self.host))
        except ValueError:
            return False

    @property
    def authority(self):
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def endpoint(self):
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What happened: `accept` (the server's words arrived), `refuse` (the certificate was the
    reason that they didn't), `unreachable` (trustgraft won't run it) or `error`."""
    verdict: str
    status: int
    stdout: str
    stderr: str
    x509: int | None = None

    @property
    def said(self):
        return f"exit {self.status}: {(self.stdout + self.stderr).strip()[-600:]}"

    @property
    def log(self):
        """The lines of the policy's log, which goes to stderr; OpenSSL's error queue, which
        some programs print there too, holds the same words."""
        return [line for line in self.stderr.splitlines()
                if re.match(r"trustgraft: \S+\[\d+\]: (would )?(accept|reject)", line)]


def curl(target):
    command = ["curl", "-sS", "--noproxy", "*", "--max-time", "60",
               f"https://{target.authority}/hello"]
    if not target.is_address:
        address = f"[{target.address}]" if ":" in target.address else target.address
        command += ["--resolve", f"{target.authority}:{address}"]
    command += ["--cacert", target.cafile] if target.cafile else []
    return command + (["-k"] if target.insecure else [])


def judge_curl(status, out, _):
    if status == 0 and "hello from" in out:
        return "accept", None
    return ("refuse" if status == 60 else "error"), None


def script(*interpreter):
    def command(target):
        return [*interpreter, target.host, target.address, str(target.port),
                *(["--cafile", target.cafile] if target.cafile else []),
                *(["--insecure"] if target.insecure else [])]
    return command


def judge_python(status, out, _):
    if status == 0 and "hello from" in out:
        return "accept", None
    if status == 1 and (hit := re.match(r"SSLCertVerificationError (\d+)", out)):
        return "refuse", int(hit[1])
    return "error", None


def judge_node(status, out, _):
    if status == 0 and "hello from" in out:
        return "accept", None
    return ("refuse" if status == 1 and NODE_REFUSAL.search(out) else "error"), None


def openssl(target):
    name = (["-noservername"] if target.is_address else ["-servername", target.host])
    check = ["-verify_ip" if target.is_address else "-verify_hostname", target.host,
             "-verify_return_error"]
    return ["openssl", "s_client", "-connect", target.endpoint, "-quiet", *name,
            *(["-CAfile", target.cafile] if target.cafile else []),
            *([] if target.insecure else check)]


def judge_openssl(status, out, err):
    if "hello from" in out:
        return "accept", None
    codes = re.findall(r"verify error:num=(\d+)", err)
    if status == 1 and "certificate verify failed" in err:
        return "refuse", int(codes[-1]) if codes else None
    return "error", None


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    executable: str
    command: object
    judge: object
    stdin: bytes = b""


PROGRAMS = {program.name: program for program in (
    Program("curl", "curl", curl, judge_curl),
    Program("python3", PYTHON, script(PYTHON, str(HERE / "get.py")), judge_python),
    Program("node", "node", script("node", str(HERE / "get.cjs")), judge_node),
    Program("openssl", "openssl", openssl, judge_openssl, b"GET /hello HTTP/1.0\r\n\r\n"),
)}


def missing():
    """The programs that this machine lacks."""
    return [name for name, program in PROGRAMS.items() if not shutil.which(program.executable)]
