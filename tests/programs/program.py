"""program.py - what there is to know of a program: how it is called, and how it answers."""
import collections.abc
import dataclasses
import pathlib
import re
import shutil

ACCEPT, REFUSE, ERROR, UNREACHABLE = "accept", "refuse", "error", "unreachable"
HOST = "localhost"
ADDRESSES = "127.0.0.1 ::1"     # of it
OPENSSL_REFUSAL = r"(?i)certificate.verify.failed"


@dataclasses.dataclass(frozen=True)
class Call:
    """Whom to call, and what the program itself is told to demand of them."""
    port: int
    cafile: str | None      # by its own option, or by SSL_CERT_FILE where it has none
    insecure: bool          # its verification is switched off
    scratch: pathlib.Path   # an empty folder, for this call alone
    host: str = HOST

    @property
    def url(self):
        return f"https://{self.host}:{self.port}/hello"


@dataclasses.dataclass(frozen=True)
class Limit:
    """
    What a way in can't do for a program, and why. KIND is how that shows: `stricter` (refused
    where the policy accepts), `laxer` (the reverse), `unasked` (as without a policy), `unreachable`
    (`run` won't start it), `changed` (not left alone). The tests hold it to exactly that, and
    try that a rule for the hosts INSTEAD does what one for the name can't.
    """
    way: str
    case: str
    kind: str
    reason: str
    instead: str = ""


def https(lab, leaf):
    """The port of an HTTPS server with the certificate LEAF, which sends no tickets."""
    name = f"{leaf}/no-tickets"
    lab.servers.python([name])
    return lab.servers.ports[name]


def play(lab, program, call, inject):
    """
    Runs PROGRAM once; (status, stdout, stderr). INJECT turns a command into the one that starts
    it by the way in, and the environment for it. Programs of more than one process replace this.
    """
    command, environment = inject(program.command(call))
    return lab.run(command, program.stdin, program.surroundings(call) | environment,
                   cwd=call.scratch)


@dataclasses.dataclass(frozen=True)
class Program:
    """
    COMMAND gives the words to run for a Call. ACCEPTED is found in either output, or in "exit
    STATUS" after them, if and only if the server's words arrived; REFUSED if its certificate was
    the reason that they didn't.
    """
    name: str
    packages: tuple             # of Debian, or npm's as npm:NAME
    executable: str             # what `run` and `doctor` are asked about
    version: tuple              # a command that prints it
    command: collections.abc.Callable
    refused: str = OPENSSL_REFUSAL
    accepted: str = r"hello from"
    stdin: bytes = b""
    via: str = ""               # what stands between it and libssl, for the table
    checks: tuple = ("chain", "name")   # what it verifies by default, without trustgraft
    names: str = "libssl"       # who compares the name: libssl, itself, or nobody
    callback: bool = False      # it sets a verify callback of its own
    options: tuple = ("ca", "off")      # an option for a CA, one to switch verification off
    environment: dict = dataclasses.field(default_factory=dict)
    limits: tuple = ()
    remark: str = ""            # what the tests don't show and its users have to know
    volatile: tuple = ()        # (pattern, text): what differs between two runs
    quick: bool = False         # `make check` runs it as well
    service: collections.abc.Callable = https   # (lab, leaf) -> port
    play: collections.abc.Callable = play

    def missing(self):
        """What this machine lacks to run it, or ''."""
        words = (self.executable, self.version[0])
        return next((word for word in words if not shutil.which(word)), "")

    def surroundings(self, call):
        if call.cafile and "ca" not in self.options:
            return self.environment | {"SSL_CERT_FILE": call.cafile}
        return self.environment

    def judge(self, status, out, err):
        if status is None or status < 0:
            return ERROR  # hung or crashed
        said = f"{out}{err}\nexit {status}"
        if re.search(self.accepted, said):
            return ACCEPT
        return REFUSE if re.search(self.refused, said) else ERROR

    def limit(self, case, way):
        return next((limit for limit in self.limits if (limit.case, limit.way) == (case, way)),
                    None)


@dataclasses.dataclass(frozen=True)
class Unreached:
    """A program whose TLS isn't OpenSSL's: `run` and `doctor` have to say WORDS about it."""
    name: str
    packages: tuple
    executable: str
    library: str
    words: str
    reason: str = ""

    def missing(self):
        return "" if shutil.which(self.executable) else self.executable
