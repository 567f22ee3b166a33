"""trustgraft scan: many servers at once."""
import calendar
import collections
import contextlib
import fcntl
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import termios
import time

from cli import plain
from e2e.harness import Skip, open_terminal, require

HOST = "api.example.test"
# Servers are told apart by their port; what they say is in the rule for the address.
POLICY = f"""[host 127.0.0.1]
hostname = {HOST}
anchors = {{pki}}/root.pem
"""
HTTP = plain.in_turn(plain.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), plain.wait)
# Seconds in which a server that answers has answered, however busy the machine; one that hangs is
# waited for as long.
PATIENT = 12
GARBAGE = plain.in_turn(plain.say(b"\x1b[31m\xff\xff\r\n" * 20), plain.wait)


@contextlib.contextmanager
def fleet(command, **numbers):
    """The ports of so many servers of each kind: a leaf's name, or http, garbage, hang, closed."""
    talks = {"http": HTTP, "garbage": GARBAGE, "hang": plain.wait}
    with contextlib.ExitStack() as stack:
        ports = collections.defaultdict(list)
        for kind, number in numbers.items():
            leaf = kind.replace("_", "-")
            talk = talks.get(kind) or (kind != "closed" and
                                       plain.secured(plain.context(command.pki, leaf)))
            for _ in range(number):
                ports[kind].append(stack.enter_context(plain.listening(talk)) if talk
                                   else plain.closed_port())
        yield ports


def hosts(command, *groups):
    """The path of a list that takes from the groups in turn."""
    lines = [f"127.0.0.1:{port}\n" for group in groups for port in group]
    return command.folder().write("hosts", "".join(lines))


def scan(command, path, *words, policy=POLICY, **options):
    return command("scan", "-p", command.policy(policy), *words, path, **options)


def groups(result):
    """Heading -> the ports below it."""
    found, heading = {}, None
    for line in result.out.splitlines():
        if match := re.fullmatch(r"([a-z -]+) \((\d+)\)", line):
            heading = match[1]
            found[heading] = []
        elif match := re.match(r"  127\.0\.0\.1:(\d+) ", line):
            found[heading].append(int(match[1]))
    return found


def test_hundreds_of_servers(command):
    with fleet(command, api=180, expired=25, partner=20, api_other=15, http=10, garbage=10, hang=10,
               closed=30) as ports:
        path = hosts(command, *ports.values())
        before = time.monotonic()
        result = scan(command, path, "--timeout", str(PATIENT)).ended(1).quiet()
        took = time.monotonic() - before
        require(groups(result) == {
            "certificate-expired": ports["expired"], "name-mismatch": ports["partner"],
            "missing-issuer": ports["api_other"],
            "not reached": ports["http"] + ports["garbage"] + ports["hang"] + ports["closed"]}, result)
        result.printed("plain HTTP where TLS was expected", "doesn't answer to TLS in time",
                       "nothing listens there", "what isn't TLS",
                       "300 hosts: 180 accepted, 60 refused, 60 not reached\n")
        require("\x1b" not in result.out and took < 10 * PATIENT, (took, result))


def test_all_accepted(command):
    with fleet(command, api=5) as ports:
        result = scan(command, hosts(command, ports["api"])).ended(0).quiet()
        require(result.out == "5 hosts: 5 accepted, 0 refused, 0 not reached\n", result)


def test_exit_statuses(command):
    with fleet(command, api=1, expired=1, closed=1) as ports:
        for kinds, status in ((("api",), 0), (("api", "expired"), 1), (("api", "closed"), 2),
                              (("expired", "closed"), 1), (("closed",), 2)):
            scan(command, hosts(command, *(ports[kind] for kind in kinds))).ended(status)


def test_json_is_that_of_explain_in_the_order_of_the_list(command):
    with fleet(command, api=20, expired=20, hang=2, closed=5) as ports:
        order = [port for four in zip(ports["hang"] * 10, ports["api"], ports["expired"],
                                      ports["closed"] * 4) for port in four]
        result = scan(command, hosts(command, order), "--json", "--timeout", str(PATIENT)).ended(1).quiet()
        objects = result.objects()
        require([one["port"] for one in objects] == order, objects)
        single = command("explain", "--connect", "-p", command.policy(POLICY), "--json",
                         f"127.0.0.1:{ports['expired'][0]}").ended(1).object()
        for one in objects:
            kind = next(kind for kind in ports if one["port"] in ports[kind])
            verdict = {"api": "accept", "expired": "reject"}.get(kind)
            require(one["verdict"] == verdict and one["host"] == "127.0.0.1", one)
            require(list(one)[:13] == list(single) or verdict is None, one)
            require(("error" in one) == (verdict is None), one)
            require(verdict or set(single) <= set(one), one)
        same = next(one for one in objects if one["port"] == ports["expired"][0])
        require(same["findings"] == single["findings"] and same["path"] == single["path"], same)


def test_list(command):
    """Comments, empty lines, blanks, protocols, names with --resolve, standard input."""
    with fleet(command, api=1) as ports, plain.listening(plain.in_turn(
            *plain.BEFORE["smtp"], plain.say(plain.YES["smtp"]),
            plain.secured(plain.context(command.pki, "api")))) as mail:
        web = ports["api"][0]
        text = (f"# ours\n\n  127.0.0.1:{web}\t# web\r\n127.0.0.1:{mail} smtp\n"
                f"{HOST}:{web}")
        path = command.folder().write("hosts", text)
        words = ("--resolve", f"{HOST}:{web}:127.0.0.1")
        policy = POLICY.replace("[host 127.0.0.1]", f"[host 127.0.0.1 {HOST}]")
        scan(command, path, *words, policy=policy).ended(0).quiet().printed("3 hosts: 3 accepted")
        for operand in (("-",), ()):
            with open(path, "rb") as stdin:
                done = subprocess.run([command.program, "scan", "-p", command.policy(policy), *words,
                                       *operand], stdin=stdin, capture_output=True, check=False)
            require(done.returncode == 0 and b"3 accepted" in done.stdout, done)
        only = command.folder().write("mail", f"127.0.0.1:{mail}\n")
        scan(command, only, "--starttls", "smtp").ended(0)
        scan(command, only, "--timeout", "1").ended(2).printed("try --starttls smtp")


def test_list_that_is_wrong(command):
    for text, said in ((b"a.test\n*.test\nb.test c\nd.test smtp x\n",
                        ("hosts:2: \"*.test\" is not one host", "hosts:3: 'c' isn't one of smtp",
                         "hosts:4: more than HOST[:PORT]")),
                       (b"a.test:99999\n", ("hosts:1: ",)), (b"\xff\xfe\n", ("hosts:1: ",)),
                       (b"a.test\x00\n", ("NUL bytes",)), (b"", ("names no host",)),
                       (b"# nothing\n\n", ("names no host",)),
                       (b"#" * ((16 << 20) + 1), ("File too large",))):
        path = command.folder().write("hosts", text)
        scan(command, path).ended(2).silent().said(*said)
    scan(command, "/nowhere").ended(2).silent().said("/nowhere: there is no such file: scan reads")
    path = command.folder().write("hosts", "127.0.0.1:1\n")
    for words, said in ((("--jobs", "0"), "--jobs: "), (("--jobs", "1025"), "--jobs: "),
                        (("--jobs", "x"), "--jobs: "), (("--timeout", "0"), "--timeout: "),
                        (("--resolve", "x"), "--resolve: "), (("--starttls", "x"), "--starttls: ")):
        scan(command, path, *words).ended(2).silent().said(said)
    scan(command, path, policy="nonsense\n").ended(1).silent().said("error: ")
    command("scan", "-p", "/nowhere.conf", path).ended(2).silent()


def test_rule_that_depends_on_the_program(command):
    policy = POLICY + f"[host 127.0.0.1]\nprogram = curl\naction = reject\n"
    with fleet(command, api=1) as ports:
        path = hosts(command, ports["api"])
        scan(command, path, policy=policy).ended(2).printed("depends on the program")
        scan(command, path, "--program", "/bin/sh", policy=policy).ended(0)


# ---- bounds --------------------------------------------------------------------------------------


def test_jobs_bound_the_connections(command):
    """Of servers that hang, no more are called until the first of them are given up."""
    begun = []

    def note(connection):
        begun.append(connection)
        plain.wait(connection)
    with plain.listening(note) as port:
        for jobs, number in ((1, 2), (8, 24)):
            path = hosts(command, [port] * number)
            begun.clear()
            status, _, err = interrupted(command, path, "--jobs", str(jobs), hanging=jobs)
            require(status == 2 and len(begun) == jobs, (status, jobs, len(begun), err))
            begun.clear()
            scan(command, path, "--jobs", jobs, "--timeout", "1").ended(2).printed(
                f"{number} not reached")


def test_limit_of_open_files(command):
    """The soft limit is raised to the hard one, and that bounds the jobs."""
    with fleet(command, api=40) as ports:
        path = hosts(command, ports["api"] * 3)
        for limit, words in (((30, 4096), ()), ((30, 100), ("scan: only 9 connections",)),
                             ((40, 40), ("scan: only 1 connections",))):
            result = scan(command, path, "--jobs", "200", preexec_fn=lambda limit=limit:
                          resource.setrlimit(resource.RLIMIT_NOFILE, limit)).ended(0)
            result.printed("120 hosts: 120 accepted").said(*words)


def test_memory_does_not_grow_with_the_hosts(command):
    with fleet(command, api=1) as ports:
        def peak(number):
            path = hosts(command, ports["api"] * number)
            pid = os.posix_spawn(command.program, ["trustgraft", "scan", "--json", "--jobs", "8", "-p",
                                                   str(command.policy(POLICY)), str(path)],
                                 command.environment(), file_actions=[
                                     (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
            _, status, usage = os.wait4(pid, 0)
            require(status == 0, status)
            return usage.ru_maxrss
        few, many = peak(50), peak(1000)
        require(many < few + 6000, f"{few} KiB for 50 hosts, {many} for 1000")


def test_no_leak_and_no_error_under_the_sanitizers(command):
    program = command.build / "asan/trustgraft"
    if not program.exists():
        raise Skip(f"no {program}")
    with fleet(command, api=20, expired=5, http=3, garbage=3, closed=3, hang=2) as ports:
        answering = [ports[kind] for kind in ports if kind != "hang"]
        for words, path in (((), hosts(command, *ports.values())),
                            (("--json",), hosts(command, *answering))):
            scan(command, path, *words, "--timeout", str(PATIENT), program=program).ended(1).quiet()


def test_pin_to(command):
    """What was accepted, and nothing else, is known from then on; another key isn't taken."""
    with fleet(command, api=3, expired=1, closed=1) as ports:
        known = command.folder() / "known"
        path = hosts(command, *ports.values())
        scan(command, path, "--pin-to", known).ended(1).printed(f"{known}: 3 added, 0 known already")
        lines = known.read_text().splitlines()
        require([line.split()[0] for line in lines if "sha256/" in line]
                == [f"127.0.0.1:{port}" for port in ports["api"]], lines)
        again = hosts(command, ports["api"])
        scan(command, again, "--pin-to", known).ended(0).printed("0 added, 3 known already")
        policy = POLICY + f"known-hosts = {known}\n"
        scan(command, again, policy=policy).ended(0)
        other = hosts(command, ports["expired"])
        scan(command, other, policy=policy + "insecure-skip-dates = yes\n").ended(1)
        pin = lines[-3].split("sha256/")[1][:44]
        known.write_text(known.read_text().replace(pin, "A" * 43 + "=", 1))
        before = known.read_text()
        scan(command, again, policy=policy).ended(1)
        scan(command, again, "--json", "--pin-to", known).ended(1).said(
            "is known by another key", "--yes' replaces the line")
        require(known.read_text() == before, "changed")
        scan(command, again, "--pin-to", "/nowhere/known").ended(2).printed("3 accepted")


# ---- interruption ---------------------------------------------------------------------------------


def sockets_of(pid):
    with contextlib.suppress(OSError):
        return sum(os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
                   for fd in os.listdir(f"/proc/{pid}/fd"))
    return None


def interrupted(command, path, *words, number=signal.SIGINT, hanging=10):
    """Ends a scan once it has had HANGING servers for a second; (status, out, err)."""
    process = subprocess.Popen([command.program, "scan", "--timeout", "600", "-p",
                                command.policy(POLICY), *words, path], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=command.environment())
    end, calm = time.monotonic() + 120, 0
    while calm < 10 and time.monotonic() < end:
        calm = calm + 1 if sockets_of(process.pid) == hanging else 0
        time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_interruption_leaves_a_report(command):
    with fleet(command, api=6, expired=3, hang=10) as ports:
        path = hosts(command, ports["hang"][:2], ports["api"], ports["expired"], ports["hang"][2:])
        for number in (signal.SIGINT, signal.SIGTERM):
            status, out, err = interrupted(command, path, number=number)
            require(status == 1, (status, err))
            require("certificate-expired (3)" in out and "19 hosts: 6 accepted, 3 refused, 0 not "
                    "reached, 10 not looked at\n" in out, out)
            require("interrupted: the report lacks 10 of 19 hosts" in err, err)
        status, out, err = interrupted(command, path, "--json")
        require(status == 1 and out.count('"verdict":"accept"') == 6 and out.count("\n") == 9, out)
        status, out, err = interrupted(command, hosts(command, ports["api"], ports["hang"]))
        require(status == 2 and "interrupted" in err, (status, err))


def test_pipe_that_is_closed(command):
    with fleet(command, api=2) as ports:
        path = hosts(command, ports["api"] * 100)
        done = subprocess.run(f"{command.program} scan --json -p {command.policy(POLICY)} {path} | "
                              "head -1", shell=True, capture_output=True, text=True, check=True)
        require(done.stdout.count("\n") == 1 and done.stderr == "", done)
    scan(command, hosts(command, [1]), stdout=open("/dev/full", "wb")).ended(2).said(
        "the output can't be written")


# ---- looks -----------------------------------------------------------------------------------------


def on_terminal(command, path, columns, **env):
    """What a terminal of so many columns gets from a scan."""
    words = ["trustgraft", "scan", "--timeout", str(PATIENT), "-p", str(command.policy(POLICY)), str(path)]
    environment = command.environment(**{"TERM": "xterm", **env})
    reading, writing = os.pipe()
    pid, terminal = open_terminal(pty.fork)
    if pid == 0:
        os.read(reading, 1)  # until the terminal is as wide as it shall be
        os.execve(command.program, words, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(writing, b".")
    os.close(writing)
    os.close(reading)
    shown = b""
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 4096):
            shown += data
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode().replace("\r\n", "\n")


def bare(text):
    return re.sub(r"\x1b\[[0-9;]*[mK]", "", text)


def test_terminal(command):
    with fleet(command, api=30, expired=2, hang=2, closed=1) as ports:
        path = hosts(command, *ports.values())
        for columns in (60, 100):
            shown = on_terminal(command, path, columns)
            progress, _, report = shown.rpartition("\r\x1b[K")
            drawn = [bare(part) for part in progress.split("\r")]
            require(any(re.fullmatch(r"\[#+\.*\] +\d+%  \d+/35  \d refused.*", part)
                        for part in drawn), drawn)
            require(all(len(part) < columns for part in drawn), drawn)
            lines = bare(report).splitlines()
            require(all(len(line) <= columns for line in lines), lines)
            require("\x1b[31mcertificate-expired\x1b[0m (2)" in report, report)
            require(bare(report).startswith("certificate-expired (2)\n  127.0.0.1:"), report)
            starts = {re.match(r"  127\S+ +", line).end() for line in lines if "127.0.0.1:" in line
                      and line.startswith("  127")}
            require(len(starts) == 1, lines)
            require((columns > 60) or any(line.startswith(" " * min(starts)) for line in lines), lines)
        path = hosts(command, *(ports[kind] for kind in ports if kind != "hang"))
        plain_text = on_terminal(command, path, 80, NO_COLOR="1")
        require(not re.search(r"\x1b\[[0-9;]*m", plain_text) and "\r" in plain_text, plain_text)
        require("\x1b" not in on_terminal(command, path, 80, TERM="dumb"), "drawn upon")


# ---- what ends soon, pages, metrics -----------------------------------------------------------


def days_left(command, leaf, when):
    """Whole days from WHEN, seconds since 1970, to the end of LEAF."""
    text = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-dateopt", "iso_8601", "-in",
                           command.pki / f"{leaf}.pem"], capture_output=True, text=True,
                          check=True).stdout
    end = time.strptime(text.strip().partition("=")[2], "%Y-%m-%d %H:%M:%SZ")
    return int((calendar.timegm(end) - when) // 86400)


def test_accepted_hosts_with_what_they_are(command):
    with fleet(command, api=1, expired=1) as ports:
        path, (good,) = hosts(command, ports["api"], ports["expired"]), ports["api"]
        now = int(time.time())  # for all of them: a day may end meanwhile
        left = days_left(command, "api", now)
        found = scan(command, path, "--all", "--time", now).ended(1).quiet()
        require(groups(found)["accepted"] == [good], found)
        found.printed(f"{left} days, EC P-256, CN=api.example.test, for api.example.test\n")
        require("accepted (" not in scan(command, path).out, "listed unasked")
        objects = scan(command, path, "--all", "--json", "--time", now).ended(1).objects()
        require([(one["key"], one["names"], one["days_left"]) for one in objects][0] ==
                ("EC P-256", ["api.example.test"], left), objects)
        require(objects[1]["days_left"] < 0, objects)


def test_what_ends_soon(command):
    """The certificate, a CRL, pins and an exception; just before and just after."""
    now = int(time.time())
    end = now // 86400 * 86400 + 180 * 86400
    ends, when = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one)) for one in (end, end - 9 * 86400 - 43200))
    with fleet(command, api=1, partner=1) as ports:
        one, other = ports["api"][0], ports["partner"][0]
        fingerprint = next(line.split("\t")[1] for line in (command.pki / "INDEX").read_text(
            ).splitlines() if line.split("\t")[0] == "partner")
        policy = POLICY + f"""leaf-pin = {{pki}}/api.pem, {{pki}}/partner.pem
pins-expire = {ends}
[exception e]
host = 127.0.0.1:{other}
certificate = {fingerprint}
findings = name-mismatch
expires = {ends}
"""
        path = hosts(command, [one], [other])
        for days, wanted in (("10", True), ("9", False)):
            found = scan(command, path, "--time", when, "--warn-days", days, policy=policy).ended(0)
            require(("not for long" in found.out) == wanted, found)
            if wanted:
                found.printed("accepted, but not for long (2)", "the pins of the rule at ",
                              f"ends in 9 days, {ends}", "the exception at ")
        soon = days_left(command, "api", now) + 1
        scan(command, path, "--warn-days", str(soon), "--time", now, policy=policy).ended(0).printed(
            "the certificate CN=api.example.test ends in ")
    for word in ("-1", "x", "3651", "1.5"):
        scan(command, path, "--warn-days", word).ended(2).silent().said("--warn-days: ")
        command("check", "--warn-days", word, command.policy(POLICY)).ended(2).silent().said("--warn-days: ")


def test_check_warns_of_what_ends_soon(command):
    policy = command.policy(POLICY + "revocation = crl\ncrl = {pki}/intermediate.crl\n")
    command("check", policy).ended(0).printed("valid: 1 rule\n")
    command("check", "--warn-days", "3650", policy).ended(0).printed(
        "crl: that of CN=Test Intermediate, O=Trustgraft Tests will be out of date from ",
        "anchors: CN=Trustgraft Test Root, O=Trustgraft Tests expires ")


def test_metrics(command):
    with fleet(command, api=1, expired_partner=1, closed=1) as ports:
        good, bad, none = (ports[kind][0] for kind in ("api", "expired_partner", "closed"))
        path, prom = hosts(command, *ports.values()), command.folder() / "trustgraft.prom"
        scan(command, path, "--prometheus", prom, "--warn-days", "3650").ended(1).quiet()
    lines = prom.read_text().splitlines()
    samples = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    require(all(re.fullmatch(r'trustgraft_[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})?', name) and
                re.fullmatch(r"\d+", value) for name, value in samples.items()), lines)
    at = 'host="127.0.0.1",port='
    for name, port, value in (("host_accepted", good, 1), ("host_accepted", bad, 0),
                              ("host_accepted", none, 0), ("host_reached", bad, 1),
                              ("host_reached", none, 0)):
        require(samples[f'trustgraft_{name}{{{at}"{port}"}}'] == str(value), samples)
    for finding in ("certificate-expired", "name-mismatch"):
        require(samples[f'trustgraft_host_finding{{{at}"{bad}",finding="{finding}"}}'] == "1", samples)
    require(abs(int(samples[f'trustgraft_certificate_not_after_seconds{{{at}"{good}"}}']) - time.time() -
                days_left(command, "api", time.time()) * 86400) < 2 * 86400, samples)
    require(samples['trustgraft_scan_hosts{state="refused"}'] == "1", samples)
    require(any("CN=api.example.test" in name for name in samples), samples)
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    require(len(names) == len(set(names)) == 7, names)
    scan(command, path, "--prometheus", "/nowhere/at/all.prom", "--timeout", "2").ended(2).said(
        "/nowhere/at/all.prom: ")


def test_page(command):
    """Whole, closed, and nothing in it that a certificate wrote is markup, or from elsewhere."""
    with fleet(command, api=1, expired_partner=1, spoofing_subject=1, closed=1) as ports:
        page = command.folder() / "scan.html"
        scan(command, hosts(command, *ports.values()), "--html", page).ended(1).quiet()
    text = page.read_text()
    stack = []
    for close, name, empty in re.findall(r"<(/?)([a-z0-9]+)[^>]*?(/?)>", text.partition("<style>")[0]
                                         + re.sub(r"<script>.*</script>", "", text.partition(
                                             "</style>")[2], flags=re.DOTALL)):
        if close:
            require(stack and stack.pop() == name, (name, stack))
        elif not empty and name not in ("meta", "input"):
            stack.append(name)
    require(not stack, stack)
    require(not re.search(r'(src|href)=|https?:|url\(|@import', text), "something from elsewhere")
    require(text.count("<tr>") == 5 and text.count("<svg ") == 3, text)
    for said in ("1 accepted", "2 refused", "1 not reached", "certificate-expired", "EC P-256",
                 "CN=Trustgraft Test Root, O=Trustgraft Tests, which issued "):
        require(said in text, said)
