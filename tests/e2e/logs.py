"""logs.py - where verdicts go: every line whole, everything escaped, and no verdict depends on it."""
import ast
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import stat
import tempfile
import time

from e2e.attacks import CLIENT
from e2e.harness import Skip, require
from e2e.machine import System
from e2e.naming import in_both_ways
from e2e.reload import Running
from lab import clients, ways
from lab.files import put_program

SERVERS = ("api", "expired", "spoofing-subject", "spoofing-san")
RULE = "[host api.example.test]\nanchors = {root}\n"
ALL = "log-level = all\n"
FIELDS = {"time", "program", "pid", "host", "port", "mode", "verdict", "result", "x509_error",
          "rule", "findings", "path"}
CERTIFICATE = {"subject", "issuer", "not_before", "not_after", "sha256", "spki"}
# RFC 3164: the facility authpriv (10) times 8, and warning (4) or informational (6).
REJECTED, ACCEPTED = "<84>", "<86>"
LINE = re.compile(r"trustgraft: \S+\[\d+\]: (would )?(accept|reject) api\.example\.test[ -~]*")


def start(_):
    """Nothing but the leaves' servers is needed."""


def log_policy(*settings, rule=RULE):
    return "[policy]\n" + "".join(f"{one}\n" for one in settings) + rule


def fresh_home(lab):
    home = tempfile.mkdtemp(prefix="log-", dir=lab.scratch)
    os.chmod(home, 0o755)
    return home


def curl(lab, way, policy, server, **more):
    return lab.get("curl", way, lab.target(server, app="root", **more), lab.policy(policy))


def both_verdicts(lab, way, *settings):
    """A policy with these settings accepts the one and refuses the other, whatever logging does."""
    out = []
    for server, wanted in (("api", "accept"), ("expired", "refuse")):
        got = curl(lab, way, log_policy(*settings), server)
        require(got.verdict == wanted, f"{settings}: {server}: {got.said}")
        out.append(got)
    return out


def json_fields(lab, way):
    """Each line parses and has what COMMAND names, of an acceptance as of a refusal."""
    path = f"{fresh_home(lab)}/verdicts.json"
    both_verdicts(lab, way, f"log = file:{path}", "log-format = json", ALL)
    with open(path, encoding="utf-8") as file:
        accepted, rejected = (json.loads(line) for line in file)
    for line, verdict, server in ((accepted, "accept", "api"), (rejected, "reject", "expired")):
        require(FIELDS <= set(line), f"lacks {FIELDS - set(line)}")
        require((line["verdict"], line["mode"]) == (verdict, "enforce"), str(line))
        require(line["host"] == "api.example.test" and line["rule"]["line"] > 1, str(line))
        require(line["port"] == lab.target(server, app="root").port, str(line))
        require(line["program"].endswith("/curl") and line["pid"] > 1, str(line))
        require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]), line["time"])
        require(line["path"] and all(CERTIFICATE <= set(one) for one in line["path"]), str(line))
    require(accepted["findings"] == [] and accepted["x509_error"] == 0, str(accepted))
    require([one["name"] for one in rejected["findings"]] == ["certificate-expired"],
            str(rejected["findings"]))
    require(rejected["x509_error"] == 10, str(rejected))


def json_report(lab, way):
    rule = RULE + "mode = report\n"
    policy = log_policy("log-format = json", rule=rule)
    got = curl(lab, way, policy, "expired", insecure=True)
    require(got.verdict == "accept", got.said)
    line = json.loads(got.stderr)
    require((line["verdict"], line["mode"]) == ("reject", "report"), str(line))


def json_too_long(lab, way):
    """What a pipe or syslog doesn't take in one piece is told in fewer words, and still parses."""
    folder = fresh_home(lab)
    for _ in range(7):
        folder += "/" + "\1" * 200
    os.makedirs(folder)
    program = clients.PROGRAMS["curl"]
    put_program(f"{folder}/curl", pathlib.Path(shutil.which("curl")))
    command = [f"{folder}/curl", *program.command(lab.target("expired"))[1:]]
    whole = log_policy("log-format = json", "log = file:whole.json, stderr, syslog")
    with System(lab, whole).listen() as system:
        got = lab.judge(program, *system.run(command, ways.by_environment(lab.build, way),
                                             user=False))
        told = system.logged()
    require(got.verdict == "refuse" and len(told) == 1, f"{got.said} {told}")
    for text, most in ((told[0].partition("trustgraft: ")[2], 8192), (got.stderr.splitlines()[0], 4096)):
        line = json.loads(text)
        require(len(text) < most and FIELDS <= set(line) and line["truncated"], text)
        require(line["findings"][0]["name"] == "certificate-expired", text)


def file_created(lab, way):
    """0600, and then appended to."""
    home = fresh_home(lab)
    for count in (1, 2):
        got = curl(lab, way, log_policy(f"log = file:{home}/verdicts.log"), "expired")
        require(got.verdict == "refuse" and not got.log, got.said)
        with open(f"{home}/verdicts.log", encoding="utf-8") as file:
            lines = file.read().splitlines()
        require(len(lines) == count and all(map(LINE.fullmatch, lines)), str(lines))
    mode = stat.S_IMODE(os.stat(f"{home}/verdicts.log").st_mode)
    require(mode == 0o600, f"created with mode {mode:o}")


def file_relative(lab, way):
    """Relative to the policy file, wherever the program runs."""
    with Running(lab, way) as client:
        client.put("policy.conf", "[policy]\ninclude = rules.d/one.conf\nlog = file:logs/verdicts\n")
        client.put("rules.d/one.conf", RULE)
        (client.home / "logs").mkdir()
        verdicts = [client.begin().call(server) for server in ("expired", "api")]
        require(verdicts == ["refuse", "accept"], f"{verdicts}: {client.said()}")
        lines = (client.home / "logs" / "verdicts").read_text().splitlines()
        require(len(lines) == 1 and LINE.fullmatch(lines[0]), str(lines))


def file_shared(lab, way):
    """Several processes and threads: every line whole, none lost."""
    path = f"{fresh_home(lab)}/verdicts.json"
    policy = log_policy(f"log = file:{path}", "log-format = json")
    port = lab.servers.ports["expired"]

    def storm(_):
        with Running(lab, way) as client:
            client.put("policy.conf", policy)
            client.begin().tell(f"storm 3 {port}")
            client.storms(60, lambda: time.sleep(0.1))
            return ast.literal_eval(client.tell("calm"))["refuse"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        refused = sum(pool.map(storm, range(4)))
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    require(len(lines) == refused, f"{len(lines)} lines of {refused} refusals")
    require(len({line["pid"] for line in lines}) == 4, "not from four processes")


def file_rotated(lab, way):
    """The file is moved away: the next line goes to a new one."""
    path = f"{fresh_home(lab)}/verdicts.log"
    with Running(lab, way) as client:
        client.put("policy.conf", log_policy(f"log = file:{path}"))
        client.begin().call("expired")
        os.rename(path, f"{path}.1")
        client.call("expired")
    for name in (path, f"{path}.1"):
        with open(name, encoding="utf-8") as file:
            lines = file.read().splitlines()
        require(len(lines) == 1 and LINE.fullmatch(lines[0]), f"{name}: {lines}")


def file_out_of_reach(lab, way):
    """What has no place in the file goes to syslog, and why is said before the first such line."""
    lost = re.compile(r"<83>.*trustgraft: \S+\[\d+\]: the log \S+ can't be written \(.*\), ")
    with System(lab, log_policy("log = file:/verdicts.log", ALL)).listen() as system:
        for server, wanted in (("api", ACCEPTED), ("expired", REJECTED)):
            got = system_run(lab, way, system, server)
            require(got.verdict == ("accept" if server == "api" else "refuse"), got.said)
            told = system.logged()
            require(len(told) == 2 and lost.match(told[0]) and "(Permission denied)" in told[0],
                    str(told))
            require(told[1].startswith(wanted) and LINE.search(told[1]), str(told))


DROPS = CLIENT + """
def request():
    try:
        with secure(dial()) as secured:
            return "accept"
    except ssl.SSLCertVerificationError:
        return "refuse"

before = request()
os.setgid(65534)
os.setuid(65534)
print(before, request(), request())
"""


def file_left_behind(lab, way):
    """A daemon that gives up root after its first connection: no verdict is lost."""
    home = fresh_home(lab)
    os.chmod(home, 0o700)
    with System(lab, log_policy(f"log = file:{home}/verdicts.log", ALL)).listen() as system:
        status, out, err = system.run(
            [clients.PYTHON, "-c", DROPS, str(lab.servers.ports["expired"])],
            ways.by_environment(lab.build, way), user=False)
        require(out.split() == ["refuse"] * 3, f"exit {status}: {out}{err}")
        told = system.logged()
        require(len(told) == 3 and "can't be written" in told[0], str(told))
        require(all(line.startswith(REJECTED) for line in told[1:]), str(told))
        with open(f"{home}/verdicts.log", encoding="utf-8") as file:
            require(len(file.read().splitlines()) == 1, "not one line before")


def file_at_limit(lab, way):
    """setrlimit(2): a write beyond RLIMIT_FSIZE would raise SIGXFSZ in the program."""
    program, path = clients.PROGRAMS["curl"], f"{fresh_home(lab)}/verdicts.log"
    policy = lab.policy(log_policy(f"log = file:{path}", ALL))
    for server, wanted in (("api", "accept"), ("expired", "refuse")):
        command = ways.by_command(lab.build, way, program.command(lab.target(server)), policy)
        got = lab.judge(program, *lab.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command]))
        require(got.verdict == wanted and os.stat(path).st_size == 0, got.said)
        require("(File too large)" in got.stderr, got.said)


def file_unfit(lab, way):
    """Neither device, FIFO, directory nor a missing directory is written to, or waited for."""
    home = fresh_home(lab)
    os.symlink("/dev/full", f"{home}/full")
    os.symlink("/dev/stderr", f"{home}/stderr")
    os.mkfifo(f"{home}/fifo", 0o600)
    os.mkdir(f"{home}/directory")
    for name in ("full", "stderr", "fifo", "directory", "missing/file"):
        for got in both_verdicts(lab, way, f"log = file:{home}/{name}", ALL):
            require(not got.log, f"{name}: {got.said}")


FULL = """
mount -t tmpfs -o size=4k,mode=777 none "$1" && head -c 4096 /dev/zero >"$1/filler"
shift
exec "$@"
"""


def disk_full(lab, way):
    if os.geteuid() != 0:
        raise Skip("needs root, for a file system that is full")
    home, program = fresh_home(lab), clients.PROGRAMS["curl"]
    policy = lab.policy(log_policy(f"log = file:{home}/verdicts.log", ALL))
    for server, wanted in (("api", "accept"), ("expired", "refuse")):
        command = ways.by_command(lab.build, way, program.command(lab.target(server)), policy)
        got = lab.judge(program, *lab.run(["unshare", "-m", "--propagation", "private", "sh", "-c",
                                           FULL, "sh", home, *command]))
        if "unshare:" in got.stderr or "mount:" in got.stderr:
            raise Skip(f"no mount namespace here: {got.stderr.strip()}")
        require(got.verdict == wanted, got.said)


def stderr_closed(lab, way):
    """A program without stderr: nothing is written into whatever has its number."""
    program = clients.PROGRAMS["curl"]
    policy = lab.policy(log_policy("log = stderr", ALL))
    for server, wanted in (("api", "accept"), ("expired", "refuse")):
        command = ways.by_command(lab.build, way, program.command(lab.target(server)), policy)
        got = lab.judge(program, *lab.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command]))
        require(got.verdict == wanted and not got.stderr, got.said)


def stderr_at_limit(lab, way):
    """The same as of a log's own file: the program goes on, without the line."""
    program, path = clients.PROGRAMS["curl"], f"{fresh_home(lab)}/stderr"
    with open(path, "wb") as file:
        file.write(bytes(1024))
    command = ways.by_command(lab.build, way, program.command(lab.target("api")),
                              lab.policy(log_policy("log = stderr", ALL)))
    got = lab.judge(program, *lab.run(
        ["sh", "-c", f'ulimit -f 1; exec "$@" 2>>{path}', "sh", *command]))
    require(got.verdict == "accept" and os.stat(path).st_size == 1024, got.said)


# Runs its words in the background of a terminal that stops who writes to it from there, and prints
# their standard output, what became of them, and what was written to the terminal.
BACKGROUND = """
import os, pty, signal, sys, termios
leader, terminal = pty.fork()
if leader == 0:
    mode = termios.tcgetattr(0)
    mode[3] |= termios.TOSTOP
    termios.tcsetattr(0, termios.TCSANOW, mode)
    begin, go = os.pipe()
    program = os.fork()
    if program == 0:
        os.setpgid(0, 0)
        os.read(begin, 1)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.execvp(sys.argv[1], sys.argv[1:])
    while os.getpgid(program) != program:
        pass
    os.write(go, b"x")
    status = os.waitpid(program, os.WUNTRACED)[1]
    if os.WIFSTOPPED(status):
        os.kill(program, signal.SIGKILL)
    print("stopped" if os.WIFSTOPPED(status) else "ended", flush=True)
    os._exit(0)
try:
    while text := os.read(terminal, 4096):
        print(text.decode(), end="")
except OSError: # Linux says so that nobody has the terminal any more
    pass
os.waitpid(leader, 0)
"""


def stderr_in_background(lab, way):
    """termios(3), TOSTOP: the line is written, and the program not stopped."""
    command = ways.by_command(lab.build, way, clients.PROGRAMS["curl"].command(lab.target("api")),
                              lab.policy(log_policy("log = stderr", ALL)))
    _, out, err = lab.run([clients.PYTHON, "-c", BACKGROUND, *command])
    require("ended" in out and "accept api.example.test" in out, out + err)


OWN = """
import fcntl, os, socket, ssl, sys
port, kind, when = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def replace():
    if kind == "socket":
        near, far = (end.detach() for end in socket.socketpair())
    elif kind == "pipe":
        far, near = os.pipe()
    else:
        near = os.open(kind, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        far = os.open(kind, os.O_RDONLY)
    kept = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (near, far)]
    os.dup2(kept[0], 2, inheritable=when != "closed")
    os.set_blocking(kept[1], False)
    return kept[1]

plain = socket.create_connection(("127.0.0.1", port), 60)
plain = socket.socket(fileno=fcntl.fcntl(plain.fileno(), fcntl.F_DUPFD_CLOEXEC, 20))
if when == "first":
    ssl.create_default_context()
far = replace()
try:
    ssl._create_unverified_context().wrap_socket(plain, server_hostname="api.example.test")
    print("accept", end=" ")
except ssl.SSLError:
    print("refuse", end=" ")
try:
    print(len(os.read(far, 4096)))
except BlockingIOError:
    print(0)
"""


def stderr_replaced(lab, way):
    """A pipe, socket or file of the program's own, where it closed or replaced its stderr."""
    policy = lab.policy(log_policy("log = stderr"))
    for kind in ("socket", "pipe", f"{fresh_home(lab)}/own"):
        for when, start in (("first", 'exec "$@"'), ("first", 'exec "$@" 2>&-'),
                            ("closed", 'exec "$@" 2>&-')):
            command = ["sh", "-c", start, "sh", clients.PYTHON, "-c", OWN,
                       str(lab.servers.ports["expired"]), kind, when]
            _, out, err = lab.run(command, environment=ways.by_environment(lab.build, way, policy))
            require(out.split() == ["refuse", "0"], f"{kind}, {when}, {start}: {out}{err}")


def several_sinks(lab, way):
    path = f"{fresh_home(lab)}/verdicts.log"
    got = curl(lab, way, log_policy(f"log = stderr, file:{path}"), "expired")
    with open(path, encoding="utf-8") as file:
        require(file.read().splitlines() == got.log and len(got.log) == 1, got.said)


def hostile_names(lab, way):
    """Line breaks, quotes, escapes and colours of a certificate reach no log, in no format."""
    for server in ("spoofing-subject", "spoofing-san"):
        for form in ("text", "json"):
            path = f"{fresh_home(lab)}/verdicts.log"
            curl(lab, way, log_policy(f"log = file:{path}", f"log-format = {form}"), server)
            with open(path, "rb") as file:
                raw = file.read()
            require(raw.count(b"\n") == 1 and raw.endswith(b"\n"), repr(raw))
            require(not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw), repr(raw))
            if form == "json":
                line = json.loads(raw)
                require(line["verdict"] == "reject" and len(line["path"]) >= 2, repr(raw))


def system_run(lab, way, system, server):
    program = clients.PROGRAMS["curl"]
    injected = ways.by_environment(lab.build, way)
    return lab.judge(program, *system.run(program.command(lab.target(server, app="root")),
                                          injected))


def syslog(lab, way):
    """The system's policy logs there, of itself: one datagram a verdict, at its priority."""
    with System(lab, log_policy(ALL)).listen() as system:
        for server, wanted in (("api", "accept"), ("expired", "refuse")):
            got = system_run(lab, way, system, server)
            require(got.verdict == wanted and not got.log, got.said)
        told = system.logged()
        require(len(told) == 2, str(told))
        require(told[0].startswith(ACCEPTED) and told[1].startswith(REJECTED), str(told))
        require("certificate-expired" in told[1] and LINE.search(told[1]), told[1])


def syslog_hostile(lab, way):
    with System(lab, log_policy("log = syslog")).listen() as system:
        require(system_run(lab, way, system, "spoofing-subject").verdict == "refuse", "accepted")
        told = system.logged()
        require(len(told) == 1 and not re.search(r"[\x00-\x1f\x7f]", told[0].rstrip("\0\n")),
                repr(told))


def syslog_broken_policy(lab, way):
    """What is wrong with the system's policy goes where its verdicts would go."""
    with System(lab, "[host\n").listen() as system:
        require(system_run(lab, way, system, "api").verdict == "refuse", "accepted")
        told = system.logged()
        require(any("policy.conf:1:" in line for line in told), str(told))


def syslog_absent(lab, way):
    """Nobody listens, or nobody reads: the verdict stands, and nobody waits."""
    with System(lab, log_policy("log = syslog", ALL)) as system:
        for server, wanted in (("api", "accept"), ("expired", "refuse")):
            got = system_run(lab, way, system, server)
            require(got.verdict == wanted and not got.log, got.said)
    with System(lab, log_policy("log = syslog", ALL)).listen() as system:
        for _ in range(14):  # net.unix.max_dgram_qlen is 10
            got = system_run(lab, way, system, "expired")
            require(got.verdict == "refuse", f"the log's queue is full: {got.said}")


def tests():
    for title, test in (
            ("json: every field", json_fields), ("json: report-only", json_report),
            ("json: too long", json_too_long),
            ("file: created and appended to", file_created),
            ("file: relative to the policy", file_relative),
            ("file: many processes", file_shared), ("file: rotated", file_rotated),
            ("file: out of reach", file_out_of_reach),
            ("file: left behind by a daemon", file_left_behind),
            ("file: at its limit", file_at_limit),
            ("file: what is no file", file_unfit), ("file: a full disk", disk_full),
            ("stderr: closed", stderr_closed), ("stderr: at its limit", stderr_at_limit),
            ("stderr: in the background", stderr_in_background), ("stderr: replaced", stderr_replaced),
            ("several sinks", several_sinks),
            ("hostile names", hostile_names), ("syslog", syslog),
            ("syslog: hostile names", syslog_hostile),
            ("syslog: a broken policy", syslog_broken_policy),
            ("syslog: absent or stuck", syslog_absent)):
        yield from in_both_ways(f"logs: {title}", test)
